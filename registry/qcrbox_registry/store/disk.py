"""How much may still be written to the disk of the data folder.

Files are refused before the disk is full. On a full disk NATS stops writing without an answer, and the database could
take no change any more, not even the one that deletes something.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from qcrbox.contract.errors import StorageFull

# Kept for the database, the queue and logs.
KEPT_FREE = 64 * 1024**2


class DiskRoom:
    """The disk of `folder`, of which `kept` bytes are never given to files."""

    def __init__(self, folder: Path, kept: int = KEPT_FREE) -> None:
        self._folder, self._kept = folder, kept

    def require(self, size: int = 0) -> None:
        """Raises StorageFull where `size` more bytes would leave less than what is kept free."""
        free = shutil.disk_usage(self._folder).free
        if free - size >= self._kept:
            return
        needed = f", {size / 1024**2:.0f} MiB are needed" if size >= 1024**2 else ""
        raise StorageFull(
            "The registry's disk is full.",
            why=f"{free / 1024**2:.0f} MiB are free on the disk of the data folder{needed}, and "
            f"{self._kept // 1024**2} MiB are kept for the database and the queue.",
            next="Ask an administrator for space: delete what is not needed, empty the trash, or give the data folder "
            "a larger disk. Nothing was lost; then send the file again.",
        )
