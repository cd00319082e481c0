"""A course from the first exercise to the marks, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime

import pytest
from qcrbox.contract.messages import Finished, OutputFile
from qcrbox.contract.states import State
from qcrbox_registry.store import people, quotas, results, trash
from qcrbox_registry.store.teaching import snapshots, work

NOTEBOOK = json.dumps(
    {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3"}}, "cells": [{"id": "a", "cell_type": "markdown", "metadata": {}, "source": "Look."}]}
)  # fmt: skip
TASKS = [
    {"id": "look", "title": "Read the cell", "command": "practice.read", "points": 2},
    {
        "id": "refine",
        "title": "Refine",
        "command": "read",
        "band": {"high": 0.03},
        "points": 3,
        "checks": [
            {"kind": "element", "label": "Si1", "symbol": "Si"},
            {"kind": "space_group", "number": 154},
        ],
    },
    {"id": "r1", "title": "R1", "kind": "value", "target": 0.021, "tolerance": 0.001},
    {"id": "which", "title": "Which atom?", "kind": "answer", "choices": ["Si", "Ge"], "accepted": ["Si"]},
    {"id": "why", "title": "Why?", "kind": "answer", "points": 4},
]


def payload(response, status=200):
    assert response.status_code == status, response.text
    return response.json()["payload"]


def iso(at):
    return datetime.fromtimestamp(at, UTC).isoformat()


class Class:
    """A course with a lecturer, an assistant, two students and a stranger."""

    def __init__(self, registry, person, group, do):
        self.registry, self.do, self.group = registry, do, group
        self.lecturer = person(f"teach!group={group}", groups=[group])
        self.assistant = person(f"manage!group={group}", groups=[group])
        self.ada, self.bob = person(groups=[group]), person(groups=[group])
        self.eve = person(f"teach!group={group}x", groups=[f"{group}x"])
        for someone in (self.lecturer, self.ada, self.bob, self.eve):
            payload(someone.get("/api/me"))
        self.course = payload(
            self.lecturer.post("/api/courses", json={"group": group, "title": "XRD 101"}), 201
        )

    def exercise(self, tasks=TASKS, *, publish=True, **dates):
        data = self.do.upload(self.lecturer, "quartz.cif", group="")
        answer = self.do.upload(self.lecturer, "answer.cif", group="")
        body = {
            "title": "Quartz",
            "notebook": NOTEBOOK,
            "notebook_name": "quartz.ipynb",
            "tasks": tasks,
            "files": [
                {"data_file_id": self.do.file_id(data)},
                {"data_file_id": self.do.file_id(answer), "for_lecturers": True},
            ],
        }
        made = payload(self.lecturer.post(f"/api/courses/{self.course['id']}/exercises", json=body), 201)
        change = {name: iso(at) for name, at in dates.items()} | ({"published": True} if publish else {})
        if change:
            payload(self.lecturer.patch(f"/api/exercises/{made['id']}", json=change))
        return made["id"]

    def opened(self, student, exercise):
        return payload(student.post(f"/api/exercises/{exercise}/open"))

    def own(self, student, exercise):
        return payload(student.get(f"/api/exercises/{exercise}/own"))

    def states(self, student, exercise):
        return {task["task_id"]: task["state"] for task in self.own(student, exercise)["tasks"]}

    def board(self, exercise, who=None):
        found = payload((who or self.lecturer).get(f"/api/exercises/{exercise}/board"))
        return {row["name"]: row for row in found["students"]}

    def data(self, student, opened):
        found = payload(student.get(f"/api/datasets/{opened['dataset_id']}"))["datasets"][0]
        return next(iter(found["data_files"].values()))["qcrbox_file_id"]


@pytest.fixture
def course(registry, person, group, do):
    return Class(registry, person, group, do)


@pytest.fixture
def refined(registry, course, do, taken):
    """A successful calculation of a student whose output says R1 = 0.021; its id."""

    def make(student, opened, content=None):
        dataset = payload(student.get(f"/api/datasets/{opened['dataset_id']}"))["datasets"][0]
        attempt = taken(student, dataset)
        cif = content or (
            b"data_q\n_cell_length_a 4.9134\n_cell_length_b 4.9134\n_cell_length_c 5.4052\n_cell_angle_alpha 90\n"
            b"_cell_angle_beta 90\n_cell_angle_gamma 120\n_space_group_name_H-M_alt 'P 32 2 1'\n"
            b"_chemical_formula_sum 'O2 Si'\n_refine_ls_R_factor_gt 0.021\nloop_\n_atom_site_label\n"
            b"_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
            b"Si1 Si 0.4697 0 0\nO1 O 0.4135 0.2669 0.1191\n"
        )
        query = {"name": "written", "filename": "new.cif", "sha256": hashlib.sha256(cif).hexdigest()}
        stored = payload(
            attempt["client"].put(
                f"/internal/calculations/{attempt['id']}/outputs", params=query, content=cif
            ),
            201,
        )
        output = OutputFile(name="written", filename="new.cif", filetype="cif", primary=True, **stored)
        end = Finished(
            calculation_id=attempt["id"],
            attempt=attempt["attempt"],
            status=State.SUCCESSFUL,
            outputs=[output],
        )
        registry.write(lambda conn: results.commit_many(conn, [end]))
        return attempt["id"]

    return make


# ---------------------------------------------------------------- courses


def test_a_group_becomes_a_course_of_its_lecturer_only(course):
    again = course.lecturer.post("/api/courses", json={"group": course.group, "title": "Again"})
    assert again.status_code == 409
    for other in (course.assistant, course.ada):
        assert other.post("/api/courses", json={"group": course.group, "title": "Mine"}).status_code == 403
    assert course.eve.post("/api/courses", json={"group": course.group, "title": "Mine"}).status_code == 400


def test_everyone_sees_the_course_with_their_own_role(course):
    roles = {
        name: [each["role"] for each in payload(who.get("/api/courses"))["courses"]]
        for name, who in (
            ("lecturer", course.lecturer),
            ("assistant", course.assistant),
            ("student", course.ada),
            ("stranger", course.eve),
        )
    }
    assert roles == {
        "lecturer": ["lecturer"],
        "assistant": ["assistant"],
        "student": ["student"],
        "stranger": [],
    }


def test_the_list_of_people_says_who_has_never_signed_in(course, registry):
    registry.hub.add(f"late-{course.group}", groups=(course.group,))
    registry.context.identity._members.clear()
    found = payload(course.lecturer.get(f"/api/courses/{course.course['id']}/people"))["people"]
    by_name = {each["name"]: each for each in found}
    assert by_name[f"late-{course.group}"]["signed_in"] is False
    assert by_name[course.ada.name]["signed_in"] is True
    assert by_name[course.assistant.name]["role"] == "assistant"
    assert course.ada.get(f"/api/courses/{course.course['id']}/people").status_code == 403


def test_an_archived_course_is_read_only_until_it_is_restored(course):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    path = f"/api/courses/{course.course['id']}"
    assert payload(course.lecturer.patch(path, json={"archived": True}))["archived_at"]
    assert course.ada.post(f"/api/exercises/{exercise}/submit").status_code == 409
    assert course.ada.get(f"/api/exercises/{exercise}/own").status_code == 200
    payload(course.lecturer.patch(path, json={"archived": False}))
    assert course.ada.post(f"/api/exercises/{exercise}/submit").status_code == 201


def stored(registry, who):
    """Bytes that count for a person."""

    def read(conn):
        return quotas.used(conn, "person", people.present_accounts(conn, [who.name])[who.name], "gib")

    return round(registry.read(read) * quotas.GIB)


def stored_in_group(registry, name):
    """Bytes that count for the quota of a group."""

    def read(conn):
        return quotas.used(conn, "group", people.find_group(conn, name), "gib")

    return round(registry.read(read) * quotas.GIB)


def test_an_archived_course_frees_the_quota_of_its_students_until_it_is_restored(
    course, registry, refined, do
):
    exercise = course.exercise()
    path = f"/api/courses/{course.course['id']}"
    own = do.upload(course.ada, "mine.cif", b"data_mine\n_cell_length_a 5\n", group="")
    mine = stored(registry, course.ada)
    opened = course.opened(course.ada, exercise)
    copy = stored(registry, course.ada) - mine
    refined(course.ada, opened)
    whole = stored(registry, course.ada)
    assert mine < mine + copy < whole
    payload(course.lecturer.patch(path, json={"archived": True}))
    assert stored(registry, course.ada) == mine  # what is not of the course still counts
    assert course.ada.get(f"/api/datasets/{opened['dataset_id']}").status_code == 200
    more = b"data_more\n_cell_length_a 6\n"
    appended = course.ada.post(
        f"/api/datasets/{opened['dataset_id']}/append", files={"file": ("more.cif", more)}
    )
    assert appended.is_success
    assert stored(registry, course.ada) == mine + len(
        more
    )  # an archived course is no place to store for nothing
    payload(course.lecturer.patch(path, json={"archived": False}))
    assert stored(registry, course.ada) == whole + len(more)
    payload(course.lecturer.patch(path, json={"archived": True}))
    assert course.ada.delete(f"/api/datasets/{opened['dataset_id']}").status_code == 204
    payload(course.lecturer.patch(path, json={"archived": False}))
    assert stored(registry, course.ada) == whole - copy  # deleted meanwhile: nothing is taken off twice
    assert course.ada.delete(f"/api/datasets/{own['qcrbox_dataset_id']}").status_code == 204
    assert stored(registry, course.bob) == 0


def test_an_archived_course_frees_the_quota_of_a_group_that_holds_the_work(course, registry, do):
    exercise = course.exercise()
    ours = b"data_ours\n_cell_length_a 5\n"
    do.upload(course.ada, "ours.cif", ours, group=course.group)
    opened = course.opened(course.ada, exercise)
    payload(course.ada.patch(f"/api/datasets/{opened['dataset_id']}", json={"group": course.group}))
    whole = stored_in_group(registry, course.group)
    assert whole > len(ours)
    path = f"/api/courses/{course.course['id']}"
    payload(course.lecturer.patch(path, json={"archived": True}))
    assert stored_in_group(registry, course.group) == len(ours)  # the group's other data still count
    payload(course.lecturer.patch(path, json={"archived": False}))
    assert stored_in_group(registry, course.group) == whole


# ---------------------------------------------------------------- exercises


def test_students_see_an_exercise_only_once_it_is_published(course):
    exercise = course.exercise(publish=False)
    assert course.ada.get(f"/api/exercises/{exercise}").status_code == 404
    assert course.assistant.get(f"/api/exercises/{exercise}").status_code == 200
    listed = payload(course.ada.get(f"/api/courses/{course.course['id']}/exercises"))["exercises"]
    assert listed == []
    payload(course.lecturer.patch(f"/api/exercises/{exercise}", json={"published": True}))
    assert course.ada.get(f"/api/exercises/{exercise}").status_code == 200


def test_nothing_that_gives_the_answer_away_reaches_a_student(course):
    exercise = course.exercise()
    opened = course.opened(course.ada, exercise)
    seen = json.dumps([payload(course.ada.get(f"/api/exercises/{exercise}")), opened])
    for secret in ("accepted", "target", "tolerance", "answer.cif", "Si1"):
        assert secret not in seen
    assert course.ada.get(f"/api/exercises/{exercise}/files/answer.cif").status_code == 404
    assert course.lecturer.get(f"/api/exercises/{exercise}/files/answer.cif").status_code == 200
    assert course.ada.get(f"/api/exercises/{exercise}/files/quartz.ipynb").text == NOTEBOOK


def test_before_it_opens_an_exercise_shows_its_date_and_no_content(course):
    exercise = course.exercise(opens_at=time.time() + 3600)
    seen = payload(course.ada.get(f"/api/exercises/{exercise}"))
    assert seen["phase"] == "not_open"
    assert seen["manifest"] is None
    assert course.ada.get(f"/api/exercises/{exercise}/files/quartz.cif").status_code == 404
    assert course.ada.post(f"/api/exercises/{exercise}/open").status_code == 409
    assert payload(course.ada.get(f"/api/exercises/{exercise}/own"))["tasks"] == []


def test_a_lecturer_of_another_course_guessing_ids_finds_nothing(course, do):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    snapshot = payload(course.ada.post(f"/api/exercises/{exercise}/submit"), 201)["id"]
    for path in ("", "/board", "/marks", "/own", f"/students/{course.ada.name}", "/files/quartz.cif"):
        assert course.eve.get(f"/api/exercises/{exercise}{path}").status_code == 404
    assert course.eve.get(f"/api/snapshots/{snapshot}/notebook").status_code == 404
    assert course.eve.post(f"/api/exercises/{exercise}/collect").status_code == 404
    assert course.eve.get(f"/api/courses/{course.course['id']}").status_code == 404


def test_a_damaged_notebook_is_refused_as_an_exercise(course):
    path = f"/api/courses/{course.course['id']}/exercises"
    for notebook, words in (("{", "not valid JSON"), ("{}", "not a notebook"), ("", "empty")):
        answer = course.lecturer.post(path, json={"title": "x", "notebook": notebook})
        assert answer.status_code == 400
        assert words in answer.text


def test_a_misspelt_field_of_a_task_is_named(course):
    path = f"/api/courses/{course.course['id']}/exercises"
    answer = course.lecturer.post(path, json={"title": "x", "tasks": [{"id": "a", "title": "A", "bnad": {}}]})
    assert answer.status_code == 400
    assert "bnad" in answer.text


def test_files_of_others_cannot_be_made_an_exercise(course, do):
    foreign = do.file_id(do.upload(course.eve, group=""))
    path = f"/api/courses/{course.course['id']}/exercises"
    answer = course.lecturer.post(path, json={"title": "x", "files": [{"data_file_id": foreign}]})
    assert answer.status_code == 404


# ---------------------------------------------------------------- students' work


def test_opening_gives_a_private_copy_of_the_data_and_repeating_it_changes_nothing(course):
    exercise = course.exercise()
    first = course.opened(course.ada, exercise)
    again = course.opened(course.ada, exercise)
    assert first["dataset_id"] == again["dataset_id"]
    found = payload(course.ada.get(f"/api/datasets/{first['dataset_id']}"))["datasets"][0]
    assert list(found["data_files"]) == ["quartz.cif"]
    assert found["group"] is None
    assert found["data_files"]["quartz.cif"]["index"]["r1"] == pytest.approx(0.021)
    assert course.bob.get(f"/api/datasets/{first['dataset_id']}").status_code == 404


def test_a_deleted_copy_of_the_data_comes_back_with_the_next_opening(course):
    exercise = course.exercise()
    first = course.opened(course.ada, exercise)
    assert course.ada.delete(f"/api/datasets/{first['dataset_id']}").status_code == 204
    again = course.opened(course.ada, exercise)
    assert again["dataset_id"] != first["dataset_id"]
    assert course.data(course.ada, again)


def test_a_calculation_on_the_data_belongs_to_the_exercise_and_one_on_other_data_does_not(course, do, cif):
    exercise = course.exercise()
    opened = course.opened(course.ada, exercise)
    do.ended(course.ada, do.submit(course.ada, "noop"))
    other = do.upload(course.ada, "other.cif", cif + b"# other\n", group="")
    do.ended(course.ada, do.submit(course.ada, "read", structure={"data_file_id": do.file_id(other)}))
    assert course.states(course.ada, exercise)["look"] == "not_begun"
    made = do.submit(course.ada, "read", structure={"data_file_id": course.data(course.ada, opened)})
    do.ended(course.ada, made)
    assert course.states(course.ada, exercise)["look"] == "done"


def test_the_same_contents_uploaded_again_belong_to_the_exercise(course, do):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    own = do.upload(course.ada, "renamed.cif", group="")
    do.ended(course.ada, do.submit(course.ada, "read", structure={"data_file_id": do.file_id(own)}))
    assert course.states(course.ada, exercise)["look"] == "done"


def test_a_tag_joins_work_on_changed_data_to_an_opened_exercise_only(course, do):
    exercise, closed = course.exercise(), course.exercise()
    course.opened(course.ada, exercise)
    for each in (exercise, closed):
        body = {"application_slug": "practice", "application_version": "1", "command_name": "noop",
                "command_arguments": {}, "tags": [f"exercise:{each}"]}  # fmt: skip
        payload(course.ada.post("/api/commands", json=body), 201)
    count = course.registry.read(lambda conn: [len(work.done(conn, each)) for each in (exercise, closed)])
    assert count == [1, 0]


def test_the_staff_reads_the_work_of_the_exercise_and_nothing_else_of_a_student(course, do, refined):
    exercise = course.exercise()
    opened = course.opened(course.ada, exercise)
    made = refined(course.ada, opened)
    private = do.submit(course.ada, "noop")
    for who in (course.lecturer, course.assistant):
        found = payload(who.get(f"/api/calculations/{made}"))["calculations"][0]
        output = payload(who.get(f"/api/datasets/{found['output_dataset_id']}"))["datasets"][0]
        file_id = do.file_id(output)
        assert who.get(f"/api/data-files/{file_id}/download").status_code == 200
        assert who.get(f"/api/data-files/{file_id}/picture").headers["content-type"] == "image/svg+xml"
        assert who.get(f"/api/calculations/{made}/log").status_code == 200
        assert who.get(f"/api/calculations/{private}").status_code == 404
        assert who.delete(f"/api/data-files/{file_id}").status_code == 403
    for who in (course.bob, course.eve):
        assert who.get(f"/api/calculations/{made}").status_code == 404
        assert who.get(f"/api/data-files/{file_id}/download").status_code == 404
        assert who.get(f"/api/data-files/{file_id}/picture").status_code == 404


def test_answers_are_judged_and_the_choices_hold(course):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    path = f"/api/exercises/{exercise}/answers"
    assert course.ada.put(f"{path}/which", json={"value": "Xe"}).status_code == 400
    assert course.ada.put(f"{path}/look", json={"value": "Xe"}).status_code == 404
    payload(course.ada.put(f"{path}/which", json={"value": "Ge"}))
    payload(course.ada.put(f"{path}/r1", json={"value": "0,0215"}))
    payload(course.ada.put(f"{path}/why", json={"value": "<script>alert(1)</script>"}))
    states = course.states(course.ada, exercise)
    assert (states["which"], states["r1"], states["why"]) == ("out_of_band", "done", "handed_in")
    payload(course.ada.put(f"{path}/which", json={"value": "Si"}))
    assert course.states(course.ada, exercise)["which"] == "done"


def test_a_student_whose_board_nobody_looks_at_is_told_that_the_work_is_right(course, refined):
    """The check of an element reads the CIF itself, which only boards and marks did."""
    exercise = course.exercise(tasks=[{"id": "atom", "title": "Atom", "command": "practice.read",
                                       "checks": [{"kind": "element", "label": "Si1", "symbol": "Si"}]}])  # fmt: skip
    refined(course.ada, course.opened(course.ada, exercise))
    deadline = time.monotonic() + 60
    seen = [course.states(course.ada, exercise)["atom"]]
    while seen[-1] != "done":
        assert time.monotonic() < deadline, seen
        seen.append(course.states(course.ada, exercise)["atom"])
    assert set(seen) <= {"running", "done"}


def test_whoever_has_not_opened_the_exercise_is_told_to(course):
    exercise = course.exercise()
    for answer in (
        course.ada.put(f"/api/exercises/{exercise}/answers/why", json={"value": "x"}),
        course.ada.post(f"/api/exercises/{exercise}/submit"),
    ):
        assert answer.status_code == 409
        assert "Open it first" in answer.text


def draft(student, exercise, content, **query):
    kind = {"content-type": "application/x-ipynb+json"}
    return student.put(f"/api/exercises/{exercise}/draft", content=content, headers=kind, params=query)


def test_a_draft_is_kept_as_it_is_and_replaces_the_one_before(course, registry):
    def purge() -> int:
        return registry.write(lambda conn: trash.purge(conn, time.time() - 86400))

    purge()  # what other tests of this registry have replaced
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    for content in (b"{ broken", NOTEBOOK.encode()):
        payload(draft(course.ada, exercise, content))
        seen = course.lecturer.get(f"/api/exercises/{exercise}/students/{course.ada.name}/notebook")
        assert seen.content == content
        assert "attachment" in seen.headers["content-disposition"]
    assert course.bob.get(f"/api/exercises/{exercise}/students/{course.ada.name}/notebook").status_code == 403
    assert purge() == 1


def test_a_notebook_that_is_too_large_is_refused_with_words(course):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    answer = draft(course.ada, exercise, b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    payload(draft(course.ada, exercise, b"{}", problem="Its outputs were left out: 100 MB."))
    assert course.board(exercise)[course.ada.name]["problem"].startswith("Its outputs were left out")


@pytest.mark.slow
def test_submitting_gives_a_receipt_and_may_be_repeated(course):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    payload(draft(course.ada, exercise, NOTEBOOK.encode()))
    first = payload(course.ada.post(f"/api/exercises/{exercise}/submit"), 201)
    changed = NOTEBOOK.replace("Look.", "Looked.")
    second = payload(course.ada.post(f"/api/exercises/{exercise}/submit", json={"notebook": changed}), 201)
    assert len(first["receipt"]) == 64
    assert first["receipt"] != second["receipt"]
    assert not first["late"]
    for snapshot, text in ((first, NOTEBOOK), (second, changed)):
        for who in (course.ada, course.lecturer):
            assert who.get(f"/api/snapshots/{snapshot['id']}/notebook").text == text
        assert course.bob.get(f"/api/snapshots/{snapshot['id']}/notebook").status_code == 404


def test_files_beside_the_notebook_are_kept_with_their_submission(course):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    files = [
        {"filename": name, "content": base64.b64encode(content).decode()}
        for name, content in (("plot.png", b"\x89PNG"), ("empty.txt", b""))
    ]
    body = {"notebook": NOTEBOOK, "files": files}
    made = payload(course.ada.post(f"/api/exercises/{exercise}/submit", json=body), 201)
    plain = payload(course.ada.post(f"/api/exercises/{exercise}/submit"), 201)
    assert (made["files"], plain["files"]) == (["empty.txt", "plot.png"], [])
    path = f"/api/snapshots/{made['id']}/files"
    for who in (course.ada, course.lecturer, course.assistant):
        assert who.get(f"{path}/plot.png").content == b"\x89PNG"
        assert who.get(f"{path}/empty.txt").content == b""
    for who in (course.bob, course.eve):
        assert who.get(f"{path}/plot.png").status_code == 404
    assert course.ada.get(f"{path}/other.png").status_code == 404


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("../plot.png", "")], "cannot be the name"),
        ([("a.txt", ""), ("A.txt", "")], "Two submitted files"),
        ([("a.txt", "not base64!")], "not base64"),
    ],
    ids=["a folder", "twice", "no base64"],
)
def test_files_that_cannot_be_kept_are_refused_and_nothing_is_submitted(course, files, words):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    body = {"files": [{"filename": name, "content": content} for name, content in files]}
    refused = course.ada.post(f"/api/exercises/{exercise}/submit", json=body)
    assert refused.status_code == 400, refused.text
    assert words in refused.text
    assert course.own(course.ada, exercise)["snapshots"] == []


# ---------------------------------------------------------------- deadline


def collect(course, exercise, at):
    """Collect as of a time; how many snapshots of this exercise that made."""

    def count():
        return len(course.registry.read(lambda conn: snapshots.of_exercise(conn, exercise)))

    before = count()
    course.registry.serving.do(course.registry.core.collection.collect_due(at))
    return count() - before


def test_at_the_deadline_everyone_is_collected_once(course):
    due = float(int(time.time()) + 3600)
    exercise = course.exercise(due_at=due)
    for student in (course.ada, course.bob):
        course.opened(student, exercise)
    payload(draft(course.ada, exercise, NOTEBOOK.encode()))
    assert collect(course, exercise, due - 1) == 0
    assert collect(course, exercise, due) == 2
    assert collect(course, exercise, due + 60) == 0
    rows = course.board(exercise)
    assert rows[course.ada.name]["submitted"]["reason"] == "collected"
    assert rows[course.ada.name]["submitted"]["problem"] == ""
    assert rows[course.bob.name]["submitted"]["problem"] == "No notebook was saved."


def test_an_extension_moves_the_collection_of_one_student(course):
    due = float(int(time.time()) + 3600)
    exercise = course.exercise(due_at=due)
    for student in (course.ada, course.bob):
        course.opened(student, exercise)
    body = {"student": course.ada.name, "until": iso(due + 1800), "reason": "Ill."}
    payload(course.assistant.put(f"/api/exercises/{exercise}/extension", json=body))
    assert collect(course, exercise, due + 1) == 1
    assert collect(course, exercise, due + 1801) == 1
    assert course.bob.put(f"/api/exercises/{exercise}/extension", json=body).status_code == 403


def closed_class(course, late_s=None):
    """An exercise that ada opened and whose deadline then passed."""
    now = time.time()
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    payload(draft(course.ada, exercise, NOTEBOOK.encode()))
    dates = {"due_at": iso(now - 60)} | ({"late_until": iso(now + late_s)} if late_s else {})
    payload(course.lecturer.patch(f"/api/exercises/{exercise}", json=dates))
    return exercise


def test_after_the_end_nothing_is_accepted(course):
    exercise = closed_class(course)
    for answer in (
        draft(course.ada, exercise, b"{}"),
        course.ada.put(f"/api/exercises/{exercise}/answers/why", json={"value": "x"}),
        course.ada.post(f"/api/exercises/{exercise}/submit"),
    ):
        assert answer.status_code == 409
        assert "closed" in answer.text


def test_after_the_end_and_in_an_archived_course_students_still_get_what_they_had(course):
    exercise = closed_class(course)
    payload(course.lecturer.post(f"/api/exercises/{exercise}/release", json={"released": True}))
    body = {"title": "Quartz, next year", "notebook": NOTEBOOK.replace("Look", "See"), "tasks": TASKS}
    payload(course.lecturer.post(f"/api/exercises/{exercise}/versions", json=body), 201)
    for archived in (False, True):
        if archived:
            address = f"/api/courses/{course.course['id']}"
            payload(course.lecturer.patch(address, json={"archived": True}))
        assert course.ada.post(f"/api/exercises/{exercise}/open").status_code == 409
        own = course.own(course.ada, exercise)
        assert own["feedback"]["most"] > 0
        assert (own["exercise"]["own_version"], own["exercise"]["version"]) == (1, 2)
        path = f"/api/exercises/{exercise}/files/{own['manifest']['notebook']['filename']}"
        assert course.ada.get(path, params={"version": 1}).text == NOTEBOOK


def test_late_work_is_marked_and_what_was_there_at_the_deadline_is_kept(course):
    exercise = closed_class(course, late_s=3600)
    payload(draft(course.ada, exercise, NOTEBOOK.replace("Look", "Late").encode()))
    late = payload(course.ada.post(f"/api/exercises/{exercise}/submit"), 201)
    assert late["late"]
    collect(course, exercise, time.time())
    found = course.own(course.ada, exercise)["snapshots"]
    assert [(each["reason"], each["late"]) for each in found] == [("collected", False), ("submitted", True)]
    assert course.ada.get(f"/api/snapshots/{found[0]['id']}/notebook").text == NOTEBOOK


# ---------------------------------------------------------------- board and marks


def test_the_board_shows_every_student_and_only_to_the_staff(course, do, refined):
    exercise = course.exercise()
    opened = course.opened(course.ada, exercise)
    refined(course.ada, opened)
    course.lecturer.get(f"/api/exercises/{exercise}/board")
    course.registry.serving.do(course.registry.context.background.settle())
    rows = course.board(exercise, course.assistant)
    assert set(rows) == {course.ada.name, course.bob.name}
    tasks = {task["task_id"]: task for task in rows[course.ada.name]["tasks"]}
    assert tasks["refine"]["state"] == "done", tasks["refine"]
    assert tasks["refine"]["value"] == pytest.approx(0.021)
    assert {each["passed"] for each in tasks["refine"]["checks"]} == {True}
    assert rows[course.bob.name]["opened_at"] is None
    assert course.ada.get(f"/api/exercises/{exercise}/board").status_code == 403
    one = payload(course.lecturer.get(f"/api/exercises/{exercise}/students/{course.ada.name}"))
    assert [each["command_name"] for each in one["calculations"]] == ["read"]


def test_a_student_who_left_stays_on_the_board(course):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    course.registry.hub.users[course.ada.token]["groups"] = []
    course.registry.context.identity._members.clear()
    assert course.board(exercise)[course.ada.name]["left"]


def test_a_note_reaches_its_student_and_one_to_all_reaches_everyone(course):
    exercise = course.exercise()
    for student in (course.ada, course.bob):
        course.opened(student, exercise)
    path = f"/api/exercises/{exercise}/notes"
    payload(course.assistant.post(path, json={"text": "Look at N3.", "student": course.ada.name}), 201)
    payload(course.assistant.post(path, json={"text": "Ten more minutes."}), 201)
    assert [note["text"] for note in course.own(course.ada, exercise)["notes"]] == [
        "Ten more minutes.",
        "Look at N3.",
    ]
    assert [note["text"] for note in course.own(course.bob, exercise)["notes"]] == ["Ten more minutes."]
    assert course.ada.post(path, json={"text": "x"}).status_code == 403


def test_freeing_the_queue_cancels_the_class_and_nothing_else(course, do, person):
    exercise = course.exercise()
    opened = course.opened(course.ada, exercise)
    keeper = person("applications")
    application = payload(keeper.get("/api/applications"))["applications"][0]["id"]
    payload(keeper.post(f"/api/applications/{application}/hold", json={"mode": "hold", "reason": "test"}))
    try:
        ours = do.submit(course.ada, "read", structure={"data_file_id": course.data(course.ada, opened)})
        other = do.submit(course.ada, "noop")
        freed = payload(
            course.assistant.post(f"/api/exercises/{exercise}/free-queue", json={"reason": "Lunch"})
        )
        assert freed == {"number": 1}
        assert do.ended(course.ada, ours)["status"] == "cancelled"
        assert do.ended(course.ada, other, wait=0)["status"] == "submitted"
    finally:
        keeper.post(f"/api/applications/{application}/hold", json={"mode": None})


def test_marks_come_from_the_checks_people_overrule_them_and_students_see_them_when_released(course, refined):
    exercise = course.exercise()
    refined(course.ada, course.opened(course.ada, exercise))
    for task_id, value in (("r1", "0.5"), ("which", "Si"), ("why", "Because.")):
        payload(course.ada.put(f"/api/exercises/{exercise}/answers/{task_id}", json={"value": value}))
    payload(draft(course.ada, exercise, NOTEBOOK.encode()))
    payload(course.ada.post(f"/api/exercises/{exercise}/submit"), 201)
    assert payload(course.lecturer.post(f"/api/exercises/{exercise}/grade")) == {"marked": 1, "problems": []}

    def marks():
        found = payload(course.lecturer.get(f"/api/exercises/{exercise}/marks"))
        return next(row for row in found["students"] if row["name"] == course.ada.name)

    row = marks()
    assert {each["task_id"]: each["counts"] for each in row["tasks"]} == {
        "look": 2, "refine": 3, "r1": 0, "which": 1, "why": None,
    }  # fmt: skip
    assert (row["points"], row["to_decide"]) == (6, 1)
    give = f"/api/exercises/{exercise}/marks"
    body = {"student": course.ada.name, "task_id": "why", "points": 3.5, "comment": "Well argued."}
    payload(course.assistant.put(give, json=body))
    assert course.assistant.put(give, json={**body, "points": 5}).status_code == 400
    payload(course.lecturer.post(f"/api/exercises/{exercise}/grade"))
    assert (marks()["points"], marks()["to_decide"]) == (9.5, 0)
    assert course.own(course.ada, exercise)["feedback"] is None
    assert (
        course.assistant.post(f"/api/exercises/{exercise}/release", json={"released": True}).status_code
        == 403
    )
    payload(course.lecturer.post(f"/api/exercises/{exercise}/release", json={"released": True}))
    feedback = course.own(course.ada, exercise)["feedback"]
    assert (feedback["points"], feedback["most"]) == (9.5, 11)
    assert feedback["tasks"][4]["comment"] == "Well argued."


def test_a_rubric_gives_the_points_and_a_regrade_keeps_them(course):
    rubric = [{"text": "Names the bonds", "points": 2.5}, {"text": "Compares", "points": 1.5}]
    exercise = course.exercise([*TASKS[3:4], {**TASKS[4], "rubric": rubric}])
    opened = course.opened(course.ada, exercise)
    assert "Names the bonds" not in json.dumps(opened)
    payload(course.ada.post(f"/api/exercises/{exercise}/submit"), 201)
    give = f"/api/exercises/{exercise}/marks"
    body = {"student": course.ada.name, "task_id": "why"}
    for wrong, words in (
        ({"criteria": [2]}, "0 to 1"),
        ({"criteria": [0], "points": 1}, "not both"),
        ({"criteria": [0], "task_id": "which"}, "no rubric"),
        ({"criteria": [0], "task_id": ""}, "no rubric"),
    ):
        answer = course.assistant.put(give, json=body | wrong)
        assert answer.status_code == 400
        assert words in answer.text
    payload(course.assistant.put(give, json=body | {"criteria": [0, 0], "comment": "Compare next time."}))
    payload(course.lecturer.post(f"/api/exercises/{exercise}/grade"))
    payload(course.lecturer.post(f"/api/exercises/{exercise}/release", json={"released": True}))
    given = course.own(course.ada, exercise)["feedback"]["tasks"][1]
    assert (given["points"], given["comment"]) == (2.5, "Compare next time.")
    assert given["criteria"] == [{**rubric[0], "met": True}, {**rubric[1], "met": False}]
    payload(course.assistant.put(give, json=body | {"points": 3}))  # typed points are no sum of criteria
    given = course.own(course.ada, exercise)["feedback"]["tasks"][1]
    assert (given["points"], given["criteria"]) == (3, [])
    payload(course.assistant.put(give, json=body | {"criteria": []}))
    given = course.own(course.ada, exercise)["feedback"]["tasks"][1]
    assert (given["points"], [each["met"] for each in given["criteria"]]) == (0, [False, False])


def test_the_copies_of_students_hold_no_answers(course):
    cell = {
        "id": "a",
        "cell_type": "markdown",
        "source": "?",
        "metadata": {"tags": ["task=which", "answer=Si"]},
    }
    notebook = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})
    exercise = course.exercise()
    body = {"title": "Quartz", "notebook": notebook, "tasks": TASKS}
    payload(course.lecturer.post(f"/api/exercises/{exercise}/versions", json=body), 201)
    course.opened(course.ada, exercise)
    fetched = course.ada.get(f"/api/exercises/{exercise}/files/notebook.ipynb").json()
    assert fetched["cells"][0]["metadata"]["tags"] == ["task=which"]


def test_a_new_version_reaches_the_student_with_the_next_opening(course):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    body = {"title": "Quartz, corrected", "notebook": NOTEBOOK.replace("Look", "See"), "tasks": TASKS[:1]}
    payload(course.lecturer.post(f"/api/exercises/{exercise}/versions", json=body), 201)
    assert len(course.own(course.ada, exercise)["tasks"]) == len(TASKS)
    own = course.ada.get(f"/api/exercises/{exercise}/files/quartz.ipynb", params={"version": 1})
    assert own.text == NOTEBOOK
    opened = course.opened(course.ada, exercise)
    assert opened["exercise"]["own_version"] == 2
    assert len(opened["tasks"]) == 1


def test_a_version_keeps_the_files_of_the_newest_and_of_no_older_one(course, do):
    exercise = course.exercise()
    path = f"/api/exercises/{exercise}/versions"
    body = {"title": "Quartz", "tasks": TASKS[:1], "keep_files_of": 1}
    made = payload(course.lecturer.post(path, json=body), 201)
    manifest = made["manifest"]
    assert manifest["notebook"]["filename"] == "quartz.ipynb"
    assert [(file["filename"], file["for_lecturers"]) for file in manifest["files"]] == [
        ("quartz.cif", False),
        ("answer.cif", True),
    ]
    assert course.data(course.ada, course.opened(course.ada, exercise))
    assert course.ada.get(f"/api/exercises/{exercise}/files/quartz.ipynb").text == NOTEBOOK
    stale = course.lecturer.post(path, json=body)
    assert stale.status_code == 409
    assert "Version 2 was written meanwhile" in stale.text
    replaced = do.file_id(do.upload(course.lecturer, "quartz.cif", b"data_new\n_cell_length_a 4\n", group=""))
    body |= {"keep_files_of": 2, "files": [{"data_file_id": replaced}]}
    files = payload(course.lecturer.post(path, json=body), 201)["manifest"]["files"]
    assert [file["filename"] for file in files] == ["answer.cif", "quartz.cif"]
    assert files[1]["sha256"] != manifest["files"][0]["sha256"]
    new = course.lecturer.post(f"/api/courses/{course.course['id']}/exercises", json=body)
    assert new.status_code == 400
    assert "no version before it" in new.text


def test_a_student_gets_no_version_that_was_corrected_before_they_opened_the_exercise(course, do):
    exercise = course.exercise(publish=False)
    solution = do.file_id(do.upload(course.lecturer, "solution.cif", b"data_solution\n", group=""))
    path = f"/api/exercises/{exercise}"
    for hidden in (False, True):  # the lecturer forgets to hide it, sees that, and corrects it
        files = [{"data_file_id": solution, "for_lecturers": hidden}]
        payload(course.lecturer.post(f"{path}/versions", json={"title": "Quartz", "files": files}), 201)
    payload(course.lecturer.patch(path, json={"published": True}))
    course.opened(course.ada, exercise)

    def asked(who, **version):
        return who.get(f"{path}/files/solution.cif", params=version).status_code

    assert [asked(course.ada), asked(course.ada, version=2), asked(course.ada, version=3)] == [404] * 3
    assert [asked(who, version=2) for who in (course.lecturer, course.assistant)] == [200, 200]
    as_student = {"version": 2, "as_student": True}
    assert course.lecturer.get(f"{path}/files/solution.cif", params=as_student).status_code == 404


def test_the_board_ticks_when_a_student_does_something(course):
    exercise = course.exercise()
    with course.lecturer.stream("GET", f"/api/exercises/{exercise}/board/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": connected"
        course.opened(course.ada, exercise)
        assert next(line for line in lines if line.startswith("event")) == "event: changed"
    assert course.ada.get(f"/api/exercises/{exercise}/board/events").status_code == 403


# ---------------------------------------------------------------- preview of the staff


def test_as_student_the_staff_get_what_a_student_gets_also_before_it_opens(course):
    exercise = course.exercise()
    student = payload(course.ada.get(f"/api/exercises/{exercise}"))
    for who in (course.lecturer, course.assistant):
        seen = payload(who.get(f"/api/exercises/{exercise}", params={"as_student": True}))
        assert seen["manifest"] == student["manifest"]
        assert seen["staff"] is False
    hidden = course.exercise(publish=False, opens_at=time.time() + 3600)
    path = f"/api/exercises/{hidden}"
    seen = payload(course.lecturer.get(path, params={"as_student": True}))
    assert seen["manifest"]["tasks"] == student["manifest"]["tasks"]
    notebook = course.lecturer.get(f"{path}/files/quartz.ipynb", params={"as_student": True})
    assert notebook.text == NOTEBOOK
    answers = course.lecturer.get(f"{path}/files/answer.cif", params={"as_student": True})
    assert answers.status_code == 404


def test_as_student_opens_nothing_to_students_and_strangers(course):
    hidden, shown = course.exercise(publish=False), course.exercise(opens_at=time.time() + 3600)
    for exercise, who, status in (
        (hidden, course.ada, 404),
        (hidden, course.eve, 404),
        (shown, course.ada, 403),
        (shown, course.eve, 404),
    ):
        for more in ("", "/files/quartz.cif"):
            answer = who.get(f"/api/exercises/{exercise}{more}", params={"as_student": True})
            assert answer.status_code == status, (exercise == hidden, who is course.ada, more)


def test_a_preview_counts_nowhere_and_is_discarded_whole(course, refined):
    due = float(int(time.time()) + 3600)
    exercise = course.exercise(due_at=due)
    course.opened(course.ada, exercise)
    opened = course.opened(course.lecturer, exercise)
    assert opened["preview"]
    assert not course.own(course.ada, exercise)["preview"]
    calculation = refined(course.lecturer, opened)
    payload(course.lecturer.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Si"}))
    payload(draft(course.lecturer, exercise, NOTEBOOK.encode()))
    payload(course.lecturer.post(f"/api/exercises/{exercise}/submit"), 201)
    assert course.states(course.lecturer, exercise)["which"] == "done"
    assert course.lecturer.name not in course.board(exercise)
    assert collect(course, exercise, due + 1) == 1  # ada
    payload(course.lecturer.patch(f"/api/exercises/{exercise}", json={"due_at": iso(due + 7200)}))
    assert payload(course.lecturer.post(f"/api/exercises/{exercise}/collect")) == {"number": 1}
    assert payload(course.lecturer.post(f"/api/exercises/{exercise}/grade")) == {"marked": 1, "problems": []}

    own = f"/api/exercises/{exercise}/own"
    assert course.lecturer.delete(own).status_code == 204
    left = course.own(course.lecturer, exercise)
    assert (left["answers"], left["snapshots"], left["draft_at"]) == ({}, [], None)
    assert {task["state"] for task in left["tasks"]} == {"not_begun"}
    assert course.lecturer.get(f"/api/datasets/{opened['dataset_id']}").status_code == 404
    assert course.lecturer.get(f"/api/calculations/{calculation}").status_code == 200
    assert course.lecturer.delete(own).status_code == 404
    again = course.opened(course.lecturer, exercise)
    assert again["dataset_id"] != opened["dataset_id"]


def test_what_an_assistant_tried_is_no_work_of_the_student_that_they_become(course, refined):
    exercise = course.exercise()
    opened = course.opened(course.assistant, exercise)
    refined(course.assistant, opened)
    payload(course.assistant.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Si"}))
    payload(course.assistant.post(f"/api/exercises/{exercise}/submit"), 201)
    account = course.registry.hub.users[course.assistant.token]
    account["scopes"] = [scope for scope in account["scopes"] if "manage" not in scope]
    course.registry.context.identity._members.clear()
    course.registry.context.identity._cache.clear()
    row = course.board(exercise)[course.assistant.name]
    assert (row["opened_at"], row["submitted"], row["done"]) == (None, None, 0)
    listed = payload(course.lecturer.get(f"/api/exercises/{exercise}/marks"))["students"]
    assert [each["submitted"] for each in listed if each["name"] == course.assistant.name] == [None]

    again = course.opened(course.assistant, exercise)
    assert (again["preview"], again["answers"], again["snapshots"]) == (False, {}, [])
    assert again["dataset_id"] != opened["dataset_id"]
    assert {task["state"] for task in again["tasks"]} == {"not_begun"}
    assert course.board(exercise)[course.assistant.name]["opened_at"]


def test_work_of_students_is_never_discarded_as_a_preview(course):
    exercise = course.exercise()
    course.opened(course.ada, exercise)
    own = f"/api/exercises/{exercise}/own"
    assert [who.delete(own).status_code for who in (course.ada, course.eve)] == [403, 404]
    # Who becomes assistant afterwards keeps what they did as a student.
    course.registry.hub.users[course.ada.token]["scopes"] += [f"custom:qcrbox:manage!group={course.group}"]
    course.registry.context.identity._members.clear()
    assert not course.opened(course.ada, exercise)["preview"]
