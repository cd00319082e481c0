"""What handlers take from a request: the services, the caller, the body, the page."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict
from qcrbox.contract import ids
from qcrbox.contract.errors import NotFound, TooLarge, UserInputError
from qcrbox.contract.models import SubmitBatch
from qcrbox.contract.pages import MOST_OF_A_PAGE
from starlette.requests import HTTPConnection

from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.json_bodies import MOST_BYTES, parse, parse_batch
from qcrbox_registry.services.core import Core
from qcrbox_registry.store.lists import Common
from qcrbox_registry.store.paging import Page

B = TypeVar("B", bound=BaseModel)
# Bytes of a JSON body: of one object, of a list of ids, of many commands.
LARGEST_BODY = MOST_BYTES
LARGEST_LIST = 1024 * 1024
LARGEST_BATCH = 32 * 1024 * 1024
# Larger bodies are parsed in a thread, so that other requests are answered meanwhile.
PARSED_AT_ONCE = 64 * 1024


class Body(BaseModel):
    """A JSON body: these fields only, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def require_any(self) -> None:
        """Raises UserInputError when no field was sent."""
        if not self.model_fields_set:
            raise UserInputError(
                "The body has no field.", next=f"Fields: {', '.join(type(self).model_fields)}."
            )


def set_core(app: FastAPI, core: Core) -> None:
    """Give the handlers of an application its services."""
    app.state.core = core


def core_of(app: Any) -> Core:
    """The services of an application."""
    core: Core = app.state.core
    return core


async def the_core(request: Request) -> Core:
    """The services of the application that answers the request."""
    return core_of(request.app)


async def who(request: Request) -> Actor:
    """The caller. Raises NotSignedIn or NotAllowed."""
    actor = await core_of(request.app).context.identity.actor(request)
    request.state.actor = actor
    # PostgreSQL cannot hold NUL in a text, so no id or name contains it.
    if "\x00" in request.url.path:
        raise NotFound("There is nothing at an address with a NUL character.")
    if "%00" in request.url.query:
        raise UserInputError("The query has a NUL character in it.")
    return actor


def presence_of(connection: HTTPConnection, actor: Actor) -> Presence:
    """The caller of a connection that lasts, to be asked for again."""
    identity = core_of(connection.app).context.identity
    return Presence(actor, lambda: identity.actor(connection))


async def present(request: Request, actor: Annotated[Actor, Depends(who)]) -> Presence:
    """The caller, for a handler that works on the request for long."""
    return presence_of(request, actor)


def correlation_of(request: Request) -> str:
    """The id that joins the logs of this request, from the client to the agent."""
    correlation_id: str = request.state.correlation_id
    return correlation_id


DatasetId = Annotated[str, AfterValidator(ids.dataset_id)]
DataFileId = Annotated[str, AfterValidator(ids.data_file_id)]
TheCore = Annotated[Core, Depends(the_core)]
Caller = Annotated[Actor, Depends(who)]
Present = Annotated[Presence, Depends(present)]


async def has_room(request: Request, core: TheCore, _: Caller) -> None:
    """For routes that store what a body brings. Raises StorageFull before anything of it is read."""
    core.context.objects.require_room(_announced(request) or 0)


HasRoom = Depends(has_room)


def _announced(request: Request) -> int | None:
    """The length of the body as its header has it."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


async def body_bytes(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The whole JSON body. Raises UserInputError for another content type, TooLarge for a longer body."""
    # A form of another site cannot send this type, which keeps foreign pages out.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise UserInputError("The body must be JSON, sent as Content-Type: application/json.")
    if (_announced(request) or 0) > most:
        raise _too_large(most)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {most // 1024} KiB.",
        next="Upload files as data files; split a batch into several.",
    )


async def read_body(request: Request, model: type[B], most: int = LARGEST_BODY) -> tuple[B, bytes]:
    """The body as a model, and its bytes. Raises UserInputError, TooLarge."""
    body = await body_bytes(request, most)
    if len(body) > PARSED_AT_ONCE:
        return await asyncio.to_thread(parse, body, model), body
    return parse(body, model), body


async def read_batch(request: Request) -> tuple[SubmitBatch, bytes]:
    """The body as a batch of commands, and its bytes. Raises UserInputError, TooLarge."""
    body = await body_bytes(request, LARGEST_BATCH)
    return await asyncio.to_thread(parse_batch, body), body


async def optional_body(request: Request, model: type[B]) -> B:
    """A JSON object that may be left out: then every field has its default."""
    if request.headers.get("content-length", "0") in ("", "0") and "transfer-encoding" not in request.headers:
        return model()
    body = await body_bytes(request)
    return parse(body, model) if body.strip() else model()


def number(text: str | None) -> int | None:
    """A sequence number that came as text; None for anything else."""
    plain = text is not None and text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if plain and text is not None else None


async def page(
    limit: Annotated[int, Query(ge=1, le=MOST_OF_A_PAGE, description="at most this many")] = MOST_OF_A_PAGE,
    after: Annotated[str | None, Query(max_length=64, description="`next` of the page before")] = None,
) -> Page:
    """The page that a list is asked for."""
    return Page(limit, after)


ThePage = Annotated[Page, Depends(page)]


async def common_filters(
    owner: Annotated[str | None, Query(max_length=255)] = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
    name: Annotated[str | None, Query(max_length=500)] = None,
    q: Annotated[
        str | None,
        Query(
            max_length=500,
            description="text in name or description; of calculations in title, command or application",
        ),
    ] = None,
) -> Common:
    """The filters that every list of things of people has."""
    return Common(owner, tag, name, q)


CommonFilters = Annotated[Common, Depends(common_filters)]
Mine = Annotated[
    bool,
    Query(
        description="own work and what is shared with you: without what only the rights of administrators, managers and "
        "data managers open"
    ),
]
Deleted = Annotated[bool, Query(description="what can be brought back instead")]
