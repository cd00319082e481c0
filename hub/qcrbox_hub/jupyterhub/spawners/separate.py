"""What sandboxes and containers share: sockets in place of a network, a user id per person, and what runs inside."""

from __future__ import annotations

import asyncio
import os
import resource
from pathlib import Path
from urllib.parse import urlsplit

from qcrbox.sandbox import bubblewrap
from traitlets import Int, Unicode

from qcrbox_hub.jupyterhub.spawners.base import PersonServer
from qcrbox_hub.walls.relay_client import RelayClient
from qcrbox_hub.walls.socket_folders import HUB, INTERNET, PLATFORM, REGISTRY, SERVER, SocketFolders

INSIDE = "/run/qcrbox"
SERVER_PORT = 8888
INTERNET_PORT = 3128
OPEN_FILES = 65536
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class SeparateServer(PersonServer):
    """Mix-in of spawners whose servers have no network."""

    sockets = Unicode(help="The folder of the servers' sockets.").tag(config=True)
    first_user_id = Int(
        0,
        help="User ids of people are this number and their account's; 0: the platform's own id for everyone.",
    ).tag(config=True)
    shared_temporary_bytes = Int(
        1024**3, help="Largest size of /tmp and of /dev/shm each; they lie in memory."
    ).tag(config=True)

    @property
    def uid(self) -> int | None:
        """The person's user id, None where everyone has the platform's."""
        return self.first_user_id + self.account.number if self.first_user_id else None

    @property
    def inside_home(self) -> str:
        """Path of the home as the person's programs see it."""
        return f"/home/{self.user.name}"

    @property
    def folders(self) -> SocketFolders:
        """Folders of the sockets of this platform."""
        return SocketFolders(Path(self.sockets), self.first_user_id or None)

    @property
    def server_label(self) -> str:
        """Names folders, relay, control group and container of this server; a person may have several."""
        number = str(self.account.number)
        return f"{number}-{self.name}" if self.name else number

    @property
    def accounts_folder(self) -> Path:
        """Where the files passwd, group and hosts of the inside are."""
        return self.folders.folder(self.server_label) / "etc"

    # ------------------------------------------------------------ sockets

    async def open_relay(self) -> int:
        """Make the socket folders and have the relay open them. Returns the port that leads to the server."""
        self.folders.make(self.server_label, self.uid)
        bubblewrap.write_accounts(
            self.accounts_folder, self.user.name, self.inside_home, self.uid or os.getuid()
        )
        return await RelayClient(self.folders.control).open(
            self.server_label, self.account.number, internet=self.may_use_internet()
        )

    def seal_when_up(self) -> None:
        """Close the folder of the server's socket as soon as the socket is there, before any code of the person runs."""
        if self.uid is not None:
            self._sealing = asyncio.ensure_future(self._seal())

    async def _seal(self) -> None:
        socket = self.folders.outgoing(self.server_label) / SERVER
        while not os.path.lexists(socket):
            if not socket.parent.is_dir():
                return  # the start was given up
            await asyncio.sleep(0.05)
        self.folders.seal(self.server_label)

    async def close_relay(self) -> None:
        """Close the relay of this server and remove its sockets."""
        await RelayClient(self.folders.control).close(self.server_label)
        self.folders.remove(self.server_label)

    # ------------------------------------------------------------ what runs inside

    def inside_command(self, command: list[str], *, environment: str = "") -> list[str]:
        """The whole command inside: relays to hub and registry around the server.

        environment: a file with the server's environment, "" where it is inherited.
        """
        hub, registry = urlsplit(self.hub.url).port or 0, urlsplit(self.registry_url).port or 0
        reach = {hub: HUB, registry: REGISTRY}
        if self.may_use_internet():
            reach[INTERNET_PORT] = INTERNET
        return [
            *(self.python, "-I", "-m", "qcrbox.sandbox.inside"),
            *(word for port, name in reach.items() for word in ("--reach", f"{port}={INSIDE}/in/{name}")),
            *("--offer", f"{self.port}={INSIDE}/out/{SERVER}"),
            *("--hold", f"{INSIDE}/in/{PLATFORM}"),
            *(("--environment", environment) if environment else ()),
            *("--", *command),
        ]

    def choose_port(self) -> None:
        """The port that the server listens at inside; none of those that lead out."""
        taken = {urlsplit(self.hub.url).port, urlsplit(self.registry_url).port, INTERNET_PORT}
        self.ip = "127.0.0.1"
        self.port = next(port for port in range(SERVER_PORT, SERVER_PORT + 4) if port not in taken)

    def inside_environment(self, env: dict[str, str]) -> dict[str, str]:
        """Environment of the server inside, with the proxy variables for those who may use the internet."""
        env = self.server_environment({**env, "PATH": SYSTEM_PATH}, self.inside_home)
        # In memory and short: the path of a Unix socket may have 107 bytes.
        env["JUPYTER_RUNTIME_DIR"] = "/tmp/jupyter"
        if self.may_use_internet():
            env |= internet_environment()
        return env


def open_files() -> int:
    """How many files a process of a person may open: many, but no more than this machine lets us give."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)


def internet_environment() -> dict[str, str]:
    """Where pip, git and others find the proxy to the internet."""
    address = f"http://127.0.0.1:{INTERNET_PORT}"
    return {
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), address),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1"),
    }
