"""Tasks, submissions and feedback as answers show them."""

from __future__ import annotations

from qcrbox.contract.models import iso
from qcrbox.contract.teaching import Manifest

from qcrbox_registry.services.context import Json
from qcrbox_registry.services.teaching import handed_files, progress
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import marks, snapshots
from qcrbox_registry.store.teaching.exercises import Exercise


def progress_shown(found: progress.Progress) -> Json:
    """The state of a task as answers show it."""
    return {
        "task_id": found.task_id,
        "state": str(found.state),
        "words": found.words,
        "value": found.value,
        "calculation_id": found.calculation_id,
        "at": iso(found.at),
        "checks": [{"passed": result.passed, "words": result.words} for result in found.results],
    }


def snapshot_shown(found: snapshots.Snapshot) -> Json:
    """A snapshot as answers show it."""
    return {
        "id": found.id,
        "student": found.name,
        "reason": found.reason,
        "at": iso(found.at),
        "due_at": iso(found.due_at),
        "late": found.late,
        "receipt": found.receipt,
        "has_notebook": found.notebook_file_id is not None,
        "problem": found.problem,
        "files": handed_files.names_of(found),
    }


def feedback(conn: Connection, exercise: Exercise, manifest: Manifest, person_id: int) -> Json | None:
    """Marks and comments once they are released; None before."""
    if exercise.released_at is None:
        return None
    given = marks.of_exercise(conn, exercise.id, person_id).get(person_id, {})
    tasks = [
        {
            "task_id": task.id,
            "title": task.title,
            "points": given[task.id].counts if task.id in given else None,
            "most": task.points,
            "words": given[task.id].words if task.id in given else "",
            "comment": given[task.id].comment if task.id in given else "",
            "criteria": (given[task.id].criteria or []) if task.id in given else [],
        }
        for task in manifest.tasks
    ]
    general = given.get("")
    return {
        "points": sum(task["points"] or 0.0 for task in tasks),
        "most": manifest.points,
        "comment": general.comment if general else "",
        "tasks": tasks,
    }
