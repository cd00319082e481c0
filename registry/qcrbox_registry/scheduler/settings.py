"""Every number the scheduler works with, with its reason."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SchedulerSettings(BaseModel):
    """Settings of the scheduler; times in seconds."""

    model_config = ConfigDict(frozen=True)

    half_life_s: float = Field(6 * 3600.0, description="Past use of slots counts half after this time, s.")
    ageing_s: float = Field(
        600.0,
        description="Waiting this long, s, is worth one step of priority, so every calculation starts eventually.",
    )
    most_losses: int = Field(3, description="After this many lost agents a calculation fails.")
    lost_after_s: float = Field(15.0, description="An agent without a heartbeat for this long, s, is lost.")
    started_within_s: float = Field(
        300.0,
        description="An agent must be ready within this time of its start, s; environments may be built first.",
    )
    taken_within_s: float = Field(
        20.0, description="A command that an idle agent has not taken after this time, s, is delivered again."
    )
    idle_s: float = Field(
        300.0, description="An agent without work for this long, s, is stopped unless it is kept warm."
    )
    warm_before_s: float = Field(
        300.0, description="Agents for a booked class are started this long, s, before it begins."
    )
    most_booked: float = Field(
        0.8, ge=0.0, le=1.0, description="At most this share of the places can be booked for classes."
    )
    owner_slice_s: float = Field(
        1.0,
        description="While others wait for a slot, an agent stays with its owner for this long, s, before it is recycled.",
    )
    cancel_grace_s: float = Field(5.0, description="SIGTERM to SIGKILL, s.")
    cancel_patience_s: float = Field(
        15.0,
        description="An agent that has not ended a cancelled calculation after this time, s, is stopped.",
    )
    wall_time_grace_s: float = Field(
        30.0,
        description="The agent ends what exceeds its wall time; after this much more, s, the registry does.",
    )
    default_wall_time_s: float | None = Field(
        None, description="Wall-time limit where the command names none, s."
    )
    look_ahead_s: float = Field(
        0.25, description="An agent may hold further commands of the same owner worth this much time, s."
    )
    most_look_ahead: int = Field(32, description="At most this many commands are with one agent at a time.")
    most_agents_per_application: int = Field(16, description="Unless the application says otherwise.")
    start_worth_s: float = Field(
        2.0,
        description="One more agent is started for each this much waiting work, s; a start costs about that.",
    )
    start_failures: int = Field(
        3,
        description="After this many failed starts in a row the calculation that waits longest fails with the reason.",
    )
    start_backoff_s: float = Field(1.0, description="Pause after a failed start, s; doubles up to a minute.")
    launcher_list_s: float = Field(
        10.0, description="How often each launcher's list is compared with ours, s."
    )
    launcher_lost_after_s: float = Field(
        30.0, description="A launcher that has not answered for this long, s, gets no new agents."
    )
    tick_s: float = Field(0.5, description="How often the reconciling loop looks at everything, s.")
    running_per_person: int | None = Field(
        None, description="Running at the same time, unless a quota says otherwise."
    )
    running_per_group: int | None = Field(None, description="As above, for a group.")
    token_life_s: float = Field(
        7 * 86400.0, description="Life of enrolment and file tokens, s; both end earlier by revocation."
    )
