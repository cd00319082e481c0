"""Retention rules that run every day; passes of launchers; output of agents that did not come up; licences

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add two tables, and columns of agents and applications."""
    state = sa.Column("licence_state", sa.String(length=12), server_default="unknown", nullable=False)
    op.add_column("applications", state)
    op.add_column("applications", sa.Column("licence_note", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "agents", sa.Column("failed_start", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("agents", sa.Column("log", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "retention_rules",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("unused_days", sa.Float(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", _SERIAL, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("last_run_at", sa.Float(), nullable=True),
        sa.Column("datasets", sa.Integer(), server_default="0", nullable=False),
        sa.Column("files", sa.Integer(), server_default="0", nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_retention_rules_by_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_rules")),
    )
    op.create_table(
        "launcher_passes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("launcher", sa.String(length=63), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("code_expires_at", sa.Float(), nullable=False),
        sa.Column("by_id", _SERIAL, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("joined_at", sa.Float(), nullable=True),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.Column("revoked_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_launcher_passes_by_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launcher_passes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_launcher_passes_code_hash")),
    )


def downgrade() -> None:
    """Drop the tables and the columns."""
    op.drop_table("launcher_passes")
    op.drop_table("retention_rules")
    op.drop_column("agents", "log")
    op.drop_column("agents", "failed_start")
    op.drop_column("applications", "licence_note")
    op.drop_column("applications", "licence_state")
