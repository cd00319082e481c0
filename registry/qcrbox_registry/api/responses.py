"""The envelopes of the REST contract, and what becomes of errors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json
from qcrbox.contract.errors import NotAllowed, NotFound, QcError, UserInputError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from qcrbox_registry.access.audit import refusal
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.core import Core

log = structlog.get_logger(__name__)


def success(payload: dict[str, Any], message: str = "", status: int = 200) -> Response:
    """`{"status": "success", …}` around a payload of plain values."""
    body = {
        "status": "success",
        "message": message,
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "payload": payload,
    }
    return json_response(body, status)


def json_response(body: Any, status: int = 200) -> Response:
    """Plain values as JSON."""
    # Without FastAPI's encoder, which walks through values that are plain already: ten times faster.
    return Response(to_json(body, inf_nan_mode="null"), status, media_type="application/json")


def failure(error: QcError) -> Response:
    """An error in its envelope."""
    response = json_response(error.envelope(), error.status)
    if error.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    elif error.status == 503 or error.fields.get("quota") in ("running", "queued", "sessions"):
        response.headers["retry-after"] = "2"
    return response


def input_fault(faults: Sequence[ErrorDetails], where: str = "") -> UserInputError:
    """A faulty body or parameter, field by field."""
    problems = []
    for fault in faults[:50]:
        place = ".".join(
            str(part) for part in fault["loc"] if part not in ("body", "query", "path", "header")
        )
        problems.append(f"{place}: {fault['msg']}" if place else str(fault["msg"]))
    return UserInputError(
        problems[0] if problems else "The request cannot be read.",
        where=where,
        why=f"({len(problems) - 1} more: see details)" if len(problems) > 1 else "",
        details=problems,
    )


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Answer every error of this app in the envelope of the contract."""

    @app.exception_handler(QcError)
    async def _known(request: Request, error: QcError) -> Response:
        if isinstance(error, NotFound | NotAllowed):
            _note_refusal(request, error)
        elif error.status >= 500:
            log.error("request_failed", path=request.url.path, error=error.message)
        return failure(error)

    @app.exception_handler(RequestValidationError)
    async def _shape(_: Request, error: RequestValidationError) -> Response:
        return failure(input_fault(error.errors()))

    @app.exception_handler(ValidationError)
    async def _body(_: Request, error: ValidationError) -> Response:
        return failure(input_fault(error.errors()))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        made = QcError.from_envelope({"error": {"code": error.status_code, "message": str(error.detail)}})
        if error.status_code == 404:
            made = NotFound(f"There is nothing at {request.url.path[:300]}.")
        envelope = made.envelope()
        envelope["error"]["code"] = error.status_code
        response = json_response(envelope, error.status_code)
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        if error.status_code == 405:
            response.headers["allow"] = ", ".join(sorted(_methods_of(routers, request)))
        return response

    @app.exception_handler(Exception)
    async def _unknown(request: Request, error: Exception) -> Response:
        log.error("unexpected_error", path=request.url.path, method=request.method, exc_info=error)
        return failure(
            QcError(
                "The registry failed with an unexpected error.",
                why=type(error).__name__,
                next="Ask the administrator: the log of the registry has the details.",
            )
        )


def _methods_of(routers: Sequence[APIRouter], request: Request) -> set[str]:
    """The methods of this address: several routes can share it."""
    found: set[str] = set()
    for route in (route for router in routers for route in router.routes):
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return found | {"HEAD"} if "GET" in found else found


def _note_refusal(request: Request, error: QcError) -> None:
    """Audit refused calls of known persons; a missing object too, for it looks the same from outside."""
    actor: Actor | None = getattr(request.state, "actor", None)
    core: Core | None = getattr(request.app.state, "core", None)
    if actor is None or core is None or (request.method == "GET" and not isinstance(error, NotAllowed)):
        return
    # As it was sent, in ASCII: a decoded path may hold characters that a database refuses.
    path = bytes(request.scope["raw_path"]).decode("ascii", "replace")
    entry = refusal(
        actor, f"{request.method} {path[:200]}", time.time(), object_id=_storable(error.fields.get("id", ""))
    )
    core.context.record_soon(entry)


def _storable(text: object) -> str:
    return str(text).replace("\0", "\ufffd")[:255]
