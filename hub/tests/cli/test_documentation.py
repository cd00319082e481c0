"""What the command line offers is in docs/running.md, and nothing that it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from qcrbox_hub.cli import COMMANDS, make_app
from typer.main import get_command

PAGE = Path(__file__).resolve().parents[3] / "docs" / "running.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described(name: str) -> None:
    assert f"`qcrbox {name}" in PAGE.read_text()


def test_every_option_of_up_is_described_and_exists() -> None:
    command = get_command(make_app("up")).commands["up"]  # type: ignore[attr-defined]
    known = {option for each in command.params for option in each.opts if option.startswith("--")}
    described = set(re.findall(r"`(--[a-z-]+)`", PAGE.read_text()))
    assert known - {"--help"} <= described
    elsewhere = {"--json", "--no-homes", "--help", "--name"}
    assert described <= known | elsewhere
