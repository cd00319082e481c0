"""A name after `qc.` or `qc.refine.` that is not there: what was meant, in the words of the other errors."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from qcrbox.contract.errors import NotFound

# Words of other programs for what has a name of its own here.
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
    """The error for `name`; `otherwise` is said when no known name is near."""
    names = list(known)
    near = [_MEANT[name]] if name in _MEANT and _MEANT[name].split(".")[0] in names else []
    near = near or difflib.get_close_matches(name, names, 1, 0.5)
    return UnknownName(what, next=f"Did you mean {near[0]!r}?" if near else otherwise)
