"""What waits, in memory: one sorted lane per application, person and home group.

The table `calculations` is the truth; this index is rebuilt from it at start. Adding, taking, removing and asking
for a rank cost O(log n), whatever waits beside.

Inside a lane the order is `submitted_at - priority * ageing`: all entries age at the same speed, so waiting
`ageing` seconds is worth one step of priority and the order never has to be sorted again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sortedcontainers import SortedList

LONGEST_PAUSE_S = 60.0


class Waiting(NamedTuple):
    """One waiting calculation as SQL has it. `not_before`: Unix time, s, after a lost attempt."""

    id: str
    application_id: int
    owner_id: int
    group_id: int | None
    command_id: int
    priority: int
    submitted_at: float
    not_before: float | None = None


@dataclass(slots=True, eq=False)
class Lane:
    """Of one person, for one application, on the account of one home group. Entries: (key, id, lane, command)."""

    application_id: int
    owner_id: int
    group_id: int | None
    entries: SortedList = field(default_factory=SortedList)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def head(self) -> tuple[float, str, Lane, int]:
        return self.entries[0]


class Backlog:
    def __init__(self, ageing_s: float) -> None:
        self._ageing = ageing_s
        self._lanes: dict[int, dict[tuple[int, int | None], Lane]] = {}
        self._where: dict[str, tuple[float, str, Lane, int]] = {}
        self._later: list[tuple[float, str]] = []
        self._delayed: dict[str, tuple[float, str, Lane, int]] = {}

    def __len__(self) -> int:
        return len(self._where) + len(self._delayed)

    def __contains__(self, calculation_id: str) -> bool:
        return calculation_id in self._where or calculation_id in self._delayed

    def add(self, waiting: Waiting, now: float, mono: float = 0.0) -> bool:
        """False when it is there already. now: Unix time; mono: monotonic time, s, by which pauses are waited out, so
        that a wall clock that jumps makes nothing wait for a day."""
        if waiting.id in self:
            return False
        entry = self._entry(waiting)
        if waiting.not_before is not None and waiting.not_before > now:
            self._delayed[waiting.id] = entry
            due = mono + min(waiting.not_before - now, LONGEST_PAUSE_S)
            heapq.heappush(self._later, (due, waiting.id))
        else:
            self._where[waiting.id] = entry
            entry[2].entries.add(entry)
        return True

    def fill(self, many: Iterable[Waiting], now: float, mono: float = 0.0) -> None:
        """As `add` for very many at start: each lane is sorted once."""
        fresh: dict[int, tuple[Lane, list]] = {}
        for waiting in many:
            if waiting.not_before is not None and waiting.not_before > now:
                self.add(waiting, now, mono)
                continue
            entry = self._entry(waiting)
            self._where[waiting.id] = entry
            fresh.setdefault(id(entry[2]), (entry[2], []))[1].append(entry)
        for lane, entries in fresh.values():
            lane.entries.update(entries)

    def remove(self, calculation_id: str) -> bool:
        """False when it was not waiting."""
        if self._delayed.pop(calculation_id, None) is not None:
            return True  # its place in `_later` is skipped when its time comes
        entry = self._where.pop(calculation_id, None)
        if entry is None:
            return False
        lane = entry[2]
        lane.entries.remove(entry)
        self._drop_if_empty(lane)
        return True

    def take(self, lane: Lane) -> tuple[str, int]:
        """Take the head of a lane out: (calculation id, command id)."""
        _, calculation_id, _, command_id = lane.entries.pop(0)
        del self._where[calculation_id]
        self._drop_if_empty(lane)
        return calculation_id, command_id

    def release_due(self, mono: float) -> int:
        """Move what has waited out its pause into its lane; how many."""
        moved = 0
        while self._later and self._later[0][0] <= mono:
            _, calculation_id = heapq.heappop(self._later)
            entry = self._delayed.pop(calculation_id, None)
            if entry is None:
                continue
            lane = self._lane(entry[2].application_id, entry[2].owner_id, entry[2].group_id)
            entry = (entry[0], entry[1], lane, entry[3])
            self._where[calculation_id] = entry
            lane.entries.add(entry)
            moved += 1
        return moved

    def lanes(self, application_id: int) -> list[Lane]:
        return [lane for lane in self._lanes.get(application_id, {}).values() if lane.entries]

    def applications(self) -> list[int]:
        """Ids of the applications for which something waits."""
        return [application for application, lanes in self._lanes.items() if lanes]

    def waiting_for(self, application_id: int) -> int:
        return sum(len(lane) for lane in self._lanes.get(application_id, {}).values())

    def ids(self) -> Iterator[str]:
        yield from self._where
        yield from self._delayed

    def place(self, calculation_id: str) -> tuple[Lane, int] | None:
        """The lane of a waiting calculation and how many of the lane go before it."""
        entry = self._where.get(calculation_id)
        if entry is None:
            delayed = self._delayed.get(calculation_id)
            return None if delayed is None else (delayed[2], len(delayed[2]))
        return entry[2], entry[2].entries.index(entry)

    def ahead(self, calculation_id: str) -> int | None:
        """About how many start before it: those before it in its lane, and as many of each other lane, since turns
        go round between people. None when it does not wait."""
        place = self.place(calculation_id)
        if place is None:
            return None
        lane, rank = place
        others = self._lanes.get(lane.application_id, {}).values()
        return rank + sum(min(len(other), rank + 1) for other in others if other is not lane)

    def _entry(self, waiting: Waiting) -> tuple[float, str, Lane, int]:
        key = waiting.submitted_at - waiting.priority * self._ageing
        lane = self._lane(waiting.application_id, waiting.owner_id, waiting.group_id)
        return (key, waiting.id, lane, waiting.command_id)

    def _lane(self, application_id: int, owner_id: int, group_id: int | None) -> Lane:
        lanes = self._lanes.setdefault(application_id, {})
        lane = lanes.get((owner_id, group_id))
        if lane is None:
            lane = lanes[owner_id, group_id] = Lane(application_id, owner_id, group_id)
        return lane

    def _drop_if_empty(self, lane: Lane) -> None:
        if not lane.entries:
            lanes = self._lanes.get(lane.application_id, {})
            if lanes.get((lane.owner_id, lane.group_id)) is lane:
                del lanes[lane.owner_id, lane.group_id]
                if not lanes:
                    del self._lanes[lane.application_id]
