"""Tokens in the file of a person: kept for each address, whatever the file holds."""

from __future__ import annotations

import json
import stat
import threading

import pytest
from qcrbox.client import saved_tokens


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "qcrbox" / "tokens.json"


def test_each_address_has_its_own_token(file):
    saved_tokens.put("https://a", "one")
    saved_tokens.put("https://b", "two")
    saved_tokens.put("https://a", "three")
    assert (saved_tokens.get("https://a"), saved_tokens.get("https://b")) == ("three", "two")
    assert saved_tokens.get("https://c") is None


@pytest.mark.parametrize(
    "content",
    ["", "no json", "[1]", "5", "null", '{"https://a": 5}', '{"https://a": null}', "\xff"],
    ids=["empty", "no JSON", "list", "number", "null", "no text", "nothing", "not UTF-8"],
)
def test_a_damaged_file_has_no_tokens_and_takes_new_ones(file, content):
    file.parent.mkdir()
    file.write_bytes(content.encode("latin-1"))
    assert saved_tokens.get("https://a") is None
    saved_tokens.put("https://a", "new")
    assert saved_tokens.get("https://a") == "new"


def test_a_file_that_others_could_read_is_closed_by_the_next_token(file):
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o644)
    saved_tokens.put("https://a", "secret")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_reader_never_sees_half_a_file(file):
    """Another kernel may read while a token is written: the file is replaced, not written over."""
    saved_tokens.put("https://a", "x" * 100_000)
    damaged = []
    over = threading.Event()

    def read():
        while not over.is_set():
            try:
                json.loads(file.read_text())
            except ValueError:
                damaged.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        saved_tokens.put("https://b", str(number) * 10_000)
    over.set()
    reader.join()
    assert not damaged
    assert saved_tokens.get("https://a") == "x" * 100_000


def test_nothing_but_the_file_is_left_in_the_folder(file):
    saved_tokens.put("https://a", "one")
    saved_tokens.put("https://a", "two")
    assert [path.name for path in file.parent.iterdir()] == ["tokens.json"]
