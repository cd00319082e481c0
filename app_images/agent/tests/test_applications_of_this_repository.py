from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.spec import Application, load

APPLICATIONS = sorted(Path(__file__).parents[2].glob("*/application.yaml"))


@pytest.mark.parametrize("path", APPLICATIONS, ids=lambda path: path.parent.name)
def test_spec_of_ours_is_read_without_guessing(path):
    application = load(path)
    assert application.notes == []
    assert Application.model_validate_json(application.model_dump_json()) == application


@pytest.mark.parametrize("path", APPLICATIONS, ids=lambda path: path.parent.name)
def test_every_command_and_parameter_of_ours_is_described(path):
    for command in load(path).listed_commands:
        assert command.description, command.name
        assert [p.name for p in command.arguments if not p.description] == [], command.name
