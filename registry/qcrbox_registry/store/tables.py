"""All tables. Times are Unix seconds (float, UTC); ids that leave the registry are opaque text.

Calculations, datasets and files carry time-ordered random ids (`new_id`), so that "newest first" is a walk
down the primary key, whatever the size of the table. Each index below names the question it answers.
"""

from __future__ import annotations

import os
import threading
import time

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

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite gives row numbers to INTEGER PRIMARY KEY only; PostgreSQL needs eight bytes for events.
Serial = BigInteger().with_variant(Integer, "sqlite")

_id_lock = threading.Lock()
_last = (0, 0)  # millisecond and place in it of the newest id


def new_id() -> str:
    """32 hex digits: 48 bit of milliseconds, 16 bit of place in it, 64 random bits.

    Grows strictly within one process, also when the clock is set back, so that key paging hides no row;
    and cannot be guessed.
    """
    global _last
    ms = int(time.time() * 1000)
    with _id_lock:
        last_ms, place = _last
        if ms > last_ms:
            _last = (ms, 0)
        elif place < 0xFFFF:
            _last = (last_ms, place + 1)
        else:
            _last = (last_ms + 1, 0)
        ms, place = _last
    return f"{ms:012x}{place:04x}{os.urandom(8).hex()}"


def _serial(name: str = "id") -> Column:
    return Column(name, Serial, primary_key=True, autoincrement=True)


# ---------------------------------------------------------------- who

people = Table(
    "people",
    metadata,
    _serial(),
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
    _serial(),
    Column("name", String(255), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("gone_at", Float),
)

# ---------------------------------------------------------------- what can be run

applications = Table(
    "applications",
    metadata,
    _serial(),
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
    Column("restricted_to", JSON),  # names of groups, null = everybody
    Column("registered_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    sa.UniqueConstraint("slug", "version"),
)

commands = Table(
    "commands",
    metadata,
    _serial(),
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

# ---------------------------------------------------------------- calculations

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
    Column("name", Text, nullable=False, server_default=""),
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
    Column("output_dataset_id", String(32)),
    Column("returncode", Integer),
    Column("error_msg", Text, nullable=False, server_default=""),
    Column("warnings", JSON, nullable=False, server_default="[]"),
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

events = Table(
    "events",
    metadata,
    _serial("seq"),
    Column("at", Float, nullable=False),
    Column("kind", String(24), nullable=False),  # calculation | dataset | data_file | session | application …
    Column("object_id", String(64), nullable=False),
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

# ---------------------------------------------------------------- data

file_contents = Table(
    "file_contents",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("refcount", Integer, nullable=False, server_default="0"),
    Column(
        "state", String(12), nullable=False, server_default="stored"
    ),  # stored | damaged | removing | removed
    Column("created_at", Float, nullable=False),
    Column("checked_at", Float),
)
_unused = (file_contents.c.refcount == 0) & (file_contents.c.state != "removed")
Index(
    "ix_file_contents_unused",
    file_contents.c.created_at,
    sqlite_where=_unused,
    postgresql_where=_unused,
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner_id", ForeignKey("people.id"), nullable=False),
    Column("group_id", ForeignKey("groups.id")),
    Column("kind", String(12), nullable=False, server_default="data"),  # data | output | example
    Column("name", Text, nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("application_id", ForeignKey("applications.id")),  # of an example
    Column("calculation_id", ForeignKey("calculations.id")),  # that made it
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("deleted_at", Float),
    Column("deleted_by", Integer),
)
_there = datasets.c.deleted_at.is_(None)
Index("ix_datasets_owner", datasets.c.owner_id, datasets.c.id)
Index(
    "ix_datasets_group",
    datasets.c.group_id,
    datasets.c.id,
    sqlite_where=datasets.c.group_id.isnot(None),
    postgresql_where=datasets.c.group_id.isnot(None),
)
Index(
    "ix_datasets_kind",
    datasets.c.kind,
    datasets.c.id,
    sqlite_where=datasets.c.kind == "example",
    postgresql_where=datasets.c.kind == "example",
)
Index("ix_datasets_name", datasets.c.name)

data_files = Table(
    "data_files",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=True),
    Column("owner_id", ForeignKey("people.id"), nullable=False),
    Column("group_id", ForeignKey("groups.id")),
    Column("filename", Text, nullable=False),
    Column("filetype", String(40), nullable=False, server_default="unknown"),
    Column("sha256", ForeignKey("file_contents.sha256"), nullable=False, index=True),
    Column("unified_sha256", ForeignKey("file_contents.sha256")),
    Column("size", BigInteger, nullable=False),
    Column("calculation_id", ForeignKey("calculations.id")),  # that made it
    Column("created_at", Float, nullable=False),
    Column("deleted_at", Float),
    Column("purged_at", Float),  # deleted too long ago to be brought back; the record stays for the lineage
)
_bin = data_files.c.deleted_at.isnot(None) & data_files.c.purged_at.is_(None)
Index("ix_data_files_bin", data_files.c.deleted_at, sqlite_where=_bin, postgresql_where=_bin)
Index("ix_data_files_dataset", data_files.c.dataset_id, data_files.c.id)
Index("ix_data_files_owner", data_files.c.owner_id, data_files.c.id)
Index(
    "ix_data_files_group",
    data_files.c.group_id,
    data_files.c.id,
    sqlite_where=data_files.c.group_id.isnot(None),
    postgresql_where=data_files.c.group_id.isnot(None),
)

# What a CIF says of itself: filled by qcrbox.cif.index, searched by /api/search.
cif_index = Table(
    "cif_index",
    metadata,
    Column("data_file_id", ForeignKey("data_files.id"), primary_key=True),
    Column("indexed_at", Float, nullable=False),
    Column("block", Text),
    Column("formula_sum", Text),
    Column("formula_moiety", Text),
    Column("elements", Text),  # "|C|H|O|"
    Column("a", Float),
    Column("b", Float),
    Column("c", Float),
    Column("alpha", Float),
    Column("beta", Float),
    Column("gamma", Float),
    Column("volume", Float),
    Column("niggli_a", Float),
    Column("niggli_b", Float),
    Column("niggli_c", Float),
    Column("niggli_alpha", Float),
    Column("niggli_beta", Float),
    Column("niggli_gamma", Float),
    Column("space_group_number", Integer),
    Column("space_group_hm", Text),
    Column("z", Integer),
    Column("temperature_k", Float),
    Column("wavelength", Float),
    Column("r1", Float),
    Column("wr2", Float),
    Column("goof", Float),
    Column("residual_max", Float),
    Column("residual_min", Float),
    Column("has_hkl", Boolean),
    Column("has_res", Boolean),
    Column("has_disorder", Boolean),
    Column("has_hydrogens", Boolean),
    Column("full", JSON, nullable=False, server_default="{}"),  # everything the index gave, for display
    Column("names", JSON),  # of the items of the first block, as qcrbox.cif.names.key writes them
)
Index("ix_cif_index_niggli", cif_index.c.niggli_a, cif_index.c.niggli_b)
Index("ix_cif_index_formula_sum", cif_index.c.formula_sum)
Index("ix_cif_index_space_group_number", cif_index.c.space_group_number)
Index("ix_cif_index_r1", cif_index.c.r1)

tags = Table(
    "tags",
    metadata,
    Column("kind", String(12), primary_key=True),  # dataset | data_file | calculation
    Column("object_id", String(32), primary_key=True),
    Column("tag", String(100), primary_key=True),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
)
Index("ix_tags_tag", tags.c.tag, tags.c.kind, tags.c.object_id)

shares = Table(
    "shares",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(12), nullable=False),  # dataset | data_file | calculation | session
    Column("object_id", String(32), nullable=False),
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

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("purpose", String(12), nullable=False),  # data_file | dataset | append | output
    Column("owner_id", ForeignKey("people.id")),
    Column("filename", Text, nullable=False),
    Column("size", BigInteger),
    Column("offset", BigInteger, nullable=False, server_default="0"),
    Column("sha256", String(64)),
    Column("target_id", String(32)),  # the dataset appended to
    Column("group_id", Integer),
    Column("calculation_id", String(32)),
    Column("attempt", Integer),
    Column("output_name", String(255), nullable=False, server_default=""),
    Column("state", String(12), nullable=False, server_default="open"),  # open | stored | used
    Column("result", JSON),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
)
Index("ix_uploads_calculation", uploads.c.calculation_id, uploads.c.attempt)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner_id", ForeignKey("people.id"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("answer", JSON, nullable=False),
    Column("at", Float, nullable=False, index=True),
)

# ---------------------------------------------------------------- what runs it

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

audit = Table(
    "audit",
    metadata,
    _serial("seq"),
    Column("at", Float, nullable=False),
    Column("who_id", Integer),
    Column("who", String(255), nullable=False),
    Column("address", String(64), nullable=False, server_default=""),
    Column("action", String(60), nullable=False),
    Column("kind", String(24), nullable=False, server_default=""),
    Column("object_id", String(64), nullable=False, server_default=""),
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
