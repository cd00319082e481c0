"""A course on a running platform: the pages of the lecturer, and what others see of them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from qcrbox_hub.teaching.routes import teaching_pages

from .conftest import NOTEBOOK, ROOT, course_of, exercise_of, send

if TYPE_CHECKING:
    from conftest import Browser, Hub


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


@pytest.mark.slow
def test_of_a_student_who_never_signed_in_the_board_says_so(
    platform: Hub, people: dict[str, Browser]
) -> None:
    ada, olga = people["ada"], platform.browser()
    ada.submit("/hub/administration/groups", action="make", name="fresh")
    for browser, name in ((olga, "olga"), (platform.browser(), "nina")):
        browser.sign_up(name)
        ada.submit("/hub/administration/people", name=name, action="approve")
        ada.submit("/hub/administration/groups/fresh", action="add", people=name)
    ada.submit("/hub/administration/groups/fresh", action="give_role", person="olga", role="lecturer")
    olga.sign_in("olga")
    exercise = exercise_of(olga, course_of(olga, "fresh", "Fresh"), "Which atom?").url.path
    board = olga.get(f"{exercise}/board").text
    assert "nina" in board
    assert "/students/nina" not in board
    shown = olga.get(f"{exercise}/students/nina")
    assert shown.url.path == f"{exercise}/board"
    assert shown.text.count("nina has never signed in.") == 1
    missing = olga.get(f"{exercise}/students/nobody")
    assert missing.status_code == 404
    assert html.unescape(missing.text).count("There is no student 'nobody'") == 1


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
    assert "1 student is marked." in people["tom"].submit(marks, action="grade").text
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
    assert again.text.count("Load the page again") == 1
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
    assert (
        "One atom in two places has 5 tasks" in text or "The example 'exercise-crystal' is not here" in text
    )
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


@pytest.mark.parametrize("form", ["book", "exercise", "mark", "dates"])
def test_a_number_or_a_date_that_is_none_is_refused_in_words(
    people: dict[str, Browser], exercise: str, form: str
) -> None:
    lena = people["lena"]
    found = re.search(rf'href="({ROOT}/courses/[0-9a-f]+)"', lena.get(ROOT).text)
    assert found
    for number in ("nan", "inf", "1e400", "2.5", "sixty", "99999999999999999999"):
        times = {"starts_at": "2030-01-01T08:00", "ends_at": "2030-01-01T09:00"}
        path, fields = {
            "book": (found.group(1), {"students": number, "applications": "practice", **times}),
            "exercise": (found.group(1), {"title": "Numbers", "minutes": number}),
            "mark": (f"{exercise}/marks", {"student": "sam", "task_id": "which", "points": number}),
            "dates": (exercise, {"due_at": number}),
        }[form]
        # The redirection already says that there is a problem; only the last page is opened.
        answer = lena.http.post(
            path, data={**fields, "action": form, "_xsrf": lena.xsrf()}, follow_redirects=False
        )
        assert answer.status_code == 303, (number, answer.text)
        assert kind_of_message(answer) == "problem", number
    page = lena.get(answer.headers["location"])
    assert page.status_code == 200, page.text
    assert re.search(r'id="problem">(.+?)</div>', page.text, re.DOTALL), page.text
    assert 'id="message"' not in page.text


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


# ---------------------------------------------------------------- who may see and do what

STUDENT, ASSISTANT, LECTURER = ("lena", "tom", "stella"), ("lena", "tom"), ("lena",)
EVERYONE = ("lena", "tom", "stella", "eve")
# Who of lena (lecturer), tom (assistant), stella (student) and eve (lecturer of another course) gets the page.
PAGES: dict[str, tuple[str, ...]] = {
    "": EVERYONE,  # each with their own courses
    "/courses/COURSE": STUDENT,
    "/courses/COURSE/research.json": LECTURER,
    "/exercises/EXERCISE": ASSISTANT,
    "/exercises/EXERCISE/board": ASSISTANT,
    "/exercises/EXERCISE/tasks": LECTURER,
    "/exercises/EXERCISE/preview": ASSISTANT,
    "/exercises/EXERCISE/events": ASSISTANT,
    "/exercises/EXERCISE/marks": ASSISTANT,
    "/exercises/EXERCISE/grades": (),  # this site has no learning platform
    "/exercises/EXERCISE/students/stella": ASSISTANT,
    "/exercises/EXERCISE/calculations/NONE": (),
    "/exercises/EXERCISE/calculations/NONE/picture": (),
    "/exercises/EXERCISE/draft/stella/notebook": ASSISTANT,
    "/static/teaching.css": EVERYONE,
}
# In other tests: the file of the shelf, and the link of an exercise.
ELSEWHERE = {"/courses/COURSE/shelf/NONE", "/exercise/EXERCISE"}
FORM = {"group": "xrd", "title": "Mine", "text": "x", "reason": "x", "student": "stella", "task_id": "why",
        "points": "1", "comment": "x", "criteria": "0", "published": "yes", "archived": "yes", "released": "yes",
        "opens_at": "", "due_at": "2999-01-01T10:00", "until": "2999-01-02T10:00", "starts_at": "2030-01-01T09:00",
        "ends_at": "2030-01-01T10:00", "students": "2", "applications": "practice", "item": "NONE",
        "booking": "NONE", "calculation": "NONE", "ready": "disorder", "answers_from_store": "yes"}  # fmt: skip
# Acts that change a course, by page: those of lecturers, and those that assistants may do too.
ACTS: dict[str, tuple[set[str], set[str]]] = {
    "Courses": ({"make"}, set()),
    "Course": (
        {
            "rename",
            "archive",
            "shelve",
            "take_down",
            "copy",
            "book",
            "unbook",
            "rehearse",
            "ready",
            "exercise",
        },
        set(),
    ),
    "Exercise": ({"dates", "same", "publish", "version"}, set()),
    "Preview": (set(), {"discard", "student", "end"}),
    "Board": (set(), {"note", "free"}),
    "Student": (set(), {"note", "criteria", "extend", "cancel"}),
    "Marks": ({"collect", "release"}, {"grade", "mark"}),
    "Grades": ({"send_marks"}, set()),
}
ADDRESSES = {
    "Courses": "",
    "Course": "/courses/COURSE",
    "Exercise": "/exercises/EXERCISE",
    "Preview": "/exercises/EXERCISE/preview",
    "Board": "/exercises/EXERCISE/board",
    "Student": "/exercises/EXERCISE/students/stella",
    "Marks": "/exercises/EXERCISE/marks",
    "Grades": "/exercises/EXERCISE/grades",
}


@pytest.fixture
def address(people: dict[str, Browser], exercise: str) -> Callable[[str], str]:
    """The address of a page of the course of xrd and its exercise."""
    course = re.search(rf"{ROOT}/courses/([0-9a-f]{{32}})", people["lena"].get(ROOT).text)
    assert course
    values = {"COURSE": course.group(1), "EXERCISE": exercise.rpartition("/")[2], "NONE": "0" * 32}

    def make(path: str) -> str:
        return ROOT + re.sub("COURSE|EXERCISE|NONE", lambda found: values[found.group(0)], path)

    return make


def test_every_page_and_every_act_of_the_pages_has_a_row() -> None:
    filled = {path.replace("COURSE", "0" * 32).replace("EXERCISE", "0" * 32).replace("NONE", "0" * 32): path
              for path in (*PAGES, *ELSEWHERE)}  # fmt: skip
    found: set[str] = set()
    for pattern, page, *_ in teaching_pages():
        rows = [
            path
            for shown, path in filled.items()
            if re.fullmatch(pattern, shown if shown.startswith("/exercise/") else f"/teaching{shown}")
        ]
        assert rows, pattern
        found |= set(rows)
        acts = {name.removeprefix("do_") for name in vars(page) if name.startswith("do_")}
        lecturers, assistants = ACTS.get(page.__name__, (set(), set()))
        assert acts == lecturers | assistants, page
    assert found == set(filled.values())


@pytest.mark.slow
@pytest.mark.attack(1)
def test_each_page_is_there_for_its_roles_and_not_found_by_others(
    platform: Hub, people: dict[str, Browser], address: Callable[[str], str]
) -> None:
    for path, allowed in PAGES.items():
        for name in EVERYONE:
            if path.endswith("/events") and name in allowed:
                continue  # it does not end
            status = people[name].get(address(path)).status_code
            # Fewer than five students: nothing is exported to the lecturer either.
            expected = 409 if path.endswith("research.json") and name in allowed else 200
            assert status == (expected if name in allowed else 404), (path, name)
    stranger = platform.browser()
    for path in PAGES:
        if not path.startswith("/static"):
            answer = stranger.get(address(path))
            assert answer.url.path == "/hub/login", path


@pytest.mark.slow
@pytest.mark.attack(1)
def test_no_act_of_the_pages_is_carried_out_for_who_may_not(
    people: dict[str, Browser], address: Callable[[str], str]
) -> None:
    before = people["lena"].get(address("/exercises/EXERCISE")).text
    for page, (of_lecturers, of_assistants) in ACTS.items():
        for name, acts in (
            ("tom", of_lecturers),
            ("stella", of_lecturers | of_assistants),
            ("eve", of_lecturers | of_assistants),
        ):
            browser = people[name]
            browser.get(ROOT)
            xsrf = browser.xsrf()
            for act in sorted(acts):
                fields = {key: "0" * 32 if value == "NONE" else value for key, value in FORM.items()}
                files = {"item": ("a.cif", b"data_a")} if act == "shelve" else None
                answer = browser.http.post(
                    address(ADDRESSES[page]),
                    data={**fields, "action": act, "_xsrf": xsrf},
                    files=files,
                    follow_redirects=False,
                )
                assert answer.status_code in (303, 403, 404), (page, name, act)
                if answer.status_code == 303:
                    assert kind_of_message(answer) == "problem", (page, name, act)
    assert without_times(people["lena"].get(address("/exercises/EXERCISE")).text) == without_times(before)


def kind_of_message(answer: Any) -> str:
    """Whether the next page is to say what was done ("message") or why nothing was ("problem")."""
    value = answer.cookies["qcrbox-message"].strip('"').split("|")[-2].partition(":")[2]
    return str(json.loads(base64.b64decode(value))[0])


def without_times(page: str) -> str:
    """A page without what each answer has anew."""
    return re.sub(r'name="_xsrf" value="[^"]+"|<time.*?</time>|nonce="[^"]+"', "", page)


# ---------------------------------------------------------------- hostile work of a student

SCRIPT = "<script>alert(7)</script>"
HOSTILE = f"\"'>{SCRIPT}<svg onload=alert(7)><img src=x onerror=alert(7)>{{{{7*7}}}}"


OUTPUTS = (
    "text/plain",
    "text/html",
    "image/svg+xml",
    "application/javascript",
    "text/markdown",
    "text/latex",
)


@pytest.mark.attack(11)
def test_hostile_work_of_a_student_is_shown_as_text_and_sent_as_a_download(
    people: dict[str, Browser], exercise: str, rest: Any
) -> None:
    sam, api = people["sam"], f"/api/exercises/{exercise.rpartition('/')[2]}"
    output = {"output_type": "display_data", "metadata": {}, "data": dict.fromkeys(OUTPUTS, HOSTILE)}
    cells = [
        {"cell_type": "markdown", "source": [HOSTILE], "metadata": {"tags": [HOSTILE]}},
        {
            "cell_type": "code",
            "source": HOSTILE,
            "outputs": [output, {"output_type": "stream", "text": HOSTILE}],
        },
        {"cell_type": "code", "outputs": [{"output_type": "error", "ename": HOSTILE, "evalue": HOSTILE}]},
        {"cell_type": HOSTILE, "source": HOSTILE},
    ]
    notebook = json.dumps({"nbformat": 4, "metadata": {"title": HOSTILE}, "cells": cells})
    assert rest(sam, "POST", f"{api}/open").status_code == 200
    assert rest(sam, "PUT", f"{api}/answers/why", json={"value": HOSTILE}).status_code == 200
    headers = {"content-type": "application/x-ipynb+json"}
    kept = rest(sam, "PUT", f"{api}/draft", params={"problem": HOSTILE}, content=notebook, headers=headers)
    assert kept.status_code == 200, kept.text
    refused = rest(
        sam, "POST", f"{api}/submit", json={"files": [{"filename": f"{SCRIPT}.cif", "content": ""}]}
    )
    assert refused.status_code == 400
    files = [{"filename": "x'&{{7+7}}.cif", "content": ""}]
    handed = rest(
        sam, "POST", f"{api}/submit", json={"notebook": notebook, "problem": HOSTILE, "files": files}
    )
    assert handed.status_code == 201, handed.text
    lena = people["lena"]
    for more in ("/students/sam", "/board", "/board?part=rows", "/marks", "", "/preview"):
        page = lena.get(exercise + more)
        assert page.status_code == 200, more
        assert not re.search(r"<(script|svg|img)[^>]*(>alert|onload|onerror)", page.text), more
        assert "49" not in re.findall(r"&gt;(\d+)", page.text), f"{more}: a template was run"
        assert "unsafe" not in page.headers["content-security-policy"]
    shown = lena.get(f"{exercise}/students/sam").text
    assert shown.count("&lt;script&gt;alert(7)") >= 8  # answer, problem, sources, plain text, stream, error
    collected = re.search(rf"{exercise}/snapshot/[^/]+/notebook", shown)
    assert collected
    for path in (collected.group(0), f"{exercise}/draft/sam/notebook"):
        answer = lena.get(path)
        assert answer.text == notebook
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_renamed_student_keeps_work_and_place_in_the_course(
    people: dict[str, Browser], exercise: str, rest: Any
) -> None:
    ada, sam, lena = (people[name] for name in ("ada", "sam", "lena"))
    api = f"/api/exercises/{exercise.rpartition('/')[2]}"
    before = rest(sam, "GET", f"{api}/own").json()["payload"]
    assert before["snapshots"]
    ada.get("/hub/token")
    xsrf = ada.xsrf()

    def rename(old: str, new: str) -> None:
        answer = ada.http.patch(f"/hub/api/users/{old}", json={"name": new}, headers={"X-XSRFToken": xsrf})
        assert answer.status_code == 200, answer.text

    lena.get(f"{exercise}/board")  # the registry keeps the members that it asked for, for five seconds
    rename("sam", "samuel")
    assert sam.sign_in("samuel").status_code == 200
    after = rest(sam, "GET", f"{api}/own").json()["payload"]
    assert (after["snapshots"][0]["receipt"], after["answers"]) == (
        before["snapshots"][0]["receipt"],
        before["answers"],
    )
    assert after["dataset_id"] == before["dataset_id"]
    board = lena.get(f"{exercise}/board").text
    assert re.findall(rf'{exercise}/students/(sam\w*)"', board) == ["samuel"]
    assert before["snapshots"][0]["receipt"][:12] in lena.get(f"{exercise}/students/samuel").text
    rename("samuel", "sam")  # other files know this student, too
    assert sam.sign_in("sam").status_code == 200
