"""Periodic densities whose Fourier coefficients are known: runs in the process with pyscf."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from pyscf.data.nist import BOHR
from qcrbox_har.method import FormFactorRequest, MoleculeInput
from qcrbox_har.quantum import atoms, cell_grid, periodic

# Axes as rows in bohr, no right angle; a helium and a boron atom, and density that belongs to neither.
CELL = np.array([[7.0, 0.3, 0.0], [1.0, 6.5, 0.2], [0.5, -0.8, 7.5]])
SYMBOLS = ["He", "B"]
FRACTIONAL = np.array([[0.1, 0.2, 0.3], [0.62, 0.55, 0.81]])
BASIS = "def2-SVP"
# Gaussians: electrons, exponent in bohr⁻², place. They fade before the limit of a grid of 36 points.
SMOOTH = [(2.0, 0.9, (0.15, 0.2, 0.35)), (3.0, 0.7, (0.6, 0.5, 0.9)), (0.9, 0.5, (0.3, 0.8, 0.1))]
POINTS = 36
# Spheres exp(-βr²) (a + b·r + c xy) around the nuclei, e/bohr³: a chosen so that seven electrons are in the cell.
BETA = 4.0
LINEAR = np.array([0.11, -0.07, 0.05])
CROSS = 0.3
CONSTANT = (7.0 - 5.9) / 2 / (np.pi / BETA) ** 1.5


def crystal() -> periodic.PeriodicDensity:
    """The smooth part by a sum over images, the spheres as GPAW writes them: real harmonics, y z x for l = 1."""
    grid = np.stack(np.meshgrid(*[np.arange(POINTS) / POINTS] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    smooth = _gaussians(grid @ CELL).reshape(1, POINTS, POINTS, POINTS)
    radii = np.linspace(0, 2.6, 400)
    fading = np.exp(-BETA * radii**2)
    coefficients = np.zeros((1, 9, len(radii)))
    coefficients[0, 0] = np.sqrt(4 * np.pi) * CONSTANT * fading
    for row, axis in ((1, 1), (2, 2), (3, 0)):
        coefficients[0, row] = np.sqrt(4 * np.pi / 3) * LINEAR[axis] * radii * fading
    coefficients[0, 4] = np.sqrt(4 * np.pi / 15) * CROSS * radii**2 * fading
    return periodic.PeriodicDensity(CELL, FRACTIONAL, smooth, [periodic.Sphere(radii, coefficients)] * 2)


def _gaussians(points):
    total = np.zeros(len(points))
    for electrons, exponent, place in SMOOTH:
        for shift in product(range(-2, 3), repeat=3):
            r2 = ((points - (np.array(place) + shift) @ CELL) ** 2).sum(axis=1)
            total += electrons * (exponent / np.pi) ** 1.5 * np.exp(-exponent * r2)
    return total


def at_points(points):
    """(found, known) at points (m, 3) in bohr: the lattice sum of the same functions."""
    known = _gaussians(points)
    for place in FRACTIONAL:
        for shift in product(range(-2, 3), repeat=3):
            d = points - (place + shift) @ CELL
            shape = CONSTANT + d @ LINEAR + CROSS * d[:, 0] * d[:, 1]
            known += shape * np.exp(-BETA * (d**2).sum(axis=1))
    return crystal().total(points), known


def coefficients(hkl):
    """∫ ρ exp(2πi h·x) over the cell, by the transforms of Gaussians and of their moments."""
    q = 2 * np.pi * hkl @ np.linalg.inv(CELL).T
    q2 = (q**2).sum(axis=1)
    total = np.zeros(len(hkl), dtype=complex)
    for electrons, exponent, place in SMOOTH:
        total += electrons * np.exp(-q2 / (4 * exponent)) * np.exp(2j * np.pi * hkl @ np.array(place))
    volume = (np.pi / BETA) ** 1.5 * np.exp(-q2 / (4 * BETA))
    sphere = CONSTANT + 1j * q @ LINEAR / (2 * BETA) - CROSS * q[:, 0] * q[:, 1] / (4 * BETA**2)
    for place in FRACTIONAL:
        total += volume * sphere * np.exp(2j * np.pi * hkl @ place)
    return total


def put_together(hkl, folder: str, level: int):
    """(sum of the form factors of all atoms with their phases, electrons of each atom, number of electrons of the density)."""
    density = crystal()
    path = Path(folder) / "density.npz"
    written = {f"radii_{i}": sphere.radii for i, sphere in enumerate(density.spheres)}
    written |= {f"sphere_{i}": sphere.coefficients for i, sphere in enumerate(density.spheres)}
    np.savez(path, smooth=density.smooth, **written)
    factors, result = _atoms(str(path), hkl, level)
    phases = np.exp(2j * np.pi * hkl @ FRACTIONAL.T).T
    return (factors * phases).sum(axis=0), result.electrons, density.electrons


def without_one_electron(folder: str):
    """The error for a density that has too few electrons."""
    density = crystal()
    path = Path(folder) / "density.npz"
    np.savez(path, smooth=density.smooth, radii_0=[0.0, 0.1], sphere_0=np.zeros((1, 1, 2)),
             radii_1=[0.0, 0.1], sphere_1=np.zeros((1, 1, 2)))  # fmt: skip
    return _atoms(str(path), np.array([[0, 0, 0]]), 1)


def _atoms(path: str, hkl, level: int):
    settings = {"partition": "hirshfeld", "basis": BASIS, "grid_level": level}
    wanted = [(atom, np.eye(3, dtype=int)) for atom in range(2)]
    request = FormFactorRequest(settings, wanted, np.linalg.inv(CELL * BOHR).T, hkl)
    given = MoleculeInput(SYMBOLS, FRACTIONAL @ CELL * BOHR)
    return periodic.atoms(path, given, CELL * BOHR, np.array([0, 1]), request)


def free_atoms(hkl, folder: str):
    """(form factor from a crystal of free helium atoms, that of one free atom, largest deformation density e/Å³)."""
    cell = np.diag([5.0, 5.5, 6.0])
    radii = np.concatenate([[0.0], np.geomspace(1e-4, 14, 600)])
    shape = np.sqrt(4 * np.pi) * atoms.free_atom("He", 0, BASIS)(radii)
    path = Path(folder) / "density.npz"
    np.savez(path, smooth=np.zeros((1, 4, 4, 4)), radii_0=radii, sphere_0=shape[None, None],
             free_radii_0=radii, free_0=shape[None, None])  # fmt: skip
    settings = {"partition": "hirshfeld", "basis": BASIS, "grid_level": 2}
    fractional = np.linalg.inv(cell * BOHR).T
    request = FormFactorRequest(settings, [(0, np.eye(3, dtype=int))], fractional, hkl)
    given = MoleculeInput(["He"], np.array([[0.5, 0.6, 0.7]]))
    factors, _ = periodic.atoms(str(path), given, cell * BOHR, np.array([0]), request)
    q = 2 * np.pi * BOHR * np.linalg.norm(hkl @ fractional, axis=1)
    points = np.random.default_rng(1).uniform(0, 3, (50, 3))
    left = periodic.deformation(str(path), given, cell * BOHR, points)
    return factors[0], atoms.form_factor("He", 0, BASIS, int(q.max()) + 1)(q), np.abs(left).max()


def total_of(path: str, symbols, positions, cell, points):
    """(e/bohr³ at points (m, 3) in Å, electrons in the cell) of a density that GPAW wrote."""
    density = periodic._read(path, MoleculeInput(symbols, positions), cell)
    return density.total(points / BOHR), density.electrons


def write_free_atoms(path: str, symbols, basis: str) -> None:
    """A density made of free atoms, as GPAW would write it; half of it of each spin."""
    content = {"smooth": np.zeros((2, 4, 4, 4))}
    for atom, symbol in enumerate(symbols):
        radii = np.concatenate([[0.0], np.geomspace(1e-4, cell_grid.reach(symbol, basis), 600)])
        shape = np.sqrt(4 * np.pi) * atoms.free_atom(symbol, 0, basis)(radii) / 2
        content |= {f"radii_{atom}": radii, f"sphere_{atom}": np.stack([shape, shape])[:, None]}
        content |= {f"free_radii_{atom}": radii, f"free_{atom}": 2 * shape[None, None]}
    np.savez(path, **content)


def free_factor(symbol: str, basis: str, hkl, fractional):
    """f (k,) of a free atom; fractional (3, 3): Cartesian Å to fractional coordinates."""
    q = 2 * np.pi * BOHR * np.linalg.norm(hkl @ fractional, axis=1)
    return atoms.form_factor(symbol, 0, basis, int(q.max()) + 1)(q)


def over_the_cell(level: int):
    """(volume of the cell by the grid, its determinant, mean of a wave of the lattice)."""
    points, weights = cell_grid.integration_grid(SYMBOLS, CELL, FRACTIONAL, level)
    wave = np.cos(2 * np.pi * points @ np.linalg.inv(CELL) @ np.array([1, -1, 2]))
    volume = float(np.linalg.det(CELL))
    return float(weights.sum()), volume, float(weights @ wave) / volume


def shares_of_all(points):
    """Free atoms of the whole crystal at points, and the sum of those of its two atoms (m,), e/bohr³."""
    free = cell_grid.FreeAtoms(SYMBOLS, CELL, FRACTIONAL, points, BASIS)
    known = np.zeros(len(points))
    for symbol, place in zip(SYMBOLS, FRACTIONAL, strict=True):
        for shift in product(range(-4, 5), repeat=3):
            r = np.linalg.norm(points - (place + shift) @ CELL, axis=1)
            known += atoms.free_atom(symbol, 0, BASIS)(r)
    return free.total, known
