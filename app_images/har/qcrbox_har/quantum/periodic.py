"""The density of a whole crystal, and Hirshfeld atoms cut from it.

`periodic/gpaw_program.py` writes the density as a smooth function on a grid of the cell and, for every nucleus, radial functions
that are to be added near it (projector-augmented waves, Blöchl, Phys. Rev. B 50 (1994) 17953). Both parts can be evaluated at
any point without loss: the smooth one is a sum of plane waves. So atoms are integrated on grids around nuclei as those of molecules
are, and cores need no fine grid of the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import finufft
import numpy as np
from numpy.typing import NDArray
from pyscf import gto
from pyscf.data.nist import BOHR
from pyscf.symm.sph import real_sph_vec
from qcrbox.contract.errors import CalculationFailed
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from qcrbox_har.child import report
from qcrbox_har.method import AtomicDensity, FormFactorRequest, MoleculeInput
from qcrbox_har.quantum.atoms import form_factor
from qcrbox_har.quantum.cell_grid import FreeAtoms, images_in_box, integration_grid
from qcrbox_har.quantum.density import WHOLE_ON_GRID, Settings
from qcrbox_har.quantum.fourier import form_factors, image_indices

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_INTERPOLATION = 1e-10
# Levels of the grid beyond the one asked for. Hydrogen is integrated whole (`density.WHOLE_ON_GRID`): urea's 64 electrons are 7e-4
# off on level 2, 5e-4 on level 3 and 7e-5 on level 4.
_FINER = 2
# Electrons at a point of an atom.
_NEGLIGIBLE = 1e-11
# Of the electrons, as a fraction.
_MOST_OFF, _MOST_LOST = 1e-5, 1e-4


@dataclass(frozen=True)
class Sphere:
    """Density to be added around a nucleus: coefficients (spins, L, r) of real spherical harmonics, e/bohr³, L = l² + l + m.

    radii (r,) in bohr; 0 beyond the last one.
    """

    radii: Array
    coefficients: Array

    @property
    def radius(self) -> float:
        """Distance from the nucleus beyond which there is nothing to add, bohr."""
        return float(self.radii[-1])

    @property
    def electrons(self) -> Array:
        """Integral (spins,)."""
        shells = np.sqrt(4 * np.pi) * self.radii**2 * self.coefficients[:, 0]
        return CubicSpline(self.radii, shells, axis=1).integrate(0, self.radius)

    def spline(self, sums: Array) -> CubicSpline:
        """Coefficients (sums, L) as a function of the radius; sums (sums, spins): factors of the spins in each sum over them."""
        return CubicSpline(self.radii, np.einsum("ts,sLr->rtL", sums, self.coefficients))


class PeriodicDensity:
    """Electron density of a crystal at any point.

    cell (3, 3): axes in bohr; fractional (n, 3): nuclei; smooth (spins, a, b, c) e/bohr³ on a grid of the cell; spheres: of each
    nucleus.
    """

    def __init__(self, cell: Array, fractional: Array, smooth: Array, spheres: list[Sphere]) -> None:
        self.cell, self.fractional, self.smooth, self.spheres = cell, fractional, smooth, spheres

    @classmethod
    def read(cls, path: Path, cell: Array, fractional: Array) -> PeriodicDensity:
        """As `periodic/gpaw_program.py` wrote it."""
        with np.load(path, allow_pickle=False) as content:
            spheres = [
                Sphere(content[f"radii_{atom}"], content[f"sphere_{atom}"]) for atom in range(len(fractional))
            ]
            return cls(cell, fractional, content["smooth"], spheres)

    @property
    def electrons(self) -> float:
        """In the unit cell."""
        volume = abs(float(np.linalg.det(self.cell)))
        smooth = float(self.smooth.mean(axis=(1, 2, 3)).sum()) * volume
        return smooth + float(sum(sphere.electrons.sum() for sphere in self.spheres))

    @property
    def is_polarised(self) -> bool:
        """Whether the two spins have densities of their own."""
        return len(self.smooth) == 2

    def total(self, points: Array) -> Array:
        """Electrons per bohr³ (m,) at points (m, 3) in bohr."""
        return self._at(points, np.ones((1, len(self.smooth))))[0]

    def total_and_spin(self, points: Array) -> tuple[Array, Array]:
        """All electrons, and those unpaired, per bohr³ (m,) at points (m, 3) in bohr."""
        if not self.is_polarised:
            return self.total(points), np.zeros(len(points))
        total, spin = self._at(points, np.array([[1.0, 1.0], [1.0, -1.0]]))
        return total, spin

    def _at(self, points: Array, sums: Array) -> Array:
        """Sums over the spins (sums, m), with factors (sums, spins)."""
        values = self._plane_waves(points, np.einsum("ts,sabc->tabc", sums, self.smooth))
        tree = cKDTree(points)
        largest = max(sphere.radius for sphere in self.spheres)
        low, high = points.min(axis=0) - largest, points.max(axis=0) + largest
        splines = [sphere.spline(sums) for sphere in self.spheres]
        for atom, centre in images_in_box(self.cell, self.fractional, low, high):
            near = np.array(tree.query_ball_point(centre, self.spheres[atom].radius), dtype=np.int64)
            if len(near):
                values[:, near] += _harmonic_sum(splines[atom], points[near] - centre)
        return values

    def _plane_waves(self, points: Array, grids: Array) -> Array:
        waves = np.fft.fftshift(np.fft.fftn(grids, axes=(1, 2, 3)), axes=(1, 2, 3)) / grids[0].size
        x = 2 * np.pi * ((points @ np.linalg.inv(self.cell)) % 1.0)
        columns = [np.ascontiguousarray(column) for column in x.T]
        return np.stack(
            [finufft.nufft3d2(*columns, wave, isign=1, eps=_INTERPOLATION).real for wave in waves]
        )


def _harmonic_sum(spline: CubicSpline, displaced: Array) -> Array:
    r = np.linalg.norm(displaced, axis=1)
    # At the nucleus there is no direction, and only the first harmonic.
    unit = np.where(r[:, None] > 1e-12, displaced / np.maximum(r, 1e-12)[:, None], [0.0, 0.0, 1.0])
    coefficients = spline(r)
    most = round(coefficients.shape[2] ** 0.5) - 1
    harmonics = np.concatenate(real_sph_vec(unit, most, reorder_p=False), axis=0)
    return np.einsum("mtL,Lm->tm", coefficients, harmonics)


def atoms(
    path: str, crystal: MoleculeInput, cell: Array, site: Indices, request: FormFactorRequest
) -> tuple[NDArray[np.complex128], AtomicDensity]:
    """Form factors (atoms wanted, k) of a crystal, and what the partition says of all atoms of its cell.

    path: of the density; cell (3, 3): axes in Å; site (n,): what is equal for atoms that symmetry makes equal. Moments are those
    of the atoms wanted only. Raises CalculationFailed when the density has not as many electrons as the atoms.
    """
    density, axes = _read(path, crystal, cell), cell / BOHR
    numbers = np.array([gto.charge(symbol) for symbol in crystal.symbols], dtype=float)
    if abs(density.electrons - numbers.sum()) > _MOST_OFF * numbers.sum():
        raise CalculationFailed(
            f"the periodic density has {density.electrons:.4f} electrons in the cell, and its atoms have {numbers.sum():.0f}.",
            next="Choose density='molecules'.",
            reason="density not complete",
        )
    grid = _Grid.of(density, crystal.symbols, axes, Settings(**request.settings))
    count = len(numbers)
    electrons, spin, dipoles = np.full(count, np.nan), np.full(count, np.nan), np.full((count, 3), np.nan)
    factors = np.empty((len(request.wanted), len(request.hkl)), dtype=np.complex128)
    for row, (atom, rotation) in enumerate(request.wanted):
        report(stage="form factors", atom=row + 1, of=len(request.wanted))
        factors[row], integrals = grid.atom(atom, rotation, request)
        equal = site == site[atom]
        electrons[equal], spin[equal], dipoles[atom] = integrals[0], integrals[1], -BOHR * integrals[2:]
    if abs(electrons.sum() - numbers.sum()) > _MOST_LOST * numbers.sum():  # false where some are not wanted
        raise CalculationFailed(
            f"the atoms of the crystal have {electrons.sum():.3f} electrons together, and the cell has {numbers.sum():.0f}.",
            next="Choose a finer grid, or density='molecules'.",
            reason="density not complete",
        )
    return factors, AtomicDensity(
        electrons=electrons,
        charges=numbers - electrons,
        dipoles=dipoles,
        spin=spin,
        total_electrons=float(electrons.sum()),
        energy=0.0,
        iterations=0,
        converged=True,
        dipole=np.full(3, np.nan),
        n_points=len(grid.points),
    )


@dataclass(frozen=True)
class _Grid:
    """A crystal on the points of its cell: weights and density (m,), and what the free atoms have there."""

    points: Array
    weights: Array
    density: Array
    spin: Array
    free: FreeAtoms
    symbols: list[str]
    settings: Settings

    @classmethod
    def of(cls, density: PeriodicDensity, symbols: list[str], cell: Array, settings: Settings) -> _Grid:
        level = min(settings.grid_level + _FINER, 9)
        points, weights = integration_grid(symbols, cell, density.fractional, level)
        total, spin = density.total_and_spin(points)
        free = FreeAtoms(symbols, cell, density.fractional, points, settings.basis)
        return cls(points, weights, total, spin, free, symbols, settings)

    def atom(
        self, atom: int, rotation: Indices, request: FormFactorRequest
    ) -> tuple[NDArray[np.complex128], Array]:
        """Form factors (k,) of an atom; its electrons, those unpaired, and its first moment in e bohr (5,).

        Each image of it has a share of the points of the cell: together that is what one atom has in the whole crystal.
        """
        symbol, basis = self.symbols[atom], self.settings.basis
        is_whole = symbol in WHOLE_ON_GRID
        given = self.density if is_whole else self.density - self.free.total
        integrals, places, charges = np.zeros(5), [], []
        for near, displaced, free in self.free.of(atom):
            share = self.weights[near] * free / self.free.total[near]
            charge = share * given[near]
            integrals += np.concatenate([[charge.sum(), share @ self.spin[near]], charge @ displaced])
            kept = np.abs(charge) > _NEGLIGIBLE
            places.append(displaced[kept])
            charges.append(charge[kept])
        factors = form_factors(
            np.concatenate(places) @ (request.fractional.T * BOHR),
            np.concatenate(charges),
            image_indices(request.hkl, rotation),
            0,
            self.settings.transform,
        )
        if not is_whole:
            q = 2 * np.pi * BOHR * np.linalg.norm(request.hkl @ request.fractional, axis=1)
            alone = form_factor(symbol, 0, basis, int(np.ceil(q.max(initial=0))) + 1)
            integrals[0] += alone(0.0)
            factors = factors + alone(q)
        return factors, integrals


def deformation(path: str, crystal: MoleculeInput, cell: Array, points: Array) -> Array:
    """Density of a crystal less that of its free atoms, e/Å³, at points (m, 3) in Å. path: of the density; cell: axes in Å.

    The free atoms are those of the atomic data of GPAW, not those of the partition: densities of cores depend on the functional and
    on relativity by tens of e/Å³, which hide what bonds do.
    """
    density = _read(path, crystal, cell)
    with np.load(path, allow_pickle=False) as content:
        free = [
            Sphere(content[f"free_radii_{atom}"], content[f"free_{atom}"])
            for atom in range(len(crystal.symbols))
        ]
    atoms_alone = PeriodicDensity(density.cell, density.fractional, np.zeros((1, 2, 2, 2)), free)
    places = points / BOHR
    return (density.total(places) - atoms_alone.total(places)) / BOHR**3


def _read(path: str, crystal: MoleculeInput, cell: Array) -> PeriodicDensity:
    return PeriodicDensity.read(Path(path), cell / BOHR, crystal.positions @ np.linalg.inv(cell))
