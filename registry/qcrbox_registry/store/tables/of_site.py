"""The site: audit trail, small facts, retention rules, decisions on the data of deleted groups and accounts."""

from __future__ import annotations

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

from qcrbox_registry.store.tables.base import ObjectId, metadata, serial

audit = Table(
    "audit",
    metadata,
    serial("seq"),
    Column("at", Float, nullable=False),
    Column("who_id", Integer),
    Column("who", String(255), nullable=False),
    Column("address", String(64), nullable=False, server_default=""),
    Column("action", String(255), nullable=False),
    Column("kind", String(24), nullable=False, server_default=""),
    Column("object_id", String(255), nullable=False, server_default=""),
    Column("allowed", Boolean, nullable=False),
    Column("details", JSON, nullable=False, server_default="{}"),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_audit_object", audit.c.object_id)
Index("ix_audit_who", audit.c.who_id, audit.c.seq)

# Small facts of the installation: schema of the object store, its id, when it was last checked.
site = Table(
    "site", metadata, Column("key", String(60), primary_key=True), Column("value", JSON, nullable=False)
)

# What an administrator decided for the data of a group or account that is gone.
handovers = Table(
    "handovers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", Float, nullable=False),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("subject", String(8), nullable=False),  # person | group
    Column("subject_id", Integer, nullable=False),
    Column("decision", String(12), nullable=False),  # archive | delete | group | owners | person
    Column("to_id", Integer),  # the group or person it was handed to
    Column("reason", Text, nullable=False, server_default=""),
    Column("undone_at", Float),
)
Index("ix_handovers_subject", handovers.c.subject, handovers.c.subject_id)

# Each object concerned, as it was before: what an undo needs.
handover_items = Table(
    "handover_items",
    metadata,
    Column("handover_id", ForeignKey("handovers.id"), primary_key=True),
    Column("kind", String(12), primary_key=True),  # dataset | data_file | calculation
    Column("object_id", ObjectId(32), primary_key=True),
    Column("owner_id", Integer, nullable=False),
    Column("group_id", Integer),
)

# Rules that put old outputs into the trash every day. The three amounts are those of the last run.
retention_rules = Table(
    "retention_rules",
    metadata,
    serial(),
    Column("unused_days", Float, nullable=False),
    Column("group_id", Integer),  # null: outputs of everyone
    Column("reason", Text, nullable=False),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("last_run_at", Float),
    Column("datasets", Integer, nullable=False, server_default="0"),
    Column("files", Integer, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
)
