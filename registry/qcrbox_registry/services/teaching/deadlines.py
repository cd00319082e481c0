"""When an exercise opens, is due and closes, for a student with or without an extension. All times: Unix time, s."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum

from qcrbox.contract.errors import UserInputError


class Phase(StrEnum):
    """Where an exercise stands for a student."""

    NOT_OPEN = "not_open"
    OPEN = "open"
    LATE = "late"  # may still be submitted, marked as late
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of an exercise; None: no limit. late_until without due_at has no meaning."""

    opens_at: float | None = None
    due_at: float | None = None
    late_until: float | None = None

    def check(self) -> None:
        """Raises UserInputError when the order of the dates is wrong."""
        order = [("opens_at", self.opens_at), ("due_at", self.due_at), ("late_until", self.late_until)]
        given = [(name, at) for name, at in order if at is not None]
        for (earlier, first), (later, second) in itertools.pairwise(given):
            if first >= second:
                raise UserInputError(f"{later} must be after {earlier}.")
        if self.late_until is not None and self.due_at is None:
            raise UserInputError("late_until needs due_at.")


def own_due(dates: Dates, extended_until: float | None) -> float | None:
    """When the work of a student is due. An extension never shortens the time."""
    if dates.due_at is None or extended_until is None:
        return dates.due_at
    return max(dates.due_at, extended_until)


def phase(dates: Dates, extended_until: float | None, now: float) -> Phase:
    """Where the exercise stands for a student. The moment a date names belongs to what follows it."""
    if dates.opens_at is not None and now < dates.opens_at:
        return Phase.NOT_OPEN
    due = own_due(dates, extended_until)
    if due is None or now < due:
        return Phase.OPEN
    if dates.late_until is not None and now < max(dates.late_until, due):
        return Phase.LATE
    return Phase.CLOSED


def is_late(due_at: float | None, at: float) -> bool:
    """Whether work of this time is late: in agreement with `phase`, at the deadline itself it is."""
    return due_at is not None and at >= due_at
