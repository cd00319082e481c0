"""How one parameter of an atom is refined, and its form in a SHELX text.

A SHELX number 10·m + p means: m = 0 refined, starting from p; 1 fixed at p; m > 1: p × free variable m; m < -1:
p × (free variable |m| - 1).
"""

from __future__ import annotations

from dataclasses import dataclass

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import decoded


@dataclass(frozen=True)
class Coding:
    """variable: 0 refined by itself, 1 fixed, n > 1 tied to free variable n: value = offset + factor × variable.

    -1: not stated by the input. It is fixed, unless the model shows that it must be refined (occupancies of two
    alternatives).
    """

    variable: int = 0
    offset: float = 0.0
    factor: float = 0.0

    @property
    def is_free(self) -> bool:
        """Whether the parameter is refined by itself."""
        return self.variable == 0

    @property
    def is_fixed(self) -> bool:
        """Whether the parameter is not refined (written as 10 + value)."""
        return abs(self.variable) == 1

    @property
    def is_tied(self) -> bool:
        """Whether the parameter follows a free variable (written as 10 m + value)."""
        return self.variable > 1

    def value(self, variables: list[float]) -> float:
        """Of a tied parameter. variables: all of FVAR, the scale factor first."""
        return self.offset + self.factor * variables[self.variable - 1]

    def scaled(self, share: float) -> Coding:
        """The same for the parameter times `share`."""
        return Coding(self.variable, self.offset * share, self.factor * share) if self.is_tied else self


FREE = Coding()
FIXED = Coding(1)
UNSTATED = Coding(-1)


def tied(variable: int, factor: float) -> Coding:
    """p × free variable for a positive number of the variable, p × (variable - 1) for a negative one."""
    if variable > 0:
        return Coding(variable, 0.0, factor)
    return Coding(-variable, -factor, factor)


def read_parameter(written: float, variables: list[float]) -> tuple[float, Coding]:
    """Value and coding of a SHELX number. Raises UserInputError for a free variable that FVAR does not give."""
    multiple, p = decoded(written)
    if multiple == 0:
        return p, FREE
    if multiple == 1:
        return p, FIXED
    if abs(multiple) > len(variables):
        raise UserInputError(
            f"free variable {abs(multiple)} is used, but FVAR has {len(variables)}.",
            why=f"The number {written:g} stands for {p:g} times it.",
            next="Add its start value to FVAR, or correct the number.",
        )
    coding = tied(multiple, p)
    return coding.value(variables), coding


def has_number(coding: Coding) -> bool:
    """Whether SHELX has a number for it: for p × variable and p × (variable - 1), not for other offsets, which MOVE may cause."""
    return not coding.is_tied or abs(coding.offset) < 1e-9 or abs(coding.offset + coding.factor) < 1e-9


def write_parameter(value: float, coding: Coding) -> float:
    """The SHELX number of a parameter; the inverse of `read_parameter`. The coding has one (`has_number`)."""
    if coding.is_free:
        return value
    if coding.is_fixed:
        return 10 + value
    if abs(coding.offset) < 1e-9:
        return 10 * coding.variable + coding.factor
    return -10 * coding.variable + coding.factor
