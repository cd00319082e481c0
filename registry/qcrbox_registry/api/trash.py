"""Deleting and bringing back: the same for datasets and for data files. Both are harmless when repeated."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Response
from qcrbox.contract import models
from sqlalchemy.engine import Connection

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.dependencies import Caller, DataFileId, DatasetId, TheCore
from qcrbox_registry.api.responses import success
from qcrbox_registry.services import views
from qcrbox_registry.services.core import Core
from qcrbox_registry.store import events, shares, trash

router = APIRouter(prefix="/api", tags=["datasets and data files"])


@dataclass(frozen=True)
class _Noun:
    """What can be thrown into the bin: how it is found (with the right asked), hidden and brought back."""

    kind: str
    find: Callable[..., sa.Row]
    hide: Callable[[Connection, str, int, float], None]
    bring_back: Callable[[Connection, str, float], None]
    name: Callable[[sa.Row], str]


_DATASET = _Noun("dataset", shares.dataset, trash.delete_dataset, trash.restore_dataset, lambda row: row.name)
_FILE = _Noun("data_file", shares.data_file, trash.delete_file, trash.restore_file, lambda row: row.filename)


async def _delete(core: Core, actor: Actor, noun: _Noun, object_id: str) -> Response:
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = noun.find(conn, actor, "delete", object_id)
        noun.hide(conn, row.id, actor.person_id, now)
        entry = audit.entry(actor, "delete", now, kind=noun.kind, object_id=row.id, name=noun.name(row))
        audit.record(conn, [entry])
        return list(events.write(conn, [events.about(noun.kind, row, now, "deleted")]))

    core.publish(await core.db.write(write))
    return Response(status_code=204)


async def _restore(core: Core, actor: Actor, noun: _Noun, object_id: str) -> None:
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = noun.find(conn, actor, "restore", object_id, deleted=True)
        if row.deleted_at is None:
            return []
        noun.bring_back(conn, row.id, now)
        audit.record(conn, [audit.entry(actor, "restore", now, kind=noun.kind, object_id=row.id)])
        return list(events.write(conn, [events.about(noun.kind, row, now, "restored")]))

    core.publish(await core.db.write(write))


@router.delete("/datasets/{dataset_id}", status_code=204)
async def delete_dataset(core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Delete a dataset and its files. `POST …/restore` undoes it for a month."""
    return await _delete(core, actor, _DATASET, dataset_id)


@router.delete("/data-files/{file_id}", status_code=204)
async def delete_data_file(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """Delete a data file. `POST …/restore` undoes it for a month."""
    return await _delete(core, actor, _FILE, file_id)


@router.post("/datasets/{dataset_id}/restore", response_model=models.Success[models.Datasets])
async def restore_dataset(core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Bring back a deleted dataset with the files that went with it."""
    await _restore(core, actor, _DATASET, dataset_id)

    def read(conn: Any) -> list[dict[str, Any]]:
        return views.dataset_list(conn, [shares.dataset(conn, actor, "read", dataset_id)])

    return success({"datasets": await core.db.read(read)})


@router.post("/data-files/{file_id}/restore", response_model=models.Success[models.DataFiles])
async def restore_data_file(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """Bring back a deleted data file; into its dataset, when that is still there."""
    await _restore(core, actor, _FILE, file_id)

    def read(conn: Any) -> list[dict[str, Any]]:
        return views.data_file_list(conn, [shares.data_file(conn, actor, "read", file_id)])

    return success({"data_files": await core.db.read(read)})
