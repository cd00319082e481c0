"""A course for next year from this year's, and an export for research on teaching that names nobody."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence

from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox.contract.teaching import Manifest, Task

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor, Resource, authorize
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.groups import named_group
from qcrbox_registry.services.hub_accounts import introduce
from qcrbox_registry.services.teaching import access, courses, evidence, progress
from qcrbox_registry.services.texts import checked_text
from qcrbox_registry.store import datasets
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import courses as course_rows
from qcrbox_registry.store.teaching import exercises, items, marks, snapshots, work
from qcrbox_registry.store.teaching.exercises import Exercise

FEWEST_STUDENTS = 5
DIGITS = 3


class NextYearService:
    """Copies and exports courses; both may be archived."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def copy(self, actor: Actor, course_id: str, group: str, title: str) -> Json:
        """Make another group a course with the exercises and the shelf of this one, hidden and without dates.

        Nothing of students is copied. Raises NotFound, NotAllowed, UserInputError, Conflict.
        """
        now = time.time()
        name = checked_text(title, "title", courses.LONGEST_TITLE)
        if not name:
            raise UserInputError("A course needs a title.")
        if actor.admin:
            await introduce(self._context, "group", group)

        def write(conn: Connection) -> course_rows.Course:
            source = access.course(conn, actor, "teach", course_id)
            group_id = courses.any_group(conn, group) if actor.admin else named_group(actor, group)
            if group_id is None:
                raise UserInputError("A course needs a group.", next="Make the group first, then the course.")
            authorize(actor, "teach", Resource("course", group[:64], None, group_id))
            new_id = course_rows.create(conn, group_id, name, actor.person_id, now)
            owner = course_rows.site_account(conn, now)
            for exercise in exercises.of_course(conn, source.id):
                _copy_exercise(conn, exercise, new_id, actor.person_id, now)
            for item in items.of_course(conn, source.id):
                kept = datasets.NewFile(item.filename, item.sha256, item.size)
                datasets.add_files(conn, [kept], datasets.Place(owner), now)
                new = items.NewItem(item.title, kept.id, item.for_lecturers)
                items.add(conn, new_id, new, actor.person_id, now)
            entry = audit.entry(actor, "copy", now, kind="course", object_id=new_id, source=source.id)
            record(conn, [entry])
            return course_rows.get(conn, new_id)

        return courses.shown(await self._context.db.write(write), actor)

    async def export(self, actor: Actor, course_id: str) -> Json:
        """What students did, without who, when and what they wrote; see `described`.

        Raises NotFound, NotAllowed, Conflict with fewer than five students: one would know who is who.
        """
        now = time.time()

        def read(conn: Connection) -> Json:
            course = access.course(conn, actor, "teach", course_id)
            listed = exercises.of_course(conn, course.id)
            people = {
                student.person_id
                for each in listed
                for student in work.students(conn, each.id)
                if student.opened_at is not None
            }
            if len(people) < FEWEST_STUDENTS:
                raise Conflict(
                    f"Fewer than {FEWEST_STUDENTS} students opened an exercise.",
                    why="In so small a class one would know who is who.",
                )
            numbers = numbered(people)
            return {
                "students": len(people),
                "exercises": [
                    _exercise(conn, each, place, numbers, now) for place, each in enumerate(listed, 1)
                ],
            }

        found = await self._context.db.read(read)
        self._context.audit_soon(actor, "export for research", kind="course", object_id=course_id)
        return found


def numbered(people: set[int]) -> dict[int, int]:
    """person id -> number, in an order that is drawn anew for each export."""
    order = sorted(people)
    secrets.SystemRandom().shuffle(order)
    return {person_id: number for number, person_id in enumerate(order, 1)}


def _copy_exercise(conn: Connection, source: Exercise, course_id: str, by_id: int, now: float) -> None:
    """The newest version as the first of a new exercise."""
    manifest = exercises.manifest(conn, source.id, source.version)
    files = [*([manifest.notebook] if manifest.notebook else []), *manifest.files]
    made = exercises.create(conn, course_id, manifest.title, by_id, now)
    new = [datasets.NewFile(file.filename, file.sha256, file.size) for file in files]
    exercises.add_version(conn, made, manifest, new, by_id, now)
    if source.answers_from_store:
        exercises.change(conn, made, {"answers_from_store": True}, now)


# ---------------------------------------------------------------- export


def _exercise(
    conn: Connection, exercise: Exercise, place: int, numbers: Mapping[int, int], now: float
) -> Json:
    manifest = exercises.manifest(conn, exercise.id, exercise.version)
    works = evidence.by_person(work.done(conn, exercise.id))
    answers = work.answers(conn, exercise.id)
    given = marks.of_exercise(conn, exercise.id)
    handed_in: dict[int, list[snapshots.Snapshot]] = {}
    for snapshot in snapshots.of_exercise(conn, exercise.id):
        handed_in.setdefault(snapshot.person_id, []).append(snapshot)
    rows = []
    for student in work.students(conn, exercise.id):
        if student.opened_at is None:
            continue
        theirs = works.get(student.person_id, [])
        typed = evidence.typed(answers.get(student.person_id))
        presence = progress.Presence(student.opened_at, student.last_active_at)
        found = progress.of_student(manifest.tasks, theirs, typed, presence, now)
        counting = snapshots.counting(handed_in.get(student.person_id, []))
        rows.append(
            {
                "student": numbers[student.person_id],
                "tasks": described(manifest, found, typed, given.get(student.person_id, {})),
                "calculations": [_calculation(each, student.opened_at) for each in theirs],
                "handed_in_after_min": minutes(counting.at - student.opened_at) if counting else None,
                "late": counting.late if counting else None,
            }
        )
    rows.sort(key=lambda row: int(str(row["student"])))
    tasks = [
        {"task": number, "kind": task.kind, "command": task.command, "points": task.points}
        for number, task in enumerate(manifest.tasks, 1)
    ]
    return {"exercise": place, "tasks": tasks, "students": rows}


def described(
    manifest: Manifest,
    found: Sequence[progress.Progress],
    typed: Mapping[str, progress.Answer],
    given: Mapping[str, marks.Mark],
) -> list[Json]:
    """State, figure, answer and points of each task by its number; no text that anybody wrote.

    Of answers there is the number of the choice or the number typed; of figures three digits, which tell no two students
    apart who did the same.
    """
    by_id = {each.task_id: each for each in found}
    return [
        {
            "task": number,
            "state": str(by_id[task.id].state),
            "value": rounded(by_id[task.id].value),
            "answer": answer_shown(task, typed.get(task.id)),
            "points": given[task.id].counts if task.id in given else None,
        }
        for number, task in enumerate(manifest.tasks, 1)
    ]


def answer_shown(task: Task, answer: progress.Answer | None) -> float | None:
    """The place of the choice (from 1), the number that was typed, or None: free text never leaves."""
    if answer is None:
        return None
    if task.choices:
        return task.choices.index(answer.value) + 1 if answer.value in task.choices else None
    if task.kind != "value":
        return None
    return rounded(progress.number_in(answer.value))


def rounded(value: float | None) -> float | None:
    """Three significant digits."""
    return None if value is None else float(f"{value:.{DIGITS}g}")


def minutes(seconds: float) -> int:
    """Whole minutes."""
    return round(seconds / 60)


def _calculation(each: progress.Work, opened_at: float) -> Json:
    ran = None if each.finished_at is None else rounded(each.finished_at - each.submitted_at)
    return {
        "after_min": minutes(each.submitted_at - opened_at),
        "command": f"{each.application}.{each.command}",
        "state": each.state,
        "took_s": ran,
    }
