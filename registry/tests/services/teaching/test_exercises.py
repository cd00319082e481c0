"""Exercises: versions that build on one another, dates, and which files whom they are for."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, TooLarge, UserInputError
from qcrbox.contract.teaching import Task
from qcrbox_registry.services.teaching import exercises as module
from qcrbox_registry.services.teaching.exercises import NewVersion
from qcrbox_registry.store.teaching import courses

HOUR = 3600.0
SOLVED = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {"cell_type": "markdown", "source": "R1?", "metadata": {"tags": ["task=q", "target=0.0421", "unit=%"]}},
    ],
}  # fmt: skip
NOTEBOOK = json.dumps(SOLVED)


async def read(course, who, exercise, filename, version=None, **more):
    found = await course.exercises.content(course.people[who], exercise, filename, version, **more)
    return b"".join([chunk async for chunk in found.chunks])


# ---------------------------------------------------------------- making


async def test_a_new_exercise_is_hidden_until_it_is_published(course):
    exercise = await course.exercise(published=False)
    for who, seen in (("lecturer", 1), ("assistant", 1), ("ada", 0)):
        assert len(await course.exercises.of_course(course.people[who], course.id)) == seen
    with pytest.raises(NotFound):
        await course.exercises.get(course.ada, exercise)
    await course.change(exercise, published=True)
    assert (await course.exercises.get(course.ada, exercise))["staff"] is False


@pytest.mark.parametrize(
    ("new", "refusal", "words"),
    [
        (NewVersion("x", keep_files_of=1), UserInputError, "leave out keep_files_of"),
        (NewVersion("x", notebook=""), UserInputError, "empty"),
        (NewVersion("x", notebook="{}"), UserInputError, "not a notebook"),
        (NewVersion("x", files=[("no-such-file", False)]), NotFound, "no data file 'no-such-file'"),
    ],
    ids=["version before", "empty notebook", "no notebook", "no file"],
)
async def test_a_wrong_exercise_is_refused_and_none_is_made(course, new, refusal, words):
    with pytest.raises(refusal, match=words):
        await course.exercises.create(course.lecturer, course.id, new)
    assert await course.exercises.of_course(course.lecturer, course.id) == []


async def test_a_notebook_above_the_limit_is_refused(course, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_NOTEBOOK_BYTES", 1024**2)
    with pytest.raises(TooLarge, match="larger than 1 MiB"):
        await course.exercise(notebook=json.dumps({**SOLVED, "metadata": {"x": "y" * 1024**2}}))


@pytest.mark.parametrize("name", ["a.txt", "A.TXT"], ids=["same", "another case"])
async def test_two_files_of_one_name_are_refused(course, file_of, name):
    """Students unpack exercises on systems where case makes no difference."""
    files = [(file_of("lecturer", "a.txt", b"1"), False), (file_of("lecturer", name, b"2"), False)]
    with pytest.raises(ValidationError, match=r"Two files have the name 'a\.txt'"):
        await course.exercise(files=files)


@pytest.mark.parametrize("name", ["quartz.ipynb", "Quartz.ipynb"], ids=["same", "another case"])
async def test_the_notebook_and_a_data_file_have_two_names(course, file_of, name):
    new = NewVersion(
        "x", notebook=NOTEBOOK, notebook_name="quartz.ipynb", files=[(file_of("lecturer", name), False)]
    )
    with pytest.raises(UserInputError, match="both called"):
        await course.exercises.create(course.lecturer, course.id, new)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("lab", "lab.ipynb"),
        ("../../etc/passwd", "passwd.ipynb"),
        ("a:b.ipynb", "a_b.ipynb"),
        ("…/", "file.ipynb"),
    ],
)
async def test_the_name_of_a_notebook_is_made_safe(course, given, kept):
    new = NewVersion("x", notebook=NOTEBOOK, notebook_name=given)
    made = await course.exercises.create(course.lecturer, course.id, new)
    assert made["manifest"]["notebook"]["filename"] == kept


async def test_a_file_of_somebody_else_is_no_file_of_an_exercise(course, file_of):
    private = file_of("ada", "diary.txt", b"mine")
    with pytest.raises(NotFound, match="no data file"):
        await course.exercise(files=[(private, False)])


@pytest.mark.parametrize(
    ("who", "refusal"), [("assistant", NotAllowed), ("ada", NotAllowed), ("eve", NotFound)]
)
async def test_only_lecturers_of_the_course_write_exercises(course, who, refusal):
    exercise = await course.exercise()
    for act in (
        course.exercises.create(course.people[who], course.id, NewVersion("x")),
        course.exercises.add_version(course.people[who], exercise, NewVersion("x")),
    ):
        with pytest.raises(refusal):
            await act


async def test_in_an_archived_course_nothing_is_written(course):
    exercise = await course.exercise()
    course.world.do(courses.change, course.id, archived_at=1.0)
    for act in (
        course.exercises.create(course.lecturer, course.id, NewVersion("x")),
        course.exercises.add_version(course.lecturer, exercise, NewVersion("x")),
        course.change(exercise, published=False),
    ):
        with pytest.raises(Conflict, match="archived"):
            await act


# ---------------------------------------------------------------- versions


async def test_a_version_keeps_the_files_that_it_does_not_bring(course, file_of):
    files = [(file_of("lecturer", "a.txt", b"one"), False), (file_of("lecturer", "key.txt", b"k"), True)]
    exercise = await course.exercise(files=files, notebook=NOTEBOOK)
    new = NewVersion("Two", files=[(file_of("lecturer", "A.txt", b"two"), False)], keep_files_of=1)
    made = await course.exercises.add_version(course.lecturer, exercise, new)
    assert [(f["filename"], f["for_lecturers"]) for f in made["manifest"]["files"]] == [
        ("key.txt", True),
        ("A.txt", False),
    ]
    assert made["manifest"]["notebook"]["filename"] == "notebook.ipynb"
    assert await read(course, "lecturer", exercise, "A.txt") == b"two"
    assert await read(course, "lecturer", exercise, "a.txt", 1) == b"one"


async def test_a_version_without_keep_brings_everything_itself(course, file_of):
    exercise = await course.exercise(files=[(file_of("lecturer"), False)], notebook=NOTEBOOK)
    made = await course.exercises.add_version(course.lecturer, exercise, NewVersion("Two"))
    assert (made["manifest"]["files"], made["manifest"]["notebook"], made["version"]) == ([], None, 2)


@pytest.mark.parametrize("stale", [0, 1, 3])
async def test_of_two_lecturers_who_write_at_once_the_second_is_refused(course, stale):
    exercise = await course.exercise()
    await course.exercises.add_version(course.lecturer, exercise, NewVersion("Two", keep_files_of=1))
    with pytest.raises(Conflict, match="Version 2 was written meanwhile") as refused:
        await course.exercises.add_version(
            course.lecturer, exercise, NewVersion("Other", keep_files_of=stale)
        )
    assert refused.value.why == f"This one was made from version {stale}."
    assert (await course.exercises.get(course.lecturer, exercise))["title"] == "Two"


# ---------------------------------------------------------------- who gets which file


async def test_a_file_for_lecturers_does_not_exist_for_students(course, file_of):
    files = [
        (file_of("lecturer", "a.txt", b"data"), False),
        (file_of("lecturer", "key.txt", b"answer"), True),
    ]
    exercise = await course.exercise(files=files)
    assert await read(course, "ada", exercise, "a.txt") == b"data"
    assert await read(course, "assistant", exercise, "key.txt") == b"answer"
    for name in ("key.txt", "none.txt"):
        with pytest.raises(NotFound, match=f"no file '{name}'"):
            await read(course, "ada", exercise, name)
    with pytest.raises(NotFound, match=r"no file 'key\.txt'"):
        await read(course, "lecturer", exercise, "key.txt", as_student=True)


async def test_students_get_the_newest_version_and_the_one_they_have(course, file_of):
    exercise = await course.exercise(files=[(file_of("lecturer", "a.txt", b"v1"), False)])
    for number in (2, 3):
        content = f"v{number}".encode()
        new = NewVersion("More", files=[(file_of("lecturer", "a.txt", content), False)])
        await course.exercises.add_version(course.lecturer, exercise, new)
        if number == 2:
            await course.students.open(course.ada, exercise)
    assert [await read(course, "ada", exercise, "a.txt", v) for v in (2, 3, None)] == [b"v2", b"v3", b"v3"]
    for who, version in (("ada", 1), ("bob", 2), ("bob", 1)):
        with pytest.raises(NotFound, match="no file"):
            await read(course, who, exercise, "a.txt", version)
    assert await read(course, "assistant", exercise, "a.txt", 1) == b"v1"
    with pytest.raises(NotFound, match="no version 4"):
        await read(course, "assistant", exercise, "a.txt", 4)


async def test_before_it_opens_an_exercise_has_no_file_for_students(course, file_of, now):
    exercise = await course.exercise(files=[(file_of("lecturer"), False)], opens_at=now + HOUR)
    with pytest.raises(NotFound, match="no file"):
        await read(course, "ada", exercise, "a.txt")
    assert (await course.exercises.get(course.ada, exercise))["manifest"] is None
    assert await read(course, "assistant", exercise, "a.txt") == b"some bytes"
    assert await read(course, "assistant", exercise, "a.txt", as_student=True) == b"some bytes"


@pytest.mark.parametrize("who", ["ada", "eve"])
async def test_seeing_an_exercise_as_a_student_is_for_its_staff(course, who):
    exercise = await course.exercise()
    with pytest.raises((NotAllowed, NotFound)):
        await course.exercises.get(course.people[who], exercise, as_student=True)


async def test_what_gives_the_answer_away_is_for_the_staff(course):
    tasks = [Task(id="q", title="Q", kind="value", target=0.0421, tolerance=0.001)]
    exercise = await course.exercise(tasks=tasks, notebook=NOTEBOOK)
    assert "0.0421" in json.dumps(await course.exercises.get(course.lecturer, exercise))
    for who, as_student in (("ada", False), ("lecturer", True)):
        seen = json.dumps(await course.exercises.get(course.people[who], exercise, as_student=as_student))
        assert "0.0421" not in seen
    for who in ("ada", "lecturer"):  # what is stored has no answers: the tags of its cells are those of tasks
        notebook = await read(course, who, exercise, "notebook.ipynb")
        assert b"task=q" in notebook
        assert b"0.0421" not in notebook


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ({"opens_at": 20.0, "due_at": 10.0}, "due_at must be after opens_at"),
        ({"due_at": 20.0, "late_until": 20.0}, "late_until must be after due_at"),
        ({"late_until": 20.0}, "late_until needs due_at"),
        ({"opens_at": 30.0, "due_at": None}, "late_until must be after opens_at|late_until needs due_at"),
    ],
    ids=["due before it opens", "no late time", "late without due", "what stays is counted"],
)
async def test_dates_in_a_wrong_order_change_nothing(course, dates, words):
    exercise = await course.exercise()
    if "opens_at" in dates and dates.get("due_at", 0) is None:
        await course.change(exercise, due_at=10.0, late_until=20.0)
    before = await course.exercises.get(course.lecturer, exercise)
    with pytest.raises(UserInputError, match=words):
        await course.change(exercise, **dates)
    assert await course.exercises.get(course.lecturer, exercise) == before


async def test_a_date_is_taken_away_and_what_is_not_named_stays(course, now):
    exercise = await course.exercise(due_at=now + HOUR, late_until=now + 2 * HOUR)
    found = await course.change(exercise, late_until=None, published=None, answers_from_store=None)
    assert (found["late_until"], found["published"], found["answers_from_store"]) == (None, True, False)
    assert found["due_at"] is not None


async def test_a_change_of_nothing_is_not_in_the_trail(course, trail):
    exercise = await course.exercise()
    before = [each for each in await trail() if each[1:] == ("change", exercise)]
    await course.change(exercise, published=None)
    assert [each for each in await trail() if each[1:] == ("change", exercise)] == before
