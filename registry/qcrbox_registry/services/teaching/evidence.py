"""Calculations of an exercise with what their CIFs say, for rules and pages."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from qcrbox.contract.errors import QcError
from qcrbox.contract.states import State
from qcrbox.contract.teaching import Task

from qcrbox_registry.services.context import Context
from qcrbox_registry.services.teaching import checks
from qcrbox_registry.services.teaching.checks import Evidence
from qcrbox_registry.services.teaching.progress import Answer, Work, matches
from qcrbox_registry.store import datasets, events
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import work
from qcrbox_registry.store.teaching.work import Done

LARGEST_CIF_BYTES = 64 * 1024 * 1024
log = structlog.get_logger(__name__)


def as_work(done: Done) -> Work:
    """A row as the rules take it."""
    return Work(
        id=done.id,
        application=done.application_slug,
        command=done.command_name,
        arguments=done.arguments,
        state=done.state,
        submitted_at=done.submitted_at,
        finished_at=done.finished_at,
        error=done.error_msg,
        evidence=Evidence(done.figures or {}, done.facts, _problem(done)),
        answered=done.answered,
    )


def _problem(done: Done) -> str:
    """Why nothing is known of the CIF; "" where it is, or will be once it is read."""
    if done.problem:
        return done.problem
    return "The calculation wrote no CIF that can be read." if done.data_file_id is None else ""


def by_person(found: Sequence[Done]) -> dict[int, list[Work]]:
    """person id -> their calculations, oldest first."""
    grouped: dict[int, list[Work]] = {}
    for done in found:
        grouped.setdefault(done.person_id, []).append(as_work(done))
    return grouped


def typed(answers: dict[str, tuple[str, float]] | None) -> dict[str, Answer]:
    """Answers as the rules take them."""
    return {task_id: Answer(value, at) for task_id, (value, at) in (answers or {}).items()}


def lacking_facts(tasks: Sequence[Task], found: Sequence[Done]) -> list[str]:
    """Ids of the CIFs that have to be read before these tasks can be judged."""
    wanted: list[str] = []
    for done in found:
        if done.state != State.SUCCESSFUL or done.data_file_id is None:
            continue
        work = as_work(done)
        if any(checks.lacks_reading(task, work.evidence) and matches(task, work) for task in tasks):
            wanted.append(done.data_file_id)
    return wanted


async def read_facts(context: Context, data_file_ids: Sequence[str]) -> None:
    """Read these CIFs for the checks, in the process of the indexer. A file that cannot be read keeps its reason.

    CIFs without an index are indexed as well.
    """
    for file_id in data_file_ids:
        row = await context.db.read(partial(datasets.get_file, data_file_id=file_id, deleted=True))
        facts, problem = await _facts_of(context, row)
        if facts is None:
            problem = problem or "The CIF could not be read."
        index = await _lacking_index_of(context, row) if facts is not None else None
        known = partial(_keep, file_id=file_id, index=index, facts=facts, problem=problem)
        await context.db.write(known)


async def _lacking_index_of(context: Context, row: datasets.DataFile) -> dict[str, Any] | None:
    """A new index for a CIF without one; None for an indexed CIF. Indexing follows the upload when it takes long."""
    if await context.db.read(partial(datasets.index_of, data_file_ids=[row.id])):
        return None
    return await context.indexer.index(row.sha256, row.size, row.filename)


def _keep(
    conn: Connection,
    file_id: str,
    index: dict[str, Any] | None,
    facts: Mapping[str, Any] | None,
    problem: str,
) -> None:
    now = time.time()
    if index is not None:
        datasets.put_index(conn, file_id, index, now)
    work.put_facts(conn, data_file_id=file_id, facts=facts, problem=problem, now=now)


class FactReader:
    """Reads CIFs for checks beside the requests, each once, and writes an event of its owner when it was read.

    One for all services: the board of a lecturer and the page of a student ask for the same CIFs.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reading: set[str] = set()

    def read_soon(self, exercise_id: str, tasks: Sequence[Task], found: Sequence[Done]) -> None:
        """Begin to read what a check of these tasks has to read of these calculations."""
        owners = {done.data_file_id: done.person_id for done in found if done.data_file_id is not None}
        wanted = {each: owners[each] for each in lacking_facts(tasks, found) if each not in self._reading}
        if wanted:
            self._reading |= wanted.keys()
            self._context.background.spawn(self._read(exercise_id, wanted))

    async def _read(self, exercise_id: str, wanted: Mapping[str, int]) -> None:
        try:
            for file_id, owner_id in wanted.items():
                await read_facts(self._context, [file_id])
                event = events.Event("exercise", exercise_id, time.time(), "changed", owner_id=owner_id)
                written = await self._context.db.write(partial(events.write, new=[event]))
                self._context.publish(list(written))
        finally:
            self._reading -= wanted.keys()


async def _facts_of(context: Context, row: datasets.DataFile) -> tuple[dict[str, Any] | None, str]:
    if row.purged_at is not None:
        return None, "The file was deleted."
    if row.size > LARGEST_CIF_BYTES:
        return None, f"The CIF is larger than {LARGEST_CIF_BYTES // 1024**2} MiB."
    try:
        return await context.indexer.exercise_facts(row.sha256, row.filename)
    except (QcError, OSError) as error:
        log.warning("cif_facts_not_read", data_file=row.id, error=str(error))
        return None, str(error)
