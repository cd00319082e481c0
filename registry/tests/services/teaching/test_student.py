"""The student's side of an exercise: when it can be worked in, what is kept, what is shown to whom."""

from __future__ import annotations

import json

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, TooLarge, UserInputError
from qcrbox.contract.teaching import Task
from qcrbox_registry.access.rights import PreviewOf
from qcrbox_registry.services.teaching import student as module
from qcrbox_registry.services.teaching.exercises import NewVersion
from qcrbox_registry.services.teaching.handed_files import HandedFile
from qcrbox_registry.services.teaching.marking import GivenMark
from qcrbox_registry.services.teaching.student_data import Draft
from qcrbox_registry.store import datasets, trash
from qcrbox_registry.store.teaching import courses, snapshots, work

HOUR = 3600.0
NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "raw", "source": "x"}]}).encode()
PHASES = {
    "not open": {"opens_at": HOUR},
    "open": {"opens_at": -HOUR, "due_at": HOUR},
    "late": {"due_at": -HOUR, "late_until": HOUR},
    "closed": {"due_at": -HOUR},
}


async def in_phase(course, now, phase, *names):
    dates = {name: now + at for name, at in PHASES[phase].items()}
    return await course.opened(*names, dates=dates)


ACTS = {
    "open": lambda course, who, exercise: course.students.open(who, exercise),
    "answer": lambda course, who, exercise: course.students.answer(who, exercise, "why", "because"),
    "draft": lambda course, who, exercise: course.students.keep_draft(who, exercise, Draft(NOTEBOOK)),
    "submit": lambda course, who, exercise: course.students.submit(who, exercise),
}


# ---------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("phase", "words"),
    [("not open", "not open yet"), ("open", ""), ("late", ""), ("closed", "closed")],
)
async def test_students_work_while_an_exercise_is_open_or_late(course, now, phase, words):
    exercise = await in_phase(course, now, phase, "ada")
    for act in ACTS.values():
        if not words:
            assert await act(course, course.ada, exercise)
            continue
        with pytest.raises(Conflict, match=words):
            await act(course, course.ada, exercise)


@pytest.mark.parametrize("phase", PHASES)
async def test_the_staff_try_an_exercise_in_every_phase(course, now, phase):
    exercise = await in_phase(course, now, phase, "assistant")
    for act in ACTS.values():
        assert await act(course, course.assistant, exercise)


@pytest.mark.parametrize("who", ["ada", "assistant", "lecturer"])
async def test_nobody_works_in_an_archived_course(course, who):
    exercise = await course.opened(who)
    course.world.do(courses.change, course.id, archived_at=1.0)
    for act in ACTS.values():
        with pytest.raises(Conflict, match="archived"):
            await act(course, course.people[who], exercise)


async def test_the_exercise_of_another_course_does_not_exist(course):
    exercise = await course.exercise()
    for act in ACTS.values():
        with pytest.raises(NotFound, match=f"no exercise '{exercise}'"):
            await act(course, course.eve, exercise)


async def test_a_hidden_exercise_does_not_exist_for_a_student_who_had_opened_it(course):
    exercise = await course.opened("ada")
    await course.change(exercise, published=False)
    for act in ACTS.values():
        with pytest.raises(NotFound):
            await act(course, course.ada, exercise)


@pytest.mark.parametrize("extended", [False, True])
async def test_an_exercise_is_opened_before_anything_is_handed_in(course, now, extended):
    exercise = await course.exercise(due_at=now + HOUR)
    if extended:  # a row of the student without work
        await course.board.extend(course.lecturer, exercise, "ada", now + 2 * HOUR, "")
    for act in ("answer", "draft", "submit"):
        with pytest.raises(Conflict, match="have not opened"):
            await ACTS[act](course, course.ada, exercise)


async def test_an_extension_opens_the_exercise_for_its_student_alone(course, now):
    exercise = await in_phase(course, now, "closed", "ada", "bob")
    await course.board.extend(course.assistant, exercise, "ada", now + HOUR, "ill")
    assert not (await course.students.submit(course.ada, exercise))["late"]
    with pytest.raises(Conflict, match="closed"):
        await course.students.submit(course.bob, exercise)
    await course.board.extend(course.assistant, exercise, "ada", None, "")
    with pytest.raises(Conflict, match="closed"):
        await course.students.answer(course.ada, exercise, "why", "x")


# ---------------------------------------------------------------- opening


async def test_opening_notes_the_moment_once_and_the_version_of_each_time(course, trail):
    exercise = await course.opened("ada")
    ada = course.world.person["ada"]
    first = course.world.ask(work.student, exercise, ada)
    await course.exercises.add_version(course.lecturer, exercise, NewVersion("Two"))
    assert (await course.students.state(course.ada, exercise))["exercise"]["own_version"] == 1
    await course.students.open(course.ada, exercise)
    again = course.world.ask(work.student, exercise, ada)
    assert (again.opened_at, again.version) == (first.opened_at, 2)
    assert [each for each in await trail() if each[:2] == ("ada", "open")] == [("ada", "open", exercise)]


async def test_the_copy_of_the_data_has_the_files_for_students(course, file_of):
    files = [
        (file_of("lecturer", "a.txt", b"data"), False),
        (file_of("lecturer", "key.txt", b"answer"), True),
    ]
    exercise = await course.opened("ada", files=files)
    found = await course.students.state(course.ada, exercise)
    copy = course.world.ask(datasets.files_of, [found["dataset_id"]])[found["dataset_id"]]
    assert [(file.filename, file.owner) for file in copy] == [("a.txt", "ada")]
    assert [file["filename"] for file in found["manifest"]["files"]] == ["a.txt"]


async def test_a_new_version_adds_its_files_and_changes_none_of_the_students(course, file_of):
    exercise = await course.opened("ada", files=[(file_of("lecturer", "a.txt", b"one"), False)])
    dataset = (await course.students.state(course.ada, exercise))["dataset_id"]
    (mine,) = course.world.ask(datasets.files_of, [dataset])[dataset]
    course.world.do(datasets.rename_file, mine.id, "my-own-name.txt")
    new = NewVersion("Two", files=[(file_of("lecturer", "a.txt", b"corrected"), False)], keep_files_of=1)
    await course.exercises.add_version(course.lecturer, exercise, new)
    await course.students.open(course.ada, exercise)
    names = [file.filename for file in course.world.ask(datasets.files_of, [dataset])[dataset]]
    assert names == ["my-own-name.txt", "a.txt"]
    await course.students.open(course.ada, exercise)
    assert len(course.world.ask(datasets.files_of, [dataset])[dataset]) == 2


async def test_an_exercise_without_data_makes_no_dataset(course):
    exercise = await course.opened("ada")
    assert (await course.students.state(course.ada, exercise))["dataset_id"] is None


# ---------------------------------------------------------------- what is seen


async def test_before_it_opens_a_student_sees_the_date_and_no_task(course, now):
    exercise = await course.exercise(opens_at=now + HOUR)
    found = await course.students.state(course.ada, exercise)
    assert (found["manifest"], found["tasks"], found["notes"]) == (None, [], [])
    assert found["exercise"]["opens_at"] is not None
    assert (await course.students.state(course.assistant, exercise))["manifest"]["title"] == "Quartz"


async def test_what_a_student_sees_is_their_own(course):
    exercise = await course.opened("ada", "bob")
    await course.students.answer(course.ada, exercise, "why", "of ada")
    await course.students.submit(course.ada, exercise)
    await course.board.note(course.lecturer, exercise, "ada", "for ada")
    await course.board.note(course.lecturer, exercise, None, "for all")
    course.calculation(exercise, "ada")
    seen = await course.students.state(course.bob, exercise)
    assert (seen["answers"], seen["snapshots"]) == ({}, [])
    assert [note["text"] for note in seen["notes"]] == ["for all"]
    assert {task["state"] for task in seen["tasks"]} == {"not_begun"}


async def test_marks_are_seen_once_they_are_released_and_not_after_they_are_hidden_again(course):
    exercise = await course.opened("ada")
    fields = frozenset({"points", "comment"})
    await course.marking.give(course.assistant, exercise, "ada", GivenMark("why", 3.5, "good", fields))
    await course.marking.give(
        course.assistant, exercise, "ada", GivenMark("", None, "well done", frozenset({"comment"}))
    )
    seen = []
    for released in (None, True, False):
        if released is not None:
            await course.marking.release(course.lecturer, exercise, released)
        seen.append((await course.students.state(course.ada, exercise))["feedback"])
    assert seen[0] is None
    assert seen[2] is None
    assert (seen[1]["points"], seen[1]["most"], seen[1]["comment"]) == (3.5, 9.0, "well done")
    why = next(task for task in seen[1]["tasks"] if task["task_id"] == "why")
    assert (why["points"], why["comment"], why["most"]) == (3.5, "good", 4.0)
    assert [task["points"] for task in seen[1]["tasks"]] == [None, None, 3.5]


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("task", "value", "refusal", "words"),
    [
        ("none", "x", NotFound, "no question 'none'"),
        ("refine", "x", NotFound, "no question 'refine'"),
        ("which", "Xe", UserInputError, "Choose one of: Si, Ge"),
        ("why", "x" * 4001, UserInputError, "at most 4000 characters"),
        ("why", "a\x00b", UserInputError, "at most 4000 characters"),
    ],
    ids=["no task", "of a calculation", "no choice", "too long", "NUL"],
)
async def test_what_is_no_answer_to_a_question_is_refused(course, task, value, refusal, words):
    tasks = [
        Task(id="refine", title="Refine"),
        Task(id="why", title="Why?", kind="answer"),
        Task(id="which", title="Which?", kind="answer", choices=["Si", "Ge"]),
    ]
    exercise = await course.opened("ada", tasks=tasks)
    with pytest.raises(refusal, match=words):
        await course.students.answer(course.ada, exercise, task, value)
    assert course.world.ask(work.answers, exercise) == {}


async def test_an_answer_is_taken_back_with_an_empty_one(course):
    tasks = [Task(id="which", title="Which?", kind="answer", choices=["Si", "Ge"], accepted=["Si"])]
    exercise = await course.opened("ada", tasks=tasks)
    for value, state in (("Si", "done"), ("", "not_begun")):
        found = await course.students.answer(course.ada, exercise, "which", value)
        assert found["tasks"][0]["state"] == state


async def test_an_answer_to_a_question_of_a_newer_version_waits_until_the_student_has_it(course):
    exercise = await course.opened("ada")
    new = NewVersion("Two", tasks=[Task(id="new", title="New?", kind="answer")])
    await course.exercises.add_version(course.lecturer, exercise, new)
    with pytest.raises(NotFound, match="no question 'new'"):
        await course.students.answer(course.ada, exercise, "new", "x")
    await course.students.open(course.ada, exercise)
    assert (await course.students.answer(course.ada, exercise, "new", "x"))["answers"] == {"new": "x"}


# ---------------------------------------------------------------- drafts


async def test_a_notebook_above_the_limit_is_refused_and_the_reason_is_kept_instead(course, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_NOTEBOOK_BYTES", 1024**2)
    exercise = await course.opened("ada")
    with pytest.raises(TooLarge, match="larger than 1 MiB") as refused:
        await course.students.keep_draft(course.ada, exercise, Draft(b"x" * (1024**2 + 1)))
    assert "outputs" in refused.value.next
    await course.students.keep_draft(course.ada, exercise, Draft(problem="The notebook is too large."))
    found = await course.students.state(course.ada, exercise)
    assert (found["draft_problem"], found["draft_at"]) == ("The notebook is too large.", None)


async def test_a_problem_without_a_notebook_keeps_the_notebook_that_is_there(course):
    exercise = await course.opened("ada")
    first = await course.students.keep_draft(course.ada, exercise, Draft(NOTEBOOK))
    second = await course.students.keep_draft(course.ada, exercise, Draft(problem="too large"))
    assert second["draft_at"] == first["draft_at"], "nothing was saved the second time"
    content = await course.board.notebook(course.lecturer, exercise, "ada")
    assert b"".join([chunk async for chunk in content.chunks]) == NOTEBOOK


async def test_a_replaced_draft_is_given_free_and_an_unchanged_one_stays(course):
    exercise = await course.opened("ada")
    ada = course.world.person["ada"]
    await course.students.keep_draft(course.ada, exercise, Draft(NOTEBOOK))
    first = course.world.ask(work.student, exercise, ada).draft_file_id
    await course.students.keep_draft(course.ada, exercise, Draft(NOTEBOOK))
    assert course.world.ask(work.student, exercise, ada).draft_file_id == first
    await course.students.keep_draft(course.ada, exercise, Draft(NOTEBOOK + b" "))
    second = course.world.ask(work.student, exercise, ada).draft_file_id
    rows = course.world.ask(datasets.files_by_id, [first, second])
    assert (rows[first].deleted_at, rows[second].deleted_at) == (1.0, None)
    assert rows[second].owner == "teaching", "no person can delete what is collected"


async def test_the_draft_after_a_purge_is_stored_again(course):
    """The same bytes as a draft whose row is in the trash are a new file."""
    exercise = await course.opened("ada")
    ada = course.world.person["ada"]
    await course.students.keep_draft(course.ada, exercise, Draft(NOTEBOOK))
    first = course.world.ask(work.student, exercise, ada).draft_file_id
    course.world.do(datasets.retire_file, first, 1.0)
    await course.students.keep_draft(course.ada, exercise, Draft(NOTEBOOK))
    second = course.world.ask(work.student, exercise, ada).draft_file_id
    assert second != first
    assert course.world.ask(datasets.get_file, second).sha256


# ---------------------------------------------------------------- submitting


async def test_a_receipt_names_what_was_handed_in(course):
    exercise = await course.opened("ada")
    await course.students.answer(course.ada, exercise, "why", "because")
    files = [HandedFile("a.txt", b"one"), HandedFile("b.txt", b"two")]
    found = await course.students.submit(course.ada, exercise, Draft(NOTEBOOK), files)
    assert (found["student"], found["reason"], found["late"]) == ("ada", "submitted", False)
    assert (found["files"], found["has_notebook"], found["problem"]) == (["a.txt", "b.txt"], True, "")
    content = await course.board.snapshot_file(course.ada, found["id"], "b.txt")
    assert b"".join([chunk async for chunk in content.chunks]) == b"two"
    with pytest.raises(NotFound, match=r"no file 'c\.txt'"):
        await course.board.snapshot_file(course.ada, found["id"], "c.txt")


async def test_every_submission_is_kept_and_the_newest_counts(course):
    exercise = await course.opened("ada")
    first = await course.students.submit(course.ada, exercise, Draft(NOTEBOOK))
    await course.students.answer(course.ada, exercise, "why", "because")
    second = await course.students.submit(course.ada, exercise, Draft(NOTEBOOK))
    found = course.world.ask(snapshots.of_exercise, exercise)
    assert [each.id for each in found] == [first["id"], second["id"]]
    assert snapshots.counting(found).id == second["id"]
    assert first["receipt"] != second["receipt"]


@pytest.mark.attack(12)
async def test_submissions_have_an_end_for_each_student(course, monkeypatch):
    """Each is kept for good and belongs to the site: without an end one student could fill the disk."""
    monkeypatch.setattr(module, "MOST_SUBMITTED_BYTES", 1024**2)
    exercise = await course.opened("ada", "bob")
    files = [HandedFile("a.bin", b"x" * (512 * 1024))]
    for _ in range(2):
        await course.students.submit(course.ada, exercise, Draft(NOTEBOOK), files)
    with pytest.raises(TooLarge, match="submitted 1 MiB in this exercise") as refused:
        await course.students.submit(course.ada, exercise)
    assert "newest one counts" in refused.value.next
    assert await course.students.submit(course.bob, exercise)


async def test_a_damaged_notebook_is_handed_in_with_its_problem(course):
    exercise = await course.opened("ada")
    found = await course.students.submit(course.ada, exercise, Draft(b"{"))
    assert found["problem"] == "The notebook is not valid JSON."
    assert found["has_notebook"]


async def test_late_work_is_marked_late_and_leaves_the_work_of_the_deadline(course, now):
    exercise = await in_phase(course, now, "late", "ada")
    found = await course.students.submit(course.ada, exercise, Draft(NOTEBOOK))
    assert found["late"]
    reasons = [each.reason for each in course.world.ask(snapshots.of_exercise, exercise)]
    assert reasons == ["collected", "submitted"]


@pytest.mark.parametrize("who", ["bob", "eve"])
async def test_what_was_handed_in_is_nobody_elses(course, who):
    exercise = await course.opened("ada")
    found = await course.students.submit(course.ada, exercise, Draft(NOTEBOOK), [HandedFile("a.txt", b"one")])
    with pytest.raises(NotFound, match=f"no snapshot '{found['id']}'"):
        await course.board.snapshot_notebook(course.people[who], found["id"])
    with pytest.raises(NotFound, match=f"no snapshot '{found['id']}'"):
        await course.board.snapshot_file(course.people[who], found["id"], "a.txt")


# ---------------------------------------------------------------- previews


async def test_what_the_staff_open_is_a_preview_and_is_discarded_whole(course, file_of):
    exercise = await course.opened("lecturer", files=[(file_of("lecturer"), False)])
    await course.students.answer(course.lecturer, exercise, "why", "x")
    await course.students.submit(course.lecturer, exercise, Draft(NOTEBOOK), [HandedFile("a.txt", b"1")])
    dataset = (await course.students.state(course.lecturer, exercise))["dataset_id"]
    await course.students.discard_preview(course.lecturer, exercise)
    found = await course.students.state(course.lecturer, exercise)
    assert (found["answers"], found["snapshots"], found["dataset_id"], found["preview"]) == (
        {},
        [],
        None,
        False,
    )
    assert course.world.ask(datasets.get, dataset, deleted=True).deleted_at is not None
    with pytest.raises(NotFound, match="no copy"):
        await course.students.discard_preview(course.lecturer, exercise)


async def test_a_preview_whose_data_were_deleted_before_is_discarded_all_the_same(course, file_of):
    exercise = await course.opened("lecturer", files=[(file_of("lecturer"), False)])
    dataset = (await course.students.state(course.lecturer, exercise))["dataset_id"]
    course.world.do(trash.delete_dataset, dataset, course.world.person["lecturer"], 5.0)
    await course.students.discard_preview(course.lecturer, exercise)
    assert course.world.ask(datasets.get, dataset, deleted=True).deleted_at == 5.0


async def test_a_student_who_becomes_assistant_keeps_work_that_counts(course, actor):
    exercise = await course.opened("ada")
    promoted = actor("ada", groups=["crystals"], manages=["crystals"])
    await course.students.open(promoted, exercise)
    assert not (await course.students.state(promoted, exercise))["preview"]
    with pytest.raises(Conflict, match="work of a student"):
        await course.students.discard_preview(promoted, exercise)
    with pytest.raises(NotAllowed):
        await course.students.discard_preview(course.ada, exercise)


async def test_a_preview_account_works_in_a_hidden_exercise_of_its_course_and_counts_nowhere(
    course, actor, now
):
    crystals = course.world.group["crystals"]
    preview = actor("bob", groups=["crystals"], preview=PreviewOf("lecturer", "crystals", crystals))
    exercise = await course.exercise(published=False, opens_at=now + HOUR)
    found = await course.students.open(preview, exercise)
    assert (found["preview"], found["exercise"]["may_try"]) == (True, True)
    assert course.world.ask(work.students, exercise) == []
    elsewhere = actor(
        "bob", groups=["crystals"], preview=PreviewOf("eve", "powders", course.world.group["powders"])
    )
    with pytest.raises(NotFound):
        await course.students.open(elsewhere, exercise)
