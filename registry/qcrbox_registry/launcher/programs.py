"""Which programs the commands of an application call, and whether a shell finds them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from qcrbox.spec import load
from qcrbox.spec.model import Call, Command

_PLAIN = re.compile(r"[\w.+/-]+")
_ASSIGNMENT = re.compile(r"\w+=")


@lru_cache(maxsize=256)
def of_commands(spec: Path) -> Mapping[str, list[str]]:
    """Name of a command -> the programs that its call patterns begin with. Raises SpecError.

    spec: of an approved application. Its copy never changes, and reading it again every few seconds would be most of
    what an idle launcher does.
    """
    return {command.name: _programs(command) for command in load(spec).commands}


def is_found(name: str, path: str) -> bool:
    """Whether a shell with this PATH knows the name, as a program or as a command of its own."""
    if shutil.which(name, path=path):
        return True
    asked = subprocess.run(
        ["bash", "-c", 'type -t -- "$1"', "bash", name],
        env={**os.environ, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return asked.returncode == 0


def _programs(command: Command) -> list[str]:
    calls = [command.call] if command.call else []
    if command.lifecycle:
        calls += [call for _, call in command.lifecycle.steps()]
    return sorted({name for call in calls if (name := _program(call))})


def _program(call: Call) -> str:
    """The first word that is called; empty when that depends on the arguments, or on a file of the calculation."""
    try:
        words = shlex.split(call.call_pattern or "")
    except ValueError:
        return ""
    first = next((word for word in words if not _ASSIGNMENT.match(word)), "")
    is_relative = "/" in first and not first.startswith("/")
    return first if _PLAIN.fullmatch(first) and not is_relative else ""
