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
from qcrbox_har.quantum.atoms import form_factor, free_atom, symbols_of
from qcrbox_har.quantum.scf import Wavefunction

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Evaluate = Callable[[Array], Array]
NEGLIGIBLE = 1e-8  # electrons at a point of a grid
# A free hydrogen atom extends over the nuclei of its neighbours. There a grid integrates its share of the molecule's density,
# ρ_A⁰ ρ/ρ⁰, in which the cusps of ρ and ρ⁰ cancel, better than the difference of that share and the free atom.
WHOLE_ON_GRID = ("H",)


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
    wanted atoms only, without points where they have next to nothing.
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

    fractional (3, 3): takes Cartesian Å to fractional coordinates; hkl (k, 3). A Hirshfeld atom is its free atom and its share
    of the deformation density: ρ_A = ρ_A⁰ + w_A (ρ - ρ⁰). Only the second, the smaller part, is integrated on the grid.
    """
    times = {"scf": source.seconds}
    clock = time.perf_counter()
    molecule = source.molecule
    chosen = {atom.atom for atom in wanted}
    points, weights = _grid(molecule, settings, chosen)
    n_points = len(points)
    density = source.density(points)
    spin = None if source.spin is None else source.spin(points)
    times["density"] = time.perf_counter() - clock
    clock = time.perf_counter()
    free = _free_factors(molecule, settings, _momenta(hkl, fractional))
    symbols = symbols_of(molecule)
    atoms = _Atoms(molecule, chosen, np.array([free[symbol][0] for symbol in symbols]))
    apart = np.array([symbol not in WHOLE_ON_GRID for symbol in symbols])
    for stretch in partition.blocks(settings.partition, molecule, settings.basis, points, weights, density):
        part, share = stretch.part, stretch.share
        charge = share * (weights[part] * density[part])
        if stretch.free is not None:
            charge[apart] -= share[apart] * (weights[part] * stretch.free)
        unpaired = 0.0 if spin is None else share @ (weights[part] * spin[part])
        atoms.add(points[part], charge, unpaired)
    times["partition"] = time.perf_counter() - clock
    clock, processor = time.perf_counter(), time.process_time()
    factors = np.empty((len(wanted), len(hkl)), dtype=np.complex128)
    for row, atom in enumerate(wanted):
        displaced, charge = atoms.density_of(atom.atom)
        indices = fourier.image_indices(hkl, atom.rotation)
        points = displaced @ (fractional.T * BOHR)
        factors[row] = fourier.form_factors(points, charge, indices, threads, settings.transform)
        factors[row] += free[symbols[atom.atom]][1:]
    times |= {"fourier": time.perf_counter() - clock, "fourier_processor": time.process_time() - processor}
    if settings.is_fragment:
        atoms.forget_others(chosen)
    nuclei = molecule.atom_charges().astype(float)
    dipoles = -atoms.moments * BOHR
    result = AtomicDensity(
        electrons=atoms.electrons,
        charges=nuclei - atoms.electrons,
        dipoles=dipoles,
        spin=atoms.spin,
        total_electrons=float(atoms.electrons.sum()),
        energy=source.energy,
        iterations=source.iterations,
        converged=True,
        dipole=(nuclei - atoms.electrons) @ molecule.atom_coords() * BOHR + dipoles.sum(axis=0),
        seconds=times,
        n_basis=source.n_basis,
        n_points=n_points,
    )
    return factors, result


def _momenta(hkl: Indices, fractional: Array) -> Array:
    """q = 2π |h| (k + 1,) in bohr⁻¹ of 0 and of the indices (k, 3)."""
    lengths = 2 * np.pi * BOHR * np.linalg.norm(hkl @ fractional, axis=1)
    return np.concatenate([[0.0], lengths])


def _free_factors(molecule: gto.Mole, settings: Settings, q: Array) -> dict[str, Array]:
    """Form factors (k,) of free atoms by element at q (k,) in bohr⁻¹; 0 for those that are integrated whole."""
    elements = set(symbols_of(molecule))
    known = elements - set(WHOLE_ON_GRID) if settings.partition == "hirshfeld" else set()
    most = int(np.ceil(q.max())) + 1
    return {
        e: form_factor(e, 0, settings.basis, most)(q) if e in known else np.zeros(len(q)) for e in elements
    }


def _grid(molecule: gto.Mole, settings: Settings, wanted: set[int]) -> tuple[Array, Array]:
    """Points (m, 3) in bohr and weights (m,): all of the molecule's, or of a fragment those near its wanted atoms."""
    # The other schemes need the whole density for their charges or widths, or give shares where no free atom reaches.
    if settings.is_fragment and settings.partition == "hirshfeld":
        return grid_near(molecule, settings, wanted)
    return integration_grid(molecule, settings.grid_level)


class _Atoms:
    """Gathers what belongs to each atom, block by block; points only of those whose transform is wanted.

    known (n,): electrons of each atom that are not on the points.
    """

    def __init__(self, molecule: gto.Mole, wanted: set[int], known: Array) -> None:
        count = molecule.natm
        self.centres = molecule.atom_coords()
        self.electrons, self.spin = known.copy(), np.zeros(count)
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


def grid_near(molecule: gto.Mole, settings: Settings, atoms: set[int]) -> tuple[Array, Array]:
    """The points of `integration_grid` (m, 3) in bohr and their weights (m,) where free atoms of `atoms` have electrons.

    A Hirshfeld atom has no electrons where its free atom has none. What is left out is below `NEGLIGIBLE` electrons a point
    even where the molecule is as dense as its free atoms together.
    """
    # A different symbol for each atom, so that each has separate grid points.
    labelled = molecule.copy()
    labelled._atom = [
        (f"{labelled.atom_pure_symbol(i)}{i}", place) for i, (_, place) in enumerate(molecule._atom)
    ]
    grid = dft.gen_grid.Grids(labelled)
    around = grid.gen_atomic_grids(
        labelled, grid.atom_grid, grid.radi_method, settings.grid_level, grid.prune
    )
    centres = labelled.atom_coords()
    for i, centre in enumerate(centres):
        places, volumes = around[labelled.atom_symbol(i)]
        electrons = np.zeros(len(places))
        for atom in atoms:
            distance = np.linalg.norm(places + (centre - centres[atom]), axis=1)
            free = free_atom(molecule.atom_pure_symbol(atom), 0, settings.basis)(distance)
            electrons += free
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
