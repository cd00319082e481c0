"""The files an application consists of: its folder, and what `include.txt` borrows from a neighbour.

An image, a launcher's approved copy and a check must all mean the same files by "the application".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from qcrbox.contract.errors import SpecError

INCLUDE = "include.txt"
LEFT_OUT = frozenset(
    {"__pycache__", "tests", "node_modules", ".git", ".venv", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
)


def application_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name below the application, file), sorted by name within each folder; tests and leftovers are no part of it.

    `include.txt` names files or folders, one a line, relative to the folder: each appears in the application under
    its last name. Raises SpecError for an entry that is absent, or lies outside the folder that holds the application.
    """
    yield from _walk(folder, folder, "")
    for line, entry in _included(folder):
        path = (folder / entry).resolve()
        if not path.is_relative_to(folder.resolve().parent) or not path.exists():
            raise SpecError(
                f"{entry!r} cannot be included.",
                where=f"{folder.name}/{INCLUDE}:{line}",
                why="It is not there, or not beside the application.",
                file=str(folder / INCLUDE),
                line=line,
            )
        if path.is_file():
            yield path.name, path
        else:
            yield from _walk(path, path, f"{path.name}/")


def _walk(root: Path, folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for at, names, filenames in os.walk(folder):
        names[:] = sorted(name for name in names if name not in LEFT_OUT)
        for filename in sorted(filenames):
            path = Path(at, filename)
            # A link that leads out of the folder would take a foreign file along.
            if path.is_file() and path.resolve().is_relative_to(root.resolve()):
                yield prefix + path.relative_to(root).as_posix(), path


def _included(folder: Path) -> Iterator[tuple[int, str]]:
    file = folder / INCLUDE
    if not file.is_file():
        return
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        entry = line.partition("#")[0].strip()
        if entry:
            yield number, entry
