"""The automatic checks on what a calculation wrote. They read numbers and CIF facts and never run a student's code.

Students read the words of a result after each attempt. They state what was found, never what would be right: that is what
the student has to find out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qcrbox.contract.teaching import QUANTITIES, Check, Task

from qcrbox_registry.services.space_group_settings import settings_of

_LEVELS = "ABC"
# Occupancies are rounded; of fifty hydrogen atoms two per cent would be a whole one.
_OCCUPANCY_MARGIN, _LESS_THAN_AN_ATOM = 0.02, 0.2


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a check. passed is None when it could not be carried out; `words` says why."""

    passed: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the main CIF of a calculation.

    figures: the index of the CIF. facts: `qcrbox.analysis.exercise_facts.facts_of`; None when the CIF was not read, and
    `problem` says why.
    """

    figures: Mapping[str, Any]
    facts: Mapping[str, Any] | None = None
    problem: str = ""

    @property
    def is_read(self) -> bool:
        """Whether the CIF was read, or it is known why it cannot be."""
        return self.facts is not None or bool(self.problem)


def figure(figures: Mapping[str, Any], quantity: str) -> float | None:
    """A finite number of the index; None for anything else."""
    value = figures.get(quantity)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def needs_facts(check: Check) -> bool:
    """Whether the check reads the CIF itself, not only its index."""
    return check.kind in ("all_hydrogens", "no_alerts", "element", "occupancy")


def lacks_reading(task: Task, evidence: Evidence) -> bool:
    """Whether this task cannot be judged yet because the CIF has been neither read nor, where that suffices, indexed."""
    if evidence.is_read:
        return False
    if any(needs_facts(check) for check in task.checks):
        return True
    return not evidence.figures and (task.band is not None or bool(task.checks))


def run(check: Check, evidence: Evidence) -> Result:
    """Carry out a check. Raises nothing: what cannot be checked is a result with its reason."""
    if needs_facts(check) and evidence.facts is None:
        why = evidence.problem or "The calculation wrote no CIF that can be read."
        return Result(None, f"Not checked: {why}")
    try:
        return _RUN[check.kind](check, evidence)
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # facts of a hostile file
        return Result(
            None, f"Not checked: the facts of the CIF are not as expected ({type(error).__name__})."
        )


def _quantity(check: Check, evidence: Evidence) -> Result:
    assert check.band is not None
    name, value = QUANTITIES[check.quantity], figure(evidence.figures, check.quantity)
    if value is None:
        return Result(None, f"Not checked: the CIF states no {name}.")
    passed = check.band.contains(value)
    return Result(passed, f"{name} is {value:g}{'' if passed else ', which is not right'}.")


def _space_group(check: Check, evidence: Evidence) -> Result:
    number, symbol = figure(evidence.figures, "space_group_number"), evidence.figures.get("space_group_hm")
    found = str(symbol) if symbol else ("none" if number is None else f"no. {number:g}")
    if number is None and not symbol:
        return Result(None, "Not checked: the CIF states no space group.")
    by_number = check.number is not None and number is not None
    passed = number == check.number if by_number else _one_setting(symbol, check.symbol)
    return Result(passed, f"The space group is {found}{'' if passed else ', not the right one'}.")


def _one_setting(found: object, wanted: str) -> bool:
    """Whether two symbols may mean one setting: `P 1 21/c 1` is P21/c, and P21/n is another setting than both."""
    if _bare(found) == _bare(wanted):
        return True
    return not set(settings_of(str(found or ""))).isdisjoint(settings_of(wanted))


def _bare(symbol: object) -> str:
    """A Hermann–Mauguin symbol without blanks, in one spelling of the axes of screw."""
    return re.sub(r"[\s_()]", "", str(symbol or "")).lower()


def _all_hydrogens(check: Check, evidence: Evidence) -> Result:
    assert evidence.facts is not None
    found, stated = float(evidence.facts["hydrogens"]), evidence.facts.get("formula_has_hydrogen")
    if check.count is not None:
        margin = min(_OCCUPANCY_MARGIN * max(1.0, check.count), _LESS_THAN_AN_ATOM)
        passed = abs(found - check.count) <= margin
        words = f"Hydrogen atoms in the model: {found:g}"
        return Result(passed, f"{words}{'' if passed else ', not the right number'}.")
    if not stated:
        return Result(None, "Not checked: the formula of the CIF has no hydrogen.")
    return Result(
        found > 0, "Hydrogen atoms are in the model." if found else "No hydrogen atom is in the model."
    )


def _no_alerts(check: Check, evidence: Evidence) -> Result:
    assert evidence.facts is not None
    counts = evidence.facts["alerts"]
    levels = _LEVELS[: _LEVELS.index(check.level) + 1]
    number = sum(int(counts.get(level, 0)) for level in levels)
    if not number:
        return Result(True, f"No alert of level {' or '.join(levels)}.")
    first = next(iter(evidence.facts.get("first_alerts") or ()), "")
    return Result(
        False, f"{number} alert(s) of level {' or '.join(levels)}{f', the first: {first}' if first else ''}."
    )


def _element(check: Check, evidence: Evidence) -> Result:
    assert evidence.facts is not None
    elements: Mapping[str, str] = evidence.facts["elements"]
    found = {label.casefold(): symbol for label, symbol in elements.items()}.get(check.label.casefold())
    if found is None:
        return Result(False, f"There is no site {check.label} in the model.")
    passed = found.casefold() == check.symbol.casefold()
    return Result(passed, f"{check.label} is {found}{'' if passed else ', not the right element'}.")


def _occupancy(check: Check, evidence: Evidence) -> Result:
    assert evidence.facts is not None
    assert check.band is not None
    occupancies: Mapping[str, float] = evidence.facts["occupancies"]
    found = {label.casefold(): value for label, value in occupancies.items()}.get(check.label.casefold())
    if found is None:
        return Result(check.band.high == 0, f"There is no site {check.label} in the model.")
    passed = check.band.contains(float(found))
    return Result(
        passed, f"The occupancy of {check.label} is {found:.3g}{'' if passed else ', which is not right'}."
    )


_RUN = {
    "quantity": _quantity,
    "space_group": _space_group,
    "all_hydrogens": _all_hydrogens,
    "no_alerts": _no_alerts,
    "element": _element,
    "occupancy": _occupancy,
}
