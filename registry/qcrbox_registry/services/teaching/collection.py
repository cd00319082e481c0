"""Collection: the work of every student at the deadline, frozen. Repeating it changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog
from qcrbox.background import again_and_again
from qcrbox.contract.errors import QcError
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.contents import Stored
from qcrbox_registry.services.context import Context
from qcrbox_registry.services.teaching import access, handed_files
from qcrbox_registry.services.teaching.deadlines import is_late, own_due
from qcrbox_registry.services.teaching.exercises import dates_of
from qcrbox_registry.services.teaching.receipts import notebook_problem, receipt
from qcrbox_registry.store import datasets
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import courses, exercises, snapshots, work
from qcrbox_registry.store.teaching.exercises import Exercise

LOOK_S = 15.0
log = structlog.get_logger(__name__)


def freeze(
    conn: Connection,
    exercise: Exercise,
    student: work.Student,
    at: float,
    problem: str,
    submitted: Sequence[Stored] | None = None,
) -> snapshots.NewSnapshot:
    """Write a snapshot of what a student has: notebook, answers, calculations submitted until `at`.

    submitted: the files beside the notebook when the student submits; None when the work is collected.
    """
    reason = "collected" if submitted is None else "submitted"
    due = own_due(dates_of(exercise), student.extended_until)
    late = reason == "submitted" and is_late(due, at)
    file_id, sha256 = _kept_notebook(conn, student, at)
    answers = work.answers(conn, exercise.id, student.person_id).get(student.person_id, {})
    done = work.done(conn, exercise.id, student.person_id)
    content = {
        "exercise": exercise.id,
        "version": student.version or exercise.version,
        "student": student.name,
        "notebook_sha256": sha256,
        "draft_at": iso(student.draft_at),
        "answers": {task: [value, iso(when)] for task, (value, when) in sorted(answers.items())},
        "calculations": [each.id for each in done if each.submitted_at <= at],
        "at": iso(at),
    }
    if submitted:
        content["files"] = handed_files.keep(conn, submitted, at)
    new = snapshots.NewSnapshot(
        exercise_id=exercise.id,
        person_id=student.person_id,
        reason=reason,
        at=at,
        due_at=due,
        late=late,
        content=content,
        receipt=receipt(content),
        notebook_file_id=file_id,
        problem=problem or student.draft_problem or ("" if sha256 else "No notebook was saved."),
    )
    snapshots.add(conn, new)
    return new


def _kept_notebook(conn: Connection, student: work.Student, at: float) -> tuple[str | None, str]:
    """A row of the draft's contents that later drafts do not replace: (data file id, SHA-256)."""
    if student.draft_file_id is None:
        return None, ""
    draft = datasets.get_file(conn, student.draft_file_id, deleted=True)
    kept = datasets.NewFile(draft.filename, draft.sha256, draft.size)
    datasets.add_files(conn, [kept], datasets.Place(courses.site_account(conn, at)), at)
    return kept.id, draft.sha256


class CollectionService:
    """Collects at deadlines, and when a lecturer asks for it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self) -> None:
        """Collect what is due again and again; what a stopped registry missed is collected after its start."""
        await again_and_again(
            lambda: self.collect_due(time.time()),
            LOOK_S,
            lambda error: log.error("collection_failed", error=repr(error)),
        )

    async def collect_due(self, now: float) -> int:
        """Freeze the work of everyone whose deadline has passed and who has no snapshot for it; how many."""
        due = await self._context.db.read(lambda conn: exercises.with_deadline_before(conn, now))
        number = 0
        for exercise in due:
            number += await self._collect(exercise, now, everyone=False)
        return number

    async def collect_now(self, actor: Actor, exercise_id: str) -> int:
        """Freeze the work of all students now, whatever the deadline. Raises NotFound, NotAllowed."""
        found = await self._context.db.read(lambda conn: access.exercise(conn, actor, "teach", exercise_id))
        access.require_active(found)
        now = time.time()
        number = await self._collect(found, now, everyone=True)
        entry = audit.entry(actor, "collect", now, kind="exercise", object_id=exercise_id, students=number)
        await self._context.db.write(lambda conn: record(conn, [entry]))
        return number

    async def _collect(self, exercise: Exercise, now: float, *, everyone: bool) -> int:
        """One transaction a student: a fault in the work of one does not keep the others from being collected."""
        students = await self._context.db.read(lambda conn: work.students(conn, exercise.id))
        number = 0
        for student in students:
            if student.opened_at is None:
                continue
            problem = await self._problem(student)

            def write(conn: Connection, student: work.Student = student, problem: str = problem) -> bool:
                return _collect_one(conn, exercise, student, now, problem, everyone=everyone)

            try:
                number += await self._context.db.write(write)
            except Exception as error:  # noqa: BLE001 - whatever a student has, the next must be collected
                log.error(
                    "student_not_collected", exercise=exercise.id, student=student.name, error=repr(error)
                )
        return number

    async def _problem(self, student: work.Student) -> str:
        """What is wrong with the notebook, read as data."""
        if student.draft_file_id is None:
            return ""
        file_id = student.draft_file_id
        try:
            row = await self._context.db.read(lambda conn: datasets.get_file(conn, file_id, deleted=True))
            content = b"".join([chunk async for chunk in self._context.objects.get(row.sha256)])
        except QcError as error:
            return f"The notebook could not be read: {error.message}"
        return await asyncio.to_thread(notebook_problem, content)


def _collect_one(
    conn: Connection, exercise: Exercise, student: work.Student, now: float, problem: str, *, everyone: bool
) -> bool:
    fresh = work.student(conn, exercise.id, student.person_id)
    if fresh is None or fresh.opened_at is None or fresh.preview:
        return False
    due = own_due(dates_of(exercise), fresh.extended_until)
    if everyone:
        freeze(conn, exercise, fresh, now, problem)
        return True
    if due is None or now < due:
        return False
    if snapshots.is_collected(conn, exercise.id, fresh.person_id, due):
        return False
    freeze(conn, exercise, fresh, due, problem)
    return True
