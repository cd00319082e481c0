"""How many servers start at the same time; the others wait their turn.

The start of a Jupyter server takes processors and little else. When a class of sixty comes at once and all start
together, each takes so long that all are given up; one after the other, the first are ready within seconds and the
hub keeps answering.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

LOOK_EVERY_S = 0.1
# A start that neither succeeds nor fails for so long does not keep the others waiting.
LONGEST_START_S = 90.0
LEAST_AT_ONCE = 4
AT_ONCE_PER_PROCESSOR = 2


def starts_at_once(processors: int | None = None) -> int:
    """Servers that may start at the same time on a machine with so many processors; None: this machine."""
    return max(LEAST_AT_ONCE, AT_ONCE_PER_PROCESSOR * (processors or os.cpu_count() or 1))


class StartQueue:
    """First come, first served. most: servers that start at the same time."""

    def __init__(self, most: int, longest_s: float = LONGEST_START_S) -> None:
        self.most, self.longest_s = most, longest_s
        self._starting: set[asyncio.Task[None]] = set()
        self._waiting: list[tuple[object, asyncio.Event]] = []
        self._given = 0  # turns that were given and whose servers have not noticed yet

    async def enter(self, server: object, still_starts: Callable[[], bool]) -> None:
        """Returns when this server may start; its place is free again once `still_starts` is False."""
        turn = asyncio.Event()
        self._waiting.append((server, turn))
        self._let_in()
        try:
            await turn.wait()
        except asyncio.CancelledError:
            self._waiting = [each for each in self._waiting if each[1] is not turn]
            self._given -= turn.is_set()
            self._let_in()
            raise
        place = asyncio.create_task(self._hold(still_starts))
        self._starting.add(place)
        place.add_done_callback(self._leave)
        self._given -= 1

    def ahead(self, server: object) -> int | None:
        """How many wait before this server; None when it does not wait."""
        for number, (each, _) in enumerate(self._waiting):
            if each is server:
                return number
        return None

    def _let_in(self) -> None:
        while self._waiting and len(self._starting) + self._given < self.most:
            _, turn = self._waiting.pop(0)
            self._given += 1
            turn.set()

    async def _hold(self, still_starts: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.longest_s
        while still_starts() and loop.time() < deadline:
            await asyncio.sleep(LOOK_EVERY_S)

    def _leave(self, place: asyncio.Task[None]) -> None:
        self._starting.discard(place)
        self._let_in()
