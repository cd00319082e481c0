"""A user's Jupyter server as a process of this machine.

All servers run as the system user that runs the platform, so this is for one machine whose people trust
each other: homes are separate folders, not a wall between accounts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from subprocess import STDOUT
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner
from qcrbox import lifeline
from traitlets import Unicode, default

from qcrbox_hub.jupyterhub.tutorials import offer_tutorials
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.supervisor import MARK


class QCrBoxSpawner(SimpleLocalProcessSpawner):
    """One home folder per user, the registry's address for kernels, and the lifeline."""

    homes = Unicode(help="Folder of the users' home folders.").tag(config=True)
    logs = Unicode(help="Folder of the servers' log files.").tag(config=True)
    mark = Unicode(help="The data folder's mark, carried by all its processes.").tag(config=True)
    registry_url = Unicode(help="Where kernels find the registry.").tag(config=True)

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

    @default("home_dir")
    def _home_dir(self) -> str:
        # User names are [a-z0-9_-] (see the authenticator), so they are safe as folder names.
        return str(Path(self.homes) / self.user.name)

    @default("args")
    def _args(self) -> list[str]:
        return ["--allow-root"] if os.geteuid() == 0 else []

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Everything Jupyter writes for a user stays in that user's home."""
        env = super().user_env(env)
        home = Path(self.home_dir)
        env.update(
            {
                MARK: self.mark,
                "QCRBOX_URL": self.registry_url,
                "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
                "JUPYTER_DATA_DIR": str(home / ".local" / "share" / "jupyter"),
                "JUPYTER_RUNTIME_DIR": str(home / ".local" / "share" / "jupyter" / "runtime"),
                "JUPYTER_CONFIG_PATH": str(paths.JUPYTER_CONFIG),
                "IPYTHONDIR": str(home / ".ipython"),
                # A notebook's `!python` and `%pip` are those of the environment the kernel runs in.
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)]),
            }
        )
        if descriptor := lifeline.descriptor():
            env[lifeline.VARIABLE] = str(descriptor)
        return env

    async def start(self) -> Any:
        home = Path(self.home_dir)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        offer_tutorials(paths.notebooks_folder(), home / "notebooks")
        log = os.open(
            Path(self.logs) / f"server-{self.user.name}.log",
            os.O_WRONLY | os.O_CREAT | os.O_APPEND,
            0o600,
        )
        self.popen_kwargs = {"pass_fds": lifeline.pass_on(), "stdout": log, "stderr": STDOUT}
        try:
            return await super().start()
        finally:
            os.close(log)
