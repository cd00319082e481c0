"""What the exchange of nbgrader asks of the registry, without nbgrader."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox_extension.nbgrader_exchange import use_store
from qcrbox_extension.nbgrader_exchange.store import Assignment, Store, is_plain, plain_files, task_ids

TASK_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class Registry:
    """Answers from a table; keeps what it was sent."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.sent = answers, dict[str, Any]()

    def get(self, path: str, **_: Any) -> Any:
        return self.answers[path.rpartition("/")[2]]

    def post(self, path: str, body: Any = None) -> Any:
        self.sent[path] = body
        return {"receipt": "0" * 64}

    def patch(self, path: str, body: Any) -> Any:
        if "refusal" in self.answers:
            raise self.answers["refusal"]
        self.sent[path] = body


def store(**answers: Any) -> tuple[Store, Registry]:
    registry = Registry(**answers)
    return Store(cast(Any, registry)), registry


@pytest.mark.parametrize("name", ["ps1", "Übung 1", "a.b-c"])
def test_plain_names_are_folders(name: str) -> None:
    assert is_plain(name)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\\b", "a+b", "a*", "a[1]", "a\0b"])
def test_names_that_are_no_folder_or_a_pattern_are_refused(name: str) -> None:
    assert not is_plain(name)


def test_each_notebook_has_a_task_of_its_own() -> None:
    found = task_ids(["Problem 1", "problem-1", "Übung", "x" * 80, "x" * 90])
    assert len(set(found.values())) == 5
    assert all(TASK_ID.fullmatch(task_id) for task_id in found.values())


def test_a_course_is_found_by_group_id_or_title_and_never_by_chance() -> None:
    courses = [
        {"id": "1", "group": "xrd", "title": "XRD"},
        {"id": "2", "group": "nmr", "title": "Twice"},
        {"id": "3", "group": "ir", "title": "Twice"},
        {"id": "4", "group": "old", "title": "Old", "archived_at": "2025-01-01T00:00:00Z"},
    ]
    asked, _ = store(courses={"courses": courses})
    assert [asked.course(name)["id"] for name in ("xrd", "2", "XRD")] == ["1", "2", "1"]
    with pytest.raises(UserInputError, match="2 courses are called 'Twice'"):
        asked.course("Twice")
    with pytest.raises(NotFound, match="no course 'old'"):
        asked.course("old")


def test_two_exercises_of_one_title_are_refused_and_hidden_ones_left_out() -> None:
    exercises = [
        {"id": "a", "title": "ps1", "published": True},
        {"id": "b", "title": "ps2", "published": False},
    ]
    asked, registry = store(exercises={"exercises": exercises})
    assert asked.titles({"id": "1"}) == {"ps1": "a"}
    assert asked.titles({"id": "1"}, hidden=True) == {"ps1": "a", "ps2": "b"}
    registry.answers["exercises"]["exercises"].append({"id": "c", "title": "ps1", "published": True})
    with pytest.raises(UserInputError, match="Two exercises"):
        asked.titles({"id": "1"})


def test_a_notebook_that_is_no_text_is_handed_in_byte_for_byte_and_named() -> None:
    asked, registry = store()
    damaged = "Mäuse".encode("latin-1")
    asked.submit(
        Assignment("e", "ps1", 1, ["problem.ipynb"]), {"problem.ipynb": damaged, "plot.png": b"\x89"}
    )
    body = registry.sent["/api/exercises/e/submit"]
    assert "notebook" not in body
    assert "not UTF-8" in body["problem"]
    kept = {file["filename"]: base64.b64decode(file["content"]) for file in body["files"]}
    assert kept == {"problem.ipynb": damaged, "plot.png": b"\x89"}


def test_a_missing_notebook_is_named() -> None:
    asked, registry = store()
    asked.submit(Assignment("e", "ps1", 1, ["problem.ipynb"]), {"plot.png": b"\x89"})
    assert "was not among the files" in registry.sent["/api/exercises/e/submit"]["problem"]


def test_folders_and_links_are_left_out_and_named(tmp_path: Path) -> None:
    for name in ("problem.ipynb", "data.csv", ".hidden"):
        (tmp_path / name).write_text(name)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.png").write_bytes(b"a")
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    named: list[str] = []
    assert plain_files(tmp_path, named.append) == {"data.csv": b"data.csv", "problem.ipynb": b"problem.ipynb"}
    assert [text.partition(" ")[0] for text in named] == ["figures", "passwd"]
    assert "Put its files beside the notebook." in named[0]


DUE, BEFORE = datetime(2999, 5, 1, 10, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


def test_a_due_date_becomes_the_deadline_of_an_exercise_without_one() -> None:
    asked, registry = store(e={"due_at": None})
    assert asked.take_deadline("e", DUE, BEFORE) == ""
    assert registry.sent == {"/api/exercises/e": {"due_at": "2999-05-01T10:00:00+00:00"}}


@pytest.mark.parametrize(
    ("answers", "now", "words"),
    [
        ({"e": {"due_at": "2999-05-01T10:00:00Z"}}, BEFORE, ""),
        ({"e": {"due_at": "2999-06-01T10:00:00Z"}}, BEFORE, "stays 2999-06-01T10:00:00Z"),
        ({"e": {"due_at": None}}, DUE, "is over"),
        (
            {"e": {"due_at": None}, "refusal": UserInputError("due_at must be after opens_at.")},
            BEFORE,
            "must be after opens_at",
        ),
    ],
    ids=["the same", "set by hand", "in the past", "refused"],
)
def test_a_due_date_that_is_no_deadline_is_named_and_changes_nothing(
    answers: dict[str, Any], now: datetime, words: str
) -> None:
    asked, registry = store(**answers)
    said = asked.take_deadline("e", DUE, now)
    assert words in said
    assert bool(said) is bool(words)
    assert registry.sent == {}


def test_all_plug_ins_are_set() -> None:
    config = SimpleNamespace(ExchangeFactory=SimpleNamespace())
    use_store(config)
    assert len(vars(config.ExchangeFactory)) == 8
    assert all(
        path.startswith("qcrbox_extension.nbgrader_exchange.")
        for path in vars(config.ExchangeFactory).values()
    )
