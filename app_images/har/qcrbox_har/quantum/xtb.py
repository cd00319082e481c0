"""Distances of hydrogen atoms by GFN2-xTB (Bannwarth et al., J. Chem. Theory Comput. 15 (2019) 1652).

X-ray positions of independent atoms have X-H too short by about 0.1 Å. Starting from good distances saves
rounds of the self-consistent field. Only distances change: the directions of the measured density keep
hydrogen bonds, and a zwitterion keeps its protons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyscf import gto
from pyscf.data.nist import BOHR
from scipy.optimize import minimize
from tblite.interface import Calculator

from qcrbox_har.method import MoleculeInput
from qcrbox_har.neutron import mean_distance

Array = NDArray[np.float64]

# A distance of GFN2 this far from the mean of neutron structures is the isolated molecule's, not the crystal's.
_TRUST = 0.04


def hydrogen_distances(molecule: MoleculeInput, pairs: list[tuple[int, int]]) -> Array:
    """New positions (n, 3) in Å; pairs: (hydrogen, atom it is bonded to)."""
    start = molecule.positions
    if not pairs:
        return start
    hydrogen, parent = (np.array(column) for column in zip(*pairs, strict=True))
    bond = start[hydrogen] - start[parent]
    unit = bond / np.linalg.norm(bond, axis=1)[:, None]
    means = np.array([mean_distance(molecule.symbols[p], _bonds(p, pairs)) for p in parent])
    positions = start.copy()
    calculator: Calculator | None = None

    def place(lengths: Array) -> Array:
        moved = positions.copy()
        moved[hydrogen] = start[parent] + unit * lengths[:, None]
        return moved

    def energy(lengths: Array) -> tuple[float, Array]:
        nonlocal calculator
        coordinates = place(lengths) / BOHR
        if calculator is None:
            calculator = _calculator(molecule, coordinates)
        else:
            calculator.update(positions=coordinates)
        result = calculator.singlepoint()
        gradient = np.asarray(result.get("gradient"))
        return float(result.get("energy")), (gradient[hydrogen] * unit).sum(axis=1) / BOHR

    bounds = [(mean - _TRUST, mean + _TRUST) for mean in means]
    found = minimize(
        energy, means, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 20, "ftol": 1e-8}
    )
    return place(found.x)


def _bonds(parent: int, pairs: list[tuple[int, int]]) -> int:
    return sum(p == parent for _, p in pairs)


def _calculator(molecule: MoleculeInput, coordinates: Array) -> Calculator:
    numbers = np.array([gto.charge(s) for s in molecule.symbols])
    made = Calculator(
        "GFN2-xTB", numbers, coordinates, charge=float(molecule.charge), uhf=molecule.multiplicity - 1
    )
    made.set("verbosity", 0)
    return made
