"""The shortest of all vectors that differ by a lattice translation, in any cell.

Rounding fractional differences finds it only where it is short beside the cell edges: in oblique cells, and near half a
cell, the rounded vector can be longer by several Å.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
# A vector this close to the middle between two lattice points (in units of their distance) stays where it is, so
# that rounding errors cannot move it back and forth.
_TIE = 1e-9


def obtuse_superbase(metric: ArrayLike) -> NDArray[np.int64]:
    """(4, 3) integer lattice vectors, the first three a basis, all four adding up to 0, with no acute angle.

    metric: (3, 3) tensor G, Å². Selling's reduction (Int. Tables A, 3.1.2.3).
    """
    g = np.asarray(metric, dtype=float)
    base = np.vstack([np.eye(3, dtype=np.int64), -np.ones((1, 3), dtype=np.int64)])
    small = 1e-12 * float(np.trace(g))
    while True:
        products = base @ g @ base.T
        np.fill_diagonal(products, -np.inf)
        i, j = divmod(int(np.argmax(products)), 4)
        if products[i, j] <= small:
            return base
        for k in {0, 1, 2, 3} - {i, j}:
            base[k] += base[i]
        base[i] *= -1


def nearest_vectors(difference: ArrayLike, metric: ArrayLike) -> Array:
    """Fractional differences (..., 3) moved by lattice translations so that each is as short as possible.

    metric: (3, 3) tensor G, Å². Exact in every cell: a vector is the shortest when it is in the Voronoi cell of the
    lattice, whose faces belong to the sums of vectors of an obtuse superbase (Conway & Sloane, Proc. R. Soc. A 436
    (1992) 55). NaN stays NaN.
    """
    given = np.asarray(difference, dtype=float)
    g = np.asarray(metric, dtype=float)
    moved = (given - np.rint(given)).reshape(-1, 3)
    base = obtuse_superbase(g)
    # Of each face and its opposite one: sums that leave the fourth vector out.
    faces = np.array(
        [base[list(some)].sum(axis=0) for n in (1, 2, 3) for some in itertools.combinations(range(3), n)]
    )
    along = (g @ faces.T) / np.einsum("ki,ij,kj->k", faces, g, faces)
    rows = np.arange(len(moved))
    while len(rows):
        steps = along.T @ moved[rows].T
        outside = np.abs(steps).max(axis=0) > 0.5 + _TIE
        rows, steps = rows[outside], steps[:, outside]
        face = np.abs(steps).argmax(axis=0)
        moved[rows] -= np.rint(steps[face, np.arange(len(rows))])[:, None] * faces[face]
    return moved.reshape(given.shape)
