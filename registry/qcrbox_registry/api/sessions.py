"""Interactive sessions: start, list, read, end. The display itself is in `display`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.models import StartSession

from qcrbox_registry.api.dependencies import (
    Body,
    Caller,
    Mine,
    TheCore,
    ThePage,
    correlation_of,
    optional_body,
    read_body,
)
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.sessions import SessionEnd
from qcrbox_registry.services.submission import Submission

router = APIRouter(prefix="/api/interactive-sessions", tags=["interactive sessions"])
_CLOSE_WAIT_S = 30.0


class Close(Body):
    """Body: end a session, keeping its files or not."""

    keep: bool = True
    reason: Annotated[str, Field(max_length=1000)] = ""  # which the owner reads


class ChangeSession(Body):
    """Body: whether the group may view the session."""

    view_only_allowed: bool


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
    asked, body = await read_body(request, StartSession)
    submission = Submission(
        actor, [asked], idempotency_key=key, content=body, correlation_id=correlation_of(request)
    )
    accepted = await core.submissions.submit(submission)
    return success({"interactive_session_id": accepted.ids[0]}, "The session is being started.", 201)


@router.get("", response_model=models.Success[models.Sessions])
async def list_sessions(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    closed: Annotated[bool, Query(description="those that have ended too")] = False,
    mine: Mine = False,
) -> Response:
    """Sessions that are open (or starting), newest first."""
    return success(await core.sessions.page(actor, page, closed=closed, mine=mine))


@router.get("/{session_id}", response_model=models.Success[models.Sessions])
async def get_session(core: TheCore, actor: Caller, session_id: str) -> Response:
    """One session."""
    return success({"interactive_sessions": [await core.sessions.get(actor, session_id)]})


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
    ending = SessionEnd(keep=asked.keep, reason=asked.reason, wait_s=wait)
    closed = await core.sessions.end(actor, session_id, ending)
    return success({"interactive_sessions": [closed]})


@router.post("/{session_id}/discard", response_model=models.Success[models.ClosedSessions])
async def discard(core: TheCore, actor: Caller, session_id: str) -> Response:
    """End a session and throw away what was done in it."""
    closed = await core.sessions.end(actor, session_id, SessionEnd(keep=False, wait_s=_CLOSE_WAIT_S))
    return success({"interactive_sessions": [closed]})


@router.post("/{session_id}/stay", response_model=models.Success[models.Sessions])
async def stay(core: TheCore, actor: Caller, session_id: str) -> Response:
    """Start the idle time again."""
    return success({"interactive_sessions": [await core.sessions.stay(actor, session_id)]})


@router.patch(
    "/{session_id}", response_model=models.Success[models.Sessions], openapi_extra=takes(ChangeSession)
)
async def change(request: Request, core: TheCore, actor: Caller, session_id: str) -> Response:
    """Let the managers of the group view the session, or stop that: `{"view_only_allowed": true}`."""
    asked, _ = await read_body(request, ChangeSession)
    changed = await core.sessions.allow_viewers(actor, session_id, asked.view_only_allowed)
    return success({"interactive_sessions": [changed]})
