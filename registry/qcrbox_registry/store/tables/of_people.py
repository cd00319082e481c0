"""Who: persons, groups, what they share and use, their limits."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table

from qcrbox_registry.store.tables.base import ObjectId, metadata, serial

people = Table(
    "people",
    metadata,
    serial(),
    Column("name", String(255), nullable=False),
    # What a re-created account of the same name does not get: the hub's time of creation, or "local".
    Column("stable_id", String(255), nullable=False),
    Column("kind", String(20), nullable=False, server_default="person"),  # person | application | site
    Column("created_at", Float, nullable=False),
    Column("last_seen_at", Float),
    Column("last_group_id", Integer),
    Column("gone_at", Float),  # account deleted at the hub; private data is held 30 days
    sa.UniqueConstraint("name", "stable_id"),
)

groups = Table(
    "groups",
    metadata,
    serial(),
    Column("name", String(255), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("gone_at", Float),
)

shares = Table(
    "shares",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(12), nullable=False),  # dataset | data_file | calculation | session
    Column("object_id", ObjectId(32), nullable=False),
    Column("person_id", ForeignKey("people.id")),
    Column("group_id", ForeignKey("groups.id")),
    Column("mode", String(8), nullable=False),  # read | write | view
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
)
Index("ix_shares_object", shares.c.object_id)
Index("ix_shares_person", shares.c.person_id, shares.c.kind)
Index("ix_shares_group", shares.c.group_id, shares.c.kind)

# The counters the caps look at; kept by store/calculations.py in the same transaction as the state.
loads = Table(
    "loads",
    metadata,
    Column("subject", String(8), primary_key=True),  # person | group
    Column("subject_id", Integer, primary_key=True),
    Column("application_id", Integer, primary_key=True),
    Column("queued", Integer, nullable=False, server_default="0"),
    Column("running", Integer, nullable=False, server_default="0"),  # handed to an agent, not finished
)

# Bytes of files that are there, for the storage quota; kept by store/datasets.py.
storage = Table(
    "storage",
    metadata,
    Column("subject", String(8), primary_key=True),  # person | group
    Column("subject_id", Integer, primary_key=True),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
)

usage = Table(
    "usage",
    metadata,
    Column("subject", String(8), primary_key=True),  # person | group
    Column("subject_id", Integer, primary_key=True),
    Column("decayed_s", Float, nullable=False),  # slot seconds, halved every half-life
    Column("decayed_at", Float, nullable=False),
    Column("cpu_s", Float, nullable=False, server_default="0"),  # in the current month
    Column("month", String(7), nullable=False, server_default=""),
)

quotas = Table(
    "quotas",
    metadata,
    Column("subject", String(16), primary_key=True),  # person | group | default-person | default-group
    Column("subject_id", Integer, primary_key=True),  # 0 for the defaults
    Column("quota", String(20), primary_key=True),  # gib | running | queued | sessions | cpu_hours
    Column("limit", Float, nullable=False),
    Column("by_id", ForeignKey("people.id")),
    Column("at", Float, nullable=False),
)
