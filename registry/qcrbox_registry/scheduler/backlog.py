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
class QueuePartition:
    """Of one person, for one application, on the account of one home group. Entries: (key, id, lane, command)."""

    application_id: int
    owner_id: int
    group_id: int | None
    entries: SortedList = field(default_factory=SortedList)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def head(self) -> tuple[float, str, QueuePartition, int]:
        return self.entries[0]


class Backlog:
    def __init__(self, ageing_s: float) -> None:
        self._ageing = ageing_s
        self._partitions: dict[int, dict[tuple[int, int | None], QueuePartition]] = {}
        self._where: dict[str, tuple[float, str, QueuePartition, int]] = {}
        self._later: list[tuple[float, str]] = []
        self._delayed: dict[str, tuple[float, str, QueuePartition, int]] = {}

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
        fresh: dict[int, tuple[QueuePartition, list]] = {}
        for waiting in many:
            if waiting.not_before is not None and waiting.not_before > now:
                self.add(waiting, now, mono)
                continue
            entry = self._entry(waiting)
            self._where[waiting.id] = entry
            fresh.setdefault(id(entry[2]), (entry[2], []))[1].append(entry)
        for partition, entries in fresh.values():
            partition.entries.update(entries)

    def remove(self, calculation_id: str) -> bool:
        """False when it was not waiting."""
        if self._delayed.pop(calculation_id, None) is not None:
            return True  # its place in `_later` is skipped when its time comes
        entry = self._where.pop(calculation_id, None)
        if entry is None:
            return False
        partition = entry[2]
        partition.entries.remove(entry)
        self._drop_if_empty(partition)
        return True

    def take(self, partition: QueuePartition) -> tuple[str, int]:
        """Take the head of a lane out: (calculation id, command id)."""
        _, calculation_id, _, command_id = partition.entries.pop(0)
        del self._where[calculation_id]
        self._drop_if_empty(partition)
        return calculation_id, command_id

    def release_due(self, mono: float) -> int:
        """Move what has waited out its pause into its lane; how many."""
        moved = 0
        while self._later and self._later[0][0] <= mono:
            _, calculation_id = heapq.heappop(self._later)
            entry = self._delayed.pop(calculation_id, None)
            if entry is None:
                continue
            partition = self._partition(entry[2].application_id, entry[2].owner_id, entry[2].group_id)
            entry = (entry[0], entry[1], partition, entry[3])
            self._where[calculation_id] = entry
            partition.entries.add(entry)
            moved += 1
        return moved

    def partitions(self, application_id: int) -> list[QueuePartition]:
        return [
            partition for partition in self._partitions.get(application_id, {}).values() if partition.entries
        ]

    def applications(self) -> list[int]:
        """Ids of the applications for which something waits."""
        return [application for application, partitions in self._partitions.items() if partitions]

    def waiting_for(self, application_id: int) -> int:
        return sum(len(partition) for partition in self._partitions.get(application_id, {}).values())

    def ids(self) -> Iterator[str]:
        yield from self._where
        yield from self._delayed

    def place(self, calculation_id: str) -> tuple[QueuePartition, int] | None:
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
        partition, rank = place
        others = self._partitions.get(partition.application_id, {}).values()
        return rank + sum(min(len(other), rank + 1) for other in others if other is not partition)

    def _entry(self, waiting: Waiting) -> tuple[float, str, QueuePartition, int]:
        key = waiting.submitted_at - waiting.priority * self._ageing
        partition = self._partition(waiting.application_id, waiting.owner_id, waiting.group_id)
        return (key, waiting.id, partition, waiting.command_id)

    def _partition(self, application_id: int, owner_id: int, group_id: int | None) -> QueuePartition:
        partitions = self._partitions.setdefault(application_id, {})
        partition = partitions.get((owner_id, group_id))
        if partition is None:
            partition = partitions[owner_id, group_id] = QueuePartition(application_id, owner_id, group_id)
        return partition

    def _drop_if_empty(self, partition: QueuePartition) -> None:
        if not partition.entries:
            partitions = self._partitions.get(partition.application_id, {})
            if partitions.get((partition.owner_id, partition.group_id)) is partition:
                del partitions[partition.owner_id, partition.group_id]
                if not partitions:
                    del self._partitions[partition.application_id]
