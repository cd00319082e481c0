"""A course on a running platform: the pages of the lecturer, and what others see of them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Browser, Hub

PASSWORD = "plum-Orchid-42-river"
ROOT = "/hub/teaching"
NOTEBOOK = {
    "nbformat": 4, "nbformat_minor": 5, "metadata": {},
    "cells": [
        {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "# Which atom is it?"},
        {"id": "b", "cell_type": "markdown", "metadata": {"tags": ["task=which", "answer=N", "choices=N|C", "points=2"]},
         "source": "Which atom is it?"},
        {"id": "c", "cell_type": "markdown", "metadata": {"tags": ["task=why"]}, "source": "Why?"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def platform(
    start_hub: Callable[..., AbstractContextManager[Hub]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    with start_hub(tmp_path_factory.mktemp("teaching"), parts=("nats", "registry", "proxy", "hub")) as made:
        yield made


@pytest.fixture(scope="module")
def people(platform: Hub) -> dict[str, Browser]:
    """ada administers; lena teaches xrd, tom assists, stella and sam study it; eve teaches another course."""
    ada = platform.browser()
    account = {"username": "ada", "password": PASSWORD, "password_confirmation": PASSWORD}
    assert (
        ada.submit(f"/hub/first-admin?code={platform.code}", code=platform.code, **account).status_code == 200
    )
    made = {"ada": ada}
    roles = {"lena": ("xrd", "lecturer"), "tom": ("xrd", "manager"), "stella": ("xrd", ""), "sam": ("xrd", ""), "eve": ("other", "lecturer")}  # fmt: skip
    for name, (group, role) in roles.items():
        made[name] = platform.browser()
        made[name].sign_up(name)
        ada.submit("/hub/administration/people", name=name, action="approve")
        ada.submit("/hub/administration/groups", action="make", name=group)
        ada.submit(f"/hub/administration/groups/{group}", action="add", people=name)
        if role:
            ada.submit(f"/hub/administration/groups/{group}", action="give_role", person=name, role=role)
        assert made[name].sign_in(name).status_code == 200
    return made


def send(browser: Browser, path: str, files: dict[str, Any], **fields: str) -> Any:
    page = browser.get(path).text
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page)
    assert xsrf, page
    # httpx keeps the type of the body when it follows a redirect, which no browser does.
    answer = browser.http.post(
        path, data={"_xsrf": xsrf.group(1), **fields}, files=files, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"])


@pytest.fixture(scope="module")
def exercise(people: dict[str, Browser]) -> str:
    """The address of a published exercise, made with the forms."""
    lena = people["lena"]
    page = lena.submit(ROOT, action="make", group="xrd", title="XRD 101").text
    course = re.search(rf'href="({ROOT}/courses/[0-9a-f]+)"', page)
    assert course, page
    files = {
        "notebook": ("atom.ipynb", json.dumps(NOTEBOOK)),
        "data": ("a.cif", b"data_a\n_cell_length_a 5\n"),
    }
    made = send(lena, course.group(1), files, action="exercise", title="Which atom <b>is</b> it?")
    assert made.status_code == 200, made.text
    path = str(made.url.path)
    assert "Students see it once you publish it" in made.text
    assert "Which atom &lt;b&gt;is&lt;/b&gt; it?" in made.text
    assert "Students see the exercise now" in lena.submit(path, action="publish", published="yes").text
    return path


def test_everyone_sees_their_courses(people: dict[str, Browser], exercise: str) -> None:
    for name, role in (("lena", "lecturer"), ("tom", "assistant"), ("stella", "student")):
        page = people[name].get(ROOT).text
        assert "XRD 101" in page
        assert role in page
    assert "You are in no course" in people["eve"].get(ROOT).text
    assert "Make a course" in people["eve"].get(ROOT).text
    assert "Make a course" not in people["stella"].get(ROOT).text


def test_a_student_gets_no_page_of_the_staff(people: dict[str, Browser], exercise: str) -> None:
    calculation = f"/calculations/{'0' * 32}"
    pages = ("", "/preview", "/board", "/marks", "/grades", "/students/sam", "/events", "/draft/sam/notebook")
    for more in (*pages, calculation, f"{calculation}/picture"):
        for name in ("stella", "eve"):
            assert people[name].get(exercise + more).status_code == 404, (name, more)
    assert 'name="_xsrf"' not in people["stella"].get(ROOT).text  # nothing to make


def test_the_link_of_an_exercise_leads_into_the_own_server(people: dict[str, Browser], exercise: str) -> None:
    exercise_id = exercise.rpartition("/")[2]
    answer = people["stella"].http.get(f"/hub/exercise/{exercise_id}", follow_redirects=False)
    assert answer.headers["location"] == f"/hub/user-redirect/lab?qcrbox-exercise={exercise_id}"


def test_wrong_tags_are_named_with_their_cell(people: dict[str, Browser], exercise: str) -> None:
    wrong = json.loads(json.dumps(NOTEBOOK))
    wrong["cells"][1]["metadata"]["tags"][1] = "answer=Xe"
    page = send(
        people["lena"], exercise, {"notebook": ("x.ipynb", json.dumps(wrong))}, action="version", title="x"
    ).text
    assert "Cell 2" in html.unescape(page)
    assert "not among the choices" in page


def test_board_and_marks_from_the_first_answer_to_the_csv(
    people: dict[str, Browser], exercise: str, rest: Any
) -> None:
    api = f"/api/exercises/{exercise.rpartition('/')[2]}"
    stella, lena = people["stella"], people["lena"]
    board = f"{exercise}/board"
    assert lena.get(board).text.count("not begun") == 4  # two students, two tasks
    assert rest(stella, "POST", f"{api}/open").status_code == 200
    assert rest(stella, "PUT", f"{api}/answers/which", json={"value": "N"}).status_code == 200
    assert (
        rest(stella, "PUT", f"{api}/answers/why", json={"value": "<img src=x onerror=alert(1)>"}).status_code
        == 200
    )
    hostile = {"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "<script>alert(1)</script>"}]}
    rest(
        stella,
        "PUT",
        f"{api}/draft",
        content=json.dumps(hostile),
        headers={"content-type": "application/json"},
    )
    assert rest(stella, "POST", f"{api}/submit").status_code == 201
    page = people["tom"].get(board).text
    assert page.count("handed in") >= 1
    assert "stella" not in people["tom"].get(f"{board}?projector=yes").text
    one = lena.get(f"{exercise}/students/stella").text
    assert "<img" not in one.replace('<img src="/hub/logo"', "")
    assert "<script>alert" not in one
    assert "&lt;script&gt;alert(1)" in one
    marks = f"{exercise}/marks"
    assert "1 students were marked" in people["tom"].submit(marks, action="grade").text
    assert "to decide" in lena.get(marks).text
    given = lena.submit(marks, action="mark", student="stella", task_id="why", points="0,5", comment="=1+1")
    assert "stella is marked" in given.text
    csv = lena.get(f"{marks}?format=csv").text.splitlines()
    assert csv[0].startswith("name,points,most,which,which_comment,why,why_comment")
    row = next(line for line in csv if line.startswith("stella"))
    assert row.startswith("stella,2.5,3.0,2.0,,0.5,'=1+1,")
    assert "Students see their marks now" in lena.submit(marks, action="release", released="yes").text
    refused = people["tom"].submit(marks, action="release", released="no").text
    assert 'id="problem"' in refused


def test_notes_more_time_and_freeing_the_queue(people: dict[str, Browser], exercise: str) -> None:
    lena = people["lena"]
    dates = lena.submit(exercise, action="dates", opens_at="", due_at="2999-01-01T10:00", late_until="").text
    assert "The dates are set" in dates
    wrong = lena.submit(
        exercise, action="dates", opens_at="2999-02-01T10:00", due_at="2999-01-01T10:00", late_until=""
    )
    assert "due_at must be after opens_at" in wrong.text
    student = f"{exercise}/students/stella"
    assert "The note was sent to stella" in lena.submit(student, action="note", text="Look again.").text
    more = lena.submit(student, action="extend", until="2999-01-02T10:00", reason="Ill.").text
    assert "2999-01-02T10:00:00Z" in more
    assert (
        "Being cancelled: 0 calculations"
        in lena.submit(f"{exercise}/board", action="free", reason="Lunch").text
    )


def test_the_preview_shows_what_students_get_and_a_copy_is_discarded(
    people: dict[str, Browser], exercise: str, rest: Any
) -> None:
    lena, path = people["lena"], f"{exercise}/preview"
    page = html.unescape(lena.get(path).text)
    assert "One of: N, C" in page
    assert "# Which atom is it?" in page  # a cell of the notebook
    assert "answer=N" not in page
    assert "Discard my copy" not in page
    api = f"/api/exercises/{exercise.rpartition('/')[2]}"
    assert rest(lena, "POST", f"{api}/open").json()["payload"]["preview"] is True
    assert "Discard my copy" in lena.get(path).text
    assert "lena" not in re.findall(r"students/([^\"/]+)", lena.get(f"{exercise}/board").text)
    assert "Your copy is discarded." in lena.submit(path, action="discard").text
    assert "Discard my copy" not in lena.get(path).text
    assert people["tom"].get(path).status_code == 200


def fields_of(page: str) -> dict[str, str]:
    """The fields of the form of tasks as a browser would send them."""
    form = page[page.index('id="task_form"') :]
    found = dict(re.findall(r'<input[^>]*? name="([^"]+)" value="([^"]*)"', form))
    found |= dict(re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>([^<]*)</textarea>', form))
    for name, options in re.findall(r'<select[^>]*? name="([^"]+)">(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen.group(1) if chosen else ""
    return {name: html.unescape(value) for name, value in found.items()}


def test_tasks_are_made_in_a_form_and_saved_as_a_version_that_keeps_the_files(
    people: dict[str, Browser], exercise: str
) -> None:
    lena, path = people["lena"], f"{exercise}/tasks"
    fields = fields_of(lena.get(path).text)
    assert (fields["t0-accepted"], fields["t0-choices"], fields["t0-points"]) == ("N", "N\nC", "2")
    more = fields_of(lena.http.post(path, data=fields | {"step": "add"}).text)
    assert more["count"] == "3"
    more |= {"t2-title": 'R1 <b>of</b> "yours"', "t2-high": "five percent"}
    wrong = lena.http.post(path, data=more | {"step": "save"})
    assert wrong.status_code == 400
    words = html.unescape(wrong.text)
    assert "Nothing was saved." in words
    assert "at most: 'five percent' is not a number. Write it like 0.05." in words
    assert "<b>of</b>" not in wrong.text
    kept = fields_of(wrong.text)  # what was typed is still there
    assert kept["t2-title"] == 'R1 <b>of</b> "yours"'
    moved = fields_of(lena.http.post(path, data=kept | {"step": "up-2", "t2-high": "0,05"}).text)
    assert (moved["t1-high"], moved["t2-id"]) == ("0,05", "why")
    saved = lena.http.post(path, data=moved | {"step": "save"}, follow_redirects=True)
    page = html.unescape(saved.text)
    assert "This is version 2 now, with 3 tasks." in page
    assert "R1 at most 0.05" in page
    assert "atom.ipynb" in page
    assert "a.cif" in page
    again = lena.http.post(path, data=moved | {"step": "save"})
    assert "Version 2 was written meanwhile." in again.text
    # As it was, for the tests after this one.
    back = fields_of(lena.get(path).text) | {"step": "remove-1"}
    last = fields_of(lena.http.post(path, data=back).text) | {"step": "save"}
    assert "with 2 tasks" in lena.http.post(path, data=last, follow_redirects=True).text
    for name in ("tom", "stella", "eve"):
        assert people[name].get(path).status_code == 404
    own = re.search(r'name="_xsrf" value="([^"]+)"', people["tom"].get(f"{exercise}/students/stella").text)
    assert own
    sent = fields_of(lena.get(path).text) | {"step": "save", "_xsrf": own.group(1)}
    assert people["tom"].http.post(path, data=sent).status_code == 404


def test_a_task_is_marked_by_the_criteria_of_its_rubric(people: dict[str, Browser], exercise: str) -> None:
    lena, tom = people["lena"], people["tom"]
    fields = fields_of(lena.get(f"{exercise}/tasks").text) | {"step": "save"}
    fields["t1-rubric"] = "0.25: Says <why>\n0.75: Says how"
    assert "with 2 tasks" in lena.http.post(f"{exercise}/tasks", data=fields, follow_redirects=True).text
    student = f"{exercise}/students/stella"
    page = tom.get(student).text
    assert "Says &lt;why&gt;" in page
    assert "checked" not in page
    given = tom.submit(student, action="criteria", task_id="why", criteria="1", comment="Why?")
    assert "stella is marked" in given.text
    assert re.findall(r'id="why-(\d)" checked', given.text) == ["1"]
    assert "0.75 of 1 points" in given.text
    csv = lena.get(f"{exercise}/marks?format=csv").text.splitlines()
    assert "why,why_criteria,why_comment" in csv[0]
    row = next(line for line in csv if line.startswith("stella"))
    assert "0.75,✕ Says <why> (0.25); ✓ Says how (0.75),Why?" in row


@pytest.fixture
def rest() -> Callable[..., Any]:
    """The registry's REST interface with a token of a person."""

    def call(browser: Browser, method: str, path: str, **more: Any) -> Any:
        browser.get("/hub/token")
        xsrf = next(
            each.value or ""
            for each in browser.http.cookies.jar
            if each.name == "_xsrf" and each.path == "/hub/"
        )
        me = browser.get("/hub/api/user").json()
        scopes = [scope for scope in me["scopes"] if scope.startswith(("custom:qcrbox", "access:services"))]
        made = browser.http.post(
            f"/hub/api/users/{me['name']}/tokens",
            json={"note": "test", "scopes": scopes, "expires_in": 600},
            headers={"X-XSRFToken": xsrf},
        )
        assert made.status_code == 201, made.text
        headers = {"Authorization": f"Bearer {made.json()['token']}"} | more.pop("headers", {})
        return browser.http.request(method, f"/services/qcrbox{path}", headers=headers, **more)

    return call


def test_a_ready_exercise_is_made_with_its_data_or_says_what_is_missing(
    people: dict[str, Browser], exercise: str
) -> None:
    lena = people["lena"]
    course = re.search(rf"{ROOT}/courses/[0-9a-f]{{32}}", lena.get(ROOT).text)
    assert course
    page = html.unescape(lena.get(course.group(0)).text)
    assert "Twin or not?" in page
    made = lena.submit(course.group(0), action="ready", ready="disorder")
    text = html.unescape(made.text)
    assert "One atom in two places has 5 tasks" in text or "The example 'thpp' is not here" in text
    assert "no ready exercise" in lena.submit(course.group(0), action="ready", ready="../evil").text


def test_a_booking_that_is_refused_says_why(people: dict[str, Browser], exercise: str) -> None:
    lena = people["lena"]
    found = re.search(rf'href="({ROOT}/courses/[0-9a-f]+)"', lena.get(ROOT).text)
    assert found
    page = lena.get(found.group(1)).text
    assert "No time is booked." in page
    times = {"starts_at": "2030-01-01T09:00", "ends_at": "2030-01-01T08:00"}
    answer = lena.submit(found.group(1), action="book", students="20", applications="practice", **times)
    assert "The end must be after the start." in html.unescape(answer.text)
    for name in ("tom", "stella"):
        assert 'id="book"' not in people[name].get(found.group(1)).text


def test_the_shelf_shows_hostile_titles_as_text_and_sends_files_as_downloads(
    people: dict[str, Browser], exercise: str
) -> None:
    lena, stella = people["lena"], people["stella"]
    found = re.search(rf'href="({ROOT}/courses/[0-9a-f]+)"', lena.get(ROOT).text)
    assert found
    course = found.group(1)
    files = {"item": ("x.html", b"<script>alert(1)</script>")}
    page = send(lena, course, files, action="shelve", item_title="<img src=x onerror=alert(1)>").text
    assert "<img src=x" not in page
    hidden = {"item": ("solution.cif", b"data_s")}
    send(lena, course, hidden, action="shelve", item_title="Solution", for_lecturers="yes")
    shown = stella.get(course).text
    assert "&lt;img src=x" in shown
    assert "Solution" not in shown
    assert 'id="shelve"' not in shown
    address = re.search(rf'href="({course}/shelf/[0-9a-f]+)"', shown)
    assert address
    answer = stella.get(address.group(1))
    assert answer.content == files["item"][1]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert people["eve"].get(address.group(1)).status_code == 404
    assert people["eve"].get(course).status_code == 404
    assert stella.get(f"{course}/research.json").status_code == 404
    assert lena.get(f"{course}/research.json").status_code == 409  # one student would be known at once
