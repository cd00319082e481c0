"""How often somebody may try: the brake on guessing passwords and on flooding the sign-up page."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

LARGEST_NUMBER_OF_KEYS = 10_000


class Attempts:
    """Counts per key in a sliding window, in memory."""

    def __init__(self, limit: int, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit, self.window_s, self.clock = limit, window_s, clock
        self._times: dict[str, deque[float]] = {}

    def wait_s(self, key: str) -> float:
        """Seconds until `key` may try again; 0 when it may now."""
        times = self._recent(key)
        if len(times) < self.limit:
            return 0.0
        return max(0.0, times[0] + self.window_s - self.clock())

    def count(self, key: str) -> None:
        """One more attempt of `key`."""
        if key not in self._times and len(self._times) >= LARGEST_NUMBER_OF_KEYS:
            self._forget_oldest()
        times = self._times.setdefault(key, deque(maxlen=self.limit))
        times.append(self.clock())

    def forget(self, key: str) -> None:
        """After a success."""
        self._times.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        times = self._times.get(key, deque())
        while times and times[0] <= self.clock() - self.window_s:
            times.popleft()
        if not times:
            self._times.pop(key, None)
        return times

    def _forget_oldest(self) -> None:
        oldest = min(self._times, key=lambda key: self._times[key][-1])
        del self._times[oldest]
