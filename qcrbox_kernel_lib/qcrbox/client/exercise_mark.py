"""The mark of the folder that an exercise was written into, and the exercise that a file belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MARK = ".qcrbox-exercise.json"
_LEVELS_UP = 3


def mark_of(folder: Path) -> dict[str, Any] | None:
    """What the mark of a folder says; None where there is none, or where it cannot be read."""
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("id"), str) else None


def exercise_of(path: Path) -> str | None:
    """The id of the exercise whose folder a file is in."""
    for folder in list(path.parents)[:_LEVELS_UP]:
        mark = mark_of(folder)
        if mark is not None:
            return str(mark["id"])
    return None
