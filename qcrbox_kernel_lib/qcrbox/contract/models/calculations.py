"""Calculations: what is submitted, and what became of it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from qcrbox.contract.models.base import Model
from qcrbox.contract.remarks import Remark
from qcrbox.contract.states import State


class StatusEvent(Model):
    """One change of the state of a calculation."""

    calculation_id: str
    status: State
    stdout: str | None = None
    stderr: str | None = None
    output_dataset_id: str | None = None
    extra_info: dict[str, Any] = Field(default_factory=dict)
    timestamp: str
    seq: int = 0


class Calculation(Model):
    """A calculation with its events, progress and place in the queue."""

    calculation_id: str
    client_private_inbox: str
    application_slug: str
    application_version: str
    command_name: str
    status: State
    command_arguments: dict[str, Any]
    status_events: list[StatusEvent]
    output_dataset_id: str | None
    # additions to the contract
    name: str = ""  # given by a person
    title: str = ""  # the name, else what went in, what was done and how it ended
    owner: str = ""
    group: str | None = None
    step: str = ""
    attempt: int = 0
    submitted_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    error_msg: str = ""
    returncode: int | None = None
    warnings: list[str] = Field(default_factory=list)
    remarks: list[Remark] = Field(default_factory=list)  # notes, and what was not applied
    timings_s: dict[str, float] = Field(default_factory=dict)
    progress: dict[str, Any] | None = None
    queue: dict[str, Any] | None = None  # place, reason, estimated_start
    tags: list[str] = Field(default_factory=list)
    interactive: bool = False
    correlation_id: str = ""
    batch_id: str | None = None
    repeat_of: str | None = None


class SubmitCommand(BaseModel):
    """The body of POST /api/commands."""

    model_config = ConfigDict(extra="ignore", str_max_length=1_000_000)

    application_slug: str = Field(min_length=1, max_length=255)
    application_version: str = Field(min_length=1, max_length=255)
    command_name: str = Field(min_length=1, max_length=255)
    command_arguments: dict[str, Any] = Field(default_factory=dict)
    # additions to the contract
    name: str = Field(default="", max_length=500)
    group: str | None = Field(default=None, max_length=255)
    priority: int = Field(default=0, ge=-10, le=10)
    force: bool = False  # hand over a CIF that lacks required entries
    wall_time_s: float | None = Field(default=None, gt=0, le=31_536_000)
    tags: list[str] = Field(default_factory=list, max_length=50)
    repeat_of: str | None = Field(default=None, max_length=64)


class SubmitBatch(BaseModel):
    """The body of POST /api/commands/batch: all are accepted or none."""

    commands: list[SubmitCommand] = Field(min_length=1, max_length=10_000)


class StartSession(BaseModel):
    """The body of POST /api/interactive-sessions."""

    model_config = ConfigDict(extra="ignore")

    application_slug: str = Field(min_length=1, max_length=255)
    application_version: str = Field(min_length=1, max_length=255)
    command_arguments: dict[str, Any] = Field(default_factory=dict)
    # addition: which interactive command, when there are several
    command_name: str | None = Field(default=None, max_length=255)
    name: str = Field(default="", max_length=500)
    group: str | None = Field(default=None, max_length=255)
    force: bool = False
    width: int | None = Field(default=None, ge=320, le=7680)
    height: int | None = Field(default=None, ge=240, le=4320)


class CalculationId(Model):
    """The answer to a submission."""

    calculation_id: str


class CalculationIds(Model):
    """The answer to the submission of a batch."""

    batch_id: str
    calculation_ids: list[str]


class Calculations(Model):
    """A page of calculations."""

    calculations: list[Calculation]
    next: str | None = None  # give as ?after= for the next page


class StoppedCalculation(Model):
    """The answer to a stop request."""

    calculation_id: str
    status: State
    step: str = ""
