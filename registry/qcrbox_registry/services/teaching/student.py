"""What a student does in an exercise: open it, keep drafts, answer, submit, see tasks and feedback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence

from qcrbox.contract.errors import Conflict, NotFound, TooLarge, UserInputError
from qcrbox.contract.models import iso
from qcrbox.contract.teaching import Manifest, Task

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.contents import ContentService, Stored
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.teaching import access, evidence, handed_files, progress
from qcrbox_registry.services.teaching.collection import freeze
from qcrbox_registry.services.teaching.deadlines import Phase, own_due, phase
from qcrbox_registry.services.teaching.exercises import dates_of, shown
from qcrbox_registry.services.teaching.handed_files import HandedFile
from qcrbox_registry.services.teaching.places import add_places
from qcrbox_registry.services.teaching.receipts import LARGEST_NOTEBOOK_BYTES, notebook_problem
from qcrbox_registry.services.teaching.student_data import (
    Draft,
    bytes_handed_in,
    copy_data,
    discard_work,
    draft_bytes,
    put_draft,
    trash_data,
)
from qcrbox_registry.services.teaching.views import feedback, progress_shown, snapshot_shown
from qcrbox_registry.store import events
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import exercises, marks, snapshots, work
from qcrbox_registry.store.teaching.exercises import Exercise

LONGEST_ANSWER = 4000
# Of one student in one exercise: what is submitted is kept for good and counts for no quota.
MOST_SUBMITTED_BYTES = 1024**3


class StudentService:
    """The student's side of exercises. Lecturers may do the same, to try an exercise."""

    def __init__(self, context: Context, contents: ContentService, facts: evidence.FactReader) -> None:
        self._context, self._contents, self._facts = context, contents, facts

    async def open(self, actor: Actor, exercise_id: str) -> Json:
        """Begin, or fetch the newest version: its files become a private dataset of the student.

        Who previewed it as staff and is a student now begins anew. Raises NotFound, Conflict when it is not open yet.
        """
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            found = _active(conn, actor, exercise_id, now)
            before, ended = _without_old_preview(conn, found, actor, now)
            manifest = exercises.manifest(conn, found.id, found.version)
            dataset_id, made = copy_data(conn, actor, found, manifest, before, now)
            opened = (before.opened_at if before else None) or now
            # Work that began as a student's stays that when its owner joins the staff.
            begins = before is None or before.opened_at is None
            mine = access.is_staff(actor, found.group_id) and (begins or (before and before.preview))
            work.note(
                conn,
                found.id,
                actor.person_id,
                opened_at=opened,
                version=found.version,
                dataset_id=dataset_id,
                last_active_at=now,
                preview=bool(mine or actor.preview),
            )
            if begins:
                record(conn, [audit.entry(actor, "open", now, kind="exercise", object_id=found.id)])
            return [*ended, *made, *_changed(conn, found, actor, now)]

        self._context.publish(await self._context.db.write(write))
        return await self.state(actor, exercise_id)

    async def state(self, actor: Actor, exercise_id: str) -> Json:
        """The student's own tasks, deadline, submissions, notes; marks once they are released. Raises NotFound.

        CIFs that a check has to read and nobody has read yet are read beside the request; an event says when they are.
        """
        now = time.time()

        def read(conn: Connection) -> tuple[Json, Sequence[Task], Sequence[work.Done]]:
            found = access.exercise(conn, actor, "do", exercise_id)
            student = work.student(conn, found.id, actor.person_id)
            body = shown(found, now, student, may_try=access.tries(actor, found.group_id))
            if body["phase"] == Phase.NOT_OPEN and not body["may_try"]:
                return {"exercise": body, "manifest": None, "tasks": [], "snapshots": [], "notes": []}, [], []
            manifest = exercises.manifest(conn, found.id, (student and student.version) or found.version)
            done = work.done(conn, found.id, actor.person_id)
            answers = work.answers(conn, found.id, actor.person_id).get(actor.person_id, {})
            state = {
                "exercise": body,
                "manifest": manifest.for_students(),
                "preview": bool(student and student.preview),
                "dataset_id": student.dataset_id if student else None,
                "draft_at": iso(student.draft_at) if student else None,
                "draft_problem": student.draft_problem if student else "",
                "tasks": _tasks(manifest, done, answers, student, now),
                "answers": {task_id: value for task_id, (value, _) in answers.items()},
                "snapshots": _snapshots(conn, found.id, actor.person_id),
                "notes": _notes(conn, found.id, actor.person_id),
                "feedback": feedback(conn, found, manifest, actor.person_id),
            }
            return state, manifest.tasks, done

        state, tasks, done = await self._context.db.read(read)
        self._facts.read_soon(exercise_id, tasks, done)
        add_places(self._context.scheduler, state["tasks"], now)
        return state

    # ------------------------------------------------------------ work

    async def answer(self, actor: Actor, exercise_id: str, task_id: str, value: str) -> Json:
        """Keep an answer. Raises NotFound, UserInputError, Conflict after the end."""
        now = time.time()
        if len(value) > LONGEST_ANSWER or "\x00" in value:
            raise UserInputError(f"An answer is text of at most {LONGEST_ANSWER} characters.")

        def write(conn: Connection) -> list[events.Event]:
            found = _active(conn, actor, exercise_id, now)
            student = _begun(conn, found, actor)
            manifest = exercises.manifest(conn, found.id, student.version or found.version)
            task = manifest.task(task_id)
            if task is None or task.kind == "calculation":
                raise NotFound(f"The exercise has no question {task_id[:40]!r}.")
            if task.choices and value and value not in task.choices:
                raise UserInputError(f"Choose one of: {', '.join(task.choices)}.")
            _collect_first(conn, found, student, now)
            work.put_answer(conn, found.id, actor.person_id, task_id, value, now)
            work.note(conn, found.id, actor.person_id, last_active_at=now)
            return _changed(conn, found, actor, now)

        self._context.publish(await self._context.db.write(write))
        return await self.state(actor, exercise_id)

    async def keep_draft(self, actor: Actor, exercise_id: str, draft: Draft) -> Json:
        """Keep a saved notebook as it is. Raises NotFound, TooLarge, Conflict after the end."""
        if len(draft.content) > LARGEST_NOTEBOOK_BYTES:
            raise TooLarge(
                f"The notebook is larger than {LARGEST_NOTEBOOK_BYTES // 1024**2} MiB.",
                next="Clear the outputs of large cells and save it again.",
            )
        now = time.time()
        await self._context.db.read(lambda conn: _begun(conn, _active(conn, actor, exercise_id, now), actor))
        stored = await self._store(draft.content) if draft.content else None

        def write(conn: Connection) -> tuple[float | None, list[events.Event]]:
            at = time.time()
            found = _active(conn, actor, exercise_id, at)
            student = _begun(conn, found, actor)
            _collect_first(conn, found, student, at)
            put_draft(conn, student, stored, draft, at)
            return student.draft_at if stored is None else at, _changed(conn, found, actor, at)

        draft_at, made = await self._context.db.write(write)
        self._context.publish(made)
        return {"draft_at": iso(draft_at), "problem": draft.problem}

    async def _store(self, content: bytes) -> Stored:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return await self._contents.store(chunks(), "notebook.ipynb")

    async def submit(
        self, actor: Actor, exercise_id: str, draft: Draft | None = None, files: Sequence[HandedFile] = ()
    ) -> Json:
        """Freeze the work of this moment with these files beside the notebook; the receipt.

        Raises NotFound, Conflict after the end.
        """
        if draft is not None and (draft.content or draft.problem):
            await self.keep_draft(actor, exercise_id, draft)
        now = time.time()
        await self._context.db.read(lambda conn: _begun(conn, _active(conn, actor, exercise_id, now), actor))
        beside = await handed_files.stored(self._contents, files)
        content = await self._draft_content(actor, exercise_id)
        # A large notebook takes a while to read: not in the writer, which serves everyone.
        problem = "" if content is None else await asyncio.to_thread(notebook_problem, content)

        def write(conn: Connection) -> tuple[Json, list[events.Event]]:
            found = _active(conn, actor, exercise_id, now)
            student = _begun(conn, found, actor)
            _require_room(conn, student)
            snapshot = freeze(conn, found, student, now, problem, beside)
            entry = audit.entry(
                actor, "submit", now, kind="exercise", object_id=found.id, receipt=snapshot.receipt
            )
            record(conn, [entry])
            shown_now = snapshot_shown(snapshots.get(conn, snapshot.id))
            return shown_now, _changed(conn, found, actor, now)

        receipt, made = await self._context.db.write(write)
        self._context.publish(made)
        return receipt

    async def discard_preview(self, actor: Actor, exercise_id: str) -> None:
        """Remove the staff member's own copy: answers, drafts, receipts; the data go to the trash, calculations stay.

        Raises NotFound, NotAllowed, Conflict for work that counts.
        """
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            found = access.exercise(conn, actor, "supervise", exercise_id)
            student = work.student(conn, found.id, actor.person_id)
            if student is None or student.opened_at is None:
                raise NotFound("You have no copy of this exercise.", next="Open the exercise to make one.")
            if not student.preview:
                raise Conflict(
                    "This is work of a student and no preview.",
                    why="You began it before you were lecturer or assistant of the course.",
                )
            return [*_discard(conn, actor, student, now), *_changed(conn, found, actor, now)]

        self._context.publish(await self._context.db.write(write))

    async def _draft_content(self, actor: Actor, exercise_id: str) -> bytes | None:
        student = await self._context.db.read(lambda conn: work.student(conn, exercise_id, actor.person_id))
        return None if student is None else await draft_bytes(self._context, student)


# ---------------------------------------------------------------- in a transaction


def _without_old_preview(
    conn: Connection, exercise: Exercise, actor: Actor, now: float
) -> tuple[work.Student | None, list[events.Event]]:
    """The row of the actor; a preview of someone who is a student by now is removed: it must not count as their work."""
    before = work.student(conn, exercise.id, actor.person_id)
    if before is None or not before.preview or actor.preview or access.is_staff(actor, exercise.group_id):
        return before, []
    return None, _discard(conn, actor, before, now)


def _discard(conn: Connection, actor: Actor, preview: work.Student, now: float) -> list[events.Event]:
    """Remove a preview of the actor; its data go to the trash."""
    made = trash_data(conn, actor, preview, now)
    discard_work(conn, preview)
    entry = audit.entry(actor, "discard preview", now, kind="exercise", object_id=preview.exercise_id)
    record(conn, [entry])
    return made


def _active(conn: Connection, actor: Actor, exercise_id: str, now: float) -> Exercise:
    """The exercise, when the actor may work in it now. Raises NotFound, NotAllowed, Conflict."""
    found = access.exercise(conn, actor, "do", exercise_id)
    access.require_active(found)
    student = work.student(conn, found.id, actor.person_id)
    extended = student.extended_until if student else None
    where = phase(dates_of(found), extended, now)
    if access.tries(actor, found.group_id):
        return found
    if where is Phase.NOT_OPEN:
        raise Conflict("The exercise is not open yet.", why=f"It opens at {iso(found.opens_at)}.")
    if where is Phase.CLOSED:
        raise Conflict(
            "The exercise is closed.",
            why=f"It was due at {iso(own_due(dates_of(found), extended))}; your work was collected.",
            next="Ask a lecturer of the course for more time.",
        )
    return found


def _require_room(conn: Connection, student: work.Student) -> None:
    """Raises TooLarge for a student who has submitted as much as anybody may."""
    if bytes_handed_in(conn, student) >= MOST_SUBMITTED_BYTES:
        raise TooLarge(
            f"You have submitted {MOST_SUBMITTED_BYTES // 1024**2} MiB in this exercise.",
            why="Every submission is kept.",
            next="The newest one counts; ask a lecturer of the course if another one is needed.",
        )


def _begun(conn: Connection, exercise: Exercise, actor: Actor) -> work.Student:
    student = work.student(conn, exercise.id, actor.person_id)
    if student is None or student.opened_at is None:
        raise Conflict("You have not opened this exercise yet.", next="Open it first.")
    return student


def _collect_first(conn: Connection, exercise: Exercise, student: work.Student, now: float) -> None:
    """Before late work replaces anything: freeze what was there at the deadline, when that was not done yet."""
    due = own_due(dates_of(exercise), student.extended_until)
    if due is None or now < due or snapshots.is_collected(conn, exercise.id, student.person_id, due):
        return
    freeze(conn, exercise, student, due, student.draft_problem)


def _changed(conn: Connection, exercise: Exercise, actor: Actor, now: float) -> list[events.Event]:
    event = events.Event("exercise", exercise.id, now, "changed", owner_id=actor.person_id)
    return list(events.write(conn, [event]))


def _snapshots(conn: Connection, exercise_id: str, person_id: int) -> list[Json]:
    return [snapshot_shown(each) for each in snapshots.of_exercise(conn, exercise_id, person_id)]


def _notes(conn: Connection, exercise_id: str, person_id: int) -> list[Json]:
    return [
        {"text": note.text, "by": note.by, "at": iso(note.at)}
        for note in marks.notes(conn, exercise_id, person_id)
    ]


def _tasks(
    manifest: Manifest,
    done: Sequence[work.Done],
    answers: Mapping[str, tuple[str, float]],
    student: work.Student | None,
    now: float,
) -> list[Json]:
    """The tasks of a student by their own calculations and answers."""
    works = [evidence.as_work(each) for each in done]
    presence = progress.Presence(
        student.opened_at if student else None, student.last_active_at if student else None
    )
    found = progress.of_student(manifest.tasks, works, evidence.typed(dict(answers)), presence, now)
    hints = {task.id: task.hint for task in manifest.tasks}
    return [{**progress_shown(each), "hint": hints[each.task_id]} for each in found]
