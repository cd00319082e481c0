"""Example datasets that applications bring: registered by reference, read-only for everybody.

`examples.yaml` of an application names files inside Python packages of the application's environment, or beside
it. Where an environment is not built yet the files are looked for again later.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
import yaml
from sqlalchemy.engine import Connection

from qcrbox_registry.store import contents, datasets, events, people, trash
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.objects import ObjectStore
from qcrbox_registry.store.tables import applications, data_files
from qcrbox_registry.store.tables import datasets as table

_READ = 1024 * 1024
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ExampleFile:
    filename: str
    path: Path


@dataclass(frozen=True)
class Example:
    """One example dataset whose files were all found."""

    name: str
    description: str
    files: tuple[ExampleFile, ...]


@dataclass(frozen=True)
class _Stored:
    filename: str
    sha256: str
    size: int


class Examples:
    """What the applications announced, and which of it is not in the store yet."""

    def __init__(self, data: Path) -> None:
        self._environments = data / "environments"
        self._waiting: dict[int, Path] = {}
        self._turn = asyncio.Lock()

    def announce(self, application_id: int, folder: Path) -> None:
        """An application's folder may have examples; `store` looks."""
        if (folder / "examples.yaml").is_file():
            self._waiting[application_id] = folder

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    async def store(
        self, database: Database, objects: ObjectStore
    ) -> tuple[list[events.Event], list[datasets.NewFile]]:
        """Put into the store what can be found now; the events to tell and the files to index."""
        told: list[events.Event] = []
        new: list[datasets.NewFile] = []
        async with self._turn:
            for application_id, folder in list(self._waiting.items()):
                found, complete = await asyncio.to_thread(self._find, folder)
                for example in found:
                    stored = [await _put(objects, file) for file in example.files]
                    made, files = await database.write(
                        partial(
                            register_example,
                            application_id=application_id,
                            name=example.name,
                            description=example.description,
                            files=stored,
                        )
                    )
                    told += made
                    new += files
                if complete:
                    del self._waiting[application_id]
        return told, new

    def _find(self, folder: Path) -> tuple[list[Example], bool]:
        """The examples whose files are all there, and whether those are all of them."""
        try:
            listed = yaml.safe_load((folder / "examples.yaml").read_text()) or {}
        except (OSError, yaml.YAMLError) as error:
            log.error("examples_unreadable", folder=str(folder), error=str(error))
            return [], True
        found: list[Example] = []
        complete = True
        entries = listed.get("datasets") or [] if isinstance(listed, dict) else []
        for entry in entries:
            example = self._example(folder, entry)
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
            files.append(ExampleFile(str(file.get("filename") or path.name), path))
        description = " ".join(str(entry.get("description") or "").split())
        return Example(str(entry["name"]), description, tuple(files))

    def _path(self, folder: Path, path: str, package: str | None) -> Path | None:
        for root in [folder] if package is None else self._package_folders(package):
            candidate = (root / path).resolve()
            if candidate.is_relative_to(root.resolve()) and candidate.is_file():
                return candidate
        return None

    def _package_folders(self, package: str) -> Iterator[Path]:
        """Where a package may lie: in our own environment or in those that the launcher has built here."""
        if not package.replace("_", "").isalnum():
            return
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            yield Path(location)
        yield from sorted(self._environments.glob(f"*/lib/python*/site-packages/{package}"))
        yield from sorted(self._environments.glob(f"*/lib/{package}"))


async def _put(objects: ObjectStore, file: ExampleFile) -> _Stored:
    async def chunks() -> AsyncIterator[bytes]:
        with file.path.open("rb") as source:
            while chunk := source.read(_READ):
                yield chunk

    with file.path.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    known = await objects.info(sha256)
    if known is not None:
        return _Stored(file.filename, sha256, known.size)
    sha256, size = await objects.put(chunks())
    return _Stored(file.filename, sha256, size)


def register_example(
    conn: Connection, application_id: int, name: str, description: str, files: Sequence[_Stored]
) -> tuple[list[events.Event], list[datasets.NewFile]]:
    """Write an example dataset, or leave it when it is there with the same bytes. Changed bytes replace it."""
    now = time.time()
    there = conn.execute(
        sa.select(table.c.id, table.c.description).where(
            table.c.kind == "example",
            table.c.application_id == application_id,
            table.c.name == name,
            table.c.deleted_at.is_(None),
        )
    ).first()
    if there is not None:
        query = sa.select(data_files.c.filename, data_files.c.sha256).where(
            data_files.c.dataset_id == there.id, data_files.c.deleted_at.is_(None)
        )
        if {tuple(row) for row in conn.execute(query)} == {(f.filename, f.sha256) for f in files}:
            if there.description != description:
                conn.execute(sa.update(table).where(table.c.id == there.id).values(description=description))
            return [], []
        trash.delete_dataset(conn, there.id, _owner(conn, application_id, now), now)
    owner_id = _owner(conn, application_id, now)
    dataset = datasets.NewDataset(
        owner_id, name=name, description=description, kind="example", application_id=application_id
    )
    new = [datasets.NewFile(file.filename, file.sha256, file.size) for file in files]
    for file in files:
        contents.add(conn, file.sha256, file.size, now)
    datasets.add_dataset(conn, dataset, new, now)
    told = events.write(conn, [events.Event("dataset", dataset.id, now, status="created")])
    return list(told), new


def _owner(conn: Connection, application_id: int, now: float) -> int:
    slug = conn.execute(
        sa.select(applications.c.slug).where(applications.c.id == application_id)
    ).scalar_one()
    return people.ensure_person(conn, slug, "application", now, kind="application")
