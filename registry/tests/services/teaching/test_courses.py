"""Courses: which group becomes one, who has which role in it, and who is in it."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, UserInputError
from qcrbox_registry.access.identity import GroupMember
from qcrbox_registry.access.rights import EVERY_GROUP
from qcrbox_registry.services.teaching.courses import role_in
from qcrbox_registry.services.teaching.marking import GivenMark
from qcrbox_registry.store import people
from qcrbox_registry.store.teaching import marks, work


@pytest.mark.parametrize(
    ("more", "role"),
    [
        ({"admin": True}, "lecturer"),
        ({"teaches": "own"}, "lecturer"),
        ({"teaches": "every"}, "lecturer"),
        ({"teaches": "other"}, "student"),
        ({"manages": ["crystals"]}, "assistant"),
        ({"manages": ["powders"]}, "student"),
        ({}, "student"),
    ],
    ids=[
        "administrator",
        "lecturer",
        "of every group",
        "of another",
        "manager",
        "manager of another",
        "member",
    ],
)
def test_the_role_in_a_course_follows_those_of_its_group(world, actor, more, role):
    ids = {"own": world.group["crystals"], "other": world.group["powders"], "every": EVERY_GROUP}
    if "teaches" in more:
        more = {"teaches": frozenset({ids[more["teaches"]]})}
    assert role_in(actor("ada", groups=["crystals"], **more), world.group["crystals"]) == role


@pytest.mark.parametrize(
    ("who", "group", "title", "refusal", "words"),
    [
        ("eve", "crystals", "Mine", UserInputError, "not in a group 'crystals'"),
        ("ada", "crystals", "Mine", NotAllowed, "not teach"),
        ("assistant", "crystals", "Mine", NotAllowed, "not teach"),
        ("lecturer", "crystals", "Again", Conflict, "has the course 'XRD 101' already"),
        ("eve", "powders", "  ", UserInputError, "needs a title"),
        ("eve", "powders", "x" * 201, UserInputError, "title is longer than 200"),
        ("eve", "", "Mine", UserInputError, "needs a group"),
        ("root", "nowhere", "Mine", UserInputError, "needs a group"),
    ],
    ids=["foreign group", "student", "assistant", "twice", "blank", "long", "no group", "unknown group"],
)
async def test_who_makes_which_group_a_course(course, who, group, title, refusal, words):
    with pytest.raises(refusal, match=words):
        await course.courses.create(course.people[who], group, title)
    assert [each["title"] for each in await course.courses.listed(course.root)] == ["XRD 101"]


async def test_an_administrator_makes_a_group_a_course_that_only_the_hub_knows(course):
    course.context.identity.has("lecturer", "ada", groups=["crystals", "powders", "new2027"])
    made = await course.courses.create(course.root, "new2027", "Next year")
    assert (made["group"], made["role"]) == ("new2027", "lecturer")


async def test_a_course_is_listed_to_its_group_and_to_administrators(course):
    await course.courses.create(course.eve, "powders", "Powders")
    titles = {
        who: [each["title"] for each in await course.courses.listed(course.people[who])]
        for who in ("ada", "eve", "root")
    }
    assert titles == {"ada": ["XRD 101"], "eve": ["Powders"], "root": ["Powders", "XRD 101"]}
    with pytest.raises(NotFound, match="no course"):
        await course.courses.get(course.eve, course.id)


async def test_the_hub_gets_the_groups_whose_course_is_not_archived(course):
    await course.courses.create(course.eve, "powders", "Powders")
    assert await course.courses.active_groups() == ["crystals", "powders"]
    await course.courses.change(course.lecturer, course.id, None, True)
    assert await course.courses.active_groups() == ["powders"]


async def test_a_course_is_renamed_archived_and_restored_by_its_lecturers(course, trail):
    renamed = await course.courses.change(course.lecturer, course.id, " XRD 102 ", None)
    assert (renamed["title"], renamed["archived_at"]) == ("XRD 102", None)
    assert (await course.courses.change(course.lecturer, course.id, None, True))["archived_at"]
    assert (await course.courses.change(course.lecturer, course.id, "XRD 103", False))["archived_at"] is None
    for who in ("assistant", "ada"):
        with pytest.raises(NotAllowed):
            await course.courses.change(course.people[who], course.id, "Mine", None)
    with pytest.raises(UserInputError, match="needs a title"):
        await course.courses.change(course.lecturer, course.id, " ", None)
    changes = [each for each in await trail() if each[1:] == ("change", course.id)]
    assert len(changes) == 3


async def test_the_people_of_a_course_come_with_their_roles(course):
    course.context.identity.groups["crystals"].append(GroupMember("zoe"))
    found = {each["name"]: each for each in await course.courses.people(course.assistant, course.id)}
    assert {name: each["role"] for name, each in found.items()} == {
        "ada": "student",
        "assistant": "assistant",
        "bob": "student",
        "lecturer": "lecturer",
        "zoe": "student",
    }
    assert (found["zoe"]["signed_in"], found["zoe"]["last_seen_at"]) == (False, None)
    assert found["ada"]["signed_in"]
    with pytest.raises(NotAllowed):
        await course.courses.people(course.ada, course.id)


async def test_who_has_signed_in_at_the_hub_alone_has_signed_in(course):
    """A student who has opened Lab and nothing of QCrBox in it is not to be called absent."""
    exercise = await course.opened("ada")
    course.context.identity.groups["crystals"] += [GroupMember("zoe"), GroupMember("kim", last_activity=5.0)]
    found = {each["name"]: each for each in await course.courses.people(course.assistant, course.id)}
    assert (found["zoe"]["signed_in"], found["kim"]["signed_in"]) == (False, True)
    assert found["kim"]["last_seen_at"] == "1970-01-01T00:00:05Z"
    rows = (await course.board.board(course.lecturer, exercise))["students"]
    assert {row["name"]: row["signed_in"] for row in rows}["kim"] is True


async def test_a_name_that_another_account_had_before_is_another_person(course):
    """The hub made the account of ada anew: the work of the earlier one is not hers."""
    exercise = await course.opened("ada")
    old = course.world.person["ada"]
    course.world.do(people.mark_departed, _without(course, "ada"), 5.0)
    new = course.world.do(people.ensure_person, "ada", "2027-01-01", 6.0)
    course.context.identity.groups["crystals"] = [GroupMember("ada", created="2027-01-01")]
    rows = (await course.board.board(course.lecturer, exercise))["students"]
    shown = {row["name"]: (row["opened_at"] is not None, row["left"]) for row in rows}
    assert shown == {"ada": (False, False), "ada (earlier account)": (True, True)}
    for name, points in (("ada", 1.0), ("ada (earlier account)", 2.0)):
        await course.marking.give(
            course.lecturer, exercise, name, GivenMark("why", points, "", frozenset({"points"}))
        )
    given = course.world.ask(marks.of_exercise, exercise)
    assert {person: by_task["why"].points for person, by_task in given.items()} == {new: 1.0, old: 2.0}


@pytest.mark.attack(1)
@pytest.mark.parametrize("name", ["eve", "zoe", "0preview-ada", "teaching"])
async def test_only_those_of_the_course_are_written_to_marked_or_given_time(course, newcomer, now, name):
    """An account of the site that is not in the course gets no event of it and is on no list."""
    newcomer("0preview-ada")
    course.context.identity.groups["crystals"] += [GroupMember("zoe"), GroupMember("0preview-ada")]
    exercise = await course.opened("ada", dates={"due_at": now + 60})
    course.context.published.clear()
    for act in (
        course.board.note(course.assistant, exercise, name, "hello"),
        course.board.extend(course.assistant, exercise, name, now + 120, ""),
        course.board.student(course.assistant, exercise, name),
        course.board.notebook(course.assistant, exercise, name),
        course.marking.give(course.assistant, exercise, name, GivenMark("why", 1, "", frozenset({"points"}))),
    ):
        with pytest.raises(NotFound, match=f"no student '{name}'"):
            await act
    assert course.context.published == []
    assert [each.name for each in course.world.ask(work.students, exercise)] == ["ada"]


async def test_while_the_hub_is_away_those_with_work_are_marked(course):
    exercise = await course.opened("ada")
    course.context.identity.is_down = True
    assert await course.courses.ids_by_name(course.assistant, exercise) == {"ada": course.world.person["ada"]}
    mark = GivenMark("why", 1.0, "", frozenset({"points"}))
    assert await course.marking.give(course.assistant, exercise, "ada", mark)
    with pytest.raises(NotFound):
        await course.marking.give(course.assistant, exercise, "bob", mark)


def _without(course, name):
    names = {each: each for each in course.world.person if each != name} | {"teaching": "site"}
    return people.HubAccounts(frozenset(course.world.group), names, 1e12)
