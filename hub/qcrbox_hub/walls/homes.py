"""People's home folders: made for one account, measured, and archived when the account is deleted.

Nothing here opens a file inside a home as the platform's user: its owner could have put a link there.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import Conflict
from qcrbox.sandbox import subordinate

from qcrbox_hub.platform.data_folder import write_private

DAY_S = 24 * 3600.0
# What a file counts at least: a file system has so many files and no more, and an empty one takes no block.
LEAST_OF_FILE_BYTES = 4096


@dataclass(frozen=True)
class Archived:
    """A home of a deleted account. `expires_at`: Unix time."""

    label: str
    folder: Path
    archived_at: float
    expires_at: float


class Homes:
    """`root` holds the homes by label of their account, `archive` those of deleted accounts."""

    def __init__(
        self, root: Path, archive: Path, keep_days: float = 90.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.root, self.archive, self.keep_days, self.clock = root, archive, keep_days, clock

    def path(self, label: str) -> Path:
        """Home folder of an account, whether or not it exists."""
        return self.root / label

    def make(self, label: str, uid: int | None = None) -> Path:
        """The home of an account, owned by `uid` (None: the platform's own) and closed to everyone else."""
        home = self.path(label)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            wanted = 0 if uid is None else uid
            if home.lstat().st_uid != wanted:
                # Another kind of walls was used before: everything in the home changes hands once.
                self._give(home, wanted)
        elif home.lstat().st_uid != os.geteuid():
            raise Conflict(
                "This home belongs to another user id.",
                where=str(home),
                why="It was made when each person's server had an id of its own.",
                next=f"Start the platform as before ({subordinate.ADVICE}), or give the homes back as root: chown.",
            )
        home.chmod(0o700)
        return home

    @staticmethod
    def _give(home: Path, uid: int) -> None:
        for folder, folders, files, handle in os.fwalk(home, topdown=False, follow_symlinks=False):
            for name in (*folders, *files):
                os.chown(name, uid, uid, dir_fd=handle, follow_symlinks=False)
            if folder == str(home):
                os.chown(home, uid, uid, follow_symlinks=False)

    def adopt(self, name: str, label: str) -> bool:
        """Take over the home that an older platform named after the person."""
        old, new = self.root / name, self.path(label)
        if old == new or not old.is_dir() or old.is_symlink() or new.exists():
            return False
        old.rename(new)
        return True

    # ------------------------------------------------------------ size

    def bytes_used(self, label: str) -> int:
        """Bytes on the disk of everything in a home, for each file at least LEAST_OF_FILE_BYTES; a file with several names
        counts once. Reads no file.
        """
        seen: set[tuple[int, int]] = set()
        total = 0
        for entry in _entries(self.path(label)):
            if entry.st_nlink > 1 and not stat.S_ISDIR(entry.st_mode):
                if (entry.st_dev, entry.st_ino) in seen:
                    continue
                seen.add((entry.st_dev, entry.st_ino))
            total += max(entry.st_blocks * 512, LEAST_OF_FILE_BYTES)
        return total

    # ------------------------------------------------------------ deleted accounts

    def retire(self, label: str) -> Archived | None:
        """Move the home of a deleted account to the archive; None where it had none."""
        home = self.path(label)
        if not home.is_dir():
            return None
        self.archive.mkdir(mode=0o700, parents=True, exist_ok=True)
        entry = Archived(label, self.archive / label, self.clock(), self.clock() + self.keep_days * DAY_S)
        home.rename(entry.folder)
        # Only the platform reads it from here on.
        entry.folder.chmod(0o700)
        record = {"label": label, "archived_at": entry.archived_at, "expires_at": entry.expires_at}
        write_private(self._record(label), json.dumps(record))
        return entry

    def _record(self, label: str) -> Path:
        return self.archive / f"{label}.json"

    def archived(self) -> list[Archived]:
        """The homes in the archive, the first to expire first."""
        found = []
        for file in self.archive.glob("*.json"):
            try:
                record = json.loads(file.read_text())
                folder = self.archive / str(record["label"])
                found.append(
                    Archived(
                        str(record["label"]),
                        folder,
                        float(record["archived_at"]),
                        float(record["expires_at"]),
                    )
                )
            except (OSError, ValueError, KeyError, TypeError):
                continue  # not one of ours
        return sorted(found, key=lambda entry: entry.expires_at)

    def remove_expired(self) -> list[str]:
        """Delete archived homes whose time is over; returns their labels."""
        removed = []
        for entry in self.archived():
            if entry.expires_at <= self.clock():
                shutil.rmtree(entry.folder, ignore_errors=True)
                self._record(entry.label).unlink(missing_ok=True)
                removed.append(entry.label)
        return removed


def _entries(folder: Path) -> Iterator[os.stat_result]:
    stack = [str(folder)]
    while stack:
        try:
            with os.scandir(stack.pop()) as listing:
                for entry in listing:
                    try:
                        yield entry.stat(follow_symlinks=False)
                        if entry.is_dir(follow_symlinks=False):
                            stack.append(entry.path)
                    except OSError:
                        continue  # removed while we look
        except OSError:
            continue
