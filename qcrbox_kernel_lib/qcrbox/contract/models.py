"""The REST contract as models: responses and request bodies of the registry.

Names and types of the contract's own fields are fixed; additions follow them and are optional for a
reader, and unknown fields are ignored, so that clients and registries of different versions work together.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from qcrbox.contract.remarks import Remark
from qcrbox.contract.states import State

P = TypeVar("P")
Implementation = Literal["cli_command", "python_callable", "interactive_session"]


class Model(BaseModel):
    """Base of the models: unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


def iso(at: float | None) -> str | None:
    """Unix seconds as ISO-8601 text in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


# ---------------------------------------------------------------- envelope


class Success(Model, Generic[P]):
    """Every answer but downloads, 204 and /api/healthz."""

    status: Literal["success"] = "success"
    message: str = ""
    timestamp: str = ""
    payload: P


class ErrorBody(Model):
    """An error: code and message of the contract, then the parts of the text and further fields."""

    code: int
    message: str
    details: str | list[str]
    # additions to the contract
    kind: str = "error"
    what: str = ""
    where: str = ""
    why: str = ""
    next: str = ""
    fields: dict[str, Any] = Field(default_factory=dict)


class Failure(Model):
    """The envelope of every error."""

    status: Literal["error"] = "error"
    error: ErrorBody


class Health(Model):
    """The answer of /api/healthz."""

    status: Literal["ok"] = "ok"


# ---------------------------------------------------------------- applications


class Command(Model):
    """One command of an application with its parameters."""

    id: int
    application_id: int
    name: str
    cmd_name: str
    application: str  # slug
    version: str
    description: str
    implemented_as: Implementation
    parameters: dict[str, dict[str, Any]]
    merge_cif_su: bool
    doi: str | None
    # additions to the contract
    outputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    interactive: bool = False
    title: str = ""  # pattern of what a call does
    estimate: str = ""  # the command of the same application that says what a call would cost
    missing: str = ""  # what is not installed for it, and what an administrator can do


class Application(Model):
    """One version of an application with its commands."""

    name: str
    slug: str
    version: str
    id: int
    registered_at: str
    commands: list[Command]
    description: str | None
    url: str = ""  # never null
    email: str | None
    doi: str | None
    yaml_file_path: str | None
    gui_port: str | None
    pyqcrbox_version: str
    # additions to the contract
    notes: list[Any] = Field(default_factory=list)
    licence: str = ""  # as the specification gives it
    licence_state: str = (
        "unknown"  # unknown | free | granted | needed: what an administrator says of this site
    )
    licence_note: str = ""
    held: str = ""  # why nothing of it is started at present
    missing: str = (
        ""  # why none of its commands can be run: what is not installed, and what an administrator can do
    )
    retired: bool = False
    restricted_to: list[str] | None = None  # names of groups; None: everybody
    agents: int = 0


class Applications(Model):
    """The answer of GET /api/applications."""

    applications: list[Application]


class Commands(Model):
    """The answer of GET /api/commands."""

    commands: list[Command]


# ---------------------------------------------------------------- calculations


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
    repeat_of: str | None = None


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


# ---------------------------------------------------------------- data


class DataFile(Model):
    """A stored file with what the index knows about it."""

    qcrbox_file_id: str
    filename: str
    filetype: str
    qcrbox_dataset_id: str | None
    # additions to the contract
    sha256: str = ""
    size: int = 0
    created_at: str | None = None
    calculation_id: str | None = None
    index: dict[str, Any] | None = None
    tags: list[str] = Field(default_factory=list)
    owner: str = ""
    deleted_at: str | None = None


class Dataset(Model):
    """A dataset with its files by name."""

    qcrbox_dataset_id: str
    data_files: dict[str, DataFile]
    # additions to the contract
    name: str = ""
    description: str = ""
    kind: Literal["data", "output", "example"] = "data"
    owner: str = ""
    group: str | None = None
    created_at: str | None = None
    changed_at: str | None = None
    deleted_at: str | None = None
    calculation_id: str | None = None
    application: str | None = None
    read_only: bool = False
    tags: list[str] = Field(default_factory=list)


class Datasets(Model):
    """A page of datasets."""

    datasets: list[Dataset]
    next: str | None = None


class DataFiles(Model):
    """A page of data files."""

    data_files: list[DataFile]
    next: str | None = None


class NewDataset(Model):
    """A dataset that was just stored, with its files."""

    datasets: list[Dataset]
    data_files: list[DataFile]


class Appended(NewDataset):
    """A dataset and the file that was added to it."""

    appended_file: DataFile


# ---------------------------------------------------------------- sessions


class Session(Model):
    """An interactive session."""

    session_id: str
    client_private_inbox: str
    command_name: str
    arguments: dict[str, Any]
    application_slug: str | None
    application_version: str | None
    # additions to the contract
    state: str = ""
    status: State = State.SUBMITTED
    step: str = ""
    reason: str = ""
    name: str = ""
    title: str = ""
    owner: str = ""
    group: str | None = None
    opened_at: str | None = None
    last_input_at: str | None = None
    closed_at: str | None = None
    idle_limit_s: float | None = None
    idle_ends_at: str | None = None  # end of the session without further input
    warned_at: str | None = None  # set while the idle warning is shown
    width: int | None = None
    height: int | None = None
    view_only_allowed: bool = False
    output_dataset_id: str | None = None


class SessionId(Model):
    """The answer to the start of a session."""

    interactive_session_id: str


class Sessions(Model):
    """A page of sessions."""

    interactive_sessions: list[Session]
    next: str | None = None


class ClosedSession(Model):
    """A session that was closed, with its outputs."""

    session_id: str
    status: str
    output_dataset_id: str | None = None
    error_msg: str | None = None
    warnings: list[str] | None = None  # addition, for example that nothing was changed


class ClosedSessions(Model):
    """The answer to closing a session."""

    interactive_sessions: list[ClosedSession]


# ---------------------------------------------------------------- beside the contract


class Me(Model):
    """The person that asks: groups, roles and quotas."""

    name: str
    groups: list[str]
    roles: dict[str, list[str]]  # role -> groups, or ["*"]
    home_group: str | None = None
    quotas: list[dict[str, Any]] = Field(default_factory=list)


class LineageNode(Model):
    """A file or calculation in a lineage; `hidden` when the person may not see it."""

    kind: Literal["data_file", "calculation", "hidden"]
    id: str
    label: str
    depth: int
    details: dict[str, Any] = Field(default_factory=dict)


class LineageEdge(Model):
    """An edge from an input to what was made from it."""

    source: str
    target: str
    role: str = ""  # parameter or output name


class Lineage(Model):
    """The graph of files and calculations around an object."""

    nodes: list[LineageNode]
    edges: list[LineageEdge]
    truncated: bool = False


class ProjectFile(Model):
    """A file of a node of a project."""

    qcrbox_file_id: str
    filename: str


class ProjectNode(Model):
    """A dataset, or a calculation with its result, as a node of a project's tree."""

    kind: Literal["dataset", "calculation"]
    id: str
    category: Literal["data", "model", "refinement", "session", "surface", "report", "calculation"]
    parent: str | None  # the node it was made from; null: a beginning
    beside: list[str]  # nodes whose files were used beside the main input
    title: str
    verdict: str
    status: str  # state of a calculation; "" for a dataset
    doubtful: bool  # finished with warnings, or not converged
    command: str  # application.command
    owner: str
    at: str
    note: str
    pinned: bool
    newest: bool  # the newest model of the project
    dataset_id: str | None  # of a calculation: its result
    structure: str | None  # data file of its structure
    files: list[ProjectFile]
    r1: float | None = None


class Project(Model):
    """What belongs to one crystal, in short."""

    id: str
    name: str
    owner: str
    note: str
    pinned: bool
    formula: str
    space_group: str
    cell: list[float | None]  # a, b, c in Å, α, β, γ in °; empty when unknown
    cell_text: list[str] = []  # the same with their s.u.; empty for files that were indexed without
    changed_at: str
    counts: dict[str, int]  # category of nodes -> how many
    running: int  # calculations that have not ended
    newest: ProjectNode | None  # the newest model
    hits: list[ProjectNode]  # nodes that fit the search


class Projects(Model):
    """Projects that fit a search."""

    projects: list[Project]
    total: int
    truncated: bool = False  # the oldest calculations are left out


class ProjectTree(Model):
    """A project with its nodes, each after its parent."""

    project: Project
    nodes: list[ProjectNode]


class Annotation(Model):
    """What a person added to a dataset or calculation."""

    note: str
    pinned: bool
    project: str | None = None


class Share(Model):
    """A right that was given to a person or group."""

    id: str
    kind: str
    object_id: str
    person: str | None = None
    group: str | None = None
    mode: Literal["read", "write", "view"]
    by: str
    at: str
    expires_at: str | None = None
