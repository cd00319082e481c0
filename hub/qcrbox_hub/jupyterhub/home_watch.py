"""Measures the homes of running servers, and ends a server whose home is over its limit or that fills the disk.

A look at the free space of the disk costs nothing and is taken every two seconds; the homes are measured when much was
written since, and once a minute.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from tornado.ioloop import PeriodicCallback

from qcrbox_hub.walls import home_sizes
from qcrbox_hub.walls.home_limits import GIB, MIB, HomeLimits, home_limits
from qcrbox_hub.walls.homes import LEAST_OF_FILE_BYTES

log = logging.getLogger("jupyterhub.qcrbox")
LOOK_EVERY_S = 2.0
MEASURE_EVERY_S = 60.0
# So much was written to the disk, by whomever, since the homes were measured.
WRITTEN_BYTES = 32 * MIB
# Below this much free space the platform's own databases are in danger.
LOW_BYTES = GIB
# Below this much, homes without a limit are measured too, so that it is known which of them grows.
NOTICE_BYTES = 4 * GIB
# Measuring takes at most this part of the time.
MOST_SHARE = 0.25


class Watched(Protocol):
    """A running server, as far as its home is concerned."""

    home_label: str
    home_limit_bytes: int

    async def end_for_full_home(self, why: str) -> None:
        """End the server at once."""


class HomeWatch:
    """All running servers of this hub. `root`: the folder of the homes."""

    def __init__(
        self,
        root: Path,
        limits: HomeLimits = home_limits,
        measure: Callable[[Path, list[str]], Awaitable[dict[str, int]]] = home_sizes.measure,
        free_bytes: Callable[[Path], tuple[int, ...]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root, self.limits, self.measure, self.clock = root, limits, measure, clock
        self.free_bytes = free_bytes or free_bytes_at
        self._servers: set[Watched] = set()
        self._sizes: dict[str, int] = {}
        self._next_measurement = self._minute_over = -1.0
        self._free_then: tuple[int, ...] = ()
        self._busy = False

    def add(self, server: Watched) -> None:
        """Watch a server that runs; again for one that is watched."""
        self._servers.add(server)

    def remove(self, server: Watched) -> None:
        """A server has ended."""
        self._servers.discard(server)

    def start(self) -> None:
        """Look every two seconds, on the hub's own loop."""
        PeriodicCallback(self.look, LOOK_EVERY_S * 1000).start()

    async def look(self) -> None:
        """Measure if much was written or a minute has passed, and end the servers that must end."""
        free, now = self.free_bytes(self.root), self.clock()
        least = min(free)
        labels = sorted(
            {each.home_label for each in self._servers if each.home_limit_bytes or least < NOTICE_BYTES}
        )
        # At the first look there are no earlier figures.
        used = (then - left for then, left in zip(self._free_then, free, strict=False))
        written = least < LOW_BYTES or any(size >= WRITTEN_BYTES for size in used)
        if self._busy or not labels or now < self._next_measurement:
            return
        if not written and now < self._minute_over:
            return
        self._busy = True
        try:
            self._free_then, self._minute_over = free, now + MEASURE_EVERY_S
            await self._measure(labels, low=least < LOW_BYTES)
        finally:
            self._busy = False
            self._next_measurement = self.clock() + (self.clock() - now) * (1 / MOST_SHARE - 1)

    async def _measure(self, labels: list[str], *, low: bool) -> None:
        before, self._sizes = self._sizes, await self.measure(self.root, labels)
        ending = {label: why for label in labels if (why := self._over_limit(label))}
        if low and not ending:
            ending = self._fastest(before)
        for label, why in ending.items():
            await self._end(label, why)

    def _over_limit(self, label: str) -> str:
        limit = max((each.home_limit_bytes for each in self._servers if each.home_label == label), default=0)
        used = self._sizes.get(label)
        return self.limits.must_end(label, used, limit) if limit and used is not None else ""

    def _fastest(self, before: dict[str, int]) -> dict[str, str]:
        """The home that grew most since the last measurement, if one did."""
        grown = {label: used - before.get(label, used) for label, used in self._sizes.items()}
        label = max(grown, key=lambda each: grown[each], default=None)
        if label is None or grown[label] < WRITTEN_BYTES:
            return {}
        return {
            label: f"The platform's disk is nearly full and this home grew by {grown[label] / GIB:.2f} GiB just before. "
            "Remove files, or ask an administrator."
        }

    async def _end(self, label: str, why: str) -> None:
        log.warning("the server of home %s is ended: %s", label, why)
        self.limits.ended(label, self._sizes[label], why)
        ending = [server for server in self._servers if server.home_label == label]
        done = await asyncio.gather(
            *(server.end_for_full_home(why) for server in ending), return_exceptions=True
        )
        for problem in done:
            if isinstance(problem, BaseException):
                log.error("the server of home %s could not be ended: %s", label, problem)


def free_bytes_at(folder: Path) -> tuple[int, ...]:
    """Free space for ordinary users on the file system of a folder; `free_bytes_of` describes the numbers."""
    found: Any = os.statvfs(folder if folder.is_dir() else folder.parent)
    return free_bytes_of(found)


def free_bytes_of(found: Any) -> tuple[int, ...]:
    """Free bytes, and the free file entries times the least size of a file, from an answer of `os.statvfs`.

    The smaller figure alone does not show every write: where file entries run out before bytes, it changes only
    with the number of files. A file system without a fixed number of files has the first figure only.
    """
    in_blocks = int(found.f_bavail * found.f_frsize)
    in_files = int(found.f_favail * LEAST_OF_FILE_BYTES)
    return (in_blocks, in_files) if found.f_files else (in_blocks,)
