"""The folders in which people's servers and the platform meet: one per server, with Unix sockets.

`in` holds sockets that lead to hub and registry; the server sees it read-only. In `out` the server puts its own
socket. They lie in memory where a tmpfs can be used, below a folder that only platform and relay may enter.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import UserInputError
from qcrbox.sandbox.subordinate import machine_uid, root_of_machine

HUB, REGISTRY, INTERNET = "hub.sock", "registry.sock", "internet.sock"
SERVER, PLATFORM = "server.sock", "platform.sock"
CONTROL = "control.sock"
STATE = "relays.json"
# A Unix socket's path may have 107 bytes; the longest name below the root has about 40.
_LONGEST_ROOT = 60


@dataclass(frozen=True)
class SocketFolders:
    """`root`: the common folder. relay_uid: the relay's own user id, None where everything has one id."""

    root: Path
    relay_uid: int | None = None

    @staticmethod
    def root_for(data: Path, identity: str) -> Path:
        """The same folder at each start of one data folder."""
        name = f"qcrbox-{machine_uid()}-{identity[:8]}-people"
        own = os.environ.get("XDG_RUNTIME_DIR", "")
        if os.geteuid() == 0 and not root_of_machine():
            # Closed to others, and with subordinate ids relay and servers are others.
            own = ""
        for base in (own, "/run" if os.geteuid() == 0 else "", "/dev/shm"):
            if base and os.access(base, os.W_OK):
                return Path(base) / name
        return data / "run" / "people"

    @property
    def control(self) -> Path:
        """Socket on which the hub gives orders to the relay."""
        return self.root / CONTROL

    @property
    def state(self) -> Path:
        """File in which the relay keeps what it has opened."""
        return self.root / STATE

    def prepare(self) -> None:
        """Make the common folder. Raises UserInputError where it is not ours or its path is too long."""
        if len(str(self.root)) > _LONGEST_ROOT:
            raise UserInputError(
                "The path of the folder for sockets is too long.",
                where=str(self.root),
                why="The path of a Unix socket may have 107 bytes.",
                next="Choose a data folder with a shorter path, or set XDG_RUNTIME_DIR.",
            )
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not through a link, and on what was opened: /dev/shm is everyone's, a name there may change hands.
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            owner = os.fstat(handle).st_uid
            if owner not in (os.geteuid(), self.relay_uid):
                raise UserInputError("The folder for sockets belongs to another user.", where=str(self.root))
            if self.relay_uid is not None:
                # The relay makes its control socket and its state here; other accounts may not enter.
                os.fchown(handle, self.relay_uid, self.relay_uid)
            os.fchmod(handle, 0o700)
        finally:
            os.close(handle)

    def folder(self, server: str) -> Path:
        """Folder of one server."""
        return self.root / server

    def incoming(self, server: str) -> Path:
        """Sockets that the relay makes for a server: hub, registry, and the others it may call."""
        return self.folder(server) / "in"

    def outgoing(self, server: str) -> Path:
        """Folder in which a server makes its own socket, for calls of the platform."""
        return self.folder(server) / "out"

    def make(self, server: str, person_uid: int | None) -> None:
        """The folder of a server that is about to start; what an earlier one left is removed."""
        self.remove(server)
        for folder in (self.folder(server), self.incoming(server), self.outgoing(server)):
            folder.mkdir(mode=0o755)
            folder.chmod(0o755)
        if self.relay_uid is not None:
            os.chown(self.incoming(server), self.relay_uid, self.relay_uid)
        if person_uid is not None and os.geteuid() == 0:
            os.chown(self.outgoing(server), person_uid, person_uid)
        elif person_uid is not None:
            # Another user id writes here and we may not give files away; the root is closed to everyone else.
            self.outgoing(server).chmod(0o777)

    def seal(self, server: str) -> None:
        """The server has made its socket: no file can be added to `out` from now on.

        The folder often lies in memory and has no quota, so its owner could fill the memory of the whole machine.
        """
        if os.geteuid() == 0:
            os.chown(self.outgoing(server), 0, 0)
        self.outgoing(server).chmod(0o755)

    def remove(self, server: str) -> None:
        """Remove the folder of one server."""
        shutil.rmtree(self.folder(server), ignore_errors=True)

    def remove_all(self) -> None:
        """Remove the folders of all servers."""
        shutil.rmtree(self.root, ignore_errors=True)
