"""Puts the tutorial notebooks into a home folder, and brings newer ones without touching a person's work."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

# Names the folder of the tutorials in a server's environment.
FOLDER = "QCRBOX_TUTORIALS"
RECORD = ".qcrbox-tutorials.json"
LARGEST_BYTES = 20 * 1024**2


def offer_tutorials(source: Path, target: Path) -> list[str]:
    """Copy what is missing; renew what the person has not changed. Returns the names written.

    A tutorial that was deleted stays deleted: the record remembers that it was offered.
    """
    if not source.is_dir():
        return []
    target.mkdir(parents=True, exist_ok=True)
    record = _read(target / RECORD)
    written = []
    for file in sorted(source.rglob("*")):
        name = str(file.relative_to(source))
        if not file.is_file() or _hidden(name) or file.stat().st_size > LARGEST_BYTES:
            continue
        shipped, copy = _hash(file), target / name
        offered_before = record.get(name)
        untouched = copy.is_file() and _hash(copy) == offered_before
        if offered_before == shipped or (offered_before is not None and not untouched):
            continue
        if offered_before is None and copy.exists():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        record[name] = shipped
        written.append(name)
    if written:
        (target / RECORD).write_text(json.dumps(record, indent=1))
    return written


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in Path(name).parts)


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    # The file is in the person's home: whatever it holds, their server starts.
    return found if isinstance(found, dict) else {}
