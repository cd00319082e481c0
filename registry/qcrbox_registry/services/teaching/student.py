"""What a student does in an exercise: open it, keep drafts, answer, submit, see tasks and feedback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from qcrbox.contract.errors import Conflict, NotFound, TooLarge, UserInputError
from qcrbox.contract.models import iso
from qcrbox.contract.teaching import Manifest

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
from qcrbox_registry.store import datasets, events, trash
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import courses, exercises, marks, snapshots, work
from qcrbox_registry.store.teaching.exercises import Exercise

LONGEST_ANSWER = 4000
# Drafts that were replaced are purged by the next sweep.
REPLACED = 1.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A saved notebook. problem: said by the sender in place of a notebook that was too large."""

    content: bytes = b""
    problem: str = ""


def progress_shown(found: progress.Progress) -> Json:
    """The state of a task as answers show it."""
    return {
        "task_id": found.task_id,
        "state": str(found.state),
        "words": found.words,
        "value": found.value,
        "calculation_id": found.calculation_id,
        "at": iso(found.at),
        "checks": [{"passed": result.passed, "words": result.words} for result in found.results],
    }


def snapshot_shown(found: snapshots.Snapshot) -> Json:
    """A snapshot as answers show it."""
    return {
        "id": found.id,
        "student": found.name,
        "reason": found.reason,
        "at": iso(found.at),
        "due_at": iso(found.due_at),
        "late": found.late,
        "receipt": found.receipt,
        "has_notebook": found.notebook_file_id is not None,
        "problem": found.problem,
        "files": handed_files.names_of(found),
    }


class StudentService:
    """The student's side of exercises. Lecturers may do the same, to try an exercise."""

    def __init__(self, context: Context, contents: ContentService) -> None:
        self._context, self._contents = context, contents

    async def open(self, actor: Actor, exercise_id: str) -> Json:
        """Begin, or fetch the newest version: its files become a private dataset of the student.

        Who previewed it as staff and is a student now begins anew. Raises NotFound, Conflict when it is not open yet.
        """
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            found = _active(conn, actor, exercise_id, now)
            before, ended = _without_old_preview(conn, found, actor, now)
            manifest = exercises.manifest(conn, found.id, found.version)
            dataset_id, made = _own_data(conn, actor, found, manifest, before, now)
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
            if before is None or before.opened_at is None:
                record(conn, [audit.entry(actor, "open", now, kind="exercise", object_id=found.id)])
            return [*ended, *made, *_changed(conn, found, actor, now)]

        self._context.publish(await self._context.db.write(write))
        return await self.state(actor, exercise_id)

    async def state(self, actor: Actor, exercise_id: str) -> Json:
        """The student's own tasks, deadline, submissions, notes; marks once they are released. Raises NotFound."""
        now = time.time()

        def read(conn: Connection) -> Json:
            found = access.exercise(conn, actor, "do", exercise_id)
            student = work.student(conn, found.id, actor.person_id)
            body = shown(found, now, student, may_try=access.tries(actor, found.group_id))
            if body["phase"] == Phase.NOT_OPEN and not body["may_try"]:
                return {"exercise": body, "manifest": None, "tasks": [], "snapshots": [], "notes": []}
            manifest = exercises.manifest(conn, found.id, (student and student.version) or found.version)
            return {
                "exercise": body,
                "manifest": manifest.for_students(),
                "preview": bool(student and student.preview),
                "dataset_id": student.dataset_id if student else None,
                "draft_at": iso(student.draft_at) if student else None,
                "draft_problem": student.draft_problem if student else "",
                "tasks": _tasks(conn, found, manifest, actor.person_id, student, now),
                "answers": _own_answers(conn, found.id, actor.person_id),
                "snapshots": [
                    snapshot_shown(each) for each in snapshots.of_exercise(conn, found.id, actor.person_id)
                ],
                "notes": [
                    {"text": note.text, "by": note.by, "at": iso(note.at)}
                    for note in marks.notes(conn, found.id, actor.person_id)
                ],
                "feedback": _feedback(conn, found, manifest, actor.person_id),
            }

        found = await self._context.db.read(read)
        add_places(self._context.scheduler, found["tasks"], now)
        return found

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

        def write(conn: Connection) -> list[events.Event]:
            at = time.time()
            found = _active(conn, actor, exercise_id, at)
            student = _begun(conn, found, actor)
            _collect_first(conn, found, student, at)
            _put_draft(conn, student, stored, draft, at)
            return _changed(conn, found, actor, at)

        self._context.publish(await self._context.db.write(write))
        return {"draft_at": iso(now), "problem": draft.problem}

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
            made = _without_data(conn, actor, student, now)
            discard_work(conn, student)
            record(conn, [audit.entry(actor, "discard preview", now, kind="exercise", object_id=found.id)])
            return [*made, *_changed(conn, found, actor, now)]

        self._context.publish(await self._context.db.write(write))

    async def _draft_content(self, actor: Actor, exercise_id: str) -> bytes | None:
        student = await self._context.db.read(lambda conn: work.student(conn, exercise_id, actor.person_id))
        return None if student is None else await draft_bytes(self._context, student)


async def draft_bytes(context: Context, student: work.Student) -> bytes | None:
    """The newest draft of a student; None without one."""
    if student.draft_file_id is None:
        return None
    file_id = student.draft_file_id
    row = await context.db.read(lambda conn: datasets.get_file(conn, file_id, deleted=True))
    return b"".join([chunk async for chunk in context.objects.get(row.sha256)])


# ---------------------------------------------------------------- in a transaction


def discard_work(conn: Connection, student: work.Student) -> None:
    """Remove answers, drafts and receipts of a preview; the next sweep purges their contents."""
    kept: list[str | None] = [student.draft_file_id]
    for each in snapshots.of_exercise(conn, student.exercise_id, student.person_id):
        beside = [handed_files.data_file_of(each, name) for name in handed_files.names_of(each)]
        kept += [each.notebook_file_id, *beside]
    work.discard(conn, student.exercise_id, student.person_id)
    for file in datasets.files_by_id(conn, [each for each in kept if each]).values():
        if file.deleted_at is None:
            datasets.retire_file(conn, file.id, REPLACED)


def _without_old_preview(
    conn: Connection, exercise: Exercise, actor: Actor, now: float
) -> tuple[work.Student | None, list[events.Event]]:
    """The row of the actor; a preview of someone who is a student by now is removed: it must not count as their work."""
    before = work.student(conn, exercise.id, actor.person_id)
    if before is None or not before.preview or actor.preview or access.is_staff(actor, exercise.group_id):
        return before, []
    made = _without_data(conn, actor, before, now)
    discard_work(conn, before)
    record(conn, [audit.entry(actor, "discard preview", now, kind="exercise", object_id=exercise.id)])
    return None, made


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


def _begun(conn: Connection, exercise: Exercise, actor: Actor) -> work.Student:
    student = work.student(conn, exercise.id, actor.person_id)
    if student is None or student.opened_at is None:
        raise Conflict("You have not opened this exercise yet.", next="Open it first.")
    return student


def _own_data(
    conn: Connection,
    actor: Actor,
    exercise: Exercise,
    manifest: Manifest,
    before: work.Student | None,
    now: float,
) -> tuple[str | None, list[events.Event]]:
    """The student's dataset with the files of the exercise; those that are missing are added, none is changed."""
    wanted = [file for file in manifest.files if not file.for_lecturers]
    if not wanted:
        return (before.dataset_id if before else None), []
    dataset_id = before.dataset_id if before else None
    if dataset_id is not None:
        try:
            datasets.get(conn, dataset_id)
        except NotFound:
            dataset_id = None
    if dataset_id is None:
        dataset = datasets.NewDataset(
            actor.person_id,
            name=exercise.title,
            description=f"Data of the exercise {exercise.title} ({exercise.course}).",
        )
        files = [datasets.NewFile(file.filename, file.sha256, file.size) for file in wanted]
        _with_index(conn, files)
        datasets.add_dataset(conn, dataset, files, now)
        return dataset.id, list(events.write(conn, [events.about("dataset", dataset, now, "created")]))
    there = {file.sha256 for file in datasets.files_of(conn, [dataset_id])[dataset_id]}
    new = [
        datasets.NewFile(file.filename, file.sha256, file.size) for file in wanted if file.sha256 not in there
    ]
    if not new:
        return dataset_id, []
    _with_index(conn, new)
    datasets.add_files(conn, new, datasets.Place(actor.person_id, None, dataset_id), now)
    row = datasets.get(conn, dataset_id)
    return dataset_id, list(events.write(conn, [events.about("dataset", row, now, "changed")]))


def _without_data(conn: Connection, actor: Actor, student: work.Student, now: float) -> list[events.Event]:
    """Move the copy of the data to the trash of its owner; without effect when that was done before."""
    if student.dataset_id is None:
        return []
    try:
        row = datasets.get(conn, student.dataset_id)
    except NotFound:
        return []
    trash.delete_dataset(conn, row.id, actor.person_id, now)
    return list(events.write(conn, [events.about("dataset", row, now, "deleted")]))


def _with_index(conn: Connection, files: list[datasets.NewFile]) -> None:
    """The index of the same contents that were indexed before."""
    for file in files:
        file.index = datasets.index_row_of(conn, file.sha256)


def _put_draft(
    conn: Connection, student: work.Student, stored: Stored | None, draft: Draft, now: float
) -> None:
    owner = courses.site_account(conn, now)
    file_id = student.draft_file_id
    if stored is not None:
        before = datasets.files_by_id(conn, [file_id])[file_id] if file_id else None
        if before is None or before.sha256 != stored.sha256 or before.deleted_at is not None:
            new = datasets.NewFile(f"{student.name}.ipynb", stored.sha256, stored.size)
            datasets.add_files(conn, [new], datasets.Place(owner), now)
            if before is not None and before.deleted_at is None:
                datasets.retire_file(conn, before.id, REPLACED)
            file_id = new.id
    values = {"draft_file_id": file_id, "draft_problem": draft.problem[:500], "last_active_at": now}
    if stored is not None:
        values["draft_at"] = now
    work.note(conn, student.exercise_id, student.person_id, **values)


def _collect_first(conn: Connection, exercise: Exercise, student: work.Student, now: float) -> None:
    """Before late work replaces anything: freeze what was there at the deadline, when that was not done yet."""
    due = own_due(dates_of(exercise), student.extended_until)
    if due is None or now < due or snapshots.collected(conn, exercise.id).get(student.person_id) == due:
        return
    freeze(conn, exercise, student, due, student.draft_problem)


def _changed(conn: Connection, exercise: Exercise, actor: Actor, now: float) -> list[events.Event]:
    event = events.Event("exercise", exercise.id, now, "changed", owner_id=actor.person_id)
    return list(events.write(conn, [event]))


def _tasks(
    conn: Connection,
    exercise: Exercise,
    manifest: Manifest,
    person_id: int,
    student: work.Student | None,
    now: float,
) -> list[Json]:
    done = work.done(conn, exercise.id, person_id)
    works = evidence.by_person(done).get(person_id, [])
    answers = evidence.typed(work.answers(conn, exercise.id, person_id).get(person_id))
    presence = progress.Presence(
        student.opened_at if student else None, student.last_active_at if student else None
    )
    found = progress.of_student(manifest.tasks, works, answers, presence, now)
    hints = {task.id: task.hint for task in manifest.tasks}
    return [{**progress_shown(each), "hint": hints[each.task_id]} for each in found]


def _own_answers(conn: Connection, exercise_id: str, person_id: int) -> dict[str, str]:
    answers = work.answers(conn, exercise_id, person_id).get(person_id, {})
    return {task_id: value for task_id, (value, _) in answers.items()}


def _feedback(conn: Connection, exercise: Exercise, manifest: Manifest, person_id: int) -> Json | None:
    """Marks and comments once they are released; None before."""
    if exercise.released_at is None:
        return None
    given = marks.of_exercise(conn, exercise.id, person_id).get(person_id, {})
    tasks = [
        {
            "task_id": task.id,
            "title": task.title,
            "points": given[task.id].counts if task.id in given else None,
            "most": task.points,
            "words": given[task.id].words if task.id in given else "",
            "comment": given[task.id].comment if task.id in given else "",
            "criteria": (given[task.id].criteria or []) if task.id in given else [],
        }
        for task in manifest.tasks
    ]
    general = given.get("")
    return {
        "points": sum(task["points"] or 0.0 for task in tasks),
        "most": manifest.points,
        "comment": general.comment if general else "",
        "tasks": tasks,
    }
