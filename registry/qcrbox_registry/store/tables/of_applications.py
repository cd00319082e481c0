"""What can be run, and what is known of how long it takes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, String, Table, Text

from qcrbox_registry.store.tables.base import metadata, serial

applications = Table(
    "applications",
    metadata,
    serial(),
    Column("slug", String(255), nullable=False),
    Column("version", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("url", Text),
    Column("email", Text),
    Column("doi", Text),
    Column("yaml_file_path", Text),
    Column("gui_port", String(20)),
    Column("qcrbox_version", String(60), nullable=False, server_default=""),
    Column("spec", JSON, nullable=False),  # the internal model, complete
    Column("spec_hash", String(64), nullable=False),
    Column("notes", JSON, nullable=False, server_default="[]"),
    Column("reuse", String(20), nullable=False, server_default="same-owner"),  # never | same-owner | any
    Column("limits", JSON, nullable=False, server_default="{}"),
    Column("warm", Integer, nullable=False, server_default="0"),
    Column("most_agents", Integer),
    Column("approved", Boolean, nullable=False, server_default=sa.true()),
    Column("retired_at", Float),
    Column(
        "licence_state", String(12), nullable=False, server_default="unknown"
    ),  # unknown | free | granted | needed
    Column("licence_note", Text, nullable=False, server_default=""),
    Column("restricted_to", JSON),  # names of groups, null = everybody
    Column("registered_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    sa.UniqueConstraint("slug", "version"),
)

commands = Table(
    "commands",
    metadata,
    serial(),
    Column("application_id", ForeignKey("applications.id"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("implemented_as", String(40), nullable=False),
    Column("parameters", JSON, nullable=False),  # as the REST contract shows them
    Column("merge_cif_su", Boolean, nullable=False, server_default=sa.false()),
    Column("doi", Text),
    Column("hidden", Boolean, nullable=False, server_default=sa.false()),
    Column("retired_at", Float),  # no longer in the spec; calculations still point here
    sa.UniqueConstraint("application_id", "name"),
)

# What is known of past durations, for an honest estimated start.
command_durations = Table(
    "command_durations",
    metadata,
    Column("command_id", ForeignKey("commands.id"), primary_key=True),
    Column("n", Integer, nullable=False),
    Column("mean_s", Float, nullable=False),
    Column("m2", Float, nullable=False),  # Welford's sum of squared differences
)
