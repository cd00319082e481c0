"""Datasets and data files: add, read, rename, attach. Deleting and restoring is in `trash`."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from sqlalchemy.engine import Connection

from qcrbox_registry.store import contents
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import Records, parts
from qcrbox_registry.store.tables import (
    cif_index,
    data_files,
    datasets,
    new_data_file_id,
    new_dataset_id,
    people,
    storage,
)

# Files that are read for cells, formulas, R factors and the names of their items.
INDEXED_TYPES = ("cif", "fcf")
_FILETYPES = {
    ".cif": "cif", ".mcif": "cif", ".cif2": "cif", ".fcf": "fcf", ".hkl": "hkl", ".ins": "ins", ".res": "res",
    ".lst": "lst", ".pdb": "pdb", ".xyz": "xyz", ".mol": "mol", ".sdf": "sdf", ".tsc": "tsc", ".tscb": "tscb",
    ".fchk": "fchk", ".wfn": "wfn", ".wfx": "wfx", ".molden": "molden", ".cube": "cube", ".json": "json",
    ".yaml": "yaml", ".yml": "yaml", ".txt": "text", ".log": "text", ".out": "text", ".csv": "csv",
    ".html": "html", ".htm": "html", ".svg": "svg", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".pdf": "pdf",
    ".zip": "zip", ".tar": "tar", ".gz": "gzip",
}  # fmt: skip


def filetype_of(filename: str) -> str:
    """The file type by the suffix of the name; `unknown` for any other suffix."""
    return _FILETYPES.get(PurePosixPath(filename).suffix.lower(), "unknown")


def safe_name(filename: str) -> str:
    """The file name without path, control and reserved characters; `file` when nothing remains."""
    name = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", filename)
    name = name.replace("\\", "/").rsplit("/", 1)[-1].strip().lstrip("-")
    name = re.sub(r'[:*?"<>|]', "_", name)
    while len(name.encode("utf-8", "replace")) > 200:
        name = name[1:]
    return name if name.strip(". ") else "file"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A row of `datasets` with the name of its owner."""

    id: str
    owner_id: int
    group_id: int | None
    kind: str
    name: str
    description: str
    application_id: int | None
    calculation_id: str | None
    created_at: float
    changed_at: float
    deleted_at: float | None
    owner: str


@dataclass(frozen=True, slots=True)
class DataFile:
    """A row of `data_files` with the name of its owner."""

    id: str
    dataset_id: str | None
    owner_id: int
    group_id: int | None
    filename: str
    filetype: str
    sha256: str
    unified_sha256: str | None
    size: int
    calculation_id: str | None
    created_at: float
    deleted_at: float | None
    purged_at: float | None
    owner: str


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
    """A dataset before it is written."""

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
    place = Place(dataset.owner_id, dataset.group_id, dataset.id, dataset.calculation_id)
    _add_files(conn, files, place, taken=set(), at=at)


@dataclass(frozen=True, slots=True)
class Place:
    """Where new files belong."""

    owner_id: int
    group_id: int | None = None
    dataset_id: str | None = None
    calculation_id: str | None = None


def add_files(conn: Connection, files: Sequence[NewFile], place: Place, now: float | None = None) -> None:
    """Write files, alone or into an existing dataset. Two files of one name: the second becomes `name-2.ext`."""
    taken: set[str] = set()
    if place.dataset_id is not None:
        taken = {file.filename for file in files_of(conn, [place.dataset_id])[place.dataset_id]}
    _add_files(conn, files, place, taken=taken, at=time.time() if now is None else now)


def _add_files(
    conn: Connection, files: Sequence[NewFile], place: Place, *, taken: set[str], at: float
) -> None:
    if not files:
        return
    rows = []
    for file in files:
        file.filename = safe_name(file.filename)
        if place.dataset_id is not None:
            file.filename = unique_name(file.filename, taken)
        taken.add(file.filename)
        file.filetype = file.filetype if file.filetype not in ("", "unknown") else filetype_of(file.filename)
        contents.add(conn, file.sha256, file.size, at, references=1)
        rows.append(
            {
                "id": file.id,
                "dataset_id": place.dataset_id,
                "owner_id": place.owner_id,
                "group_id": place.group_id,
                "filename": file.filename,
                "filetype": file.filetype,
                "sha256": file.sha256,
                "size": file.size,
                "calculation_id": place.calculation_id,
                "created_at": at,
            }
        )
    conn.execute(sa.insert(data_files), rows)
    for file in files:
        if file.index:
            put_index(conn, file.id, file.index, at)
    if place.dataset_id is not None:
        conn.execute(sa.update(datasets).where(datasets.c.id == place.dataset_id).values(changed_at=at))
    count_bytes(conn, place.owner_id, place.group_id, sum(file.size for file in files))


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
    """Write or replace the index of a CIF. Keys that are not a column stay in `full`."""
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

_datasets = Records(
    Dataset, datasets, {"owner": people.c.name}, datasets.join(people, people.c.id == datasets.c.owner_id)
)
_files = Records(
    DataFile,
    data_files,
    {"owner": people.c.name},
    data_files.join(people, people.c.id == data_files.c.owner_id),
)


def get(conn: Connection, dataset_id: str, *, deleted: bool = False) -> Dataset:
    """A dataset; a deleted one only on request. Raises NotFound."""
    found = _datasets.by_key(conn, dataset_id)
    if found is None or (found.deleted_at is not None and not deleted):
        raise NotFound(f"There is no dataset {dataset_id!r}.")
    return found


def get_file(conn: Connection, data_file_id: str, *, deleted: bool = False) -> DataFile:
    """A data file; a deleted one only on request. Raises NotFound."""
    found = _files.by_key(conn, data_file_id)
    if found is None or (found.deleted_at is not None and not deleted):
        raise NotFound(f"There is no data file {data_file_id!r}.")
    return found


def files_of(conn: Connection, dataset_ids: Sequence[str]) -> dict[str, list[DataFile]]:
    """The files of each dataset in the order they were added, without deleted ones."""
    found: dict[str, list[DataFile]] = {dataset_id: [] for dataset_id in dataset_ids}
    for part in parts(dataset_ids):
        query = _files.select.where(
            data_files.c.dataset_id.in_(part), data_files.c.deleted_at.is_(None)
        ).order_by(data_files.c.dataset_id, data_files.c.id)
        for file in _files.all(conn, query):
            found[file.dataset_id or ""].append(file)
    return found


def files_by_id(conn: Connection, ids: Sequence[str]) -> dict[str, DataFile]:
    """The data files with these ids, deleted ones too; missing ones are left out."""
    return _files.by_keys(conn, ids)


def by_ids(conn: Connection, ids: Sequence[str]) -> list[Dataset]:
    """Datasets in the order of `ids`, deleted ones too; missing ones are left out."""
    found = _datasets.by_keys(conn, ids)
    return [found[dataset_id] for dataset_id in ids if dataset_id in found]


def kinds_of(conn: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The kind (data, output, example) of each dataset."""
    found: dict[str, str] = {}
    for part in parts(ids):
        query = sa.select(datasets.c.id, datasets.c.kind).where(datasets.c.id.in_(part))
        found |= {row.id: row.kind for row in conn.execute(query)}
    return found


def index_of(conn: Connection, data_file_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The index of each indexed CIF among these files."""
    found: dict[str, dict[str, Any]] = {}
    for part in parts(data_file_ids):
        query = sa.select(cif_index.c.data_file_id, cif_index.c.full).where(
            cif_index.c.data_file_id.in_(part)
        )
        found |= {row.data_file_id: row.full for row in conn.execute(query)}
    return found


def names_in(conn: Connection, data_file_id: str) -> list[str] | None:
    """Canonical names of the items of an indexed CIF; None when it is not indexed."""
    query = sa.select(cif_index.c.names).where(cif_index.c.data_file_id == data_file_id)
    names: list[str] | None = conn.execute(query).scalar()
    return names


def unindexed(conn: Connection, since: float) -> list[NewFile]:
    """CIFs without an index that arrived since then (Unix time, s), newest first; at most 1000."""
    query = (
        sa.select(data_files.c.id, data_files.c.filename, data_files.c.sha256, data_files.c.size)
        .outerjoin(cif_index, cif_index.c.data_file_id == data_files.c.id)
        .where(
            data_files.c.filetype.in_(INDEXED_TYPES),
            data_files.c.created_at >= since,
            data_files.c.deleted_at.is_(None),
            cif_index.c.data_file_id.is_(None),
        )
        .order_by(data_files.c.created_at.desc())
        .limit(1000)
    )
    return [NewFile(**row._mapping) for row in conn.execute(query)]


def index_row_of(conn: Connection, sha256: str) -> dict[str, Any] | None:
    """The row of `cif_index` of any file with these contents, for a new file of the same contents."""
    query = (
        sa.select(cif_index)
        .join(data_files, data_files.c.id == cif_index.c.data_file_id)
        .where(data_files.c.sha256 == sha256)
        .limit(1)
    )
    row = conn.execute(query).mappings().first()
    return None if row is None else dict(row)


# ---------------------------------------------------------------- changing


def retire_file(conn: Connection, data_file_id: str, at: float) -> None:
    """Hide a file that was replaced. at: a time before the limit of the trash lets the next sweep free its bytes."""
    row = get_file(conn, data_file_id)
    conn.execute(sa.update(data_files).where(data_files.c.id == data_file_id).values(deleted_at=at))
    count_bytes(conn, row.owner_id, row.group_id, -row.size)


def set_unified(conn: Connection, data_file_id: str, sha256: str) -> None:
    """Note the contents that are the unified form of a CIF, and count the reference; of two at a time the first."""
    noted = conn.execute(
        sa.update(data_files)
        .where(
            data_files.c.id == data_file_id,
            data_files.c.unified_sha256.is_(None),
            data_files.c.purged_at.is_(None),
        )
        .values(unified_sha256=sha256)
    )
    if noted.rowcount:
        contents.refer(conn, {sha256: 1})


def change(conn: Connection, dataset_id: str, values: Mapping[str, Any], now: float) -> None:
    """Set name, description or group_id of a dataset; the files follow it into a new group."""
    before = get(conn, dataset_id)
    conn.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(changed_at=now, **values))
    if "group_id" in values and values["group_id"] != before.group_id:
        _move_to_group(conn, before, values["group_id"])


def _move_to_group(conn: Connection, dataset: Dataset, group_id: int | None) -> None:
    size = sum(file.size for file in files_of(conn, [dataset.id])[dataset.id])
    conn.execute(sa.update(data_files).where(data_files.c.dataset_id == dataset.id).values(group_id=group_id))
    # The sum of the person does not change; only those of the groups do.
    count_bytes(conn, dataset.owner_id, dataset.group_id, -size)
    count_bytes(conn, dataset.owner_id, group_id, size)


def attach(conn: Connection, data_file_id: str, dataset_id: str, now: float) -> str:
    """Put a file without a dataset into this one; returns the name it has there."""
    file, dataset = get_file(conn, data_file_id), get(conn, dataset_id)
    taken = {other.filename for other in files_of(conn, [dataset_id])[dataset_id]}
    filename = unique_name(file.filename, taken)
    values = {
        "dataset_id": dataset_id,
        "filename": filename,
        "owner_id": dataset.owner_id,
        "group_id": dataset.group_id,
    }
    conn.execute(sa.update(data_files).where(data_files.c.id == data_file_id).values(values))
    count_bytes(conn, file.owner_id, file.group_id, -file.size)
    count_bytes(conn, dataset.owner_id, dataset.group_id, file.size)
    conn.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(changed_at=now))
    return filename


def rename_file(conn: Connection, data_file_id: str, filename: str) -> None:
    """Give a file another name; a name that is taken in its dataset becomes `name-2`."""
    file = get_file(conn, data_file_id)
    if file.dataset_id is not None:
        others = files_of(conn, [file.dataset_id])[file.dataset_id]
        filename = unique_name(filename, {other.filename for other in others if other.id != file.id})
    conn.execute(
        sa.update(data_files)
        .where(data_files.c.id == data_file_id)
        .values(filename=filename, filetype=filetype_of(filename))
    )
