"""What handlers read from a request: the registry's parts, who calls, the body, the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json
from qcrbox.contract import ids
from qcrbox.contract.errors import NotFound, TooLarge, UserInputError

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.responses import input_fault
from qcrbox_registry.services.core import Core
from qcrbox_registry.store.paging import MOST

B = TypeVar("B", bound=BaseModel)
LARGEST_BODY = 32 * 1024 * 1024


class Body(BaseModel):
    """A JSON body of ours: no field more than these, and each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def require_any(self) -> None:
        """Raises UserInputError when no field was sent at all."""
        if not self.model_fields_set:
            raise UserInputError(
                "Nothing was asked for.", next=f"Fields: {', '.join(type(self).model_fields)}."
            )


async def core_of(request: Request) -> Core:
    return request.app.state.core


async def who(request: Request) -> Actor:
    """The caller. Raises NotSignedIn or NotAllowed."""
    actor = await request.app.state.core.identity.actor(request)
    request.state.actor = actor
    # PostgreSQL cannot hold NUL in a text, so no id or name has one.
    if "\x00" in request.url.path:
        raise NotFound("There is nothing at an address with a NUL character.")
    if "%00" in request.url.query:
        raise UserInputError("The query has a NUL character in it.")
    return actor


def correlation_of(request: Request) -> str:
    """The id that ties together what belongs to this request, from the caller's line to the agent's log."""
    return request.state.correlation_id


DatasetId = Annotated[str, AfterValidator(ids.dataset_id)]
DataFileId = Annotated[str, AfterValidator(ids.data_file_id)]
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
    """A JSON body as a model. Raises UserInputError, field by field."""
    try:
        value = model.model_validate_json(body)
        if b"\\u0000" in body:
            _refuse_nul(from_json(body), "")
    except ValidationError as error:
        raise input_fault(error) from None
    except (ValueError, RecursionError):
        raise UserInputError("The body is not readable JSON.") from None
    return value


def _refuse_nul(value: Any, where: str) -> None:
    """PostgreSQL cannot hold NUL in a text; SQLite must not behave otherwise."""
    if isinstance(value, str):
        if "\x00" in value:
            raise UserInputError("There is a NUL character in this text.", where=where)
    elif isinstance(value, dict):
        for key, one in value.items():
            _refuse_nul(key, where)
            _refuse_nul(one, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            _refuse_nul(one, f"{where}.{number}")


async def optional_body(request: Request, model: type[B]) -> B:
    """A JSON object that may be left out altogether: then all fields have their defaults."""
    if request.headers.get("content-length", "0") in ("", "0") and "transfer-encoding" not in request.headers:
        return model()
    body = await body_bytes(request)
    return parse(body, model) if body.strip() else model()


def number(text: str | None) -> int | None:
    """A sequence number that came as text; None for anything else."""
    plain = text is not None and text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if plain and text is not None else None


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
