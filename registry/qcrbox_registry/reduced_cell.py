"""The Niggli cell of a unit cell, for searching."""

from __future__ import annotations

from collections.abc import Sequence

from qcrbox.contract.errors import UserInputError


def niggli(cell: Sequence[float], centring: str = "P") -> tuple[float, float, float, float, float, float]:
    """a, b, c (Å), α, β, γ (°) of the Niggli-reduced primitive cell. Raises UserInputError for an impossible cell.

    Reduction: Křivý & Gruber, Acta Cryst. A32 (1976) 297, in gemmi's implementation.
    """
    import gemmi  # only searches by cell need it

    try:
        reduced = gemmi.GruberVector(gemmi.UnitCell(*cell), centring)
        reduced.niggli_reduce()
        found = reduced.get_cell()
    except (ValueError, RuntimeError) as error:
        raise UserInputError("This unit cell is impossible.", why=str(error)) from None
    parameters = (found.a, found.b, found.c, found.alpha, found.beta, found.gamma)
    if any(value != value or value <= 0 for value in parameters):
        raise UserInputError("This unit cell is impossible.", why="Its angles do not fit together.")
    return parameters
