"""How an exercise looks in a notebook: tasks with their states, marks with comments, the list of exercises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qcrbox.display.project_tree import time_text
from qcrbox.markup import Table

# States of `contract.teaching.TaskState`, with the shapes of the board and of the panel. A student reads what to do, not that they are stuck.
SHAPES = {
    "not_begun": ("○", "not begun"),
    "running": ("◐", "running"),
    "done": ("●", "done"),
    "handed_in": ("◆", "handed in"),
    "out_of_band": ("▲", "not reached"),
    "failed": ("✕", "failed"),
    "stuck": ("■", "not done yet"),
}


def state_words(state: str) -> str:
    """Shape and word of a state."""
    # A newer registry may have states of its own.
    return " ".join(SHAPES[state]) if state in SHAPES else state


def due_words(exercise: Mapping[str, Any]) -> str:
    """When the work is due, or why it cannot be changed any more."""
    phase, due = exercise["phase"], time_text(exercise.get("own_due_at"))
    if phase == "not_open":
        return f"opens {time_text(exercise.get('opens_at'))}"
    if phase == "late":
        return f"was due {due}; late work is accepted"
    if phase == "closed":
        return "closed"
    return f"due {due}" if due else ""


def exercises_table(exercises: Sequence[Mapping[str, Any]], title: str = "Exercises") -> Table:
    """Exercises with course and dates."""
    rows = [
        (each["title"], each["course"], "yes" if each.get("opened_at") else "no", due_words(each))
        for each in exercises
    ]
    caption = "" if rows else "No exercise is published in your courses."
    return Table(("exercise", "course", "opened", "dates"), rows, title=title, caption=caption)


def tasks_table(own: Mapping[str, Any]) -> Table:
    """The tasks of the student's own exercise with state, what is still wrong, and hints."""
    states = {each["task_id"]: each for each in own["tasks"]}
    rows = []
    for task in (own["manifest"] or {"tasks": []})["tasks"]:
        state = states.get(task["id"], {"state": "not_begun", "words": ""})
        answer = own.get("answers", {}).get(task["id"], "")
        rows.append((task["id"], task["title"], state_words(state["state"]), state["words"], answer))
    caption = due_words(own["exercise"])
    heads = ("task", "title", "state", "remark", "answer")
    return Table(heads, rows, title=own["exercise"]["title"], caption=caption)


def feedback_table(own: Mapping[str, Any]) -> Table:
    """Points and comments; empty, with the reason, until they are released."""
    heads, title = ("task", "points", "of", "remark", "comment"), f"Feedback: {own['exercise']['title']}"
    feedback = own.get("feedback")
    if feedback is None:
        return Table(heads, [], title=title, caption="The marks are not released yet.")
    # Start-up time: it loads pydantic.
    from qcrbox.contract.teaching import criterion_words

    rows = [
        (
            each["title"],
            "" if each["points"] is None else f"{each['points']:g}",
            f"{each['most']:g}",
            " ".join([each["words"], *map(criterion_words, each.get("criteria", ()))]).strip(),
            each["comment"],
        )
        for each in feedback["tasks"]
    ]
    total = f"{feedback['points']:g} of {feedback['most']:g} points."
    return Table(heads, rows, title=title, caption=f"{total} {feedback['comment']}".strip())
