"""Which files fit a parameter: one rule for every form, answered by the registry with the parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# ".hkl", "*.hkl" or "(.hkl" in a description; not the point of a number or of the end of a sentence.
_ENDING = re.compile(r"(?:^|[\s(*])(\.[a-z][a-z0-9]{1,5})\b", re.IGNORECASE)


def endings(description: str, companion: Iterable[str]) -> list[str]:
    """Endings of file names, in lower case: of the files that complete the parameter, and those its description names.

    Empty: nothing is said, so every file fits.
    """
    companions = [pattern.removeprefix("*").lower() for pattern in companion]
    named = [found.lower() for found in _ENDING.findall(description)]
    return [ending for ending in dict.fromkeys([*companions, *named]) if ending.startswith(".")]


def needs_atoms(required: Iterable[Any]) -> bool:
    """Whether CIF entries that are required (names, or `{"one_of": [names]}`) are those of atoms."""
    return any(str(entry).lower().startswith("_atom_site") for entry in required if isinstance(entry, str))
