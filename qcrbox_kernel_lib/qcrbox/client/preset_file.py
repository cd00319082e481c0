"""The file in a person's home that holds the presets of every command, for notebooks and for the forms of Lab."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from qcrbox.client.writing import write_private
from qcrbox.contract.errors import UserInputError

try:
    import fcntl
except ImportError:  # Windows, where a notebook library works alone: one kernel at a time changes presets
    fcntl = None  # type: ignore[assignment]

Stored = dict[str, dict[str, dict[str, Any]]]


def of(command: str) -> dict[str, dict[str, Any]]:
    """Name → options of the presets of a command such as "refine.refine_iam". Raises UserInputError for a broken file."""
    return _read().get(command, {})


def keep(command: str, name: str, options: dict[str, Any]) -> None:
    """Store a preset; an older one of that name is replaced."""
    with _changing() as stored:
        stored.setdefault(command, {})[name] = options


def forget(command: str, name: str) -> None:
    """Delete a preset. Raises KeyError when there is none of that name."""
    with _changing() as stored:
        del stored[command][name]


def path() -> Path:
    """Where the presets are."""
    # The home folder persists across kernels and servers of the hub.
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return config / "qcrbox" / "presets.json"


@contextlib.contextmanager
def _changing() -> Iterator[Stored]:
    """What is stored, to be changed; written at the end. Lab and every kernel of the person change it one after another."""
    folder = path().parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Not the file itself: it is replaced, and a lock on the old file would exclude no other process.
    with (folder / "presets.lock").open("w") as lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        stored = _read()
        yield stored
        write_private(path(), json.dumps(stored, indent=1, ensure_ascii=False))


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
