"""A flag that a signal handler may set while the thread it interrupts waits for the flag."""

from __future__ import annotations

import queue


class SignalFlag:
    """As `threading.Event`, whose `set` takes a lock: called by a signal handler it waits for ever when the interrupted
    thread holds that lock, as it does at the begin and end of each `wait`. A `SimpleQueue` may be filled at any moment.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._signs: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Set it for good and wake those who wait."""
        self._is_set = True
        self._signs.put(None)

    def is_set(self) -> bool:
        """Whether it has been set."""
        return self._is_set

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is set, at most so long, s; whether it is."""
        if not self._is_set:
            try:
                self._signs.get(timeout=seconds)
            except queue.Empty:
                return self._is_set
            self._signs.put(None)  # for others who wait
        return self._is_set
