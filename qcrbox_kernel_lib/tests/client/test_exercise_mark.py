"""The mark in the folder of an exercise."""

from __future__ import annotations

import json

import pytest
from qcrbox.client.exercise_mark import MARK, exercise_of, mark_of


def test_the_mark_of_a_folder_is_found_from_its_files_and_two_folders_below(tmp_path):
    (tmp_path / MARK).write_text(json.dumps({"id": "e1"}))
    assert exercise_of(tmp_path / "a.ipynb") == "e1"
    assert exercise_of(tmp_path / "b" / "c" / "a.ipynb") == "e1"
    assert exercise_of(tmp_path / "b" / "c" / "d" / "a.ipynb") is None


def test_the_nearest_mark_counts(tmp_path):
    (tmp_path / "b").mkdir()
    for folder, name in ((tmp_path, "outer"), (tmp_path / "b", "inner")):
        (folder / MARK).write_text(json.dumps({"id": name}))
    assert exercise_of(tmp_path / "b" / "a.ipynb") == "inner"


@pytest.mark.parametrize(
    "content",
    [b"", b"no json", b"[]", b"{}", b'{"id": 5}', b"\xff\xfe", None],
    ids=["empty", "no JSON", "list", "no id", "id is no text", "no text", "no file"],
)
def test_what_is_no_mark_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / MARK).write_bytes(content)
    assert mark_of(tmp_path) is None
