"""The folder of an exercise in a person's home: written by their own server, never overwriting their work."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qcrbox.client.exercise_mark import MARK, mark_of
from qcrbox.contract.errors import Conflict
from qcrbox.contract.teaching import criterion_words
from qcrbox.spec import notebook_merge

# The notebook as it was handed out, for the next merge.
BASE = ".qcrbox-exercise-base.ipynb"
FOLDER = "exercises"
FEEDBACK = "feedback.md"


@dataclass
class Report:
    """What was written, taken over, and where both versions stand side by side."""

    notebook: str | None = None  # path below the root of the server
    folder: str = ""
    written: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For the browser."""
        return {
            "notebook": self.notebook,
            "folder": self.folder,
            "written": self.written,
            "updated": self.updated,
            "conflicts": self.conflicts,
        }


@dataclass(frozen=True)
class Handed:
    """A version of an exercise with its contents."""

    exercise_id: str
    course: str
    title: str
    version: int
    notebook: tuple[str, bytes] | None
    files: Mapping[str, bytes]
    feedback: Mapping[str, Any] | None = None  # once the marks are released


def safe_name(text: str) -> str:
    """A name for a folder: letters of any script, digits, blank, dot, dash; never empty or hidden."""
    name = re.sub(r"[^\w .-]", "_", text, flags=re.UNICODE).strip(" .")[:80].strip(" .")
    return name or "exercise"


def folder_for(root: Path, exercise_id: str, course: str, title: str) -> Path:
    """The folder that has this exercise already, else a new one that no other exercise has."""
    above = root / FOLDER
    for mark in sorted(above.glob(f"*/*/{MARK}")):
        found = mark_of(mark.parent)
        if found is not None and found["id"] == exercise_id:
            return mark.parent
    wanted = above / safe_name(course) / safe_name(title)
    folder, number = wanted, 2
    while folder.exists():
        folder = wanted.with_name(f"{wanted.name} {number}")
        number += 1
    return folder


def _made_folder(root: Path, handed: Handed) -> Path:
    """The folder of an exercise, made where it is missing. Raises Conflict for a link that leads elsewhere."""
    folder = folder_for(root, handed.exercise_id, handed.course, handed.title)
    folder.mkdir(parents=True, exist_ok=True)
    if not folder.resolve().is_relative_to(root.resolve()):
        raise Conflict(f"{folder} leads out of your files.", next="Remove the link of this name.")
    return folder


def hand_out(root: Path, handed: Handed) -> Report:
    """Write an exercise, or bring its newer version into the folder. Raises OSError when the home is full."""
    folder = _made_folder(root, handed)
    before = mark_of(folder) or {}
    report = Report(folder=str(folder.relative_to(root)))
    if handed.notebook is not None:
        name, content = handed.notebook
        _notebook(folder, _plain(name), content, report)
        report.notebook = str((folder / _plain(name)).relative_to(root))
    recorded = before.get("files")
    known: dict[str, Any] = recorded if isinstance(recorded, dict) else {}
    for name, content in handed.files.items():
        _data_file(folder, _plain(name), content, known.get(_plain(name)), report)
    if handed.feedback is not None:
        _feedback_file(folder, handed.title, handed.feedback, report)
    mark = {
        "id": handed.exercise_id,
        "version": handed.version,
        "files": {_plain(name): _hash(content) for name, content in handed.files.items()},
    }
    _write(folder / MARK, json.dumps(mark, indent=1).encode())
    return report


def reset_data(root: Path, handed: Handed) -> Report:
    """Bring the data files back as they were handed out; a changed one is kept beside it. The notebook stays."""
    folder = _made_folder(root, handed)
    report = Report(folder=str(folder.relative_to(root)))
    for name, content in handed.files.items():
        file = folder / _plain(name)
        if file.is_file() and _hash(file.read_bytes()) != _hash(content):
            kept = _free(file.with_name(f"{file.stem}-mine{file.suffix}"))
            file.rename(kept)
            report.conflicts.append(f"{file.name}: your changed file is kept as {kept.name}")
        if not file.is_file():
            _write(file, content)
            report.written.append(file.name)
    return report


def _notebook(folder: Path, name: str, content: bytes, report: Report) -> None:
    file, base_file = folder / name, folder / BASE
    if not file.exists():
        _write(file, content)
        _write(base_file, content)
        report.written.append(name)
        return
    base = notebook_merge.read(base_file.read_bytes()) if base_file.is_file() else None
    newer, own = notebook_merge.read(content), notebook_merge.read(file.read_bytes())
    if base_file.is_file() and base_file.read_bytes() == content:
        return
    if base is None or newer is None or own is None:
        beside = _free(file.with_name(f"{file.stem}-new{file.suffix}"))
        _write(beside, content)
        report.conflicts.append(f"{name}: cannot be merged; the new version is {beside.name}")
    else:
        merged = notebook_merge.merge(base, newer, own, name)
        if merged.changed:
            _write(file, json.dumps(merged.notebook, indent=1, ensure_ascii=False).encode() + b"\n")
        report.updated += merged.updated
        report.conflicts += merged.conflicts
    _write(base_file, content)


def _data_file(folder: Path, name: str, content: bytes, known: Any, report: Report) -> None:
    file = folder / name
    if not file.exists():
        _write(file, content)
        report.written.append(name)
        return
    present = _hash(file.read_bytes()) if file.is_file() else None
    if present == _hash(content) or known == _hash(content):
        return
    if present is not None and present == known:
        _write(file, content)
        report.updated.append(f"{name}: new version")
        return
    beside = _free(file.with_name(f"{file.stem}-new{file.suffix}"))
    _write(beside, content)
    report.conflicts.append(f"{name}: changed by you and by the lecturer; the new version is {beside.name}")


def _feedback_file(folder: Path, title: str, feedback: Mapping[str, Any], report: Report) -> None:
    """Write points and comments beside the notebook. A data file of this name is left alone."""
    if FEEDBACK in report.written or FEEDBACK in (mark_of(folder) or {}).get("files", {}):
        return
    content = feedback_text(title, feedback).encode()
    file = folder / FEEDBACK
    if not file.is_file() or file.read_bytes() != content:
        _write(file, content)
        report.updated.append(FEEDBACK)


def feedback_text(title: str, feedback: Mapping[str, Any]) -> str:
    """Points and comments as Markdown. What people typed stands in quotes, with every mark of Markdown as text."""
    lines = [f"# Feedback: {_escaped(title)}", "", f"{feedback['points']:g} of {feedback['most']:g} points"]
    if feedback["comment"]:
        lines += ["", _quoted(feedback["comment"])]
    for task in feedback["tasks"]:
        points = "not marked" if task["points"] is None else f"{task['points']:g} of {task['most']:g}"
        lines += ["", f"## {_escaped(task['title'])}", "", points]
        lines += [
            line
            for words in (task["words"], *map(criterion_words, task.get("criteria", ())), task["comment"])
            if words
            for line in ("", _quoted(words))
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {_escaped(line)}" for line in text.splitlines())


def _escaped(text: str) -> str:
    """No link, picture or HTML comes of typed text."""
    plain = re.sub(r"([\\`*_\[\]()!|#~$])", r"\\\1", " ".join(text.split()))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Markdown of Lab makes links of bare addresses too.
    plain = re.sub(r"(?i)\bwww\.", lambda found: f"{found[0][:-1]}&#46;", plain)
    return plain.replace("://", "&#58;//").replace("@", "&#64;")


def _plain(name: str) -> str:
    """A file name without any folder; hidden names are of this program."""
    plain = name.replace("\\", "/").rsplit("/", 1)[-1].lstrip(".").replace("\0", "")
    return plain or "file"


def _free(path: Path) -> Path:
    found, number = path, 2
    while found.exists():
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found


def _write(path: Path, content: bytes) -> None:
    """At once: a full disk or a killed server leaves the file as it was."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
