"""Titles of calculations: what went in, what was done, how it ended

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = ("subject", "done", "verdict")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("calculations", sa.Column(name, sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("calculations", name)
