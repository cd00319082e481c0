"""What of an application cannot run because its program is not installed."""

from __future__ import annotations

import os

import pytest
from qcrbox_registry.launcher import programs
from qcrbox_registry.launcher.catalogue import Catalogue
from qcrbox_registry.launcher.managers.process import ProcessManager

SPEC = """
name: "Drawing"
slug: "drawing"
version: "1"
description: "Draws."
commands:
  - name: "draw"
    description: "Draw with a program."
    implemented_as: "cli_command"
    call_pattern: "LEVEL=2 drawer-of-crystals --quiet"
  - name: "list"
    description: "List with the shell's own words and with what every machine has."
    implemented_as: "cli_command"
    call_pattern: "cd . && ls"
  - name: "helper"
    description: "Run a script that lies beside the spec."
    implemented_as: "cli_command"
    call_pattern: "helper-beside.sh"
qcrbox_yaml_spec_version: "0.1"
"""


def make_program(path):
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


@pytest.fixture
def drawing(tmp_path):
    folder = tmp_path / "drawing"
    folder.mkdir()
    (folder / "application.yaml").write_text(SPEC)
    make_program(folder / "helper-beside.sh")
    return Catalogue(tmp_path / "approved").approve(folder)


async def test_a_program_that_is_not_there_is_named_until_it_is_installed(drawing, tmp_path, monkeypatch):
    manager = ProcessManager(data=str(tmp_path / "data"))
    await manager.setup()
    missing = await manager.missing(drawing)
    assert set(missing) == {"draw"}
    assert missing["draw"].startswith("drawer-of-crystals is not installed on this machine.")
    assert "An administrator can install it" in missing["draw"]

    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    make_program(bin_folder / "drawer-of-crystals")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{bin_folder}")
    assert await manager.missing(drawing) == {}


async def test_nothing_is_said_before_the_environment_is_made(drawing, tmp_path):
    """The environment may bring the program."""
    drawing.requirements.write_text("a-package-that-nobody-has-installed\n")
    manager = ProcessManager(data=str(tmp_path / "data"))
    await manager.setup()
    assert await manager.missing(drawing) == {}


def test_only_what_is_certain_is_looked_for(tmp_path):
    text = SPEC.replace("LEVEL=2 drawer-of-crystals --quiet", "$HOME/drawer x").replace(
        "helper-beside.sh", "./helper-beside.sh"
    )
    path = tmp_path / "application.yaml"
    path.write_text(text)
    assert programs.of_commands(path) == {"draw": [], "list": ["cd"], "helper": []}
    assert programs.is_found("cd", os.environ["PATH"])
