"""The life of a course beside its exercises: shelf, archive, copy for next year, export for research; who may."""

from __future__ import annotations

import base64
import json
import time

import pytest

from .test_teaching import TASKS, course, iso, payload, refined  # noqa: F401 - fixtures


def shelve(course, do, who=None, **more):  # noqa: F811
    file_id = do.file_id(do.upload(course.lecturer, "quartz.cif", group=""))
    body = {"data_file_id": file_id, "title": "Script", **more}
    return (who or course.lecturer).post(f"/api/courses/{course.course['id']}/shelf", json=body)


def titles(course, who):  # noqa: F811
    found = payload(who.get(f"/api/courses/{course.course['id']}/shelf"))["items"]
    return [item["title"] for item in found]


# ---------------------------------------------------------------- shelf


def test_students_see_what_is_open_to_them_and_nothing_else(course, do):  # noqa: F811
    now = time.time()
    items = {
        "open": {},
        "for lecturers": {"for_lecturers": True},
        "not yet": {"opens_at": iso(now + 3600)},
        "no longer": {"closes_at": iso(now - 3600)},
        "for a time": {"opens_at": iso(now - 3600), "closes_at": iso(now + 3600)},
    }
    ids = {
        title: payload(shelve(course, do, title=title, **more), 201)["id"] for title, more in items.items()
    }
    assert titles(course, course.ada) == ["for a time", "open"]
    assert titles(course, course.assistant) == sorted(items)
    for title, item in ids.items():
        address = f"/api/courses/{course.course['id']}/shelf/{item}/content"
        assert course.ada.get(address).status_code == (200 if title in ("open", "for a time") else 404)
        assert course.assistant.get(address).status_code == 200
        assert course.eve.get(address).status_code == 404


def test_the_shelf_keeps_its_own_copy(course, do):  # noqa: F811
    made = do.upload(course.lecturer, "quartz.cif", group="")
    body = {"data_file_id": do.file_id(made)}
    item = payload(course.lecturer.post(f"/api/courses/{course.course['id']}/shelf", json=body), 201)
    assert item["title"] == "quartz.cif"
    course.lecturer.delete(f"/api/datasets/{made['qcrbox_dataset_id']}").raise_for_status()
    address = f"/api/courses/{course.course['id']}/shelf/{item['id']}"
    assert course.ada.get(f"{address}/content").status_code == 200
    assert course.lecturer.delete(address).status_code == 204
    assert course.ada.get(f"{address}/content").status_code == 404


def test_only_lecturers_of_the_course_change_its_shelf(course, do, person):  # noqa: F811
    item = payload(shelve(course, do), 201)["id"]
    for someone, status in ((course.assistant, 403), (course.ada, 403), (course.eve, 404)):
        assert shelve(course, do, who=someone).status_code == status
        assert someone.delete(f"/api/courses/{course.course['id']}/shelf/{item}").status_code == status
    # An item is not reached through another course.
    group = f"{course.group}x"
    other = payload(course.eve.post("/api/courses", json={"group": group, "title": "Other"}), 201)["id"]
    assert course.eve.get(f"/api/courses/{other}/shelf/{item}/content").status_code == 404
    assert course.eve.delete(f"/api/courses/{other}/shelf/{item}").status_code == 404


def test_a_file_that_the_lecturer_may_not_read_is_not_shelved(course, do):  # noqa: F811
    private = do.file_id(do.upload(course.eve, "quartz.cif", group=""))
    assert shelve(course, do, data_file_id=private).status_code == 404


# ---------------------------------------------------------------- archive


def test_an_archived_course_is_changed_by_nobody_and_can_be_restored(course, do):  # noqa: F811
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    item = payload(shelve(course, do), 201)["id"]
    address = f"/api/courses/{course.course['id']}"
    payload(course.lecturer.patch(address, json={"archived": True}))
    refused = [
        shelve(course, do),
        course.lecturer.delete(f"{address}/shelf/{item}"),
        course.lecturer.post(f"/api/exercises/{exercise}/notes", json={"text": "x"}),
        course.lecturer.post(f"/api/exercises/{exercise}/grade"),
        course.lecturer.post(f"/api/exercises/{exercise}/collect"),
        course.lecturer.patch(f"/api/exercises/{exercise}", json={"published": False}),
        course.ada.put(f"/api/exercises/{exercise}/answers/why", json={"value": "x"}),
        course.ada.post(f"/api/exercises/{exercise}/submit"),
    ]
    assert [answer.status_code for answer in refused] == [409] * len(refused)
    assert titles(course, course.ada) == ["Script"]
    assert course.board(exercise)
    payload(course.lecturer.patch(address, json={"archived": False}))
    assert shelve(course, do).status_code == 201


# ---------------------------------------------------------------- next year


def leave_traces(course, student, exercise, name):  # noqa: F811
    """Work of a student with their name wherever the person or the staff can write: notebook, files, notes, marks."""
    path = f"/api/exercises/{exercise}"
    notebook = json.dumps(
        {"nbformat": 4, "metadata": {"authors": [name]}, "cells": [{"cell_type": "raw", "source": name}]}
    )
    course.opened(student, exercise)
    payload(student.put(f"{path}/answers/why", json={"value": name}))
    headers = {"content-type": "application/x-ipynb+json"}
    payload(student.put(f"{path}/draft", params={"problem": name}, content=notebook, headers=headers))
    files = [{"filename": f"{name}.cif", "content": base64.b64encode(f"data_{name}".encode()).decode()}]
    payload(student.post(f"{path}/submit", json={"notebook": notebook, "problem": name, "files": files}), 201)
    payload(course.lecturer.post(f"{path}/notes", json={"text": name, "student": student.name}), 201)
    mark = {"student": student.name, "task_id": "why", "points": 1.0, "comment": name}
    payload(course.lecturer.put(f"{path}/marks", json=mark))


def test_next_years_course_has_the_exercises_and_nothing_of_the_students(course, do, person, refined):  # noqa: F811
    exercise = course.exercise(due_at=time.time() + 3600)
    leave_traces(course, course.ada, exercise, "My name is Ada Lovelace")
    refined(course.ada, course.opened(course.ada, exercise))
    payload(course.lecturer.post(f"/api/exercises/{exercise}/grade"))
    payload(shelve(course, do, closes_at=iso(time.time() - 1)), 201)
    payload(course.lecturer.patch(f"/api/courses/{course.course['id']}", json={"archived": True}))
    group = f"{course.group}n"
    both = (f"teach!group={course.group}", f"teach!group={group}")
    lecturer, student = person(*both, groups=[course.group, group]), person(groups=[group])
    payload(student.get("/api/me"))
    payload(lecturer.get("/api/me"))
    body = {"group": group, "title": "XRD 102"}
    made = payload(lecturer.post(f"/api/courses/{course.course['id']}/copy", json=body), 201)
    assert (made["title"], made["group"], made["archived_at"]) == ("XRD 102", group, None)
    (copied,) = payload(lecturer.get(f"/api/courses/{made['id']}/exercises"))["exercises"]
    assert (copied["title"], copied["published"], copied["due_at"]) == ("Quartz", False, None)
    assert payload(lecturer.get(f"/api/exercises/{copied['id']}/board"))["students"][0]["opened_at"] is None
    path = f"/api/exercises/{copied['id']}"
    seen = json.dumps([payload(lecturer.get(f"{path}{more}")) for more in ("", "/board", "/marks", "/own")])
    seen += lecturer.get(f"{path}/files/quartz.ipynb").text
    seen += json.dumps(payload(lecturer.get(f"/api/courses/{made['id']}/people")))
    assert [word for word in ("Lovelace", course.ada.name, course.bob.name) if word in seen] == []
    marked = payload(lecturer.get(f"{path}/marks"))["students"]
    assert [(row["name"], row["points"], row["submitted"]) for row in marked] == [(student.name, 0, None)]
    detail = payload(lecturer.get(f"/api/exercises/{copied['id']}"))["manifest"]
    assert [task["id"] for task in detail["tasks"]] == [task["id"] for task in TASKS]
    assert detail["tasks"][3]["accepted"] == ["Si"]
    payload(lecturer.patch(f"/api/exercises/{copied['id']}", json={"published": True}))
    assert payload(student.post(f"/api/exercises/{copied['id']}/open"))["dataset_id"]
    assert len(payload(student.get(f"/api/courses/{made['id']}/shelf"))["items"]) == 1
    assert lecturer.post(f"/api/courses/{course.course['id']}/copy", json=body).status_code == 409


def test_only_who_teaches_both_courses_copies(course, person):  # noqa: F811
    address, group = f"/api/courses/{course.course['id']}/copy", f"{course.group}n"
    for someone, status in ((course.assistant, 403), (course.ada, 403), (course.eve, 404)):
        assert someone.post(address, json={"group": group, "title": "x"}).status_code == status
    # A group that the lecturer is not in is no group to them.
    refused = course.lecturer.post(address, json={"group": f"{course.group}x", "title": "x"})
    assert refused.status_code == 400
    assert [each["group"] for each in payload(course.lecturer.get("/api/courses"))["courses"]] == [
        course.group
    ]


# ---------------------------------------------------------------- research


def named_cif(name):
    """A model whose CIF names its author and their address."""
    return (
        f"data_{name.split()[-1]}\n_audit_author_name '{name}'\n_audit_author_address 'ada@uni.example'\n"
        "_cell_length_a 4.9134\n_cell_length_b 4.9134\n_cell_length_c 5.4052\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 120\n_space_group_name_H-M_alt 'P 32 2 1'\n"
        "_chemical_formula_sum 'O2 Si'\n_refine_ls_R_factor_gt 0.021\nloop_\n_atom_site_label\n"
        "_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nSi1 Si 0.4697 0 0\n"
    ).encode()


@pytest.mark.slow
def test_the_export_names_nobody(course, person, do, refined):  # noqa: F811
    exercise = course.exercise()
    students = [course.ada, course.bob, *(person(groups=[course.group]) for _ in range(3))]
    address = f"/api/courses/{course.course['id']}/research-export"
    secret = "My name is Ada Lovelace"
    for number, student in enumerate(students):
        payload(student.get("/api/me"))
        if number == 4:
            assert course.lecturer.get(address).status_code == 409  # four are too few
        opened = course.opened(student, exercise)
        leave_traces(course, student, exercise, secret)
        payload(student.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Ge"}))
        payload(student.put(f"/api/exercises/{exercise}/answers/r1", json={"value": "0.02149"}))
        if number == 0:
            calculation = refined(student, opened, named_cif(secret))
            payload(student.patch(f"/api/calculations/{calculation}", json={"tags": ["Lovelace"]}))
    found = payload(course.lecturer.get(address))
    text = json.dumps(found)
    forbidden = [secret, "Ada", "XRD 101", "Quartz", exercise, course.course["id"], course.group, calculation]
    forbidden += ["Lovelace", "2999", *(student.name for student in students)]
    assert [word for word in forbidden if word in text] == []
    assert found["students"] == 5
    (shown,) = found["exercises"]
    assert sorted(row["student"] for row in shown["students"]) == [1, 2, 3, 4, 5]
    for row in shown["students"]:
        by_task = {task["task"]: task for task in row["tasks"]}
        assert (by_task[3]["answer"], by_task[4]["answer"], by_task[5]["answer"]) == (0.0215, 2, None)
    (worked,) = [row for row in shown["students"] if row["calculations"]]
    assert worked["calculations"][0]["command"] == "practice.read"
    assert worked["calculations"][0]["after_min"] == 0


def test_only_lecturers_export(course):  # noqa: F811
    address = f"/api/courses/{course.course['id']}/research-export"
    for someone, status in ((course.assistant, 403), (course.ada, 403), (course.eve, 404)):
        assert someone.get(address).status_code == status
