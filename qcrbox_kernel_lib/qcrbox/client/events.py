"""Events of a registry, read by one background thread per kernel while calculations run, and passed on to them."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from qcrbox.contract.errors import NotSignedIn, QcError
from qcrbox.contract.pages import MOST_OF_A_PAGE

if TYPE_CHECKING:
    from qcrbox.client.http import RegistryClient, ServerEvent

_log = logging.getLogger("qcrbox.client")
_LINGER_S = 5.0  # the connection stays open this long with nothing to watch
_QUEUE_S = 3.0  # between requests for places in the queue
_RECONNECT_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Watched(Protocol):
    """A calculation that receives its events."""

    id: str

    @property
    def waits(self) -> bool:
        """True while it is queued, so that its place in the queue is requested."""

    def refresh(self) -> Any:
        """Read the record again."""

    def take_record(self, record: dict[str, Any]) -> None:
        """Apply a record."""

    def take_event(self, name: str, data: dict[str, Any]) -> None:
        """Apply an event."""

    def changed(self) -> None:
        """Tell the observers that something changed."""


class EventFeed:
    """Server-sent events of one registry, given to the calculations that are watched."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._watched: dict[str, Watched] = {}
        self._thread: threading.Thread | None = None
        self._queue_thread: threading.Thread | None = None
        self._idle_since: float | None = None
        self._last_id: str | None = None
        self._closed = False
        self.connected = False
        self.lost_at: float | None = None  # time.time() of the loss, None when connected

    def watch(self, calculation: Watched) -> None:
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
        """Poll the places in the queue, all in one request: a moving queue sends no events."""
        while not self._closed:
            time.sleep(_QUEUE_S)
            waiting = {c.id: c for c in self.watched if c.waits}
            if not waiting:
                with self._lock:
                    self._queue_thread = None
                return
            try:
                payload = self._client.get("/api/calculations", status="submitted", limit=MOST_OF_A_PAGE)
            except QcError:
                continue  # the places stay as they were until the next poll
            for record in payload.get("calculations", ()):
                if record["calculation_id"] in waiting:
                    waiting[record["calculation_id"]].take_record(record)

    def release(self, calculation_id: str) -> None:
        """Stop watching; the connection closes when nothing has been watched for a few seconds."""
        with self._lock:
            self._watched.pop(calculation_id, None)
            if not self._watched:
                self._idle_since = time.monotonic()

    def close(self) -> None:
        """Stop the threads; the feed may not be used afterwards."""
        with self._lock:
            self._closed = True
            self._watched.clear()

    @property
    def watched(self) -> list[Watched]:
        """The calculations that have not ended, as far as is known here."""
        with self._lock:
            return list(self._watched.values())

    @property
    def lost_s(self) -> float | None:
        """Seconds since the connection was lost; None while it is there."""
        return None if self.lost_at is None else max(0.0, time.time() - self.lost_at)

    def _finished(self) -> bool:
        with self._lock:
            idle = self._idle_since is not None and time.monotonic() - self._idle_since > _LINGER_S
            done = self._closed or (not self._watched and idle)
            if done:
                # Under the lock: a `watch` from now on starts a new thread.
                self._thread = None
            return done

    def _run(self) -> None:
        failures = 0
        while not self._finished():
            try:
                for event in self._client.events(self._last_id, on_open=self._opened):
                    failures = 0
                    self._take_any(event)
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
        """Read every record once: events sent between two connections are not repeated."""
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

    def _take_any(self, event: ServerEvent) -> None:
        try:
            self._take(event)
        except Exception:  # noqa: BLE001 - one event that cannot be applied must not leave all calculations without news
            _log.warning("an event of the registry could not be applied: %s", event.name, exc_info=True)

    def _take(self, event: ServerEvent) -> None:
        if event.id and event.id != "0":  # progress events are not part of the sequence
            self._last_id = event.id
        about = event.data.get("calculation_id") or event.data.get("id")
        with self._lock:
            calculation = self._watched.get(str(about))
        if calculation is not None:
            calculation.take_event(event.name, event.data)
