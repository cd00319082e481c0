"""Uploads in one request: a form with files becomes a dataset, data files, or more files of a dataset."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from qcrbox.contract.errors import TooLarge, UserInputError

from qcrbox_registry.access import audit
from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.quota import QuotaHeadroom
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized, groups, views
from qcrbox_registry.services.contents import ContentService, Stored
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.texts import LONGEST_DESCRIPTION, LONGEST_NAME, checked_text
from qcrbox_registry.store import datasets, events, people
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.datasets import NewDataset, NewFile, Place
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.quotas import GIB

_FIELDS = frozenset({"name", "description", "group"})


class Part(Protocol):
    """A part of a form: a file, or a field when `filename` is None."""

    @property
    def name(self) -> str:
        """Name of the form field."""

    @property
    def filename(self) -> str | None:
        """Name of the file; None for a plain field."""

    def chunks(self) -> AsyncIterable[bytes]:
        """The bytes of the part, once."""

    async def text(self) -> str:
        """The part as text. Raises TooLarge."""


@dataclass(slots=True)
class _Received:
    """The files of a form, stored, and its fields."""

    files: list[Stored] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, most: int) -> str:
        return checked_text(self.fields.get(name, ""), name, most)


@dataclass(frozen=True, slots=True)
class NewData:
    """A dataset or data file to write: its files, texts and home group."""

    files: Sequence[Stored]
    name: str
    description: str
    group_id: int | None


class UploadService:
    """Writes the rows of uploaded files."""

    def __init__(self, context: Context, contents: ContentService) -> None:
        self._context, self._contents = context, contents

    # ------------------------------------------------------------ whole requests

    async def create_dataset(self, presence: Presence, form: AsyncIterable[Part]) -> Json:
        """A dataset of the files of a form, as the answer shows it. Raises UserInputError, TooLarge, QuotaExceeded."""
        received = await self._receive(form, await self._headroom(presence.actor))
        actor = await presence.now()
        name = received.text("name", LONGEST_NAME) or received.files[0].filename
        description = received.text("description", LONGEST_DESCRIPTION)
        group_id = await self._home_group(actor, received)
        dataset_id = await self.new_dataset(actor, NewData(received.files, name, description, group_id))
        return await self.shown(dataset_id)

    async def create_data_files(self, presence: Presence, form: AsyncIterable[Part]) -> list[Json]:
        """The files of a form as data files without a dataset. Raises as `create_dataset`."""
        received = await self._receive(form, await self._headroom(presence.actor))
        actor = await presence.now()
        group_id = await self._home_group(actor, received)
        ids = await self.new_files(actor, NewData(received.files, "", "", group_id))

        def read(conn: Connection) -> list[Json]:
            files = datasets.files_by_id(conn, ids)
            return views.data_file_list(conn, [files[file_id] for file_id in ids])

        return await self._context.db.read(read)

    async def append(self, presence: Presence, dataset_id: str, form: AsyncIterable[Part]) -> Json:
        """Add the files of a form to a dataset; the right is checked again when they have arrived."""

        def headroom(conn: Connection) -> QuotaHeadroom:
            row = authorized.dataset(conn, presence.actor, "append", dataset_id)
            return self._context.quotas.headroom(conn, row.owner_id, row.group_id)

        received = await self._receive(form, await self._context.db.read(headroom))
        ids = await self.append_files(await presence.now(), dataset_id, received.files)
        shown = await self.shown(dataset_id)
        appended = next(file for file in shown["data_files"] if file["qcrbox_file_id"] == ids[0])
        return {**shown, "appended_file": appended}

    async def shown(self, dataset_id: str) -> Json:
        """A dataset and its files as answers show them."""

        def read(conn: Connection) -> Json:
            return views.dataset_with_files(conn, datasets.get(conn, dataset_id))

        return await self._context.db.read(read)

    async def _receive(self, form: AsyncIterable[Part], headroom: QuotaHeadroom) -> _Received:
        received = _Received()
        async for part in form:
            if part.name != "file":
                received.fields[part.name] = await _text_of(part, received)
                continue
            if part.filename is None:
                raise UserInputError("The part `file` has no file name.")
            stored = await self._contents.store(part.chunks(), part.filename, headroom=headroom)
            if part.filename == "" and stored.size == 0:
                raise UserInputError("The part `file` is empty and has no name.", why="No file was chosen.")
            headroom = headroom.without(stored.size)
            received.files.append(stored)
        if not received.files:
            raise _missing_file(received.fields)
        for stored in received.files:
            await self._contents.index_now(stored)
        return received

    async def _headroom(self, actor: Actor) -> QuotaHeadroom:
        quotas = self._context.quotas
        return await self._context.db.read(lambda conn: quotas.headroom(conn, actor.person_id, None))

    async def _home_group(self, actor: Actor, received: _Received) -> int | None:
        name = received.fields.get("group")
        return await self._context.db.read(lambda conn: groups.home_group(conn, actor, name))

    # ------------------------------------------------------------ rows

    async def new_dataset(self, actor: Actor, new: NewData) -> str:
        """A dataset of stored files; its id. Raises QuotaExceeded."""
        dataset = NewDataset(
            actor.person_id, name=new.name, description=new.description, group_id=new.group_id
        )
        files = [stored.new_file() for stored in new.files]

        def write(conn: Connection) -> list[events.Event]:
            now = time.time()
            self._require_space(conn, actor.person_id, new.group_id, files)
            datasets.add_dataset(conn, dataset, files, now)
            people.remember_group(conn, actor.person_id, new.group_id)
            entry = audit.entry(actor, "upload", now, kind="dataset", object_id=dataset.id, name=new.name)
            record(conn, [entry])
            return list(events.write(conn, [events.about("dataset", dataset, now, "created")]))

        await self._write(write, files)
        return dataset.id

    async def new_files(self, actor: Actor, new: NewData) -> list[str]:
        """Data files without a dataset; their ids. Raises QuotaExceeded, and then none is written."""
        files = [stored.new_file() for stored in new.files]
        place = Place(actor.person_id, new.group_id)

        def write(conn: Connection) -> list[events.Event]:
            now = time.time()
            self._require_space(conn, actor.person_id, new.group_id, files)
            datasets.add_files(conn, files, place, now)
            record(
                conn,
                [
                    audit.entry(actor, "upload", now, kind="data_file", object_id=file.id, name=file.filename)
                    for file in files
                ],
            )
            made = [
                events.Event(
                    "data_file", file.id, now, "created", owner_id=place.owner_id, group_id=place.group_id
                )
                for file in files
            ]
            return list(events.write(conn, made))

        await self._write(write, files)
        return [file.id for file in files]

    async def append_files(self, actor: Actor, dataset_id: str, stored: Sequence[Stored]) -> list[str]:
        """Add stored files to a dataset; their ids. Raises NotFound, NotAllowed, QuotaExceeded."""
        files = [content.new_file() for content in stored]

        def write(conn: Connection) -> list[events.Event]:
            now = time.time()
            dataset = authorized.dataset(conn, actor, "append", dataset_id)
            self._require_space(conn, dataset.owner_id, dataset.group_id, files)
            datasets.add_files(conn, files, Place(dataset.owner_id, dataset.group_id, dataset.id), now)
            record(
                conn,
                [
                    audit.entry(
                        actor, "append", now, kind="dataset", object_id=dataset.id, name=file.filename
                    )
                    for file in files
                ],
            )
            return list(events.write(conn, [events.about("dataset", dataset, now, "changed")]))

        await self._write(write, files)
        return [file.id for file in files]

    async def _write(
        self, write: Callable[[Connection], list[events.Event]], files: Sequence[NewFile]
    ) -> None:
        self._context.publish(await self._context.db.write(write))
        self._contents.index_later(files)

    def _require_space(
        self, conn: Connection, owner_id: int, group_id: int | None, files: Sequence[NewFile]
    ) -> None:
        more = sum(file.size for file in files) / GIB
        self._context.quotas.require(conn, owner_id, group_id, "gib", more)


async def _text_of(part: Part, received: _Received) -> str:
    """A field. Raises TooLarge, or UserInputError for a long part that must be the file under another name."""
    try:
        return await part.text()
    except TooLarge:
        if part.name in _FIELDS or received.files:
            raise
        # The rest of its bytes need not arrive.
        raise _missing_file([*received.fields, part.name]) from None


def _missing_file(names: Iterable[str]) -> UserInputError:
    shown = ", ".join(f"`{name[:50]}`" for name in list(names)[:10])
    return UserInputError(
        "The form has no part named `file`.",
        why=f"Its parts: {shown}." if shown else "",
        next='For example: curl -F "file=@structure.cif" …',
    )
