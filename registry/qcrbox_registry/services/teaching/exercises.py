"""Exercises: made from a notebook, data and tasks; new versions; dates; their files."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from qcrbox.contract.errors import Conflict, NotFound, TooLarge, UserInputError
from qcrbox.contract.models import iso
from qcrbox.contract.teaching import ExerciseFile, Manifest, Task
from qcrbox.spec.exercise_tags import without_answers

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized
from qcrbox_registry.services.contents import Content, ContentService, Stored
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.teaching import access
from qcrbox_registry.services.teaching.deadlines import Dates, Phase, own_due, phase
from qcrbox_registry.services.teaching.receipts import LARGEST_NOTEBOOK_BYTES, notebook_problem
from qcrbox_registry.store import datasets
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import exercises, work
from qcrbox_registry.store.teaching.exercises import Exercise

NOTEBOOK = "notebook.ipynb"


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a lecturer hands in for an exercise. files: (data file id, only for lecturers). keep_files_of: the newest
    version, whose notebook and files stay where this one brings none of the name."""

    title: str
    text: str = ""
    minutes: int | None = None
    tasks: Sequence[Task] = ()
    notebook: str | None = None  # its JSON text
    notebook_name: str = NOTEBOOK
    files: Sequence[tuple[str, bool]] = ()
    keep_files_of: int | None = None


@dataclass(frozen=True, slots=True)
class ExerciseChange:
    """New dates, visibility, answers from the store; `fields` names what is given."""

    published: bool | None = None
    opens_at: float | None = None
    due_at: float | None = None
    late_until: float | None = None
    answers_from_store: bool | None = None
    fields: frozenset[str] = field(default_factory=frozenset)


def dates_of(exercise: Exercise) -> Dates:
    """The dates of an exercise."""
    return Dates(exercise.opens_at, exercise.due_at, exercise.late_until)


def shown(
    exercise: Exercise, now: float, student: work.Student | None = None, *, may_try: bool = False
) -> Json:
    """An exercise as answers show it, with the dates that hold for a student. may_try: they do not hold for the caller."""
    extended = student.extended_until if student else None
    return {
        "id": exercise.id,
        "course_id": exercise.course_id,
        "course": exercise.course,
        "group": exercise.group,
        "title": exercise.title,
        "version": exercise.version,
        "published": exercise.published,
        "archived": exercise.archived_at is not None,
        "opens_at": iso(exercise.opens_at),
        "due_at": iso(exercise.due_at),
        "late_until": iso(exercise.late_until),
        "released_at": iso(exercise.released_at),
        "answers_from_store": exercise.answers_from_store,
        "own_due_at": iso(own_due(dates_of(exercise), extended)),
        "phase": str(phase(dates_of(exercise), extended, now)),
        "opened_at": iso(student.opened_at) if student else None,
        "own_version": student.version if student else None,
        "may_try": may_try,
    }


class ExerciseService:
    """Exercises that a person may see or change."""

    def __init__(self, context: Context, contents: ContentService) -> None:
        self._context, self._contents = context, contents

    async def of_course(self, actor: Actor, course_id: str) -> list[Json]:
        """The exercises of a course; students see the published ones. Raises NotFound."""
        now = time.time()

        def read(conn: Connection) -> list[Json]:
            course = access.course(conn, actor, "read", course_id)
            tries = access.tries(actor, course.group_id)
            return [
                shown(each, now, work.student(conn, each.id, actor.person_id), may_try=tries)
                for each in exercises.of_course(conn, course.id)
                if tries or each.published
            ]

        return await self._context.db.read(read)

    async def create(self, actor: Actor, course_id: str, new: NewVersion) -> Json:
        """An exercise, not published yet. Raises NotFound, NotAllowed, UserInputError, TooLarge."""
        course = await self._context.db.read(lambda conn: access.course(conn, actor, "teach", course_id))
        access.require_active(course)
        if new.keep_files_of is not None:
            raise UserInputError("A new exercise has no version before it: leave out keep_files_of.")
        prepared = await self._prepare(actor, new, None)

        def write(conn: Connection) -> str:
            access.course(conn, actor, "teach", course_id)
            now = time.time()
            made = exercises.create(conn, course_id, new.title, actor.person_id, now)
            self._add(conn, actor, made, prepared, now)
            return made

        return await self.get(actor, await self._context.db.write(write))

    async def add_version(self, actor: Actor, exercise_id: str, new: NewVersion) -> Json:
        """A new version; students get it when they fetch the exercise again.

        Raises as `create`, and Conflict when `keep_files_of` is not the newest version any more.
        """

        def read(conn: Connection) -> Manifest | None:
            found = access.exercise(conn, actor, "teach", exercise_id)
            access.require_active(found)
            _require_newest(found, new)
            return None if new.keep_files_of is None else exercises.manifest(conn, found.id, found.version)

        prepared = await self._prepare(actor, new, await self._context.db.read(read))

        def write(conn: Connection) -> None:
            _require_newest(access.exercise(conn, actor, "teach", exercise_id), new)
            self._add(conn, actor, exercise_id, prepared, time.time())

        await self._context.db.write(write)
        return await self.get(actor, exercise_id)

    def _add(self, conn: Connection, actor: Actor, exercise_id: str, prepared: _Prepared, now: float) -> None:
        files = [datasets.NewFile(file.filename, file.sha256, file.size) for file in prepared.stored]
        number = exercises.add_version(conn, exercise_id, prepared.manifest, files, actor.person_id, now)
        entry = audit.entry(
            actor, "write version", now, kind="exercise", object_id=exercise_id, version=number
        )
        record(conn, [entry])

    async def _prepare(self, actor: Actor, new: NewVersion, before: Manifest | None) -> _Prepared:
        stored: list[Stored] = []
        notebook = None
        if new.notebook is not None:
            kept = await self._store_notebook(without_answers(new.notebook).encode(), new.notebook_name)
            stored.append(kept)
            notebook = ExerciseFile(filename=kept.filename, sha256=kept.sha256, size=kept.size)

        def read(conn: Connection) -> list[datasets.DataFile]:
            return [authorized.data_file(conn, actor, "read", file_id) for file_id, _ in new.files]

        rows = await self._context.db.read(read)
        files = [
            ExerciseFile(filename=row.filename, sha256=row.sha256, size=row.size, for_lecturers=hidden)
            for row, (_, hidden) in zip(rows, new.files, strict=True)
        ]
        stored += [Stored(row.filename, row.sha256, row.size) for row in rows]
        if before is not None:
            names = {file.filename.casefold() for file in files}
            kept_files = [file for file in before.files if file.filename.casefold() not in names]
            files = [*kept_files, *files]
            if notebook is None and before.notebook is not None:
                notebook = before.notebook
                kept_files.append(notebook)
            stored += [Stored(file.filename, file.sha256, file.size) for file in kept_files]
        if notebook and any(file.filename.casefold() == notebook.filename.casefold() for file in files):
            raise UserInputError(f"The notebook and a data file are both called {notebook.filename}.")
        manifest = Manifest(
            title=new.title,
            text=new.text,
            minutes=new.minutes,
            notebook=notebook,
            files=files,
            tasks=list(new.tasks),
        )
        return _Prepared(manifest, stored)

    async def _store_notebook(self, content: bytes, name: str) -> Stored:
        if len(content) > LARGEST_NOTEBOOK_BYTES:
            raise TooLarge(
                f"The notebook is larger than {LARGEST_NOTEBOOK_BYTES // 1024**2} MiB.",
                next="Clear its outputs and store large data as files of the exercise.",
            )
        if problem := notebook_problem(content):
            raise UserInputError(problem, next="Save the notebook in Lab and hand it in again.")
        filename = datasets.safe_name(name)
        if not filename.endswith(".ipynb"):
            filename += ".ipynb"

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return await self._contents.store(chunks(), filename)

    async def get(self, actor: Actor, exercise_id: str, *, as_student: bool = False) -> Json:
        """An exercise with its manifest; students get it without the answers. Raises NotFound.

        as_student: what a student gets once it is published and open; for the staff, else NotAllowed.
        """
        now = time.time()

        def read(conn: Connection) -> Json:
            found = access.exercise(conn, actor, "supervise" if as_student else "read", exercise_id)
            staff = access.is_staff(actor, found.group_id) and not as_student
            student = work.student(conn, found.id, actor.person_id)
            may_try = access.tries(actor, found.group_id) and not as_student
            body = shown(found, now, student, may_try=may_try)
            if not (may_try or as_student) and body["phase"] == Phase.NOT_OPEN:
                return {**body, "manifest": None, "staff": False}
            manifest = exercises.manifest(conn, found.id, found.version)
            described = manifest.model_dump(mode="json") if staff else manifest.for_students()
            return {**body, "manifest": described, "points": manifest.points, "staff": staff}

        return await self._context.db.read(read)

    async def change(self, actor: Actor, exercise_id: str, asked: ExerciseChange) -> Json:
        """Set dates, visibility and answers from the store. Raises NotFound, NotAllowed, UserInputError."""
        now = time.time()

        def write(conn: Connection) -> None:
            found = access.exercise(conn, actor, "teach", exercise_id)
            access.require_active(found)
            values: dict[str, Any] = {name: getattr(asked, name) for name in sorted(asked.fields)}
            merged = {
                name: values.get(name, getattr(found, name)) for name in ("opens_at", "due_at", "late_until")
            }
            Dates(**merged).check()
            for name in ("published", "answers_from_store"):
                if values.get(name) is None:
                    values.pop(name, None)
            if values:
                exercises.change(conn, exercise_id, values, now)
                entry = audit.entry(actor, "change", now, kind="exercise", object_id=exercise_id, **values)
                record(conn, [entry])

        await self._context.db.write(write)
        return await self.get(actor, exercise_id)

    async def content(
        self,
        actor: Actor,
        exercise_id: str,
        filename: str,
        version: int | None,
        *,
        as_student: bool = False,
    ) -> Content:
        """A file of the exercise, or its notebook. Raises NotFound, also for what students may not see (yet).

        Students get the newest version and the one they have; the staff every version.

        as_student: as in `get`.
        """
        now = time.time()

        def read(conn: Connection) -> ExerciseFile:
            found = access.exercise(conn, actor, "supervise" if as_student else "do", exercise_id)
            staff = access.is_staff(actor, found.group_id) and not as_student
            student = work.student(conn, found.id, actor.person_id)
            extended = student.extended_until if student else None
            early = as_student or access.tries(actor, found.group_id)
            if not early and phase(dates_of(found), extended, now) is Phase.NOT_OPEN:
                raise _no_file(filename)
            wanted = version or found.version
            # An earlier one may hold by mistake what a correction hid from students before it was published.
            if not staff and wanted not in (found.version, student.version if student else None):
                raise _no_file(filename)
            return _file_of(exercises.manifest(conn, found.id, wanted), filename, staff=staff)

        file = await self._context.db.read(read)
        return Content(file.filename, file.sha256, file.size, self._context.objects.get(file.sha256))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A version whose contents are in the object store."""

    manifest: Manifest
    stored: list[Stored]


def _require_newest(found: Exercise, new: NewVersion) -> None:
    """Raises Conflict when the version whose files are kept is not the newest: somebody wrote one meanwhile."""
    if new.keep_files_of not in (None, found.version):
        raise Conflict(
            f"Version {found.version} was written meanwhile.",
            why=f"This one was made from version {new.keep_files_of}.",
            next="Load the page again and make your changes in the new version.",
        )


def _file_of(manifest: Manifest, filename: str, *, staff: bool) -> ExerciseFile:
    """A file of a version, or its notebook. Raises NotFound, also for what is for lecturers alone."""
    for file in (*([manifest.notebook] if manifest.notebook else []), *manifest.files):
        if file.filename == filename and (staff or not file.for_lecturers):
            return file
    raise _no_file(filename)


def _no_file(filename: str) -> NotFound:
    return NotFound(f"The exercise has no file {filename[:200]!r}.")
