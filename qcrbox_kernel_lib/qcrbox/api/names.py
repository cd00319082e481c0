"""Errors for unknown names after `qc.` or `qc.refine.`, with a suggestion."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from qcrbox.contract.errors import NotFound

# Names that other programs use for what is called differently here.
_MEANT = {
    "jobs": "calculations",
    "tasks": "calculations",
    "results": "calculations",
    "structures": "datasets",
    "store": "datasets",
    "applications": "apps",
    "commands": "apps",
    "whoami": "me",
    "presets": "refine.refine_iam.presets",
}


class UnknownName(NotFound, AttributeError):
    """NotFound for people, AttributeError for Python (so that `hasattr` works)."""

    kind = "unknown_name"


def unknown_name(what: str, name: str, known: Iterable[str], otherwise: str) -> UnknownName:
    """The error for `name`; `otherwise` is the hint when no known name is similar."""
    names = list(known)
    near = [_MEANT[name]] if name in _MEANT and _MEANT[name].split(".")[0] in names else []
    near = near or difflib.get_close_matches(name, names, 1, 0.5)
    return UnknownName(what, next=f"Did you mean {near[0]!r}?" if near else otherwise)
