"""The trash: delete datasets and data files, restore them, and release their bytes after the time to undo."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from sqlalchemy.engine import Connection

from qcrbox_registry.store import contents
from qcrbox_registry.store.datasets import count_bytes, files_of, get, get_file, unique_name
from qcrbox_registry.store.tables import cif_index, data_files, datasets


def delete_dataset(conn: Connection, dataset_id: str, by_id: int, now: float) -> None:
    """Hide a dataset and its files; `restore_dataset` brings both back until the sweep removes them for good."""
    row = get(conn, dataset_id)
    files = files_of(conn, [dataset_id])[dataset_id]
    conn.execute(
        sa.update(datasets).where(datasets.c.id == dataset_id).values(deleted_at=now, deleted_by=by_id)
    )
    # The same moment marks what went with the dataset, so a file deleted before stays deleted.
    conn.execute(
        sa.update(data_files)
        .where(data_files.c.dataset_id == dataset_id, data_files.c.deleted_at.is_(None))
        .values(deleted_at=now)
    )
    count_bytes(conn, row.owner_id, row.group_id, -sum(file.size for file in files))


def restorable() -> sa.ColumnElement[bool]:
    """Condition on deleted `datasets`: a file that was deleted with it still has its bytes, or there was no file."""
    with_it = sa.select(data_files.c.id).where(
        data_files.c.dataset_id == datasets.c.id, data_files.c.deleted_at == datasets.c.deleted_at
    )
    return sa.or_(~with_it.exists(), with_it.where(data_files.c.purged_at.is_(None)).exists())


def restore_dataset(conn: Connection, dataset_id: str, now: float) -> None:
    """Undo `delete_dataset`. Raises NotFound for a dataset that is not there, or of which no file is left."""
    row = get(conn, dataset_id, deleted=True)
    if row.deleted_at is None:
        return
    if not conn.execute(sa.select(datasets.c.id).where(datasets.c.id == dataset_id, restorable())).first():
        raise _gone(f"dataset {dataset_id!r}")
    back = sa.and_(
        data_files.c.dataset_id == dataset_id,
        data_files.c.deleted_at == row.deleted_at,
        data_files.c.purged_at.is_(None),
    )
    size: int = conn.execute(
        sa.select(sa.func.coalesce(sa.func.sum(data_files.c.size), 0)).where(back)
    ).scalar_one()
    conn.execute(sa.update(data_files).where(back).values(deleted_at=None))
    conn.execute(
        sa.update(datasets)
        .where(datasets.c.id == dataset_id)
        .values(deleted_at=None, deleted_by=None, changed_at=now)
    )
    count_bytes(conn, row.owner_id, row.group_id, size)


def delete_file(conn: Connection, data_file_id: str, by_id: int, now: float) -> None:
    """Hide one file. `by_id` is for the audit trail of the caller: the row has no column for it."""
    row = get_file(conn, data_file_id)
    conn.execute(sa.update(data_files).where(data_files.c.id == data_file_id).values(deleted_at=now))
    count_bytes(conn, row.owner_id, row.group_id, -row.size)


def restore_file(conn: Connection, data_file_id: str, now: float) -> None:
    """Undo `delete_file`; into its dataset when that is still there, else alone."""
    row = get_file(conn, data_file_id, deleted=True)
    if row.deleted_at is None:
        return
    if row.purged_at is not None:
        raise _gone(f"data file {data_file_id!r}")
    values: dict[str, Any] = {"deleted_at": None}
    if row.dataset_id is not None:
        dataset = get(conn, row.dataset_id, deleted=True)
        if dataset.deleted_at is not None:
            values["dataset_id"] = None
        else:
            taken = {file.filename for file in files_of(conn, [row.dataset_id])[row.dataset_id]}
            values["filename"] = unique_name(row.filename, taken)
    conn.execute(sa.update(data_files).where(data_files.c.id == data_file_id).values(values))
    count_bytes(conn, row.owner_id, row.group_id, row.size)


def _gone(what: str) -> NotFound:
    return NotFound(
        f"The {what} can no longer be restored: it has been removed from the trash.",
        why="The time to undo is over, or the trash was emptied by hand.",
    )


def deleted_before(conn: Connection, before: float) -> tuple[int, int]:
    """How many files `purge` would release, and their bytes."""
    row = conn.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(data_files.c.size), 0)).where(
            data_files.c.deleted_at < before, data_files.c.purged_at.is_(None)
        )
    ).one()
    return int(row[0]), int(row[1])


def purge(conn: Connection, before: float, limit: int = 1000) -> int:
    """Release the bytes of files that were deleted before this time; how many files. Their rows stay."""
    rows = conn.execute(
        sa.select(data_files.c.id, data_files.c.sha256, data_files.c.unified_sha256)
        .where(data_files.c.deleted_at < before, data_files.c.purged_at.is_(None))
        .limit(limit)
    ).all()
    if not rows:
        return 0
    counts: dict[str, int] = {}
    for row in rows:
        for sha256 in (row.sha256, row.unified_sha256):
            if sha256 is not None:
                counts[sha256] = counts.get(sha256, 0) - 1
    contents.refer(conn, counts)
    conn.execute(
        sa.update(data_files)
        .where(data_files.c.id.in_([row.id for row in rows]))
        .values(purged_at=before, unified_sha256=None)
    )
    conn.execute(sa.delete(cif_index).where(cif_index.c.data_file_id.in_([row.id for row in rows])))
    return len(rows)
