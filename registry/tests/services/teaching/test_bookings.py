"""How many places a class needs, when they are free, and what a rehearsal says."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox.contract.errors import Conflict, NotFound, UserInputError
from qcrbox_registry.scheduler.rehearsing import Rehearsed
from qcrbox_registry.services.teaching.bookings import Asked, BookingService, proposed_places, report
from qcrbox_registry.services.teaching.courses import CourseService
from qcrbox_registry.store.teaching import bookings
from qcrbox_registry.store.teaching.bookings import Booking

HOUR = 3600.0


@pytest.mark.parametrize(
    ("students", "windows", "each_s", "places"),
    [
        (60, 0, 10.0, 10),  # 60 · 10 s / 120 s = 5 run at once, doubled
        (60, 0, None, 10),
        (60, 0, 0.1, 1),
        (60, 60, 0.1, 61),
        (3, 0, 600.0, 3),  # never more than one each
        (1, 0, 10.0, 1),
    ],
)
def test_places_are_proposed_from_the_usual_duration(students, windows, each_s, places):
    assert proposed_places(students, windows, each_s) == places


BOOKED = Booking("b", "c", 1, 0.0, HOUR, 60, 0, 10, ["practice"], None, 0.0, None)


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (Rehearsed(10, 0, [1.0] * 10, [10**8] * 10, 4 * 10**9), "answers from the store"),
        (Rehearsed(10, 8, [1.0], [10**8], 4 * 10**9, ["All places for agents are taken."]), "1 of 10 agents"),
        (Rehearsed(10, 0, [1.0, 41.0], [2**30] * 2, 2**31), "8 more agents need 8.0 GiB; 2.0 GiB are free"),
        (Rehearsed(10, 0, [1.0, 41.0], [2**30] * 2, 2**31), "after 41 s"),
    ],
    ids=["shared", "missing", "memory", "slow"],
)
def test_a_rehearsal_says_what_to_change(measured, words):
    found = report(measured, BOOKED, 0.0)
    assert words in " ".join(found["advice"])
    assert found["last_s"] == max(measured.ready_after_s)


def test_a_rehearsal_without_a_fault_says_so():
    small = Booking("b", "c", 1, 0.0, HOUR, 10, 0, 10, ["practice"], None, 0.0, None)
    found = report(Rehearsed(10, 0, [1.0] * 10, [10**8] * 10, 4 * 10**9), small, 0.0)
    assert found["advice"] == ["Nothing has to be changed."]


# ---------------------------------------------------------------- booking


@pytest.fixture
def bookings_of(course, catalogue):
    """The service on a catalogue with the application practice."""
    return BookingService(course.context)


@pytest.fixture
def asked(now):
    """A booking of an hour in an hour; times in hours from now."""

    def make(starts=1.0, ends=2.0, places=10, applications=("practice",), students=20):
        return Asked(now + starts * HOUR, now + ends * HOUR, students, applications, 0, places)

    return make


async def test_a_booking_is_shown_to_the_course_and_its_rehearsal_to_the_staff(course, bookings_of, asked):
    made = await bookings_of.create(course.lecturer, course.id, asked())
    course.world.do(bookings.note_rehearsal, made["id"], {"asked": 1})
    for who, seen in (("assistant", {"asked": 1}), ("ada", None)):
        (found,) = (await bookings_of.listed(course.people[who], course.id))["bookings"]
        assert (found["id"], found["places"], found["rehearsal"]) == (made["id"], 10, seen)
    assert course.context.scheduler.reloads == 1


async def test_places_are_proposed_where_none_are_asked_for(course, bookings_of, asked):
    course.context.scheduler.usual_s = 30.0
    made = await bookings_of.create(course.lecturer, course.id, asked(places=None))
    assert made["places"] == 10  # 20 students · 30 s / 120 s = 5 at once, doubled


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ends": 1.0}, "end must be after the start"),
        ({"starts": -2.0, "ends": -1.0}, "over already"),
        ({"ends": 13.5}, "at most 12 hours"),
        ({"starts": 24 * 401.0, "ends": 24 * 401.0 + 1}, "within the next 400 days"),
        ({"applications": ("none",)}, "no application 'none'"),
    ],
    ids=["end first", "over", "long", "far", "application"],
)
async def test_wrong_times_are_refused(course, bookings_of, asked, change, words):
    with pytest.raises(UserInputError, match=words):
        await bookings_of.create(course.lecturer, course.id, asked(**change))
    assert (await bookings_of.listed(course.lecturer, course.id))["bookings"] == []


async def test_what_is_booked_is_not_booked_twice_and_the_refusal_says_what_is_free(
    course, bookings_of, asked
):
    course.context.scheduler.free_places = 12
    await bookings_of.create(course.lecturer, course.id, asked(places=10))
    with pytest.raises(Conflict, match="10 places are not free in this time: 2 are") as refused:
        await bookings_of.create(course.lecturer, course.id, asked(starts=1.5, ends=2.5))
    assert refused.value.why.startswith("12 places can be booked")
    assert "Book at most 2 places." in refused.value.next
    assert "10 places are free from" in refused.value.next
    assert refused.value.fields["free"] == 2
    assert await bookings_of.create(course.lecturer, course.id, asked(starts=2.0, ends=3.0)), (
        "it begins at the end"
    )


async def test_the_course_of_another_group_is_not_named_in_a_refusal(course, bookings_of, asked):
    course.context.scheduler.free_places = 10
    await bookings_of.create(course.lecturer, course.id, asked())
    theirs = (await CourseService(course.context).create(course.eve, "powders", "Powders"))["id"]
    with pytest.raises(Conflict) as refused:
        await bookings_of.create(course.eve, theirs, asked())
    text = refused.value.message + refused.value.why + refused.value.next
    assert "XRD 101" not in text
    assert "crystals" not in text


async def test_more_than_the_site_has_is_never_free(course, bookings_of, asked):
    course.context.scheduler.free_places = 4
    with pytest.raises(Conflict) as refused:
        await bookings_of.create(course.lecturer, course.id, asked(places=5))
    assert refused.value.next == "Book at most 4 places."


async def test_cancelling_gives_the_places_back(course, bookings_of, asked):
    course.context.scheduler.free_places = 10
    made = await bookings_of.create(course.lecturer, course.id, asked())
    await bookings_of.cancel(course.lecturer, course.id, made["id"])
    assert await bookings_of.create(course.lecturer, course.id, asked())
    with pytest.raises(NotFound, match="no booking"):
        await bookings_of.cancel(course.lecturer, course.id, made["id"])


async def test_the_booking_of_another_course_is_not_cancelled_through_ones_own(course, bookings_of, asked):
    made = await bookings_of.create(course.lecturer, course.id, asked())
    theirs = (await CourseService(course.context).create(course.eve, "powders", "Powders"))["id"]
    with pytest.raises(NotFound, match="no booking"):
        await bookings_of.cancel(course.eve, theirs, made["id"])
    with pytest.raises(NotFound, match="no course"):
        await bookings_of.cancel(course.eve, course.id, made["id"])
    assert course.world.ask(bookings.get, made["id"]).cancelled_at is None


async def test_an_archived_course_books_nothing(course, bookings_of, asked):
    await course.courses.change(course.lecturer, course.id, None, True)
    with pytest.raises(Conflict, match="archived"):
        await bookings_of.create(course.lecturer, course.id, asked())


# ---------------------------------------------------------------- rehearsing


@pytest.fixture
def rehearsed(course):
    """Rehearsals of the scheduler: what they were asked for."""
    seen = []

    async def rehearse(wanted, seconds):
        seen.append(wanted)
        return Rehearsed(10, 0, [1.0] * 10, [10**8] * 10, 4 * 10**9)

    course.context.scheduler.rehearse = rehearse
    return seen


async def test_a_rehearsal_is_begun_and_its_result_stands_in_the_booking(
    course, bookings_of, asked, rehearsed
):
    made = await bookings_of.create(course.lecturer, course.id, asked())
    begun = await bookings_of.rehearse(course.lecturer, course.id, made["id"])
    assert begun["rehearsal"]["running"]
    await course.context.background.settle()
    found = course.world.ask(bookings.get, made["id"]).rehearsal
    assert (found["running"], found["started"]) == (False, 10)
    assert rehearsed == [{"practice": 10}]


async def test_a_rehearsal_is_not_begun_while_others_wait_or_while_it_runs(
    course, bookings_of, asked, rehearsed
):
    made = await bookings_of.create(course.lecturer, course.id, asked())
    course.context.scheduler.waiting = 3
    with pytest.raises(Conflict, match="3 calculations wait"):
        await bookings_of.rehearse(course.lecturer, course.id, made["id"])
    course.context.scheduler.waiting = 0
    over, rehearse = asyncio.Event(), course.context.scheduler.rehearse

    async def lasting(wanted, seconds):
        await over.wait()
        return await rehearse(wanted, seconds)

    course.context.scheduler.rehearse = lasting
    both = await asyncio.gather(
        *(bookings_of.rehearse(course.lecturer, course.id, made["id"]) for _ in range(2)),
        return_exceptions=True,
    )
    assert {type(each) for each in both} == {Conflict, dict}
    over.set()
    await course.context.background.settle()
    assert len(rehearsed) == 1


async def test_a_rehearsal_that_a_restart_cut_is_begun_again_later(
    course, bookings_of, asked, rehearsed, now
):
    made = await bookings_of.create(course.lecturer, course.id, asked())
    for ago, is_refused in ((10.0, True), (1000.0, False)):
        left = {"running": True, "began": now - ago}
        course.world.do(bookings.note_rehearsal, made["id"], left)
        if is_refused:
            with pytest.raises(Conflict, match="is running"):
                await bookings_of.rehearse(course.lecturer, course.id, made["id"])
        else:
            assert await bookings_of.rehearse(course.lecturer, course.id, made["id"])
