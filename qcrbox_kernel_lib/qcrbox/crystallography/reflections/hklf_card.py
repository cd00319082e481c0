"""The SHELX instruction HKLF: what kind of data a list of reflections holds, and in which setting.

`HKLF n s r11 … r33 wt m`: intensities and s.u. times s, new indices R h, s.u. divided by √wt (manual of SHELXL).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.document import Block
from qcrbox.crystallography.reflections.data import Reflections

Array = NDArray[np.float64]
_WHOLE = 0.02  # a transformed index this near to a whole number is one; fractions have few digits
_INSTRUCTIONS = ("_shelx_res_file", "_iucr_refine_instructions_details")


@dataclass(frozen=True)
class HklfCard:
    """kind: n without sign; matrix (3, 3) acts on the columns h k l."""

    kind: int
    scale: float
    matrix: Array
    weight: float

    @property
    def overlapping(self) -> bool:
        """Whether observations are sums over several components (HKLF 5 and 6)."""
        return self.kind in (5, 6)

    def applied(self, data: Reflections) -> Reflections:
        """The reflections in the setting of the structure; those without whole indices are left out with a note."""
        turned = data.hkl @ self.matrix.T
        whole: NDArray[np.bool_] = np.all(np.abs(turned - np.rint(turned)) < _WHOLE, axis=1)
        found = data.select(whole)
        found.trailer = data.trailer
        found.hkl = np.rint(turned[whole]).astype(np.int64)
        found.intensity = found.intensity * self.scale
        found.sigma = found.sigma * self.scale / np.sqrt(self.weight)
        found.twin = data.twin or self.overlapping
        found.is_f = self.kind == 3
        if not whole.all():
            found.notes.append(
                f"{int((~whole).sum())} reflections have no whole indices after the matrix of HKLF and were left out."
            )
        return found


def instruction_cards(block: Block, *names: str) -> list[str]:
    """Embedded SHELX instructions of these names, one text each, continuation lines joined."""
    text = next((text for tag in _INSTRUCTIONS if (text := (block.text(tag) or "").strip())), "")
    joined = re.sub(r"=[ \t]*\n[ \t]+", " ", text.replace("\r\n", "\n"))
    return [line.strip() for line in joined.splitlines() if line[:4].upper() in names]


def hklf_card(block: Block) -> HklfCard | None:
    """The HKLF instruction of a block, or what `_shelx_hklf` states; None where neither can be read."""
    cards = instruction_cards(block, "HKLF")
    words = cards[-1].split()[1:] if cards else (block.text("_shelx_hklf") or "").split()[:1]
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    if not numbers or not np.isfinite(numbers).all() or abs(numbers[0]) not in (1, 2, 3, 4, 5, 6):
        return None
    matrix = np.array(numbers[2:11]) if len(numbers) >= 11 else np.eye(3).ravel()
    weight = numbers[11] if len(numbers) > 11 and numbers[11] > 0 else 1.0
    return HklfCard(
        int(abs(numbers[0])), numbers[1] if len(numbers) > 1 else 1.0, matrix.reshape(3, 3), weight
    )
