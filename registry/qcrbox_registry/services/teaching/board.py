"""The board of an exercise: students × tasks, who is stuck; notes, more time, freeing the queue."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.models import iso
from qcrbox.contract.teaching import Manifest, TaskState

from qcrbox_registry.access import audit
from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import views
from qcrbox_registry.services.contents import Content
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.teaching import access, evidence, handed_files, progress
from qcrbox_registry.services.teaching.courses import CourseService
from qcrbox_registry.services.teaching.deadlines import own_due
from qcrbox_registry.services.teaching.exercises import dates_of, shown
from qcrbox_registry.services.teaching.places import add_places
from qcrbox_registry.services.teaching.roster import Person
from qcrbox_registry.services.teaching.views import progress_shown, snapshot_shown
from qcrbox_registry.services.texts import checked_text
from qcrbox_registry.store import calculations, datasets, events
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import exercises, marks, snapshots, work
from qcrbox_registry.store.teaching.exercises import Exercise

LONGEST_NOTE = 2000
TICK_S = 5.0
_WATCHED = frozenset({"calculation", "exercise"})
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything that the rows of a board are made from, of one moment."""

    exercise: Exercise
    manifest: Manifest
    students: dict[int, work.Student]
    done: Sequence[work.Done]
    works: dict[int, list[progress.Work]]
    answers: dict[int, dict[str, tuple[str, float]]]
    snapshots: dict[int, list[snapshots.Snapshot]]


class BoardService:
    """What the staff of a course see and do while students work."""

    def __init__(self, context: Context, courses: CourseService, facts: evidence.FactReader) -> None:
        self._context, self._courses, self._facts = context, courses, facts

    async def board(self, actor: Actor, exercise_id: str) -> Json:
        """Students × tasks, those who are stuck first. Raises NotFound, NotAllowed."""
        now = time.time()
        facts = await self._context.db.read(lambda conn: _facts(conn, actor, exercise_id))
        roster = await self._courses.roster(facts.exercise.group, tuple(facts.students.values()))
        # Beside the requests; the board ticks when they are read.
        self._facts.read_soon(exercise_id, facts.manifest.tasks, facts.done)
        rows = [_row(facts, person, now) for person in roster if person.role == "student"]
        add_places(self._context.scheduler, [task for row in rows for task in row["tasks"]], now)
        rows.sort(key=_urgency)
        return {
            "exercise": shown(facts.exercise, now),
            "tasks": [
                {
                    "id": task.id,
                    "title": task.title,
                    "kind": task.kind,
                    "quantity": task.quantity if task.kind == "calculation" else "",
                    "band": str(task.band) if task.band else "",
                    "points": task.points,
                }
                for task in facts.manifest.tasks
            ],
            "students": rows,
            "at": iso(now),
        }

    async def student(self, actor: Actor, exercise_id: str, name: str) -> Json:
        """One student: tasks, answers, calculations, drafts and snapshots. Raises NotFound, NotAllowed."""
        now = time.time()
        ids = await self._courses.ids_by_name(actor, exercise_id)

        def read(conn: Connection) -> Json:
            facts = _facts(conn, actor, exercise_id)
            person_id = access.student_id(ids, name)
            row = _row(facts, Person(name, "student", person_id), now)
            done = [each.id for each in facts.works.get(person_id, [])]
            found = {each.id: each for each in calculations.by_ids(conn, done)}
            listed = [found[each] for each in reversed(done) if each in found]
            student = facts.students.get(person_id)
            return {
                **row,
                "exercise": shown(facts.exercise, now, student),
                "manifest": facts.manifest.model_dump(mode="json"),
                "answers": {
                    task_id: value for task_id, (value, _) in facts.answers.get(person_id, {}).items()
                },
                "calculations": views.calculation_list(conn, listed),
                "has_draft": bool(student and student.draft_file_id),
                "snapshots": [snapshot_shown(each) for each in facts.snapshots.get(person_id, [])],
                "extension_reason": student.extension_reason if student else "",
            }

        return await self._context.db.read(read)

    async def notebook(self, actor: Actor, exercise_id: str, name: str) -> Content:
        """The newest draft of a student, as it is. Raises NotFound, NotAllowed."""
        ids = await self._courses.ids_by_name(actor, exercise_id)

        def read(conn: Connection) -> datasets.DataFile:
            facts = _facts(conn, actor, exercise_id)
            student = facts.students.get(access.student_id(ids, name))
            if student is None or student.draft_file_id is None:
                raise NotFound(f"{name} has saved no notebook of this exercise.")
            return datasets.get_file(conn, student.draft_file_id, deleted=True)

        row = await self._context.db.read(read)
        return Content(row.filename, row.sha256, row.size, self._context.objects.get(row.sha256))

    async def snapshot_notebook(self, actor: Actor, snapshot_id: str) -> Content:
        """The notebook of a snapshot. Raises NotFound, NotAllowed."""

        def read(conn: Connection) -> datasets.DataFile:
            found = access.snapshot(conn, actor, "read", snapshot_id)
            if found.notebook_file_id is None:
                raise NotFound("This snapshot has no notebook.", why=found.problem)
            return datasets.get_file(conn, found.notebook_file_id, deleted=True)

        row = await self._context.db.read(read)
        return Content(row.filename, row.sha256, row.size, self._context.objects.get(row.sha256))

    async def snapshot_file(self, actor: Actor, snapshot_id: str, filename: str) -> Content:
        """A file that was submitted beside the notebook. Raises NotFound, NotAllowed."""

        def read(conn: Connection) -> datasets.DataFile:
            found = access.snapshot(conn, actor, "read", snapshot_id)
            return datasets.get_file(conn, handed_files.data_file_of(found, filename), deleted=True)

        row = await self._context.db.read(read)
        return Content(row.filename, row.sha256, row.size, self._context.objects.get(row.sha256))

    # ------------------------------------------------------------ acts

    async def extend(
        self, actor: Actor, exercise_id: str, name: str, until: float | None, reason: str
    ) -> Json:
        """Give a student more time (None: take it back). Raises NotFound, NotAllowed, UserInputError."""
        now = time.time()
        words = checked_text(reason, "reason", LONGEST_NOTE)
        if until is not None and until <= now:
            raise UserInputError("The new deadline lies in the past.")
        ids = await self._courses.ids_by_name(actor, exercise_id)

        def write(conn: Connection) -> Json:
            facts = _facts(conn, actor, exercise_id)
            access.require_active(facts.exercise)
            if facts.exercise.due_at is None:
                raise UserInputError(
                    "The exercise has no deadline.",
                    next="More time is needed only where there is a deadline.",
                )
            person_id = access.student_id(ids, name)
            work.note(conn, exercise_id, person_id, extended_until=until, extension_reason=words)
            entry = audit.entry(
                actor,
                "extend",
                now,
                kind="exercise",
                object_id=exercise_id,
                student=name,
                until=until,
                reason=words,
            )
            record(conn, [entry])
            return {"student": name, "own_due_at": iso(own_due(dates_of(facts.exercise), until))}

        return await self._context.db.write(write)

    async def note(self, actor: Actor, exercise_id: str, name: str | None, text: str) -> Json:
        """A note to one student or (None) to everyone. Raises NotFound, NotAllowed, UserInputError."""
        words = checked_text(text, "note", LONGEST_NOTE)
        if not words:
            raise UserInputError("A note needs text.")
        ids = {} if name is None else await self._courses.ids_by_name(actor, exercise_id)
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            facts = _facts(conn, actor, exercise_id)
            access.require_active(facts.exercise)
            to = None if name is None else access.student_id(ids, name)
            marks.add_note(conn, exercise_id, to, words, actor.person_id, now)
            entry = audit.entry(actor, "note", now, kind="exercise", object_id=exercise_id, to=name or "all")
            record(conn, [entry])
            hearers = [to] if to is not None else sorted(facts.students)
            changes = [
                events.Event("exercise", exercise_id, now, "note", owner_id=hearer, payload={"text": words})
                for hearer in hearers
            ]
            return list(events.write(conn, changes))

        self._context.publish(await self._context.db.write(write))
        return {"to": name, "text": words}

    async def free_queue(self, actor: Actor, exercise_id: str, reason: str) -> Json:
        """Cancel every calculation of the exercise that has not ended. Raises NotFound, NotAllowed."""
        words = checked_text(reason, "reason", 1000)
        found = await self._context.db.read(
            lambda conn: access.exercise(conn, actor, "supervise", exercise_id)
        )
        ids = await self._context.db.read(lambda conn: work.unfinished(conn, found.id))
        text = words or f"The queue of the class was freed by {actor.name}."
        if ids:
            await self._context.scheduler.cancel(ids, reason=text, by=actor.name)
        self._context.audit_soon(
            actor, "free queue", kind="exercise", object_id=exercise_id, calculations=len(ids), reason=words
        )
        return {"number": len(ids)}

    # ------------------------------------------------------------ live

    async def ticks(self, presence: Presence, exercise_id: str) -> AsyncGenerator[bool, None]:
        """True when something of the students changed since the last one, False to keep the connection alive.

        Raises NotFound, NotAllowed before the first. What changes while the answer is on its way is in the stream.
        """
        ticks = self._ticks(presence, exercise_id)
        await anext(ticks)
        return ticks

    async def _ticks(self, presence: Presence, exercise_id: str) -> AsyncGenerator[bool, None]:
        owners: set[int] = set()

        def wanted(event: events.Event) -> bool:
            if event.kind == "exercise" and event.object_id == exercise_id:
                if event.owner_id is not None:
                    owners.add(event.owner_id)  # a student who has just opened it
                return True
            return event.kind in _WATCHED and event.owner_id in owners

        subscription = self._context.hub.subscribe(wanted)
        try:
            facts = await self._context.db.read(lambda conn: _facts(conn, presence.actor, exercise_id))
            owners |= set(facts.students)
            yield False
            while (waiting := await subscription.get(TICK_S)) is not None:
                if presence.is_due:
                    actor = await presence.now()
                    await self._context.db.read(
                        partial(access.exercise, actor=actor, action="supervise", exercise_id=exercise_id)
                    )
                yield bool(waiting)
        finally:
            self._context.hub.unsubscribe(subscription)


def _facts(conn: Connection, actor: Actor, exercise_id: str) -> _Facts:
    exercise = access.exercise(conn, actor, "supervise", exercise_id)
    students = {student.person_id: student for student in work.students(conn, exercise.id)}
    done = work.done(conn, exercise.id)
    found: dict[int, list[snapshots.Snapshot]] = {}
    for snapshot in snapshots.of_exercise(conn, exercise.id):
        found.setdefault(snapshot.person_id, []).append(snapshot)

    # Who assisted and is a student now may still have a preview, which is no work of theirs.
    def of_students(known: Mapping[int, _Found]) -> dict[int, _Found]:
        return {person_id: each for person_id, each in known.items() if person_id in students}

    return _Facts(
        exercise,
        exercises.manifest(conn, exercise.id, exercise.version),
        students,
        done,
        of_students(evidence.by_person(done)),
        of_students(work.answers(conn, exercise.id)),
        of_students(found),
    )


def _row(facts: _Facts, person: Person, now: float) -> Json:
    student = facts.students.get(person.person_id or 0)
    presence = progress.Presence(
        student.opened_at if student else None, student.last_active_at if student else None
    )
    works = facts.works.get(person.person_id or 0, [])
    answers = evidence.typed(facts.answers.get(person.person_id or 0))
    found = progress.of_student(facts.manifest.tasks, works, answers, presence, now)
    submitted = facts.snapshots.get(person.person_id or 0, [])
    counting = snapshots.counting(submitted)
    return {
        "name": person.name,
        "signed_in": person.signed_in,
        "left": person.left,
        "opened_at": iso(presence.opened_at),
        "last_active_at": iso(last_activity(presence, works)),
        "stuck": any(each.state is TaskState.STUCK for each in found),
        "done": sum(each.state in progress.SETTLED for each in found),
        "tasks": [progress_shown(each) for each in found],
        "version": student.version if student else None,
        "extended_until": iso(student.extended_until) if student else None,
        "own_due_at": iso(own_due(dates_of(facts.exercise), student.extended_until if student else None)),
        "draft_at": iso(student.draft_at) if student else None,
        "problem": (student.draft_problem if student else "") or (counting.problem if counting else ""),
        "submitted": snapshot_shown(counting) if counting else None,
    }


def last_activity(presence: progress.Presence, works: Sequence[progress.Work]) -> float | None:
    """When a student last did something, or something of theirs ended; Unix time, s."""
    moments = [presence.opened_at, presence.last_active_at]
    moments += [work.finished_at or work.submitted_at for work in works]
    return max((moment for moment in moments if moment is not None), default=None)


def _urgency(row: Json) -> tuple[bool, bool, str]:
    """Stuck first, then by name; who has not begun last."""
    return not row["stuck"], row["opened_at"] is None, row["name"].casefold()
