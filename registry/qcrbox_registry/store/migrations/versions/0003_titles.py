"""Titles of calculations: what went in, what was done, how it ended; their remarks; room for long addresses in the audit trail

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
# As 0002 made them: SQLite recreates a table to change a column, and drops the triggers with the old one.
_TRIGGERS = [
    f"CREATE TRIGGER audit_no_{word.lower()} BEFORE {word} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END"
    for word in ("UPDATE", "DELETE")
]


def upgrade() -> None:
    """Add the parts of the titles, and widen the audit columns."""
    for name in _COLUMNS:
        op.add_column("calculations", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("calculations", sa.Column("remarks", sa.JSON(), server_default="[]", nullable=False))
    _resize_audit({"action": (60, 255), "object_id": (64, 255)})


def downgrade() -> None:
    """Fails on PostgreSQL where an entry is longer than the earlier columns: the audit trail is not shortened."""
    _resize_audit({"action": (255, 60), "object_id": (255, 64)})
    for name in ("remarks", *_COLUMNS):
        op.drop_column("calculations", name)


def _resize_audit(lengths: dict[str, tuple[int, int]]) -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        for word in ("update", "delete"):
            op.execute(f"DROP TRIGGER audit_no_{word}")
    defaults = {"action": None, "object_id": ""}
    with op.batch_alter_table("audit", table_kwargs={"sqlite_autoincrement": True}) as table:
        for name, (before, after) in lengths.items():
            table.alter_column(
                name,
                existing_type=sa.String(before),
                type_=sa.String(after),
                existing_nullable=False,
                existing_server_default=defaults[name],
            )
    if sqlite:
        for statement in _TRIGGERS:
            op.execute(statement)
