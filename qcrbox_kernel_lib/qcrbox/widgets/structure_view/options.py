"""Options of a structure view, validated once for widget and picture."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from qcrbox.contract.errors import UserInputError
from qcrbox.widgets.structure_view import palettes

Grow = Literal["auto", "none", "bond", "molecule", "radius", "contacts", "cell", "molecules"]
GROW = ("auto", "none", "bond", "molecule", "radius", "contacts", "cell", "molecules")
STYLES = ("octants", "rings", "plain")
HYDROGENS = ("spheres", "displacement", "none")
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
        if "grow" in given:
            given["grow"] = {True: "auto", False: "none"}.get(given["grow"], given["grow"])
        made = replace(self, **given)
        made._check()
        if made.ellipsoids > 1:
            made = replace(made, ellipsoids=made.ellipsoids / 100)
        return made

    def _check(self) -> None:
        probability = self.ellipsoids
        if (
            isinstance(probability, bool)
            or not isinstance(probability, (int, float))
            or not 0 < probability < 100
        ):
            raise UserInputError(
                f"ellipsoids must be a probability between 0 and 1; you gave {probability!r}.",
                next="Usual: 0.5.",
            )
        if probability == 1:
            raise UserInputError(
                "An ellipsoid that holds 100 % has no size.", next="Give less than 1, or 1.5 for 1.5 %."
            )
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
        if self.labels not in (True, False, "heavy"):
            raise UserInputError(f'labels must be True, False or "heavy"; you gave {self.labels!r}.')
        if not isinstance(self.disorder, Mapping) and self.disorder not in ("all", "major", "minor"):
            raise UserInputError(
                f'disorder must be "all", "major", "minor" or {{assembly: group}}; you gave {self.disorder!r}.'
            )
