"""Place in the queue and expected start of the calculations that tasks wait for, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qcrbox.contract.teaching import TaskState

from qcrbox_registry.services.context import Json, Scheduling


def add_places(scheduler: Scheduling, tasks: Iterable[Json], now: float) -> None:
    """Say in the words of running tasks where their calculation stands in the queue. now: Unix time, s."""
    waiting = [task for task in tasks if task["state"] == TaskState.RUNNING and task["calculation_id"]]
    found = scheduler.queue_info([task["calculation_id"] for task in waiting]) if waiting else {}
    for task in waiting:
        info = found.get(task["calculation_id"])
        if info is not None:
            task["words"] = " ".join(filter(None, [place_words(info, now), task["words"]]))


def place_words(info: Mapping[str, Any], now: float) -> str:
    """`Place 3 in the queue, starts in about 2 min.` and the reason why it waits, where one is known."""
    start = info["estimated_start"]
    when = f", starts {_in(start - now)}" if start is not None else ""
    return " ".join(filter(None, [f"Place {info['place']} in the queue{when}.", info["reason"]]))


def _in(seconds: float) -> str:
    if seconds < 5:
        return "in a moment"
    return f"in about {round(seconds)} s" if seconds < 90 else f"in about {round(seconds / 60)} min"
