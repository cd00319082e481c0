"""What runs calculations: sessions, agents, launchers, holds."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Integer, String, Table, Text

from qcrbox_registry.store.tables.base import metadata

sessions = Table(
    "sessions",
    metadata,
    Column("calculation_id", ForeignKey("calculations.id"), primary_key=True),
    Column("owner_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("group_id", Integer),
    Column("state", String(16), nullable=False),  # starting | open | program_ended | finalising | closed
    Column("reason", Text, nullable=False, server_default=""),
    Column("keep", Boolean),  # what was asked for at the end
    Column("width", Integer),
    Column("height", Integer),
    Column("opened_at", Float),
    Column("last_input_at", Float),
    Column("warned_at", Float),
    Column("closed_at", Float),
    Column("view_only_allowed", Boolean, nullable=False, server_default=sa.false()),
)

agents = Table(
    "agents",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("application_id", ForeignKey("applications.id"), nullable=False, index=True),
    Column("launcher", String(63), nullable=False, server_default=""),
    # requested | starting | idle | busy | draining | stopping | gone
    Column("state", String(12), nullable=False, index=True),
    Column("busy_with", String(32)),
    Column("attempt", Integer),
    Column("owner_id", Integer),  # the person it has worked for, for the owner rule
    Column("enrolment_hash", String(64)),
    Column("user_nkey", String(80)),
    Column("host", Text, nullable=False, server_default=""),
    Column("pid", Integer),
    Column("handle", Text, nullable=False, server_default=""),
    Column("qcrbox_version", String(60), nullable=False, server_default=""),
    Column("notes", JSON, nullable=False, server_default="[]"),
    Column("rss_bytes", BigInteger),
    Column("requested_at", Float, nullable=False),
    Column("ready_at", Float),
    Column("idle_since", Float),
    Column("last_seen_at", Float),
    Column("gone_at", Float),
    Column("exit_code", Integer),
    Column("reason", Text, nullable=False, server_default=""),
    # It ended by a fault before it was ready; the end of its own output.
    Column("failed_start", Boolean, nullable=False, server_default=sa.false()),
    Column("log", Text, nullable=False, server_default=""),
)

launchers = Table(
    "launchers",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("manager", String(40), nullable=False),
    Column("host", Text, nullable=False, server_default=""),
    Column("capacity", Integer, nullable=False, server_default="0"),
    Column("free", Integer),
    Column("applications", JSON, nullable=False, server_default="[]"),
    Column("last_seen_at", Float, nullable=False),
    Column("first_seen_at", Float, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("kind", String(12), primary_key=True),  # application | launcher | site
    Column(
        "object_id", String(63), primary_key=True
    ),  # the application's id as text, the launcher's name, ""
    Column("mode", String(8), nullable=False),  # hold | drain
    Column("reason", Text, nullable=False),
    Column("by_id", ForeignKey("people.id")),
    Column("at", Float, nullable=False),
)

# Permission of a launcher to connect, without a seed in the data folder. Its join code works once, until it expires.
launcher_passes = Table(
    "launcher_passes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("launcher", String(63), nullable=False),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("code_expires_at", Float, nullable=False),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("joined_at", Float),
    Column("address", String(64), nullable=False, server_default=""),  # where the code was used
    Column("revoked_at", Float),
)
