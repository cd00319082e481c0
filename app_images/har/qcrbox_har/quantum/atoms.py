"""Spherical free atoms: the pro-atoms of Hirshfeld's partition, in the basis set of the molecule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyscf import gto
from pyscf.data import elements
from pyscf.scf import atom_hf

Array = NDArray[np.float64]

# Radii in bohr on a logarithmic scale.
_FIRST, _LAST, _COUNT = 1e-4, 25.0, 800
_STEP = np.log(_LAST / _FIRST) / (_COUNT - 1)
_FLOOR = 1e-60


@dataclass(frozen=True)
class RadialDensity:
    """log ρ (e/bohr³) on radii uniform in log r; linear between them in both logarithms."""

    log_density: Array

    def __call__(self, r: Array) -> Array:
        """Density at distances r (bohr). Nearer than the first radius it is that of the first radius."""
        place = np.log(np.maximum(r, _FIRST) / _FIRST) / _STEP
        cell = np.minimum(place.astype(np.int64), _COUNT - 2)
        low = self.log_density[cell]
        return np.exp(low + (place - cell) * (self.log_density[cell + 1] - low))


def radii() -> Array:
    """Radii at which atomic densities are tabulated, in bohr, geometrically spaced."""
    return np.geomspace(_FIRST, _LAST, _COUNT)


@lru_cache(maxsize=512)
def free_atom(element: str, charge: int, basis: str) -> RadialDensity:
    """Hartree-Fock density of one atom or ion with its electrons spread evenly over degenerate orbitals.

    The configuration is that of the ground state; an ion adds to or takes from the outermost shell. An
    anion that free space would not bind is held together by the finite basis set.
    """
    z = gto.charge(element)
    if z - charge <= 0:
        return RadialDensity(np.full(_COUNT, np.log(_FLOOR)))
    molecule = gto.M(
        atom=[(element, (0, 0, 0))],
        basis={element: gto.basis.load(basis, element)},
        charge=charge,
        spin=(z - charge) % 2,
        verbose=0,
    )
    if z - charge == 1:
        field = atom_hf.AtomHF1e(molecule)
    else:
        field = atom_hf.AtomSphAverageRHF(molecule)
        field.atomic_configuration = {z: configuration(element, charge)}
    field.verbose = 0
    field.run()
    # Evenly filled shells are spherical (Unsöld's theorem), so any one direction gives the density.
    direction = np.array([0.36, 0.48, 0.8])
    values = molecule.eval_gto("GTOval_sph", np.outer(radii(), direction)) @ field.mo_coeff
    density = (values**2) @ field.mo_occ
    return RadialDensity(np.log(np.maximum(density, _FLOOR)))


def configuration(element: str, charge: int) -> list[int]:
    """Electrons in s, p, d and f shells of an atom or ion."""
    shells = list(elements.NRSRHF_CONFIGURATION[gto.charge(element)])
    for _ in range(max(charge, 0)):
        shells[_last_shell(shells)] -= 1
    for _ in range(max(-charge, 0)):
        opened = [momentum for momentum in range(4) if shells[momentum] % (4 * momentum + 2)]
        shells[opened[-1] if opened else 1] += 1
    return shells


def _last_shell(shells: list[int]) -> int:
    """The angular momentum whose outermost electron has the highest principal quantum number; p before s."""

    def rank(momentum: int) -> tuple[int, int]:
        capacity = 4 * momentum + 2
        return -(-shells[momentum] // capacity) + momentum, momentum

    return max((m for m in range(4) if shells[m]), key=rank)
