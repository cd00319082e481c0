"""A unit cell as one system of electrons: its atoms, its mesh of k points, and what cannot be computed that way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.elements import is_metal
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.language import listed
from scipy.spatial import cKDTree

from qcrbox_har.method import Method
from qcrbox_har.molecules import Molecule, Plan, Source, chosen_images
from qcrbox_har.options import Options, choose_method

Array = NDArray[np.float64]
FUNCTIONALS = {"auto": "PBE", "pbe": "PBE", "lda": "LDA", "rpbe": "RPBE", "revpbe": "revPBE"}
CUTOFF_EV = 600.0
# Wavefunctions of an insulator repeat within this length; those of a metal, whose bands are partly filled, do not.
_EXTENT_A, _EXTENT_OF_METALS_A = 12.0, 36.0
_FULL = 0.999
# Atoms of the unit cell by which a formula that was rounded may differ.
_FEW = 0.3


def plan(structure: Structure, spherical: set[int]) -> Plan:
    """All atoms of the unit cell as one molecule without charge.

    Raises UserInputError for disorder, sites that are partly filled, atoms that overlap, and a formula with hydrogen that the model
    has not.
    """
    sites = structure.sites
    atoms = np.flatnonzero(sites.is_atom)
    _refuse_disorder(structure, atoms)
    # A place on the face of the cell would be found at both ends.
    images = structure.images.in_box(np.zeros(3), np.full(3, 1.0), atoms)
    inside = (images.fract < 1.0 - 1e-6).all(axis=1)
    site = images.site[inside]
    cell = Molecule(
        number=1,
        symbols=["H" if sites.element[row] == "D" else sites.element[row] for row in site],
        labels=[sites.label[row] for row in site],
        site=site,
        operation=images.operation[inside],
        translation=images.translation[inside],
        bonds=np.zeros((0, 2), np.int64),
        copies=1.0,
        places=1.0,
        charge_source="a crystal is neutral",
    )
    _refuse_overlap(structure, cell)
    doubts = _incomplete(structure, cell)
    sources = {
        row: [Source(0, atom, 1.0)] for row, atom in chosen_images(structure, cell) if row not in spherical
    }
    return Plan([cell], sources, sorted(set(atoms.tolist()) - sources.keys()), doubts=doubts)


def method(options: Options, symbols: set[str]) -> Method:
    """The level of theory; the basis set is that of the free atoms of the partition."""
    _refuse_options(options)
    known = FUNCTIONALS.get(options.functional.lower())
    if known is None:
        raise UserInputError(
            f"a periodic density cannot be computed with {options.functional!r}.",
            where="functional",
            why="GPAW has atomic data for some functionals without exact exchange only.",
            next=f"Choose {', '.join(FUNCTIONALS)}, or density='molecules'.",
        )
    # Its free atoms are small: the larger basis sets, as for molecules of few atoms.
    chosen = choose_method(options, symbols, largest=1)
    return Method(
        known.lower(), chosen.basis, relativistic=True, conv_tol=chosen.conv_tol, cutoff_ev=CUTOFF_EV
    )


def request(
    structure: Structure, molecule: Molecule, at: Method, positions: Array, mesh: tuple[int, int, int]
) -> dict[str, Any]:
    """What `gpaw_program` is asked. positions (n, 3) in Å; mesh: of `kpoints`."""
    return {
        "cell": structure.cell.orthogonalisation.T.tolist(),
        "symbols": molecule.symbols,
        "fractional": structure.cell.to_fractional(positions).tolist(),
        "cutoff_ev": at.cutoff_ev,
        "kpoints": list(mesh),
        "functional": FUNCTIONALS[at.functional],
        "unpaired": molecule.multiplicity - 1,
        # For each valence electron; 1e-5 where nothing else is asked for.
        "tolerance": float(np.clip(10 * at.conv_tol, 1e-7, 1e-3)),
    }


def is_metallic(symbols: list[str]) -> bool:
    """Whether a crystal of these elements is a metal for sure."""
    return all(is_metal(symbol) for symbol in symbols)


def kpoints(structure: Structure, *, conducts: bool) -> tuple[int, int, int]:
    """Points of the mesh along the reciprocal axes; it includes the centre of the zone. conducts: whether bands are partly filled."""
    extent = _EXTENT_OF_METALS_A if conducts else _EXTENT_A
    # Rows of the fractionalisation are the reciprocal axes, 1/Å.
    lengths = np.linalg.norm(structure.cell.fractionalisation, axis=1)
    a, b, c = (max(int(np.ceil(extent * length - 1e-9)), 1) for length in lengths)
    return a, b, c


def mesh_in_words(mesh: Sequence[int]) -> str:
    """A mesh of k points as it is written: "4 x 4 x 2"."""
    return " x ".join(map(str, mesh))


def irreducible(structure: Structure, mesh: tuple[int, int, int]) -> int:
    """Points of the mesh that symmetry and time reversal leave apart."""
    size = np.array(mesh)
    points = np.array(list(product(*map(range, mesh))))
    name = np.array([size[1] * size[2], size[2], 1])
    smallest = points @ name
    for rotation in structure.space_group.rotations:
        for sign in (1, -1):
            moved = sign * (points / size) @ rotation * size
            whole = np.rint(moved).astype(int)
            if np.abs(moved - whole).max() < 1e-6:
                smallest = np.minimum(smallest, (whole % size) @ name)
    return len(np.unique(smallest))


def refuse_undeclared_spin(cell: Molecule) -> None:
    """Raises UserInputError for a crystal whose bands are partly filled, unless its multiplicity was declared.

    That is how a conductor looks, and how an insulator does whose unpaired electrons were computed as pairs.
    """
    if cell.is_spin_declared:
        return
    raise UserInputError(
        f"bands of this crystal, {cell.formula}, are partly filled.",
        where="multiplicities",
        why="It conducts, or it has unpaired electrons that were computed as pairs, whose form factors are wrong.",
        next="Declare the multiplicity of the unit cell: multiplicities='1: 1' for a conductor without unpaired electrons (its k points are "
        "made dense then), or all spins parallel, '1: 3' for two unpaired electrons.",
    )


def _incomplete(structure: Structure, cell: Molecule) -> list[str]:
    """A doubt about atoms of the formula that are not in the cell. Raises UserInputError when that is all of its hydrogen."""
    stated: dict[str, float] = {}
    for symbol, number in parse_formula(structure.formula_sum).items():
        name = "H" if symbol in ("D", "T") else symbol
        stated[name] = stated.get(name, 0.0) + number
    present = Counter(cell.symbols)
    units = max((present[name] / number for name, number in stated.items() if number), default=0.0)
    absent = {name: number * units - present[name] for name, number in stated.items()}
    if absent.get("H", 0.0) > _FEW and not present["H"]:
        raise UserInputError(
            f"the formula, {structure.formula_sum}, has hydrogen, and the model has none.",
            where="density",
            why="The density of a crystal is that of all its atoms: electrons that are missing make the others move.",
            next="Add the hydrogen atoms, for example with missing_hydrogens='place'; or correct _chemical_formula_sum.",
        )
    lacking = [f"{number:.3g} {name}" for name, number in absent.items() if number > _FEW]
    if not lacking:
        return []
    return [
        f"The unit cell of the model lacks {listed(lacking)} of its formula, {structure.formula_sum}. The density is that of the atoms "
        "that are there."
    ]


def _refuse_disorder(structure: Structure, atoms: NDArray[np.int64]) -> None:
    sites = structure.sites
    partly = [i for i in atoms.tolist() if sites.group[i] != 0 or float(sites.occupancy[i]) < _FULL]
    if not partly:
        return
    labels = ", ".join(sites.label[i] for i in partly[:6])
    raise UserInputError(
        f"this crystal is disordered: {labels}{', ...' if len(partly) > 6 else ''}.",
        where="density",
        why="A periodic density repeats one and the same unit cell, in which every atom is there or not.",
        next="Use density='molecules', which computes one wavefunction for each conformer; or refine a model of one part alone.",
    )


def _refuse_overlap(structure: Structure, cell: Molecule) -> None:
    fract = cell.fract(structure)
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    every = structure.cell.to_cartesian((fract[:, None] + shifts).reshape(-1, 3))
    own = structure.cell.to_cartesian(fract)
    distance, row = cKDTree(every).query(own, k=2)
    if distance[:, 1].min() >= 0.55:
        return
    atom = int(distance[:, 1].argmin())
    other = int(row[atom, 1]) // len(shifts)
    raise UserInputError(
        f"{cell.labels[atom]} and {cell.labels[other]} are {distance[atom, 1]:.2f} Å apart.",
        where="density",
        why="They overlap, so they are alternatives of a disorder, and a periodic density repeats one and the same unit cell.",
        next="Use density='molecules' with disorder groups, or remove one of them with edits.",
    )


def _refuse_options(options: Options) -> None:
    """Options that say how molecules are treated, and have no meaning for a crystal as a whole."""
    for name, value, usual in (
        ("partition", options.partition, ("hirshfeld",)),
        ("crystal_field", options.crystal_field, ("isolated",)),
        ("wavefunction", options.wavefunction or "", ("",)),
        ("charges", options.charges, ("",)),
        ("fragments", options.fragments, ("auto", "off")),
        ("relativistic", options.relativistic, ("auto", "yes")),
    ):
        if value not in usual:
            raise UserInputError(
                f"{name}={str(value)!r} does not go with density='periodic'.",
                where=name,
                why=_WHY[name],
                next=f"Leave {name} out, or choose density='molecules'.",
            )


_WHY = {
    "partition": "Of a periodic density, Hirshfeld atoms are made only.",
    "crystal_field": "The density of the whole crystal has the field of all neighbours in it.",
    "wavefunction": "The file holds the wavefunction of a molecule.",
    "charges": "The crystal is neutral as a whole, and how its electrons spread over its parts is a result.",
    "fragments": "The crystal is computed whole.",
    "relativistic": "The atomic data of GPAW are scalar relativistic.",
}
