"""A fresh, empty folder for each calculation."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from qcrbox.spec.arguments import safe_file_name


class WorkFolders:
    """Makes folders below `root` and removes them; those of failed calculations stay for `keep_failed_s`."""

    def __init__(self, root: Path, keep_failed_s: float = 0.0) -> None:
        self.root, self.keep_failed_s = root, keep_failed_s
        self._spare: tuple[str, Path] | None = None  # whose, and an empty folder
        root.mkdir(parents=True, exist_ok=True)

    def make(self, owner: str = "") -> Path:
        """An empty folder. One that its owner's last calculation left empty is taken again: making and removing
        folders is most of what a command that does nothing costs on a disk."""
        spare, self._spare = self._spare, None
        if spare is not None:
            if spare[0] == owner and _is_pristine(spare[1]):
                return spare[1]
            self._discard(spare[1])
        return Path(tempfile.mkdtemp(prefix="calculation-", dir=self.root))

    def remove(self, folder: Path, owner: str = "", failed: bool = False) -> None:
        """Remove a work folder after use; a failed one is kept for `keep_failed_s`, an untouched one is used again."""
        if failed and self.keep_failed_s > 0:
            with contextlib.suppress(OSError):
                (self.root / f"{folder.name}.failed").touch()
        elif self._spare is None and _is_pristine(folder):
            self._spare = (owner, folder)
        else:
            self._discard(folder)

    def close(self) -> None:
        """Remove the spare folder."""
        if self._spare is not None:
            self._discard(self._spare[1])
            self._spare = None

    def _discard(self, folder: Path) -> None:
        try:
            os.rmdir(folder)
        except OSError:
            remove_tree(folder)

    def sweep(self, now: float | None = None) -> None:
        """Remove folders of failed calculations whose time is over."""
        now = time.time() if now is None else now
        for mark in self.root.glob("*.failed"):
            with contextlib.suppress(OSError):
                if mark.stat().st_mtime + self.keep_failed_s < now:
                    remove_tree(mark.with_suffix(""))
                    mark.unlink()


def _is_pristine(folder: Path) -> bool:
    """True for an empty folder with unchanged permissions."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None and folder.stat().st_mode & 0o7777 == 0o700
    except OSError:
        return False


def remove_tree(folder: Path) -> None:
    """Remove a folder even when the program took away its own permissions."""

    def make_writable(_function: object, path: str, _error: object) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(path), 0o700)
            os.chmod(path, 0o700)
            os.unlink(path) if not os.path.isdir(path) or os.path.islink(path) else shutil.rmtree(path, True)

    shutil.rmtree(folder, onerror=make_writable)


def free_name(folder: Path, filename: str, taken: Collection[str] = ()) -> Path:
    """A path in `folder` that is not there yet and not in `taken`: `a.cif`, `a-2.cif`, `a-3.cif`."""
    name = safe_file_name(filename) or "file"
    for candidate in numbered(name):
        if candidate not in taken and not (folder / candidate).exists():
            return folder / candidate
    raise AssertionError("unreachable")


def numbered(name: str) -> Iterator[str]:
    """The name, then `name_2.ext`, `name_3.ext` and so on without end."""
    yield name
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    number = 2
    while True:
        yield f"{stem}-{number}{dot}{ending}"
        number += 1
