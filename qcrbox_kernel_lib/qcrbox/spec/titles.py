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
_WORD = re.compile(r"[^\W_]+")


def command_phrase(name: str, *texts: str | None) -> str:
    """A command as people read it: `refine_iam` with the title "IAM refinement" is "Refine IAM".

    texts: title and description of the command, as far as known. A word of the name is spelt as the first of them that
    has it with capitals inside. The same rule stands in extension/src/command_name.tsx; one table of cases holds both.
    """
    spelt: dict[str, str] = {}
    for word in _WORD.findall(" ".join(filter(None, texts))):
        if word[1:] != word[1:].lower():
            spelt.setdefault(word.lower(), word)
    words = [word for word in name.split("_") if word]
    phrase = " ".join(spelt.get(word.lower(), word) for word in words)
    return phrase if words and words[0].lower() in spelt else phrase[:1].upper() + phrase[1:]


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
