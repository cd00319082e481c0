"""A flag that a signal handler may set while the thread it interrupts waits for the flag."""

from __future__ import annotations

import queue


class SignalFlag:
    """Like `threading.Event`, but safe to set in a signal handler.

    `Event.set` takes a lock. If the interrupted thread holds it, which it does at the start and end of each `wait`, a
    handler that calls `set` blocks for ever. `SimpleQueue.put` is reentrant.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._signs: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Set the flag and wake all waiting threads."""
        self._is_set = True
        self._signs.put(None)

    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._is_set

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the flag is set, at most `seconds`; returns whether it is set."""
        if not self._is_set:
            try:
                self._signs.get(timeout=seconds)
            except queue.Empty:
                return self._is_set
            self._signs.put(None)  # wakes the next waiting thread
        return self._is_set
