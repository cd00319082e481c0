"""Interactive sessions."""

from __future__ import annotations

from typing import Any

from qcrbox.contract.models.base import Model
from qcrbox.contract.states import State


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
