"""Events for a person: everything they may see, or one calculation to its end, resumed after a sequence number."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from functools import partial

from qcrbox.contract.errors import QcError
from qcrbox.contract.states import FINAL

from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.rights import notice, sees_event
from qcrbox_registry.services import authorized
from qcrbox_registry.services.context import Context
from qcrbox_registry.services.event_hub import Subscription
from qcrbox_registry.store import calculations, events, logs, shares
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.events import Event

KEEP_ALIVE_S = 10.0
MOST_PER_READ = 1000
Batches = AsyncGenerator[list[Event], None]  # an empty batch keeps the connection alive


class _Watcher:
    """Which events the person at the other end may see, checked again every few seconds."""

    def __init__(self, context: Context, presence: Presence) -> None:
        self._context, self._presence = context, presence
        self._shared: frozenset[str] = frozenset()

    @property
    def check_again_s(self) -> float:
        """How long a check of the person holds, s."""
        return self._presence.check_again_s

    async def read_shares(self) -> None:
        """Read what is shared with the person now."""
        actor = self._presence.actor
        self._shared = await self._context.db.read(
            lambda conn: shares.objects_shared_with(conn, actor.person_id, actor.group_ids, time.time())
        )

    def sees(self, event: Event) -> bool:
        """Whether the event may be sent."""
        return sees_event(self._presence.actor, event, self._shared)

    async def check(self) -> bool:
        """Check again when that is due; False when the person may not use the registry any more."""
        if not self._presence.is_due:
            return True
        try:
            await self._presence.now()
        except QcError:
            return False
        await self.read_shares()
        return True


class EventFeed:
    """Streams of events for persons."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def everything(
        self, presence: Presence, after: int | None, kinds: frozenset[str] | None
    ) -> Batches:
        """All events the person may see, of these kinds (None: all), from now on or after a sequence number.

        "Now" is before this returns: what happens while the answer is on its way is in the stream.
        """
        watcher = _Watcher(self._context, presence)
        notice(presence.actor, "listen", "events")
        batches = self._everything(watcher, after, kinds)
        await anext(batches)
        return batches

    async def _everything(
        self, watcher: _Watcher, after: int | None, kinds: frozenset[str] | None
    ) -> Batches:
        def wanted(event: Event) -> bool:
            return (kinds is None or event.kind in kinds) and watcher.sees(event)

        # Subscribed first, then read: an event that is written in between comes twice and is sent once.
        subscription = self._context.hub.subscribe(wanted)
        try:
            await watcher.read_shares()
            yield []
            seen = after or 0
            while after is not None:
                past = await self._context.db.read(partial(events.after, seq=seen, limit=MOST_PER_READ))
                if past:
                    seen = past[-1].seq
                    yield [event for event in past if wanted(event)]
                if len(past) < MOST_PER_READ:
                    break
            async for batch in _live(subscription, watcher, seen):
                yield batch
        finally:
            self._context.hub.unsubscribe(subscription)

    async def of_calculation(self, presence: Presence, calculation_id: str, after: int) -> Batches | None:
        """The events of a calculation after a sequence number, to its end; None when it has ended and all were seen.

        Raises NotFound.
        """
        watcher = _Watcher(self._context, presence)
        await watcher.read_shares()
        await self._context.db.read(
            lambda conn: authorized.calculation(conn, presence.actor, "read", calculation_id)
        )
        if after:
            past, has_ended = await self._past(calculation_id, after)
            if has_ended and not past:
                return None
        return self._of_calculation(watcher, calculation_id, after)

    async def _past(self, calculation_id: str, after: int) -> tuple[list[Event], bool]:
        """The events after a sequence number, and whether the calculation has ended."""

        def read(conn: Connection) -> tuple[list[Event], bool]:
            state = calculations.state_of(conn, calculation_id)
            return events.of_calculation(conn, calculation_id, after), state in FINAL

        return await self._context.db.read(read)

    async def _of_calculation(self, watcher: _Watcher, calculation_id: str, after: int) -> Batches:
        subscription = self._context.hub.subscribe(watcher.sees, calculation_id)
        try:
            # An event after the end, such as that of a closed session, is no reason to wait for another one.
            past, has_ended = await self._past(calculation_id, after)
            seen = past[-1].seq if past else after
            yield past
            if has_ended:
                return
            if progress := await self._progress(calculation_id):
                yield progress
            async for batch in _live(subscription, watcher, seen):
                ended = next((i for i, event in enumerate(batch) if _is_end(event)), None)
                if ended is not None:
                    yield batch[: ended + 1]
                    return
                yield batch
        finally:
            self._context.hub.unsubscribe(subscription, calculation_id)

    async def _progress(self, calculation_id: str) -> list[Event]:
        """The newest progress as an event without a sequence number."""
        found = await self._context.db.read(lambda conn: logs.progress_of(conn, [calculation_id]))
        return [
            Event("progress", calculation_id, progress["at"], payload={**progress})
            for progress in found.values()
        ]


def _is_end(event: Event) -> bool:
    return event.kind == "calculation" and event.status in FINAL


async def _live(subscription: Subscription, watcher: _Watcher, seen: int) -> Batches:
    """Events as they are published, each once; an empty batch after `KEEP_ALIVE_S` without any.

    seen: the last one that was read. Two changes of one commit may be published in another order than that of their
    numbers, so a higher number says nothing of a lower one.
    """
    sent_at = time.monotonic()
    while (waiting := await subscription.get(watcher.check_again_s)) is not None and await watcher.check():
        new = [event for event in waiting if (not event.seq or event.seq > seen) and watcher.sees(event)]
        if new or time.monotonic() - sent_at > KEEP_ALIVE_S:
            sent_at = time.monotonic()
            yield new
