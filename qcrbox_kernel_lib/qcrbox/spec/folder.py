"""Where applications are, and the files one consists of: its folder, and what `include.txt` borrows from a neighbour.

The hub, the registry, a launcher, an image and a check must all find the same applications, and mean the same files
by "the application".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from qcrbox.contract.errors import SpecError

SPEC_NAME = "application.yaml"
_SPEC_NAMES = (SPEC_NAME, "application.yml")
_OLDER_SPEC_NAMES = ("config_*.yaml", "config_*.yml")
WANTED = f"{SPEC_NAME}, or config_<slug>.yaml as older applications have it"
INCLUDE = "include.txt"
LEFT_OUT = frozenset(
    {"__pycache__", "tests", "node_modules", ".git", ".venv", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
)


def spec_of(folder: Path) -> Path | None:
    """The spec file of an application folder; None when it is no such folder.

    Raises SpecError for several older specs in one folder: an image and an approved copy hold one application.
    """
    for name in _SPEC_NAMES:
        if (folder / name).is_file():
            return folder / name
    older = sorted(path for pattern in _OLDER_SPEC_NAMES for path in folder.glob(pattern) if path.is_file())
    if len(older) > 1:
        raise SpecError(
            "There are several applications in one folder.",
            where=str(folder),
            why=", ".join(path.name for path in older) + ".",
            next="Give each its own folder, or rename the valid one to application.yaml.",
            file=str(folder),
            line=1,
        )
    return older[0] if older else None


def is_application(folder: Path) -> bool:
    """True for a folder with a spec file, of whatever name and however many."""
    return any(next(folder.glob(pattern), None) for pattern in (*_SPEC_NAMES, *_OLDER_SPEC_NAMES))


def required_spec_of(folder: Path) -> Path:
    """The spec file of an application folder. Raises SpecError when there is none, or several."""
    found = spec_of(folder)
    if found is None:
        raise SpecError(
            "This is not an application folder.",
            where=str(folder),
            why=f"It has no {WANTED}.",
            file=str(folder),
            line=1,
        )
    return found


def find_folders(roots: Iterable[Path]) -> list[Path]:
    """Application folders: each root itself, or the folders right below it. One that holds none adds nothing."""
    found: list[Path] = []
    for root in roots:
        root = root.expanduser()
        if is_application(root):
            found.append(root)
        elif root.is_dir():
            found += sorted(path for path in root.iterdir() if path.is_dir() and is_application(path))
    return list(dict.fromkeys(path.resolve() for path in found))


def nothing_found(root: Path) -> str:
    """The warning about a root without applications."""
    reason = (
        "It does not exist." if not root.exists() else f"Neither it nor a folder right below it has {WANTED}."
    )
    return f"No application was found in {root}. {reason}"


def application_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name below the application, file), sorted by name within each folder, without tests and temporary files.

    `include.txt` names files or folders, one a line, relative to the folder: each appears in the application under
    its last name. A spec of another name appears as `application.yaml` too. Raises SpecError for an entry that is
    absent, or lies outside the folder that holds the application.
    """
    spec = spec_of(folder)
    if spec is not None and spec.name != SPEC_NAME:
        yield SPEC_NAME, spec
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
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{INCLUDE} is not UTF-8 text.",
            where=f"{folder.name}/{INCLUDE}",
            next="Save it as UTF-8.",
            file=str(file),
            line=1,
        ) from error
    for number, line in enumerate(lines, start=1):
        entry = line.partition("#")[0].strip()
        if entry:
            yield number, entry
