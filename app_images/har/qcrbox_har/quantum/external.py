"""Wavefunctions of other programs: .fchk, .molden, .wfn, .wfx, .mkl, read with IOData and evaluated with gbasis."""

from __future__ import annotations

import re
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gbasis.evals.eval import evaluate_basis
from gbasis.screening import compute_primitive_cutoff_radius
from gbasis.wrappers import from_iodata
from iodata import IOData, load_one
from iodata.basis import Shell
from iodata.convert import convert_to_segmented
from iodata.utils import FileFormatError
from numpy.typing import NDArray
from pyscf import gto
from pyscf.data.nist import BOHR
from qcrbox.contract.errors import UserInputError
from scipy.optimize import linear_sum_assignment

from qcrbox_har.method import MoleculeInput
from qcrbox_har.quantum.density import Source

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# X-H distances of the file may be those of an optimisation; beyond this it is another conformation.
MOST_APART_A = 0.35
_BLOCK = 4000
# Amplitude below which a basis function is left out, bohr^(-3/2).
_NEGLIGIBLE = 1e-8
_ELECTRONS_OFF = 0.05  # files print occupations with few digits
_ELECTRONS_LOST = 2e-3  # of all electrons, that a grid may miss
# Words of the first lines, and endings, of the formats by their names in IOData.
_SIGNS = {"[molden format]": "molden", "$mkl": "molekel", "<title>": "wfx"}
_ENDINGS = {
    ".fchk": "fchk",
    ".fch": "fchk",
    ".molden": "molden",
    ".mkl": "molekel",
    ".wfn": "wfn",
    ".wfx": "wfx",
}
# Files that only their own program reads, and how it writes them for others.
_CONVERTED = {
    ".gbw": "Write it for other programs with ORCA's orca_2mkl NAME -molden, and give the .molden.input file.",
    ".chk": "Write it for other programs with Gaussian's formchk NAME.chk NAME.fchk, and give the .fchk file.",
}
_D_EXPONENT = re.compile(rb"(\d)[Dd]([+-]\d)")


@dataclass
class Overlay:
    """How the molecule of a file lies over that of the crystal.

    atom_of (n,): the file's atom for each of the crystal's; rotation (3, 3): takes directions of the file into the
    crystal; apart: r.m.s. distance of the atoms, Å.
    """

    atom_of: Indices
    rotation: Array
    apart: float


def laid_over(path: str, molecule: MoleculeInput) -> tuple[Source, Overlay]:
    """The density of a file, in the file's own frame, and how it lies over the crystal.

    Raises UserInputError for files that hold no wavefunction or another molecule.
    """
    started = time.perf_counter()
    data = read(path)
    symbols = [gto.mole._std_symbol(int(z)) for z in data.atnums]
    positions = np.asarray(data.atcoords) * BOHR
    if sorted(symbols) != sorted(molecule.symbols):
        raise UserInputError(
            f"the wavefunction is of {_formula(symbols)}, and the molecule of the crystal is {molecule.formula}.",
            where=Path(path).name,
            next="Give the file of this molecule with all its atoms.",
        )
    fit = overlay(symbols, positions, molecule.symbols, molecule.positions)
    if fit.apart > MOST_APART_A:
        raise UserInputError(
            f"the molecule of the file lies {fit.apart:.2f} Å (r.m.s.) beside that of the crystal.",
            where=Path(path).name,
            why="It has another conformation, or is the other enantiomer.",
            next="Compute it at the geometry of the crystal.",
        )
    _refuse_other_electrons(data, molecule, Path(path).name)
    _refuse_other_spin(data, molecule, Path(path).name)
    data.obasis = convert_to_segmented(data.obasis)
    data.obasis.shells = [_without_nothing(shell) for shell in data.obasis.shells]
    basis = from_iodata(data)
    matrix = density_matrix(data)
    made = gto.Mole()
    made.atom = [(s, tuple(p)) for s, p in zip(symbols, positions, strict=True)]
    made.basis, made.unit, made.verbose = "sto-3g", "Angstrom", 0
    made.charge = round(sum(data.atnums) - _electrons(data))
    made.spin = int(sum(data.atnums) - made.charge) % 2
    made.build(parse_arg=False, dump_input=False)

    def density(points: Array) -> Array:
        rho = np.empty(len(points))
        for start in range(0, len(points), _BLOCK):
            part = slice(start, start + _BLOCK)
            functions = evaluate_basis(basis, points[part], tol_screen=_NEGLIGIBLE)
            # Densities of perturbation theory are negative in places.
            rho[part] = np.einsum("ip,ip->p", matrix @ functions, functions)
        return rho

    energy = float(data.energy) if data.energy is not None else 0.0
    source = Source(made, density, None, energy, 0, time.perf_counter() - started, len(matrix))
    return source, fit


def _without_nothing(shell: Shell) -> Shell:
    """A shell of one contraction without the primitives that are below `_NEGLIGIBLE` everywhere, as those of coefficient 0.

    CFOUR and others write every exponent for every function. gbasis has no number for the reach of such a primitive, and then
    leaves out the whole function.
    """
    with np.errstate(all="ignore"):
        reach = compute_primitive_cutoff_radius(
            np.abs(shell.coeffs[:, 0]), shell.exponents, int(shell.angmoms[0]), 0, _NEGLIGIBLE
        )
    kept = np.isfinite(reach)
    if not kept.any():
        return shell
    return Shell(shell.icenter, shell.angmoms, shell.kinds, shell.exponents[kept], shell.coeffs[kept])


def read(path: str) -> IOData:
    """Raises UserInputError when IOData cannot read it or it holds no orbitals."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = _loaded(path)
    except Exception as problem:
        raise UserInputError(
            "the wavefunction file cannot be read.",
            where=Path(path).name,
            why=_reason(problem),
            next=_CONVERTED.get(
                Path(path).suffix.lower(),
                "Give a .fchk, .molden, .wfn, .wfx or .mkl file with its usual ending.",
            ),
        ) from problem
    if data.obasis is None or (data.mo is None and not data.one_rdms):
        raise UserInputError(
            "the file holds no orbitals.",
            where=Path(path).name,
            next="Give a .fchk, .molden, .wfn, .wfx or .mkl file of the finished calculation.",
        )
    if data.atcorenums is not None and (np.asarray(data.atcorenums) < 0.5).any():
        raise UserInputError(
            "the wavefunction has ghost atoms: basis functions without a nucleus.",
            where=Path(path).name,
            why="Its density belongs to no molecule of the crystal alone.",
            next="Compute the molecule without them.",
        )
    if data.atcorenums is not None and np.abs(data.atcorenums - data.atnums).max() > 0.5:
        raise UserInputError(
            "the wavefunction was made with effective core potentials.",
            where=Path(path).name,
            why="The core electrons are not in its density, and they scatter.",
            next="Use an all-electron basis set.",
        )
    return data


def _reason(problem: Exception) -> str:
    """What IOData says, without the folder of this computer, and what it missed."""
    if isinstance(problem, FileFormatError):
        return "Neither its ending nor its first lines are those of a format that is read."
    if isinstance(problem.__cause__, KeyError):
        return f"It has no section '{problem.__cause__.args[0]}'."
    said = str(problem.args[0] if problem.args else problem).split("\n")[0]
    line = getattr(problem, "lineno", None)
    return f"{said} It is line {line}." if line else said


def _loaded(path: str) -> IOData:
    """What IOData reads. It goes by endings in small letters and knows no exponents with D, which Turbomole writes in .molden files."""
    content = Path(path).read_bytes()
    kind = _kind(path, content[:4000].decode("latin-1").lower())
    if kind != "molden" or not _D_EXPONENT.search(content):
        return load_one(path, fmt=kind)
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / Path(path).name
        changed.write_bytes(_D_EXPONENT.sub(rb"\1E\2", content))
        return load_one(str(changed), fmt=kind)


def _kind(path: str, head: str) -> str | None:
    """Name of the format for IOData by the first lines of a file, else by its ending; None for others."""
    for sign, kind in _SIGNS.items():
        if sign in head:
            return kind
    return _ENDINGS.get(Path(path).suffix.lower())


def _refuse_other_spin(data: IOData, molecule: MoleculeInput, name: str) -> None:
    """Raises UserInputError where the file states its unpaired electrons, and the molecule has others."""
    if data.mo is None or data.mo.kind not in ("restricted", "unrestricted"):
        return
    occupied = data.mo.occs
    if np.abs(occupied - np.rint(occupied)).max() > _ELECTRONS_OFF:
        return  # natural orbitals say nothing about the spin
    found, expected = round(abs(data.mo.spinpol)), molecule.multiplicity - 1
    if found != expected:
        raise UserInputError(
            f"the wavefunction has {found} unpaired electrons, and {molecule.formula} with multiplicity {molecule.multiplicity} "
            f"has {expected}.",
            where=name,
            why="It was made for another spin state.",
            next=f"Compute it with multiplicity {molecule.multiplicity}; if that of the crystal's molecule is wrong, give it with "
            f"multiplicities, for example multiplicities='1: {found + 1}'.",
        )


def _refuse_other_electrons(data: IOData, molecule: MoleculeInput, name: str) -> None:
    """A .molden or .wfn file does not say that it has core potentials: it has too few electrons."""
    found, expected = _electrons(data), float(sum(data.atnums) - molecule.charge)
    if abs(found - expected) > _ELECTRONS_OFF:
        raise UserInputError(
            f"the wavefunction has {found:g} electrons, and {molecule.formula} with charge {molecule.charge:+d} has {expected:g}.",
            where=name,
            why="It was made for another charge, or with effective core potentials, whose electrons are not in its density.",
            next="Use an all-electron basis set; if it is the charge of the crystal's molecule that is wrong, give it with "
            "charges, for example charges='1: +1'.",
        )


def refuse_lost_electrons(found: float, molecule: MoleculeInput, path: str) -> None:
    """Raises UserInputError where the density does not have the electrons of the occupations. found: its integral."""
    expected = sum(gto.charge(symbol) for symbol in molecule.symbols) - molecule.charge
    if abs(found - expected) > _ELECTRONS_LOST * expected:
        raise UserInputError(
            f"the density of the wavefunction has {found:.2f} electrons, and its orbitals have {expected:g}.",
            where=Path(path).name,
            why="The orbitals are not normalised as they stand in the file, or its basis functions are of another kind than its format says.",
            next="Write the file again, or in another of the formats: .fchk, .molden, .wfn, .wfx or .mkl.",
        )


def density_matrix(data: IOData) -> Array:
    """Spin-summed density matrix in the basis of the file; post-SCF ones first."""
    for name in ("post_scf_ao", "post_scf", "scf"):
        if data.one_rdms and name in data.one_rdms:
            return np.asarray(data.one_rdms[name])
    occupied = data.mo.coeffs * data.mo.occs
    return occupied @ data.mo.coeffs.T


def _electrons(data: IOData) -> float:
    return float(data.mo.occs.sum()) if data.mo is not None else float(data.nelec)


def overlay(symbols: list[str], positions: Array, wanted: list[str], target: Array) -> Overlay:
    """The best match of two sets of atoms: in the order given, else by their distances to all others."""
    best: Overlay | None = None
    for order in _orders(symbols, positions, wanted, target):
        rotation, apart = _rotation(positions[order], target)
        if best is None or apart < best.apart:
            best = Overlay(order, rotation, apart)
        if best.apart < 0.02:
            break
    assert best is not None
    return best


def _orders(symbols: list[str], positions: Array, wanted: list[str], target: Array) -> list[Indices]:
    orders = []
    if symbols == wanted:
        orders.append(np.arange(len(symbols)))
    here, there = _signature(symbols, positions), _signature(wanted, target)
    cost = np.linalg.norm(there[:, None] - here[None], axis=2)
    different = np.array(wanted)[:, None] != np.array(symbols)[None]
    orders.append(linear_sum_assignment(cost + 1e6 * different)[1])
    return orders


def _signature(symbols: list[str], positions: Array) -> Array:
    """For each atom its distances to the others, sorted, those to heavy atoms first: equal for equal surroundings."""
    distance = np.linalg.norm(positions[:, None] - positions, axis=2)
    heavy = np.array([s != "H" for s in symbols])
    parts = [np.sort(distance[:, heavy], axis=1), 0.1 * np.sort(distance[:, ~heavy], axis=1)]
    return np.concatenate(parts, axis=1)


def _rotation(positions: Array, target: Array) -> tuple[Array, float]:
    """Proper rotation that lays centred positions over the target, and the r.m.s. distance that is left."""
    a, b = positions - positions.mean(axis=0), target - target.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    sign = np.sign(np.linalg.det(vt.T @ u.T))
    rotation = vt.T @ np.diag([1, 1, sign]) @ u.T
    return rotation, float(np.sqrt(((a @ rotation.T - b) ** 2).sum(axis=1).mean()))


def _formula(symbols: list[str]) -> str:
    return MoleculeInput(symbols, np.zeros((len(symbols), 3))).formula
