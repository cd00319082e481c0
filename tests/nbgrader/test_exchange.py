"""nbgrader's own commands over the store: release, list, fetch, submit, collect, autograde, feedback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Desk

pytestmark = pytest.mark.slow


def exercise_of(desk: Desk) -> str:
    http = desk.person.http
    courses = http.get("/api/courses").json()["payload"]["courses"]
    listed = http.get(f"/api/courses/{courses[0]['id']}/exercises").json()["payload"]["exercises"]
    return next(each["id"] for each in listed if each["title"] == "ps1")


def solve(desk: Desk, line: str) -> bytes:
    """Write the student's solution; the notebook's bytes."""
    path = desk.home / "ps1" / "problem.ipynb"
    notebook = json.loads(path.read_text())
    cell = next(each for each in notebook["cells"] if each["metadata"]["nbgrader"]["solution"])
    cell["source"] = f"def doubled(x):\n    {line}"
    path.write_text(json.dumps(notebook))
    return path.read_bytes()


def submitted(lecturer: Desk, student: str) -> Path:
    return lecturer.home / "submitted" / student / "ps1"


def test_an_assignment_from_release_to_feedback(desk: Callable[..., Desk], lecturer: Desk) -> None:
    ada, bob, eve = desk("ada"), desk("bob"), desk("eve")
    assert "xrd ps1" in ada.run("list")
    for student in (ada, bob, eve):
        student.run("fetch_assignment", "ps1")
        assert (student.home / "ps1" / "cell.txt").read_text() == "4.9134\n"
        assert "SOLUTION" not in (student.home / "ps1" / "problem.ipynb").read_text()

    handed_in = solve(ada, "return 2 * x")
    (ada.home / "ps1" / "plot.png").write_bytes(b"\x89PNG")
    assert "Receipt of the store" in ada.run("submit", "ps1")
    wrong = solve(bob, "return x")
    bob.run("submit", "ps1")
    # Eve saves and never submits; her work is collected with everyone's.
    saved = solve(eve, "return x + x  # by_eve")
    kept = eve.person.http.put(
        f"/api/exercises/{exercise_of(eve)}/draft",
        content=saved,
        headers={"content-type": "application/x-ipynb+json"},
    )
    assert kept.status_code == 200, kept.text
    answer = lecturer.person.http.post(f"/api/exercises/{exercise_of(lecturer)}/collect")
    assert answer.status_code == 200, answer.text

    lecturer.run("collect", "ps1")
    for student, content in (("ada", handed_in), ("bob", wrong), ("eve", saved)):
        assert (submitted(lecturer, student) / "problem.ipynb").read_bytes() == content
    assert (submitted(lecturer, "ada") / "plot.png").read_bytes() == b"\x89PNG"

    lecturer.run("autograde", "ps1")
    lecturer.run("generate_feedback", "ps1")
    assert "no feedback available" in ada.run("list", "--inbound")
    lecturer.run("release_feedback", "ps1")
    marks = lecturer.person.http.get(f"/api/exercises/{exercise_of(lecturer)}/marks").json()["payload"]
    assert marks["most"] == 3
    assert {row["name"]: row["points"] for row in marks["students"]} == {"ada": 3, "bob": 0, "eve": 3}

    assert "feedback ready" in ada.run("list", "--inbound")
    for student in (ada, eve):
        student.run("fetch_feedback", "ps1")
        pages = list((student.home / "ps1" / "feedback").glob("*/problem.html"))
        assert len(pages) == 1, student.home
        assert ("by_eve" in pages[0].read_text()) is (student is eve)
    # Nobody finds the pages of another.
    pages = ada.person.http.get("/api/datasets").json()["payload"]["datasets"]
    assert [each["name"] for each in pages if "Feedback" in each["name"]] == ["Feedback ps1: ada"]


def test_a_student_can_do_nothing_of_the_staff(desk: Callable[..., Desk], lecturer: Desk) -> None:
    dan = desk("dan")
    release = dan.home / "release" / "ps1"
    release.mkdir(parents=True)
    (release / "problem.ipynb").write_bytes((lecturer.home / "release/ps1/problem.ipynb").read_bytes())
    dan.run("release_assignment", "ps1", "--force", fails=True)
    dan.run("collect", "ps1", fails=True)
    dan.run("list", "--remove", fails=True)
    assert "xrd ps1" in dan.run("list")


def test_a_new_version_comes_with_force_and_removing_hides_it(
    desk: Callable[..., Desk], lecturer: Desk
) -> None:
    (lecturer.home / "release" / "ps1" / "cell.txt").write_text("5.4052\n")
    assert "add --force to overwrite" in lecturer.run("release_assignment", "ps1", fails=True)
    lecturer.run("db", "assignment", "add", "ps1", "--duedate", "2999-05-01 10:00")
    released = lecturer.run("release_assignment", "ps1", "--force")
    assert "The deadline is 2999-05-01 10:00 UTC." in released
    found = lecturer.person.http.get(f"/api/exercises/{exercise_of(lecturer)}").json()["payload"]
    assert found["due_at"] == "2999-05-01T10:00:00Z"
    cyd = desk("cyd")
    cyd.run("fetch_assignment", "ps1")
    assert (cyd.home / "ps1" / "cell.txt").read_text() == "5.4052\n"
    assert "cannot be removed" in lecturer.run("list", "--inbound", "--remove", fails=True)
    lecturer.run("list", "--remove")
    assert "Assignment not found" in cyd.run("submit", "ps1", fails=True)
