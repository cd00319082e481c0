from __future__ import annotations

import shutil
from pathlib import Path


def finalise(notes: str, title: str = "") -> str | None:
    if title == "fail":
        raise ValueError("the end fails")
    events = Path("events.txt")
    if not events.exists() or not events.read_text():
        return None
    shutil.copyfile(events, notes)
    return notes
