"""Server-sent events: everything a person may see, or one calculation's; resumed from the last event's id."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic_core import to_json
from qcrbox.contract.errors import QcError
from qcrbox.contract.states import FINAL
from starlette.responses import StreamingResponse

from qcrbox_registry.access import rights
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.dependencies import Caller, TheCore, number
from qcrbox_registry.api.openapi import sends
from qcrbox_registry.services.core import Core
from qcrbox_registry.store import events, logs, shares
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.tables import events as table

router = APIRouter(prefix="/api", tags=["events"])
LastId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=40)]
KEEP_ALIVE_S = 10.0
ASK_AGAIN_S = 5.0  # so long a right that was taken may still be used
_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def written(event: Event) -> bytes:
    """One event as server-sent text. Progress and log have no id: they are not repeated after a resume."""
    head = f"id: {event.seq}\n" if event.seq else ""
    return (
        f"{head}event: {event.kind}\ndata: ".encode() + to_json(event.public(), inf_nan_mode="null") + b"\n\n"
    )


class _Watcher:
    """Asks again who is listening, and what is shared with them, every few seconds."""

    def __init__(self, core: Core, request: Request, actor: Actor) -> None:
        self.core, self.request, self.actor = core, request, actor
        self.shared: frozenset[str] = frozenset()
        self._asked = time.monotonic()

    async def start(self) -> None:
        self.shared = await self.core.db.read(lambda c: shares.shared_with(c, self.actor, time.time()))

    def sees(self, event: Event) -> bool:
        return rights.sees_event(self.actor, event, self.shared)

    async def still_may_listen(self) -> bool:
        if time.monotonic() - self._asked < ASK_AGAIN_S:
            return True
        try:
            self.actor = await self.core.identity.again(self.actor, self.request)
        except QcError as error:
            return error.status == 503  # the hub's own restart must not end streams
        await self.start()
        self._asked = time.monotonic()
        return True


@router.get("/events", response_class=StreamingResponse, responses=sends("text/event-stream"))
async def all_events(
    request: Request,
    core: TheCore,
    actor: Caller,
    last_id: LastId = None,
    after: Annotated[
        int | None, Query(ge=0, lt=2**63, description="as Last-Event-ID, for those who cannot send it")
    ] = None,
    kinds: Annotated[str | None, Query(max_length=200, description="only these, by comma")] = None,
) -> Response:
    """Everything that happens to what you may see, from now on or from the last event you have seen."""
    wanted = frozenset(kind.strip() for kind in kinds.split(",")) if kinds else None
    watcher = _Watcher(core, request, actor)
    await watcher.start()
    rights.notice(actor, "listen", "events")

    def wants(event: Event) -> bool:
        return (wanted is None or event.kind in wanted) and watcher.sees(event)

    seen = number(last_id)
    return StreamingResponse(
        _stream(core, request, watcher, wants, after if seen is None else seen),
        media_type="text/event-stream",
        headers=_HEADERS,
    )


async def _stream(
    core: Core, request: Request, watcher: _Watcher, wants: Callable[[Event], bool], seen: int | None
) -> AsyncIterator[bytes]:
    subscription = core.hub.subscribe(wants)
    try:
        yield b": connected\n\n"
        if seen is not None:
            # Subscribed first, then read: what is written in between comes twice and is told once.
            while True:
                past = await core.db.read(partial(events.after, seq=seen))
                for event in past:
                    seen = event.seq
                    if wants(event):
                        yield written(event)
                if len(past) < 1000:
                    break
        async for text in _live(subscription, watcher, request, seen or 0):
            yield text
    finally:
        core.hub.unsubscribe(subscription)


async def _live(subscription: Any, watcher: _Watcher, request: Request, seen: int) -> AsyncIterator[bytes]:
    quiet_since = time.monotonic()
    while not await request.is_disconnected():
        waiting = await subscription.get(ASK_AGAIN_S)
        if waiting is None or not await watcher.still_may_listen():
            return
        told = [event for event in waiting if not event.seq or event.seq > seen]
        if told:
            seen = max(seen, *(event.seq for event in told))
            quiet_since = time.monotonic()
            yield b"".join(written(event) for event in told)
        elif time.monotonic() - quiet_since > KEEP_ALIVE_S:
            quiet_since = time.monotonic()
            yield b": still here\n\n"


@router.get(
    "/calculations/{calculation_id}/events",
    response_class=StreamingResponse,
    responses=sends("text/event-stream"),
)
async def events_of_calculation(
    request: Request,
    core: TheCore,
    actor: Caller,
    calculation_id: str,
    last_id: LastId = None,
    after: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> Response:
    """One calculation from its first event (or the last one you have seen) to its end; then the stream ends.

    Asked again after the end it answers 204, which tells a browser not to connect again.
    """
    seen = number(last_id)
    seen = (after or 0) if seen is None else seen
    watcher = _Watcher(core, request, actor)
    await watcher.start()
    row = await core.db.read(lambda conn: shares.calculation(conn, actor, "read", calculation_id))
    if row.state in FINAL and seen:
        past = await core.db.read(lambda conn: _past(conn, calculation_id, seen))
        if not past:
            return Response(status_code=204)
    return StreamingResponse(
        _one(core, request, watcher, calculation_id, seen), media_type="text/event-stream", headers=_HEADERS
    )


def _past(conn: Any, calculation_id: str, seen: int) -> list[Event]:
    where = sa.and_(table.c.object_id == calculation_id, table.c.kind.in_(["calculation", "session"]))
    return events.after(conn, seen, where=where, limit=10_000)


async def _one(
    core: Core, request: Request, watcher: _Watcher, calculation_id: str, seen: int
) -> AsyncIterator[bytes]:
    subscription = core.hub.subscribe(watcher.sees, calculation_id)
    try:
        past = await core.db.read(lambda conn: _past(conn, calculation_id, seen))
        progress = await core.db.read(lambda conn: logs.progress_of(conn, [calculation_id]))
        for event in past:
            seen = event.seq
            yield written(event)
        if any(event.status in FINAL for event in past):
            return
        if calculation_id in progress:
            known = progress[calculation_id]
            yield written(Event("progress", calculation_id, known["at"], payload={**known}))
        while not await request.is_disconnected():
            waiting = await subscription.get(ASK_AGAIN_S)
            if waiting is None or not await watcher.still_may_listen():
                return
            for event in waiting:
                if event.seq and event.seq <= seen:
                    continue
                seen = event.seq or seen
                yield written(event)
                if event.kind == "calculation" and event.status in FINAL:
                    return
            if not waiting:
                yield b": still here\n\n"
    finally:
        core.hub.unsubscribe(subscription, calculation_id)
