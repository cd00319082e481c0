"""Spherical free atoms: the pro-atoms of Hirshfeld's partition, in the basis set of the molecule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from pyscf import gto, scf
from pyscf.data import elements
from qcrbox.contract.errors import CalculationFailed
from scipy.interpolate import CubicSpline

Array = NDArray[np.float64]

# Radii in bohr on a logarithmic scale.
_FIRST, _LAST, _COUNT = 1e-4, 25.0, 800
_STEP = np.log(_LAST / _FIRST) / (_COUNT - 1)
_FLOOR = 1e-60
# Samples of a form factor for each bohr⁻¹, between which it is interpolated; free atoms have radii of a few bohr.
_SAMPLES = 100


@dataclass(frozen=True)
class RadialDensity:
    """log ρ (e/bohr³) on radii uniform in log r; a cubic spline between them in both logarithms.

    Smooth, since it is integrated on grids together with densities of molecules: straight lines between the radii cost 1e-3
    electrons in form factors. coefficients (4, cells): of the powers of the place in a cell, from 0 to 1, highest first.
    """

    coefficients: Array

    @classmethod
    def through(cls, log_density: Array) -> RadialDensity:
        """log_density (n,): at `radii()`."""
        spline = CubicSpline(np.arange(_COUNT), log_density)
        return cls(np.ascontiguousarray(spline.c))

    def __call__(self, r: Array) -> Array:
        """Density at distances r (bohr). Nearer than the first radius it is that of the first radius."""
        place = np.log(np.maximum(r, _FIRST) / _FIRST) / _STEP
        cell = np.minimum(place.astype(np.int64), _COUNT - 2)
        x = np.minimum(place - cell, 1.0)
        cubic, square, linear, constant = self.coefficients
        return np.exp(((cubic[cell] * x + square[cell]) * x + linear[cell]) * x + constant[cell])


def symbols_of(molecule: gto.Mole) -> list[str]:
    """Elements of the atoms, without the numbers of labels."""
    return [molecule.atom_pure_symbol(atom) for atom in range(molecule.natm)]


def radii() -> Array:
    """Radii at which atomic densities are tabulated, in bohr, geometrically spaced."""
    return np.geomspace(_FIRST, _LAST, _COUNT)


@lru_cache(maxsize=512)
def free_atom(element: str, charge: int, basis: str) -> RadialDensity:
    """Unrestricted Hartree-Fock density of one atom or ion in its ground state, averaged over all directions.

    An ion adds to or takes from the outermost shell. An anion that free space would not bind is held together by the
    finite basis set. Raises CalculationFailed when the field does not converge.
    """
    z = gto.charge(element)
    if z - charge <= 0:
        return RadialDensity.through(np.full(_COUNT, np.log(_FLOOR)))
    molecule = gto.M(
        atom=[(element, (0, 0, 0))],
        basis={element: gto.basis.load(basis, element)},
        charge=charge,
        spin=(z - charge) % 2,
        verbose=0,
    )
    field = _CentralField(molecule, configuration(element, charge))
    field.kernel()
    if not field.converged:
        raise CalculationFailed(
            f"the density of the free atom {element} with charge {charge:+d} did not converge.",
            next="Choose another basis set.",
            reason="SCF not converged",
        )
    return RadialDensity.through(np.log(np.maximum(field.radial_density(radii()), _FLOOR)))


@lru_cache(maxsize=256)
def form_factor(element: str, charge: int, basis: str, most: int) -> CubicSpline:
    """f of `free_atom` as a function of q = 4π sin θ/λ in bohr⁻¹, from 0 to `most`.

    ∫ 4πr²ρ(r) sin(qr)/(qr) dr over the interpolated density itself, to 1e-7 electrons: by Gauss's two points in each of its
    cells, which are uniform in log r, and as a constant inside the first radius.
    """
    density = free_atom(element, charge, basis)
    place = np.arange(_COUNT - 1)[:, None] + 0.5 + np.array([-0.5, 0.5]) / np.sqrt(3)
    r = _FIRST * np.exp(_STEP * place.ravel())
    electrons = 4 * np.pi * r**3 * density(r) * _STEP / 2
    inside = 4 / 3 * np.pi * _FIRST**3 * density(np.array([_FIRST]))[0]
    q = np.linspace(0, most, _SAMPLES * most + 1)
    return CubicSpline(q, np.sinc(np.outer(q, r) / np.pi) @ electrons + inside)


class _CentralField(scf.uhf.UHF):
    """One atom whose orbitals have a fixed angular momentum and direction (l, m) each, filled by Hund's first rule.

    Whole electrons in whole orbitals: electrons spread over a shell would repel themselves, and such an atom is too
    diffuse (f of carbon 4 % too small at sin θ/λ = 0.2 Å⁻¹). shells: electrons in s, p, d and f shells.
    """

    def __init__(self, molecule: gto.Mole, shells: list[int]) -> None:
        super().__init__(molecule)
        momenta = [
            molecule.bas_angular(i)
            for i in range(molecule.nbas)
            for _ in range(molecule.bas_nctr(i) * (2 * molecule.bas_angular(i) + 1))
        ]
        # Rows of the functions of each l, (functions, 2 l + 1).
        self._rows = [
            np.flatnonzero(np.equal(momenta, momentum)).reshape(-1, 2 * momentum + 1)
            for momentum in range(max(momenta) + 1)
        ]
        self._filling = np.zeros((2, molecule.nao))
        self._allowed = np.zeros((molecule.nao, molecule.nao), dtype=bool)
        for momentum, rows in enumerate(self._rows):
            full, outer = divmod(shells[momentum] if momentum < len(shells) else 0, 4 * momentum + 2)
            for m, block in enumerate(rows.T):
                self._allowed[np.ix_(block, block)] = True
                self._filling[:, block[:full]] = 1
                for spin, left in enumerate((outer, outer - 2 * momentum - 1)):
                    if m < left:
                        self._filling[spin, block[full]] = 1
        self.conv_tol, self.max_cycle, self.init_guess, self.verbose = 1e-8, 200, "1e", 0

    def get_veff(self, *arguments, **keywords):
        # Couplings between orbitals of different l or m are left out; DIIS must not see them either.
        return super().get_veff(*arguments, **keywords) * self._allowed

    def eig(self, fock, overlap, **_):
        energies, orbitals = np.zeros(self._filling.shape), np.zeros(np.shape(fock))
        for spin in (0, 1):
            for block in (block for rows in self._rows for block in rows.T):
                place = np.ix_(block, block)
                energies[spin, block], orbitals[spin][place] = scipy.linalg.eigh(
                    fock[spin][place], overlap[place]
                )
        return energies, orbitals

    def get_occ(self, *_arguments, **_keywords):
        return self._filling

    def get_grad(self, *_arguments, **_keywords):
        return np.zeros(1)

    def radial_density(self, r: Array) -> Array:
        """Electrons per bohr³ (n,) at distances r (n,) in bohr, of both spins, averaged over the directions."""
        total = np.sum(self.make_rdm1(), axis=0)
        # The average fills every m of a shell alike; then any one direction gives the density (Unsöld's theorem).
        direction = np.array([0.36, 0.48, 0.8])
        values = self.mol.eval_gto("GTOval_sph", np.outer(r, direction))
        density = np.zeros(len(r))
        for rows in self._rows:
            mean = sum(total[np.ix_(block, block)] for block in rows.T) / rows.shape[1]
            for block in rows.T:
                density += np.einsum("ri,ij,rj->r", values[:, block], mean, values[:, block])
        return density


def configuration(element: str, charge: int) -> list[int]:
    """Electrons in s, p, d and f shells of the ground state of an atom or ion."""
    shells = list(elements.CONFIGURATION[gto.charge(element)])
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
