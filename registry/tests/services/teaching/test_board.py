"""The board of an exercise and what the staff do from it: notes, more time, freeing the queue."""

from __future__ import annotations

import asyncio
import time

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, UserInputError
from qcrbox_registry.access.identity import GroupMember
from qcrbox_registry.services.teaching import board as module
from qcrbox_registry.services.teaching.board import last_activity
from qcrbox_registry.services.teaching.progress import Presence, Work
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.teaching import courses, work

HOUR = 3600.0


async def rows(course, exercise, who="lecturer"):
    found = await course.board.board(course.people[who], exercise)
    return {row["name"]: row for row in found["students"]}


def dated(course, exercise, name, **at):
    """Moments of a student, in seconds before now."""
    moments = {field: time.time() - seconds for field, seconds in at.items()}
    course.world.do(work.note, exercise, course.world.person[name], **moments)


# ---------------------------------------------------------------- who is on it


async def test_every_student_is_on_the_board_and_nobody_of_the_staff(course):
    exercise = await course.opened("ada", "lecturer", "assistant")
    found = await rows(course, exercise)
    assert list(found) == ["ada", "bob"]
    assert (found["ada"]["opened_at"] is None, found["bob"]["opened_at"] is None) == (False, True)


async def test_who_has_never_signed_in_and_who_has_left_are_told_apart(course):
    exercise = await course.opened("ada")
    course.context.identity.groups["crystals"] = [GroupMember("zoe"), GroupMember("bob")]
    found = await rows(course, exercise)
    assert {name: (row["signed_in"], row["left"]) for name, row in found.items()} == {
        "ada": (True, True),
        "bob": (True, False),
        "zoe": (False, False),
    }


async def test_those_who_are_stuck_come_first_and_who_has_not_begun_last(course):
    course.context.identity.groups["crystals"] += [GroupMember("zoe"), GroupMember("abe")]
    exercise = await course.opened("ada", "bob")
    dated(course, exercise, "bob", opened_at=1200, last_active_at=10)
    assert list(await rows(course, exercise)) == ["bob", "ada", "abe", "zoe"]
    assert (await rows(course, exercise))["bob"]["stuck"]


async def test_the_board_names_the_place_in_the_queue_of_what_a_task_waits_for(course):
    exercise = await course.opened("ada")
    made = course.calculation(exercise, "ada", state="submitted")
    course.context.scheduler.places[made] = {
        "place": 3,
        "reason": "All places are taken.",
        "estimated_start": time.time() + 600,
    }
    task = (await rows(course, exercise))["ada"]["tasks"][0]
    assert task["state"] == "running"
    assert task["words"] == "Place 3 in the queue, starts in about 10 min. All places are taken. Waiting."


async def test_the_problem_of_the_draft_is_shown_before_that_of_the_submission(course):
    exercise = await course.opened("ada")
    await course.students.submit(course.ada, exercise)
    assert (await rows(course, exercise))["ada"]["problem"] == "No notebook was saved."
    course.world.do(work.note, exercise, course.world.person["ada"], draft_problem="too large")
    assert (await rows(course, exercise))["ada"]["problem"] == "too large"


@pytest.mark.parametrize(
    ("opened", "active", "works", "moment"),
    [
        (None, None, [], None),
        (5.0, None, [], 5.0),
        (5.0, 9.0, [], 9.0),
        (5.0, 9.0, [Work("c", "a", "n", {}, "running", 12.0)], 12.0),
        (5.0, 9.0, [Work("c", "a", "n", {}, "failed", 6.0, 20.0)], 20.0),
    ],
    ids=["never", "opened", "active", "submitted", "ended"],
)
def test_the_last_activity_is_the_newest_sign(opened, active, works, moment):
    assert last_activity(Presence(opened, active), works) == moment


# ---------------------------------------------------------------- one student


async def test_one_student_is_shown_with_work_newest_first(course):
    exercise = await course.opened("ada")
    await course.students.answer(course.ada, exercise, "why", "because")
    first, second = course.calculation(exercise, "ada"), course.calculation(exercise, "ada")
    other = course.calculation(exercise, "ada", state="failed", error_msg="No atoms.\nTraceback …")
    found = await course.board.student(course.assistant, exercise, "ada")
    assert [each["calculation_id"] for each in found["calculations"]] == [other, second, first]
    assert (found["answers"], found["has_draft"]) == ({"why": "because"}, False)
    assert found["manifest"]["tasks"][1]["target"] == 0.042, "the staff see what is right"


async def test_a_member_without_work_is_shown_empty_and_an_unknown_name_is_named(course):
    exercise = await course.exercise()
    found = await course.board.student(course.lecturer, exercise, "bob")
    assert (found["calculations"], found["snapshots"], found["opened_at"]) == ([], [], None)
    with pytest.raises(NotFound, match="no student 'zoe'"):
        await course.board.student(course.lecturer, exercise, "zoe")
    with pytest.raises(NotFound, match="bob has saved no notebook"):
        await course.board.notebook(course.lecturer, exercise, "bob")


@pytest.mark.parametrize(("who", "refusal"), [("ada", NotAllowed), ("eve", NotFound)])
async def test_students_and_strangers_see_no_board(course, who, refusal):
    exercise = await course.opened("ada")
    for act in (
        course.board.board(course.people[who], exercise),
        course.board.student(course.people[who], exercise, "ada"),
        course.board.notebook(course.people[who], exercise, "ada"),
        course.board.note(course.people[who], exercise, "ada", "x"),
        course.board.extend(course.people[who], exercise, "ada", None, ""),
        course.board.free_queue(course.people[who], exercise, ""),
    ):
        with pytest.raises(refusal):
            await act


# ---------------------------------------------------------------- more time


async def test_more_time_moves_the_deadline_of_one_student_and_is_noted(course, now, trail):
    exercise = await course.opened("ada", dates={"due_at": now + HOUR})
    await course.board.extend(course.assistant, exercise, "ada", now + 2 * HOUR, "  ill  ")
    found = await course.board.student(course.lecturer, exercise, "ada")
    assert found["extension_reason"] == "ill"
    assert found["own_due_at"] == found["extended_until"] != found["exercise"]["due_at"]
    assert ("assistant", "extend", exercise) in await trail()
    assert (await rows(course, exercise))["bob"]["own_due_at"] == found["exercise"]["due_at"]


async def test_more_time_never_shortens_the_time(course, now):
    exercise = await course.opened("ada", dates={"due_at": now + 2 * HOUR})
    given = await course.board.extend(course.lecturer, exercise, "ada", now + HOUR, "")
    found = await course.board.student(course.lecturer, exercise, "ada")
    assert given["own_due_at"] == found["exercise"]["due_at"]


@pytest.mark.parametrize(
    ("dates", "until", "reason", "words"),
    [
        ({"due_at": HOUR}, -1.0, "", "lies in the past"),
        ({}, HOUR, "", "has no deadline"),
        ({"due_at": HOUR}, 2 * HOUR, "x" * 2001, "reason is longer than 2000"),
    ],
    ids=["past", "no deadline", "long reason"],
)
async def test_wrong_extensions_are_refused(course, now, dates, until, reason, words):
    exercise = await course.opened("ada", dates={name: now + at for name, at in dates.items()})
    with pytest.raises(UserInputError, match=words):
        await course.board.extend(course.lecturer, exercise, "ada", now + until, reason)
    assert course.world.ask(work.student, exercise, course.world.person["ada"]).extended_until is None


# ---------------------------------------------------------------- notes


async def test_a_note_reaches_the_streams_of_those_it_is_for(course):
    exercise = await course.opened("ada", "bob")
    course.context.published.clear()
    await course.board.note(course.assistant, exercise, "ada", "  look at the twin law ")
    await course.board.note(course.assistant, exercise, None, "five more minutes")
    sent = [
        (each.owner_id, each.payload["text"]) for each in course.context.published if each.status == "note"
    ]
    ada, bob = course.world.person["ada"], course.world.person["bob"]
    assert sent == [(ada, "look at the twin law"), (ada, "five more minutes"), (bob, "five more minutes")]


@pytest.mark.parametrize(
    ("to", "text", "refusal", "words"),
    [
        ("ada", "   ", UserInputError, "needs text"),
        ("ada", "x" * 2001, UserInputError, "longer than 2000"),
        ("zoe", "x", NotFound, "no student 'zoe'"),
    ],
    ids=["empty", "long", "to nobody"],
)
async def test_wrong_notes_are_refused(course, to, text, refusal, words):
    exercise = await course.opened("ada")
    with pytest.raises(refusal, match=words):
        await course.board.note(course.lecturer, exercise, to, text)
    assert (await course.students.state(course.ada, exercise))["notes"] == []


async def test_in_an_archived_course_nothing_is_noted_and_nobody_gets_more_time(course, now):
    exercise = await course.opened("ada", dates={"due_at": now + HOUR})
    course.world.do(courses.change, course.id, archived_at=1.0)
    with pytest.raises(Conflict, match="archived"):
        await course.board.note(course.lecturer, exercise, None, "x")
    with pytest.raises(Conflict, match="archived"):
        await course.board.extend(course.lecturer, exercise, "ada", now + 2 * HOUR, "")
    assert list(await rows(course, exercise)) == ["ada", "bob"]


# ---------------------------------------------------------------- the queue


async def test_freeing_the_queue_cancels_what_has_not_ended_and_says_why(course):
    exercise = await course.opened("ada", "bob")
    waiting = course.calculation(exercise, "ada", state="submitted")
    running = course.calculation(exercise, "bob", state="running")
    course.calculation(exercise, "bob")
    assert await course.board.free_queue(course.assistant, exercise, "") == {"number": 2}
    ((ids, reason, by),) = course.context.scheduler.cancelled
    assert (ids, by) == (sorted([waiting, running]), "assistant")
    assert reason == "The queue of the class was freed by assistant."


async def test_an_empty_queue_is_free(course):
    exercise = await course.opened("ada")
    assert await course.board.free_queue(course.lecturer, exercise, "over") == {"number": 0}
    assert course.context.scheduler.cancelled == []


# ---------------------------------------------------------------- live


async def test_the_board_sees_what_happens_after_its_stream_was_asked_for(course, present):
    """Whoever has the answer may act at once: the event must not be missed by the stream."""
    exercise = await course.opened("ada")
    ticks = await course.board.ticks(present(course.lecturer), exercise)
    await course.students.answer(course.ada, exercise, "why", "x")
    assert await asyncio.wait_for(anext(ticks), 60) is True
    await ticks.aclose()
    assert course.context.hub.listening == 0


async def test_a_student_who_has_just_opened_the_exercise_is_watched(course, present):
    exercise = await course.exercise()
    ticks = await course.board.ticks(present(course.lecturer), exercise)
    await course.students.open(course.ada, exercise)
    assert await anext(ticks) is True
    course.context.publish([Event("calculation", "c", 1.0, "running", owner_id=course.world.person["ada"])])
    assert await anext(ticks) is True
    await ticks.aclose()


async def test_what_others_do_elsewhere_only_keeps_the_connection_alive(course, present, monkeypatch):
    monkeypatch.setattr(module, "TICK_S", 0.01)
    exercise, other = await course.opened("ada"), await course.exercise()
    ticks = await course.board.ticks(present(course.lecturer), exercise)
    await course.students.open(course.bob, other)
    assert await anext(ticks) is False
    await ticks.aclose()


async def test_the_stream_ends_with_the_registry(course, present):
    exercise = await course.opened("ada")
    ticks = await course.board.ticks(present(course.lecturer), exercise)
    course.context.hub.close()
    assert [tick async for tick in ticks] == []


async def test_only_the_staff_get_ticks(course, present):
    exercise = await course.opened("ada")
    with pytest.raises(NotAllowed):
        await course.board.ticks(present(course.ada), exercise)
    assert course.context.hub.listening == 0
