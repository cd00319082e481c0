"""What the wavefunction process is asked to do. It keeps every molecule's last density for the next round."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyscf import df, gto
from pyscf.data.nist import BOHR

from qcrbox_har.child import report
from qcrbox_har.method import AtomicDensity, FormFactorRequest, Method, MoleculeInput
from qcrbox_har.quantum import density, products, scf
from qcrbox_har.quantum.atoms import free_atom
from qcrbox_har.quantum.density import Settings, Wanted

Array = NDArray[np.float64]

_kept: dict[int, scf.Wavefunction] = {}


def molecule_density(
    number: int,
    molecule: MoleculeInput,
    method: Method,
    request: FormFactorRequest,
) -> tuple[NDArray[np.complex128], AtomicDensity]:
    """Wavefunction and form factors (atoms wanted, k) of one molecule; begins from its density of the round before."""

    def watch(iteration: int, energy: float, gradient: float) -> None:
        report(stage="scf", molecule=number, iteration=iteration, energy=energy, gradient=gradient)

    found = scf.run(molecule, method, _kept.get(number), watch)
    _kept[number] = found
    report(stage="form factors", molecule=number)
    source = density.of_wavefunction(found)
    wanted = [Wanted(atom, rotation) for atom, rotation in request.wanted]
    return density.atomic_densities(
        source,
        Settings(**request.settings, is_fragment=request.is_fragment),
        wanted,
        request.fractional,
        request.hkl,
    )


def given_density(
    number: int,
    molecule: MoleculeInput,
    path: str,
    request: FormFactorRequest,
) -> tuple[NDArray[np.complex128], AtomicDensity]:
    """The same from a wavefunction file, whose molecule is laid over the one in the crystal."""
    from qcrbox_har.quantum import external  # half a second of start-up that few need

    report(stage="form factors", molecule=number)
    source, fit = external.laid_over(path, molecule)
    chosen = [Wanted(int(fit.atom_of[atom]), rotation) for atom, rotation in request.wanted]
    factors, result = density.atomic_densities(
        source, Settings(**request.settings), chosen, request.fractional @ fit.rotation, request.hkl
    )
    external.refuse_lost_electrons(result.total_electrons, molecule, path)
    for name in ("electrons", "charges", "spin"):
        setattr(result, name, getattr(result, name)[fit.atom_of])
    result.dipoles = result.dipoles[fit.atom_of] @ fit.rotation.T
    result.dipole, result.apart = fit.rotation @ result.dipole, fit.apart
    return factors, result


def hydrogen_distances(molecule: MoleculeInput, pairs: list[tuple[int, int]]) -> Array:
    """Positions (n, 3) in Å with X-H distances of GFN2."""
    from qcrbox_har.quantum import xtb  # only the first round needs it

    return xtb.hydrogen_distances(molecule, pairs)


def deformation_density(number: int, basis: str, points: Array, atoms: list[int] | None = None) -> Array:
    """Density of a molecule less that of its free atoms, e/Å³, at points (m, 3) in Å; of some atoms their Hirshfeld share."""
    found = _kept[number]
    values = density.density_at(found.molecule, found.total_density, points / BOHR)
    return _less_free_atoms(found.molecule, values, basis, points / BOHR, atoms)


def given_deformation(path: str, molecule: MoleculeInput, basis: str, points: Array) -> Array:
    """The same from a wavefunction file, whose molecule is laid over the one in the crystal."""
    from qcrbox_har.quantum import external  # half a second of start-up that few need

    source, fit = external.laid_over(path, molecule)
    centre = source.molecule.atom_coords()[fit.atom_of].mean(axis=0)
    places = (points - molecule.positions.mean(axis=0)) @ fit.rotation / BOHR + centre
    return _less_free_atoms(source.molecule, source.density(places), basis, places)


def _less_free_atoms(
    molecule: gto.Mole, values: Array, basis: str, places: Array, atoms: list[int] | None = None
) -> Array:
    """Values (m,) in e/bohr³ at places (m, 3) in bohr, less the densities of the free atoms, in e/Å³."""
    together, own = np.zeros(len(places)), np.zeros(len(places))
    for atom, centre in enumerate(molecule.atom_coords()):
        radial = free_atom(molecule.atom_pure_symbol(atom), 0, basis)
        free = radial(np.linalg.norm(places - centre, axis=1))
        together += free
        if atoms is None or atom in atoms:
            own += free
    return (values - together) * own / np.maximum(together, 1e-300) / BOHR**3


def formula_of_file(path: str) -> dict[str, int]:
    """Atoms of each element in a wavefunction file, by alphabet."""
    from qcrbox_har.quantum import external  # half a second of start-up that few need

    symbols = [gto.mole._std_symbol(int(z)) for z in external.read(path).atnums]
    return {symbol: symbols.count(symbol) for symbol in sorted(set(symbols))}


def size(molecule: MoleculeInput, method: Method) -> dict[str, int]:
    """What the cost depends on, without computing anything. Raises what a wavefunction would raise for its input."""
    built = scf.build_molecule(molecule, method)
    scf.mean_field(built, method)
    auxiliary = df.addons.make_auxmol(built, df.addons.make_auxbasis(built))
    points_of_atom = {1: 3900, 2: 8200, 3: 12500}
    count = len(molecule.symbols)
    return {
        "basis": built.nao,
        "auxiliary": auxiliary.nao,
        "occupied": max(built.nelec),
        "scf_points": count * points_of_atom.get(method.grid_level, 20000),
        "points": count * points_of_atom[2],
    }


def speed() -> float:
    """Floating-point operations a second of a matrix product here and now, all threads together.

    The mean over some tenths of a second: other programs take the processors for longer than one product lasts.
    """
    size, most, long_enough_s = 600, 20, 0.3
    matrix = np.random.default_rng(0).random((size, size))
    products.ddot(matrix, matrix)
    started, done = time.perf_counter(), 0
    while done < most and time.perf_counter() - started < long_enough_s:
        products.ddot(matrix, matrix)
        done += 1
    return done * 2 * size**3 / (time.perf_counter() - started)


def save(path: str) -> None:
    """The last density of every molecule, for a later process to begin from."""
    content: dict[str, Array] = {}
    for number, wavefunction in _kept.items():
        molecule = wavefunction.molecule
        content[f"{number}_density"] = wavefunction.density
        content[f"{number}_positions"] = molecule.atom_coords(unit="Angstrom")
    temporary = Path(path).with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez(file, **content)  # type: ignore[arg-type]
    temporary.replace(path)


def restore(path: str, molecules: dict[int, MoleculeInput], method: Method) -> list[int]:
    """Take densities of an earlier process; those whose atoms or basis are others are left out. Numbers taken."""
    _kept.clear()
    taken = []
    with np.load(path, allow_pickle=False) as content:
        for number, molecule in molecules.items():
            if f"{number}_density" not in content:
                continue
            matrices, positions = content[f"{number}_density"], content[f"{number}_positions"]
            if len(positions) != len(molecule.symbols):
                continue
            before = MoleculeInput(molecule.symbols, positions, molecule.charge, molecule.multiplicity)
            built = scf.build_molecule(before, method)
            if matrices.shape != (2, built.nao, built.nao):
                continue
            _kept[number] = scf.Wavefunction(built, matrices, 0.0, 0, True, 0.0, False)
            taken.append(number)
    return taken
