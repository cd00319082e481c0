"""X-ray constrained wavefunctions: the self-consistent field that minimises E + λ χ² (Jayatilaka & Grimwood, Acta Cryst. A57
(2001) 76).

Structure factors are linear in the density matrix: F(h) = Σ P(μν) A(μν, h) + F'(h). A holds the analytic Fourier transforms of
products of basis functions, summed over the symmetry of the crystal; a product moves with the mean of the displacement tensors
of its two atoms, so that its temperature factor is t(a) t(b) with t = exp(-π² h U* h).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyscf import gto, scf
from pyscf.data.nist import BOHR
from pyscf.gto.ft_ao import ft_aopair
from pyscf.tools import molden
from qcrbox.contract.errors import CalculationFailed

from qcrbox_har.child import report
from qcrbox_har.method import Method, MoleculeInput
from qcrbox_har.quantum import density
from qcrbox_har.quantum.scf import Wavefunction, build_molecule, mean_field

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
_MOST_CYCLES = 150
_TOLERANCE = 3e-5  # largest element of the orbital gradient
# Strong constraints make occupied and empty orbitals change places; a shift keeps them apart.
_LEVEL_SHIFTS = (0.0, 0.5, 3.0)


@dataclass(frozen=True)
class Symmetry:
    """Rotations (s, 3, 3) and translations (s, 3) of all operations; share: molecules in the cell over operations."""

    rotations: Array
    translations: Array
    share: float


@dataclass(frozen=True)
class Measured:
    """hkl (k, 3); f (k,) and sigma (k,) of the amplitudes, on any scale; extra (k,): F'(h) of dispersion, in electrons."""

    hkl: NDArray[np.int64]
    f: Array
    sigma: Array
    extra: Complex


@dataclass(frozen=True)
class Crystal:
    """fractional (3, 3): Cartesian Å to fractional; u_star (n, 3, 3): displacements of the molecule's atoms, on a*, b*, c*."""

    symmetry: Symmetry
    fractional: Array
    u_star: Array


@dataclass
class Step:
    """One λ of the scan. chi_squared: over reflections less one; r: Σ|ηFc - Fo| / ΣFo; energy: E alone, hartree."""

    strength: float
    chi_squared: float
    r: float
    energy: float
    scale: float
    dipole: list[float] = field(default_factory=list)  # debye
    charges: list[float] = field(default_factory=list)  # Hirshfeld, e
    cycles: int = 0


def transforms(molecule: gto.Mole, crystal: Crystal, hkl: NDArray[np.int64]) -> Complex:
    """A (k, n (n + 1) / 2): what each element of the lower triangle of a symmetric density matrix adds to F(h)."""
    owner = np.repeat(np.arange(molecule.natm), np.diff(molecule.aoslice_by_atom()[:, 2:], axis=1)[:, 0])
    rows, columns = np.tril_indices(molecule.nao)
    total = np.zeros((len(hkl), len(rows)), dtype=np.complex128)
    symmetry = crystal.symmetry
    for rotation, translation in zip(symmetry.rotations, symmetry.translations, strict=True):
        image = hkl @ rotation
        vectors = -2 * np.pi * (image @ crystal.fractional) * BOHR
        pairs = ft_aopair(molecule, vectors, aosym="s2").reshape(len(hkl), -1)
        damping = np.exp(-(np.pi**2) * np.einsum("ki,nij,kj->kn", image, crystal.u_star, image))[:, owner]
        phase = symmetry.share * np.exp(2j * np.pi * (hkl @ translation))
        total += phase[:, None] * damping[:, rows] * damping[:, columns] * pairs
    # An element beside the diagonal stands for two.
    return total * np.where(rows == columns, 1.0, 2.0)


class Constraint:
    """χ² of a density matrix and the operator that lowers it."""

    def __init__(self, matrix: Complex, measured: Measured) -> None:
        self.matrix, self.measured = matrix, measured

    def f(self, density_matrix: Array) -> Complex:
        """Structure factors (k,) in electrons."""
        lower = density_matrix[np.tril_indices(len(density_matrix))]
        return self.matrix @ lower + self.measured.extra

    def agreement(self, density_matrix: Array) -> tuple[float, float, float]:
        """χ², R(F) and the scale η that minimises χ²."""
        size = np.abs(self.f(density_matrix))
        scale = self._scale(size)
        difference = scale * size - self.measured.f
        chi = float(((difference / self.measured.sigma) ** 2).sum() / self._freedom)
        return chi, float(np.abs(difference).sum() / self.measured.f.sum()), scale

    def operator(self, density_matrix: Array) -> Array:
        """∂χ²/∂P (n, n) for a symmetric matrix, with the scale at its best value, where its own change does not count."""
        n = len(density_matrix)
        calculated = self.f(density_matrix)
        size = np.maximum(np.abs(calculated), 1e-9)
        scale = self._scale(size)
        slope = 2 * scale * (scale * size - self.measured.f) / self.measured.sigma**2 / self._freedom
        lower = ((slope * calculated.conj() / size) @ self.matrix).real
        rows, columns = np.tril_indices(n)
        full = np.zeros((n, n))
        # Elements beside the diagonal were counted twice in the matrix: a half for each of the two places.
        full[rows, columns] = np.where(rows == columns, lower, lower / 2)
        full[columns, rows] = full[rows, columns]
        return full

    @property
    def _freedom(self) -> int:
        return max(len(self.measured.f) - 1, 1)

    def _scale(self, size: Array) -> float:
        weight = self.measured.sigma**-2.0
        return float((weight * size * self.measured.f).sum() / (weight * size**2).sum())


class Fitting:
    """One molecule fitted to its reflections, λ after λ; each begins from the density of the one before."""

    def __init__(self, given: MoleculeInput, method: Method, crystal: Crystal, measured: Measured) -> None:
        self.molecule = build_molecule(given, method)
        self.field = mean_field(self.molecule, method)
        if self.molecule.nao < 200:
            # Exact integrals fit in memory; without fitting λ = 0 is the field that everybody computes.
            self.field = self.field.undo_df()
        self.method = method
        self.constraint = Constraint(transforms(self.molecule, crystal, measured.hkl), measured)
        self.matrix = np.asarray(self.field.get_init_guess())
        self.orbitals: tuple[Array, Array, Array] | None = None

    def step(self, strength: float) -> Step:
        """Converge at one λ. Raises CalculationFailed, and keeps the density of the last λ that converged."""
        for shift in _LEVEL_SHIFTS:
            found = self._converged(strength, shift)
            if found is not None:
                break
        else:
            raise CalculationFailed(
                f"the wavefunction did not converge at λ = {strength:g}.", reason="SCF not converged"
            )
        self.matrix, energy, cycles, self.orbitals = found
        chi, r, scale = self.constraint.agreement(self.matrix)
        made = Step(strength, chi, r, energy, scale, cycles=cycles)
        made.dipole = [float(x) for x in self.field.dip_moment(self.molecule, self.matrix, verbose=0)]
        made.charges = self._charges(energy)
        return made

    def _converged(self, strength: float, shift: float) -> tuple[Array, float, int, Any] | None:
        """Density, energy, cycles and orbitals; None when the iterations do not end. shift: of empty orbitals, hartree."""
        field, overlap, core = self.field, self.field.get_ovlp(), self.field.get_hcore()
        matrix, orbitals = self.matrix, self.orbitals
        accelerator = scf.diis.CDIIS(field)
        accelerator.space = 10
        for cycle in range(1, _MOST_CYCLES + 1):
            potential = field.get_veff(self.molecule, matrix)
            fock = core + potential + strength * self.constraint.operator(matrix)
            gradient = fock @ matrix @ overlap
            if orbitals is not None and np.abs(gradient - gradient.T).max() < _TOLERANCE:
                return matrix, float(field.energy_tot(matrix, core, potential)), cycle, orbitals
            fock = accelerator.update(overlap, matrix, fock)
            if shift:
                fock = scf.hf.level_shift(overlap, matrix / 2, fock, shift)
            energies, coefficients = field.eig(fock, overlap)
            orbitals = energies, coefficients, field.get_occ(energies, coefficients)
            matrix = np.asarray(field.make_rdm1(*orbitals[1:]))
        return None

    def _charges(self, energy: float) -> list[float]:
        half = self.matrix / 2
        wavefunction = Wavefunction(self.molecule, np.stack([half, half]), energy, 0, True, 0.0, False)
        settings = density.Settings("hirshfeld", self.method.basis, 2)
        nothing = np.zeros((0, 3), dtype=np.int64)
        source = density.of_wavefunction(wavefunction)
        _, found = density.atomic_densities(source, settings, [], np.eye(3), nothing)
        return [float(charge) for charge in found.charges]

    def save(self, path: str) -> None:
        """The orbitals of the last step as a .molden file."""
        assert self.orbitals is not None
        energies, orbitals, occupied = self.orbitals
        molden.from_mo(self.molecule, path, orbitals, ene=energies, occ=occupied)


_fitting: Fitting | None = None
_unfitted: Array | None = None


def begin(given: MoleculeInput, method: Method, crystal: Crystal, measured: Measured) -> Step:
    """Prepare the fit of one molecule and converge it without constraint."""
    global _fitting, _unfitted
    report(stage="transforms")
    _fitting = Fitting(given, method, crystal, measured)
    first = _fitting.step(0.0)
    _unfitted = _fitting.matrix
    return first


def begin_from(
    given: MoleculeInput, method: Method, crystal: dict[str, Any], measured: dict[str, Any]
) -> Step:
    """The same from plain arrays: fields of Symmetry and Crystal, and of Measured."""
    rest = dict(crystal)
    symmetry = Symmetry(*(rest.pop(name) for name in ("rotations", "translations", "share")))
    return begin(given, method, Crystal(symmetry, **rest), Measured(**measured))


def step(strength: float) -> Step:
    """The next λ."""
    return _current().step(strength)


def save(path: str) -> None:
    """Write the fitted orbitals as .molden."""
    _current().save(str(Path(path)))


def difference_density(points: Array) -> Array:
    """Fitted less unconstrained density, e/Å³, at points (m, 3) in Å."""
    fitting = _current()
    assert _unfitted is not None
    change = fitting.matrix - _unfitted
    return density.density_at(fitting.molecule, change, points / BOHR) / BOHR**3


def _current() -> Fitting:
    assert _fitting is not None, "begin comes first"
    return _fitting
