"""Files beside the notebook: their names and contents as they arrive, and what a snapshot says of them."""

from __future__ import annotations

import base64

import pytest
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox_registry.services.teaching.handed_files import HandedFile, data_file_of, decoded, names_of
from qcrbox_registry.store.teaching.snapshots import Snapshot


def packed(content=b"some bytes"):
    return base64.b64encode(content).decode()


def snapshot(**content):
    return Snapshot("s", "e", 1, "ada", "submitted", 1.0, None, False, content, "r", None, "")


def test_files_come_with_their_bytes():
    files = [("a.txt", packed(b"one")), ("b.bin", packed(bytes(range(256)))), ("empty", "")]
    assert decoded(files) == [
        HandedFile("a.txt", b"one"),
        HandedFile("b.bin", bytes(range(256))),
        HandedFile("empty", b""),
    ]
    assert decoded([]) == []


@pytest.mark.parametrize(
    "name", ["../a", "a/b", "a\\b", "a:b", "", " ", ".", "..", "-rf", "a\nb", "a\u202eb", "x" * 201, " a"]
)
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(UserInputError, match="cannot be the name of a submitted file") as refused:
        decoded([(name, packed())])
    assert "no folder" in refused.value.why


@pytest.mark.parametrize("second", ["a.txt", "A.TXT"])
def test_two_files_of_one_name_are_refused(second):
    with pytest.raises(UserInputError, match="Two submitted files are called"):
        decoded([("a.txt", packed()), (second, packed())])


@pytest.mark.parametrize("text", ["a", "####", "YQ", "YQ==\n", "ümlaut", "YQ== "])
def test_contents_that_are_no_base64_are_refused(text):
    with pytest.raises(UserInputError, match=r"The contents of 'a\.txt' are not base64"):
        decoded([("a.txt", text)])


def test_a_snapshot_names_its_files_and_no_other():
    found = snapshot(files={"b.txt": {"data_file_id": "f2"}, "a.txt": {"data_file_id": "f1"}})
    assert names_of(found) == ["a.txt", "b.txt"]
    assert data_file_of(found, "b.txt") == "f2"
    for name in ("c.txt", "B.TXT", "../b.txt"):
        with pytest.raises(NotFound, match="no file"):
            data_file_of(found, name)
    assert names_of(snapshot()) == names_of(snapshot(files=None)) == []
