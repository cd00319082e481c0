"""Commands in, calculations out: submit, list, look, stop, log."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.models import SubmitBatch, SubmitCommand
from qcrbox.contract.states import FINAL, State

from qcrbox_registry.access import audit, rights
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api import schemas
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
from qcrbox_registry.store import calculations, logs, paging, people, shares, tags
from qcrbox_registry.store.tables import calculations as table

router = APIRouter(prefix="/api", tags=["calculations"])
Key = Annotated[str | None, Header(alias="Idempotency-Key")]
Reason = Annotated[str | None, Field(max_length=1000)]


class Stop(Body):
    reason: Reason = None


class StopMany(Body):
    calculation_ids: Annotated[list[str], Field(max_length=10_000)] | None = None
    batch_id: Annotated[str | None, Field(max_length=32)] = None
    reason: Reason = None


class ChangeCalculation(Body):
    tags: Annotated[list[str], Field(max_length=50)]


@router.post(
    "/commands",
    status_code=201,
    response_model=models.Success[models.CalculationId],
    openapi_extra=takes(SubmitCommand),
)
async def submit(request: Request, core: TheCore, actor: Caller, key: Key = None) -> Response:
    """Start a command. The same Idempotency-Key gives the same calculation again."""
    command, body = await read_body(request, SubmitCommand)
    accepted = await request.app.state.submissions.submit(
        actor, [command], idempotency_key=key, body=body, correlation_id=correlation_of(request)
    )
    return success({"calculation_id": accepted.ids[0]}, "The calculation was accepted.", 201)


@router.post(
    "/commands/batch",
    status_code=201,
    response_model=models.Success[models.CalculationIds],
    openapi_extra=takes(SubmitBatch),
)
async def submit_batch(request: Request, core: TheCore, actor: Caller, key: Key = None) -> Response:
    """Start many commands: all are accepted or none."""
    batch, body = await read_body(request, SubmitBatch)
    accepted = await request.app.state.submissions.submit(
        actor,
        batch.commands,
        batch=True,
        idempotency_key=key,
        body=body,
        correlation_id=correlation_of(request),
    )
    return success(
        {"batch_id": accepted.batch_id, "calculation_ids": accepted.ids},
        f"{len(accepted.ids)} calculations were accepted.",
        201,
    )


@router.get("/calculations", response_model=models.Success[models.Calculations])
async def list_calculations(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    status: Annotated[list[State] | None, Query()] = None,
    owner: Annotated[str | None, Query(max_length=255)] = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
    name: Annotated[str | None, Query(max_length=500)] = None,
    application: Annotated[str | None, Query(max_length=255)] = None,
    batch: Annotated[str | None, Query(max_length=32)] = None,
    q: Annotated[
        str | None, Query(max_length=500, description="text in name, command or application")
    ] = None,
) -> Response:
    """Calculations you may see, newest first."""
    where: list[sa.ColumnElement[bool]] = []
    if status:
        where.append(table.c.state.in_([str(one) for one in status]))
    if owner is not None:
        where.append(table.c.owner_id.in_(people.named(owner)))
    if tag is not None:
        where.append(table.c.id.in_(tags.having("calculation", tag)))
    if name is not None:
        where.append(table.c.name == name)
    if application is not None:
        where.append(table.c.application_slug == application)
    if batch is not None:
        where.append(table.c.batch_id == batch)
    if q:
        columns = (table.c.name, table.c.command_name, table.c.application_slug)
        where.append(sa.or_(*(column.icontains(q, autoescape=True) for column in columns)))

    def read(conn: Any) -> dict[str, Any]:
        ids = paging.newest_ids(
            conn,
            table,
            rights.visibility_filters(actor, table),
            where=where,
            limit=page.limit + 1,
            after=page.after,
        )
        ids, following = page.cut(ids, str)
        rows = calculations.by_ids(conn, ids)
        waiting = [row.id for row in rows if row.state == State.SUBMITTED]
        queue = core.scheduler.queue_info(waiting) if waiting else {}
        return {"calculations": views.calculation_list(conn, rows, queue), "next": following}

    return success(await core.db.read(read))


@router.get("/calculations/{calculation_id}", response_model=models.Success[models.Calculations])
async def get_calculation(
    core: TheCore,
    actor: Caller,
    calculation_id: str,
    wait: Annotated[float, Query(ge=0, le=60, description="wait this long, s, for the end")] = 0.0,
) -> Response:
    """One calculation with its whole history. `wait` answers as soon as it has ended."""
    row = await core.db.read(lambda conn: shares.calculation(conn, actor, "read", calculation_id))
    if wait and State(row.state) not in FINAL:
        await _wait_for_end(core, calculation_id, wait)
    return success({"calculations": [await _shown(core, actor, calculation_id)]})


async def _shown(core: Core, actor: Actor, calculation_id: str) -> dict[str, Any]:
    def read(conn: Any) -> dict[str, Any]:
        row = shares.calculation(conn, actor, "read", calculation_id)
        queue = core.scheduler.queue_info([row.id]) if row.state == State.SUBMITTED else {}
        return views.one_calculation(conn, row, queue)

    return await core.db.read(read)


async def _wait_for_end(core: Core, calculation_id: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    listening = core.hub.subscribe(
        lambda event: event.kind == "calculation" and event.status in FINAL, calculation_id
    )
    try:
        # It may have ended between the look and the subscription.
        state = await core.db.read(lambda conn: calculations.get(conn, calculation_id).state)
        while State(state) not in FINAL and (left := until - time.monotonic()) > 0:
            if await listening.get(left):
                return
    finally:
        core.hub.unsubscribe(listening, calculation_id)


@router.post(
    "/calculations/{calculation_id}/stop",
    response_model=models.Success[models.Calculations],
    openapi_extra=takes(Stop, required=False),
)
async def stop(request: Request, core: TheCore, actor: Caller, calculation_id: str) -> Response:
    """End a calculation: at once while it waits, through its agent while it runs."""
    asked = await optional_body(request, Stop)
    await core.db.read(lambda conn: shares.calculation(conn, actor, "cancel", calculation_id))
    await core.scheduler.cancel(
        [calculation_id], reason=asked.reason or f"Stopped by {actor.name}.", by=actor.name
    )
    core.audit_soon(actor, "cancel", kind="calculation", object_id=calculation_id)
    return success(
        {"calculations": [await _shown(core, actor, calculation_id)]}, "The calculation is being stopped."
    )


@router.post(
    "/calculations/stop",
    response_model=models.Success[schemas.Stopped],
    openapi_extra=takes(StopMany),
)
async def stop_many(request: Request, core: TheCore, actor: Caller) -> Response:
    """Stop several: body `{"calculation_ids": […]}` or `{"batch_id": …}`. What has ended is left alone."""
    asked, _ = await read_body(request, StopMany)
    if (asked.calculation_ids is None) == (asked.batch_id is None):
        raise UserInputError("Give either calculation_ids (a list of at most 10,000) or batch_id.")

    def allowed(conn: Any) -> list[str]:
        if asked.batch_id is not None:
            return _of_batch(conn, actor, asked.batch_id)
        rows = {row.id: row for row in calculations.by_ids(conn, asked.calculation_ids or [])}
        for one in asked.calculation_ids or ():
            if one not in rows:
                raise rights.missing("calculation", one)
        for resource in shares.calculation_resources(conn, list(rows.values())):
            rights.authorize(actor, "cancel", resource)
        return list(rows)

    ids = await core.db.read(allowed)
    await core.scheduler.cancel(ids, reason=asked.reason or f"Stopped by {actor.name}.", by=actor.name)
    core.audit_soon(
        actor, "cancel", kind="calculation", object_id=ids[0] if ids else "", calculations=len(ids)
    )

    def read(conn: Any) -> list[dict[str, Any]]:
        return [
            {"calculation_id": row.id, "status": row.state, "step": row.step}
            for row in calculations.by_ids(conn, ids)
        ]

    return success({"calculations": await core.db.read(read)})


def _of_batch(conn: Any, actor: Actor, batch_id: str) -> list[str]:
    """Ids of the batch's calculations that have not ended. One that is not the actor's to see is not there."""
    first = calculations.first_of(conn, batch_id)
    if first is None or not rights.allows(actor, "read", shares.calculation_resource(conn, first)):
        raise rights.missing("batch", batch_id)
    rights.authorize(actor, "cancel", shares.calculation_resource(conn, first))
    ids = calculations.waiting_or_running_of(conn, batch_id)
    for resource in shares.calculation_resources(conn, calculations.by_ids(conn, ids)):
        rights.authorize(actor, "cancel", resource)
    return ids


@router.get("/calculations/{calculation_id}/log", response_model=models.Success[schemas.Log])
async def read_log(
    core: TheCore,
    actor: Caller,
    calculation_id: str,
    stream: Literal["stdout", "stderr", "both"] = "both",
    attempt: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
    start: Annotated[int, Query(ge=0, le=2**53, description="byte of the stream to begin with")] = 0,
    most: Annotated[int, Query(ge=1, le=32 * 1024 * 1024, description="at most about this many bytes")] = 4
    * 1024
    * 1024,
) -> Response:
    """What the program printed. `both` gives the chunks of both streams in the order of time."""

    def read(conn: Any) -> dict[str, Any]:
        row = shares.calculation(conn, actor, "read", calculation_id)
        number = row.attempt if attempt is None else attempt
        if stream == "both":
            chunks = logs.merged(conn, row.id, number)
            return {
                "attempt": number,
                "chunks": [{"stream": c.stream, "at": models.iso(c.at), "text": c.text} for c in chunks],
                "text": "".join(c.text for c in chunks),
            }
        text, end = logs.read(conn, row.id, number, stream, start=start, most=most)
        return {"attempt": number, "stream": stream, "start": start, "next": end, "text": text}

    return success(await core.db.read(read))


@router.patch(
    "/calculations/{calculation_id}",
    response_model=models.Success[models.Calculations],
    openapi_extra=takes(ChangeCalculation),
)
async def change_calculation(request: Request, core: TheCore, actor: Caller, calculation_id: str) -> Response:
    """Tags of a calculation: `{"tags": […]}`. Nothing else of the record is ever changed."""
    asked, _ = await read_body(request, ChangeCalculation)
    checked = [tags.checked(tag) for tag in asked.tags]
    now = time.time()

    def change(conn: Any) -> None:
        row = shares.calculation(conn, actor, "tag", calculation_id)
        tags.replace(conn, "calculation", row.id, checked, actor.person_id, now)
        audit.record(
            conn, [audit.entry(actor, "tag", now, kind="calculation", object_id=row.id, tags=checked)]
        )

    await core.db.write(change)
    return success({"calculations": [await _shown(core, actor, calculation_id)]})
