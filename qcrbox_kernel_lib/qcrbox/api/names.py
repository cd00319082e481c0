"""Names in brackets and after `qc.`: what may be given, whether it is there, and errors with a suggestion."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable
from typing import Any

from qcrbox.contract.errors import NotFound, QcError, UserInputError

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


def require_name(key: object, of: str) -> str:
    """The key, where it is a name. Raises UserInputError for a number and anything else: `qc.datasets[0]`.

    of: Python for what stands before the brackets.
    """
    if isinstance(key, str):
        return key
    raise UserInputError(
        f"{of}[…] is asked for by name; you gave {key!r}.",
        next=f'For example {of}["name"].',
        parameter="name",
    )


def require_text(value: object, parameter: str) -> str:
    """The value of a parameter, where it is text. Raises UserInputError."""
    if isinstance(value, str):
        return value
    raise UserInputError(f"{parameter} must be text; you gave {value!r}.", parameter=parameter)


def has_name(of: Any, key: object) -> bool:
    """Whether `of[key]` is there, for `key in of`; True for a name that several have."""
    if not isinstance(key, str):
        return False
    try:
        of[key]
    except NotFound:
        return False
    except UserInputError:
        pass
    return True


def as_list(names: str | Iterable[str]) -> list[str]:
    """Names of a list; one name may be given without brackets: `tags="model"`."""
    return [names] if isinstance(names, str) else list(names)


def quoted(name: str) -> str:
    """A name as Python text in double quotes, whatever it holds: what is offered to be copied must run."""
    return json.dumps(name, ensure_ascii=False)


def offered(names: Callable[[], Iterable[str]]) -> list[str]:
    """Names for completion; none while the registry does not answer, for then completion must not fail."""
    try:
        return list(names())
    except QcError:
        return []


class UnknownName(NotFound, AttributeError):
    """NotFound for people, AttributeError for Python (so that `hasattr` works)."""

    kind = "unknown_name"


def unknown_name(what: str, name: str, known: Iterable[str], otherwise: str) -> UnknownName:
    """The error for `name`; `otherwise` is the hint when no known name is similar."""
    names = list(known)
    near = [_MEANT[name]] if name in _MEANT and _MEANT[name].split(".")[0] in names else []
    near = near or difflib.get_close_matches(name, names, 1, 0.5)
    return UnknownName(what, next=f"Did you mean {near[0]!r}?" if near else otherwise)
