"""Rows as the JSON of the REST contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qcrbox.contract.ids import in_arguments
from qcrbox.contract.models import iso
from qcrbox.contract.states import State

from qcrbox_registry.services.context import Json
from qcrbox_registry.store import applications, datasets, events, logs, people, sessions, tags, titles
from qcrbox_registry.store.calculations import Calculation
from qcrbox_registry.store.datasets import DataFile, Dataset
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.sessions import Session

# The contract puts the output of the programs into the status event; longer output is read from /log.
LONGEST_OUTPUT = 1024 * 1024


def inbox(calculation_id: str, agent_id: str | None) -> str:
    """`client_private_inbox` of the contract: where the work is. Opaque; it opens nothing."""
    return f"_INBOX_{agent_id}" if agent_id else f"queue.{calculation_id}"


# ---------------------------------------------------------------- calculations


def status_event(event: events.Event) -> Json:
    """An event of a calculation as its history shows it."""
    extra = {key: value for key, value in event.payload.items() if key != "output_dataset_id"}
    extra |= {"step": event.step, "attempt": event.attempt}
    return {
        "calculation_id": event.object_id,
        "status": event.status,
        "stdout": None,
        "stderr": None,
        "output_dataset_id": event.payload.get("output_dataset_id"),
        "extra_info": extra,
        "timestamp": iso(event.at),
        "seq": event.seq,
    }


@dataclass(frozen=True, slots=True)
class _About:
    """What a calculation is shown with."""

    history: Sequence[events.Event]
    group: str | None
    tags: Sequence[str]
    progress: Mapping[str, Any] | None
    queue: Mapping[str, Any] | None


def _calculation(row: Calculation, about: _About) -> Json:
    progress = about.progress
    return {
        "calculation_id": row.id,
        "client_private_inbox": inbox(row.id, row.agent_id),
        "application_slug": row.application_slug,
        "application_version": row.application_version,
        "command_name": row.command_name,
        "status": row.state,
        "command_arguments": in_arguments(row.arguments),
        "status_events": [status_event(event) for event in about.history],
        "output_dataset_id": row.output_dataset_id,
        "name": row.name,
        "title": titles.title_of(row),
        "owner": row.owner,
        "group": about.group,
        "step": row.step,
        "attempt": row.attempt,
        "submitted_at": iso(row.submitted_at),
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "error_msg": row.error_msg,
        "returncode": row.returncode,
        "warnings": row.warnings,
        "remarks": row.remarks,
        "timings_s": row.timings_s,
        "progress": None if progress is None else {**progress, "at": iso(progress["at"])},
        "queue": None if about.queue is None else dict(about.queue),
        "tags": list(about.tags),
        "interactive": row.interactive,
        "correlation_id": row.correlation_id,
        "batch_id": row.batch_id,
        "repeat_of": row.repeat_of,
    }


def calculation_list(
    conn: Connection, rows: Sequence[Calculation], queue: Mapping[str, Json] | None = None
) -> list[Json]:
    """Calculations without the output of the programs. `queue`: places of those that wait."""
    ids = [row.id for row in rows]
    history = events.of_objects(conn, ids, kind="calculation")
    tagged = tags.of(conn, "calculation", ids)
    progress = logs.progress_of(conn, [row.id for row in rows if row.started_at is not None])
    names = people.names_of_groups(conn, (row.group_id for row in rows))
    return [
        _calculation(
            row,
            _About(
                history[row.id],
                names.get(row.group_id or 0),
                tagged[row.id],
                progress.get(row.id),
                (queue or {}).get(row.id),
            ),
        )
        for row in rows
    ]


def one_calculation(conn: Connection, row: Calculation, queue: Mapping[str, Json]) -> Json:
    """A calculation with the output of the programs in its last status event."""
    shown = calculation_list(conn, [row], queue)[0]
    if row.started_at is not None and shown["status_events"]:
        last = shown["status_events"][-1]
        for stream in ("stdout", "stderr"):
            last[stream], _ = logs.read(conn, row.id, row.attempt, stream, most=LONGEST_OUTPUT)
    return shown


# ---------------------------------------------------------------- data


def _data_file(row: DataFile, index: Mapping[str, Any] | None, tagged: Sequence[str]) -> Json:
    return {
        "qcrbox_file_id": row.id,
        "filename": row.filename,
        "filetype": row.filetype,
        "qcrbox_dataset_id": row.dataset_id,
        "sha256": row.sha256,
        "size": row.size,
        "created_at": iso(row.created_at),
        "calculation_id": row.calculation_id,
        "index": None if index is None else dict(index),
        "tags": list(tagged),
        "owner": row.owner,
        "deleted_at": iso(row.deleted_at),
    }


def data_file_list(conn: Connection, rows: Sequence[DataFile]) -> list[Json]:
    """Data files with their tags and the index of CIFs."""
    ids = [row.id for row in rows]
    indexed, tagged = datasets.index_of(conn, ids), tags.of(conn, "data_file", ids)
    return [_data_file(row, indexed.get(row.id), tagged[row.id]) for row in rows]


def dataset_list(conn: Connection, rows: Sequence[Dataset]) -> list[Json]:
    """Datasets with their files, by name."""
    ids = [row.id for row in rows]
    files = datasets.files_of(conn, ids)
    flat = [file for dataset_id in ids for file in files[dataset_id]]
    shown = {file["qcrbox_file_id"]: file for file in data_file_list(conn, flat)}
    tagged = tags.of(conn, "dataset", ids)
    names = people.names_of_groups(conn, (row.group_id for row in rows))
    slugs = applications.slugs_of(conn, {row.application_id for row in rows if row.application_id})
    marks = titles.marks_of(conn, (row.calculation_id for row in rows if row.calculation_id))
    return [
        {
            "qcrbox_dataset_id": row.id,
            "data_files": {file.filename: shown[file.id] for file in files[row.id]},
            "name": row.name,
            "named": _marks(row, marks).named,
            "doubtful": _marks(row, marks).doubtful,
            "description": row.description,
            "kind": row.kind,
            "owner": row.owner,
            "group": names.get(row.group_id or 0),
            "created_at": iso(row.created_at),
            "changed_at": iso(row.changed_at),
            "deleted_at": iso(row.deleted_at),
            "calculation_id": row.calculation_id,
            "application": slugs.get(row.application_id or 0),
            "read_only": row.kind == "example",
            "tags": tagged[row.id],
        }
        for row in rows
    ]


def _marks(row: Dataset, marks: Mapping[str, titles.Marks]) -> titles.Marks:
    """Data that no calculation made have the name that a person gave, and nothing to doubt."""
    if row.calculation_id is None:
        return titles.Marks()
    return marks.get(row.calculation_id, titles.Marks(named=False))


def dataset_with_files(conn: Connection, row: Dataset) -> Json:
    """A dataset, and its files once more as a list."""
    shown = dataset_list(conn, [row])
    return {"datasets": shown, "data_files": list(shown[0]["data_files"].values())}


# ---------------------------------------------------------------- sessions


def session_list(conn: Connection, rows: Sequence[Calculation], idle_limit_s: float) -> list[Json]:
    """Sessions of these calculations."""
    found = sessions.by_ids(conn, [row.id for row in rows])
    names = people.names_of_groups(conn, (row.group_id for row in rows))
    return [
        _session(row, found[row.id], names.get(row.group_id or 0), idle_limit_s)
        for row in rows
        if row.id in found
    ]


def _session(row: Calculation, about: Session, group: str | None, idle_limit_s: float) -> Json:
    failed = row.error_msg if row.state == State.FAILED else ""
    return {
        "session_id": row.id,
        "client_private_inbox": inbox(row.id, row.agent_id),
        "command_name": row.command_name,
        "arguments": in_arguments(row.arguments),
        "application_slug": row.application_slug,
        "application_version": row.application_version,
        "state": about.state,
        "status": row.state,
        "step": row.step,
        # The reason of a failure is that of the calculation; the session's is from while it was open.
        "reason": failed or about.reason or row.error_msg,
        "name": row.name,
        "title": titles.title_of(row),
        "owner": row.owner,
        "group": group,
        "opened_at": iso(about.opened_at),
        "last_input_at": iso(about.last_input_at),
        "closed_at": iso(about.closed_at),
        "idle_limit_s": idle_limit_s,
        # None until the session is open, and until its owner was warned.
        "idle_ends_at": iso(about.last_input_at + idle_limit_s) if about.last_input_at else None,
        "warned_at": iso(about.warned_at),
        "width": about.width,
        "height": about.height,
        "view_only_allowed": about.view_only_allowed,
        "output_dataset_id": row.output_dataset_id,
    }
