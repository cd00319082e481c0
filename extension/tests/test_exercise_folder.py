"""What is written into a student's files: nothing outside the folder of the exercise, nothing of theirs lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qcrbox.contract.errors import Conflict
from qcrbox_extension.exercise_folder import (
    FEEDBACK,
    Handed,
    feedback_text,
    folder_for,
    hand_out,
    reset_data,
    safe_name,
)

ID, OTHER = "a" * 32, "b" * 32


def handed(**more: Any) -> Handed:
    given: dict[str, Any] = {
        "exercise_id": ID,
        "course": "XRD",
        "title": "Task",
        "version": 1,
        "notebook": None,
        "files": {"a.cif": b"data_a"},
    }
    return Handed(**{**given, **more})


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("XRD 101", "XRD 101"),
        ("Größe & Form", "Größe _ Form"),
        ("../../etc", "_.._etc"),
        ("..", "exercise"),
        (" . ", "exercise"),
        ("", "exercise"),
        (".hidden", "hidden"),
        ("a/b\\c:d", "a_b_c_d"),
        ("line\nend\x00", "line_end_"),
        ("x" * 200, "x" * 80),
        ("x" * 79 + " y", "x" * 79),
        ("実習", "実習"),
    ],
)
def test_course_or_title_becomes_one_visible_folder(text: str, name: str) -> None:
    assert safe_name(text) == name


@pytest.mark.attack(6)
@pytest.mark.parametrize(
    "name",
    [
        "../outside.cif",
        "/etc/outside.cif",
        "..\\outside.cif",
        "a/../../outside.cif",
        ".outside.cif",
        "x/outside.cif",
    ],
)
def test_file_with_a_path_in_its_name_lands_in_the_folder(tmp_path: Path, name: str) -> None:
    root = tmp_path / "home"
    root.mkdir()
    report = hand_out(root, handed(files={name: b"data_x"}))
    assert report.written == ["outside.cif"]
    assert [path.name for path in tmp_path.rglob("*outside.cif")] == ["outside.cif"]
    assert (root / report.folder / "outside.cif").read_bytes() == b"data_x"


@pytest.mark.parametrize("name", ["..", ".", "/", "", "\x00"])
def test_name_that_is_none_gets_one(tmp_path: Path, name: str) -> None:
    assert hand_out(tmp_path, handed(files={name: b"x"})).written == ["file"]


def test_two_exercises_of_one_title_have_two_folders_each_found_again(tmp_path: Path) -> None:
    first = hand_out(tmp_path, handed())
    second = hand_out(tmp_path, handed(exercise_id=OTHER))
    assert (first.folder, second.folder) == ("exercises/XRD/Task", "exercises/XRD/Task 2")
    assert folder_for(tmp_path, ID, "renamed", "too") == tmp_path / first.folder
    assert folder_for(tmp_path, OTHER, "", "") == tmp_path / second.folder


# ---------------------------------------------------------------- links


@pytest.mark.attack(6)
@pytest.mark.parametrize("write", [hand_out, reset_data])
def test_folder_that_is_a_link_out_of_the_files_is_refused(tmp_path: Path, write: Any) -> None:
    root, outside = tmp_path / "home", tmp_path / "outside"
    (root / "exercises").mkdir(parents=True)
    outside.mkdir()
    (root / "exercises" / "XRD").symlink_to(outside)
    with pytest.raises(Conflict, match="leads out of your files"):
        write(root, handed())
    assert [path for path in outside.rglob("*") if path.is_file()] == []


# ---------------------------------------------------------------- resetting


def test_reset_brings_data_back_and_keeps_what_was_changed_each_time(tmp_path: Path) -> None:
    folder = tmp_path / hand_out(tmp_path, handed()).folder
    for number in (1, 2):
        (folder / "a.cif").write_text(f"mine {number}")
        report = reset_data(tmp_path, handed())
        assert report.written == ["a.cif"]
        assert len(report.conflicts) == 1
    assert (folder / "a.cif").read_bytes() == b"data_a"
    assert [(folder / name).read_text() for name in ("a-mine.cif", "a-mine-2.cif")] == ["mine 1", "mine 2"]


def test_reset_of_untouched_or_deleted_data_keeps_no_copy(tmp_path: Path) -> None:
    folder = tmp_path / hand_out(tmp_path, handed()).folder
    assert (reset_data(tmp_path, handed()).written, reset_data(tmp_path, handed()).conflicts) == ([], [])
    (folder / "a.cif").unlink()
    assert reset_data(tmp_path, handed()).written == ["a.cif"]
    assert not list(folder.glob("*mine*"))


def test_folder_of_the_name_of_a_data_file_is_said_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / hand_out(tmp_path, handed(files={})).folder
    (folder / "a.cif").mkdir()
    (folder / "a.cif" / "notes").write_text("mine")
    with pytest.raises(OSError, match=r"a\.cif"):
        reset_data(tmp_path, handed())
    assert (folder / "a.cif" / "notes").read_text() == "mine"
    assert not list(folder.glob(".*.part"))


# ---------------------------------------------------------------- feedback

FEEDBACK_OF: dict[str, Any] = {
    "points": 3.5,
    "most": 6.0,
    "comment": "",
    "tasks": [{"title": "First", "points": None, "most": 2.0, "words": "", "comment": ""}],
}


def feedback(**more: Any) -> dict[str, Any]:
    return {**FEEDBACK_OF, **more}


def test_feedback_has_points_of_the_whole_and_of_each_task() -> None:
    tasks = [
        {"title": "First", "points": 1.5, "most": 2.0, "words": "as measured", "comment": "Good."},
        {"title": "Second", "points": None, "most": 4.0, "words": "", "comment": ""},
    ]
    assert feedback_text("Task", feedback(comment="Well done.\nGo on.", tasks=tasks)).splitlines() == [
        "# Feedback: Task",
        "",
        "3.5 of 6 points",
        "",
        "> Well done.",
        "> Go on.",
        "",
        "## First",
        "",
        "1.5 of 2",
        "",
        "> as measured",
        "",
        "> Good.",
        "",
        "## Second",
        "",
        "not marked",
    ]


# Each would be more than text in Markdown, as Lab shows it.
HOSTILE = {
    "link": "[click](javascript:alert)",
    "picture": "![x](https://evil.example/x.png)",
    "HTML": "<img src=x onerror=alert(1)>",
    "entity": "&lt;script&gt;",
    "bare address": "see https://evil.example/x",
    "bare name": "see www.evil.example",
    "capital letters": "see WWW.evil.example and HTTP://evil.example",
    "mail": "write to mallory@evil.example",
    "heading": "# Points: 6 of 6",
    "code": "`rm`",
    "formula": "$x$",
    "table": "| a | b |",
    "end of the quote": "a\n\n## Second\n\n6 of 6",
    "carriage return": "a\r# b",
    "line separator": "a\u2028# b",
}


@pytest.mark.attack(6)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_typed_text_is_text_in_feedback(text: str) -> None:
    content = feedback_text("Task", feedback(comment=text))
    lines = [line for line in content.splitlines()[4:] if not line.startswith("## First")]
    typed = "\n".join(line for line in lines if line.startswith(">"))
    assert [line for line in lines if line and not line.startswith("> ")] == ["not marked"]
    assert "<" not in typed.replace("&lt;", "")
    for more in ("](", "://", "www.", "WWW.", "@", "\n#"):
        assert more not in typed
    assert not any(line.removeprefix("> ").startswith("#") for line in typed.splitlines())


def test_feedback_is_written_beside_the_notebook_and_anew_when_it_changed(tmp_path: Path) -> None:
    report = hand_out(tmp_path, handed(feedback=feedback()))
    assert FEEDBACK in report.updated
    assert hand_out(tmp_path, handed(feedback=feedback())).updated == []
    assert hand_out(tmp_path, handed(feedback=feedback(points=4.0))).updated == [FEEDBACK]
    assert "4 of 6 points" in (tmp_path / report.folder / FEEDBACK).read_text()


def test_data_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    files = {FEEDBACK: b"of the lecturer"}
    for _ in range(2):
        report = hand_out(tmp_path, handed(files=files, feedback=feedback()))
        assert (tmp_path / report.folder / FEEDBACK).read_bytes() == b"of the lecturer"
