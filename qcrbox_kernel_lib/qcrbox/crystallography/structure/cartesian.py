"""Cartesian coordinates of a CIF as fractional ones: on the axes that the block states, else on those of the PDB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.document import Block
from qcrbox.crystallography.cell import UnitCell

Array = NDArray[np.float64]
# Relative deviation of a stated matrix from the metric of the cell; matrices have three to six decimals.
_ALLOWED = 0.02
# The names of mmCIF, `_atom_sites.fract_transf_matrix[1][1]`, are other names of the same items.
_STATED = (
    ("_atom_sites_fract_tran_matrix_{}{}", "_atom_sites_fract_tran_vector_{}", True),
    ("_atom_sites_Cartn_tran_matrix_{}{}", "_atom_sites_Cartn_tran_vector_{}", False),
)


def to_fractional(
    cartesian: Array, su: Array, block: Block, cell: UnitCell, notes: list[str]
) -> tuple[Array, Array]:
    """Fractional coordinates (n, 3) and their s.u. of Cartesian ones in Å, whose s.u. count as independent."""
    matrix, vector = _transformation(block, cell, notes)
    return cartesian @ matrix.T + vector, np.sqrt(su**2 @ (matrix**2).T)


def _transformation(block: Block, cell: UnitCell, notes: list[str]) -> tuple[Array, Array]:
    """fract = M · Cartn + v (core dictionary, ATOM_SITES). A stated matrix that is not of this cell is noted, not used."""
    for matrix_tag, vector_tag, to_fract in _STATED:
        elements = [block.number(matrix_tag.format(i, j)) for i in (1, 2, 3) for j in (1, 2, 3)]
        values = np.array([number.value for number in elements if number is not None])
        if len(values) < 9:
            continue
        matrix = values.reshape(3, 3)
        shifts = [block.number(vector_tag.format(i)) for i in (1, 2, 3)]
        vector = np.array([0.0 if number is None else number.value for number in shifts])
        metric = matrix @ matrix.T if to_fract else matrix.T @ matrix
        own = cell.reciprocal_metric if to_fract else cell.metric
        if np.abs(metric - own).max() > _ALLOWED * np.abs(own).max():
            notes.append(
                f"{matrix_tag.partition('{')[0]}… is not a matrix of this cell; a along x and c* along z are assumed."
            )
            continue
        if to_fract:
            return matrix, vector
        inverse = np.linalg.inv(matrix)
        return inverse, -inverse @ vector
    return cell.fractionalisation, np.zeros(3)
