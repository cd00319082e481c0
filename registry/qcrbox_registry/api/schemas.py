"""Answers of ours beside the contract, as models for the OpenAPI page."""

from __future__ import annotations

from typing import Any, Literal

from qcrbox.contract import models
from qcrbox.contract.models import Model
from qcrbox.contract.states import State


class Empty(Model):
    """Nothing to tell."""


class Verified(Model):
    data_file_id: str
    sha256: str
    found: str | None  # the hash of the stored bytes, "damaged", or null: nothing is stored
    sound: bool


class Upload(Model):
    upload_id: str
    offset: int
    size: int
    state: Literal["open", "used"] = "open"
    dataset_id: str | None = None
    data_file_id: str | None = None


class Stored(Model):
    dataset_id: str | None = None
    data_file_id: str | None = None
    datasets: list[models.Dataset] | None = None
    data_files: list[models.DataFile]


class Shares(Model):
    shares: list[models.Share]


class StoppedCalculation(Model):
    calculation_id: str
    status: State
    step: str


class Stopped(Model):
    calculations: list[StoppedCalculation]


class LogChunk(Model):
    stream: Literal["stdout", "stderr"]
    at: str
    text: str


class Log(Model):
    attempt: int
    text: str
    stream: Literal["stdout", "stderr"] | None = None
    start: int | None = None
    next: int | None = None  # give as ?start= to go on
    chunks: list[LogChunk] | None = None


class Quota(Model):
    subject: Literal["person", "group", "default-person", "default-group"]
    name: str
    quota: Literal["gib", "running", "queued", "sessions", "cpu_hours"]
    limit: float


class Quotas(Model):
    quotas: list[Quota]


class AuditEntry(Model):
    seq: int
    at: str
    who: str
    address: str
    action: str
    kind: str
    object_id: str
    allowed: bool
    details: dict[str, Any]
    previous: str
    hash: str


class AuditPage(Model):
    audit: list[AuditEntry]
    next: str | None = None


class AuditCheck(Model):
    sound: bool
    broken_at: list[int]  # sequence numbers
    faults: list[str]  # disagreements with the signed heads


class SiteCheck(Model):
    sound: bool
    faults: list[str]


class Use(Model):
    """Calculations and sessions now, CPU hours of this month (UTC). limits: null is unlimited."""

    subject: Literal["person", "group"]
    name: str
    gib: float
    running: int
    queued: int
    sessions: int
    cpu_hours: float
    limits: dict[Literal["gib", "running", "queued", "sessions", "cpu_hours"], float | None]


class Usage(Model):
    usage: list[Use]


class Amount(Model):
    number: int
    bytes: int


class Retained(Model):
    datasets: int
    files: int
    bytes: int


class Disk(Model):
    total: int
    free: int


class Holder(Model):
    subject: Literal["person", "group", "application"]  # application: holds its examples
    id: int
    name: str
    bytes: int
    gone_at: str | None


class LargeFile(Model):
    qcrbox_file_id: str
    filename: str
    size: int
    owner: str
    group: str | None
    created_at: str


class Storage(Model):
    """contents: stored bytes, each content once; unused: contents that no file points to any more."""

    contents: Amount
    files: Amount
    trash: Amount
    unused: Amount
    undo_days: float
    disk: Disk
    holders: list[Holder]
    largest: list[LargeFile]


class Hold(Model):
    kind: Literal["application", "launcher", "site"]
    object_id: str
    name: str
    mode: Literal["hold", "drain"]
    reason: str
    by: str
    at: str


class Holds(Model):
    holds: list[Hold]


class Readiness(Model):
    status: Literal["ready", "not ready"]
    missing: dict[str, str]  # part -> what is wrong
    notes: dict[str, str]
    since: dict[str, str]  # part -> when that was first noticed
    uptime_s: float


class SiteStatus(Model):
    """Queue, agents and launchers as the scheduler sees them."""

    waiting: int
    running: int
    sessions: int  # interactive sessions that are open
    waiting_by_application: dict[str, int]
    waits: dict[str, str]  # application -> why its calculations wait
    failed_starts: dict[str, str]  # application -> why its last start failed, until one succeeds
    agents: list[dict[str, Any]]
    launchers: list[dict[str, Any]]
    counters: dict[str, int]
    nats: Any


class Leftover(Model):
    subject: Literal["group", "person"]
    id: int
    name: str
    gone_at: str
    held_until: str | None
    datasets: int
    data_files: int
    calculations: int
    bytes: int
    decision: str | None  # the newest one that was not undone


class Leftovers(Model):
    leftovers: list[Leftover]


class Decided(Model):
    decision_id: str
    objects: dict[str, int]


class Decision(Model):
    decision_id: str
    at: str
    by: str
    subject: Literal["group", "person"]
    id: int
    decision: str
    reason: str
    undone_at: str | None


class Decisions(Model):
    decisions: list[Decision]


class Undone(Model):
    decision_id: str
    objects: int
