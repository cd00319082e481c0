"""Applications and their commands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from qcrbox.contract.models.base import Model

Implementation = Literal["cli_command", "python_callable", "interactive_session"]


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
    checkpoint: str = (
        ""  # the file that it keeps while it runs; the same call after a failed one continues from it
    )
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
