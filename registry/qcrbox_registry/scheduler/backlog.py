"""The waiting calculations in memory: one sorted partition per application, person and home group.

The table `calculations` is the truth; this index is rebuilt from it at start. Adding, taking, removing and asking
for a rank cost O(log n) in the length of the queue.

Inside a partition the order is `submitted_at - priority * ageing`: all entries age at the same speed, so waiting
`ageing` seconds is worth one step of priority and the order never has to be sorted again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sortedcontainers import SortedList

from qcrbox_registry.store.work_queue import Waiting

LONGEST_PAUSE_S = 60.0
_new_tuple = tuple.__new__


class Entry(NamedTuple):
    """A waiting calculation. Entries are ordered by `key` (s), then by id."""

    key: float
    id: str
    partition: QueuePartition
    command_id: int


@dataclass(slots=True, eq=False)
class QueuePartition:
    """The waiting calculations of one person for one application and home group, in order."""

    application_id: int
    owner_id: int
    group_id: int | None
    entries: SortedList[Entry] = field(default_factory=SortedList)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def head(self) -> Entry:
        """The next one."""
        first: Entry = self.entries[0]
        return first


class Backlog:
    """All partitions, and the calculations that pause after a lost attempt."""

    def __init__(self, ageing_s: float) -> None:
        self._ageing = ageing_s
        self._partitions: dict[int, dict[tuple[int, int | None], QueuePartition]] = {}
        self._where: dict[str, Entry] = {}
        self._later: list[tuple[float, str]] = []
        self._delayed: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._where) + len(self._delayed)

    def __contains__(self, calculation_id: str) -> bool:
        return calculation_id in self._where or calculation_id in self._delayed

    def add(self, waiting: Waiting, now: float, mono: float = 0.0) -> bool:
        """Queue a calculation; False when it is queued already.

        now: Unix time, s; mono: monotonic time, s, which pauses are measured by, so that a jump of the wall clock does
        not extend them.
        """
        if waiting.id in self:
            return False
        entry = self._entry(waiting)
        if waiting.not_before is not None and waiting.not_before > now:
            self._delayed[waiting.id] = entry
            due = mono + min(waiting.not_before - now, LONGEST_PAUSE_S)
            heapq.heappush(self._later, (due, waiting.id))
        else:
            self._where[waiting.id] = entry
            entry.partition.entries.add(entry)
        return True

    def fill(self, many: Iterable[Waiting], now: float, mono: float = 0.0) -> None:
        """As `add` for very many at the start: each partition is sorted once."""
        fresh: dict[int, tuple[QueuePartition, list[Entry]]] = {}
        for waiting in many:
            if waiting.not_before is not None and waiting.not_before > now:
                self.add(waiting, now, mono)
                continue
            entry = self._entry(waiting)
            self._where[waiting.id] = entry
            fresh.setdefault(id(entry.partition), (entry.partition, []))[1].append(entry)
        for partition, entries in fresh.values():
            partition.entries.update(entries)

    def remove(self, calculation_id: str) -> bool:
        """Take a calculation out; False when it was not queued."""
        paused = self._delayed.pop(calculation_id, None)
        if paused is not None:
            self._drop_if_empty(paused.partition)
            return True  # `release_due` skips its entry in `_later`
        entry = self._where.pop(calculation_id, None)
        if entry is None:
            return False
        partition = entry.partition
        partition.entries.remove(entry)
        self._drop_if_empty(partition)
        return True

    def take(self, partition: QueuePartition) -> tuple[str, int]:
        """Take the head of a partition out: (calculation id, command id)."""
        _, calculation_id, _, command_id = partition.entries.pop(0)
        del self._where[calculation_id]
        self._drop_if_empty(partition)
        return calculation_id, command_id

    def release_due(self, mono: float) -> int:
        """Queue the calculations whose pause is over; how many."""
        moved = 0
        while self._later and self._later[0][0] <= mono:
            _, calculation_id = heapq.heappop(self._later)
            entry = self._delayed.pop(calculation_id, None)
            if entry is None:
                continue
            self.put_back(entry)
            moved += 1
        return moved

    def put_back(self, entry: Entry) -> None:
        """Queue an entry that was taken out, in its old place; its partition may be another object by now."""
        old = entry.partition
        partition = self._partition(old.application_id, old.owner_id, old.group_id)
        entry = entry._replace(partition=partition)
        self._where[entry.id] = entry
        partition.entries.add(entry)

    def partitions(self, application_id: int) -> list[QueuePartition]:
        """The partitions of an application that are not empty."""
        return [
            partition for partition in self._partitions.get(application_id, {}).values() if partition.entries
        ]

    def applications(self) -> list[int]:
        """Ids of the applications with waiting or pausing calculations."""
        waiting = [
            application for application, some in self._partitions.items() if any(map(len, some.values()))
        ]
        pausing = (entry.partition.application_id for entry in self._delayed.values())
        return list(dict.fromkeys((*waiting, *pausing)))

    def waiting_for(self, application_id: int) -> int:
        """How many calculations wait or pause for an application."""
        pausing = sum(entry.partition.application_id == application_id for entry in self._delayed.values())
        return pausing + sum(
            len(partition) for partition in self._partitions.get(application_id, {}).values()
        )

    def ids(self) -> Iterator[str]:
        """Ids of everything that waits or pauses."""
        yield from self._where
        yield from self._delayed

    def place(self, calculation_id: str) -> tuple[QueuePartition, int] | None:
        """The partition of a waiting calculation and how many calculations precede it there."""
        entry = self._where.get(calculation_id)
        if entry is None:
            delayed = self._delayed.get(calculation_id)
            return None if delayed is None else self._place_of_paused(delayed.partition)
        return entry.partition, entry.partition.entries.index(entry)

    def _place_of_paused(self, first: QueuePartition) -> tuple[QueuePartition, int]:
        """Behind all that wait now. Its partition may have been emptied, and made anew, since it was added."""
        partitions = self._partitions.get(first.application_id, {})
        partition = partitions.get((first.owner_id, first.group_id), first)
        return partition, len(partition)

    def ahead(self, calculation_id: str) -> int | None:
        """About how many start before it: those before it in its partition, and as many of each other partition, since
        the partitions take turns. None when it does not wait."""
        place = self.place(calculation_id)
        if place is None:
            return None
        partition, rank = place
        others = self._partitions.get(partition.application_id, {}).values()
        return rank + sum(min(len(other), rank + 1) for other in others if other is not partition)

    def _entry(self, waiting: Waiting) -> Entry:
        key = waiting.submitted_at - waiting.priority * self._ageing
        partition = self._partition(waiting.application_id, waiting.owner_id, waiting.group_id)
        # A million at start: half the time of Entry(…).
        return _new_tuple(Entry, (key, waiting.id, partition, waiting.command_id))

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
