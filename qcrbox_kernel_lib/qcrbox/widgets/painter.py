"""Repainting of outputs that follow running calculations, within a budget."""

from __future__ import annotations

import collections
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

_log = logging.getLogger("qcrbox.widgets")


class Painter:
    """Calls `paint` of outputs that changed, in one background thread for all outputs of a kernel.

    Each output is painted at most every `per_card_s` seconds and all together at most `per_second` times a second,
    so that a hundred running calculations do not occupy the kernel.
    """

    def __init__(self, *, per_second: float = 40.0, per_card_s: float = 0.1) -> None:
        self._gap_s, self._per_card_s = 1.0 / per_second, per_card_s
        self._dirty: collections.OrderedDict[int, Callable[[], Any]] = collections.OrderedDict()
        self._painted_at: dict[int, float] = {}
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, key: int, paint: Callable[[], Any]) -> None:
        """Schedule `paint`; a second request before it was called is merged with the first."""
        with self._wake:
            self._dirty.setdefault(key, paint)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="qcrbox-painter", daemon=True)
                self._thread.start()
            self._wake.notify()

    def forget(self, key: int) -> None:
        """Drop what is kept of an output that shows its end. What was asked for meanwhile is still painted."""
        with self._wake:
            self._painted_at.pop(key, None)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._dirty:
                    if not self._wake.wait(30.0) and not self._dirty:
                        self._thread = None
                        return
                key, paint = self._dirty.popitem(last=False)
                wait_s = self._painted_at.get(key, 0.0) + self._per_card_s - time.monotonic()
                if wait_s > 0:
                    self._dirty[key] = paint  # too early: back to the end of the queue
                    if len(self._dirty) == 1:
                        self._wake.wait(wait_s)
                        continue
                else:
                    self._painted_at[key] = time.monotonic()
            if wait_s <= 0:
                try:
                    paint()
                except Exception:  # noqa: BLE001 - one output that cannot be drawn must not stop the others
                    _log.debug("a card could not be painted", exc_info=True)
            time.sleep(self._gap_s)


painter = Painter()
