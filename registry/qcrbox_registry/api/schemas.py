"""Answers of ours beside the contract, as models for the OpenAPI page."""

from __future__ import annotations

from typing import Any, Literal

from qcrbox.contract import models
from qcrbox.contract.models import Model
from qcrbox.contract.states import State


class Empty(Model):
    """Nothing to tell."""


class Verified(Model):
    """Result of comparing the stored bytes of a data file with their hash."""

    data_file_id: str
    sha256: str
    found: str | None  # the hash of the stored bytes, "damaged", or null: nothing is stored
    sound: bool


class Upload(Model):
    """Progress of an upload, in bytes."""

    upload_id: str
    offset: int
    size: int
    state: Literal["open", "used"] = "open"
    dataset_id: str | None = None
    data_file_id: str | None = None


class Stored(Model):
    """What an upload has stored."""

    dataset_id: str | None = None
    data_file_id: str | None = None
    datasets: list[models.Dataset] | None = None
    data_files: list[models.DataFile]


class Shares(Model):
    """List of shares."""

    shares: list[models.Share]


class StoppedCalculation(Model):
    """State of a calculation after a request to stop it."""

    calculation_id: str
    status: State
    step: str


class Stopped(Model):
    """Calculations that were asked to stop."""

    calculations: list[StoppedCalculation]


class LogChunk(Model):
    """A piece of a calculation's output."""

    stream: Literal["stdout", "stderr"]
    at: str
    text: str


class Log(Model):
    """Output of one attempt, or a part of it."""

    attempt: int
    text: str
    stream: Literal["stdout", "stderr"] | None = None
    start: int | None = None
    next: int | None = None  # pass as ?start= to continue
    chunks: list[LogChunk] | None = None


class Quota(Model):
    """One limit of a person, a group, or of everyone by default."""

    subject: Literal["person", "group", "default-person", "default-group"]
    name: str
    quota: Literal["gib", "running", "queued", "sessions", "cpu_hours"]
    limit: float


class Quotas(Model):
    """List of limits."""

    quotas: list[Quota]
    total: int  # how many are set that match


class AuditEntry(Model):
    """One entry of the audit trail."""

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
    """A page of the audit trail."""

    audit: list[AuditEntry]
    next: str | None = None


class AuditCheck(Model):
    """Result of checking the hash chain of the audit trail."""

    sound: bool
    broken_at: list[int]  # sequence numbers
    faults: list[str]  # disagreements with the signed heads


class SiteCheck(Model):
    """Result of checking the database against the stored files."""

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
    """Used time and slots by person, group and application."""

    usage: list[Use]


class Amount(Model):
    """A number of objects and their bytes."""

    number: int
    bytes: int


class Retained(Model):
    datasets: int
    files: int
    bytes: int


class Disk(Model):
    """Total and free bytes of the disk that holds the files."""

    total: int
    free: int


class Holder(Model):
    """Bytes held by a person, a group or an application."""

    subject: Literal["person", "group", "application"]  # application: holds its examples
    id: int
    name: str
    bytes: int
    gone_at: str | None


class LargeFile(Model):
    """A data file that is listed for its size."""

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


class Holders(Model):
    """A part of the persons and groups with stored bytes. total: how many there are."""

    holders: list[Holder]
    total: int


class Files(Model):
    """A part of the data files. total: how many there are."""

    files: list[LargeFile]
    total: int


class RetentionRule(Model):
    """A rule that puts old outputs into the trash every day."""

    id: int
    unused_days: float
    group: str | None  # null: outputs of everyone
    reason: str
    by: str
    at: str
    due_at: str  # when it runs next
    last_run_at: str | None
    last_run: Retained


class RetentionRules(Model):
    """List of retention rules."""

    rules: list[RetentionRule]


class FailedStart(Model):
    """An agent that did not come up."""

    agent: str
    launcher: str
    requested_at: str
    ended_at: str | None
    reason: str
    exit_code: int | None
    log: str  # the end of its own output


class FailedStarts(Model):
    """List of agents that did not come up, newest first."""

    failed_starts: list[FailedStart]


class LauncherPass(Model):
    """Permission of a launcher to connect. state: open (the code was not used yet), expired, joined or revoked."""

    id: str
    launcher: str
    state: Literal["open", "expired", "joined", "revoked"]
    by: str
    at: str
    code_expires_at: str
    joined_at: str | None
    address: str  # where the code was used
    revoked_at: str | None


class LauncherPasses(Model):
    """List of launcher passes, newest first."""

    passes: list[LauncherPass]


class NewLauncherPass(Model):
    """A new pass with its join code, which is shown this once."""

    code: str
    launcher_pass: LauncherPass


class JoinedLauncher(Model):
    """What a launcher that joined needs to connect."""

    launcher: str
    token: str
    nats_url: str


class Hold(Model):
    """A hold that is in force."""

    kind: Literal["application", "launcher", "site"]
    object_id: str
    name: str
    mode: Literal["hold", "drain"]
    reason: str
    by: str
    at: str


class Holds(Model):
    """List of holds in force."""

    holds: list[Hold]


class Readiness(Model):
    """Whether the registry can serve, and what is missing."""

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
    """Data of a deleted group or account that waits for a decision."""

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
    """List of data that waits for a decision."""

    leftovers: list[Leftover]


class Decided(Model):
    """A decision that was carried out, with the number of objects by kind."""

    decision_id: str
    objects: dict[str, int]


class Decision(Model):
    """A past decision on the data of a deleted group or account."""

    decision_id: str
    at: str
    by: str
    subject: Literal["group", "person"]
    id: int
    decision: str
    reason: str
    undone_at: str | None


class Decisions(Model):
    """List of past decisions."""

    decisions: list[Decision]


class Undone(Model):
    """A decision that was undone, with the number of objects returned."""

    decision_id: str
    objects: int
