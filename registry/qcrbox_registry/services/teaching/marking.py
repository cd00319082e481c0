"""Marks: automatic checks on what was collected, points and comments of people, release to students."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.models import iso
from qcrbox.contract.teaching import Manifest, Task, TaskState

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.teaching import access, evidence, progress
from qcrbox_registry.services.teaching.courses import CourseService
from qcrbox_registry.services.teaching.views import snapshot_shown
from qcrbox_registry.services.texts import checked_text
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import exercises, marks, snapshots, work

LONGEST_COMMENT = 10_000
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GivenMark:
    """What a person decides about a task of a student; task "" is the exercise as a whole, without points.

    `fields` names what is given: points None takes them back. criteria: places of those of the rubric that are met.
    """

    task_id: str
    points: float | None
    comment: str
    fields: frozenset[str]
    criteria: Sequence[int] | None = None


def by_rubric(task: Task | None, mark: GivenMark) -> list[Json]:
    """The criteria of the task, each with whether it is met. Raises UserInputError."""
    if task is None or not task.rubric:
        raise UserInputError("This task has no rubric.", next="Give points, or add criteria to the task.")
    if "points" in mark.fields:
        raise UserInputError("The criteria give the points.", next="Send points or criteria, not both.")
    met = set(mark.criteria or ())
    if met - set(range(len(task.rubric))):
        raise UserInputError(f"The criteria of this task have the places 0 to {len(task.rubric) - 1}.")
    return [
        {"text": criterion.text, "points": criterion.points, "met": place in met}
        for place, criterion in enumerate(task.rubric)
    ]


def judge(task: Task, found: progress.Progress) -> tuple[float | None, str]:
    """(points, words) of a task; None where a person decides."""
    if found.state is TaskState.DONE:
        return task.points, found.words or "Right."
    if found.state is TaskState.HANDED_IN:
        return None, "Handed in; a person marks it."
    if found.state is TaskState.RUNNING:
        return None, "The calculation has not ended; run the checks again when it has."
    if found.state is TaskState.NOT_BEGUN:
        return 0.0, "Nothing was handed in."
    if any(result.passed is None for result in found.results):
        return None, found.words  # a check that could not be carried out is not a failed one
    return 0.0, found.words or str(found.state).replace("_", " ")


def works_of(snapshot: snapshots.Snapshot, works: list[progress.Work]) -> list[progress.Work]:
    """The calculations that the snapshot names; what ended after it counts as it ended."""
    named = set(snapshot.content.get("calculations") or ())
    return [each for each in works if each.id in named]


def answers_of(snapshot: snapshots.Snapshot) -> dict[str, progress.Answer]:
    """The answers that the snapshot holds."""
    given = snapshot.content.get("answers") or {}
    return {task_id: progress.Answer(str(value), snapshot.at) for task_id, (value, _) in given.items()}


class MarkingService:
    """Marks of an exercise."""

    def __init__(self, context: Context, courses: CourseService) -> None:
        self._context, self._courses = context, courses

    async def grade(self, actor: Actor, exercise_id: str) -> Json:
        """Run the checks on the counting snapshot of every student; marks of people stay.

        Raises NotFound, NotAllowed. The work of one student never keeps that of another from being marked: who could not
        be marked is named in `problems`.
        """
        now = time.time()
        exercise = await self._context.db.read(
            lambda conn: access.exercise(conn, actor, "supervise", exercise_id)
        )
        access.require_active(exercise)
        done = await self._context.db.read(lambda conn: work.done(conn, exercise.id))
        manifest = await self._context.db.read(
            lambda conn: exercises.manifest(conn, exercise.id, exercise.version)
        )
        await evidence.read_facts(self._context, evidence.lacking_facts(manifest.tasks, done))
        works = evidence.by_person(await self._context.db.read(lambda conn: work.done(conn, exercise.id)))
        found = await self._context.db.read(lambda conn: snapshots.of_exercise(conn, exercise.id))
        students = await self._context.db.read(lambda conn: work.students(conn, exercise.id))
        grouped: dict[int, list[snapshots.Snapshot]] = {student.person_id: [] for student in students}
        for snapshot in found:
            if snapshot.person_id in grouped:  # the staff's previews are not marked
                grouped[snapshot.person_id].append(snapshot)
        marked, problems = 0, []
        for person_id, theirs in grouped.items():
            counting = snapshots.counting(theirs)
            if counting is None:
                continue
            try:
                await self._grade_one(manifest, counting, works.get(person_id, []), now)
                marked += 1
            except Exception as error:  # noqa: BLE001 - whatever a student handed in, the next must be marked
                log.error(
                    "student_not_marked", exercise=exercise.id, student=counting.name, error=repr(error)
                )
                problems.append({"student": counting.name, "problem": f"Not marked: {error}"[:500]})
        entry = audit.entry(actor, "grade", now, kind="exercise", object_id=exercise_id, students=marked)
        await self._context.db.write(lambda conn: record(conn, [entry]))
        return {"marked": marked, "problems": problems}

    async def _grade_one(
        self, manifest: Manifest, snapshot: snapshots.Snapshot, works: list[progress.Work], now: float
    ) -> None:
        theirs, answers = works_of(snapshot, works), answers_of(snapshot)
        judged = []
        for task in manifest.tasks:
            points, words = judge(task, progress.of_task(task, theirs, answers.get(task.id)))
            judged.append((task.id, points, words))

        def write(conn: Connection) -> None:
            for task_id, points, words in judged:
                marks.put(
                    conn,
                    snapshot.exercise_id,
                    snapshot.person_id,
                    task_id,
                    snapshot_id=snapshot.id,
                    automatic=points,
                    words=words[:2000],
                    at=now,
                )

        await self._context.db.write(write)

    async def listed(self, actor: Actor, exercise_id: str) -> Json:
        """The marks of all students, with what was handed in. Raises NotFound, NotAllowed."""

        def read(conn: Connection) -> tuple[Json, list[work.Student], str]:
            exercise = access.exercise(conn, actor, "supervise", exercise_id)
            manifest = exercises.manifest(conn, exercise.id, exercise.version)
            given = marks.of_exercise(conn, exercise.id)
            grouped: dict[int, list[snapshots.Snapshot]] = {}
            for snapshot in snapshots.of_exercise(conn, exercise.id):
                grouped.setdefault(snapshot.person_id, []).append(snapshot)
            tasks = [
                task.model_dump(mode="json", include={"id", "title", "points", "rubric"})
                for task in manifest.tasks
            ]
            body = {
                "tasks": tasks,
                "most": manifest.points,
                "released_at": iso(exercise.released_at),
                "given": given,
                "grouped": grouped,
            }
            return body, work.students(conn, exercise.id), exercise.group

        body, students, group = await self._context.db.read(read)
        given, grouped = body.pop("given"), body.pop("grouped")
        roster = await self._courses.roster(group, tuple(students))
        # Who assisted and is a student now may still have a preview, which is no work of theirs.
        known = {student.person_id for student in students}
        rows = [
            _marks_row(
                person.name,
                body["tasks"],
                given.get(person.person_id or 0, {}),
                grouped.get(person.person_id or 0, []) if person.person_id in known else [],
            )
            for person in roster
            if person.role == "student"
        ]
        return {**body, "students": rows}

    async def give(self, actor: Actor, exercise_id: str, name: str, mark: GivenMark) -> Json:
        """Set points and comment of a task by hand. Raises NotFound, NotAllowed, UserInputError."""
        now = time.time()
        comment = checked_text(mark.comment, "comment", LONGEST_COMMENT)
        ids = await self._courses.ids_by_name(actor, exercise_id)

        def write(conn: Connection) -> Json:
            exercise = access.exercise(conn, actor, "supervise", exercise_id)
            access.require_active(exercise)
            manifest = exercises.manifest(conn, exercise.id, exercise.version)
            task = manifest.task(mark.task_id)
            if task is None and mark.task_id:
                raise NotFound(f"The exercise has no task {mark.task_id[:40]!r}.")
            if mark.points is not None and (task is None or not 0 <= mark.points <= task.points):
                most = task.points if task else 0
                raise UserInputError(f"The points of this task lie between 0 and {most:g}.")
            person_id = access.student_id(ids, name)
            values: dict[str, object] = {"by_id": actor.person_id, "at": now}
            if "points" in mark.fields:
                # Points that were typed are no sum of criteria.
                values |= {"points": mark.points, "criteria": None}
            if mark.criteria is not None:
                criteria = by_rubric(task, mark)
                given = sum(criterion["points"] for criterion in criteria if criterion["met"])
                values |= {"points": given, "criteria": criteria}
            if "comment" in mark.fields:
                values["comment"] = comment
            marks.put(conn, exercise.id, person_id, mark.task_id, **values)
            entry = audit.entry(
                actor,
                "mark",
                now,
                kind="exercise",
                object_id=exercise_id,
                student=name,
                task=mark.task_id,
                points=values.get("points"),
            )
            record(conn, [entry])
            return {"student": name, "task_id": mark.task_id}

        return await self._context.db.write(write)

    async def release(self, actor: Actor, exercise_id: str, released: bool) -> Json:
        """Let students see their marks and comments, or hide them again. Raises NotFound, NotAllowed."""
        now = time.time()

        def write(conn: Connection) -> Json:
            exercise = access.exercise(conn, actor, "teach", exercise_id)
            access.require_active(exercise)
            if released == (exercise.released_at is not None):
                return {"released_at": iso(exercise.released_at)}
            exercises.change(conn, exercise_id, {"released_at": now if released else None}, now)
            action = "release marks" if released else "hide marks"
            record(conn, [audit.entry(actor, action, now, kind="exercise", object_id=exercise_id)])
            return {"released_at": iso(now) if released else None}

        return await self._context.db.write(write)


def _marks_row(
    name: str, tasks: list[Json], given: dict[str, marks.Mark], found: list[snapshots.Snapshot]
) -> Json:
    counting = snapshots.counting(found)
    shown = [
        {
            "task_id": task["id"],
            "automatic": given[task["id"]].automatic if task["id"] in given else None,
            "points": given[task["id"]].points if task["id"] in given else None,
            "counts": given[task["id"]].counts if task["id"] in given else None,
            "words": given[task["id"]].words if task["id"] in given else "",
            "comment": given[task["id"]].comment if task["id"] in given else "",
            "criteria": (given[task["id"]].criteria or []) if task["id"] in given else [],
        }
        for task in tasks
    ]
    general = given.get("")
    return {
        "name": name,
        "tasks": shown,
        "points": round(sum(each["counts"] or 0.0 for each in shown), 6),
        "to_decide": sum(1 for each in shown if each["counts"] is None) if counting else 0,
        "comment": general.comment if general else "",
        "submitted": snapshot_shown(counting) if counting else None,
    }
