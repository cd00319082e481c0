"""The Niggli cell of a unit cell, for searching."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qcrbox.contract.errors import QcError, UserInputError


def niggli(cell: Sequence[float], centring: str = "P") -> tuple[float, float, float, float, float, float]:
    """a, b, c (Å), α, β, γ (°) of the Niggli-reduced primitive cell. Raises UserInputError for an impossible cell.

    The same reduction as the index uses, so that one lattice gives one cell.
    """
    from qcrbox.crystallography.cell import UnitCell  # loads gemmi: only searches by cell need it

    try:
        reduced = UnitCell.from_values(cell).niggli(centring)
    except (QcError, ValueError, RuntimeError) as error:
        raise UserInputError("This unit cell is impossible.", why=str(error)) from None
    if not all(math.isfinite(value) and value > 0 for value in reduced):
        raise UserInputError("This unit cell is impossible.", why="Its angles do not fit together.")
    return reduced
