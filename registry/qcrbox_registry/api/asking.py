"""What handlers read from a request: the registry's parts, who calls, the body, the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ValidationError
from qcrbox.contract.errors import TooLarge, UserInputError

from qcrbox_registry.api.answers import input_fault
from qcrbox_registry.core import Core
from qcrbox_registry.rights import Actor
from qcrbox_registry.store.paging import MOST

B = TypeVar("B", bound=BaseModel)
LARGEST_BODY = 32 * 1024 * 1024


async def core_of(request: Request) -> Core:
    return request.app.state.core


async def who(request: Request) -> Actor:
    """The caller. Raises NotSignedIn or NotAllowed."""
    actor = await request.app.state.core.identity.actor(request)
    request.state.actor = actor
    return actor


TheCore = Annotated[Core, Depends(core_of)]
Caller = Annotated[Actor, Depends(who)]


async def body_bytes(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The whole JSON body. Raises UserInputError for another content type, TooLarge for a longer one."""
    # A cross-site form cannot send this type, so it also keeps foreign pages out.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise UserInputError("The body must be JSON, sent as Content-Type: application/json.")
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge(f"The body is larger than {most // 1024**2} MiB.")
        parts.append(chunk)
    return b"".join(parts)


async def read_body(request: Request, model: type[B]) -> tuple[B, bytes]:
    """The body as a model, and its bytes."""
    body = await body_bytes(request)
    return parse(body, model), body


def parse(body: bytes, model: type[B]) -> B:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise input_fault(error) from None
    except (ValueError, RecursionError):
        raise UserInputError("The body is not readable JSON.") from None


async def optional_object(request: Request) -> dict[str, Any]:
    """A JSON object that may be left out altogether."""
    if request.headers.get("content-length", "0") in ("", "0") and "transfer-encoding" not in request.headers:
        return {}
    body = await body_bytes(request)
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise UserInputError("The body is not readable JSON.") from None
    if not isinstance(value, dict):
        raise UserInputError("The body must be a JSON object.")
    return value


@dataclass(frozen=True)
class Page:
    limit: int
    after: str | None

    def cut(self, rows: list[Any], key: Callable[[Any], str]) -> tuple[list[Any], str | None]:
        """The page's rows and the key for the next page, when one more row was read."""
        if len(rows) <= self.limit:
            return rows, None
        rows = rows[: self.limit]
        return rows, key(rows[-1])


async def page(
    limit: Annotated[int, Query(ge=1, le=MOST, description="at most this many")] = MOST,
    after: Annotated[str | None, Query(max_length=64, description="`next` of the page before")] = None,
) -> Page:
    return Page(limit, after)


ThePage = Annotated[Page, Depends(page)]
