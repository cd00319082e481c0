"""Stubs of any spec are Python, whatever its texts and names are."""

from __future__ import annotations

import ast
from types import SimpleNamespace

import pytest
from qcrbox.api.applications import Application
from qcrbox.api.stubs import stubs


def parameter(**more):
    return {"dtype": "str", "required": False, "default_value": None, **more}


def made(description="Solve it.", command="solve", **parameters):
    record = {
        "name": "App",
        "slug": "my-app",
        "version": "1",
        "description": description,
        "commands": [
            {"name": command, "cmd_name": command, "description": description, "parameters": parameters}
        ],
    }
    return Application(SimpleNamespace(), record)


@pytest.mark.parametrize(
    "text",
    ["", 'ends with "', '"""', "back\\slash", "two\nlines", "ä – Å", "'", "{}", "\t"],
    ids=repr,
)
def test_any_description_is_a_docstring(text):
    tree = ast.parse(stubs([made(text)]))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    assert (ast.get_docstring(classes["_my_app_solve"], clean=False) or "").strip() == (
        text.strip().splitlines() or [""]
    )[0]


def calls(application):
    tree = ast.parse(stubs([application]))
    (command,) = (
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.startswith("_my_app_")
    )
    return {node.name: ast.unparse(node.args) for node in command.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("record", "option"),
    [
        (parameter(dtype="int", default_value=5), "n: int=5"),
        (parameter(dtype="float"), "n: float | None=None"),
        (parameter(dtype="bool", default_value=True), "n: bool=True"),
        (parameter(valid_value={"choices": ["a", 'b"']}, default_value="a"), "n: Literal['a', 'b\"']='a'"),
        (parameter(valid_value={"choices": ["a"]}), "n: Literal['a'] | None=None"),
        (parameter(default_value="it's"), 'n: str="it\'s"'),
        (parameter(dtype="int", required=True), "n: int"),
        (parameter(dtype="QCrBox.data_file", required=False), "n: FileInput | None=None"),
    ],
    ids=["int", "optional float", "bool", "choices", "optional choices", "text", "required", "optional file"],
)
def test_each_option_has_its_type_and_default(record, option):
    assert calls(made(n=record))["__call__"] == f"self, *, {option}"


def test_a_required_file_may_be_given_by_place_and_running_has_a_timeout():
    found = calls(
        made(
            cif=parameter(dtype="QCrBox.cif_data_file", required=True),
            n=parameter(dtype="int", default_value=1),
        )
    )
    assert found["__call__"] == "self, cif: CifInput, *, n: int=1"
    assert found["run"] == "self, cif: CifInput, *, n: int=1, timeout: float | None=None"


def test_a_command_without_options_takes_none():
    assert calls(made()) == {"__call__": "self", "run": "self, *, timeout: float | None=None"}


def test_every_application_is_exported_and_an_attribute_of_the_connection():
    text = stubs([made()])
    assert "__all__ = ['my_app', 'connect']" in text
    assert "    my_app: _my_app" in text


def test_no_applications_are_stubs_too():
    ast.parse(stubs([]))
