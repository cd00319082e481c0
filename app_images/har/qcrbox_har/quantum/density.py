"""Atomic densities of one wavefunction: electrons, moments and form factors of its atoms."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from pyscf import dft, gto
from pyscf.data.nist import BOHR

from qcrbox_har.method import AtomicDensity
from qcrbox_har.quantum import fourier, partition, products
from qcrbox_har.quantum.atoms import free_atom
from qcrbox_har.quantum.scf import Wavefunction

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Evaluate = Callable[[Array], Array]
NEGLIGIBLE = 1e-8  # electrons at a point of a grid


@dataclass(frozen=True)
class Wanted:
    """One atom of the molecule whose form factors are asked for.

    atom: its number in the molecule; rotation (3, 3): of the symmetry operation that makes it from the atom
    of the asymmetric unit, the identity when it is that atom.
    """

    atom: int
    rotation: Indices


@dataclass(frozen=True)
class Settings:
    """partition: one of `partition.SCHEMES`; basis: of the pro-atoms; grid_level: of the integration, 0 to 9;
    transform: accuracy of the Fourier transforms, relative to the electrons of the atom; is_fragment: integrate over the
    wanted atoms only.
    """

    partition: str = "hirshfeld"
    basis: str = "def2-svp"
    grid_level: int = 2
    transform: float = fourier.ACCURACY
    is_fragment: bool = False


@dataclass
class Source:
    """A density to be shared among atoms.

    molecule: its atoms, in bohr; density, spin: functions of points (m, 3) in bohr that give electrons per bohr³
    (m,); spin is None for closed shells. energy, iterations, seconds: what it cost to make.
    """

    molecule: gto.Mole
    density: Evaluate
    spin: Evaluate | None
    energy: float
    iterations: int
    seconds: float
    n_basis: int


def of_wavefunction(wavefunction: Wavefunction) -> Source:
    """The electron density of a wavefunction, in e bohr⁻³, with its spin density if it is unrestricted."""
    molecule = wavefunction.molecule
    difference = wavefunction.density[0] - wavefunction.density[1]
    return Source(
        molecule,
        lambda points: density_at(molecule, wavefunction.total_density, points),
        (lambda points: density_at(molecule, difference, points))
        if np.abs(difference).max() > 1e-9
        else None,
        wavefunction.energy,
        wavefunction.iterations,
        wavefunction.seconds,
        molecule.nao,
    )


def atomic_densities(
    source: Source,
    settings: Settings,
    wanted: list[Wanted],
    fractional: Array,
    hkl: Indices,
    threads: int = 0,
) -> tuple[NDArray[np.complex128], AtomicDensity]:
    """Form factors (len(wanted), k) and what the partition says of every atom.

    fractional (3, 3): takes Cartesian Å to fractional coordinates; hkl (k, 3).
    """
    times = {"scf": source.seconds}
    chosen = {one.atom for one in wanted}
    atoms, n_points = _partitioned(source, settings, chosen, times)
    clock, processor = time.perf_counter(), time.process_time()
    factors = np.empty((len(wanted), len(hkl)), dtype=np.complex128)
    for row, one in enumerate(wanted):
        displaced, charge = atoms.density_of(one.atom)
        indices = fourier.image_indices(hkl, one.rotation)
        points = displaced @ (fractional.T * BOHR)
        factors[row] = fourier.form_factors(points, charge, indices, threads, settings.transform)
    times |= {"fourier": time.perf_counter() - clock, "fourier_processor": time.process_time() - processor}
    if settings.is_fragment:
        atoms.forget_others(chosen)
    return factors, _summary(source, atoms, times, n_points)


def _partitioned(
    source: Source, settings: Settings, chosen: set[int], times: dict[str, float]
) -> tuple[_Atoms, int]:
    """The density on its grid, shared among the atoms; the number of points. times: gets the seconds that it took."""
    clock = time.perf_counter()
    molecule = source.molecule
    points, weights = _grid(molecule, settings, chosen)
    density = source.density(points)
    spin = None if source.spin is None else source.spin(points)
    times["density"] = time.perf_counter() - clock
    clock = time.perf_counter()
    atoms = _Atoms(molecule, chosen)
    for part, share in partition.blocks(
        settings.partition, molecule, settings.basis, points, weights, density
    ):
        charge = share * (weights[part] * density[part])
        unpaired = 0.0 if spin is None else share @ (weights[part] * spin[part])
        atoms.add(points[part], charge, unpaired)
    times["partition"] = time.perf_counter() - clock
    return atoms, len(points)


def _summary(source: Source, atoms: _Atoms, times: dict[str, float], n_points: int) -> AtomicDensity:
    """Charges, dipoles (e Å) and spins of the atoms."""
    nuclei = source.molecule.atom_charges().astype(float)
    dipoles = -atoms.moments * BOHR
    charges = nuclei - atoms.electrons
    return AtomicDensity(
        electrons=atoms.electrons,
        charges=charges,
        dipoles=dipoles,
        spin=atoms.spin,
        total_electrons=float(atoms.electrons.sum()),
        energy=source.energy,
        iterations=source.iterations,
        converged=True,
        dipole=charges @ source.molecule.atom_coords() * BOHR + dipoles.sum(axis=0),
        seconds=times,
        n_basis=source.n_basis,
        n_points=n_points,
    )


def _grid(molecule: gto.Mole, settings: Settings, wanted: set[int]) -> tuple[Array, Array]:
    """Points (m, 3) in bohr and weights (m,): all of the molecule's, or of a fragment those near its wanted atoms."""
    # The other schemes need the whole density for their charges or widths, or give shares where no free atom reaches.
    if settings.is_fragment and settings.partition == "hirshfeld":
        return grid_near(molecule, settings.grid_level, wanted, settings.basis)
    return integration_grid(molecule, settings.grid_level)


class _Atoms:
    """Gathers what belongs to each atom, block by block; points only of those whose transform is wanted."""

    def __init__(self, molecule: gto.Mole, wanted: set[int]) -> None:
        count = molecule.natm
        self.centres = molecule.atom_coords()
        self.electrons, self.spin = np.zeros(count), np.zeros(count)
        self.moments = np.zeros((count, 3))
        self._points: dict[int, list[Array]] = {atom: [] for atom in wanted}
        self._charges: dict[int, list[Array]] = {atom: [] for atom in wanted}

    def add(self, points: Array, charge: Array, unpaired: Array | float) -> None:
        self.electrons += charge.sum(axis=1)
        self.spin += unpaired
        self.moments += charge @ points - charge.sum(axis=1)[:, None] * self.centres
        for atom in self._points:
            kept = np.abs(charge[atom]) > 1e-12
            self._points[atom].append(points[kept] - self.centres[atom])
            self._charges[atom].append(charge[atom][kept])

    def forget_others(self, wanted: set[int]) -> None:
        """Nothing is known of atoms that are integrated in part, or that lie at a cut bond."""
        others = [atom for atom in range(len(self.centres)) if atom not in wanted]
        self.electrons[others], self.spin[others], self.moments[others] = np.nan, np.nan, np.nan

    def density_of(self, atom: int) -> tuple[Array, Array]:
        return np.concatenate(self._points[atom]), np.concatenate(self._charges[atom])


def integration_grid(molecule: gto.Mole, level: int) -> tuple[Array, Array]:
    """Points (m, 3) in bohr and weights (m,), some of them negative where the grid is pruned."""
    grid = dft.gen_grid.Grids(molecule)
    grid.level = level
    grid.build(with_non0tab=False, sort_grids=True)
    return grid.coords, grid.weights


def grid_near(molecule: gto.Mole, level: int, atoms: set[int], basis: str) -> tuple[Array, Array]:
    """The points of `integration_grid` (m, 3) in bohr and their weights (m,) where free atoms of `atoms` have electrons.

    A Hirshfeld atom has no electrons where its free atom has none. What is left out is below NEGLIGIBLE electrons a point
    even where the molecule is as dense as its free atoms together.
    """
    # One symbol for each atom, so that each has points of its own.
    labelled = molecule.copy()
    labelled._atom = [
        (f"{labelled.atom_pure_symbol(i)}{i}", place) for i, (_, place) in enumerate(molecule._atom)
    ]
    grid = dft.gen_grid.Grids(labelled)
    around = grid.gen_atomic_grids(labelled, grid.atom_grid, grid.radi_method, level, grid.prune)
    centres = labelled.atom_coords()
    for i, centre in enumerate(centres):
        places, volumes = around[labelled.atom_symbol(i)]
        electrons = np.zeros(len(places))
        for atom in atoms:
            distance = np.linalg.norm(places + (centre - centres[atom]), axis=1)
            electrons += free_atom(molecule.atom_pure_symbol(atom), 0, basis)(distance)
        # Pruned grids have negative weights.
        kept = np.abs(volumes) * electrons > NEGLIGIBLE
        around[labelled.atom_symbol(i)] = places[kept], volumes[kept]
    return grid.get_partition(labelled, around, grid.radii_adjust, grid.atomic_radii)


def density_at(molecule: gto.Mole, density_matrix: Array, points: Array, block: int = 8_000) -> Array:
    """Electrons per bohr³ at points (m, 3) in bohr."""
    # Σ λ φ² over the matrix's own orbitals: there are as many as electron pairs, a fraction of the basis functions.
    values, vectors = scipy.linalg.eigh(density_matrix)
    kept = np.abs(values) > 1e-12
    orbitals, occupations = np.ascontiguousarray(vectors[:, kept].T), values[kept]
    numint = dft.numint.NumInt()
    rho = np.empty(len(points))
    for start in range(0, len(points), block):
        part = slice(start, start + block)
        amplitudes = products.ddot(orbitals, numint.eval_ao(molecule, points[part]).T)
        np.square(amplitudes, out=amplitudes)
        rho[part] = occupations @ amplitudes
    return rho
