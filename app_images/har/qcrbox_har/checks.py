"""What is wrong with a structure before anything is computed."""

from __future__ import annotations

import numpy as np
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure


def refuse_without_hydrogen(structure: Structure, *, were_placed: bool = False) -> list[str]:
    """Raise UserInputError if an organic structure has no hydrogen atoms.

    were_placed: those that were missing were to be added; then there are none in this crystal (carbonates, CCl4), and a note
    says so.
    """
    sites = structure.sites
    if "C" not in sites.element or sites.is_hydrogen.any():
        return []
    if were_placed:
        return ["No hydrogen atoms: none seem to be missing, and the molecules are computed as they are."]
    raise UserInputError(
        "the structure has no hydrogen atoms.",
        why="Without them the molecules are incomplete and their wavefunctions wrong.",
        next="Let refine_har add them: missing_hydrogens='place' (a crystal that has none is refined as it is then); or add them "
        "with refine_iam.",
    )


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
