"""Classes: booked times, shelf of a course, answers from the store

Revision: 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and columns."""
    op.create_table(
        "course_bookings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("course_id", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.Float(), nullable=False),
        sa.Column("ends_at", sa.Float(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("windows", sa.Integer(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("applications", sa.JSON(), nullable=False),
        sa.Column("rehearsal", sa.JSON(), nullable=True),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("cancelled_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_bookings_course_id_courses")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["people.id"], name=op.f("fk_course_bookings_created_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_bookings")),
    )
    op.create_index(op.f("ix_course_bookings_course_id"), "course_bookings", ["course_id"], unique=False)
    op.create_index("ix_course_bookings_ends_at", "course_bookings", ["ends_at"], unique=False)
    op.create_table(
        "course_items",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("course_id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("data_file_id", sa.String(length=32), nullable=False),
        sa.Column("for_lecturers", sa.Boolean(), nullable=False),
        sa.Column("opens_at", sa.Float(), nullable=True),
        sa.Column("closes_at", sa.Float(), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_course_items_by_id_people")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_items_course_id_courses")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_items")),
    )
    op.create_index(op.f("ix_course_items_course_id"), "course_items", ["course_id"], unique=False)
    op.add_column(
        "exercises",
        sa.Column("answers_from_store", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("exercise_calculations", sa.Column("same_key", sa.String(length=64), nullable=True))
    op.add_column("exercise_calculations", sa.Column("answered_by", sa.String(length=32), nullable=True))
    op.create_index(
        "ix_exercise_calculations_same", "exercise_calculations", ["exercise_id", "same_key"], unique=False
    )


def downgrade() -> None:
    """Drop the tables and columns with everything in them."""
    op.drop_index("ix_exercise_calculations_same", table_name="exercise_calculations")
    op.drop_column("exercise_calculations", "answered_by")
    op.drop_column("exercise_calculations", "same_key")
    op.drop_column("exercises", "answers_from_store")
    op.drop_table("course_items")
    op.drop_table("course_bookings")
