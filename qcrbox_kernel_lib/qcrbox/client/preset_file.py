"""The file in a person's home that holds the presets of every command, for notebooks and for the forms of Lab."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, TypeGuard

from qcrbox.contract.errors import UserInputError

Stored = dict[str, dict[str, dict[str, Any]]]


def of(command: str) -> dict[str, dict[str, Any]]:
    """Name → options of the presets of a command such as "refine.refine_iam". Raises UserInputError for a broken file."""
    return _read().get(command, {})


def keep(command: str, name: str, options: dict[str, Any]) -> None:
    """Store a preset; an older one of that name is replaced."""
    stored = _read()
    stored.setdefault(command, {})[name] = options
    _write(stored)


def forget(command: str, name: str) -> None:
    """Delete a preset. Raises KeyError when there is none of that name."""
    stored = _read()
    del stored[command][name]
    _write(stored)


def path() -> Path:
    """Where the presets are."""
    # The home folder persists across kernels and servers of the hub.
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return config / "qcrbox" / "presets.json"


def _read() -> Stored:
    try:
        stored = json.loads(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unreadable(str(error)) from None
    if not _is_stored(stored):
        # Not taken as empty: the next preset that is kept would replace the file.
        raise _unreadable("It does not hold options by command and name.")
    return stored


def _is_stored(found: Any) -> TypeGuard[Stored]:
    return isinstance(found, dict) and all(
        isinstance(presets, dict) and all(isinstance(options, dict) for options in presets.values())
        for presets in found.values()
    )


def _unreadable(why: str) -> UserInputError:
    return UserInputError(
        "Your presets cannot be read.", where=str(path()), why=why, next="Repair or remove that file."
    )


def _write(stored: Stored) -> None:
    store = path()
    store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps(stored, indent=1, ensure_ascii=False)
    # Atomic: another kernel may be reading.
    with tempfile.NamedTemporaryFile(
        "w", dir=store.parent, suffix=".new", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    Path(file.name).replace(store)
