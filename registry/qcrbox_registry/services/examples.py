"""Example datasets of applications: read-only for everybody.

`examples.yaml` of an application names files in Python packages of its environment, or beside it. While an
environment is not built yet, the files are looked for again later. A file may be changed on its way into the store
(`change`), so that the data of an exercise do not state what is to be found.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import yaml

from qcrbox_registry.services.contents import whole
from qcrbox_registry.store import datasets, events, examples
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.examples import NewExample, StoredFile
from qcrbox_registry.store.objects import ObjectStore

_READ = 1024 * 1024
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ExampleFile:
    """A file of an example, found on this machine. changes: regular expressions and what replaces their matches."""

    filename: str
    path: Path
    changes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Example:
    """One example dataset whose files were all found."""

    name: str
    description: str
    files: tuple[ExampleFile, ...]


class Examples:
    """The examples that were announced and are not stored yet."""

    def __init__(self, data: Path) -> None:
        self._environments = data / "environments"
        self._waiting: dict[int, Path] = {}
        self._turn = asyncio.Lock()

    def announce(self, application_id: int, folder: Path) -> None:
        """Note that the folder of an application may have examples; `store` looks for them."""
        if (folder / "examples.yaml").is_file():
            self._waiting[application_id] = folder

    @property
    def waiting(self) -> bool:
        """Whether examples are not stored yet."""
        return bool(self._waiting)

    async def store(
        self, database: Database, objects: ObjectStore
    ) -> tuple[list[events.Event], list[datasets.NewFile]]:
        """Store the examples whose files are there now; the events to publish and the files to index."""
        made: list[events.Event] = []
        new: list[datasets.NewFile] = []
        async with self._turn:
            for application_id, folder in list(self._waiting.items()):
                found, complete = await asyncio.to_thread(self._find, folder)
                for example in found:
                    try:
                        stored = [await _put(objects, file) for file in example.files]
                    except (OSError, ValueError) as error:
                        log.error("example_left_out", example=example.name, error=str(error))
                        continue
                    row = NewExample(application_id, example.name, example.description, stored)
                    register = partial(examples.register, example=row, now=time.time())
                    registered = await database.write(register)
                    made += registered.events
                    new += registered.files
                if complete:
                    del self._waiting[application_id]
        return made, new

    def _find(self, folder: Path) -> tuple[list[Example], bool]:
        """The examples whose files are there, and whether no example is missing."""
        try:
            listed = yaml.safe_load((folder / "examples.yaml").read_text()) or {}
        except (OSError, ValueError, yaml.YAMLError) as error:  # ValueError: it is no UTF-8
            log.error("examples_unreadable", folder=str(folder), error=str(error))
            return [], True
        found: list[Example] = []
        complete = True
        entries = listed.get("datasets") if isinstance(listed, dict) else None
        for entry in entries if isinstance(entries, list) else []:
            try:
                example = self._example(folder, entry)
            except (KeyError, TypeError, AttributeError) as error:
                # The other examples do not wait for an entry that lacks a key, or is no mapping.
                log.error("example_unreadable", folder=str(folder), entry=str(entry)[:200], error=repr(error))
                continue
            if example is None:
                complete = False
            else:
                found.append(example)
        return found, complete

    def _example(self, folder: Path, entry: dict[str, Any]) -> Example | None:
        files = []
        for file in entry.get("files") or ():
            path = self._path(folder, str(file["path"]), file.get("package"))
            if path is None:
                return None
            changes = tuple((str(each["find"]), str(each["put"])) for each in file.get("change") or ())
            files.append(ExampleFile(str(file.get("filename") or path.name), path, changes))
        description = " ".join(str(entry.get("description") or "").split())
        return Example(str(entry["name"]), description, tuple(files))

    def _path(self, folder: Path, path: str, package: str | None) -> Path | None:
        for root in [folder] if package is None else self._package_folders(package):
            candidate = (root / path).resolve()
            if candidate.is_relative_to(root.resolve()) and candidate.is_file():
                return candidate
        return None

    def _package_folders(self, package: str) -> Iterator[Path]:
        """Folders where a package may be: in this environment or in those that the launcher built here."""
        if not package.replace("_", "").isalnum():
            return
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            yield Path(location)
        yield from sorted(self._environments.glob(f"*/lib/python*/site-packages/{package}"))
        yield from sorted(self._environments.glob(f"*/lib/{package}"))


def changed(text: str, changes: Sequence[tuple[str, str]]) -> str:
    """The text with every match of each expression replaced. Raises ValueError for an expression without a match.

    Without that error a package that has changed would let an exercise give its answer away.
    """
    for find, put in changes:
        try:
            text, number = re.subn(find, put, text)
        except re.error as error:
            raise ValueError(f"{find!r} is not a regular expression: {error}") from None
        if not number:
            raise ValueError(f"nothing matches {find!r}")
    return text


async def _put(objects: ObjectStore, file: ExampleFile) -> StoredFile:
    """Store a file of an example. Raises ValueError when a change does not fit the file."""
    if file.changes:
        text = await asyncio.to_thread(file.path.read_text, encoding="utf-8")
        content = changed(text, file.changes).encode()
        sha256, size = await objects.put(whole(content))
        return StoredFile(file.filename, sha256, size)

    async def chunks() -> AsyncIterator[bytes]:
        with file.path.open("rb") as source:
            while chunk := source.read(_READ):
                yield chunk

    with file.path.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    known = await objects.info(sha256)
    if known is not None:
        return StoredFile(file.filename, sha256, known.size)
    sha256, size = await objects.put(chunks())
    return StoredFile(file.filename, sha256, size)
