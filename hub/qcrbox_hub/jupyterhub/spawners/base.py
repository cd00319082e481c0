"""What all spawners share: the person's account, home, rights of the group, and the server's environment."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jupyterhub.spawner import SpawnException
from jupyterhub.utils import maybe_future
from qcrbox.contract.previews import is_preview
from sqlalchemy.orm import object_session
from traitlets import Bool, Float, Int, Unicode, default

from qcrbox_hub.accounts.numbers import Account, Accounts
from qcrbox_hub.jupyterhub.home_watch import HomeWatch
from qcrbox_hub.jupyterhub.start_queue import StartQueue, starts_at_once
from qcrbox_hub.jupyterhub.tutorials import FOLDER as TUTORIALS
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.supervisor import MARK
from qcrbox_hub.walls import home_sizes
from qcrbox_hub.walls.home_limits import GIB, home_limits
from qcrbox_hub.walls.homes import Homes

# JupyterHub insists that each class below its Spawner starts something; this mix-in does not.
if TYPE_CHECKING:
    from jupyterhub.spawner import Spawner as Base
else:
    from traitlets.config import LoggingConfigurable as Base

TELL_EVERY_S = 1.0


class PersonServer(Base):
    """Mix-in of a person's Jupyter server. It ignores server configuration and Python paths that the person can write."""

    # Of all running servers; started with the first of them.
    home_watch: ClassVar[HomeWatch | None] = None
    start_queue: ClassVar[StartQueue] = StartQueue(starts_at_once())

    data = Unicode(help="The data folder.").tag(config=True)
    mark = Unicode(help="The data folder's mark, carried by all its processes.").tag(config=True)
    registry_url = Unicode(help="Where kernels find the registry.").tag(config=True)
    host_cookies = Bool(
        True, help="People do not share a host name, so cookies may hold for all its paths."
    ).tag(config=True)
    processes = Int(1024, help="Processes and threads of a person's server and kernels; 0: no limit.").tag(
        config=True
    )
    quota_gib = Float(0.0, help="Size of a home, GiB; 0: no limit.").tag(config=True)
    internet = Bool(
        False,
        help="Everyone may reach the internet by HTTP(S); a group's property `internet` allows it for its members.",
    ).tag(config=True)
    archive_days = Float(90.0, help="How long the home of a deleted account is kept, days.").tag(config=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The token that a visitor's browser brings to a server can be read by the code that runs there. A preview account
        # is opened by a lecturer, so their token opens that server and nothing else. (The trait may be a function by its
        # help, but JupyterHub 6.1.1 then fails to write the server's environment.)
        if self.user is not None and is_preview(self.user.name):
            self.oauth_client_allowed_scopes: list[str] = []

    @default("disable_user_config")
    def _disable_user_config(self) -> bool:
        return True

    @default("cmd")
    def _cmd(self) -> list[str]:
        # -I: neither the home, nor PYTHONPATH, nor the user's own packages are places of the server's code.
        return [self.python, "-I", "-m", "qcrbox_hub.jupyterhub.singleuser"]

    @property
    def python(self) -> str:
        """Python interpreter of the server."""
        return sys.executable

    # A server closes its kernels on the first signal within a second; the platform must stop within five.
    @default("interrupt_timeout")
    def _interrupt_timeout(self) -> int:
        return 2

    @default("term_timeout")
    def _term_timeout(self) -> int:
        return 1

    @default("kill_timeout")
    def _kill_timeout(self) -> int:
        return 1

    # ------------------------------------------------------------ who

    @property
    def account(self) -> Account:
        """Number and name of the person's account."""
        orm_user = self.user.orm_user
        session = object_session(orm_user)
        assert session is not None, "the hub reads people in a session"
        return Accounts(session).of(orm_user)

    @property
    def homes(self) -> Homes:
        """The home folders of this platform."""
        data = Path(self.data)
        return Homes(data / "homes", data / "archive" / "homes", self.archive_days)

    def group_properties(self) -> list[dict[str, Any]]:
        """What administrators have set for the groups of the person."""
        return [dict(group.properties or {}) for group in self.user.orm_user.groups]

    def may_use_internet(self) -> bool:
        """Whether everyone, or one of the person's groups, may use the internet."""
        return self.internet or any(each.get("internet") is True for each in self.group_properties())

    # ------------------------------------------------------------ many at once

    async def run_pre_spawn_hook(self) -> None:
        """The hub calls this before each start; the time spent here does not count towards the limit of a start."""
        await self.start_queue.enter(self, lambda: bool(self._spawn_pending))
        await maybe_future(super().run_pre_spawn_hook())

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What the page shows that waits for the server."""
        told = None
        while (ahead := self.start_queue.ahead(self)) is not None:
            if ahead != told:
                yield {"progress": 5, "message": f"Many servers start now. Before this one: {ahead}."}
            told = ahead
            await asyncio.sleep(TELL_EVERY_S)
        yield {"progress": 50, "message": "The server starts."}

    # ------------------------------------------------------------ the size of the home

    # Set when the server runs: asked for every two seconds, too often for the database.
    home_label = ""

    @property
    def home_limit_bytes(self) -> int:
        """0: no limit."""
        return round(self.quota_gib * GIB)

    async def require_room(self) -> None:
        """Raises an error that the person reads when the home is too full for another start."""
        if not self.home_limit_bytes:
            return
        label = self.account.label
        used = (await home_sizes.measure(self.homes.root, [label])).get(label, 0)
        if refusal := home_limits.refusal(label, used, self.home_limit_bytes):
            raise SpawnException(refusal, reason="quota")

    def start_polling(self) -> None:
        """The hub calls this for each server that runs, also after its own restart."""
        super().start_polling()
        self.home_label = self.account.label
        if PersonServer.home_watch is None:
            PersonServer.home_watch = HomeWatch(self.homes.root)
            PersonServer.home_watch.start()
        PersonServer.home_watch.add(self)

    def stop_polling(self) -> None:
        """The hub calls this for each server that has ended."""
        super().stop_polling()
        if PersonServer.home_watch is not None:
            PersonServer.home_watch.remove(self)

    async def end_for_full_home(self, why: str) -> None:
        """End the server at once, and let the hub know."""
        self.log.warning("Ending the server of %s: %s", self.user.name, why)
        await self.stop_writing()
        await self.stop(now=True)
        await self.poll_and_notify()

    async def stop_writing(self) -> None:
        """For servers whose end gives their programs time to go on writing."""

    # ------------------------------------------------------------ environment

    def server_environment(self, env: dict[str, str], home: str) -> dict[str, str]:
        """Everything that Jupyter writes for a person stays in that person's home."""
        env.update(
            {
                MARK: self.mark,
                "QCRBOX_URL": self.registry_url,
                TUTORIALS: str(paths.notebooks_folder()),
                "HOME": home,
                "USER": self.user.name,
                "SHELL": "/bin/bash",
                "JUPYTER_CONFIG_PATH": str(paths.JUPYTER_CONFIG),
                "JUPYTER_DATA_DIR": f"{home}/.local/share/jupyter",
                "JUPYTER_RUNTIME_DIR": f"{home}/.local/share/jupyter/runtime",
                "IPYTHONDIR": f"{home}/.ipython",
                # A notebook's `!python` and `%pip` are those of the environment the kernel runs in.
                "PATH": os.pathsep.join([str(Path(self.python).parent), env.get("PATH", os.defpath)]),
            }
        )
        if not self.host_cookies:
            env["JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED"] = "0"
        return env
