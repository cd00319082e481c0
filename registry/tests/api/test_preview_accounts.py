"""Preview accounts: students of one course who count nowhere, and whose data goes to the trash when the hub deletes them."""

from __future__ import annotations

import time

import pytest
from qcrbox_registry.services import offboarding

from .conftest import SERVICE_TOKEN
from .test_teaching import NOTEBOOK, Class, draft, iso, payload

pytestmark = pytest.mark.attack(1)


@pytest.fixture
def course(registry, person, group, do):
    return Class(registry, person, group, do)


@pytest.fixture
def preview(registry, course, group):
    """The preview account of the lecturer."""
    return account(registry, course.lecturer.name, group, [group])


def account(registry, owner, of_group, groups, *, named=True):
    name = f"0preview-{time.monotonic_ns():x}" if named else f"preview-{time.monotonic_ns():x}"
    made = registry.person(
        "use", f"preview!user={owner}", f"preview!group={of_group}", groups=groups, name=name
    )
    payload(made.get("/api/me"))
    return made


@pytest.mark.slow
def test_it_tries_an_exercise_that_is_hidden_not_open_or_closed_and_counts_nowhere(course, preview):
    now = time.time()
    hidden = course.exercise(publish=False)
    early = course.exercise(opens_at=now + 3600)
    closed = course.exercise(opens_at=now - 7200, due_at=now - 3600)
    listed = payload(preview.get(f"/api/courses/{course.course['id']}/exercises"))["exercises"]
    assert {each["id"] for each in listed} == {hidden, early, closed}
    assert all(each["may_try"] for each in listed), "Lab greys out what it may begin"
    for exercise in (hidden, early, closed):
        opened = course.opened(preview, exercise)
        assert opened["preview"] is opened["exercise"]["may_try"] is True
        assert preview.get(f"/api/exercises/{exercise}/files/quartz.ipynb").text == NOTEBOOK
        assert preview.get(f"/api/exercises/{exercise}/files/answer.cif").status_code == 404
        payload(preview.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Si"}))
        payload(draft(preview, exercise, NOTEBOOK.encode()))
        payload(preview.post(f"/api/exercises/{exercise}/submit"), 201)
        assert preview.name not in course.board(exercise)
        assert preview.get(f"/api/exercises/{exercise}/board").status_code in (403, 404)
        assert payload(course.lecturer.post(f"/api/exercises/{exercise}/collect")) == {"number": 0}
        assert payload(course.lecturer.post(f"/api/exercises/{exercise}/grade"))["marked"] == 0
    assert course.ada.get(f"/api/exercises/{hidden}").status_code == 404
    assert course.ada.post(f"/api/exercises/{early}/open").status_code == 409
    path = f"/api/exercises/{early}"
    who = {"student": (course.ada, ""), "preview": (preview, ""), "assistant": (course.assistant, "")}
    who["as a student"] = (course.assistant, "?as_student=true")
    found = {name: payload(each.get(path + query))["may_try"] for name, (each, query) in who.items()}
    assert found == {"student": False, "preview": True, "assistant": True, "as a student": False}


def test_neither_the_name_nor_the_scopes_alone_nor_another_course_open_a_hidden_exercise(
    registry, course, group
):
    hidden = course.exercise(publish=False)
    lecturer = course.lecturer.name
    only_name = registry.person("use", groups=[group], name=f"0preview-{time.monotonic_ns():x}")
    for who in (
        only_name,
        account(registry, lecturer, group, [group], named=False),
        account(registry, lecturer, f"{group}x", [group, f"{group}x"]),
        account(registry, lecturer, group, []),
    ):
        assert who.get(f"/api/exercises/{hidden}").status_code == 404
        assert who.post(f"/api/exercises/{hidden}/open").status_code == 404
    # Whatever its scopes: an account of this name never counts as a student.
    shown = course.exercise()
    assert course.opened(only_name, shown)["preview"] is True
    assert only_name.name not in course.board(shown)


@pytest.mark.slow
def test_lists_of_people_and_of_marks_and_the_export_for_research_leave_previews_out(course, preview, person):
    exercise = course.exercise()
    answer = f"/api/exercises/{exercise}/answers/r1"
    previews = [course.lecturer, course.assistant, preview]
    students = [course.ada, course.bob, *(person(groups=[course.group]) for _ in range(3))]
    for who in (*previews, *students[:4]):
        course.opened(who, exercise)
        payload(who.put(answer, json={"value": "0.0214" if who in students else "0.0999"}))
        payload(who.post(f"/api/exercises/{exercise}/submit"), 201)
    export = f"/api/courses/{course.course['id']}/research-export"
    assert course.lecturer.get(export).status_code == 409, "three previews made the four students enough"
    course.opened(students[4], exercise)
    found = payload(course.lecturer.get(export))
    assert found["students"] == 5
    (shown,) = found["exercises"]
    answers = [task["answer"] for row in shown["students"] for task in row["tasks"] if task["task"] == 3]
    assert sorted(answers, key=str) == [0.0214] * 4 + [None]

    payload(course.lecturer.post(f"/api/exercises/{exercise}/grade"))
    marks = payload(course.lecturer.get(f"/api/exercises/{exercise}/marks"))["students"]
    assert {row["name"] for row in marks} == {student.name for student in students}
    people = payload(course.lecturer.get(f"/api/courses/{course.course['id']}/people"))["people"]
    assert preview.name not in {each["name"] for each in people}
    assert [each["role"] for each in people].count("student") == 5, "the page proposes to book for so many"


def test_it_is_given_no_time_and_no_note_by_its_name(course, preview):
    exercise = course.exercise(due_at=time.time() + 3600)
    later = {"student": preview.name, "until": iso(time.time() + 7200), "reason": "x"}
    assert course.lecturer.put(f"/api/exercises/{exercise}/extension", json=later).status_code == 404
    note = {"student": preview.name, "text": "x"}
    assert course.lecturer.post(f"/api/exercises/{exercise}/notes", json=note).status_code == 404
    assert preview.name not in course.board(exercise)


def test_the_audit_trail_says_whose_it_is(registry, course, preview, person):
    exercise = course.exercise()
    course.opened(preview, exercise)
    root = person("admin")
    (entry,) = payload(root.get("/api/audit", params={"who": preview.name, "action": "open"}))["audit"]
    assert entry["details"]["account"] == f"preview of {course.lecturer.name} in {course.group}"


@pytest.mark.slow
def test_when_it_is_gone_its_data_goes_to_the_trash_and_waits_for_nobody(
    registry, course, preview, person, do, monkeypatch
):
    monkeypatch.setattr(offboarding, "YOUNG_S", -1.0)
    exercise = course.exercise()
    opened = course.opened(preview, exercise)
    payload(draft(preview, exercise, NOTEBOOK.encode()))
    payload(preview.post(f"/api/exercises/{exercise}/submit"), 201)
    own = do.upload(preview, group="")["qcrbox_dataset_id"]
    running = do.submit(preview, "read", structure={"data_file_id": course.data(preview, opened)})
    root = person("admin")
    del registry.hub.users[preview.token]
    for cached in registry.context.identity._cache.values():
        cached.at -= 5.1

    def left():
        found = payload(root.get("/api/leftovers"))["leftovers"]
        return [each for each in found if each["name"] == preview.name]

    assert left() == []
    deadline = time.monotonic() + 60
    while root.get(f"/api/datasets/{own}").status_code != 404:
        left()  # looks again: what ran has to end first
        assert time.monotonic() < deadline
    assert root.get(f"/api/datasets/{opened['dataset_id']}").status_code == 404
    assert payload(root.get(f"/api/calculations/{running}"))["calculations"][0]["finished_at"]
    (decision,) = [
        each
        for each in payload(root.get("/api/leftovers/decisions"))["decisions"]
        if each["reason"] == offboarding.PREVIEW_ENDED
    ]
    assert decision["decision"] == "delete"
    undo = root.post(f"/api/leftovers/decisions/{decision['decision_id']}/undo")
    assert payload(undo)["objects"] == 2
    (brought_back,) = left()
    assert brought_back["datasets"] == 2, "what was brought back can be decided upon"


def test_only_the_hub_asks_which_courses_go_on(registry, course):
    path = "/internal/hub/courses"
    assert registry.client(SERVICE_TOKEN).get(path).status_code == 200
    assert course.group in payload(registry.client(SERVICE_TOKEN).get(path))["groups"]
    assert [who.get(path).status_code for who in (course.lecturer, registry.client())] == [401, 401]
    payload(course.lecturer.patch(f"/api/courses/{course.course['id']}", json={"archived": True}))
    assert course.group not in payload(registry.client(SERVICE_TOKEN).get(path))["groups"]
