"""Options of a structure view, validated once for widget and picture."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, Literal, TypeGuard

import numpy as np

from qcrbox.contract.errors import UserInputError
from qcrbox.widgets.structure_view import palettes

Grow = Literal["auto", "none", "bond", "molecule", "radius", "contacts", "cell", "molecules"]
GROW = ("auto", "none", "bond", "molecule", "radius", "contacts", "cell", "molecules")
STYLES = ("octants", "rings", "plain")
HYDROGENS = ("spheres", "displacement", "none")
_SWITCHES = (bool, np.bool_)
DIRECTIONS = ("a", "b", "c", "a*", "b*", "c*", "best")


@dataclass(frozen=True)
class Options:
    """Options of qc.StructureView.

    ellipsoids: probability between 0 and 1 (0.5), or 50 for per cent.
    disorder: "all" (minor parts hollow), "major", "minor", or {assembly: group}.
    grow: "auto" (complete molecules), "none" (asymmetric unit), "bond", "molecule", "radius", "contacts",
    "cell" (all atoms in one cell), "molecules" (whole molecules of one cell); True and False too.
    ranges: the box of "cell" and "molecules" in fractions of the cell; radius: Å, for "radius".
    hydrogens: "spheres" of fixed size, "displacement", or "none".
    labels: True, False, or "heavy" for all but hydrogen. along: "a", "b", "c", "a*", "b*", "c*", "best".
    """

    ellipsoids: float = 0.5
    disorder: Any = "all"
    grow: str = "auto"
    ranges: Sequence[tuple[float, float]] = ((0, 1), (0, 1), (0, 1))
    radius: float = 4.0
    hydrogens: str = "spheres"
    labels: bool | str = False
    cell: bool = False
    hydrogen_bonds: bool = False
    style: str = "octants"
    palette: str = "cpk"
    perspective: bool = False
    along: str = "best"
    height: int = 440

    @classmethod
    def of(cls, given: dict[str, Any]) -> Options:
        """Checked options. Raises UserInputError naming option and choices."""
        return cls().changed(**given)

    def changed(self, **given: Any) -> Options:
        """The options with some of them changed. Raises UserInputError."""
        known = [field.name for field in fields(self)]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1, 0.5)
                hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known)}."
                raise UserInputError(f"StructureView has no option {name!r}.", next=hint)
        if isinstance(given.get("grow"), _SWITCHES):
            given["grow"] = "auto" if given["grow"] else "none"
        made = replace(self, **given)
        made._check_probability()
        made._check_choices()
        made._check_numbers()
        share = float(made.ellipsoids)
        return replace(made, ellipsoids=share / 100 if share > 1 else share)

    def _check_probability(self) -> None:
        probability = self.ellipsoids
        if not _is_number(probability) or not 0 < probability < 100:
            raise UserInputError(
                f"ellipsoids must be a probability between 0 and 1; you gave {probability!r}.",
                next="Usual: 0.5.",
            )
        if probability == 1:
            raise UserInputError(
                "An ellipsoid that holds 100 % has no size.", next="Give less than 1, or 1.5 for 1.5 %."
            )

    def _check_choices(self) -> None:
        for name, choices in (
            ("grow", GROW),
            ("style", STYLES),
            ("hydrogens", HYDROGENS),
            ("palette", palettes.NAMES),
            ("along", DIRECTIONS),
        ):
            if getattr(self, name) not in choices:
                raise UserInputError(
                    f"{name} must be one of {', '.join(map(repr, choices))}; you gave {getattr(self, name)!r}."
                )
        for name in ("cell", "hydrogen_bonds", "perspective"):
            if not isinstance(getattr(self, name), _SWITCHES):
                raise UserInputError(f"{name} must be True or False; you gave {getattr(self, name)!r}.")
        # 0 and 1 equal False and True, but are none.
        if not isinstance(self.labels, _SWITCHES) and not (
            isinstance(self.labels, str) and self.labels == "heavy"
        ):
            raise UserInputError(f'labels must be True, False or "heavy"; you gave {self.labels!r}.')
        if not isinstance(self.disorder, Mapping) and self.disorder not in ("all", "major", "minor"):
            raise UserInputError(
                f'disorder must be "all", "major", "minor" or {{assembly: group}}; you gave {self.disorder!r}.'
            )

    def _check_numbers(self) -> None:
        if not _is_number(self.radius) or not 0 < self.radius < math.inf:
            raise UserInputError(f"radius must be a length in Å above 0; you gave {self.radius!r}.")
        if not _is_number(self.height) or not 0 < self.height < math.inf:
            raise UserInputError(f"height must be a number of pixels above 0; you gave {self.height!r}.")
        if not _is_box(self.ranges):
            raise UserInputError(
                f"ranges must be the lower and the upper end on each of the three axes; you gave {self.ranges!r}.",
                next="For example ((0, 1), (0, 1), (-0.5, 1.5)).",
            )


def _is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a number, numpy's among them; no bool, no NaN."""
    return isinstance(value, Real) and not isinstance(value, _SWITCHES) and not math.isnan(float(value))


def _is_box(ranges: Any) -> bool:
    try:
        ends = [(low, high) for low, high in ranges]
    except (TypeError, ValueError):
        return False
    numbers = all(_is_number(end) for pair in ends for end in pair)
    return len(ends) == 3 and numbers and all(-math.inf < low < high < math.inf for low, high in ends)
