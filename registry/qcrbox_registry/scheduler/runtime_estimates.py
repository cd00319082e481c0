"""Expected runtimes of commands: the median of the last runs."""

from __future__ import annotations

import statistics
from collections import Counter, deque

KEPT = 64


class RuntimeEstimates:
    """Runtimes of successful calculations, s, per command id."""

    def __init__(self) -> None:
        self._past: dict[int, deque[float]] = {}
        self._median: dict[int, float] = {}
        self._runs: Counter[int] = Counter()

    def add(self, command_id: int, seconds: float) -> None:
        """Note a runtime."""
        past = self._past.setdefault(command_id, deque(maxlen=KEPT))
        past.append(seconds)
        # A median of 64 costs more than the rest of an event; every eighth is enough once there are many.
        self._runs[command_id] += 1
        if len(past) <= 8 or command_id not in self._median or self._runs[command_id] % 8 == 0:
            self._median[command_id] = statistics.median(past)

    def restore(self, command_id: int, mean_s: float) -> None:
        """Start from a stored mean, which new runtimes replace."""
        self._past.setdefault(command_id, deque([mean_s], maxlen=KEPT))
        self._median[command_id] = mean_s

    def expected(self, command_id: int) -> float | None:
        """Median duration, s; None when this command never ran."""
        return self._median.get(command_id)

    def spread(self, command_id: int) -> tuple[float, float] | None:
        """First and third quartile, s; None with fewer than four past runs."""
        past = self._past.get(command_id)
        if past is None or len(past) < 4:
            return None
        low, _, high = statistics.quantiles(past, n=4)
        return low, high
