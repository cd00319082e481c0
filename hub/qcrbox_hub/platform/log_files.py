"""Keeps the log files of a platform that runs for months at a bounded size."""

from __future__ import annotations

import os
from pathlib import Path

LARGEST_BYTES = 20 * 1024**2
ROTATIONS_KEPT = 3
CHECK_EVERY_S = 30.0
# Logs that people's code writes to: what it writes may come at the speed of the disk, and is no one's record.
PEOPLES = ("server-*.log", "agents/*.log")
LARGEST_OF_PEOPLE_BYTES = 5 * 1024**2
KEPT_OF_PEOPLE_BYTES = 1024**2
TRIM_EVERY_S = 1.0
# Those who rotate their own.
NOT_OURS = frozenset({"nats.log"})


def rotate_large(folder: Path, largest_bytes: int = LARGEST_BYTES) -> list[str]:
    """Move what is too large to NAME.1 (the older ones to .2, .3); returns the names.

    The writers hold their files open for appending, so the end of a file is copied and the file emptied in place: they
    go on writing at its new end. A line written between the two is lost, which a log can bear.
    """
    moved = []
    for file in sorted(folder.glob("*.log")):
        if (
            file.name in NOT_OURS
            or file.match(PEOPLES[0])
            or file.is_symlink()
            or file.stat().st_size <= largest_bytes
        ):
            continue
        for number in range(ROTATIONS_KEPT, 1, -1):
            older = file.with_name(f"{file.name}.{number - 1}")
            if older.exists():
                older.replace(file.with_name(f"{file.name}.{number}"))
        first = file.with_name(f"{file.name}.1")
        _move_end(file, first, largest_bytes)
        moved.append(file.name)
    return moved


def trim_peoples(
    folder: Path, largest_bytes: int = LARGEST_OF_PEOPLE_BYTES, kept_bytes: int = KEPT_OF_PEOPLE_BYTES
) -> list[str]:
    """Keep the end of each log that people's code has made too large, as NAME.1; returns the names."""
    trimmed = []
    for pattern in PEOPLES:
        for file in folder.glob(pattern):
            try:
                if file.is_symlink() or file.stat().st_size <= largest_bytes:
                    continue
                _move_end(file, file.with_name(f"{file.name}.1"), kept_bytes)
            except OSError:
                continue  # removed meanwhile, or the disk is full
            trimmed.append(file.name)
    return trimmed


def _move_end(file: Path, target: Path, most_bytes: int) -> None:
    """Empty the file first: where the disk is full there would be no room for its copy."""
    with file.open("r+b") as source:
        size = source.seek(0, os.SEEK_END)
        source.seek(max(0, size - most_bytes))
        end = source.read(most_bytes)
        source.truncate(0)
    target.unlink(missing_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(end)
