"""A course for next year, and what leaves in the anonymised export."""

from __future__ import annotations

import json
import time

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, UserInputError
from qcrbox.contract.teaching import Task
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.teaching.next_year import (
    FEWEST_STUDENTS,
    NextYearService,
    answer_shown,
    numbered,
    rounded,
)
from qcrbox_registry.services.teaching.progress import Answer
from qcrbox_registry.store.people import ensure_person
from qcrbox_registry.store.teaching.items import NewItem

VALUE = Task(id="r", title="R1?", kind="value", target=0.04, tolerance=0.01)
CHOICE = Task(id="c", title="Which?", kind="answer", choices=["N", "C"], accepted=["N"])
TEXT = Task(id="t", title="Why?", kind="answer")


@pytest.mark.parametrize(
    ("task", "typed", "left"),
    [
        (VALUE, "0.04251", 0.0425),
        (VALUE, "11,4(8)", 11.4),
        (VALUE, "I am Ada", None),
        # One student who types this must not keep the course from being exported: JSON has no such number.
        (VALUE, "nan", None),
        (VALUE, "inf", None),
        (VALUE, "1e999", None),
        (CHOICE, "C", 2.0),
        (CHOICE, "Ada", None),
        (TEXT, "12", None),
    ],
)
def test_of_an_answer_leaves_a_number_or_nothing(task, typed, left):
    assert answer_shown(task, Answer(typed, 1.0)) == left


# ---------------------------------------------------------------- a course for next year


@pytest.fixture
def next_year(course):
    return NextYearService(course.context)


@pytest.fixture
def both(course, actor):
    """A lecturer of this year's group and of next year's."""
    taught = frozenset({course.world.group["crystals"], course.world.group["powders"]})
    return actor("lecturer", groups=["crystals", "powders"], manages=["crystals", "powders"], teaches=taught)


async def test_next_year_has_the_exercises_and_the_shelf_and_nothing_of_the_students(
    course, next_year, both, file_of, now
):
    exercise = await course.opened("ada", files=[(file_of("lecturer"), True)], dates={"due_at": now + 60})
    await course.students.submit(course.ada, exercise)
    await course.shelf.add(
        course.lecturer, course.id, NewItem("Notes", file_of("lecturer", "n.pdf"), True, 1.0, 2.0)
    )
    made = await next_year.copy(both, course.id, "powders", "XRD 2027")
    (copied,) = await course.exercises.of_course(both, made["id"])
    assert (copied["title"], copied["published"], copied["due_at"], copied["version"]) == (
        "Quartz",
        False,
        None,
        1,
    )
    (item,) = await course.shelf.listed(both, made["id"])
    assert (item["title"], item["for_lecturers"], item["opens_at"]) == ("Notes", True, None)
    board = await course.board.board(both, copied["id"])
    assert board["students"] == []
    content = await course.exercises.content(both, copied["id"], "a.txt", None)
    assert b"".join([chunk async for chunk in content.chunks]) == b"some bytes"


async def test_an_administrator_copies_to_a_group_that_only_the_hub_knows(course, next_year):
    course.context.identity.has("lecturer", groups=["crystals", "powders", "new2027"])
    assert (await next_year.copy(course.root, course.id, "new2027", "XRD 2027"))["group"] == "new2027"


async def test_an_archived_course_is_copied_all_the_same(course, next_year, both):
    await course.courses.change(course.lecturer, course.id, None, True)
    assert (await next_year.copy(both, course.id, "powders", "XRD 2027"))["archived_at"] is None


@pytest.mark.parametrize(
    ("who", "group", "title", "refusal"),
    [
        ("lecturer", "powders", "x", UserInputError),
        ("assistant", "crystals", "x", NotAllowed),
        ("ada", "crystals", "x", NotAllowed),
        ("eve", "powders", "x", NotFound),
        ("lecturer", "crystals", "x", Conflict),
        ("lecturer", "", "x", UserInputError),
        ("lecturer", "crystals", " ", UserInputError),
    ],
    ids=["foreign group", "assistant", "student", "stranger", "same group", "no group", "no title"],
)
async def test_wrong_copies_are_refused_and_make_no_course(course, next_year, who, group, title, refusal):
    with pytest.raises(refusal):
        await next_year.copy(course.people[who], course.id, group, title)
    assert len(await course.courses.listed(course.root)) == 1


# ---------------------------------------------------------------- the export


async def exported(course, next_year, students=FEWEST_STUDENTS, **answers):
    """The export of a course whose students opened one exercise, and the first of them answered."""
    exercise = await course.exercise(tasks=[VALUE, CHOICE, TEXT])
    for number in range(students):
        name = f"student-{number}"
        course.world.person[name] = course.world.write(
            lambda conn, name=name: ensure_person(conn, name, name, 1.0)
        )
        who = Actor(course.world.person[name], name, groups={"crystals": course.world.group["crystals"]})
        await course.students.open(who, exercise)
        for task, value in answers.items():
            await course.students.answer(who, exercise, task, value)
        await course.students.submit(who, exercise)
    return await next_year.export(course.lecturer, course.id)


async def test_a_class_in_which_one_would_know_who_is_who_is_not_exported(course, next_year):
    with pytest.raises(Conflict, match="Fewer than 5 students"):
        await exported(course, next_year, FEWEST_STUDENTS - 1)


async def test_the_export_holds_no_name_no_text_and_no_moment(course, next_year):
    found = await exported(course, next_year, t="I am student-0", r="0.0424", c="N")
    text = json.dumps(found)
    assert "student-" not in text
    assert "I am" not in text
    assert str(time.gmtime().tm_year) not in text
    assert found["students"] == 5
    (exercise,) = found["exercises"]
    assert sorted(row["student"] for row in exercise["students"]) == [1, 2, 3, 4, 5]
    assert {task["answer"] for task in exercise["students"][0]["tasks"]} == {0.0424, 1, None}
    assert exercise["students"][0]["handed_in_after_min"] == 0


async def test_previews_and_who_only_got_more_time_are_no_students_of_the_export(course, next_year, now):
    exercise = await course.opened("lecturer", "assistant", dates={"due_at": now + 60})
    await course.board.extend(course.lecturer, exercise, "ada", now + 120, "")
    found = await exported(course, next_year)
    assert found["students"] == 5
    assert [len(each["students"]) for each in found["exercises"]] == [0, 5]


async def test_only_lecturers_export_and_it_is_in_the_trail(course, next_year, trail):
    await exported(course, next_year)
    assert ("lecturer", "export for research", course.id) in await trail()
    for who, refusal in (("assistant", NotAllowed), ("ada", NotAllowed), ("eve", NotFound)):
        with pytest.raises(refusal):
            await next_year.export(course.people[who], course.id)


def test_the_numbers_of_students_are_drawn_anew():
    """Forty people in the same order twice: 1 in 40!, that is never."""
    people = set(range(100, 140))
    first, second = numbered(people), numbered(people)
    assert set(first) == set(second) == people
    assert sorted(first.values()) == sorted(second.values()) == list(range(1, 41))
    assert first != second


@pytest.mark.parametrize(
    ("value", "left"), [(None, None), (0.042149, 0.0421), (123456.0, 123000.0), (0.0, 0.0), (-1.2345, -1.23)]
)
def test_figures_leave_with_three_digits(value, left):
    assert rounded(value) == left
