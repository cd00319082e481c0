"""A line while the user waits for a slow operation.

In a notebook on stdout, because stderr is shown on red there, as errors are; in a terminal on stderr.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from qcrbox.client.environment import is_attended, words_to_user


@contextlib.contextmanager
def busy(words: str, after_s: float = 0.2) -> Iterator[None]:
    """Write `words` when the block takes longer than `after_s`, and its duration when it is done.

    Silent without a user (neither notebook nor terminal) and in background threads.
    """
    if threading.current_thread() is not threading.main_thread() or not is_attended():
        yield
        return
    line = _Line(words)
    timer = threading.Timer(after_s, line.begin)
    timer.daemon = True
    timer.start()
    began = time.monotonic()
    try:
        yield
    finally:
        timer.cancel()
        line.end(time.monotonic() - began)


class _Line:
    """One line, begun by the timer's thread and ended by the calling thread."""

    def __init__(self, words: str) -> None:
        self._words, self._lock, self._written, self._over = words, threading.Lock(), False, False
        self._stream = words_to_user()

    def begin(self) -> None:
        with self._lock:
            if not self._over:
                self._written = True
                self._stream.write(f"{self._words} …")
                self._stream.flush()

    def end(self, took_s: float) -> None:
        with self._lock:
            self._over = True
            if self._written:
                self._stream.write(f" {took_s:.1f} s\n")
                self._stream.flush()
