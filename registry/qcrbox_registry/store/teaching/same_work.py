"""Identical calculations of an exercise, answered by a copy of the first result when its lecturer allows it.

Identical are calculations of one exercise with the same command of the same version of the application, the same
arguments, and inputs of the same names and contents. The answer is the student's own: a dataset of theirs, made by their
calculation, from their inputs. The first calculation stays what it is and is shown to nobody who may not read it.
Previews of the staff answer previews alone: a student would learn from the answer what a lecturer has tried.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.remark_kinds import RemarkKind
from qcrbox.contract.remarks import Remark
from qcrbox.contract.states import State, Step
from sqlalchemy.engine import Connection

from qcrbox_registry.store import datasets, events, titles
from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import (
    calculation_outputs,
    calculations,
    cif_facts,
    courses,
    data_files,
    exercise_calculations,
    exercise_people,
    exercises,
)
from qcrbox_registry.store.transitions import Change, Ledger

ANSWERED = (
    "Answered from the store: the same calculation on the same input was done before in this exercise. "
    "This is a copy of its result."
)

# Built once: it decides for every calculation that ends whether there is more to ask.
_keyed = sa.select(exercise_calculations.c.calculation_id).where(
    exercise_calculations.c.calculation_id.in_(sa.bindparam("ids", expanding=True)),
    exercise_calculations.c.same_key.isnot(None),
)


def note_keys(conn: Connection, new: Sequence[NewCalculation]) -> None:
    """Write the keys of new calculations in exercises that answer from the store."""
    allowed = _allowed(conn, [each.id for each in new if not each.interactive])
    if not allowed:
        return
    ours = [each for each in new if each.id in allowed]
    contents = _contents(conn, {file for each in ours for _, file in each.inputs})
    for each in ours:
        conn.execute(
            sa.update(exercise_calculations)
            .where(exercise_calculations.c.calculation_id == each.id)
            .values(same_key=key_of(each, contents))
        )


def key_of(new: NewCalculation, contents: Mapping[str, tuple[str, str]]) -> str:
    """Equal for identical calculations. contents: data file id -> (file name, SHA-256)."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            file_id = value.get("data_file_id")
            if isinstance(file_id, str) and file_id in contents:
                return {"contents": list(contents[file_id])}
            return {str(name): plain(each) for name, each in value.items()}
        return [plain(each) for each in value] if isinstance(value, list | tuple) else value

    described = [new.application_id, new.command_id, new.force, plain(new.arguments)]
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def answer_new(conn: Connection, ids: Sequence[str], now: float) -> tuple[list[events.Event], set[str]]:
    """Answer those of these waiting calculations that were done before; the events, and the ids that were answered."""
    asked = _rows(conn, exercise_calculations.c.calculation_id.in_(ids)) if ids else []
    pairs = []
    for row in asked:
        same = sa.and_(
            exercise_calculations.c.exercise_id == row.exercise_id,
            exercise_calculations.c.same_key == row.same_key,
        )
        done = _first_done(conn, same, row)
        if done is not None:
            pairs.append((row, done))
    return _answer(conn, pairs, now)


def answer_waiting(conn: Connection, ended: Sequence[str], now: float) -> list[events.Event]:
    """Answer the calculations that wait and are identical to one of these, which have just ended with success."""
    written: list[events.Event] = []
    for part in parts(sorted(set(ended))):
        keyed = conn.execute(_keyed, {"ids": part}).scalars().all()
        if not keyed:
            continue
        for row in _rows(conn, exercise_calculations.c.calculation_id.in_(keyed), State.SUCCESSFUL):
            same = sa.and_(
                exercise_calculations.c.exercise_id == row.exercise_id,
                exercise_calculations.c.same_key == row.same_key,
            )
            waiting = [each for each in _rows(conn, same) if _may_answer(row, each)]
            written += _answer(conn, [(each, row.calculation_id) for each in waiting], now)[0]
    return written


# ---------------------------------------------------------------- reading


def _allowed(conn: Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for part in parts(ids):
        query = (
            sa.select(exercise_calculations.c.calculation_id)
            .join(exercises, exercises.c.id == exercise_calculations.c.exercise_id)
            .where(exercise_calculations.c.calculation_id.in_(part), exercises.c.answers_from_store)
        )
        found.update(conn.execute(query).scalars())
    return found


def _contents(conn: Connection, file_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for part in parts(sorted(file_ids)):
        query = sa.select(data_files.c.id, data_files.c.filename, data_files.c.sha256)
        for row in conn.execute(query.where(data_files.c.id.in_(part))):
            found[row.id] = (row.filename, row.sha256)
    return found


def _rows(
    conn: Connection, which: sa.ColumnElement[bool], state: State = State.SUBMITTED
) -> list[sa.Row[Any]]:
    """Rows with a key, of active exercises that answer from the store; `submitted` ones only while no agent has them."""
    person = sa.and_(
        exercise_people.c.exercise_id == exercise_calculations.c.exercise_id,
        exercise_people.c.person_id == exercise_calculations.c.person_id,
    )
    query = (
        sa.select(exercise_calculations, exercise_people.c.preview)
        .join(calculations, calculations.c.id == exercise_calculations.c.calculation_id)
        .join(exercise_people, person)
        .join(exercises, exercises.c.id == exercise_calculations.c.exercise_id)
        .join(courses, courses.c.id == exercises.c.course_id)
        .where(
            which,
            exercise_calculations.c.same_key.isnot(None),
            exercises.c.answers_from_store,
            courses.c.archived_at.is_(None),
            calculations.c.state == str(state),
        )
        .order_by(exercise_calculations.c.calculation_id)
    )
    if state is State.SUBMITTED:
        query = query.where(calculations.c.agent_id.is_(None), calculations.c.cancel_requested_at.is_(None))
    return list(conn.execute(query))


def _may_answer(done: sa.Row[Any], asked: sa.Row[Any]) -> bool:
    return bool(asked.preview or not done.preview)


def _first_done(conn: Connection, same: sa.ColumnElement[bool], asked: sa.Row[Any]) -> str | None:
    """The oldest that was really calculated, whose outputs are all there, and that may answer the one that asks."""
    for row in _rows(conn, same, State.SUCCESSFUL):
        if row.answered_by is None and _may_answer(row, asked) and _outputs(conn, row.calculation_id):
            return str(row.calculation_id)
    return None


def _outputs(conn: Connection, calculation_id: str) -> list[sa.Row[Any]]:
    """Its outputs in order; nothing when one of them was deleted."""
    query = (
        sa.select(
            calculation_outputs.c.position,
            calculation_outputs.c.name,
            calculation_outputs.c.is_primary,
            data_files.c.id,
            data_files.c.filename,
            data_files.c.filetype,
            data_files.c.sha256,
            data_files.c.size,
            data_files.c.deleted_at,
        )
        .join(data_files, data_files.c.id == calculation_outputs.c.data_file_id)
        .where(calculation_outputs.c.calculation_id == calculation_id)
        .order_by(calculation_outputs.c.position)
    )
    found: list[sa.Row[Any]] = list(conn.execute(query))
    return [] if any(row.deleted_at is not None for row in found) else found


# ---------------------------------------------------------------- answering


def _answer(
    conn: Connection, pairs: Sequence[tuple[sa.Row[Any], str]], now: float
) -> tuple[list[events.Event], set[str]]:
    """Give each waiting calculation the result of the one beside it."""
    ledger = Ledger(conn, (row.calculation_id for row, _ in pairs), now)
    answered: set[str] = set()
    for row, source in pairs:
        outputs = _outputs(conn, source)
        if not outputs or row.calculation_id in answered:
            continue
        said = conn.execute(
            sa.select(calculations.c.warnings, calculations.c.remarks, calculations.c.verdict).where(
                calculations.c.id == source
            )
        ).one()
        entry = ledger.entry(row.calculation_id)
        conn.execute(
            sa.update(calculations).where(calculations.c.id == entry.id).values(verdict=said.verdict)
        )
        note = Remark(kind=RemarkKind.NOTE, text=ANSWERED).model_dump(mode="json")
        fields = {
            "output_dataset_id": _copy(conn, entry.id, outputs, now),
            "warnings": list(said.warnings or []),
            "remarks": [note, *(said.remarks or [])],
            "returncode": 0,
        }
        ledger.change(Change(entry.id, State.RUNNING, step=Step.RUNNING, at=now))
        ledger.change(Change(entry.id, State.SUCCESSFUL, at=now, fields=fields))
        conn.execute(
            sa.update(exercise_calculations)
            .where(exercise_calculations.c.calculation_id == entry.id)
            .values(answered_by=source)
        )
        answered.add(entry.id)
    return ledger.close(), answered


def _copy(conn: Connection, calculation_id: str, outputs: Sequence[sa.Row[Any]], now: float) -> str:
    """A dataset of the calculation's owner with the same contents; its id."""
    names = ("name", "subject", "done", "verdict", "command_name", "owner_id", "group_id")
    query = sa.select(*(calculations.c[name] for name in names))
    row = conn.execute(query.where(calculations.c.id == calculation_id)).one()
    about = {name: getattr(row, name) for name in names[:5]}
    dataset = datasets.NewDataset(
        row.owner_id,
        name=titles.title_of(titles.Parts(**about, state=str(State.SUCCESSFUL))),
        group_id=row.group_id,
        kind="output",
        calculation_id=calculation_id,
    )
    files = [
        datasets.NewFile(
            output.filename,
            output.sha256,
            output.size,
            filetype=output.filetype,
            index=datasets.index_row_of(conn, output.sha256),
        )
        for output in outputs
    ]
    datasets.add_dataset(conn, dataset, files, now)
    for output, file in zip(outputs, files, strict=True):
        conn.execute(
            sa.insert(calculation_outputs).values(
                calculation_id=calculation_id,
                position=output.position,
                name=output.name,
                data_file_id=file.id,
                is_primary=output.is_primary,
            )
        )
        _copy_facts(conn, output.id, file.id, now)
    return dataset.id


def _copy_facts(conn: Connection, source: str, target: str, now: float) -> None:
    """What the checks of exercises read from a file holds for its copy."""
    row = conn.execute(sa.select(cif_facts).where(cif_facts.c.data_file_id == source)).first()
    if row is not None:
        values = {"data_file_id": target, "facts": row.facts, "problem": row.problem, "at": now}
        conn.execute(upsert(conn, cif_facts).values(values).on_conflict_do_nothing())
