"""Previews: a lecturer's copy of an exercise that does not count; criteria of a mark

Revision: 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "exercise_people", sa.Column("preview", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("exercise_marks", sa.Column("criteria", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the columns; previews become ordinary work."""
    op.drop_column("exercise_marks", "criteria")
    op.drop_column("exercise_people", "preview")
