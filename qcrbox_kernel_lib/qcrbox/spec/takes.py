"""Which files fit a parameter: one rule for every form, answered by the registry with the parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# ".hkl", "*.hkl", "(.hkl" or ".res/.ins" in a description; not the point of a number or of the end of a sentence.
_ENDING = re.compile(r"""(?:^|[\s(\[*/,;'"])(\.[a-z][a-z0-9]{1,5})\b""", re.IGNORECASE)
_OF_COMPANION = re.compile(r"[^.]*((?:\.[a-z0-9]+)+)\Z")
_ATOM = re.compile(r"_atom_site(_aniso)?[_.]", re.IGNORECASE)


def endings(description: str, companion: Iterable[str]) -> list[str]:
    """Endings of file names, in lower case: of the files that complete the parameter, and those its description names.

    Empty: nothing is said, so every file fits.
    """
    companions = [found[1] for pattern in companion if (found := _OF_COMPANION.match(pattern.lower()))]
    named = [found.lower() for found in _ENDING.findall(description)]
    return list(dict.fromkeys([*companions, *named]))


def needs_atoms(required: Iterable[Any]) -> bool:
    """Whether CIF entries that are required (names, or `{"one_of": [name, [name, name]]}`) are those of atoms."""
    return any(map(_needs_atoms, required))


def _needs_atoms(entry: Any) -> bool:
    if isinstance(entry, str):
        return _ATOM.match(entry) is not None
    choices = entry.get("one_of", ()) if isinstance(entry, dict) else ()
    # Of alternatives each needs some; a list is one alternative of several names.
    return bool(choices) and all(needs_atoms([each] if isinstance(each, str) else each) for each in choices)
