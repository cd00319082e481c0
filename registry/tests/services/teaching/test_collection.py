"""Collection: what is frozen, when, and that repeating it changes nothing."""

from __future__ import annotations

import hashlib
import json

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound
from qcrbox_registry.services.teaching import collection
from qcrbox_registry.services.teaching.student_data import Draft
from qcrbox_registry.store.tables import calculations
from qcrbox_registry.store.teaching import courses, snapshots, work

HOUR = 3600.0
NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "raw", "source": "first"}]}).encode()
LATER = NOTEBOOK.replace(b"first", b"later")


@pytest.fixture
def taken(course):
    """`taken(exercise, "ada")`: the snapshots of a student, oldest first."""

    def read(exercise, name="ada"):
        return course.world.ask(snapshots.of_exercise, exercise, course.world.person[name])

    return read


async def test_the_deadline_takes_the_work_of_everyone_who_began_and_once(course, taken, now):
    exercise = await course.opened("ada", dates={"due_at": now - 60})
    assert await course.collection.collect_due(now) == 1
    (found,) = taken(exercise)
    assert (found.reason, found.at, found.due_at, found.late) == ("collected", now - 60, now - 60, False)
    assert taken(exercise, "bob") == []
    assert [await course.collection.collect_due(now + 15 * n) for n in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("dates", "published", "archived"),
    [
        ({"due_at": HOUR}, True, False),
        ({}, True, False),
        ({"due_at": -60}, False, False),
        ({"due_at": -60}, True, True),
    ],
    ids=["before the deadline", "without a deadline", "hidden", "archived"],
)
async def test_nothing_is_taken(course, taken, now, dates, published, archived):
    exercise = await course.opened("ada")
    due = {name: now + at for name, at in dates.items()}
    await course.change(exercise, published=published, **due)
    if archived:
        await course.courses.change(course.lecturer, course.id, None, True)
    assert await course.collection.collect_due(now) == 0
    assert taken(exercise) == []


async def test_a_collection_before_the_deadline_does_not_stand_for_the_one_at_the_deadline(
    course, taken, now
):
    exercise = await course.opened("ada", dates={"due_at": now + HOUR})
    assert await course.collection.collect_now(course.lecturer, exercise) == 1
    await course.students.answer(course.ada, exercise, "r1", "0.042")
    assert await course.collection.collect_due(now + 2 * HOUR) == 1
    early, final = taken(exercise)
    assert (early.content["answers"], list(final.content["answers"])) == ({}, ["r1"])
    assert snapshots.counting([early, final]) is final
    assert await course.collection.collect_due(now + 3 * HOUR) == 0


async def test_late_work_does_not_count_where_only_an_early_collection_was_made(course, taken, now):
    """The registry was stopped at the deadline; the student changes an answer before the next round."""
    exercise = await course.opened("ada", dates={"due_at": now + HOUR})
    await course.students.answer(course.ada, exercise, "r1", "0.042")
    await course.collection.collect_now(course.lecturer, exercise)
    await course.change(exercise, due_at=now - 60, late_until=now + HOUR)
    await course.students.answer(course.ada, exercise, "r1", "0.9")
    at_the_deadline = next(each for each in taken(exercise) if each.due_at == now - 60)
    assert at_the_deadline.content["answers"]["r1"][0] == "0.042"


@pytest.mark.parametrize("how", ["extension taken back", "deadline moved forward"])
async def test_a_deadline_that_moves_back_is_collected_once_more_at_most(course, taken, now, how):
    exercise = await course.opened("ada", dates={"due_at": now - 200})
    await course.collection.collect_due(now)
    if how == "extension taken back":
        await course.board.extend(course.lecturer, exercise, "ada", now + 100, "ill")
        await course.collection.collect_due(now + 200)
        await course.board.extend(course.lecturer, exercise, "ada", None, "not ill")
    else:
        await course.change(exercise, due_at=now - 300)
    for n in range(4):
        await course.collection.collect_due(now + 300 + 15 * n)
    assert len(taken(exercise)) == 2


async def test_an_extension_is_collected_at_its_own_end_and_leaves_the_others_alone(course, taken, now):
    exercise = await course.opened("ada", "bob", dates={"due_at": now - 60})
    await course.board.extend(course.lecturer, exercise, "ada", now + HOUR, "ill")
    assert await course.collection.collect_due(now) == 1
    assert taken(exercise) == []
    assert await course.collection.collect_due(now + 2 * HOUR) == 1
    assert [each.due_at for each in taken(exercise)] == [now + HOUR]
    assert [each.due_at for each in taken(exercise, "bob")] == [now - 60]


async def test_a_preview_and_someone_who_only_got_more_time_are_not_collected(course, now):
    exercise = await course.opened("lecturer", dates={"due_at": now - 60})
    await course.board.extend(course.lecturer, exercise, "bob", now + 10, "ill")
    assert await course.collection.collect_due(now + 20) == 0
    assert await course.collection.collect_now(course.lecturer, exercise) == 0


async def test_calculations_after_the_deadline_are_not_in_what_was_collected(course, taken, now):
    exercise = await course.opened("ada", dates={"due_at": now - 60})
    before, after = (course.calculation(exercise, "ada") for _ in range(2))

    def dated(conn):
        conn.execute(sa.update(calculations).where(calculations.c.id == before).values(submitted_at=now - 90))

    course.world.write(dated)
    await course.collection.collect_due(now)
    assert taken(exercise)[0].content["calculations"] == [before]
    assert {each.id for each in course.world.ask(work.done, exercise)} == {before, after}


async def test_the_notebook_of_the_deadline_is_kept_when_a_later_one_replaces_it(course, taken, now):
    exercise = await course.opened("ada")
    await course.students.keep_draft(course.ada, exercise, Draft(NOTEBOOK))
    await course.change(exercise, due_at=now - 1, late_until=now + HOUR)
    await course.students.keep_draft(course.ada, exercise, Draft(LATER))
    (found,) = taken(exercise)
    assert found.content["notebook_sha256"] == hashlib.sha256(NOTEBOOK).hexdigest()
    kept = await course.board.snapshot_notebook(course.lecturer, found.id)
    assert b"".join([chunk async for chunk in kept.chunks]) == NOTEBOOK
    assert await course.collection.collect_due(now) == 0


async def test_the_receipt_is_the_hash_of_what_was_frozen(course, taken, now):
    """SHA-256 of its JSON with sorted names, without blanks, in UTF-8: worked out here by itself."""
    exercise = await course.opened("ada", dates={"due_at": now - 60})
    await course.collection.collect_due(now)
    (found,) = taken(exercise)
    text = json.dumps(found.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert found.receipt == hashlib.sha256(text.encode()).hexdigest()
    assert (found.content["student"], found.content["exercise"]) == ("ada", exercise)


async def test_without_a_notebook_the_staff_are_told(course, taken, now):
    exercise = await course.opened("ada", dates={"due_at": now - 60})
    await course.collection.collect_due(now)
    (found,) = taken(exercise)
    assert found.problem == "No notebook was saved."
    with pytest.raises(NotFound, match="no notebook") as refused:
        await course.board.snapshot_notebook(course.lecturer, found.id)
    assert refused.value.why == "No notebook was saved."


async def test_a_notebook_that_is_lost_is_named_and_the_rest_of_the_work_collected(course, taken, now):
    exercise = await course.opened("ada")
    await course.students.answer(course.ada, exercise, "r1", "0.042")
    await course.students.keep_draft(course.ada, exercise, Draft(NOTEBOOK))
    course.context.objects.known.clear()
    await course.change(exercise, due_at=now - 1)
    await course.collection.collect_due(now)
    (found,) = taken(exercise)
    assert found.problem.startswith("The notebook could not be read:")
    assert "r1" in found.content["answers"]


async def test_any_fault_in_the_work_of_one_student_leaves_the_others_collected(
    course, taken, now, monkeypatch
):
    exercise = await course.opened("ada", "bob", dates={"due_at": now - 60})
    freeze = collection.freeze

    def faulty(conn, found, student, *more):
        if student.name == "ada":
            raise ValueError("a text that no receipt can be made of")
        return freeze(conn, found, student, *more)

    monkeypatch.setattr(collection, "freeze", faulty)
    assert await course.collection.collect_due(now) == 1
    assert (len(taken(exercise)), len(taken(exercise, "bob"))) == (0, 1)
    monkeypatch.setattr(collection, "freeze", freeze)
    assert await course.collection.collect_due(now) == 1


@pytest.mark.parametrize(
    ("who", "refusal"), [("assistant", NotAllowed), ("ada", NotAllowed), ("eve", NotFound)]
)
async def test_only_lecturers_of_the_course_collect_at_once(course, taken, who, refusal):
    exercise = await course.opened("ada")
    with pytest.raises(refusal):
        await course.collection.collect_now(course.people[who], exercise)
    assert taken(exercise) == []


async def test_an_archived_course_is_not_collected_by_hand(course):
    exercise = await course.opened("ada")
    course.world.do(courses.change, course.id, archived_at=1.0)
    with pytest.raises(Conflict, match="archived"):
        await course.collection.collect_now(course.lecturer, exercise)
