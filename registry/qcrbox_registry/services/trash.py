"""The trash: delete datasets and data files, and restore them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import SITE, Actor, authorize
from qcrbox_registry.services import authorized, views
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.texts import needed_reason
from qcrbox_registry.store import events, trash
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.datasets import DataFile, Dataset
from qcrbox_registry.store.engine import Connection

R_co = TypeVar("R_co", Dataset, DataFile, covariant=True)
R = TypeVar("R", Dataset, DataFile)


class _Find(Protocol[R_co]):
    def __call__(
        self, conn: Connection, actor: Actor, action: str, object_id: str, /, *, deleted: bool = False
    ) -> R_co: ...


@dataclass(frozen=True)
class _Kind(Generic[R]):
    """How objects of a kind are read, deleted, restored, named and shown."""

    name: str
    find: _Find[R]
    delete: Callable[[Connection, str, int, float], None]
    restore: Callable[[Connection, str, float], None]
    title: Callable[[R], str]
    shown: Callable[[Connection, list[R]], list[Json]]


_DATASET: _Kind[Dataset] = _Kind(
    "dataset",
    authorized.dataset,
    trash.delete_dataset,
    trash.restore_dataset,
    lambda row: row.name,
    views.dataset_list,
)
_DATA_FILE: _Kind[DataFile] = _Kind(
    "data_file",
    authorized.data_file,
    trash.delete_file,
    trash.restore_file,
    lambda row: row.filename,
    views.data_file_list,
)


class TrashService:
    """Deletes and restores."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def empty(self, actor: Actor, older_than_days: float, reason: str, *, dry_run: bool) -> Json:
        """Release for good what was deleted that long ago, or only count it. The sweep frees the bytes.

        Raises ReasonNeeded.
        """
        authorize(actor, "manage", SITE)
        reason = reason if dry_run else needed_reason(reason)
        now = time.time()
        before = now - older_than_days * 86400
        db = self._context.db
        number, size = await db.read(lambda conn: trash.deleted_before(conn, before))
        if not dry_run:
            while await db.write(lambda conn: trash.purge(conn, before)):
                pass
            entry = audit.entry(
                actor,
                "empty trash",
                now,
                kind="site",
                older_than_days=older_than_days,
                files=number,
                bytes=size,
                reason=reason,
            )
            await db.write(lambda conn: record(conn, [entry]))
        return {"number": number, "bytes": size}

    async def delete_dataset(self, actor: Actor, dataset_id: str) -> None:
        """Delete a dataset and its files. Raises NotFound, NotAllowed."""
        await self._delete(actor, _DATASET, dataset_id)

    async def delete_data_file(self, actor: Actor, file_id: str) -> None:
        """Delete a data file. Raises NotFound, NotAllowed."""
        await self._delete(actor, _DATA_FILE, file_id)

    async def restore_dataset(self, actor: Actor, dataset_id: str) -> Json:
        """Restore a dataset with the files that were deleted with it. Raises NotFound, NotAllowed."""
        return await self._restore(actor, _DATASET, dataset_id)

    async def restore_data_file(self, actor: Actor, file_id: str) -> Json:
        """Restore a data file, into its dataset when that is still there. Raises NotFound, NotAllowed."""
        return await self._restore(actor, _DATA_FILE, file_id)

    async def _delete(self, actor: Actor, kind: _Kind[R], object_id: str) -> None:
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            row = kind.find(conn, actor, "delete", object_id)
            kind.delete(conn, row.id, actor.person_id, now)
            entry = audit.entry(actor, "delete", now, kind=kind.name, object_id=row.id, name=kind.title(row))
            record(conn, [entry])
            return list(events.write(conn, [events.about(kind.name, row, now, "deleted")]))

        self._context.publish(await self._context.db.write(write))

    async def _restore(self, actor: Actor, kind: _Kind[R], object_id: str) -> Json:
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            row = kind.find(conn, actor, "restore", object_id, deleted=True)
            if row.deleted_at is None:
                return []
            kind.restore(conn, row.id, now)
            record(conn, [audit.entry(actor, "restore", now, kind=kind.name, object_id=row.id)])
            return list(events.write(conn, [events.about(kind.name, row, now, "restored")]))

        self._context.publish(await self._context.db.write(write))

        def read(conn: Connection) -> Json:
            return kind.shown(conn, [kind.find(conn, actor, "read", object_id)])[0]

        return await self._context.db.read(read)
