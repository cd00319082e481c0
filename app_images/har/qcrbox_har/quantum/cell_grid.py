"""Points that integrate over the unit cell of a crystal, and free atoms around them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pyscf import dft, gto
from scipy.spatial import cKDTree

from qcrbox_har.quantum.atoms import free_atom, radii

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# Points farther than this from every nucleus (bohr) are left out: there is nothing.
_FARTHEST = 15.0
# Weight below which a point of an atom is left out, as a part of 1.
_LEAST = 1e-9
# Electrons of a free atom beyond the radius to which it is taken into account.
_BEYOND = 1e-6
_DECAY, _SHARE_OF_HYDROGEN = 2.0, 0.3
# An atom farther from a point than the nearest atom by this distance (bohr) has a share below 2e-8.
_FADED = 9.0
# Points are sorted by their distance from the atom and weighed in this number of groups.
_SHELLS = 12


def images_in_box(cell: Array, fractional: Array, low: Array, high: Array) -> list[tuple[int, Array]]:
    """Atoms and positions in bohr of all images inside a Cartesian box; cell (3, 3) in bohr."""
    corners = np.array(list(product(*zip(low, high, strict=True)))) @ np.linalg.inv(cell)
    found = []
    for atom, place in enumerate(fractional):
        first = np.ceil(corners.min(axis=0) - place).astype(int)
        last = np.floor(corners.max(axis=0) - place).astype(int)
        shifts = np.array(list(product(*(range(a, b + 1) for a, b in zip(first, last, strict=True)))))
        if not len(shifts):
            continue
        centres = (place + shifts) @ cell
        inside = ((centres >= low) & (centres <= high)).all(axis=1)
        found += [(atom, centre) for centre in centres[inside]]
    return found


def integration_grid(symbols: list[str], cell: Array, fractional: Array, level: int) -> tuple[Array, Array]:
    """Points (m, 3) in bohr around the atoms of the cell, and weights (m,) that sum a periodic function over the cell.

    cell (3, 3) in bohr. Radial and angular grids are those of molecules. How a point is shared by the atoms of the crystal falls off so fast
    with the distance that each point needs its neighbourhood only: Franchini, Philipsen & Visscher, J. Comput. Chem. 34 (2013) 1819.
    """
    around = _atomic_grids(symbols, level)
    points, weights = [], []
    for symbol, place in zip(symbols, fractional @ cell, strict=True):
        shifts, volumes = around[symbol]
        kept = np.linalg.norm(shifts, axis=1) < _FARTHEST
        at, share = _shares(symbol, place + shifts[kept], place, symbols, cell, fractional)
        points.append(at)
        weights.append(volumes[kept][share > 0] * share[share > 0])
    return np.concatenate(points), np.concatenate(weights)


def _atomic_grids(symbols: list[str], level: int) -> dict[str, tuple[Array, Array]]:
    """Points around a nucleus and their volumes, by element."""
    # Its one basis function is not used: PySCF warns of atoms without any.
    elements = sorted(set(symbols))
    made = gto.Mole(atom=[(e, (0, 0, 9.0 * i)) for i, e in enumerate(elements)], verbose=0, spin=None)
    made.basis = {element: [[0, [1.0, 1.0]]] for element in elements}
    made.build(parse_arg=False, dump_input=False)
    grid = dft.gen_grid.Grids(made)
    return grid.gen_atomic_grids(made, grid.atom_grid, grid.radi_method, level, grid.prune)


def _shares(
    symbol: str, points: Array, own: Array, symbols: list[str], cell: Array, fractional: Array
) -> tuple[Array, Array]:
    """Points (m, 3) of the atom at `own` with a share that counts, and the shares (n,) of all, 0 for the others."""
    images = images_in_box(cell, fractional, points.min(axis=0) - 6, points.max(axis=0) + 6)
    nearest, _ = cKDTree(np.array([centre for _, centre in images])).query(points)
    r = np.linalg.norm(points - own, axis=1)
    shares, mine = np.zeros(len(points)), _function(symbol, r, nearest)
    kept = mine > _LEAST
    at, r, nearest = points[kept], r[kept], nearest[kept]
    total = np.zeros(len(at))
    away = np.array([np.linalg.norm(centre - own) for _, centre in images])
    # Only near atoms share the inner points, and most points are inner ones.
    for shell in np.array_split(np.argsort(r), _SHELLS):
        farthest = r[shell].max(initial=0.0) + nearest[shell].max(initial=0.0) + _FADED
        for image in np.flatnonzero(away <= farthest).tolist():
            atom, centre = images[image]
            distance = np.linalg.norm(at[shell] - centre, axis=1)
            total[shell] += _function(symbols[atom], distance, nearest[shell])
    shares[kept] = mine[kept] / total
    return at, shares


def _function(symbol: str, r: Array, nearest: Array) -> Array:
    """exp(-2r)/r³, of hydrogen 0.3 of it, as a part of its value for the nearest atom of the point, at `nearest` bohr."""
    near = np.maximum(nearest, 1e-9)
    value = np.exp(-_DECAY * (r - nearest)) * (near / np.maximum(r, 1e-9)) ** 3
    return _SHARE_OF_HYDROGEN * value if symbol == "H" else value


@lru_cache(maxsize=256)
def reach(symbol: str, basis: str) -> float:
    """Radius in bohr beyond which a free atom has next to no electrons."""
    r = radii()
    shells = 4 * np.pi * r**3 * free_atom(symbol, 0, basis)(r) * np.log(r[1] / r[0])
    beyond = np.cumsum(shells[::-1])[::-1]
    return float(r[np.argmax(beyond < _BEYOND)])


class FreeAtoms:
    """Free atoms of a whole crystal at points (m, 3) in bohr; cell (3, 3) in bohr."""

    def __init__(self, symbols: list[str], cell: Array, fractional: Array, points: Array, basis: str) -> None:
        self._symbols, self._basis, self._points = symbols, basis, points
        self._tree = cKDTree(points)
        farthest = max(reach(symbol, basis) for symbol in set(symbols))
        low, high = points.min(axis=0) - farthest, points.max(axis=0) + farthest
        self._images = images_in_box(cell, fractional, low, high)
        self.total = np.zeros(len(points))
        for atom in range(len(symbols)):
            for near, _, density in self.of(atom):
                self.total[near] += density

    def of(self, atom: int) -> Iterator[tuple[Indices, Array, Array]]:
        """For each image of an atom: the points it reaches (p,), their places from its nucleus (p, 3), and its density there (p,)."""
        symbol = self._symbols[atom]
        free, radius = free_atom(symbol, 0, self._basis), reach(symbol, self._basis)
        for other, centre in self._images:
            near = self._tree.query_ball_point(centre, radius) if other == atom else []
            if near:
                displaced = self._points[near] - centre
                yield np.array(near), displaced, free(np.linalg.norm(displaced, axis=1))
