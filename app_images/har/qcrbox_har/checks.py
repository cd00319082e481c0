"""What is wrong with a structure before anything is computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.language import listed

# Longest bonds, Å, by which an atom with one neighbour has no hydrogen: carbon of C≡N, C≡O and acetylides, nitrogen of nitriles
# and azides, oxygen of C=O and carbonates.
_COMPLETE_C, _COMPLETE_N, _COMPLETE_O = 1.19, 1.25, 1.33
# Degrees: two bonds of an sp carbon, and the sum of the angles between three bonds in a plane.
_STRAIGHT, _PLANAR = 160.0, 350.0


def refuse_without_hydrogen(structure: Structure, *, were_placed: bool = False) -> list[str]:
    """Raise UserInputError if a structure with carbon has no hydrogen atoms, and its formula or its bonds say that some are missing.

    were_placed: those that were missing were to be added. A note says it where there are none in this crystal (diamond, carbonates, CCl4).
    """
    sites = structure.sites
    if "C" not in sites.element or sites.is_hydrogen.any():
        return []
    lacking = [] if were_placed else _lacking_hydrogen(structure)
    if not lacking:
        return ["No hydrogen atoms: none seem to be missing, and the crystal is computed as it is."]
    raise UserInputError(
        "the structure has no hydrogen atoms.",
        why=f"Some are missing, by {listed(lacking, 6)}: the molecules are incomplete and their wavefunctions wrong.",
        next="Let refine_har add them: missing_hydrogens='place' (a crystal that has none is refined as it is then); or add them "
        "with refine_iam.",
    )


def _lacking_hydrogen(structure: Structure) -> list[str]:
    """What says that hydrogen is missing: the formula, and labels of the C, N and O whose bonds leave a valence open."""
    stated = parse_formula(structure.formula_sum)
    sites, lacking = structure.sites, ["the formula"] if {"H", "D"} & stated.keys() else []
    edges, images = structure.edges, structure.images
    for row, element in enumerate(sites.element):
        if element not in ("C", "N", "O") or not np.isfinite(sites.fract[row]).all():
            continue
        rows = edges.of(row)
        ends = images.cartesian_of(edges.second[rows], edges.operation[rows], edges.translation[rows])
        if _is_open(element, ends - images.cartesian[row], {sites.element[i] for i in edges.second[rows]}):
            lacking.append(sites.label[row])
    return lacking


def _is_open(element: str, bonds: NDArray[np.float64], neighbours: set[str]) -> bool:
    """Whether an atom with these bonds (n, 3), Å, has room for hydrogen. On nitrogen with two or three bonds it is not seen."""
    count = len(bonds)
    length = np.linalg.norm(bonds, axis=1)
    if count == 0:
        return True
    if element == "N":
        return count == 1 and length[0] > _COMPLETE_N
    if element == "O":
        return count == 1 and neighbours == {"C"} and length[0] > _COMPLETE_O
    if count == 1:
        return bool(length[0] > _COMPLETE_C)
    directions = bonds / length[:, None]
    first, second = np.triu_indices(count, 1)
    angles = np.degrees(np.arccos(np.clip((directions[first] * directions[second]).sum(axis=1), -1, 1)))
    return bool((count == 2 and angles[0] < _STRAIGHT) or (count == 3 and angles.sum() < _PLANAR))


def refuse_ambiguous_labels(structure: Structure) -> None:
    """Raise UserInputError if two atoms have one label: a table of form factors knows them by nothing else."""
    seen: set[str] = set()
    for label in structure.sites.label:
        if label.upper() in seen:
            raise UserInputError(
                f"two atoms are called {label}.",
                where="_atom_site_label",
                why="A table of form factors knows atoms by their labels, without case.",
                next=f"Rename one of them, for example edits='rename {label} {label}X' of edit_model.",
            )
        seen.add(label.upper())


def without_coordinates(structure: Structure) -> list[str]:
    """A note on the atoms that stand in the file without coordinates; empty where there are none."""
    sites = structure.sites
    missing = [label for label, x in zip(sites.label, sites.fract, strict=True) if not np.isfinite(x).all()]
    return [f"Left out, since they have no coordinates: {', '.join(missing)}."] if missing else []
