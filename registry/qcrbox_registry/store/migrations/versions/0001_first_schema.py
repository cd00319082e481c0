"""First schema

Revision: 0001, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables and indexes."""
    op.create_table(
        "applications",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("doi", sa.Text(), nullable=True),
        sa.Column("yaml_file_path", sa.Text(), nullable=True),
        sa.Column("gui_port", sa.String(length=20), nullable=True),
        sa.Column("qcrbox_version", sa.String(length=60), server_default="", nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("spec_hash", sa.String(length=64), nullable=False),
        sa.Column("notes", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("reuse", sa.String(length=20), server_default="same-owner", nullable=False),
        sa.Column("limits", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("warm", sa.Integer(), server_default="0", nullable=False),
        sa.Column("most_agents", sa.Integer(), nullable=True),
        sa.Column("approved", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("retired_at", sa.Float(), nullable=True),
        sa.Column("restricted_to", sa.JSON(), nullable=True),
        sa.Column("registered_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("slug", "version", name=op.f("uq_applications_slug_version")),
    )
    op.create_table(
        "audit",
        sa.Column("seq", Serial, autoincrement=True, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("who_id", sa.Integer(), nullable=True),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=24), server_default="", nullable=False),
        sa.Column("object_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("details", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_object", "audit", ["object_id"], unique=False)
    op.create_index("ix_audit_who", "audit", ["who_id", "seq"], unique=False)
    op.create_table(
        "events",
        sa.Column("seq", Serial, autoincrement=True, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), server_default="", nullable=False),
        sa.Column("step", sa.String(length=12), server_default="", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("payload", sa.JSON(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_object", "events", ["object_id", "seq"], unique=False)
    op.create_table(
        "file_contents",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("refcount", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=12), server_default="stored", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("checked_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_file_contents")),
    )
    op.create_index(
        "ix_file_contents_unused",
        "file_contents",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("refcount = 0 AND state != 'removed'"),
        postgresql_where=sa.text("refcount = 0 AND state != 'removed'"),
    )
    op.create_table(
        "groups",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_groups_name")),
    )
    op.create_table(
        "launchers",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("manager", sa.String(length=40), nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("capacity", sa.Integer(), server_default="0", nullable=False),
        sa.Column("free", sa.Integer(), nullable=True),
        sa.Column("applications", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("last_seen_at", sa.Float(), nullable=False),
        sa.Column("first_seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_launchers")),
    )
    op.create_table(
        "loads",
        sa.Column("subject", sa.String(length=8), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("queued", sa.Integer(), server_default="0", nullable=False),
        sa.Column("running", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("subject", "subject_id", "application_id", name=op.f("pk_loads")),
    )
    op.create_table(
        "people",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("stable_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), server_default="person", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("last_seen_at", sa.Float(), nullable=True),
        sa.Column("last_group_id", sa.Integer(), nullable=True),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("name", "stable_id", name=op.f("uq_people_name_stable_id")),
    )
    op.create_table(
        "site",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_site")),
    )
    op.create_table(
        "storage",
        sa.Column("subject", sa.String(length=8), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("subject", "subject_id", name=op.f("pk_storage")),
    )
    op.create_table(
        "usage",
        sa.Column("subject", sa.String(length=8), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("decayed_s", sa.Float(), nullable=False),
        sa.Column("decayed_at", sa.Float(), nullable=False),
        sa.Column("cpu_s", sa.Float(), server_default="0", nullable=False),
        sa.Column("month", sa.String(length=7), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("subject", "subject_id", name=op.f("pk_usage")),
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("application_id", Serial, nullable=False),
        sa.Column("launcher", sa.String(length=63), server_default="", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("busy_with", sa.String(length=32), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("enrolment_hash", sa.String(length=64), nullable=True),
        sa.Column("user_nkey", sa.String(length=80), nullable=True),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("handle", sa.Text(), server_default="", nullable=False),
        sa.Column("qcrbox_version", sa.String(length=60), server_default="", nullable=False),
        sa.Column("notes", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("rss_bytes", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", sa.Float(), nullable=False),
        sa.Column("ready_at", sa.Float(), nullable=True),
        sa.Column("idle_since", sa.Float(), nullable=True),
        sa.Column("last_seen_at", sa.Float(), nullable=True),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_agents_application_id_applications")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
    )
    op.create_index(op.f("ix_agents_application_id"), "agents", ["application_id"], unique=False)
    op.create_index(op.f("ix_agents_state"), "agents", ["state"], unique=False)
    op.create_table(
        "commands",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("application_id", Serial, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("implemented_as", sa.String(length=40), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("merge_cif_su", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("doi", sa.Text(), nullable=True),
        sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("retired_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_commands_application_id_applications")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        sa.UniqueConstraint("application_id", "name", name=op.f("uq_commands_application_id_name")),
    )
    op.create_index(op.f("ix_commands_application_id"), "commands", ["application_id"], unique=False)
    op.create_table(
        "holds",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("object_id", sa.String(length=63), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", Serial, nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_holds_by_id_people")),
        sa.PrimaryKeyConstraint("kind", "object_id", name=op.f("pk_holds")),
    )
    op.create_table(
        "idempotency",
        sa.Column("owner_id", Serial, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_idempotency_owner_id_people")),
        sa.PrimaryKeyConstraint("owner_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_at"), "idempotency", ["at"], unique=False)
    op.create_table(
        "quotas",
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("quota", sa.String(length=20), nullable=False),
        sa.Column("limit", sa.Float(), nullable=False),
        sa.Column("by_id", Serial, nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_quotas_by_id_people")),
        sa.PrimaryKeyConstraint("subject", "subject_id", "quota", name=op.f("pk_quotas")),
    )
    op.create_table(
        "shares",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("object_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", Serial, nullable=True),
        sa.Column("group_id", Serial, nullable=True),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("by_id", Serial, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.Column("revoked_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_shares_by_id_people")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_shares_group_id_groups")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_shares_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
    )
    op.create_index("ix_shares_group", "shares", ["group_id", "kind"], unique=False)
    op.create_index("ix_shares_object", "shares", ["object_id"], unique=False)
    op.create_index("ix_shares_person", "shares", ["person_id", "kind"], unique=False)
    op.create_table(
        "tags",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("object_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.Column("by_id", Serial, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_tags_by_id_people")),
        sa.PrimaryKeyConstraint("kind", "object_id", "tag", name=op.f("pk_tags")),
    )
    op.create_index("ix_tags_tag", "tags", ["tag", "kind", "object_id"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("owner_id", Serial, nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("target_id", sa.String(length=32), nullable=True),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("calculation_id", sa.String(length=32), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("output_name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("state", sa.String(length=12), server_default="open", nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_uploads_owner_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_calculation", "uploads", ["calculation_id", "attempt"], unique=False)
    op.create_table(
        "calculations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", Serial, nullable=False),
        sa.Column("group_id", Serial, nullable=True),
        sa.Column("application_id", Serial, nullable=False),
        sa.Column("command_id", Serial, nullable=False),
        sa.Column("application_slug", sa.String(length=255), nullable=False),
        sa.Column("application_version", sa.String(length=255), nullable=False),
        sa.Column("command_name", sa.String(length=255), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("interactive", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("losses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("agent_id", sa.String(length=63), nullable=True),
        sa.Column("not_before", sa.Float(), nullable=True),
        sa.Column("wall_time_s", sa.Float(), nullable=True),
        sa.Column("submitted_at", sa.Float(), nullable=False),
        sa.Column("assigned_at", sa.Float(), nullable=True),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("cancel_requested_at", sa.Float(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("output_dataset_id", sa.String(length=32), nullable=True),
        sa.Column("returncode", sa.Integer(), nullable=True),
        sa.Column("error_msg", sa.Text(), server_default="", nullable=False),
        sa.Column("warnings", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("timings_s", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("peak_rss_bytes", sa.BigInteger(), nullable=True),
        sa.Column("dead_letter", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("repeat_of", sa.String(length=32), nullable=True),
        sa.Column("force", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_calculations_application_id_applications")
        ),
        sa.ForeignKeyConstraint(
            ["command_id"], ["commands.id"], name=op.f("fk_calculations_command_id_commands")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_calculations_group_id_groups")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_calculations_owner_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calculations")),
    )
    op.create_index(
        "ix_calculations_active",
        "calculations",
        ["agent_id"],
        unique=False,
        sqlite_where=sa.text("agent_id IS NOT NULL AND finished_at IS NULL"),
        postgresql_where=sa.text("agent_id IS NOT NULL AND finished_at IS NULL"),
    )
    op.create_index(
        "ix_calculations_batch",
        "calculations",
        ["batch_id"],
        unique=False,
        sqlite_where=sa.text("batch_id IS NOT NULL"),
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.create_index(
        "ix_calculations_group",
        "calculations",
        ["group_id", "id"],
        unique=False,
        sqlite_where=sa.text("group_id IS NOT NULL"),
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_index("ix_calculations_owner", "calculations", ["owner_id", "id"], unique=False)
    op.create_index(
        "ix_calculations_queue",
        "calculations",
        ["owner_id", "application_id", sa.literal_column("priority DESC"), "id"],
        unique=False,
        sqlite_where=sa.text("state = 'submitted' AND agent_id IS NULL"),
        postgresql_where=sa.text("state = 'submitted' AND agent_id IS NULL"),
    )
    op.create_table(
        "command_durations",
        sa.Column("command_id", Serial, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("mean_s", sa.Float(), nullable=False),
        sa.Column("m2", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["command_id"], ["commands.id"], name=op.f("fk_command_durations_command_id_commands")
        ),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_command_durations")),
    )
    op.create_table(
        "datasets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", Serial, nullable=False),
        sa.Column("group_id", Serial, nullable=True),
        sa.Column("kind", sa.String(length=12), server_default="data", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("application_id", Serial, nullable=True),
        sa.Column("calculation_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("deleted_at", sa.Float(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_datasets_application_id_applications")
        ),
        sa.ForeignKeyConstraint(
            ["calculation_id"], ["calculations.id"], name=op.f("fk_datasets_calculation_id_calculations")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_datasets_group_id_groups")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_datasets_owner_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
    )
    op.create_index(
        "ix_datasets_group",
        "datasets",
        ["group_id", "id"],
        unique=False,
        sqlite_where=sa.text("group_id IS NOT NULL"),
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_index(
        "ix_datasets_kind",
        "datasets",
        ["kind", "id"],
        unique=False,
        sqlite_where=sa.text("kind = 'example'"),
        postgresql_where=sa.text("kind = 'example'"),
    )
    op.create_index("ix_datasets_name", "datasets", ["name"], unique=False)
    op.create_index("ix_datasets_owner", "datasets", ["owner_id", "id"], unique=False)
    op.create_table(
        "log_chunks",
        sa.Column("calculation_id", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(length=6), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calculation_id"], ["calculations.id"], name=op.f("fk_log_chunks_calculation_id_calculations")
        ),
        sa.PrimaryKeyConstraint("calculation_id", "attempt", "stream", "offset", name=op.f("pk_log_chunks")),
    )
    op.create_table(
        "progress",
        sa.Column("calculation_id", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fraction", sa.Float(), nullable=True),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("metrics", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("history", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calculation_id"], ["calculations.id"], name=op.f("fk_progress_calculation_id_calculations")
        ),
        sa.PrimaryKeyConstraint("calculation_id", name=op.f("pk_progress")),
    )
    op.create_table(
        "sessions",
        sa.Column("calculation_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", Serial, nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("keep", sa.Boolean(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.Float(), nullable=True),
        sa.Column("last_input_at", sa.Float(), nullable=True),
        sa.Column("warned_at", sa.Float(), nullable=True),
        sa.Column("closed_at", sa.Float(), nullable=True),
        sa.Column("view_only_allowed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calculation_id"], ["calculations.id"], name=op.f("fk_sessions_calculation_id_calculations")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_sessions_owner_id_people")),
        sa.PrimaryKeyConstraint("calculation_id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_owner_id"), "sessions", ["owner_id"], unique=False)
    op.create_table(
        "data_files",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("dataset_id", sa.String(length=32), nullable=True),
        sa.Column("owner_id", Serial, nullable=False),
        sa.Column("group_id", Serial, nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("filetype", sa.String(length=40), server_default="unknown", nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("unified_sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("calculation_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("deleted_at", sa.Float(), nullable=True),
        sa.Column("purged_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["calculation_id"], ["calculations.id"], name=op.f("fk_data_files_calculation_id_calculations")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_data_files_dataset_id_datasets")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_data_files_group_id_groups")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_data_files_owner_id_people")),
        sa.ForeignKeyConstraint(
            ["sha256"], ["file_contents.sha256"], name=op.f("fk_data_files_sha256_file_contents")
        ),
        sa.ForeignKeyConstraint(
            ["unified_sha256"],
            ["file_contents.sha256"],
            name=op.f("fk_data_files_unified_sha256_file_contents"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_files")),
    )
    op.create_index(
        "ix_data_files_bin",
        "data_files",
        ["deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL AND purged_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL AND purged_at IS NULL"),
    )
    op.create_index("ix_data_files_dataset", "data_files", ["dataset_id", "id"], unique=False)
    op.create_index(
        "ix_data_files_group",
        "data_files",
        ["group_id", "id"],
        unique=False,
        sqlite_where=sa.text("group_id IS NOT NULL"),
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_index("ix_data_files_owner", "data_files", ["owner_id", "id"], unique=False)
    op.create_index(op.f("ix_data_files_sha256"), "data_files", ["sha256"], unique=False)
    op.create_table(
        "calculation_inputs",
        sa.Column("calculation_id", sa.String(length=32), nullable=False),
        sa.Column("parameter", sa.String(length=255), nullable=False),
        sa.Column("data_file_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["calculation_id"],
            ["calculations.id"],
            name=op.f("fk_calculation_inputs_calculation_id_calculations"),
        ),
        sa.ForeignKeyConstraint(
            ["data_file_id"], ["data_files.id"], name=op.f("fk_calculation_inputs_data_file_id_data_files")
        ),
        sa.PrimaryKeyConstraint("calculation_id", "parameter", name=op.f("pk_calculation_inputs")),
    )
    op.create_index(
        op.f("ix_calculation_inputs_data_file_id"), "calculation_inputs", ["data_file_id"], unique=False
    )
    op.create_table(
        "calculation_outputs",
        sa.Column("calculation_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("data_file_id", sa.String(length=32), nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calculation_id"],
            ["calculations.id"],
            name=op.f("fk_calculation_outputs_calculation_id_calculations"),
        ),
        sa.ForeignKeyConstraint(
            ["data_file_id"], ["data_files.id"], name=op.f("fk_calculation_outputs_data_file_id_data_files")
        ),
        sa.PrimaryKeyConstraint("calculation_id", "position", name=op.f("pk_calculation_outputs")),
        sa.UniqueConstraint("data_file_id", name=op.f("uq_calculation_outputs_data_file_id")),
    )
    op.create_table(
        "cif_index",
        sa.Column("data_file_id", sa.String(length=32), nullable=False),
        sa.Column("indexed_at", sa.Float(), nullable=False),
        sa.Column("block", sa.Text(), nullable=True),
        sa.Column("formula_sum", sa.Text(), nullable=True),
        sa.Column("formula_moiety", sa.Text(), nullable=True),
        sa.Column("elements", sa.Text(), nullable=True),
        sa.Column("a", sa.Float(), nullable=True),
        sa.Column("b", sa.Float(), nullable=True),
        sa.Column("c", sa.Float(), nullable=True),
        sa.Column("alpha", sa.Float(), nullable=True),
        sa.Column("beta", sa.Float(), nullable=True),
        sa.Column("gamma", sa.Float(), nullable=True),
        sa.Column("volume", sa.Float(), nullable=True),
        sa.Column("niggli_a", sa.Float(), nullable=True),
        sa.Column("niggli_b", sa.Float(), nullable=True),
        sa.Column("niggli_c", sa.Float(), nullable=True),
        sa.Column("niggli_alpha", sa.Float(), nullable=True),
        sa.Column("niggli_beta", sa.Float(), nullable=True),
        sa.Column("niggli_gamma", sa.Float(), nullable=True),
        sa.Column("space_group_number", sa.Integer(), nullable=True),
        sa.Column("space_group_hm", sa.Text(), nullable=True),
        sa.Column("z", sa.Integer(), nullable=True),
        sa.Column("temperature_k", sa.Float(), nullable=True),
        sa.Column("wavelength", sa.Float(), nullable=True),
        sa.Column("r1", sa.Float(), nullable=True),
        sa.Column("wr2", sa.Float(), nullable=True),
        sa.Column("goof", sa.Float(), nullable=True),
        sa.Column("residual_max", sa.Float(), nullable=True),
        sa.Column("residual_min", sa.Float(), nullable=True),
        sa.Column("has_hkl", sa.Boolean(), nullable=True),
        sa.Column("has_res", sa.Boolean(), nullable=True),
        sa.Column("has_disorder", sa.Boolean(), nullable=True),
        sa.Column("has_hydrogens", sa.Boolean(), nullable=True),
        sa.Column("full", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("names", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["data_file_id"], ["data_files.id"], name=op.f("fk_cif_index_data_file_id_data_files")
        ),
        sa.PrimaryKeyConstraint("data_file_id", name=op.f("pk_cif_index")),
    )
    op.create_index("ix_cif_index_formula_sum", "cif_index", ["formula_sum"], unique=False)
    op.create_index("ix_cif_index_niggli", "cif_index", ["niggli_a", "niggli_b"], unique=False)
    op.create_index("ix_cif_index_r1", "cif_index", ["r1"], unique=False)
    op.create_index("ix_cif_index_space_group_number", "cif_index", ["space_group_number"], unique=False)


def downgrade() -> None:
    """Drop all tables."""
    op.drop_index("ix_cif_index_space_group_number", table_name="cif_index")
    op.drop_index("ix_cif_index_r1", table_name="cif_index")
    op.drop_index("ix_cif_index_niggli", table_name="cif_index")
    op.drop_index("ix_cif_index_formula_sum", table_name="cif_index")
    op.drop_table("cif_index")
    op.drop_table("calculation_outputs")
    op.drop_index(op.f("ix_calculation_inputs_data_file_id"), table_name="calculation_inputs")
    op.drop_table("calculation_inputs")
    op.drop_index(op.f("ix_data_files_sha256"), table_name="data_files")
    op.drop_index("ix_data_files_owner", table_name="data_files")
    op.drop_index(
        "ix_data_files_group",
        table_name="data_files",
        sqlite_where=sa.text("group_id IS NOT NULL"),
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.drop_index("ix_data_files_dataset", table_name="data_files")
    op.drop_index(
        "ix_data_files_bin",
        table_name="data_files",
        sqlite_where=sa.text("deleted_at IS NOT NULL AND purged_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL AND purged_at IS NULL"),
    )
    op.drop_table("data_files")
    op.drop_index(op.f("ix_sessions_owner_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("progress")
    op.drop_table("log_chunks")
    op.drop_index("ix_datasets_owner", table_name="datasets")
    op.drop_index("ix_datasets_name", table_name="datasets")
    op.drop_index(
        "ix_datasets_kind",
        table_name="datasets",
        sqlite_where=sa.text("kind = 'example'"),
        postgresql_where=sa.text("kind = 'example'"),
    )
    op.drop_index(
        "ix_datasets_group",
        table_name="datasets",
        sqlite_where=sa.text("group_id IS NOT NULL"),
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.drop_table("datasets")
    op.drop_table("command_durations")
    op.drop_index(
        "ix_calculations_queue",
        table_name="calculations",
        sqlite_where=sa.text("state = 'submitted' AND agent_id IS NULL"),
        postgresql_where=sa.text("state = 'submitted' AND agent_id IS NULL"),
    )
    op.drop_index("ix_calculations_owner", table_name="calculations")
    op.drop_index(
        "ix_calculations_group",
        table_name="calculations",
        sqlite_where=sa.text("group_id IS NOT NULL"),
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_calculations_batch",
        table_name="calculations",
        sqlite_where=sa.text("batch_id IS NOT NULL"),
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_calculations_active",
        table_name="calculations",
        sqlite_where=sa.text("agent_id IS NOT NULL AND finished_at IS NULL"),
        postgresql_where=sa.text("agent_id IS NOT NULL AND finished_at IS NULL"),
    )
    op.drop_table("calculations")
    op.drop_index("ix_uploads_calculation", table_name="uploads")
    op.drop_table("uploads")
    op.drop_index("ix_tags_tag", table_name="tags")
    op.drop_table("tags")
    op.drop_index("ix_shares_person", table_name="shares")
    op.drop_index("ix_shares_object", table_name="shares")
    op.drop_index("ix_shares_group", table_name="shares")
    op.drop_table("shares")
    op.drop_table("quotas")
    op.drop_index(op.f("ix_idempotency_at"), table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_table("holds")
    op.drop_index(op.f("ix_commands_application_id"), table_name="commands")
    op.drop_table("commands")
    op.drop_index(op.f("ix_agents_state"), table_name="agents")
    op.drop_index(op.f("ix_agents_application_id"), table_name="agents")
    op.drop_table("agents")
    op.drop_table("usage")
    op.drop_table("storage")
    op.drop_table("site")
    op.drop_table("people")
    op.drop_table("loads")
    op.drop_table("launchers")
    op.drop_table("groups")
    op.drop_index(
        "ix_file_contents_unused",
        table_name="file_contents",
        sqlite_where=sa.text("refcount = 0 AND state != 'removed'"),
        postgresql_where=sa.text("refcount = 0 AND state != 'removed'"),
    )
    op.drop_table("file_contents")
    op.drop_index("ix_events_object", table_name="events")
    op.drop_table("events")
    op.drop_index("ix_audit_who", table_name="audit")
    op.drop_index("ix_audit_object", table_name="audit")
    op.drop_table("audit")
    op.drop_table("applications")
