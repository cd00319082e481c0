"""Interactive sessions: start, list, look, end. The picture itself is in `display.py`."""

from __future__ import annotations

import time
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Header, Query, Request, Response
from qcrbox.contract import models
from qcrbox.contract.errors import NotFound
from qcrbox.contract.models import StartSession
from qcrbox.contract.states import FINAL, State

from qcrbox_registry.access import audit, rights
from qcrbox_registry.access.rights import Actor, Resource
from qcrbox_registry.api.dependencies import (
    Body,
    Caller,
    TheCore,
    ThePage,
    correlation_of,
    optional_body,
    read_body,
)
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services import views
from qcrbox_registry.services.core import Core
from qcrbox_registry.sessions.idle import touched
from qcrbox_registry.store import calculations, events, paging
from qcrbox_registry.store.tables import sessions as table

router = APIRouter(prefix="/api/interactive-sessions", tags=["interactive sessions"])
_CLOSE_WAIT_S = 30.0


class Close(Body):
    keep: bool = True


class ChangeSession(Body):
    view_only_allowed: bool


def session_row(conn: Any, actor: Actor, action: str, session_id: str) -> tuple[sa.Row, sa.Row]:
    """(calculation, session), when the actor may do this. Raises NotFound or NotAllowed."""
    about = conn.execute(sa.select(table).where(table.c.calculation_id == session_id)).first()
    if about is None:
        raise rights.missing("session", session_id)
    resource = Resource(
        "session",
        session_id,
        about.owner_id,
        about.group_id,
        view_only_allowed=about.view_only_allowed,
    )
    rights.authorize(actor, action, resource)
    return calculations.get(conn, session_id), about


@router.post(
    "", status_code=201, response_model=models.Success[models.SessionId], openapi_extra=takes(StartSession)
)
async def start(
    request: Request,
    core: TheCore,
    actor: Caller,
    key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Response:
    """Start an interactive session of an application."""
    wanted, body = await read_body(request, StartSession)
    accepted = await request.app.state.submissions.submit(
        actor, [wanted], idempotency_key=key, body=body, correlation_id=correlation_of(request)
    )
    return success({"interactive_session_id": accepted.ids[0]}, "The session is being started.", 201)


@router.get("", response_model=models.Success[models.Sessions])
async def list_sessions(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    closed: Annotated[bool, Query(description="those that have ended too")] = False,
) -> Response:
    """Sessions that are open (or starting), newest first."""

    def read(conn: Any) -> dict[str, Any]:
        where = [] if closed else [table.c.closed_at.is_(None)]
        ids = paging.newest_ids(
            conn,
            table,
            rights.visibility_filters(actor, table),
            where=where,
            limit=page.limit + 1,
            after=page.after,
            key=table.c.calculation_id,
        )
        ids, following = page.cut(ids, str)
        rows = calculations.by_ids(conn, ids)
        shown = views.session_list(conn, rows, core.settings.session_idle_s)
        return {"interactive_sessions": shown, "next": following}

    return success(await core.db.read(read))


@router.get("/{session_id}", response_model=models.Success[models.Sessions])
async def get_session(core: TheCore, actor: Caller, session_id: str) -> Response:
    """One session."""

    def read(conn: Any) -> list[dict[str, Any]]:
        row, _ = session_row(conn, actor, "read", session_id)
        return views.session_list(conn, [row], core.settings.session_idle_s)

    return success({"interactive_sessions": await core.db.read(read)})


@router.post(
    "/{session_id}/close",
    response_model=models.Success[models.ClosedSessions],
    openapi_extra=takes(Close, required=False),
)
async def close(
    request: Request,
    core: TheCore,
    actor: Caller,
    session_id: str,
    wait: Annotated[
        float, Query(ge=0, le=300, description="wait this long, s, for its outputs")
    ] = _CLOSE_WAIT_S,
) -> Response:
    """End a session. Its outputs are kept unless the body says `{"keep": false}`; closing twice is harmless."""
    asked = await optional_body(request, Close)
    return await _end(core, actor, session_id, keep=asked.keep, wait=wait)


@router.post("/{session_id}/discard", response_model=models.Success[models.ClosedSessions])
async def discard(core: TheCore, actor: Caller, session_id: str) -> Response:
    """End a session and throw away what was done in it."""
    return await _end(core, actor, session_id, keep=False, wait=_CLOSE_WAIT_S)


@router.post("/{session_id}/stay", response_model=models.Success[models.Sessions])
async def stay(core: TheCore, actor: Caller, session_id: str) -> Response:
    """Somebody is still there: the idle time begins anew."""

    def write(conn: Any) -> None:
        session_row(conn, actor, "open", session_id)
        touched(conn, session_id, time.time())

    await core.db.write(write)
    return await get_session(core, actor, session_id)


async def _end(core: Core, actor: Actor, session_id: str, *, keep: bool, wait: float) -> Response:
    row, about = await core.db.read(
        lambda conn: session_row(conn, actor, "end" if keep else "discard", session_id)
    )
    reason = f"Ended by {actor.name}."
    if State(row.state) not in FINAL:
        await _ask_to_end(core, actor, row, about, keep=keep, reason=reason)
        await _wait(core, session_id, wait)

    def read(conn: Any) -> dict[str, Any]:
        now = calculations.get(conn, session_id)
        closed: dict[str, Any] = {"session_id": session_id, "status": now.state}
        if now.output_dataset_id:
            closed["output_dataset_id"] = now.output_dataset_id
        if now.error_msg:
            closed["error_msg"] = now.error_msg
        if now.warnings:
            closed["warnings"] = now.warnings
        return closed

    return success({"interactive_sessions": [await core.db.read(read)]})


async def _ask_to_end(
    core: Core, actor: Actor, row: sa.Row, about: sa.Row, *, keep: bool, reason: str
) -> None:
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        conn.execute(
            sa.update(table)
            .where(table.c.calculation_id == row.id, table.c.closed_at.is_(None))
            .values(keep=keep, reason=reason, state="finalising")
        )
        audit.record(
            conn, [audit.entry(actor, "end session", now, kind="session", object_id=row.id, keep=keep)]
        )
        event = events.Event(
            "session",
            row.id,
            now,
            status="finalising",
            attempt=row.attempt,
            owner_id=row.owner_id,
            group_id=row.group_id,
            payload={"keep": keep, "reason": reason},
        )
        return list(events.write(conn, [event]))

    core.publish(await core.db.write(write))
    try:
        await core.scheduler.end_session(row.id, keep=keep, reason=reason)
    except NotFound:
        # Its agent is lost at this moment; the scheduler gives it to another or fails it.
        await core.scheduler.cancel([row.id], reason=reason, by=actor.name)


async def _wait(core: Core, session_id: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    listening = core.hub.subscribe(
        lambda event: event.kind == "calculation" and event.status in FINAL, session_id
    )
    try:
        state = await core.db.read(lambda conn: calculations.get(conn, session_id).state)
        while State(state) not in FINAL and (left := until - time.monotonic()) > 0:
            if await listening.get(left):
                return
    finally:
        core.hub.unsubscribe(listening, session_id)


@router.patch(
    "/{session_id}", response_model=models.Success[models.Sessions], openapi_extra=takes(ChangeSession)
)
async def change(request: Request, core: TheCore, actor: Caller, session_id: str) -> Response:
    """Allow (or forbid) the group's managers to look on: `{"view_only_allowed": true}`."""
    asked, _ = await read_body(request, ChangeSession)
    allowed = asked.view_only_allowed
    now = time.time()

    def write(conn: Any) -> None:
        session_row(conn, actor, "allow_view", session_id)
        conn.execute(
            sa.update(table).where(table.c.calculation_id == session_id).values(view_only_allowed=allowed)
        )
        audit.record(
            conn,
            [
                audit.entry(
                    actor, "allow view", now, kind="session", object_id=session_id, allowed_now=allowed
                )
            ],
        )

    await core.db.write(write)
    return await get_session(core, actor, session_id)
