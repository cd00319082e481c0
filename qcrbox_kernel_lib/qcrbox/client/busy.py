"""Nothing keeps a person waiting without a word: what takes longer than a moment says what it is doing."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from qcrbox.display import show


@contextlib.contextmanager
def busy(words: str, *, after_s: float = 0.2) -> Iterator[None]:
    """Say `words` on stderr when the block takes longer than `after_s`, and how long it took when it is done.

    Only where somebody looks, a notebook or a terminal, and only for what the person's own call waits for.
    """
    if threading.current_thread() is not threading.main_thread() or not _somebody_looks():
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
    """One line, begun by the timer's thread and ended by the person's."""

    def __init__(self, words: str) -> None:
        self._words, self._lock, self._said, self._over = words, threading.Lock(), False, False

    def begin(self) -> None:
        with self._lock:
            if not self._over:
                self._said = True
                sys.stderr.write(f"{self._words} …")
                sys.stderr.flush()

    def end(self, took_s: float) -> None:
        with self._lock:
            self._over = True
            if self._said:
                sys.stderr.write(f" {took_s:.1f} s\n")
                sys.stderr.flush()


def _somebody_looks() -> bool:
    return show.is_notebook() or sys.stderr.isatty()
