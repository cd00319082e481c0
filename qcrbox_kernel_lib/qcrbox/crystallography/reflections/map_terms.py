"""Terms of a difference map, which a refinement keeps beside its list of Fo² and Fc².

Of twins, extinct crystals, batches and solvent masks the list has intensities as they were measured. They do not tell the
amplitude that belongs to the phase of one domain; the refinement knows it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.document import Block

INDICES = ("_qcrbox_map.index_h", "_qcrbox_map.index_k", "_qcrbox_map.index_l")
DIFFERENCE = "_qcrbox_map.F_difference"  # weighted |Fo| - |Fc|, electrons (fm for neutrons, Å for electrons)
PHASE = "_qcrbox_map.phase"  # degrees
TAGS = (*INDICES, DIFFERENCE, PHASE)


def read_map_terms(block: Block) -> tuple[NDArray[np.int64], NDArray[np.complex128]] | None:
    """Indices (n, 3) and coefficients (n,) of a difference map; None where the block has none."""
    loop = block.loop(INDICES[0])
    if loop is None or not all(tag in loop for tag in TAGS):
        return None
    *indices, size, phase = (loop.numbers(tag) for tag in TAGS)
    known = np.isfinite([*indices, size, phase]).all(axis=0)
    hkl = np.rint(np.column_stack(indices)[known]).astype(np.int64)
    return hkl, size[known] * np.exp(1j * np.radians(phase[known]))
