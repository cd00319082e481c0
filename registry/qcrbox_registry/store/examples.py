"""Example datasets in the database: written once, replaced when their bytes change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store import contents, datasets, events, people, trash
from qcrbox_registry.store.tables import applications, data_files
from qcrbox_registry.store.tables import datasets as table


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an example whose bytes are in the object store."""

    filename: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class NewExample:
    """An example dataset of an application."""

    application_id: int
    name: str
    description: str
    files: Sequence[StoredFile]


@dataclass(frozen=True, slots=True)
class Registered:
    """What was written: events to publish and files to index; both empty when nothing changed."""

    events: Sequence[events.Event] = ()
    files: Sequence[datasets.NewFile] = ()


def register(conn: Connection, example: NewExample, now: float) -> Registered:
    """Write an example dataset, or leave it when it is there with the same bytes. Changed bytes replace it."""
    owner_id = _owner(conn, example.application_id, now)
    there = conn.execute(
        sa.select(table.c.id, table.c.description).where(
            table.c.kind == "example",
            table.c.application_id == example.application_id,
            table.c.name == example.name,
            table.c.deleted_at.is_(None),
        )
    ).first()
    if there is not None:
        if _has_files(conn, there.id, example.files):
            if there.description != example.description:
                values = {"description": example.description}
                conn.execute(sa.update(table).where(table.c.id == there.id).values(values))
            return Registered()
        trash.delete_dataset(conn, there.id, owner_id, now)
    return _write(conn, example, owner_id, now)


def _has_files(conn: Connection, dataset_id: str, files: Sequence[StoredFile]) -> bool:
    query = sa.select(data_files.c.filename, data_files.c.sha256).where(
        data_files.c.dataset_id == dataset_id, data_files.c.deleted_at.is_(None)
    )
    return {tuple(row) for row in conn.execute(query)} == {(file.filename, file.sha256) for file in files}


def _write(conn: Connection, example: NewExample, owner_id: int, now: float) -> Registered:
    dataset = datasets.NewDataset(
        owner_id,
        name=example.name,
        description=example.description,
        kind="example",
        application_id=example.application_id,
    )
    new = [datasets.NewFile(file.filename, file.sha256, file.size) for file in example.files]
    for file in example.files:
        contents.add(conn, file.sha256, file.size, now)
    datasets.add_dataset(conn, dataset, new, now)
    written = events.write(conn, [events.Event("dataset", dataset.id, now, status="created")])
    return Registered(written, new)


def _owner(conn: Connection, application_id: int, now: float) -> int:
    """The account that owns the examples of an application."""
    query = sa.select(applications.c.slug).where(applications.c.id == application_id)
    return people.ensure_person(
        conn, conn.execute(query).scalar_one(), "application", now, kind="application"
    )
