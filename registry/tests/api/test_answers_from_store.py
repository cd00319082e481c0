"""Identical calculations of an exercise, answered from the store: by copies, said, and never beyond what is allowed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.services.teaching import progress
from qcrbox_registry.store.tables import calculations
from qcrbox_registry.store.teaching import same_work

from .test_preview_accounts import account
from .test_teaching import course, payload, refined  # noqa: F401 - fixtures

_of_id = sa.update(calculations).where(calculations.c.id == sa.bindparam("which", type_=sa.String))
_forget, _remember = _of_id.values(state="running"), _of_id.values(state="successful")


@pytest.fixture
def allowed(course):  # noqa: F811 - a fixture of this name is used
    """An exercise that answers from the store."""
    exercise = course.exercise()
    payload(course.lecturer.patch(f"/api/exercises/{exercise}", json={"answers_from_store": True}))
    return exercise


def shown(client, calculation_id):
    return payload(client.get(f"/api/calculations/{calculation_id}"))["calculations"][0]


def run(course, student, opened, do, **more):  # noqa: F811
    return do.submit(student, "read", structure={"data_file_id": course.data(student, opened)}, **more)


@pytest.fixture
def hold(registry, person):
    """From its call on nothing is handed out: what ends was answered from the store."""
    keeper = person("applications")
    application = payload(keeper.get("/api/applications"))["applications"][0]
    address = f"/api/applications/{application['id']}/hold"
    yield lambda: payload(keeper.post(address, json={"mode": "hold", "reason": "test"}))
    keeper.post(address, json={"mode": None})


def test_the_second_gets_a_copy_of_the_first_and_is_told(course, allowed, refined, hold, do):  # noqa: F811
    ada, bob = course.opened(course.ada, allowed), course.opened(course.bob, allowed)
    first = refined(course.ada, ada)
    hold()
    second = run(course, course.bob, bob, do)
    found = shown(course.bob, second)
    assert found["status"] == "successful"
    assert found["remarks"][0]["text"].startswith("Answered from the store")
    original = shown(course.ada, first)
    assert found["output_dataset_id"] != original["output_dataset_id"]
    mine = payload(course.bob.get(f"/api/datasets/{found['output_dataset_id']}"))["datasets"][0]
    theirs = payload(course.ada.get(f"/api/datasets/{original['output_dataset_id']}"))["datasets"][0]
    (own,), (other,) = mine["data_files"].values(), theirs["data_files"].values()
    assert own["sha256"] == other["sha256"]
    assert own["qcrbox_file_id"] != other["qcrbox_file_id"]
    # The lineage is the student's own, and leads to nobody else.
    tree = course.bob.get(f"/api/lineage/dataset/{found['output_dataset_id']}").text
    assert second in tree
    assert first not in tree
    assert other["qcrbox_file_id"] not in tree
    # The first one stays closed to the second student.
    assert course.bob.get(f"/api/calculations/{first}").status_code == 404
    assert course.bob.get(f"/api/data-files/{other['qcrbox_file_id']}").status_code == 404
    tasks = {who: course.own(who, allowed)["tasks"][0] for who in (course.ada, course.bob)}
    assert [task["state"] for task in tasks.values()] == ["done", "done"]
    assert (
        tasks[course.bob]["words"] == progress.ANSWERED
    )  # said where the student looks, also when it is done
    assert tasks[course.ada]["words"] == ""


def test_what_waits_is_answered_when_the_first_ends(registry, course, allowed, refined, hold, do):  # noqa: F811
    ada, bob = course.opened(course.ada, allowed), course.opened(course.bob, allowed)
    first = refined(course.ada, ada)
    registry.write(lambda conn: conn.execute(_forget, {"which": first}))
    hold()
    waits = run(course, course.bob, bob, do)
    assert shown(course.bob, waits)["status"] == "submitted"
    (task,) = [each for each in course.own(course.bob, allowed)["tasks"] if each["task_id"] == "look"]
    assert task["words"].startswith("Place 1 in the queue")
    registry.write(lambda conn: conn.execute(_remember, {"which": first}))
    # What the scheduler does in the transaction that writes the end of the first.
    written = registry.write(lambda conn: same_work.answer_waiting(conn, [first], 2e9))
    assert {event.object_id for event in written} == {waits}
    assert shown(course.bob, waits)["status"] == "successful"


@pytest.mark.parametrize(
    "why", ["not allowed", "other course", "not opened", "other arguments", "archived", "deleted"]
)
def test_what_is_not_the_same_or_not_allowed_is_calculated(course, allowed, refined, hold, do, person, why):  # noqa: F811
    ada = course.opened(course.ada, allowed)
    first = refined(course.ada, ada)
    hold()
    student, opened = course.bob, None
    if why == "not allowed":
        payload(course.lecturer.patch(f"/api/exercises/{allowed}", json={"answers_from_store": False}))
    if why == "deleted":
        dataset = shown(course.ada, first)["output_dataset_id"]
        assert course.ada.delete(f"/api/datasets/{dataset}").status_code < 300
    if why == "other course":
        group = f"{course.group}y"
        lecturer, student = person(f"teach!group={group}", groups=[group]), person(groups=[group])
        payload(student.get("/api/me"))
        made = payload(lecturer.post("/api/courses", json={"group": group, "title": "Other"}), 201)
        data = do.upload(lecturer, "quartz.cif", group="")
        body = {"title": "Quartz", "files": [{"data_file_id": do.file_id(data)}]}
        other = payload(lecturer.post(f"/api/courses/{made['id']}/exercises", json=body), 201)["id"]
        payload(
            lecturer.patch(f"/api/exercises/{other}", json={"published": True, "answers_from_store": True})
        )
        opened = course.opened(student, other)
    elif why == "not opened":
        data = do.upload(student, "quartz.cif", group="")
        waits = do.submit(student, "read", structure={"data_file_id": do.file_id(data)})
        assert shown(student, waits)["status"] == "submitted"
        return
    else:
        opened = course.opened(student, allowed)
    if why == "archived":
        payload(course.lecturer.patch(f"/api/courses/{course.course['id']}", json={"archived": True}))
    if why == "other arguments":
        waits = do.submit(student, "noop")
    else:
        waits = run(course, student, opened, do)
    assert shown(student, waits)["status"] == "submitted"


def test_only_lecturers_allow_it(course, allowed):  # noqa: F811
    for someone, status in ((course.assistant, 403), (course.ada, 403), (course.eve, 404)):
        answer = someone.patch(f"/api/exercises/{allowed}", json={"answers_from_store": False})
        assert answer.status_code == status
    assert course.own(course.ada, allowed)["exercise"]["answers_from_store"] is True


@pytest.mark.attack(18)
@pytest.mark.parametrize("whose", ["own copy", "preview account"])
def test_what_a_lecturer_has_tried_answers_no_student(course, allowed, refined, hold, do, registry, whose):  # noqa: F811
    tried = course.lecturer
    if whose == "preview account":
        tried = account(registry, tried.name, course.group, [course.group])
    assert course.opened(tried, allowed)["preview"] is True
    first = refined(tried, course.own(tried, allowed))
    hold()
    bob = course.opened(course.bob, allowed)
    waits = run(course, course.bob, bob, do)
    assert shown(course.bob, waits)["status"] == "submitted", "the answer tells what the lecturer has tried"
    # The way of those that wait when the first one ends.
    assert registry.write(lambda conn: same_work.answer_waiting(conn, [first], 2e9)) == []
    # In a preview it is as for a student whose fellow students came first.
    again = run(course, tried, course.own(tried, allowed), do)
    assert shown(tried, again)["status"] == "successful"
    assert shown(course.bob, waits)["status"] == "submitted"


def test_a_preview_is_answered_by_what_students_did(course, allowed, refined, hold, do):  # noqa: F811
    refined(course.ada, course.opened(course.ada, allowed))
    hold()
    tried = course.opened(course.lecturer, allowed)
    assert shown(course.lecturer, run(course, course.lecturer, tried, do))["status"] == "successful"
