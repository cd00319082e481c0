"""What a command does, in the few words of a title: `HAR pbe/def2-SVP`.

The key `title` of a command is a text with `{parameter}` for the value of an argument. A part in square brackets is left
out when an argument in it is not given or has its default value: `HAR[ {functional}][/{basis}]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from qcrbox.spec.model import Command

LONGEST = 200
_PART = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{(\w+)\}")


def fields_of(pattern: str) -> list[str]:
    """The names of the parameters in a pattern."""
    return _FIELD.findall(pattern)


def what_is_done(command: Command, arguments: Mapping[str, Any]) -> str:
    """The words for a call of a command; without a pattern its name, underscores as spaces. At most `LONGEST` characters."""
    if not command.title:
        return command.name.strip("_").replace("_", " ")[:LONGEST]

    def value(name: str) -> str:
        given = arguments.get(name)
        return "" if given is None or isinstance(given, Mapping) else _plain(given)

    def is_special(name: str) -> bool:
        parameter = command.parameter(name)
        return bool(value(name)) and (parameter is None or arguments.get(name) != parameter.default)

    def part(found: re.Match[str]) -> str:
        text = found[1]
        return _filled(text, value) if all(map(is_special, fields_of(text))) else ""

    return " ".join(_filled(_PART.sub(part, command.title), value).split())[:LONGEST]


def _filled(text: str, value: Callable[[str], str]) -> str:
    return _FIELD.sub(lambda found: value(found[1]), text)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    return f"{value:g}" if float(f"{value:g}") == value else str(value)
