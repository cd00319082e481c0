"""All tables, one noun a file. Times are Unix seconds (float, UTC); ids that leave the registry are opaque text.

Calculations, datasets and files carry time-ordered random ids (`new_id`), so that "newest first" is a walk
down the primary key, whatever the size of the table. Those of datasets and files have the contract's prefix
outside the database. Each index names the question it answers.
"""

from __future__ import annotations

from qcrbox_registry.store.tables.base import metadata, new_data_file_id, new_dataset_id, new_id
from qcrbox_registry.store.tables.of_agents import agents, holds, launcher_passes, launchers, sessions
from qcrbox_registry.store.tables.of_applications import applications, command_durations, commands
from qcrbox_registry.store.tables.of_calculations import (
    calculation_inputs,
    calculation_outputs,
    calculations,
    events,
    idempotency,
    log_chunks,
    progress,
)
from qcrbox_registry.store.tables.of_data import (
    cif_index,
    data_files,
    datasets,
    file_contents,
    node_notes,
    tags,
    uploads,
)
from qcrbox_registry.store.tables.of_people import groups, loads, people, quotas, shares, storage, usage
from qcrbox_registry.store.tables.of_site import audit, handover_items, handovers, retention_rules, site
from qcrbox_registry.store.tables.of_teaching import (
    cif_facts,
    course_bookings,
    course_items,
    courses,
    exercise_answers,
    exercise_calculations,
    exercise_files,
    exercise_marks,
    exercise_notes,
    exercise_people,
    exercise_snapshots,
    exercise_versions,
    exercises,
)

__all__ = [
    "agents",
    "applications",
    "audit",
    "calculation_inputs",
    "calculation_outputs",
    "calculations",
    "cif_facts",
    "cif_index",
    "command_durations",
    "commands",
    "course_bookings",
    "course_items",
    "courses",
    "data_files",
    "datasets",
    "events",
    "exercise_answers",
    "exercise_calculations",
    "exercise_files",
    "exercise_marks",
    "exercise_notes",
    "exercise_people",
    "exercise_snapshots",
    "exercise_versions",
    "exercises",
    "file_contents",
    "groups",
    "handover_items",
    "handovers",
    "holds",
    "idempotency",
    "launcher_passes",
    "launchers",
    "loads",
    "log_chunks",
    "metadata",
    "new_data_file_id",
    "new_dataset_id",
    "new_id",
    "node_notes",
    "people",
    "progress",
    "quotas",
    "retention_rules",
    "sessions",
    "shares",
    "site",
    "storage",
    "tags",
    "uploads",
    "usage",
]
