"""Keeps the log files of a platform that runs for months at a bounded size."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LARGEST_BYTES = 20 * 1024**2
ROTATIONS_KEPT = 3
CHECK_EVERY_S = 30.0
# Those who rotate their own.
NOT_OURS = frozenset({"nats.log"})


def rotate_large(folder: Path, largest_bytes: int = LARGEST_BYTES) -> list[str]:
    """Move what is too large to NAME.1 (the older ones to .2, .3); returns the names.

    The writers hold their files open for appending, so a file is copied and emptied in place: they go on
    writing at its new end. A line written between the two is lost, which a log can bear.
    """
    moved = []
    for file in sorted(folder.glob("*.log")):
        if file.name in NOT_OURS or file.is_symlink() or file.stat().st_size <= largest_bytes:
            continue
        for number in range(ROTATIONS_KEPT, 1, -1):
            older = file.with_name(f"{file.name}.{number - 1}")
            if older.exists():
                older.replace(file.with_name(f"{file.name}.{number}"))
        first = file.with_name(f"{file.name}.1")
        shutil.copyfile(file, first)
        first.chmod(0o600)
        os.truncate(file, 0)
        moved.append(file.name)
    return moved
