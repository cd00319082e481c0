"""Server-sent events: everything a person may see, or one calculation's; resumed after the last event's id."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic_core import to_json
from starlette.responses import StreamingResponse

from qcrbox_registry.api.dependencies import Present, TheCore, number
from qcrbox_registry.api.openapi import sends
from qcrbox_registry.api.streams import event_stream
from qcrbox_registry.services.event_feed import Batches
from qcrbox_registry.store.events import Event

router = APIRouter(prefix="/api", tags=["events"])
LastId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=40)]


def written(event: Event) -> bytes:
    """One event as server-sent text. Progress and log have no id: they are not repeated after a resume."""
    head = f"id: {event.seq}\n" if event.seq else ""
    return (
        f"{head}event: {event.kind}\ndata: ".encode() + to_json(event.public(), inf_nan_mode="null") + b"\n\n"
    )


def _written_batch(batch: list[Event]) -> bytes:
    return b"".join(map(written, batch))


def _stream(request: Request, batches: Batches) -> Response:
    return event_stream(request, batches, _written_batch)


@router.get("/events", response_class=StreamingResponse, responses=sends("text/event-stream"))
async def all_events(
    request: Request,
    core: TheCore,
    presence: Present,
    last_id: LastId = None,
    after: Annotated[
        int | None, Query(ge=0, lt=2**63, description="as Last-Event-ID, for those who cannot send it")
    ] = None,
    kinds: Annotated[str | None, Query(max_length=200, description="only these, by comma")] = None,
) -> Response:
    """Everything that happens to what you may see, from now on or from the last event you have seen."""
    wanted = frozenset(kind.strip() for kind in kinds.split(",")) if kinds else None
    seen = number(last_id)
    batches = await core.events.everything(presence, after if seen is None else seen, wanted)
    return _stream(request, batches)


@router.get(
    "/calculations/{calculation_id}/events",
    response_class=StreamingResponse,
    responses=sends("text/event-stream"),
)
async def events_of_calculation(
    request: Request,
    core: TheCore,
    presence: Present,
    calculation_id: str,
    last_id: LastId = None,
    after: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> Response:
    """One calculation from its first event (or the last one you have seen) to its end; then the stream ends.

    After the end it answers 204, on which a browser does not reconnect.
    """
    seen = number(last_id)
    batches = await core.events.of_calculation(presence, calculation_id, seen or after or 0)
    return Response(status_code=204) if batches is None else _stream(request, batches)
