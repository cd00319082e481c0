"""Calculations: submit commands, list, read, stop, log."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.models import SubmitBatch, SubmitCommand
from qcrbox.contract.states import State

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import (
    LARGEST_LIST,
    Body,
    Caller,
    CommonFilters,
    Mine,
    Present,
    TheCore,
    ThePage,
    correlation_of,
    optional_body,
    read_batch,
    read_body,
)
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.calculations import CalculationChange, LogPart
from qcrbox_registry.services.submission import Submission
from qcrbox_registry.store.lists import CalculationFilter

router = APIRouter(prefix="/api", tags=["calculations"])
Key = Annotated[str | None, Header(alias="Idempotency-Key")]
Reason = Annotated[str | None, Field(max_length=1000)]
USUAL_LOG, LONGEST_LOG = 4 * 1024 * 1024, 32 * 1024 * 1024


class Stop(Body):
    """Body: stop one calculation."""

    reason: Reason = None


class StopMany(Body):
    """Body: stop the listed calculations or those of a batch."""

    calculation_ids: Annotated[list[str], Field(max_length=10_000)] | None = None
    batch_id: Annotated[str | None, Field(max_length=32)] = None
    reason: Reason = None


class ChangePriority(Body):
    """Body: new priority of a queued calculation."""

    priority: Annotated[int, Field(ge=-100, le=100)]
    reason: Reason = None


class ChangeCalculation(Body):
    """Body: new tags or title; what is left out stays."""

    tags: Annotated[list[str], Field(max_length=50)] | None = None
    title: str | None = None


@router.post(
    "/commands",
    status_code=201,
    response_model=models.Success[models.CalculationId],
    openapi_extra=takes(SubmitCommand),
)
async def submit(request: Request, core: TheCore, actor: Caller, key: Key = None) -> Response:
    """Start a command. The same Idempotency-Key gives the same calculation again."""
    command, body = await read_body(request, SubmitCommand)
    submission = Submission(
        actor, [command], idempotency_key=key, content=body, correlation_id=correlation_of(request)
    )
    accepted = await core.submissions.submit(submission)
    return success({"calculation_id": accepted.ids[0]}, "The calculation was accepted.", 201)


@router.post(
    "/commands/batch",
    status_code=201,
    response_model=models.Success[models.CalculationIds],
    openapi_extra=takes(SubmitBatch),
)
async def submit_batch(request: Request, core: TheCore, actor: Caller, key: Key = None) -> Response:
    """Start many commands: all are accepted or none."""
    batch, body = await read_batch(request)
    submission = Submission(
        actor,
        batch.commands,
        is_batch=True,
        idempotency_key=key,
        content=body,
        correlation_id=correlation_of(request),
    )
    accepted = await core.submissions.submit(submission)
    return success(
        {"batch_id": accepted.batch_id, "calculation_ids": accepted.ids},
        f"{len(accepted.ids)} calculations were accepted.",
        201,
    )


async def calculation_filter(
    common: CommonFilters,
    status: Annotated[list[State] | None, Query()] = None,
    application: Annotated[str | None, Query(max_length=255)] = None,
    batch: Annotated[str | None, Query(max_length=32)] = None,
    group: Annotated[str | None, Query(max_length=255, description="home group")] = None,
) -> CalculationFilter:
    """Which calculations a list is asked for."""
    return CalculationFilter(common, [str(state) for state in status or ()], application, batch, group)


@router.get("/calculations", response_model=models.Success[models.Calculations])
async def list_calculations(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    asked: Annotated[CalculationFilter, Depends(calculation_filter)],
    mine: Mine = False,
) -> Response:
    """Calculations you may see, newest first."""
    return success(await core.calculations.page(actor, asked, page, mine=mine))


@router.get("/calculations/{calculation_id}", response_model=models.Success[models.Calculations])
async def get_calculation(
    core: TheCore,
    presence: Present,
    calculation_id: str,
    wait: Annotated[float, Query(ge=0, le=60, description="wait this long, s, for the end")] = 0.0,
) -> Response:
    """One calculation with its whole history. `wait` answers as soon as it has ended."""
    return success({"calculations": [await core.calculations.get_after(presence, calculation_id, wait)]})


@router.post(
    "/calculations/{calculation_id}/stop",
    response_model=models.Success[models.Calculations],
    openapi_extra=takes(Stop, required=False),
)
async def stop(request: Request, core: TheCore, actor: Caller, calculation_id: str) -> Response:
    """End a calculation: at once while it waits, through its agent while it runs."""
    asked = await optional_body(request, Stop)
    stopped = await core.calculations.stop(actor, calculation_id, asked.reason or "")
    return success({"calculations": [stopped]}, "The calculation is being stopped.")


@router.post(
    "/calculations/stop",
    response_model=models.Success[schemas.Stopped],
    openapi_extra=takes(StopMany),
)
async def stop_many(request: Request, core: TheCore, actor: Caller) -> Response:
    """Stop several: body `{"calculation_ids": […]}` or `{"batch_id": …}`. Those that have ended are left alone."""
    asked, _ = await read_body(request, StopMany, LARGEST_LIST)
    stopped = await core.calculations.stop_many(
        actor, asked.calculation_ids, asked.batch_id, asked.reason or ""
    )
    return success({"calculations": stopped})


@router.post(
    "/calculations/{calculation_id}/priority",
    response_model=models.Success[models.Calculations],
    openapi_extra=takes(ChangePriority),
)
async def change_priority(request: Request, core: TheCore, actor: Caller, calculation_id: str) -> Response:
    """Move a waiting calculation in the queue: higher starts earlier. For administrators."""
    core.site.require(actor, "manage")
    asked, _ = await read_body(request, ChangePriority)
    changed = await core.calculations.set_priority(actor, calculation_id, asked.priority, asked.reason or "")
    return success({"calculations": [changed]})


async def log_part(
    stream: Literal["stdout", "stderr", "both"] = "both",
    attempt: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
    start: Annotated[int, Query(ge=0, le=2**53, description="byte of the stream to begin with")] = 0,
    most: Annotated[
        int, Query(ge=1, le=LONGEST_LOG, description="at most about this many bytes")
    ] = USUAL_LOG,
) -> LogPart:
    """Which part of a log is asked for."""
    return LogPart(stream, attempt, start, most)


@router.get("/calculations/{calculation_id}/log", response_model=models.Success[schemas.Log])
async def read_log(
    core: TheCore,
    actor: Caller,
    calculation_id: str,
    part: Annotated[LogPart, Depends(log_part)],
) -> Response:
    """The output of the program. `both` gives the chunks of both streams in the order of time."""
    return success(await core.calculations.log(actor, calculation_id, part))


@router.patch(
    "/calculations/{calculation_id}",
    response_model=models.Success[models.Calculations],
    openapi_extra=takes(ChangeCalculation),
)
async def change_calculation(request: Request, core: TheCore, actor: Caller, calculation_id: str) -> Response:
    """Title and tags of a calculation: `{"title": "…", "tags": […]}`; nothing else of the record is ever changed.

    The output dataset has the same title. An empty title brings the automatic one back.
    """
    asked, _ = await read_body(request, ChangeCalculation)
    change = CalculationChange(asked.title, asked.tags)
    return success({"calculations": [await core.calculations.change(actor, calculation_id, change)]})
