"""The file of presets: kept whole, never overwritten when it cannot be read."""

from __future__ import annotations

import pytest
from qcrbox.client import preset_file
from qcrbox.contract.errors import UserInputError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_presets_of_each_command_are_apart():
    preset_file.keep("refine.iam", "quick", {"cycles": 2})
    preset_file.keep("har.har", "quick", {"basis": "def2-SVP"})
    assert preset_file.of("refine.iam") == {"quick": {"cycles": 2}}
    assert preset_file.of("other") == {}


def test_an_older_preset_of_the_name_is_replaced_as_a_whole():
    preset_file.keep("c", "quick", {"a": 1, "b": 2})
    preset_file.keep("c", "quick", {"a": 3})
    assert preset_file.of("c") == {"quick": {"a": 3}}


def test_a_forgotten_preset_leaves_the_others():
    preset_file.keep("c", "one", {})
    preset_file.keep("c", "two", {})
    preset_file.forget("c", "one")
    assert list(preset_file.of("c")) == ["two"]
    with pytest.raises(KeyError):
        preset_file.forget("c", "one")


@pytest.mark.parametrize(
    "content",
    ["no json", "[1, 2]", '"text"', '{"c": 5}', '{"c": {"quick": 5}}', ""],
    ids=["no JSON", "list", "text", "command without presets", "preset without options", "empty"],
)
def test_a_file_that_holds_something_else_is_named_and_never_overwritten(content):
    preset_file.path().parent.mkdir()
    preset_file.path().write_text(content)
    for act in (lambda: preset_file.of("c"), lambda: preset_file.keep("c", "new", {})):
        with pytest.raises(
            UserInputError, match=r"presets.json: Your presets cannot be read.*Repair or remove"
        ):
            act()
    assert preset_file.path().read_text() == content


def test_words_in_any_language_survive():
    preset_file.keep("c", "schnell – ö", {"text": "Å"})
    assert preset_file.of("c") == {"schnell – ö": {"text": "Å"}}


def test_options_that_are_no_json_leave_the_file_as_it_was(home):
    preset_file.keep("c", "quick", {"a": 1})
    with pytest.raises(TypeError):
        preset_file.keep("c", "odd", {"a": object()})
    assert preset_file.of("c") == {"quick": {"a": 1}}
    assert {path.name for path in preset_file.path().parent.iterdir()} == {"presets.json", "presets.lock"}
