"""What students do in an exercise: opened, drafts of the notebook, answers, calculations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import Records, parts
from qcrbox_registry.store.tables import (
    calculation_outputs,
    calculations,
    cif_facts,
    cif_index,
    courses,
    data_files,
    exercise_answers,
    exercise_calculations,
    exercise_files,
    exercise_marks,
    exercise_people,
    exercise_snapshots,
    exercises,
    people,
)

TAG = "exercise:"  # of a calculation that says itself to which exercise it belongs


@dataclass(frozen=True, slots=True)
class Student:
    """A row of `exercise_people` with the name of the person. Times: Unix time, s."""

    exercise_id: str
    person_id: int
    name: str
    opened_at: float | None
    version: int | None
    dataset_id: str | None
    last_active_at: float | None
    extended_until: float | None
    extension_reason: str
    draft_file_id: str | None
    draft_at: float | None
    draft_problem: str
    preview: bool  # a copy of the staff, which counts nowhere


@dataclass(frozen=True, slots=True)
class Done:
    """A calculation of an exercise with what its main output says."""

    id: str
    person_id: int
    application_slug: str
    command_name: str
    arguments: dict[str, Any]
    state: str
    submitted_at: float
    finished_at: float | None
    error_msg: str
    data_file_id: str | None
    figures: dict[str, Any] | None
    facts: dict[str, Any] | None
    problem: str | None
    answered: bool  # by a copy of the result of the same calculation


_students = Records(
    Student,
    exercise_people,
    {"name": people.c.name},
    exercise_people.join(people, people.c.id == exercise_people.c.person_id),
)


def students(conn: Connection, exercise_id: str) -> list[Student]:
    """Everyone who has work or more time in this exercise, by name; previews of the staff are left out."""
    query = _students.select.where(
        exercise_people.c.exercise_id == exercise_id, exercise_people.c.preview.is_(False)
    )
    return _students.all(conn, query.order_by(people.c.name))


def previews_of(conn: Connection, person_id: int) -> list[Student]:
    """What one person has as previews, in every exercise."""
    return _students.all(
        conn,
        _students.select.where(exercise_people.c.person_id == person_id, exercise_people.c.preview.is_(True)),
    )


def student(conn: Connection, exercise_id: str, person_id: int) -> Student | None:
    """The row of one person."""
    query = _students.select.where(
        exercise_people.c.exercise_id == exercise_id, exercise_people.c.person_id == person_id
    )
    return _students.first(conn, query)


def note(conn: Connection, exercise_id: str, person_id: int, **values: Any) -> None:
    """Set fields of a person's row; a missing row is made."""
    row = {"exercise_id": exercise_id, "person_id": person_id, **values}
    statement = upsert(conn, exercise_people).values(row)
    keys = ["exercise_id", "person_id"]
    if values:
        conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
    else:
        conn.execute(statement.on_conflict_do_nothing())


def discard(conn: Connection, exercise_id: str, person_id: int) -> None:
    """Remove everything that a person has in an exercise but their calculations, which stay theirs without it."""
    for table in (
        exercise_answers,
        exercise_marks,
        exercise_snapshots,
        exercise_calculations,
        exercise_people,
    ):
        conn.execute(
            sa.delete(table).where(table.c.exercise_id == exercise_id, table.c.person_id == person_id)
        )


# ---------------------------------------------------------------- answers


def put_answer(
    conn: Connection, exercise_id: str, person_id: int, task_id: str, value: str, now: float
) -> None:
    """Write what a student typed for a task; the newest counts."""
    row = {
        "exercise_id": exercise_id,
        "person_id": person_id,
        "task_id": task_id,
        "value": value,
        "at": now,
    }
    statement = upsert(conn, exercise_answers).values(row)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["exercise_id", "person_id", "task_id"], set_={"value": value, "at": now}
        )
    )


def answers(
    conn: Connection, exercise_id: str, person_id: int | None = None
) -> dict[int, dict[str, tuple[str, float]]]:
    """person id -> task id -> (value, when it was typed)."""
    query = sa.select(exercise_answers).where(exercise_answers.c.exercise_id == exercise_id)
    if person_id is not None:
        query = query.where(exercise_answers.c.person_id == person_id)
    found: dict[int, dict[str, tuple[str, float]]] = {}
    for row in conn.execute(query):
        found.setdefault(row.person_id, {})[row.task_id] = (row.value, row.at)
    return found


# ---------------------------------------------------------------- calculations


def attach(
    conn: Connection, new: Sequence[NewCalculation], tags: Mapping[str, Sequence[str]], now: float
) -> set[str]:
    """Note to which exercises new calculations belong; the ids of those that belong to one.

    A calculation belongs to an exercise that its owner has opened when an input has the contents of a file of the
    exercise, or was made by a calculation of it, or when it has the tag `exercise:<id>`.
    """
    owners = sorted({calculation.owner_id for calculation in new})
    opened = _opened_by(conn, owners)
    if not opened:
        return set()
    ours = [calculation for calculation in new if calculation.owner_id in opened]
    through = _through_inputs(conn, sorted({file for calc in ours for _, file in calc.inputs}))
    rows = []
    for calculation in ours:
        found = {exercise for _, file in calculation.inputs for exercise in through.get(file, ())}
        found |= {tag.removeprefix(TAG) for tag in tags.get(calculation.id, ()) if tag.startswith(TAG)}
        for exercise_id in sorted(found & opened[calculation.owner_id]):
            rows.append(
                {
                    "exercise_id": exercise_id,
                    "calculation_id": calculation.id,
                    "person_id": calculation.owner_id,
                }
            )
    if rows:
        conn.execute(sa.insert(exercise_calculations), rows)
        for row in rows:
            note(conn, str(row["exercise_id"]), int(str(row["person_id"])), last_active_at=now)
    return {str(row["calculation_id"]) for row in rows}


# Built once: each submission executes it.
_opened = sa.select(exercise_people.c.person_id, exercise_people.c.exercise_id).where(
    exercise_people.c.person_id.in_(sa.bindparam("people", expanding=True)),
    exercise_people.c.opened_at.isnot(None),
)


def _opened_by(conn: Connection, person_ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for part in parts(person_ids):
        for row in conn.execute(_opened, {"people": part}):
            found.setdefault(row.person_id, set()).add(row.exercise_id)
    return found


def _through_inputs(conn: Connection, file_ids: Sequence[str]) -> dict[str, set[str]]:
    """data file id -> exercises it has the contents of, or whose calculations made it."""
    found: dict[str, set[str]] = {}
    for part in parts(file_ids):
        same = (
            sa.select(data_files.c.id, exercise_files.c.exercise_id)
            .join(exercise_files, exercise_files.c.sha256 == data_files.c.sha256)
            .where(data_files.c.id.in_(part))
        )
        made = (
            sa.select(data_files.c.id, exercise_calculations.c.exercise_id)
            .join(
                exercise_calculations, exercise_calculations.c.calculation_id == data_files.c.calculation_id
            )
            .where(data_files.c.id.in_(part))
        )
        for query in (same, made):
            for row in conn.execute(query):
                found.setdefault(row.id, set()).add(row.exercise_id)
    return found


_newest_cif = (
    sa.select(
        calculation_outputs.c.calculation_id,
        calculation_outputs.c.data_file_id,
        sa.func.row_number()
        .over(
            partition_by=calculation_outputs.c.calculation_id,
            order_by=(calculation_outputs.c.is_primary.desc(), calculation_outputs.c.position),
        )
        .label("place"),
    )
    .join(data_files, data_files.c.id == calculation_outputs.c.data_file_id)
    .where(data_files.c.filetype == "cif")
)


def done(conn: Connection, exercise_id: str, person_id: int | None = None) -> list[Done]:
    """The calculations of an exercise, of one student or of all, oldest first."""
    wanted = sa.select(exercise_calculations.c.calculation_id).where(
        exercise_calculations.c.exercise_id == exercise_id
    )
    if person_id is not None:
        wanted = wanted.where(exercise_calculations.c.person_id == person_id)
    cifs = _newest_cif.where(calculation_outputs.c.calculation_id.in_(wanted)).subquery()
    query = (
        sa.select(
            calculations.c.id,
            calculations.c.owner_id.label("person_id"),
            calculations.c.application_slug,
            calculations.c.command_name,
            calculations.c.arguments,
            calculations.c.state,
            calculations.c.submitted_at,
            calculations.c.finished_at,
            calculations.c.error_msg,
            cifs.c.data_file_id,
            cif_index.c.full.label("figures"),
            cif_facts.c.facts,
            cif_facts.c.problem,
            exercise_calculations.c.answered_by.isnot(None).label("answered"),
        )
        .select_from(calculations)
        .join(
            exercise_calculations,
            sa.and_(
                exercise_calculations.c.calculation_id == calculations.c.id,
                exercise_calculations.c.exercise_id == exercise_id,
            ),
        )
        .outerjoin(cifs, sa.and_(cifs.c.calculation_id == calculations.c.id, cifs.c.place == 1))
        .outerjoin(cif_index, cif_index.c.data_file_id == cifs.c.data_file_id)
        .outerjoin(cif_facts, cif_facts.c.data_file_id == cifs.c.data_file_id)
        .where(calculations.c.id.in_(wanted))
        .order_by(calculations.c.submitted_at, calculations.c.id)
    )
    return [Done(**row._mapping) for row in conn.execute(query)]


def put_facts(
    conn: Connection, data_file_id: str, facts: Mapping[str, Any] | None, problem: str, now: float
) -> None:
    """Keep what the checks read from a CIF."""
    row = {"data_file_id": data_file_id, "facts": facts, "problem": problem, "at": now}
    statement = upsert(conn, cif_facts).values(row)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["data_file_id"], set_={key: row[key] for key in ("facts", "problem", "at")}
        )
    )


def unfinished(conn: Connection, exercise_id: str) -> list[str]:
    """Ids of the calculations of an exercise that have not ended."""
    query = (
        sa.select(calculations.c.id)
        .join(exercise_calculations, exercise_calculations.c.calculation_id == calculations.c.id)
        .where(exercise_calculations.c.exercise_id == exercise_id, calculations.c.finished_at.is_(None))
        .order_by(calculations.c.id)
    )
    return list(conn.execute(query).scalars())


# ---------------------------------------------------------------- rights of the staff


def groups_of(conn: Connection, calculation_ids: Iterable[str]) -> frozenset[int]:
    """Groups whose courses these calculations belong to."""
    wanted = sorted(set(calculation_ids))
    if not wanted:
        return frozenset()
    query = (
        sa.select(courses.c.group_id)
        .join(exercises, exercises.c.course_id == courses.c.id)
        .join(exercise_calculations, exercise_calculations.c.exercise_id == exercises.c.id)
        .where(exercise_calculations.c.calculation_id.in_(wanted))
    )
    return frozenset(conn.execute(query).scalars())
