"""Datasets and data files: add, read, list, rename, delete and bring back."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from sqlalchemy.engine import Connection

from qcrbox_registry.store import contents
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.tables import (
    cif_index,
    data_files,
    datasets,
    new_data_file_id,
    new_dataset_id,
    people,
    storage,
)

_FILETYPES = {
    ".cif": "cif", ".mcif": "cif", ".cif2": "cif", ".fcf": "fcf", ".hkl": "hkl", ".ins": "ins", ".res": "res",
    ".lst": "lst", ".pdb": "pdb", ".xyz": "xyz", ".mol": "mol", ".sdf": "sdf", ".tsc": "tsc", ".tscb": "tscb",
    ".fchk": "fchk", ".wfn": "wfn", ".wfx": "wfx", ".molden": "molden", ".cube": "cube", ".json": "json",
    ".yaml": "yaml", ".yml": "yaml", ".txt": "text", ".log": "text", ".out": "text", ".csv": "csv",
    ".html": "html", ".htm": "html", ".svg": "svg", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".pdf": "pdf",
    ".zip": "zip", ".tar": "tar", ".gz": "gzip",
}  # fmt: skip


def filetype_of(filename: str) -> str:
    """The file type by its name's suffix; `unknown` for what the field does not know."""
    return _FILETYPES.get(PurePosixPath(filename).suffix.lower(), "unknown")


def safe_name(filename: str) -> str:
    """A file name that stays inside its folder on every system; `file` when nothing is left of it."""
    name = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", filename)
    name = name.replace("\\", "/").rsplit("/", 1)[-1].strip().lstrip("-")
    name = re.sub(r'[:*?"<>|]', "_", name)
    while len(name.encode("utf-8", "replace")) > 200:
        name = name[1:]
    return name if name.strip(". ") else "file"


@dataclass(slots=True)
class NewFile:
    """A file whose bytes are in the object store already."""

    filename: str
    sha256: str
    size: int
    filetype: str = ""
    index: dict[str, Any] | None = None  # row of cif_index
    id: str = field(default_factory=new_data_file_id)


@dataclass(slots=True)
class NewDataset:
    owner_id: int
    name: str = ""
    description: str = ""
    group_id: int | None = None
    kind: str = "data"
    application_id: int | None = None
    calculation_id: str | None = None
    id: str = field(default_factory=new_dataset_id)


def add_dataset(
    conn: Connection, dataset: NewDataset, files: Sequence[NewFile] = (), now: float | None = None
) -> None:
    """Write a dataset and its files. Two files of one name: the second becomes `name-2.ext`."""
    at = time.time() if now is None else now
    conn.execute(
        sa.insert(datasets).values(
            id=dataset.id,
            owner_id=dataset.owner_id,
            group_id=dataset.group_id,
            kind=dataset.kind,
            name=dataset.name,
            description=dataset.description,
            application_id=dataset.application_id,
            calculation_id=dataset.calculation_id,
            created_at=at,
            changed_at=at,
        )
    )
    add_files(
        conn,
        files,
        owner_id=dataset.owner_id,
        group_id=dataset.group_id,
        dataset_id=dataset.id,
        calculation_id=dataset.calculation_id,
        taken=set(),
        now=at,
    )


def add_files(
    conn: Connection,
    files: Sequence[NewFile],
    *,
    owner_id: int,
    group_id: int | None = None,
    dataset_id: str | None = None,
    calculation_id: str | None = None,
    taken: set[str] | None = None,
    now: float | None = None,
) -> None:
    """Write files, alone or into a dataset. `taken`: names in use there, None = look them up."""
    if not files:
        return
    at = time.time() if now is None else now
    if taken is None:
        taken = {row.filename for row in files_of(conn, [dataset_id])[dataset_id]} if dataset_id else set()
    rows = []
    for file in files:
        file.filename = (
            unique_name(safe_name(file.filename), taken) if dataset_id else safe_name(file.filename)
        )
        taken.add(file.filename)
        file.filetype = file.filetype if file.filetype not in ("", "unknown") else filetype_of(file.filename)
        contents.add(conn, file.sha256, file.size, at, references=1)
        rows.append(
            {
                "id": file.id,
                "dataset_id": dataset_id,
                "owner_id": owner_id,
                "group_id": group_id,
                "filename": file.filename,
                "filetype": file.filetype,
                "sha256": file.sha256,
                "size": file.size,
                "calculation_id": calculation_id,
                "created_at": at,
            }
        )
    conn.execute(sa.insert(data_files), rows)
    for file in files:
        if file.index:
            put_index(conn, file.id, file.index, at)
    if dataset_id:
        conn.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(changed_at=at))
    count_bytes(conn, owner_id, group_id, sum(file.size for file in files))


def unique_name(filename: str, taken: set[str]) -> str:
    """`model.cif`, then `model-2.cif`, `model-3.cif` …"""
    if filename not in taken:
        return filename
    path = PurePosixPath(filename)
    n = 2
    while (candidate := f"{path.stem}-{n}{path.suffix}") in taken:
        n += 1
    return candidate


def put_index(conn: Connection, data_file_id: str, index: dict[str, Any], now: float) -> None:
    """Write or replace what a CIF says of itself. Keys that are no column stay in `full`."""
    row = {column.name: index[column.name] for column in cif_index.c if column.name in index}
    row |= {"data_file_id": data_file_id, "indexed_at": now}
    statement = upsert(conn, cif_index).values(row)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["data_file_id"], set_={name: row[name] for name in row if name != "data_file_id"}
        )
    )


def count_bytes(conn: Connection, owner_id: int, group_id: int | None, change: int) -> None:
    """Add to the bytes that a person and their group use."""
    subjects = [("person", owner_id)] + ([("group", group_id)] if group_id is not None else [])
    for subject, subject_id in subjects:
        statement = upsert(conn, storage).values(subject=subject, subject_id=subject_id, bytes=max(change, 0))
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["subject", "subject_id"], set_={"bytes": storage.c.bytes + change}
            )
        )


# ---------------------------------------------------------------- reading

_dataset = sa.select(datasets, people.c.name.label("owner")).join(people, people.c.id == datasets.c.owner_id)
_file = sa.select(data_files, people.c.name.label("owner")).join(people, people.c.id == data_files.c.owner_id)


def get(conn: Connection, dataset_id: str, *, deleted: bool = False) -> sa.Row:
    """The row of a dataset with its `owner`. Raises NotFound; deleted ones are found only when asked for."""
    row = conn.execute(_dataset.where(datasets.c.id == dataset_id)).first()
    if row is None or (row.deleted_at is not None and not deleted):
        raise NotFound(f"There is no dataset {dataset_id!r}.")
    return row


def get_file(conn: Connection, data_file_id: str, *, deleted: bool = False) -> sa.Row:
    """The row of a data file with its `owner`. Raises NotFound."""
    row = conn.execute(_file.where(data_files.c.id == data_file_id)).first()
    if row is None or (row.deleted_at is not None and not deleted):
        raise NotFound(f"There is no data file {data_file_id!r}.")
    return row


def files_of(conn: Connection, dataset_ids: Sequence[str]) -> dict[str, list[sa.Row]]:
    """The files of each dataset in the order they were added, without deleted ones."""
    found: dict[str, list[sa.Row]] = {one: [] for one in dataset_ids}
    for start in range(0, len(dataset_ids), 500):
        query = (
            _file.where(data_files.c.dataset_id.in_(dataset_ids[start : start + 500]))
            .where(data_files.c.deleted_at.is_(None))
            .order_by(data_files.c.dataset_id, data_files.c.id)
        )
        for row in conn.execute(query):
            found[row.dataset_id].append(row)
    return found


def files_by_id(conn: Connection, ids: Sequence[str]) -> dict[str, sa.Row]:
    """Rows of the data files that are there, deleted ones too."""
    found: dict[str, sa.Row] = {}
    for start in range(0, len(ids), 500):
        for row in conn.execute(_file.where(data_files.c.id.in_(ids[start : start + 500]))):
            found[row.id] = row
    return found


def index_of(conn: Connection, data_file_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the indexed ones of these files say of themselves."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(data_file_ids), 500):
        query = sa.select(cif_index.c.data_file_id, cif_index.c.full).where(
            cif_index.c.data_file_id.in_(data_file_ids[start : start + 500])
        )
        for row in conn.execute(query):
            found[row.data_file_id] = row.full
    return found


def names_in(conn: Connection, data_file_id: str) -> list[str] | None:
    """Canonical names of the items of an indexed CIF; None when it is not indexed."""
    return conn.execute(sa.select(cif_index.c.names).where(cif_index.c.data_file_id == data_file_id)).scalar()


def by_ids(conn: Connection, ids: Sequence[str]) -> list[sa.Row]:
    """Datasets in the order of `ids`, deleted ones too; ids that are not there are left out."""
    found: dict[str, sa.Row] = {}
    for start in range(0, len(ids), 500):
        for row in conn.execute(_dataset.where(datasets.c.id.in_(ids[start : start + 500]))):
            found[row.id] = row
    return [found[one] for one in ids if one in found]


# ---------------------------------------------------------------- changing


def set_unified(conn: Connection, data_file_id: str, sha256: str) -> None:
    """Remember where the unified form of a CIF is kept."""
    conn.execute(sa.update(data_files).where(data_files.c.id == data_file_id).values(unified_sha256=sha256))


def rename(conn: Connection, dataset_id: str, *, now: float, **values: Any) -> None:
    """Set name, description or group_id of a dataset; a new group takes the files along."""
    row = get(conn, dataset_id)
    conn.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(changed_at=now, **values))
    if "group_id" in values and values["group_id"] != row.group_id:
        _move_to_group(conn, dataset_id, row, values["group_id"])


def _move_to_group(conn: Connection, dataset_id: str, row: sa.Row, group_id: int | None) -> None:
    size = sum(file.size for file in files_of(conn, [dataset_id])[dataset_id])
    conn.execute(sa.update(data_files).where(data_files.c.dataset_id == dataset_id).values(group_id=group_id))
    # The person's own sum stays as it is; only the groups' sums move.
    count_bytes(conn, row.owner_id, row.group_id, -size)
    count_bytes(conn, row.owner_id, group_id, size)


def attach(conn: Connection, data_file_id: str, dataset_id: str, now: float) -> str:
    """Put a file that belongs to no dataset yet into one; the name it has there."""
    file, dataset = get_file(conn, data_file_id), get(conn, dataset_id)
    taken = {row.filename for row in files_of(conn, [dataset_id])[dataset_id]}
    filename = unique_name(file.filename, taken)
    conn.execute(
        sa.update(data_files)
        .where(data_files.c.id == data_file_id)
        .values(
            dataset_id=dataset_id, filename=filename, owner_id=dataset.owner_id, group_id=dataset.group_id
        )
    )
    count_bytes(conn, file.owner_id, file.group_id, -file.size)
    count_bytes(conn, dataset.owner_id, dataset.group_id, file.size)
    conn.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(changed_at=now))
    return filename


def rename_file(conn: Connection, data_file_id: str, filename: str) -> None:
    """Give a file another name; one that is taken in its dataset becomes `name-2`."""
    row = get_file(conn, data_file_id)
    if row.dataset_id is not None:
        taken = {f.filename for f in files_of(conn, [row.dataset_id])[row.dataset_id] if f.id != row.id}
        filename = unique_name(filename, taken)
    conn.execute(
        sa.update(data_files)
        .where(data_files.c.id == data_file_id)
        .values(filename=filename, filetype=filetype_of(filename))
    )
