"""Live state: one background thread per kernel listens to the registry, one paints, both rest when nothing runs.

The painter has a budget. Each card is repainted at most ten times a second, and all of them together at
most forty, so a hundred running calculations leave the kernel to its person.
"""

from __future__ import annotations

import collections
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import NotSignedIn, QcError
from qcrbox.language import tr

if TYPE_CHECKING:
    from qcrbox.api.calculations import Calculation
    from qcrbox.client.http import RegistryClient, ServerEvent

_log = logging.getLogger("qcrbox.api")
_LINGER_S = 5.0  # how long the connection stays open with nothing to watch
_QUEUE_S = 3.0  # between questions for the place in the queue
_RECONNECT_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class EventFeed:
    """Server-sent events of one registry, given to the calculations that are watched."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._watched: dict[str, Calculation] = {}
        self._thread: threading.Thread | None = None
        self._queue_thread: threading.Thread | None = None
        self._idle_since: float | None = None
        self._last_id: str | None = None
        self._closed = False
        self.connected = False
        self.lost_at: float | None = None  # time.time() of the loss, None when connected

    def watch(self, calculation: Calculation) -> None:
        """Keep this calculation up to date until it has ended."""
        with self._lock:
            if self._closed:
                return
            self._watched[calculation.id] = calculation
            self._idle_since = None
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="qcrbox-events", daemon=True)
                self._thread.start()
            if self._queue_thread is None or not self._queue_thread.is_alive():
                self._queue_thread = threading.Thread(
                    target=self._ask_for_queue, name="qcrbox-queue", daemon=True
                )
                self._queue_thread.start()

    def _ask_for_queue(self) -> None:
        """Places in the queue move without events of their own: ask for them now and then, all in one request."""
        while not self._closed:
            time.sleep(_QUEUE_S)
            waiting = {c.id: c for c in self.watched if c.waits}
            if not waiting:
                with self._lock:
                    self._queue_thread = None
                return
            try:
                said = self._client.get("/api/calculations", status="submitted", limit=1000)
            except QcError:
                continue
            for one in said["calculations"]:
                if one["calculation_id"] in waiting:
                    waiting[one["calculation_id"]].take_record(one)

    def release(self, calculation_id: str) -> None:
        with self._lock:
            self._watched.pop(calculation_id, None)
            if not self._watched:
                self._idle_since = time.monotonic()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._watched.clear()

    @property
    def watched(self) -> list[Calculation]:
        with self._lock:
            return list(self._watched.values())

    @property
    def connection_in_words(self) -> str:
        """`Connection lost 20 s ago; your 3 calculations go on running. Retrying…`; empty while all is well."""
        if self.lost_at is None:
            return ""
        count, seconds = len(self.watched), f"{max(0.0, time.time() - self.lost_at):.0f}"
        if count == 1:
            return tr("Connection lost {s} s ago; your calculation goes on running. Retrying…", s=seconds)
        return tr(
            "Connection lost {s} s ago; your {n} calculations go on running. Retrying…", s=seconds, n=count
        )

    def _finished(self) -> bool:
        with self._lock:
            idle = self._idle_since is not None and time.monotonic() - self._idle_since > _LINGER_S
            done = self._closed or (not self._watched and idle)
            if done:
                # Under the lock: a `watch` that comes now starts a new thread.
                self._thread = None
            return done

    def _run(self) -> None:
        failures = 0
        while not self._finished():
            try:
                for event in self._client.events(self._last_id, on_open=self._opened):
                    failures = 0
                    self._take(event)
                    if self._finished():
                        self.connected = False
                        return
            except NotSignedIn:
                self._lost()
                return
            except QcError:
                self._lost()
            self.connected = False
            time.sleep(_RECONNECT_DELAYS_S[min(failures, len(_RECONNECT_DELAYS_S) - 1)])
            failures += 1

    def _opened(self) -> None:
        """What happened between two connections is asked for once; from here on events tell."""
        self.connected, self.lost_at = True, None
        for calculation in self.watched:
            try:
                calculation.refresh()
            except QcError as error:
                _log.debug("no news of %s: %s", calculation.id, error)

    def _lost(self) -> None:
        if self.lost_at is None:
            self.lost_at = time.time()
        self.connected = False
        for calculation in self.watched:
            calculation.changed()

    def _take(self, event: ServerEvent) -> None:
        if event.id and event.id != "0":  # progress is only told, it has no place in the sequence
            self._last_id = event.id
        about = event.data.get("calculation_id") or event.data.get("id")
        with self._lock:
            calculation = self._watched.get(str(about))
        if calculation is not None:
            calculation.take_event(event.name, event.data)


class Painter:
    """Calls `paint` of what changed, soon but not too often. One thread for all cards of a kernel."""

    def __init__(self, *, per_second: float = 40.0, per_card_s: float = 0.1) -> None:
        self._gap_s, self._per_card_s = 1.0 / per_second, per_card_s
        self._dirty: collections.OrderedDict[int, Callable[[], Any]] = collections.OrderedDict()
        self._painted_at: dict[int, float] = {}
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, key: int, paint: Callable[[], Any]) -> None:
        """Have `paint` called; asking again before it was called changes nothing."""
        with self._wake:
            self._dirty.setdefault(key, paint)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="qcrbox-painter", daemon=True)
                self._thread.start()
            self._wake.notify()

    def forget(self, key: int) -> None:
        with self._wake:
            self._dirty.pop(key, None)
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
                    self._dirty[key] = paint  # not yet: to the end of the line
                    if len(self._dirty) == 1:
                        self._wake.wait(wait_s)
                        continue
                else:
                    self._painted_at[key] = time.monotonic()
            if wait_s <= 0:
                try:
                    paint()
                except Exception:  # noqa: BLE001 - a card that cannot be drawn must not stop the others
                    _log.debug("a card could not be painted", exc_info=True)
            time.sleep(self._gap_s)


painter = Painter()
