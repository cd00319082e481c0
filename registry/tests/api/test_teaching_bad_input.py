"""Teaching with what goes wrong: many clicks, late joiners, two courses, hostile files, damaged notebooks, a restart."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from qcrbox_registry.store import people
from qcrbox_registry.store.teaching import snapshots, work

NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
CELL = {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "Look."}
TASKS = [
    {"id": "which", "title": "Which atom?", "kind": "answer", "choices": ["Si", "Ge"], "accepted": ["Si"]}
]
CLICKS = 60


def payload(response, status=200):
    assert response.status_code == status, response.text
    return response.json()["payload"]


def exercise_of(lecturer, group):
    """A published exercise of a new course of the group."""
    payload(lecturer.get("/api/me"))
    course = payload(lecturer.post("/api/courses", json={"group": group, "title": f"Course {group}"}), 201)
    body = {"title": "Quartz", "notebook": json.dumps({**NOTEBOOK, "cells": [CELL]}), "tasks": TASKS}
    made = payload(lecturer.post(f"/api/courses/{course['id']}/exercises", json=body), 201)
    payload(lecturer.patch(f"/api/exercises/{made['id']}", json={"published": True}))
    return made["id"]


@pytest.fixture
def lecturer(person, group):
    return person(f"teach!group={group}", groups=[group])


@pytest.fixture
def exercise(lecturer, group):
    return exercise_of(lecturer, group)


def opened(student, exercise):
    return payload(student.post(f"/api/exercises/{exercise}/open"))


def test_sixty_clicks_on_open_make_one_dataset_and_one_row(person, group, lecturer, do, registry):
    data = do.upload(lecturer, "quartz.cif", group="")
    exercise = exercise_of(lecturer, group)
    body = {"title": "Quartz", "tasks": TASKS, "files": [{"data_file_id": do.file_id(data)}]}
    payload(lecturer.post(f"/api/exercises/{exercise}/versions", json=body), 201)
    ada = person(groups=[group])
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ada.post(f"/api/exercises/{exercise}/open"), range(CLICKS)))
    assert len({payload(answer)["dataset_id"] for answer in answers}) == 1
    made = [each for each in payload(ada.get("/api/datasets"))["datasets"] if each["name"] == "Quartz"]
    assert len(made) == 1
    assert len(registry.read(lambda conn: work.students(conn, exercise))) == 1


@pytest.mark.slow
def test_sixty_clicks_on_submit_of_the_same_work_count_once(person, group, lecturer, exercise):
    ada = person(groups=[group])
    opened(ada, exercise)
    payload(ada.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Si"}))
    for _ in range(CLICKS):
        payload(ada.post(f"/api/exercises/{exercise}/submit"), 201)
    for _ in range(3):
        assert payload(lecturer.post(f"/api/exercises/{exercise}/grade")) == {"marked": 1, "problems": []}
    found = payload(lecturer.get(f"/api/exercises/{exercise}/marks"))["students"]
    assert [(row["name"], row["points"]) for row in found] == [(ada.name, 1.0)]


def test_sixty_clicks_on_release_keep_the_moment_of_the_first(lecturer, exercise):
    path = f"/api/exercises/{exercise}/release"
    clicks = [payload(lecturer.post(path, json={"released": True})) for _ in range(CLICKS)]
    assert len({each["released_at"] for each in clicks}) == 1
    assert payload(lecturer.get(f"/api/exercises/{exercise}"))["released_at"] == clicks[0]["released_at"]
    assert payload(lecturer.post(path, json={"released": False})) == {"released_at": None}


def test_a_person_in_two_courses_has_separate_work_and_each_staff_sees_its_own(
    person, group, lecturer, exercise
):
    other_group = f"{group}b"
    other_lecturer = person(f"teach!group={other_group}", groups=[other_group])
    other = exercise_of(other_lecturer, other_group)
    ada = person(groups=[group, other_group])
    for each, value in ((exercise, "Si"), (other, "Ge")):
        opened(ada, each)
        payload(ada.put(f"/api/exercises/{each}/answers/which", json={"value": value}))
    states = [
        payload(ada.get(f"/api/exercises/{each}/own"))["tasks"][0]["state"] for each in (exercise, other)
    ]
    assert states == ["done", "out_of_band"]
    path = f"/students/{ada.name}"
    assert payload(lecturer.get(f"/api/exercises/{exercise}{path}"))["answers"] == {"which": "Si"}
    assert payload(other_lecturer.get(f"/api/exercises/{other}{path}"))["answers"] == {"which": "Ge"}
    assert lecturer.get(f"/api/exercises/{other}{path}").status_code == 404
    assert other_lecturer.get(f"/api/exercises/{exercise}{path}").status_code == 404


def test_courses_of_one_title_are_told_apart_and_renaming_loses_nothing(person, group, lecturer, exercise):
    other_group = f"{group}b"
    other_lecturer = person(f"teach!group={other_group}", groups=[other_group])
    other = exercise_of(other_lecturer, other_group)
    ada = person(groups=[group, other_group])
    opened(ada, exercise)
    payload(ada.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Si"}))
    for who in (lecturer, other_lecturer):
        (course,) = payload(who.get("/api/courses"))["courses"]
        payload(who.patch(f"/api/courses/{course['id']}", json={"title": "XRD"}))
    courses = payload(ada.get("/api/courses"))["courses"]
    assert [course["title"] for course in courses] == ["XRD", "XRD"]
    assert {course["group"] for course in courses} == {group, other_group}
    own = payload(ada.get(f"/api/exercises/{exercise}/own"))
    assert (own["exercise"]["course"], own["answers"]) == ("XRD", {"which": "Si"})
    assert payload(ada.get(f"/api/exercises/{other}/own"))["dataset_id"] is None


def test_a_renamed_student_is_one_row_of_the_board_before_and_after_they_come(
    person, group, lecturer, exercise, registry
):
    ada = person(groups=[group], created=f"2026-05-05T05:05:05.{group}Z")
    renamed = f"{ada.name}-countess"
    opened(ada, exercise)
    board = f"/api/exercises/{exercise}/board"

    def learners():
        names = [row["name"] for row in payload(lecturer.get(board))["students"]]
        return [name for name in names if name.startswith(ada.name)]

    assert learners() == [ada.name]
    account = next(user for user in registry.hub.users.values() if user["name"] == ada.name)
    account["name"] = renamed
    # The hub is asked anew, and the student has not come since.
    registry.context.identity._members.clear()
    assert len(learners()) == 1
    # Now they come, while the answer of the hub is still the one of before.
    account["name"] = ada.name
    registry.context.identity._members.clear()
    learners()
    account["name"] = renamed
    registry.context.identity._cache.clear()
    ada.get("/api/me")
    assert learners() == [renamed]


def test_someone_whom_a_rule_names_has_not_signed_in(group, lecturer, exercise, registry):
    registry.hub.add(name := f"{group}-late", groups=[group])
    assert exercise
    (course,) = payload(lecturer.get("/api/courses"))["courses"]
    registry.write(lambda conn: people.introduce_person(conn, name, "2026-01-02T00:00:00Z", 1.0))
    found = payload(lecturer.get(f"/api/courses/{course['id']}/people"))["people"]
    assert [each["signed_in"] for each in found if each["name"] == name] == [False]


def test_whoever_joins_late_is_on_the_board_and_can_begin(person, group, lecturer, exercise, registry):
    opened(person(groups=[group]), exercise)
    payload(lecturer.get(f"/api/exercises/{exercise}/board"))
    late = person(groups=[group])
    registry.context.identity._members.clear()
    names = [row["name"] for row in payload(lecturer.get(f"/api/exercises/{exercise}/board"))["students"]]
    assert late.name in names
    assert opened(late, exercise)["exercise"]["phase"] == "open"


def damaged(number):
    """One of fifteen kinds of broken notebook; equal kinds differ by `number`."""
    cell = {**CELL, "source": f"{number}"}
    broken = [
        b" \n" * (number + 1),
        json.dumps(NOTEBOOK).encode()[: 8 + number % 40],
        b"\x89PNG\r\n\x1a\n" + bytes([200]) * (number + 1),
        "Mäuse".encode("latin-1") * (number + 1),
        b"[]" + b" " * number,
        str(number).encode(),
        json.dumps({"nbformat": 4, "n": number}).encode(),
        json.dumps({**NOTEBOOK, "cells": "x" * (number + 1)}).encode(),
        json.dumps({**NOTEBOOK, "metadata": {"n": number}}).encode(),
        json.dumps({**NOTEBOOK, "nbformat": 3, "cells": [cell]}).encode(),
        json.dumps({**NOTEBOOK, "nbformat": "4", "cells": [cell]}).encode(),
        json.dumps({**NOTEBOOK, "cells": [cell, number]}).encode(),
        json.dumps({**NOTEBOOK, "cells": [{**cell, "cell_type": "magic"}]}).encode(),
        json.dumps({**NOTEBOOK, "cells": [{**cell, "source": [number]}]}).encode(),
        b'{"cells": ' + b"[" * (10_000 + number) + b"]" * (10_000 + number) + b"}",
    ]
    return broken[number % len(broken)]


@pytest.mark.slow
@pytest.mark.parametrize("registry", ["sqlite"], indirect=True)
def test_three_hundred_damaged_notebooks_are_collected_named_and_marked(
    person, group, lecturer, exercise, registry
):
    """One student saves them one after the other; each is submitted, and each keeps its bytes."""
    ada = person(groups=[group])
    opened(ada, exercise)
    payload(ada.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Si"}))
    kind = {"content-type": "application/x-ipynb+json"}
    for number in range(300):
        payload(ada.put(f"/api/exercises/{exercise}/draft", content=damaged(number), headers=kind))
        receipt = payload(ada.post(f"/api/exercises/{exercise}/submit"), 201)
        assert receipt["problem"], number
    kept = ada.get(f"/api/snapshots/{receipt['id']}/notebook")
    assert kept.content == damaged(299)
    assert len(registry.read(lambda conn: snapshots.of_exercise(conn, exercise))) == 300
    assert payload(lecturer.post(f"/api/exercises/{exercise}/grade")) == {"marked": 1, "problems": []}
    row = payload(lecturer.get(f"/api/exercises/{exercise}/marks"))["students"][0]
    assert row["points"] == 1.0


@pytest.mark.slow
def test_a_class_with_one_damaged_notebook_each_is_collected_whole(person, group, lecturer, exercise):
    students = [person(groups=[group]) for _ in range(15)]
    kind = {"content-type": "application/x-ipynb+json"}
    for number, student in enumerate(students):
        opened(student, exercise)
        payload(student.put(f"/api/exercises/{exercise}/draft", content=damaged(number), headers=kind))
        payload(student.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Si"}))
    assert payload(lecturer.post(f"/api/exercises/{exercise}/collect"))["number"] == 15
    assert payload(lecturer.post(f"/api/exercises/{exercise}/grade")) == {"marked": 15, "problems": []}
    rows = payload(lecturer.get(f"/api/exercises/{exercise}/marks"))["students"]
    assert {row["points"] for row in rows} == {1.0}
    assert all(row["submitted"]["problem"] for row in rows)
