"""Backups that an administrator starts by a click, below DATA/backups."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from qcrbox.contract.errors import Conflict

from qcrbox_hub.platform.data_folder import BACKUP_MANIFEST


@dataclass(frozen=True)
class Backup:
    """A finished backup. Unix time, s; bytes."""

    name: str
    at: float
    size: int


@dataclass
class Backups:
    """The backups of one data folder. One runs at a time, as a separate process."""

    data: Path
    running: asyncio.Task[None] | None = None
    problem: str = ""
    _of: ClassVar[dict[Path, Backups]] = {}

    @classmethod
    def of(cls, data: Path) -> Backups:
        """The backups of this data folder: the same object for every request."""
        return cls._of.setdefault(data, cls(data))

    @property
    def folder(self) -> Path:
        """Where backups are written."""
        return self.data / "backups"

    @property
    def is_running(self) -> bool:
        """True while a backup is being written."""
        return self.running is not None and not self.running.done()

    def listed(self) -> list[Backup]:
        """Newest first; a folder without a manifest is a backup that was not finished."""
        found = []
        for manifest in self.folder.glob(f"*/{BACKUP_MANIFEST}"):
            size = sum(file.stat().st_size for file in manifest.parent.iterdir() if file.is_file())
            found.append(Backup(manifest.parent.name, manifest.stat().st_mtime, size))
        return sorted(found, key=lambda backup: backup.at, reverse=True)

    def start(self) -> None:
        """Begin a backup. Raises Conflict while one runs."""
        if self.is_running:
            raise Conflict("A backup is being written already.", next="Load the page again in a while.")
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.problem = ""
        self.running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        command = [sys.executable, "-m", "qcrbox_hub", "backup", str(self.folder), "--data", str(self.data)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()
        if process.returncode:
            self.problem = errors.decode(errors="replace")[-1500:]
