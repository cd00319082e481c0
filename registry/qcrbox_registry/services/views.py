"""Rows as the JSON of the REST contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.ids import in_arguments
from qcrbox.contract.models import iso
from qcrbox.contract.states import State
from sqlalchemy.engine import Connection

from qcrbox_registry.store import calculations, datasets, events, logs, people, tags
from qcrbox_registry.store.tables import applications, sessions

# The contract wants the outputs of the programs inside the status event; what is longer is read from /log.
LONGEST_OUTPUT = 1024 * 1024


def inbox(calculation_id: str, agent_id: str | None) -> str:
    """The contract's `client_private_inbox`: whom the work went to. Opaque, opens nothing."""
    return f"_INBOX_{agent_id}" if agent_id else f"queue.{calculation_id}"


# ---------------------------------------------------------------- calculations


def status_event(
    event: events.Event, *, stdout: str | None = None, stderr: str | None = None
) -> dict[str, Any]:
    extra = {key: value for key, value in event.payload.items() if key != "output_dataset_id"}
    extra |= {"step": event.step, "attempt": event.attempt}
    return {
        "calculation_id": event.object_id,
        "status": event.status,
        "stdout": stdout,
        "stderr": stderr,
        "output_dataset_id": event.payload.get("output_dataset_id"),
        "extra_info": extra,
        "timestamp": iso(event.at),
        "seq": event.seq,
    }


def calculation(
    row: sa.Row,
    history: Sequence[events.Event],
    *,
    group: str | None = None,
    tagged: Sequence[str] = (),
    progress: Mapping[str, Any] | None = None,
    queue: Mapping[str, Any] | None = None,
    stdout: str | None = None,
    stderr: str | None = None,
) -> dict[str, Any]:
    last = len(history) - 1
    return {
        "calculation_id": row.id,
        "client_private_inbox": inbox(row.id, row.agent_id),
        "application_slug": row.application_slug,
        "application_version": row.application_version,
        "command_name": row.command_name,
        "status": row.state,
        "command_arguments": in_arguments(row.arguments),
        "status_events": [
            status_event(event, stdout=stdout if i == last else None, stderr=stderr if i == last else None)
            for i, event in enumerate(history)
        ],
        "output_dataset_id": row.output_dataset_id,
        "name": row.name,
        "owner": row.owner,
        "group": group,
        "step": row.step,
        "attempt": row.attempt,
        "submitted_at": iso(row.submitted_at),
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "error_msg": row.error_msg,
        "returncode": row.returncode,
        "warnings": row.warnings,
        "timings_s": row.timings_s,
        "progress": None if progress is None else {**progress, "at": iso(progress["at"])},
        "queue": None if queue is None else dict(queue),
        "tags": list(tagged),
        "interactive": row.interactive,
        "correlation_id": row.correlation_id,
        "batch_id": row.batch_id,
        "repeat_of": row.repeat_of,
    }


def calculation_list(
    conn: Connection, rows: Sequence[sa.Row], queue: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Calculations without the programs' output."""
    ids = [row.id for row in rows]
    history = events.of_objects(conn, ids, kind="calculation")
    tagged = tags.of(conn, "calculation", ids)
    moving = [row.id for row in rows if row.started_at is not None]
    progress = logs.progress_of(conn, moving)
    names = people.names_of_groups(conn, sorted({row.group_id for row in rows if row.group_id}))
    return [
        calculation(
            row,
            history[row.id],
            group=names.get(row.group_id),
            tagged=tagged[row.id],
            progress=progress.get(row.id),
            queue=(queue or {}).get(row.id),
        )
        for row in rows
    ]


def one_calculation(conn: Connection, row: sa.Row, queue: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A calculation with the programs' output in its last status event."""
    shown = calculation_list(conn, [row], queue)[0]
    if row.started_at is not None and shown["status_events"]:
        last = shown["status_events"][-1]
        for stream in ("stdout", "stderr"):
            text, _ = logs.read(conn, row.id, row.attempt, stream, most=LONGEST_OUTPUT)
            last[stream] = text
    return shown


# ---------------------------------------------------------------- data


def data_file(
    row: sa.Row, index: Mapping[str, Any] | None = None, tagged: Sequence[str] = ()
) -> dict[str, Any]:
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


def data_file_list(conn: Connection, rows: Sequence[sa.Row]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    indexed, tagged = datasets.index_of(conn, ids), tags.of(conn, "data_file", ids)
    return [data_file(row, indexed.get(row.id), tagged[row.id]) for row in rows]


def dataset_list(conn: Connection, rows: Sequence[sa.Row]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    files = datasets.files_of(conn, ids)
    shown = {
        file["qcrbox_file_id"]: file for file in data_file_list(conn, [f for one in ids for f in files[one]])
    }
    tagged = tags.of(conn, "dataset", ids)
    names = people.names_of_groups(conn, sorted({row.group_id for row in rows if row.group_id}))
    slugs = _slugs(conn, sorted({row.application_id for row in rows if row.application_id}))
    return [
        {
            "qcrbox_dataset_id": row.id,
            "data_files": {file.filename: shown[file.id] for file in files[row.id]},
            "name": row.name,
            "description": row.description,
            "kind": row.kind,
            "owner": row.owner,
            "group": names.get(row.group_id),
            "created_at": iso(row.created_at),
            "changed_at": iso(row.changed_at),
            "deleted_at": iso(row.deleted_at),
            "calculation_id": row.calculation_id,
            "application": slugs.get(row.application_id),
            "read_only": row.kind == "example",
            "tags": tagged[row.id],
        }
        for row in rows
    ]


def _slugs(conn: Connection, ids: Sequence[int]) -> dict[int, str]:
    if not ids:
        return {}
    query = sa.select(applications.c.id, applications.c.slug).where(applications.c.id.in_(ids))
    return {row.id: row.slug for row in conn.execute(query)}


# ---------------------------------------------------------------- sessions


def session_list(conn: Connection, rows: Sequence[sa.Row], idle_limit_s: float) -> list[dict[str, Any]]:
    """Sessions; each row is a calculation's."""
    ids = [row.id for row in rows]
    about = {
        row.calculation_id: row
        for start in range(0, len(ids), 500)
        for row in conn.execute(
            sa.select(sessions).where(sessions.c.calculation_id.in_(ids[start : start + 500]))
        )
    }
    names = people.names_of_groups(conn, sorted({row.group_id for row in rows if row.group_id}))
    return [
        session(row, about[row.id], names.get(row.group_id), idle_limit_s) for row in rows if row.id in about
    ]


def session(row: sa.Row, about: sa.Row, group: str | None, idle_limit_s: float) -> dict[str, Any]:
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
        # Of a session that failed, why; what was last said while it was open is not that.
        "reason": (row.error_msg if row.state == State.FAILED else "") or about.reason or row.error_msg,
        "name": row.name,
        "owner": row.owner,
        "group": group,
        "opened_at": iso(about.opened_at),
        "last_input_at": iso(about.last_input_at),
        "closed_at": iso(about.closed_at),
        "idle_limit_s": idle_limit_s,
        # Both empty while it does not run, or nobody need be warned.
        "idle_ends_at": iso(about.last_input_at + idle_limit_s) if about.last_input_at else None,
        "warned_at": iso(about.warned_at),
        "width": about.width,
        "height": about.height,
        "view_only_allowed": about.view_only_allowed,
        "output_dataset_id": row.output_dataset_id,
    }


__all__ = [
    "calculation_list",
    "calculations",
    "data_file_list",
    "dataset_list",
    "one_calculation",
    "session_list",
]
