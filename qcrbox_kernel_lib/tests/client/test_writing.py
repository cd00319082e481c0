"""Files of a person, and our own files of their home."""

from __future__ import annotations

import pytest
from qcrbox.client.writing import write_new, write_over, write_private
from qcrbox.contract.errors import UserInputError


def test_a_new_file_is_written_once(tmp_path):
    assert write_new(tmp_path / "a", b"1").read_bytes() == b"1"
    with pytest.raises(UserInputError, match=r"a exists already. Give another path"):
        write_new(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"1"


def test_a_file_may_be_replaced_and_text_is_utf_8(tmp_path):
    write_over(tmp_path / "a", "old and longer")
    assert write_over(tmp_path / "a", "Å").read_bytes() == b"\xc3\x85"


def test_a_private_file_is_replaced_and_read_by_its_owner_alone(tmp_path):
    place = tmp_path / "config" / "a"
    for text in ("old and longer", "Å"):
        write_private(place, text)
    assert (place.read_text(encoding="utf-8"), list(place.parent.iterdir())) == ("Å", [place])
    assert [path.stat().st_mode & 0o777 for path in (place, place.parent)] == [0o600, 0o700]


@pytest.mark.parametrize("write", [write_new, write_over])
@pytest.mark.parametrize(
    ("name", "why"), [("nowhere/a", "No such file"), ("a\0b", "null")], ids=["no folder", "no name"]
)
def test_a_place_that_cannot_be_written_is_named_with_the_reason(tmp_path, write, name, why):
    with pytest.raises(UserInputError, match=rf"(?s)cannot be written. \(.*{why}"):
        write(tmp_path / name, b"1")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserInputError, match="Is a directory"):
        write_over(tmp_path, b"1")
