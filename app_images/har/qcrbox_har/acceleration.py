"""Where the rounds lead: the next wavefunction is made at the predicted positions instead of the last ones.

The density depends linearly on small changes of the positions, so the moves r of the atoms shrink by about one factor λ from round to
round and what is left after the last one is λ / (1 - λ) of it. λ is the projection of the last move on the one before:
Anderson's mixing (J. ACM 12 (1965) 547) with a memory of one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Moves that hardly shrink, or turn round by more, do not follow the rule.
_MOST = 0.5


def share_ahead(moves: list[Array]) -> float:
    """By how much of the last move to go on, from -0.5 to 0.5; 0 where that is not known.

    moves: of all atoms (n, 3) in Å, from where the wavefunction was made to where the least squares led, oldest first.
    """
    if len(moves) < 2:
        return 0.0
    last, before = moves[-1], moves[-2]
    length = float(np.sum(before * before))
    if length < 1e-16:
        return 0.0
    factor = float(np.sum(last * before)) / length
    if abs(factor) >= _MOST:
        return 0.0
    return float(np.clip(factor / (1 - factor), -_MOST, _MOST))
