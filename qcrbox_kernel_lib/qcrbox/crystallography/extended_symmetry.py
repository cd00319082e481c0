"""Symmetry beyond the space groups: modulated and magnetic structures, as far as their items show them."""

from __future__ import annotations

import numpy as np

from qcrbox.cif.document import Block
from qcrbox.cif.quoting import text_of
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.model_items import MOMENTS, first_item
from qcrbox.crystallography.symmetry import SymmetryOperation

# Patterns as in `model_items`.
SUPERSPACE = "_space_group_ssg|_space_group_symop_ssg"
MODULATION = f"{SUPERSPACE}|_cell_wave_vector|_cell_modulation_dimension"
MAGNETIC = f"_space_group_magn|_space_group_symop_magn|{MOMENTS}"
_OPERATIONS, _CENTRINGS = (
    "_space_group_symop_magn_operation.xyz",
    "_space_group_symop_magn_centering.xyz",
)


def in_superspace(block: Block) -> bool:
    """Whether the symmetry is that of a superspace group."""
    return first_item(block, SUPERSPACE) is not None


def is_modulated(block: Block) -> bool:
    """Whether the block has wave vectors or a superspace group."""
    dimension = block.number("_cell_modulation_dimension")
    return first_item(block, MODULATION) is not None and not (dimension is not None and dimension.value == 0)


def is_magnetic(block: Block) -> bool:
    """Whether the block has a magnetic space group or magnetic moments."""
    return first_item(block, MAGNETIC) is not None


def nuclear_operations(block: Block) -> list[str]:
    """The operations of a magnetic space group without time reversal: the symmetry of the nuclei.

    Empty where the block has none. Those that cannot be read are given as they are, for the reader to name.
    """
    texts = [text_of(raw) for raw in block.column(_OPERATIONS)]
    if not texts:
        return []
    try:
        operations = [_without_time(text) for text in texts]
        centrings = [_without_time(text_of(raw)) for raw in block.column(_CENTRINGS)]
    except CifError:
        return texts
    shifts = [c for c in centrings if np.array_equal(c.r, np.eye(3))] or [SymmetryOperation.parse("x,y,z")]
    products = [(shift @ operation).reduced() for shift in shifts for operation in operations]
    return [str(operation) for operation in dict.fromkeys(products)]


def _without_time(text: str) -> SymmetryOperation:
    """`-x, y+1/2, -z, -1` is -x, y+1/2, -z with time reversal."""
    parts = text.split(",")
    return SymmetryOperation.parse(",".join(parts[:3]) if len(parts) == 4 else text)
