"""Teaching: courses, exercises with their versions, what students do, what was collected, marks."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, false

from qcrbox_registry.store.tables.base import DataFileId, DatasetId, metadata

# A course is a group of the hub with a title; its people and their roles are those of the group.
courses = Table(
    "courses",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("group_id", ForeignKey("groups.id"), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("created_by", ForeignKey("people.id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("archived_at", Float),
)

exercises = Table(
    "exercises",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("course_id", ForeignKey("courses.id"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("version", Integer, nullable=False),  # the newest
    Column("published", Boolean, nullable=False, server_default=false()),
    Column("opens_at", Float),
    Column("due_at", Float),
    Column("late_until", Float),
    Column("released_at", Float),  # students see marks and feedback
    # The same calculation on the same input is answered by a copy of the first result.
    Column("answers_from_store", Boolean, nullable=False, server_default=false()),
    Column("created_by", ForeignKey("people.id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
)

# Never changed. Its data belong to an account of the site, so that no person can delete them.
exercise_versions = Table(
    "exercise_versions",
    metadata,
    Column("exercise_id", ForeignKey("exercises.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("manifest", JSON, nullable=False),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
)

# The contents of every version. Work on the same contents belongs to the exercise.
exercise_files = Table(
    "exercise_files",
    metadata,
    Column("exercise_id", ForeignKey("exercises.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("data_file_id", DataFileId, nullable=False),
)
Index("ix_exercise_files_sha256", exercise_files.c.sha256)

# A student who opened the exercise, or was given more time before.
exercise_people = Table(
    "exercise_people",
    metadata,
    Column("exercise_id", ForeignKey("exercises.id"), primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("opened_at", Float),
    Column("version", Integer),  # which the student has
    Column("dataset_id", DatasetId),  # the student's data in the store
    Column("last_active_at", Float),
    Column("extended_until", Float),
    Column("extension_reason", Text, nullable=False, server_default=""),
    Column("draft_file_id", DataFileId),
    Column("draft_at", Float),
    Column("draft_problem", Text, nullable=False, server_default=""),
    # A lecturer's own copy: on no board, never collected, never marked.
    Column("preview", Boolean, nullable=False, server_default=false()),
)
Index("ix_exercise_people_person", exercise_people.c.person_id)

exercise_answers = Table(
    "exercise_answers",
    metadata,
    Column("exercise_id", ForeignKey("exercises.id"), primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("task_id", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Float, nullable=False),
)

exercise_calculations = Table(
    "exercise_calculations",
    metadata,
    Column("exercise_id", ForeignKey("exercises.id"), primary_key=True),
    Column("calculation_id", ForeignKey("calculations.id"), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("same_key", String(64)),  # equal for the same command on the same contents
    Column("answered_by", String(32)),  # the calculation whose result was copied
)
Index("ix_exercise_calculations_calculation", exercise_calculations.c.calculation_id)
Index("ix_exercise_calculations_same", exercise_calculations.c.exercise_id, exercise_calculations.c.same_key)

# What was submitted or collected. Never changed.
exercise_snapshots = Table(
    "exercise_snapshots",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("exercise_id", ForeignKey("exercises.id"), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("reason", String(12), nullable=False),  # submitted | collected
    Column("at", Float, nullable=False),
    Column("due_at", Float),
    Column("late", Boolean, nullable=False),
    Column("content", JSON, nullable=False),
    Column("receipt", String(64), nullable=False),
    Column("notebook_file_id", DataFileId),
    Column("problem", Text, nullable=False, server_default=""),
)
Index(
    "ix_exercise_snapshots_person",
    exercise_snapshots.c.exercise_id,
    exercise_snapshots.c.person_id,
    exercise_snapshots.c.at,
)

exercise_marks = Table(
    "exercise_marks",
    metadata,
    Column("exercise_id", ForeignKey("exercises.id"), primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("task_id", String(40), primary_key=True),
    Column("snapshot_id", ForeignKey("exercise_snapshots.id")),
    Column("automatic", Float),  # points of the checks; None: a person decides
    Column("words", Text, nullable=False, server_default=""),  # of the checks
    Column("points", Float),  # given by a person; they count instead
    Column("comment", Text, nullable=False, server_default=""),
    Column("criteria", JSON),  # of the rubric as it was then, each with whether it is met
    Column("by_id", ForeignKey("people.id")),
    Column("at", Float, nullable=False),
)

exercise_notes = Table(
    "exercise_notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("exercise_id", ForeignKey("exercises.id"), nullable=False, index=True),
    Column("person_id", ForeignKey("people.id")),  # None: to everyone
    Column("text", Text, nullable=False),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
)

# What the checks read from a CIF; made once.
cif_facts = Table(
    "cif_facts",
    metadata,
    Column("data_file_id", DataFileId, primary_key=True),
    Column("facts", JSON),
    Column("problem", Text, nullable=False, server_default=""),
    Column("at", Float, nullable=False),
)

# A time for which places of the site are kept for a course.
course_bookings = Table(
    "course_bookings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("course_id", ForeignKey("courses.id"), nullable=False, index=True),
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("students", Integer, nullable=False),
    Column("windows", Integer, nullable=False),  # programs with a window that are open at the same time
    Column("places", Integer, nullable=False),
    Column("applications", JSON, nullable=False),  # slugs
    Column("rehearsal", JSON),  # what the starts cost when it was tried
    Column("created_by", ForeignKey("people.id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("cancelled_at", Float),
)
Index("ix_course_bookings_ends_at", course_bookings.c.ends_at)

# The shelf of a course: files that its members read. They belong to an account of the site.
course_items = Table(
    "course_items",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("course_id", ForeignKey("courses.id"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("data_file_id", DataFileId, nullable=False),
    Column("for_lecturers", Boolean, nullable=False),
    Column("opens_at", Float),
    Column("closes_at", Float),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
)
