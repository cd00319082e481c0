"""Messages between registry, agents and launchers over NATS. JSON, one model per message.

Subjects:
  commands.<agent>          registry -> agent      JetStream work queue, one durable pull consumer per agent
  events.<agent>            agent -> registry      JetStream; the registry acknowledges after its commit
  heartbeats.<agent>        agent -> registry      core NATS: stale ones are useless and not stored
  control.<agent>           registry -> agent      core NATS: cancel, drain, tunnels
  launchers.<name>.<verb>   registry -> launcher   core NATS request and reply
  events.launcher-<name>    launcher -> registry   JetStream

Every message about a calculation carries its attempt: the fencing token. An older attempt is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from qcrbox.contract.remarks import Remark
from qcrbox.contract.states import State, Step

MOST_PLACES = 100_000
# Places of a launcher for agents. A launcher may say any number; it counts as one that a machine can have.
Places = Annotated[int, AfterValidator(lambda number: min(max(number, 0), MOST_PLACES))]


class Message(BaseModel):
    """Base of all messages: immutable, and tolerant of fields that a newer peer sends."""

    # A newer peer may send fields that are unknown here.
    model_config = ConfigDict(extra="ignore", frozen=True)


# ---------------------------------------------------------------- registry -> agent


class FileRef(Message):
    """An input file: fetched by id with the calculation's own token, checked against the hash."""

    data_file_id: str
    filename: str
    filetype: str = "unknown"
    sha256: str
    size: int


class Command(Message):
    """One attempt of one calculation, on `commands.<agent>`."""

    calculation_id: str
    attempt: int
    correlation_id: str
    application_slug: str
    application_version: str
    command_name: str
    owner: str = ""
    # Complete: defaults are filled in. A file argument is {"data_file_id": id}.
    arguments: dict[str, Any] = Field(default_factory=dict)
    files: list[FileRef] = Field(default_factory=list)
    files_url: str = ""  # base of the agent's file routes in the registry, without trailing slash
    file_token: str = ""  # opens this calculation's files only
    wall_time_s: float | None = None
    interactive: bool = False
    force: bool = False  # hand over a CIF that cannot be converted as it is


class Cancel(Message):
    """Stop an attempt: terminate the program, and kill it after `grace_s` seconds."""

    kind: Literal["cancel"] = "cancel"
    calculation_id: str
    attempt: int
    reason: str = ""
    grace_s: float = 5.0


class Drain(Message):
    """Finish what runs, take nothing new, then exit."""

    kind: Literal["drain"] = "drain"
    reason: str = ""


class EndSession(Message):
    """End a session. keep: run finalise and store its outputs; otherwise discard them."""

    kind: Literal["end_session"] = "end_session"
    calculation_id: str
    attempt: int
    keep: bool = True
    reason: str = ""


class OpenTunnel(Message):
    """Dial `url` with `token` and pump the session's RFB bytes through it."""

    kind: Literal["open_tunnel"] = "open_tunnel"
    calculation_id: str
    attempt: int
    tunnel_id: str
    url: str
    token: str
    view_only: bool = False


Control = Annotated[Cancel | Drain | EndSession | OpenTunnel, Field(discriminator="kind")]

# ---------------------------------------------------------------- agent -> registry


class AgentReady(Message):
    """An agent has started, reconnected or was adopted, and reports what it runs."""

    kind: Literal["agent_ready"] = "agent_ready"
    agent: str
    application_slug: str
    application_version: str
    launcher: str = ""
    host: str = ""
    pid: int = 0
    qcrbox_version: str = ""
    commands: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)  # faults the spec check found inside the container
    busy_with: str | None = None  # calculation id, after a reconnect
    attempt: int | None = None


class Heartbeat(Message):
    """The agent is alive, and which calculation it runs."""

    kind: Literal["heartbeat"] = "heartbeat"
    agent: str
    busy_with: str | None = None
    attempt: int | None = None
    rss_bytes: int = 0


class StepChanged(Message):
    """The attempt reached a step; the first one makes the calculation `running`."""

    kind: Literal["step"] = "step"
    calculation_id: str
    attempt: int
    step: Step
    text: str = ""
    at: float = 0.0  # Unix time, s


class Progress(Message):
    """Coalesced by the agent to at most ten a second."""

    kind: Literal["progress"] = "progress"
    calculation_id: str
    attempt: int
    fraction: float | None = None  # 0..1
    text: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)  # e.g. cycle, R1, max_shift_su
    at: float = 0.0


class Log(Message):
    """A piece of the output of the program."""

    kind: Literal["log"] = "log"
    calculation_id: str
    attempt: int
    stream: Literal["stdout", "stderr"]
    offset: int  # bytes of this stream before `text`; makes a repeated message harmless
    text: str
    at: float = 0.0


# Name under which an attempt stores its checkpoint; no output of a spec can have it.
CHECKPOINT = "checkpoint/"


class OutputFile(Message):
    """An output uploaded through the file routes; `upload_id` comes from the registry."""

    name: str  # output name of the spec, or "" for a file only returned
    filename: str
    filetype: str
    sha256: str
    size: int
    upload_id: str
    primary: bool = False


class Finished(Message):
    """The end of an attempt. Repeating it is harmless; an older attempt is refused."""

    kind: Literal["finished"] = "finished"
    calculation_id: str
    attempt: int
    status: State
    outputs: list[OutputFile] = Field(default_factory=list)
    returncode: int | None = None
    error_msg: str = ""  # what, where, why, next in one text; last log lines included
    warnings: list[str] = Field(default_factory=list)
    remarks: list[Remark] = Field(default_factory=list)
    timings_s: dict[str, float] = Field(default_factory=dict)
    peak_rss_bytes: int = 0
    at: float = 0.0


class SessionState(Message):
    """The window of an interactive session is ready, or its program has ended."""

    kind: Literal["session"] = "session"
    calculation_id: str
    attempt: int
    state: Literal["starting", "open", "program_ended", "finalising"]
    reason: str = ""
    width: int = 0
    height: int = 0


class AgentGone(Message):
    """The agent leaves in order (drained, idle, recycled), or its launcher saw it die."""

    kind: Literal["agent_gone"] = "agent_gone"
    agent: str
    reason: str
    exit_code: int | None = None
    oom_killed: bool = False
    log: str = ""  # the end of its own output, from a launcher; kept for agents that were never ready


class LauncherReady(Message):
    """A launcher has started or reconnected, with its agents, applications and capacity."""

    kind: Literal["launcher_ready"] = "launcher_ready"
    launcher: str
    manager: str
    host: str = ""
    capacity: Places = 0
    running: list[str] = Field(default_factory=list)
    applications: list[dict[str, str]] = Field(default_factory=list)  # slug, version it has approved
    preparing: list[dict[str, str]] = Field(
        default_factory=list
    )  # slug, version, text: why a start takes long
    missing: list[dict[str, str]] = Field(
        default_factory=list
    )  # slug, version, command ("" for every one), text: what is not installed and what an administrator can do


Event = Annotated[
    AgentReady
    | Heartbeat
    | StepChanged
    | Progress
    | Log
    | Finished
    | SessionState
    | AgentGone
    | LauncherReady,
    Field(discriminator="kind"),
]

# ---------------------------------------------------------------- registry -> launcher


class Limits(Message):
    """Resources of one agent; None is no limit."""

    memory_bytes: int | None = None
    cpus: float | None = None
    pids: int | None = None
    disk_bytes: int | None = None


class StartAgent(Message):
    """The only start request a launcher accepts. The program comes from its own approved entry."""

    agent: str
    application_slug: str
    application_version: str
    limits: Limits = Limits()
    enrolment_token: str


class StopAgent(Message):
    """Stop one agent, and kill it after `grace_s` seconds."""

    agent: str
    grace_s: float = 5.0
    reason: str = ""


class RunningAgent(Message):
    """One agent of a launcher, running or ended."""

    agent: str
    application_slug: str
    application_version: str
    started_at: float = 0.0
    handle: str = ""  # pid or container id
    alive: bool = True
    exit_code: int | None = None
    oom_killed: bool = False


class LauncherAnswer(Message):
    """The reply to a start, stop or list request."""

    ok: bool
    error: str = ""
    agents: list[RunningAgent] = Field(default_factory=list)
    free: Places = 0  # how many more agents this launcher would start now


control_adapter: TypeAdapter[Control] = TypeAdapter(Control)
event_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def subject_commands(agent: str) -> str:
    """Subject of the commands for an agent."""
    return f"commands.{agent}"


def subject_events(agent: str) -> str:
    """Subject of the events of an agent or launcher."""
    return f"events.{agent}"


def subject_heartbeats(agent: str) -> str:
    """Subject of the heartbeats of an agent."""
    return f"heartbeats.{agent}"


def subject_control(agent: str) -> str:
    """Subject of the control messages for an agent."""
    return f"control.{agent}"


def subject_launcher(name: str, verb: Literal["start", "stop", "list"]) -> str:
    """Subject of a request to a launcher."""
    return f"launchers.{name}.{verb}"
