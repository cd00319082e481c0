"""The first generation of spec files is known by its keys, because all versions carry the same version text."""

from __future__ import annotations

import pytest
from qcrbox.spec.generation import is_first, slug_of
from qcrbox.spec.source import Source, read

VERSION = 'qcrbox_yaml_spec_version: "0.1"\n'
COMMANDS = {
    "newest": ("{name: c, implemented_as: cli_command, call_pattern: run}", False),
    "word CLI": ("{name: c, implemented_as: CLI, call_pattern: run}", True),
    "word gui": ("{name: c, implemented_as: gui}", True),
    "module": ("{name: c, module: m}", True),
    "function": ("{name: c, function: f}", True),
    "command": ("{name: c, command: run}", True),
    "cif_input": ("{name: c, cif_input: {}}", True),
    "merge_cif_su": ("{name: c, merge_cif_su: true}", True),
    "type of a parameter": ("{name: c, parameters: [{name: x, type: int}]}", True),
    "dtype of a parameter": ("{name: c, parameters: [{name: x, dtype: int}]}", False),
    "in a step": ("{name: c, interactive_lifecycle: {run: {module: m}}}", True),
    "newest step": ("{name: c, interactive_lifecycle: {run: {import_path: m}}}", False),
    "a step that is none": ("{name: c, interactive_lifecycle: 5}", False),
    "a command that is none": ("5", False),
    "parameters that are none": ("{name: c, parameters: 5}", False),
}


@pytest.mark.parametrize(("command", "first"), COMMANDS.values(), ids=COMMANDS)
def test_a_file_is_known_by_the_keys_of_its_commands(command, first):
    assert is_first(read(f"{VERSION}commands: [{command}]\n", "a.yaml")) is first


def test_a_file_without_version_is_of_the_first_generation():
    assert is_first(read("name: A\n", "a.yaml"))
    assert not is_first(read(VERSION, "a.yaml"))
    assert not is_first(read(f"{VERSION}commands: 5\n", "a.yaml"))
    assert is_first(Source("a.yaml", data=[1]))


@pytest.mark.parametrize(
    ("text", "slug"), [("slug: crysalis-pro\n", "crysalis-pro"), ("slug: 2022\n", "2022"), ("name: A\n", "")]
)
def test_the_slug_is_the_text_of_the_file(text, slug):
    assert slug_of(read(text, "a.yaml")) == slug
