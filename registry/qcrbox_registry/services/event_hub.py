"""In-process fan-out of events to server-sent event streams.

`publish` is called after the commit, in the event loop. A subscriber that does not keep up is cut off: it
connects again with the id of the last event it has seen and reads the rest from the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from qcrbox.waiting import within

from qcrbox_registry.store.events import Event

MOST_WAITING = 5000


class Subscription:
    """One stream's queue. `get` gives the events that wait, or None when the subscriber was cut off."""

    def __init__(self, wanted: Callable[[Event], bool]) -> None:
        self.wanted = wanted
        self._waiting: list[Event] = []
        self._woken = asyncio.Event()
        self.cut_off = False

    def offer(self, event: Event) -> None:
        """Queue an event if it is wanted; a subscriber with too many queued events is cut off."""
        if self.cut_off or not self.wanted(event):
            return
        if len(self._waiting) >= MOST_WAITING:
            self.cut_off = True
        else:
            self._waiting.append(event)
        self._woken.set()

    def close(self) -> None:
        """End the stream of this subscriber."""
        self.cut_off = True
        self._woken.set()

    async def get(self, timeout_s: float) -> list[Event] | None:
        """The waiting events; empty after `timeout_s` without any; None once cut off."""
        if not self._waiting and not self.cut_off:
            try:
                await within(self._woken.wait(), timeout_s)
            except TimeoutError:
                return []
        self._woken.clear()
        if self.cut_off and not self._waiting:
            return None
        waiting, self._waiting = self._waiting, []
        return waiting


class EventHub:
    """Everybody who listens. One per registry process."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._by_object: dict[str, set[Subscription]] = {}
        self._listeners: list[Callable[[Event], None]] = []
        self.published = 0

    def subscribe(self, wanted: Callable[[Event], bool], object_id: str | None = None) -> Subscription:
        """A new subscription; with `object_id` to the events of this object only."""
        subscription = Subscription(wanted)
        if object_id is None:
            self._subscriptions.add(subscription)
        else:
            self._by_object.setdefault(object_id, set()).add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription, object_id: str | None = None) -> None:
        """Remove a subscription, with the object id it was made for."""
        if object_id is None:
            self._subscriptions.discard(subscription)
            return
        listening = self._by_object.get(object_id)
        if listening is not None:
            listening.discard(subscription)
            if not listening:
                del self._by_object[object_id]

    def listen(self, callback: Callable[[Event], None]) -> None:
        """Call `callback` for every event (parts of the registry itself)."""
        self._listeners.append(callback)

    def publish(self, events: Iterable[Event]) -> None:
        """Tell events, in order. Called in the event loop after the commit that wrote them."""
        for event in events:
            self.published += 1
            for callback in self._listeners:
                callback(event)
            for subscription in self._subscriptions:
                subscription.offer(event)
            for subscription in self._by_object.get(event.object_id, ()):
                subscription.offer(event)

    @property
    def listening(self) -> int:
        """Number of subscriptions."""
        return len(self._subscriptions) + sum(len(found) for found in self._by_object.values())

    def close(self) -> None:
        """End all streams."""
        for subscription in [*self._subscriptions, *(s for found in self._by_object.values() for s in found)]:
            subscription.close()
