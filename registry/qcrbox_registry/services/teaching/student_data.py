"""What the store holds for a student in an exercise: the copy of its data, drafts of the notebook, what was handed in."""

from __future__ import annotations

from dataclasses import dataclass

from qcrbox.contract.errors import NotFound
from qcrbox.contract.teaching import Manifest

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.contents import Stored
from qcrbox_registry.services.context import Context
from qcrbox_registry.services.teaching import handed_files
from qcrbox_registry.store import datasets, events, trash
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import courses, snapshots, work
from qcrbox_registry.store.teaching.exercises import Exercise

# Drafts that were replaced are purged by the next sweep.
REPLACED = 1.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A saved notebook. problem: said by the sender in place of a notebook that was too large."""

    content: bytes = b""
    problem: str = ""


async def draft_bytes(context: Context, student: work.Student) -> bytes | None:
    """The newest draft of a student; None without one."""
    if student.draft_file_id is None:
        return None
    file_id = student.draft_file_id
    row = await context.db.read(lambda conn: datasets.get_file(conn, file_id, deleted=True))
    return b"".join([chunk async for chunk in context.objects.get(row.sha256)])


# ---------------------------------------------------------------- in a transaction


def _handed_in(conn: Connection, student: work.Student) -> list[str]:
    """Ids of the data files of everything that was submitted or collected."""
    kept: list[str] = []
    for each in snapshots.of_exercise(conn, student.exercise_id, student.person_id):
        kept += [handed_files.data_file_of(each, name) for name in handed_files.names_of(each)]
        kept += [each.notebook_file_id] if each.notebook_file_id else []
    return kept


def bytes_handed_in(conn: Connection, student: work.Student) -> int:
    """How much is kept of what a student submitted and of what was collected."""
    return sum(file.size for file in datasets.files_by_id(conn, _handed_in(conn, student)).values())


def discard_work(conn: Connection, student: work.Student) -> None:
    """Remove answers, drafts and receipts of a preview; the next sweep purges their contents."""
    kept = [*_handed_in(conn, student), *([student.draft_file_id] if student.draft_file_id else [])]
    work.discard(conn, student.exercise_id, student.person_id)
    for file in datasets.files_by_id(conn, kept).values():
        if file.deleted_at is None:
            datasets.retire_file(conn, file.id, REPLACED)


def copy_data(
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


def trash_data(conn: Connection, actor: Actor, student: work.Student, now: float) -> list[events.Event]:
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


def put_draft(
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
