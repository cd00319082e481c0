"""The end of an attempt: outputs, lineage, index and final state in one transaction.

Keyed by (calculation, attempt): repeating it is harmless, an older attempt is refused and leaves nothing.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, NotFound, QcError, UserInputError
from qcrbox.contract.messages import Finished, OutputFile
from qcrbox.contract.states import FINAL, State, Step
from sqlalchemy.engine import Connection

from qcrbox_registry.store import datasets, events, logs, sessions, titles
from qcrbox_registry.store.engine import upsert_for
from qcrbox_registry.store.tables import (
    calculation_outputs,
    calculations,
    cif_index,
    command_durations,
    data_files,
    uploads,
)
from qcrbox_registry.store.transitions import Change, Entry, Ledger
from qcrbox_registry.store.uploads import drop_checkpoints

# Durations of a command count with at most the weight of so many runs, so that old programs and machines are forgotten.
MOST_LEARNT = 1000

_title_parts = sa.select(
    *(calculations.c[name] for name in ("name", "subject", "done", "verdict", "command_name"))
)


def commit_many(
    conn: Connection,
    ends: Sequence[Finished],
    now: float | None = None,
    *,
    began: Mapping[str, float] | None = None,
) -> tuple[list[events.Event], list[QcError | None]]:
    """Write many ends, in order. The events to publish, and for each end None or why it was refused.

    began: Unix times, s, at which calculations started that reported their start and end together.
    """
    at = time.time() if now is None else now
    ledger = Ledger(conn, (end.calculation_id for end in ends), at)
    refused: list[QcError | None] = []
    done: list[Entry] = []
    for end in ends:
        try:
            entry = ledger.entry(end.calculation_id, end.attempt)
            if _end(conn, ledger, entry, end, at, (began or {}).get(entry.id)):
                done.append(entry)
            refused.append(None)
        except (NotFound, Conflict) as error:
            refused.append(error)
    written = ledger.close()
    _learn_durations(conn, done)
    sessions.close(conn, [entry.id for entry in done if entry.interactive], at)
    return written, refused


def _end(
    conn: Connection, ledger: Ledger, entry: Entry, end: Finished, at: float, began: float | None
) -> bool:
    """True when this call ended the calculation, False when it had ended so before."""
    fields = {
        "returncode": end.returncode,
        "error_msg": end.error_msg.replace("\x00", "\ufffd")[:20_000],
        "warnings": end.warnings[:200],
        "remarks": [remark.model_dump(mode="json") for remark in end.remarks[:200]],
        "timings_s": end.timings_s,
        "peak_rss_bytes": end.peak_rss_bytes or None,
    }
    status = end.status
    if State(entry.state) in FINAL:
        return ledger.change(Change(entry.id, status, end.attempt)) is not None
    if entry.state == State.SUBMITTED and (began is not None or status is State.SUCCESSFUL):
        # The end arrived before the first step message, or with it.
        start = began or _start_of(end, entry, at)
        ledger.change(Change(entry.id, State.RUNNING, end.attempt, Step.RUNNING, at=start))
    try:
        fields["output_dataset_id"] = _store_outputs(conn, entry, end, at)
        drop_checkpoints(conn, entry.id)
    except UserInputError as error:
        status, fields["error_msg"] = State.FAILED, error.message
    return ledger.change(Change(entry.id, status, end.attempt, at=at, fields=fields)) is not None


def _start_of(end: Finished, entry: Entry, at: float) -> float:
    """The start of an attempt that did not report it, from its own total time: the time that it waited at its agent is
    not part of its duration. Never before the assignment or after now, whatever the clock of the agent says."""
    took = end.timings_s.get("total")
    assigned = entry.assigned_at or at
    return assigned if took is None else max(assigned, at - took)


def _store_outputs(conn: Connection, entry: Entry, end: Finished, at: float) -> str | None:
    """The output dataset, primary file first; None when there are no files."""
    if not end.outputs:
        return None
    ordered = sorted(end.outputs, key=lambda output: not output.primary)
    stored = _stored_uploads(conn, entry, ordered)
    _write_verdict(
        conn, entry.id, (stored[ordered[0].upload_id].result or {}).get("index") or {}, end.warnings
    )
    about = conn.execute(_title_parts.where(calculations.c.id == entry.id)).one()
    title = titles.title_of(titles.Parts(**about._mapping, state=str(end.status)))
    dataset = datasets.NewDataset(
        owner_id=entry.owner_id,
        group_id=entry.group_id,
        kind="output",
        name=title,
        calculation_id=entry.id,
    )
    files = [
        datasets.NewFile(
            output.filename,
            stored[output.upload_id].sha256,
            stored[output.upload_id].size,
            filetype=output.filetype,
            index=(stored[output.upload_id].result or {}).get("index"),
        )
        for output in ordered
    ]
    datasets.add_dataset(conn, dataset, files, at)
    conn.execute(
        sa.insert(calculation_outputs),
        [
            {
                "calculation_id": entry.id,
                "position": position,
                "name": output.name,
                "data_file_id": file.id,
                "is_primary": output.primary,
            }
            for position, (output, file) in enumerate(zip(ordered, files, strict=True))
        ],
    )
    conn.execute(sa.update(uploads).where(uploads.c.id.in_(list(stored))).values(state="used", changed_at=at))
    return dataset.id


def put_index(conn: Connection, sha256: str, index: dict[str, Any], now: float) -> list[str]:
    """Store the index of these contents where it is absent; returns the ids of calculations whose title changes.

    It belongs to outputs of running calculations, which have no row of a file yet, and to files of datasets.
    """
    waiting = sa.select(uploads.c.id, uploads.c.result).where(
        uploads.c.purpose == "output", uploads.c.sha256 == sha256, uploads.c.state == "stored"
    )
    for row in conn.execute(waiting).all():
        if not (row.result or {}).get("index"):
            conn.execute(sa.update(uploads).where(uploads.c.id == row.id).values(result={"index": index}))
    files = (
        sa.select(
            data_files.c.id.label("file_id"),
            calculation_outputs.c.is_primary,
            calculations.c.id,
            calculations.c.warnings,
        )
        .outerjoin(calculation_outputs, calculation_outputs.c.data_file_id == data_files.c.id)
        .outerjoin(calculations, calculations.c.id == calculation_outputs.c.calculation_id)
        .outerjoin(cif_index, cif_index.c.data_file_id == data_files.c.id)
        .where(
            data_files.c.sha256 == sha256,
            data_files.c.filetype.in_(datasets.INDEXED_TYPES),
            cif_index.c.data_file_id.is_(None),
        )
    )
    titled = []
    for file in conn.execute(files).all():
        datasets.put_index(conn, file.file_id, index, now)
        if file.is_primary and _write_verdict(conn, file.id, index, file.warnings or []):
            titled.append(file.id)
    return titled


def _write_verdict(
    conn: Connection, calculation_id: str, index: Mapping[str, Any], warnings: Sequence[str]
) -> bool:
    """Write how it ended, for the title, if that is known. index: that of the main output."""
    metrics = logs.progress_of(conn, [calculation_id]).get(calculation_id, {}).get("metrics") or {}
    verdict = titles.verdict_of(metrics, index.get("r1"), warnings)
    if verdict:
        conn.execute(
            sa.update(calculations).where(calculations.c.id == calculation_id).values(verdict=verdict)
        )
    return bool(verdict)


def _stored_uploads(conn: Connection, entry: Entry, outputs: Sequence[OutputFile]) -> dict[str, sa.Row[Any]]:
    """Only uploads of this attempt count: an agent cannot name the files of another one."""
    query = sa.select(uploads).where(
        uploads.c.id.in_([output.upload_id for output in outputs]),
        uploads.c.purpose == "output",
        uploads.c.calculation_id == entry.id,
        uploads.c.attempt == entry.attempt,
        uploads.c.state == "stored",
    )
    stored = {row.id: row for row in conn.execute(query)}
    for output in outputs:
        row = stored.get(output.upload_id)
        if row is None or row.sha256 != output.sha256:
            raise UserInputError(
                f"The output file {output.filename!r} did not arrive completely.",
                why="The registry has no such bytes from this attempt.",
                next="Run the calculation again.",
            )
    return stored


def _learn_durations(conn: Connection, done: Sequence[Entry]) -> None:
    """Mean and spread of the durations of each command."""
    rows = [
        {
            "command_id": entry.command_id,
            "n": 1,
            "mean_s": max(entry.finished_at - entry.started_at, 0.0),
            "m2": 0.0,
        }
        for entry in sorted(done, key=lambda entry: entry.command_id)
        if entry.state == State.SUCCESSFUL
        and entry.started_at
        and entry.finished_at
        and not entry.interactive
    ]
    if rows:
        conn.execute(_learn_duration(conn.dialect.name), rows)


@functools.cache
def _learn_duration(dialect: str) -> Any:
    """Welford's update, in the database: one statement for each end, without reading what was known."""
    statement = upsert_for(dialect, command_durations)
    known, duration = command_durations.c, statement.excluded.mean_s
    n = sa.case((known.n < MOST_LEARNT, known.n + 1), else_=MOST_LEARNT)
    kept = sa.case((known.n < MOST_LEARNT - 1, 1.0), else_=1 - 1 / MOST_LEARNT)
    difference = duration - known.mean_s
    mean = known.mean_s + difference / n
    learnt = {"n": n, "mean_s": mean, "m2": known.m2 * kept + difference * (duration - mean)}
    return statement.on_conflict_do_update(index_elements=["command_id"], set_=learnt)
