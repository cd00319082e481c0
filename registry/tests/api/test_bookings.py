"""Booked times of courses, over HTTP: given, refused with what is free, cancelled; who may."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime

import pytest

# The answers do not depend on the database.
pytestmark = pytest.mark.parametrize("registry", ["sqlite"], indirect=True)
HOUR = 3600.0
_days = itertools.count(100)


@pytest.fixture
def day():
    """Midnight of a day that no other test books, Unix time, s."""
    today = time.time() // 86400 * 86400
    return today + next(_days) * 86400


@pytest.fixture
def make_course(person):
    """A course of a group: (id, lecturer, assistant, student)."""

    def make(group):
        lecturer = person(f"teach!group={group}", groups=[group])
        assistant, student = person(f"manage!group={group}", groups=[group]), person(groups=[group])
        for someone in (lecturer, assistant, student):
            someone.get("/api/me").raise_for_status()
        made = lecturer.post("/api/courses", json={"group": group, "title": f"Course {group}"})
        return made.json()["payload"]["id"], lecturer, assistant, student

    return make


def iso(at):
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def most(registry):
    """How many places can be booked at once, when the launcher has said what it offers."""
    for _ in range(200):
        if found := registry.context.scheduler.bookable(["practice"]):
            return found
        time.sleep(0.05)
    raise AssertionError("The launcher does not answer.")


def ask(client, course, start, end, **more):
    body = {
        "starts_at": iso(start),
        "ends_at": iso(end),
        "students": 20,
        "applications": ["practice"],
        "places": 1,
    }
    return client.post(f"/api/courses/{course}/bookings", json={**body, **more})


def test_a_booking_is_given_listed_and_cancelled(registry, make_course, group, day, most):
    course, lecturer, _, student = make_course(group)
    made = ask(lecturer, course, day, day + HOUR, places=most)
    assert made.status_code == 201, made.text
    booked = made.json()["payload"]
    assert (booked["places"], booked["applications"], booked["starts_at"]) == (most, ["practice"], iso(day))
    seen = student.get(f"/api/courses/{course}/bookings").json()["payload"]["bookings"]
    assert [each["id"] for each in seen] == [booked["id"]]
    reservations = registry.context.scheduler.state.reservations
    assert booked["id"] in [each.id for each in reservations.booked]
    assert lecturer.delete(f"/api/courses/{course}/bookings/{booked['id']}").status_code == 204
    assert lecturer.get(f"/api/courses/{course}/bookings").json()["payload"]["bookings"] == []
    assert booked["id"] not in [each.id for each in reservations.booked]
    assert ask(lecturer, course, day, day + HOUR, places=most).status_code == 201  # its place is free again


def test_what_is_not_free_is_refused_with_what_is(registry, make_course, group, day, most):
    course, lecturer, *_ = make_course(group)
    other, stranger, *_ = make_course(f"{group}z")
    assert ask(lecturer, course, day, day + 2 * HOUR, places=most).status_code == 201
    refused = ask(stranger, other, day + HOUR, day + 3 * HOUR)
    assert refused.status_code == 409
    error = refused.json()["error"]
    assert "are not free in this time: 0 are" in error["message"]
    assert f"{most} from {iso(day)} to {iso(day + 2 * HOUR)}" in error["why"]
    assert f"free from {iso(day + 2 * HOUR)}" in error["next"]
    assert group + "z" not in refused.text
    assert f"Course {group}" not in refused.text  # of the other course only times and places are told
    assert (
        ask(stranger, other, day + 2 * HOUR, day + 3 * HOUR).status_code == 201
    )  # one ends as the other begins


def test_more_places_than_can_be_booked_are_refused(registry, make_course, group, day, most):
    course, lecturer, *_ = make_course(group)
    refused = ask(lecturer, course, day, day + HOUR, places=most + 1)
    assert refused.status_code == 409
    assert f"Book at most {most} places" in refused.json()["error"]["next"]


@pytest.mark.parametrize(
    ("start", "end", "more", "words"),
    [
        (0, 0, {}, "end must be after the start"),
        (HOUR, 0, {}, "end must be after the start"),
        (0, 13 * HOUR, {}, "at most 12 hours"),
        (-1000 * 86400, -1000 * 86400 + HOUR, {}, "over already"),
        (900 * 86400, 900 * 86400 + HOUR, {}, "400 days"),
        (0, HOUR, {"applications": ["none"]}, "There is no application 'none'"),
    ],
    ids=["empty", "backwards", "long", "past", "far", "application"],
)
def test_a_wrong_booking_is_refused_in_words(
    registry, most, make_course, group, day, start, end, more, words
):
    course, lecturer, *_ = make_course(group)
    refused = ask(lecturer, course, day + start, day + end, **more)
    assert refused.status_code in (400, 422)
    assert words in refused.json()["error"]["message"]


def test_only_lecturers_of_the_course_book_cancel_and_rehearse(registry, most, make_course, group, day):
    course, lecturer, assistant, student = make_course(group)
    other, stranger, *_ = make_course(f"{group}z")
    booked = ask(lecturer, course, day, day + HOUR).json()["payload"]["id"]
    for someone, status in ((assistant, 403), (student, 403), (stranger, 404)):
        assert ask(someone, course, day + 5 * HOUR, day + 6 * HOUR).status_code == status
        assert someone.delete(f"/api/courses/{course}/bookings/{booked}").status_code == status
        assert someone.post(f"/api/courses/{course}/bookings/{booked}/rehearsal").status_code == status
    # A booking of another course is not reached through one's own.
    assert stranger.delete(f"/api/courses/{other}/bookings/{booked}").status_code == 404
    assert stranger.post(f"/api/courses/{other}/bookings/{booked}/rehearsal").status_code == 404
    assert stranger.get(f"/api/courses/{course}/bookings").status_code == 404


def test_an_archived_course_books_nothing_and_keeps_no_places(registry, most, make_course, group, day):
    course, lecturer, *_ = make_course(group)
    booked = ask(lecturer, course, day, day + HOUR).json()["payload"]["id"]
    lecturer.patch(f"/api/courses/{course}", json={"archived": True}).raise_for_status()
    assert ask(lecturer, course, day + HOUR, day + 2 * HOUR).status_code == 409
    registry.serving.do(registry.context.scheduler.rules_changed())
    assert booked not in [each.id for each in registry.context.scheduler.state.reservations.booked]
