"""Rows from which projects are made: datasets, calculations and their files, with what is known of their CIFs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.ids import in_arguments
from sqlalchemy.engine import Connection

from qcrbox_registry.store import node_notes, titles
from qcrbox_registry.store.node_notes import Annotation
from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import calculations, cif_index, data_files, datasets, people

# More than a person makes in years; beyond it the oldest are left out, and the answer says so.
MOST_CALCULATIONS = 10_000
MOST_DATASETS = 10_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that is there, with the index of a CIF."""

    id: str
    filename: str
    dataset_id: str | None
    index: Mapping[str, Any] | None = None

    @property
    def is_structure(self) -> bool:
        """Whether it is a CIF with atoms; one that is not indexed yet counts."""
        if self.index is None:
            return self.filename.lower().endswith(".cif")
        return bool(self.index.get("kind") == "structure")


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset that is no output."""

    id: str
    owner: str
    name: str
    kind: str  # data | example
    at: float
    deleted: bool = False
    visible: bool = True
    annotation: Annotation = node_notes.NONE
    files: Sequence[FileRow] = ()


@dataclass(frozen=True, slots=True)
class CalculationRow:
    """A calculation with its result. `inputs`: ids of files, in the order of the parameters; the first is the main one."""

    id: str
    owner: str
    title: str
    subject: str
    verdict: str
    state: str
    application: str
    command: str
    interactive: bool
    at: float
    is_doubtful: bool
    inputs: Sequence[str] = ()
    output_dataset_id: str | None = None
    annotation: Annotation = node_notes.NONE
    files: Sequence[FileRow] = ()


@dataclass(slots=True)
class Rows:
    """Everything that projects are made of. `dataset_of`: file id -> dataset id, for inputs and outputs."""

    datasets: dict[str, DatasetRow] = field(default_factory=dict)
    calculations: dict[str, CalculationRow] = field(default_factory=dict)
    dataset_of: dict[str, str] = field(default_factory=dict)
    truncated: bool = False


def read(
    conn: Connection,
    visible_datasets: sa.ColumnElement[bool],
    visible_calculations: sa.ColumnElement[bool],
    *,
    whole: bool = True,
) -> Rows:
    """The rows that satisfy these conditions, and the datasets that the calculations began with.

    whole: False leaves out what only showing and searching need: files of results, what is known of CIFs but that they are
    structures, titles and verdicts. `complete` adds it.
    """
    rows = Rows()
    made = _calculations(conn, visible_calculations, whole=whole)
    rows.truncated = len(made) > MOST_CALCULATIONS
    made = made[:MOST_CALCULATIONS]
    inputs = {row.id: _inputs(row.arguments) for row in made}
    rows.dataset_of = _datasets_of(conn, {file for ids in inputs.values() for file in ids})
    found, is_cut = _datasets(conn, visible_datasets, rows.dataset_of.values())
    rows.truncated = rows.truncated or is_cut
    outputs = [row.output_dataset_id for row in made if row.output_dataset_id] if whole else []
    files = _files(conn, [*(row.id for row in found), *outputs], whole=whole)
    rows.dataset_of |= {file.id: dataset_id for dataset_id, these in files.items() for file in these}
    noted = node_notes.of(conn, "dataset", [row.id for row in found])
    for row in found:
        rows.datasets[row.id] = DatasetRow(
            id=row.id,
            owner=row.owner,
            name=row.name or (files[row.id][0].filename if files.get(row.id) else ""),
            kind=row.kind,
            at=row.created_at,
            deleted=row.deleted_at is not None,
            visible=bool(row.visible),
            annotation=noted.get(row.id, node_notes.NONE),
            files=files.get(row.id, ()),
        )
    noted = node_notes.of(conn, "calculation", [row.id for row in made])
    for row in made:
        note = noted.get(row.id, node_notes.NONE)
        rows.calculations[row.id] = (
            _calculation(row, inputs[row.id], note, files.get(row.output_dataset_id, ()))
            if whole
            else _outline(row, inputs[row.id], note)
        )
    return rows


def complete(conn: Connection, rows: Rows, ids: Iterable[str]) -> None:
    """Replace the rows of these datasets and calculations, read with `whole=False`, by whole ones."""
    wanted = sorted(set(ids))
    calculated = [row_id for row_id in wanted if row_id in rows.calculations]
    kept = [row_id for row_id in wanted if row_id in rows.datasets]
    outputs = [output for row_id in calculated if (output := rows.calculations[row_id].output_dataset_id)]
    files = _files(conn, [*kept, *outputs], whole=True)
    for row_id in kept:
        rows.datasets[row_id] = replace(rows.datasets[row_id], files=files.get(row_id, ()))
    for part in parts(calculated):
        for row in conn.execute(_of_owners(calculations).where(calculations.c.id.in_(part))):
            before = rows.calculations[row.id]
            of_output = files.get(row.output_dataset_id, ())
            rows.calculations[row.id] = _calculation(row, before.inputs, before.annotation, of_output)


def _outline(row: sa.Row[Any], inputs: Sequence[str], noted: Annotation) -> CalculationRow:
    """What the place of a calculation in its project needs."""
    return CalculationRow(
        id=row.id,
        owner=row.owner,
        title="",
        subject="",
        verdict="",
        state=row.state,
        application="",
        command="",
        interactive=False,
        at=row.finished_at or row.submitted_at,
        is_doubtful=False,
        inputs=inputs,
        output_dataset_id=row.output_dataset_id,
        annotation=noted,
    )


def _calculation(
    row: sa.Row[Any], inputs: Sequence[str], noted: Annotation, files: Sequence[FileRow]
) -> CalculationRow:
    return CalculationRow(
        id=row.id,
        owner=row.owner,
        title=titles.title_of(row),
        subject=row.subject,
        verdict=row.verdict,
        state=row.state,
        application=row.application_slug,
        command=row.command_name,
        interactive=row.interactive,
        at=row.finished_at or row.submitted_at,
        is_doubtful=titles.is_doubtful(row.state, row.verdict, row.warnings),
        inputs=inputs,
        output_dataset_id=row.output_dataset_id,
        annotation=noted,
        files=files,
    )


_OUTLINE = (
    calculations.c.id,
    calculations.c.state,
    calculations.c.arguments,
    calculations.c.output_dataset_id,
    calculations.c.submitted_at,
    calculations.c.finished_at,
)


def _of_owners(*columns: Any) -> sa.Select[Any]:
    """Columns of calculations with the name of the owner."""
    return sa.select(*columns, people.c.name.label("owner")).join_from(
        calculations, people, people.c.id == calculations.c.owner_id
    )


def _calculations(conn: Connection, visible: sa.ColumnElement[bool], *, whole: bool) -> list[Any]:
    query = _of_owners(calculations) if whole else _of_owners(*_OUTLINE)
    ordered = query.where(visible).order_by(calculations.c.id.desc()).limit(MOST_CALCULATIONS + 1)
    return list(conn.execute(ordered))


def _inputs(arguments: Mapping[str, Any]) -> list[str]:
    """Ids of input files. Arguments are stored in the order of the parameters."""
    return [
        str(value["data_file_id"])
        for value in in_arguments(arguments).values()
        if isinstance(value, Mapping) and value.get("data_file_id")
    ]


def _datasets_of(conn: Connection, file_ids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts(sorted(file_ids)):
        query = sa.select(data_files.c.id, data_files.c.dataset_id).where(
            data_files.c.id.in_(part), data_files.c.dataset_id.isnot(None)
        )
        found |= {row.id: row.dataset_id for row in conn.execute(query)}
    return found


def _datasets(
    conn: Connection, visible: sa.ColumnElement[bool], used: Iterable[str]
) -> tuple[list[Any], bool]:
    """Datasets that are no outputs: the visible ones, and those that were used, deleted or hidden ones too.

    And whether the oldest of the visible ones are left out.
    """
    columns = (
        datasets.c.id,
        datasets.c.name,
        datasets.c.kind,
        datasets.c.created_at,
        datasets.c.deleted_at,
        people.c.name.label("owner"),
    )
    base = sa.select(*columns, sa.case((visible, 1), else_=0).label("visible")).join(
        people, people.c.id == datasets.c.owner_id
    )
    own = base.where(datasets.c.kind == "data", datasets.c.deleted_at.is_(None), visible)
    visible_rows = list(conn.execute(own.order_by(datasets.c.id.desc()).limit(MOST_DATASETS + 1)))
    found = {row.id: row for row in visible_rows[:MOST_DATASETS]}
    for part in parts(sorted(set(used) - set(found))):
        query = base.where(datasets.c.id.in_(part), datasets.c.kind != "output")
        found |= {row.id: row for row in conn.execute(query)}
    return list(found.values()), len(visible_rows) > MOST_DATASETS


def _files(conn: Connection, dataset_ids: Sequence[str], *, whole: bool) -> dict[str, list[FileRow]]:
    found: dict[str, list[FileRow]] = {}
    joined = data_files.outerjoin(cif_index, cif_index.c.data_file_id == data_files.c.id)
    is_indexed = cif_index.c.data_file_id.isnot(None).label("is_indexed")
    index = cif_index.c.full if whole else cif_index.c.full["kind"].as_string()
    columns = (
        data_files.c.id,
        data_files.c.filename,
        data_files.c.dataset_id,
        is_indexed,
        index.label("known"),
    )
    for part in parts(dataset_ids):
        query = (
            sa.select(*columns)
            .select_from(joined)
            .where(data_files.c.dataset_id.in_(part), data_files.c.deleted_at.is_(None))
            .order_by(data_files.c.id)
        )
        for row in conn.execute(query):
            known = row.known if whole else {"kind": row.known}
            file = FileRow(row.id, row.filename, row.dataset_id, known if row.is_indexed else None)
            found.setdefault(row.dataset_id, []).append(file)
    return found
