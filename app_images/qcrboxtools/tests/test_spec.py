from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from qcrbox.spec import load

FOLDER = Path(__file__).parents[1]
APPLICATION = load(FOLDER / "application.yaml")


def test_the_spec_is_accepted_without_notes() -> None:
    assert APPLICATION.slug == "qcrboxtools"
    assert APPLICATION.notes == []


@pytest.mark.parametrize("command", APPLICATION.commands, ids=lambda command: command.name)
def test_every_command_has_a_function_with_its_parameters(command, commands) -> None:
    function = getattr(commands, command.name)
    expected = {parameter.name for parameter in command.parameters} | {
        output.name for output in command.outputs
    }
    assert set(inspect.signature(function).parameters) == expected


@pytest.mark.parametrize("command", APPLICATION.commands, ids=lambda command: command.name)
def test_every_command_and_parameter_says_what_it_is(command) -> None:
    assert command.description
    assert all(parameter.description for parameter in command.parameters)
