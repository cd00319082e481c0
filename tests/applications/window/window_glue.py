from __future__ import annotations

import shutil
from pathlib import Path


def finalise(notes: str) -> str | None:
    events = Path("events.txt")
    if not events.exists() or not events.read_text():
        return None
    shutil.copyfile(events, notes)
    return notes
