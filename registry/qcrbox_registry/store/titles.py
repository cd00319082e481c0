"""Titles of calculations and results: what went in · what was done · how it ended.

A name given by a person replaces the title. The time of day is no part of it: the reader's clock and language show that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

import sqlalchemy as sa
from qcrbox.contract.states import State
from qcrbox.spec.titles import command_phrase
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import calculations, data_files, datasets

BETWEEN = " · "
NOT_CONVERGED = "not converged"
NOT_REFINED = "not refined"
LONGEST_SUBJECT = 100
_WORDS = {State.FAILED: "failed", State.CANCELLED: "cancelled"}


class Titled(Protocol):
    """The columns of a calculation that make its title."""

    @property
    def name(self) -> str:
        """Title that a person has given, or an empty text."""

    @property
    def subject(self) -> str:
        """What went in."""

    @property
    def done(self) -> str:
        """What was done."""

    @property
    def verdict(self) -> str:
        """How it ended."""

    @property
    def command_name(self) -> str:
        """Name of the command."""

    @property
    def state(self) -> str:
        """State of the calculation."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a title is made of."""

    name: str
    subject: str
    done: str
    verdict: str
    command_name: str
    state: str


def title_of(row: Titled) -> str:
    """`thpp · HAR pbe/def2-SVP · R1 0.0278`, or the name that a person gave."""
    if row.name:
        return row.name
    verdict = _WORDS.get(State(row.state), row.verdict)
    return BETWEEN.join(
        part for part in (row.subject, row.done or command_phrase(row.command_name), verdict) if part
    )


def verdict_of(metrics: Mapping[str, Any], r1: float | None, warnings: Sequence[str]) -> str:
    """How a calculation ended in a few words: R1, and whether it converged or refined anything at all.

    metrics: the last ones the program reported; r1: that of its main CIF, for programs that report none.
    """
    reported = [value for value in (metrics.get("R1"), r1) if isinstance(value, int | float)]
    words = [f"R1 {value:.4f}" for value in reported if math.isfinite(value)][:1]
    if metrics.get("converged") == 0 or any(NOT_CONVERGED in warning.lower() for warning in warnings):
        words.append(NOT_CONVERGED)
    elif metrics.get("refined") == 0:
        words.append(NOT_REFINED)
    return ", ".join(words)


def subjects_of(conn: Connection, file_ids: Iterable[str]) -> dict[str, str]:
    """What a person would call each file: the name of its dataset; of a result, its given name or what it began with."""
    found: dict[str, str] = {}
    wanted = sorted(set(file_ids))
    if not wanted:
        return found
    columns = (
        data_files.c.id,
        data_files.c.filename,
        datasets.c.name.label("dataset"),
        calculations.c.name.label("given"),
        calculations.c.subject,
    )
    joined = data_files.outerjoin(datasets, datasets.c.id == data_files.c.dataset_id).outerjoin(
        calculations, calculations.c.id == datasets.c.calculation_id
    )
    for part in parts(wanted):
        for row in conn.execute(sa.select(*columns).select_from(joined).where(data_files.c.id.in_(part))):
            # A dataset without a name has that of its first file.
            stem = PurePosixPath(row.filename).stem
            name = stem if row.dataset in ("", None, row.filename) else row.dataset
            subject = row.given or row.subject or name
            found[row.id] = subject[:LONGEST_SUBJECT]
    return found


def is_doubtful(state: str, verdict: str, warnings: Sequence[str] | None) -> bool:
    """Whether a finished calculation should be looked at before its result is trusted: with warnings, or not converged."""
    return state == State.SUCCESSFUL and (bool(warnings) or NOT_CONVERGED in verdict.lower())


@dataclass(frozen=True, slots=True)
class Marks:
    """What the name of a result does not tell: whether a person gave it, and whether the result is doubtful."""

    named: bool = True
    doubtful: bool = False


def marks_of(conn: Connection, calculation_ids: Iterable[str]) -> dict[str, Marks]:
    """The marks of the results of these calculations."""
    found: dict[str, Marks] = {}
    columns = (
        calculations.c.id,
        calculations.c.name,
        calculations.c.state,
        calculations.c.verdict,
        calculations.c.warnings,
    )
    for part in parts(sorted(set(calculation_ids))):
        for row in conn.execute(sa.select(*columns).where(calculations.c.id.in_(part))):
            found[row.id] = Marks(row.name != "", is_doubtful(row.state, row.verdict, row.warnings))
    return found
