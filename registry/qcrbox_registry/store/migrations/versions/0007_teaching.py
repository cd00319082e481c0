"""Teaching: courses, exercises with their versions, work of students, snapshots, marks, notes

Revision: 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of teaching."""
    op.create_table(
        "cif_facts",
        sa.Column("data_file_id", sa.String(length=32), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("data_file_id", name=op.f("pk_cif_facts")),
    )
    op.create_table(
        "courses",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("archived_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_courses_created_by_people")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_courses_group_id_groups")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
        sa.UniqueConstraint("group_id", name=op.f("uq_courses_group_id")),
    )
    op.create_table(
        "exercises",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("course_id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("opens_at", sa.Float(), nullable=True),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("late_until", sa.Float(), nullable=True),
        sa.Column("released_at", sa.Float(), nullable=True),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_exercises_course_id_courses")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_exercises_created_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercises")),
    )
    op.create_index(op.f("ix_exercises_course_id"), "exercises", ["course_id"], unique=False)
    op.create_table(
        "exercise_answers",
        sa.Column("exercise_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_answers_exercise_id_exercises")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_exercise_answers_person_id_people")
        ),
        sa.PrimaryKeyConstraint("exercise_id", "person_id", "task_id", name=op.f("pk_exercise_answers")),
    )
    op.create_table(
        "exercise_calculations",
        sa.Column("exercise_id", sa.String(length=32), nullable=False),
        sa.Column("calculation_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["calculation_id"],
            ["calculations.id"],
            name=op.f("fk_exercise_calculations_calculation_id_calculations"),
        ),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_calculations_exercise_id_exercises")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_exercise_calculations_person_id_people")
        ),
        sa.PrimaryKeyConstraint("exercise_id", "calculation_id", name=op.f("pk_exercise_calculations")),
    )
    op.create_index(
        "ix_exercise_calculations_calculation", "exercise_calculations", ["calculation_id"], unique=False
    )
    op.create_table(
        "exercise_files",
        sa.Column("exercise_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("data_file_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_files_exercise_id_exercises")
        ),
        sa.PrimaryKeyConstraint("exercise_id", "sha256", name=op.f("pk_exercise_files")),
    )
    op.create_index("ix_exercise_files_sha256", "exercise_files", ["sha256"], unique=False)
    op.create_table(
        "exercise_notes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("exercise_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_exercise_notes_by_id_people")),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_notes_exercise_id_exercises")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_exercise_notes_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_notes")),
    )
    op.create_index(op.f("ix_exercise_notes_exercise_id"), "exercise_notes", ["exercise_id"], unique=False)
    op.create_table(
        "exercise_people",
        sa.Column("exercise_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("dataset_id", sa.String(length=32), nullable=True),
        sa.Column("last_active_at", sa.Float(), nullable=True),
        sa.Column("extended_until", sa.Float(), nullable=True),
        sa.Column("extension_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("draft_file_id", sa.String(length=32), nullable=True),
        sa.Column("draft_at", sa.Float(), nullable=True),
        sa.Column("draft_problem", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_people_exercise_id_exercises")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_exercise_people_person_id_people")
        ),
        sa.PrimaryKeyConstraint("exercise_id", "person_id", name=op.f("pk_exercise_people")),
    )
    op.create_index("ix_exercise_people_person", "exercise_people", ["person_id"], unique=False)
    op.create_table(
        "exercise_snapshots",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("exercise_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("receipt", sa.String(length=64), nullable=False),
        sa.Column("notebook_file_id", sa.String(length=32), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_snapshots_exercise_id_exercises")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_exercise_snapshots_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_snapshots")),
    )
    op.create_index(
        "ix_exercise_snapshots_person", "exercise_snapshots", ["exercise_id", "person_id", "at"], unique=False
    )
    op.create_table(
        "exercise_versions",
        sa.Column("exercise_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_exercise_versions_by_id_people")),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_versions_exercise_id_exercises")
        ),
        sa.PrimaryKeyConstraint("exercise_id", "number", name=op.f("pk_exercise_versions")),
    )
    op.create_table(
        "exercise_marks",
        sa.Column("exercise_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("snapshot_id", sa.String(length=32), nullable=True),
        sa.Column("automatic", sa.Float(), nullable=True),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("points", sa.Float(), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_exercise_marks_by_id_people")),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_marks_exercise_id_exercises")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_exercise_marks_person_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["exercise_snapshots.id"],
            name=op.f("fk_exercise_marks_snapshot_id_exercise_snapshots"),
        ),
        sa.PrimaryKeyConstraint("exercise_id", "person_id", "task_id", name=op.f("pk_exercise_marks")),
    )


def downgrade() -> None:
    """Drop the tables of teaching, with everything in them."""
    op.drop_table("exercise_marks")
    op.drop_table("exercise_versions")
    op.drop_index("ix_exercise_snapshots_person", table_name="exercise_snapshots")
    op.drop_table("exercise_snapshots")
    op.drop_index("ix_exercise_people_person", table_name="exercise_people")
    op.drop_table("exercise_people")
    op.drop_index(op.f("ix_exercise_notes_exercise_id"), table_name="exercise_notes")
    op.drop_table("exercise_notes")
    op.drop_index("ix_exercise_files_sha256", table_name="exercise_files")
    op.drop_table("exercise_files")
    op.drop_index("ix_exercise_calculations_calculation", table_name="exercise_calculations")
    op.drop_table("exercise_calculations")
    op.drop_table("exercise_answers")
    op.drop_index(op.f("ix_exercises_course_id"), table_name="exercises")
    op.drop_table("exercises")
    op.drop_table("courses")
    op.drop_table("cif_facts")
