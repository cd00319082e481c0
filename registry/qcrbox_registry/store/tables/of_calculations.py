"""Calculations, what went in and came out, and everything that happened."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from qcrbox_registry.store.tables.base import DatasetId, ObjectId, metadata, serial

calculations = Table(
    "calculations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner_id", ForeignKey("people.id"), nullable=False),
    Column("group_id", ForeignKey("groups.id")),  # home group
    Column("application_id", ForeignKey("applications.id"), nullable=False),
    Column("command_id", ForeignKey("commands.id"), nullable=False),
    Column("application_slug", String(255), nullable=False),
    Column("application_version", String(255), nullable=False),
    Column("command_name", String(255), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("interactive", Boolean, nullable=False, server_default=sa.false()),
    Column("name", Text, nullable=False, server_default=""),  # given by a person
    # The parts of a title without a name: what went in, what was done, how it ended.
    Column("subject", Text, nullable=False, server_default=""),
    Column("done", Text, nullable=False, server_default=""),
    Column("verdict", Text, nullable=False, server_default=""),
    Column("correlation_id", String(64), nullable=False),
    Column("batch_id", String(32)),
    Column("state", String(12), nullable=False),
    Column("step", String(12), nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),  # the fencing token
    Column("losses", Integer, nullable=False, server_default="0"),  # agents lost under it
    Column("agent_id", String(63)),  # set = handed to this agent
    Column("not_before", Float),  # waits until then after a lost attempt
    Column("wall_time_s", Float),
    Column("submitted_at", Float, nullable=False),
    Column("assigned_at", Float),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("cancel_requested_at", Float),
    Column("cancel_reason", Text, nullable=False, server_default=""),
    Column("output_dataset_id", DatasetId),
    Column("returncode", Integer),
    Column("error_msg", Text, nullable=False, server_default=""),
    Column("warnings", JSON, nullable=False, server_default="[]"),
    Column(
        "remarks", JSON, nullable=False, server_default="[]"
    ),  # notes and what was not applied, with their kind
    Column("timings_s", JSON, nullable=False, server_default="{}"),
    Column("peak_rss_bytes", BigInteger),
    Column("dead_letter", Boolean, nullable=False, server_default=sa.false()),
    Column("repeat_of", String(32)),
    Column("force", Boolean, nullable=False, server_default=sa.false()),  # hand a CIF over as it is
)
_waiting = (calculations.c.state == "submitted") & calculations.c.agent_id.is_(None)
_active = calculations.c.agent_id.isnot(None) & calculations.c.finished_at.is_(None)
# The scheduler's question: the oldest of the highest priority, of one person, for one application.
Index(
    "ix_calculations_queue",
    calculations.c.owner_id,
    calculations.c.application_id,
    calculations.c.priority.desc(),
    calculations.c.id,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
# What is out with an agent, to reconcile: as small as the number of agents.
Index("ix_calculations_active", calculations.c.agent_id, sqlite_where=_active, postgresql_where=_active)
# "My calculations, newest first", and the same for a group.
Index("ix_calculations_owner", calculations.c.owner_id, calculations.c.id)
Index(
    "ix_calculations_group",
    calculations.c.group_id,
    calculations.c.id,
    sqlite_where=calculations.c.group_id.isnot(None),
    postgresql_where=calculations.c.group_id.isnot(None),
)
Index(
    "ix_calculations_batch",
    calculations.c.batch_id,
    sqlite_where=calculations.c.batch_id.isnot(None),
    postgresql_where=calculations.c.batch_id.isnot(None),
)

calculation_inputs = Table(
    "calculation_inputs",
    metadata,
    Column("calculation_id", ForeignKey("calculations.id"), primary_key=True),
    Column("parameter", String(255), primary_key=True),
    Column("data_file_id", ForeignKey("data_files.id"), nullable=False, index=True),
)

calculation_outputs = Table(
    "calculation_outputs",
    metadata,
    Column("calculation_id", ForeignKey("calculations.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", String(255), nullable=False, server_default=""),
    Column("data_file_id", ForeignKey("data_files.id"), nullable=False, unique=True),
    Column("is_primary", Boolean, nullable=False, server_default=sa.false()),
)

events = Table(
    "events",
    metadata,
    serial("seq"),
    Column("at", Float, nullable=False),
    Column("kind", String(24), nullable=False),  # calculation | dataset | data_file | session | application …
    Column("object_id", ObjectId(64), nullable=False),
    Column("status", String(12), nullable=False, server_default=""),
    Column("step", String(12), nullable=False, server_default=""),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("owner_id", Integer),  # null = everybody may see it
    Column("group_id", Integer),
    Column("payload", JSON, nullable=False, server_default="{}"),
    sqlite_autoincrement=True,
)
Index("ix_events_object", events.c.object_id, events.c.seq)

progress = Table(
    "progress",
    metadata,
    Column("calculation_id", ForeignKey("calculations.id"), primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("fraction", Float),
    Column("text", Text, nullable=False, server_default=""),
    Column("metrics", JSON, nullable=False, server_default="{}"),
    Column("history", JSON, nullable=False, server_default="[]"),  # the metrics so far, thinned
    Column("at", Float, nullable=False),
)

log_chunks = Table(
    "log_chunks",
    metadata,
    Column("calculation_id", ForeignKey("calculations.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("stream", String(6), primary_key=True),  # stdout | stderr
    Column("offset", BigInteger, primary_key=True),  # bytes of the stream before this chunk
    Column("size", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("text", Text, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner_id", ForeignKey("people.id"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("answer", JSON, nullable=False),
    Column("at", Float, nullable=False, index=True),
)
