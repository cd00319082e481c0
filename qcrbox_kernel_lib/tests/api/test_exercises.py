"""`qc.courses` and `qc.exercise(...)` on records of a registry."""

from __future__ import annotations

import json

import pytest
from qcrbox.api.box import Box
from qcrbox.api.exercises import find_exercise
from qcrbox.client.exercise_mark import MARK
from qcrbox.contract.errors import Conflict, NotFound, UserInputError
from qcrbox.contract.teaching import TaskState
from qcrbox.display.exercise import SHAPES, due_words, state_words

DATES = {"opens_at": None, "due_at": None, "own_due_at": "2026-12-01T12:00:00Z"}
TASKS = [
    {"id": "refine", "title": "Refine", "hint": "Look at both."},
    {"id": "which", "title": "Which atom?", "hint": ""},
]


def exercise(name, course="XRD 101", phase="open", **more):
    return {"id": name * 8, "title": name, "course": course, "phase": phase, "opened_at": "2026-11-29T08:00:00Z",
            **DATES, **more}  # fmt: skip


class Registry:
    """Answers for two courses, and remembers what was sent."""

    url = "http://127.0.0.1:9"

    def __init__(self):
        self.sent = []
        self.lists = {
            "c1": [exercise("closed", phase="closed"), exercise("atom")],
            "c2": [exercise("twin", "XRD 102")],
        }
        self.courses = [
            {"id": "c3", "title": "Old", "role": "student", "archived_at": "2025-01-01T00:00:00Z"},
            {"id": "c1", "title": "XRD 101", "role": "student", "archived_at": None},
            {"id": "c2", "title": "XRD 102", "role": "lecturer", "archived_at": None},
        ]
        self.own = {
            "exercise": exercise("atom"),
            "manifest": {"tasks": TASKS},
            "dataset_id": "d" * 32,
            "tasks": [
                {
                    "task_id": "refine",
                    "state": "out_of_band",
                    "words": "R1 is 0.08.",
                    "hint": "Look at both.",
                },
                {"task_id": "which", "state": "stuck", "words": "", "hint": ""},
            ],
            "answers": {"which": "<b>N</b>"},
            "snapshots": [],
            "notes": [{"text": "Ten more minutes.", "by": "eva", "at": "2026-11-29T08:30:00Z"}],
            "feedback": None,
        }
        self.receipt = {"at": "2026-11-29T09:00:00Z", "late": False, "receipt": "f" * 64, "problem": ""}

    def get(self, path, **query):
        parts = path.strip("/").split("/")[1:]
        if parts == ["courses"]:
            return {"courses": self.courses}
        if parts[0] == "courses":
            return {"exercises": self.lists[parts[1]]}
        if parts[0] == "datasets":
            return {"datasets": [{"qcrbox_dataset_id": parts[1], "name": "data", "data_files": {}}]}
        if parts[-1] == "own":
            return self.own
        found = [each for listed in self.lists.values() for each in listed if each["id"] == parts[1]]
        if not found:
            raise NotFound(f"No exercise {parts[1]!r}.")
        return found[0]

    def post(self, path, body=None, **more):
        self.sent.append((path, body))
        return self.receipt if path.endswith("submit") else self.own

    def put(self, path, body):
        self.sent.append((path, body))
        return self.own


@pytest.fixture
def box():
    return Box(Registry())


@pytest.fixture
def atom(box):
    return box.exercise("atom")


def test_the_list_has_the_exercises_of_every_active_course_open_ones_first(box):
    assert [each.title for each in box.courses.exercises] == ["atom", "twin", "closed"]
    assert box.courses._table()["course"] == ["XRD 101", "XRD 102", "XRD 101"]
    assert "twin" in box.courses._repr_mimebundle_()["text/html"]
    assert [course.title for course in box.courses][-1] == "Old"


def test_a_course_by_its_title_has_its_exercises_and_the_role(box):
    course = box.courses["XRD 102"]
    assert (course.role, [each.title for each in course]) == ("lecturer", ["twin"])
    assert course["twin"].id == "twin" * 8


@pytest.mark.parametrize("name", ["atom", "atom" * 8])
def test_an_exercise_by_title_or_id(box, name):
    assert box.exercise(name).title == "atom"


def test_an_unknown_exercise_says_which_there_are(box):
    with pytest.raises(NotFound, match="closed"):
        box.exercise("nothing")


def test_two_exercises_of_one_title_need_the_id(box):
    box.client.lists["c2"].append(exercise("atom", "XRD 102", id="other"))
    with pytest.raises(UserInputError, match="2 exercises are called 'atom'"):
        box.exercise("atom")
    assert box.exercise("other").record["course"] == "XRD 102"


def test_the_folder_of_the_notebook_says_which_exercise(box, tmp_path):
    (tmp_path / MARK).write_text(json.dumps({"id": "twin" * 8}))
    below = tmp_path / "more"
    below.mkdir()
    assert find_exercise(box, folder=tmp_path).title == "twin"
    assert find_exercise(box, folder=below).title == "twin"


def test_elsewhere_the_error_says_where_exercises_are_listed(box, tmp_path):
    with pytest.raises(NotFound, match=r"qc\.courses"):
        find_exercise(box, folder=tmp_path)


def test_tasks_have_shape_word_remark_and_answer_as_text(atom):
    assert atom.tasks["state"] == ["▲ not reached", "■ not done yet"]
    assert atom.tasks["remark"] == ["R1 is 0.08.", ""]
    html = atom._repr_mimebundle_()["text/html"]
    assert "<b>N</b>" not in html
    assert "&lt;b&gt;N" in html


def test_a_hint_is_shown_on_request(atom):
    assert str(atom.hint("refine")) == "Look at both."
    assert "no hint" in atom.hint("which")
    with pytest.raises(NotFound, match="refine, which"):
        atom.hint("what")


def test_data_are_the_students_own_dataset(atom):
    assert atom.data.id == "d" * 32


def test_before_it_is_opened_the_error_says_how(box, atom):
    box.client.own["exercise"] = exercise("atom", opened_at=None)
    with pytest.raises(Conflict, match=r"exercise\.open"):
        _ = atom.data


def test_an_exercise_without_data_says_so(box, atom):
    box.client.own["dataset_id"] = None
    with pytest.raises(NotFound, match="no data"):
        _ = atom.data


def test_an_answer_is_sent_as_text_and_its_task_stays_one_part_of_the_address(box, atom):
    atom.answer("which/../x", 1.5)
    assert box.client.sent == [(f"/api/exercises/{'atom' * 8}/answers/which%2F..%2Fx", {"value": "1.5"})]


def test_submitting_gives_the_receipt(box, atom, tmp_path):
    assert f"Receipt {'f' * 64}" in atom.submit()
    file = tmp_path / "mine.ipynb"
    file.write_text("{}")
    box.client.receipt |= {"late": True, "problem": "No notebook was saved."}
    words = atom.submit(file)
    assert "(late)" in words
    assert "No notebook was saved. Save it and submit again" in words
    assert [body for _, body in box.client.sent] == [{}, {"notebook": "{}"}]


def test_a_file_that_cannot_be_read_is_refused_before_anything_is_sent(box, atom, tmp_path):
    (tmp_path / "binary.ipynb").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.ipynb", "binary.ipynb"):
        with pytest.raises(UserInputError, match=name):
            atom.submit(tmp_path / name)
    assert box.client.sent == []


def test_feedback_before_and_after_the_release(box, atom):
    assert "not released" in atom.feedback.caption
    task = {
        "task_id": "refine",
        "title": "Refine",
        "points": None,
        "most": 3.0,
        "words": "",
        "comment": "Good.",
        "criteria": [{"text": "Says why", "points": 2.5, "met": False}],
    }
    box.client.own["feedback"] = {"points": 2.5, "most": 4.0, "comment": "Well done.", "tasks": [task]}
    assert atom.feedback["points"] == [""]
    assert atom.feedback["remark"] == ["✕ Says why (2.5)"]
    assert atom.feedback.caption == "2.5 of 4 points. Well done."


def test_notes_come_with_their_sender(atom):
    assert atom.notes[0].endswith("eva: Ten more minutes.")


def test_every_state_has_a_shape_of_its_own_and_an_unknown_one_is_shown_as_it_is():
    assert set(SHAPES) == set(TaskState)
    assert len({shape for shape, _ in SHAPES.values()}) == len(SHAPES)
    assert state_words("newer") == "newer"


@pytest.mark.parametrize(
    ("phase", "says"),
    [("open", "due"), ("late", "late work is accepted"), ("closed", "closed"), ("not_open", "opens")],
)
def test_the_dates_say_what_holds_now(phase, says):
    assert says in due_words(exercise("atom", phase=phase))
