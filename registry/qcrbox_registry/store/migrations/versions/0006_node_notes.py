"""Notes, pins and the project of datasets and calculations

Revision: 0006, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of notes."""
    op.create_table(
        "node_notes",
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("object_id", sa.String(32), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("project_id", sa.String(32), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_node_notes_by_id_people")),
        sa.PrimaryKeyConstraint("kind", "object_id", name=op.f("pk_node_notes")),
    )


def downgrade() -> None:
    """Drop the table with everything in it."""
    op.drop_table("node_notes")
