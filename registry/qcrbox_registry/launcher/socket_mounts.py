"""The folders that containers see: one for each agent, with its two sockets and its enrolment token.

They lie in memory where a tmpfs can be used, below a folder that only this user may enter; an agent's own folder is
mounted into its container alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from qcrbox.sandbox.relay import Relay, Target

from qcrbox_registry.launcher.managers.base import StartFailed

CONTAINER_UID = CONTAINER_GID = 10001
_WHOSE = ".data"  # names the data folder; an agent's id begins with a letter or a digit


class SocketMounts:
    """The doors of one launcher's containers. Raises StartFailed where their folder is not ours alone."""

    def __init__(self, data: Path, platform: str) -> None:
        self.root = _folder_on_tmpfs(data, platform)
        (self.root / _WHOSE).write_text(str(data))
        _sweep(self.root)
        self._registry = Target(path=data / "run" / "internal.sock")
        self._open: dict[str, list[Relay]] = {}

    def folder(self, agent: str) -> Path:
        """Folder of one agent, which its container mounts."""
        return self.root / agent

    async def make(self, agent: str, token: str, nats_url: str) -> Path:
        """The folder of a new agent, its doors open. Raises StartFailed when there is one already."""
        folder = self.folder(agent)
        try:
            # Making it is the claim: of two who start the same agent at once one fails, and harms the other nothing.
            folder.mkdir(mode=0o755)
        except FileExistsError:
            raise StartFailed(f"Agent {agent} has been started already.", where=str(folder)) from None
        try:
            _write_token(folder, token)
            await self.open(agent, nats_url)
        except BaseException:
            await self.remove(agent)
            raise
        return folder

    async def open(self, agent: str, nats_url: str) -> None:
        """Open an agent's doors (again: its container outlives this process)."""
        folder = self.folder(agent)
        folder.mkdir(mode=0o755, exist_ok=True)
        folder.chmod(0o755)
        parts = urlsplit(nats_url)
        nats = Target(host=parts.hostname or "127.0.0.1", port=parts.port or 4222)
        await self._shut(agent)
        self._open[agent] = [
            Relay(target=nats, socket=folder / "nats.sock"),
            Relay(target=self._registry, socket=folder / "registry.sock"),
        ]
        for agent_socket in self._open[agent]:
            await agent_socket.open()

    async def remove(self, agent: str) -> None:
        """Close an agent's doors and forget its token."""
        await self._shut(agent)
        shutil.rmtree(self.folder(agent), ignore_errors=True)

    async def close(self) -> None:
        """Close all; the folders stay for containers that keep running."""
        for agent in list(self._open):
            await self._shut(agent)

    async def _shut(self, agent: str) -> None:
        for agent_socket in self._open.pop(agent, ()):
            await agent_socket.close()

    def keep_only(self, alive: set[str]) -> None:
        """Remove folders of agents that are gone, as a killed launcher leaves them behind."""
        for folder in self.root.iterdir():
            if folder.name != _WHOSE and folder.name not in alive:
                shutil.rmtree(folder, ignore_errors=True)

    def remove_all(self) -> None:
        """Remove the folders of all agents."""
        shutil.rmtree(self.root, ignore_errors=True)


def _folder_on_tmpfs(data: Path, platform: str) -> Path:
    """A private folder in memory for sockets and tokens; below the data folder where no tmpfs can be used."""
    candidates = [os.environ.get("XDG_RUNTIME_DIR", ""), "/run" if os.geteuid() == 0 else "", "/dev/shm"]
    for root in candidates:
        if root and os.access(root, os.W_OK) and _is_tmpfs(root):
            folder = Path(root) / f"qcrbox-{os.geteuid()}-{platform[:8]}"
            break
    else:
        folder = data / "run" / "doors"
    return private_folder(folder)


def _sweep(mine: Path) -> None:
    """Remove socket folders of killed platforms whose data folder no longer exists."""
    for folder in mine.parent.glob(f"qcrbox-{os.geteuid()}-*"):
        with contextlib.suppress(OSError):
            if folder != mine and not Path((folder / _WHOSE).read_text()).exists():
                shutil.rmtree(folder, ignore_errors=True)


def private_folder(folder: Path) -> Path:
    """Make `folder` for this user alone. Raises StartFailed when the folder belongs to another user."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    # Not through a link, and on what was opened: /dev/shm is everybody's, and a name there may change hands.
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise StartFailed(
            "The folder for containers' sockets belongs to another user.", where=str(folder), why=f"{error}."
        ) from error
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise StartFailed(
                "The folder for containers' sockets belongs to another user.", where=str(folder)
            )
        # Only this user may enter; inside, each agent's folder is mounted into its container.
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)
    return folder


def _is_tmpfs(path: str) -> bool:
    with contextlib.suppress(OSError):
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        fitting = [m for m in mounts if path == m[1] or path.startswith(m[1].rstrip("/") + "/")]
        return bool(fitting) and max(fitting, key=lambda m: len(m[1]))[2] == "tmpfs"
    return False


def _write_token(folder: Path, token: str) -> None:
    folder.chmod(0o755)
    path = folder / "token"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
    with os.fdopen(fd, "w") as file:
        file.write(token)
    if os.geteuid() == 0:
        os.chown(path, CONTAINER_UID, CONTAINER_GID)
    else:
        # The container's user is another one; the folder above is closed to everybody else.
        path.chmod(0o444)
