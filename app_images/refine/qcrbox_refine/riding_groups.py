"""Geometry of riding hydrogen atoms that no AFIX instruction gives one: by their surroundings."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from qcrbox_refine.connectivity import Neighbour, neighbours
from qcrbox_refine.model import AfixGroup, Atom, Model
from qcrbox_refine.riding import distance_to_hydrogen

# X-H distances nearer than this (Å) to SHELXL's are SHELXL's.
_SAME_DISTANCE = 0.015


def assign_riding_groups(model: Model) -> None:
    """Give riding hydrogen atoms without an AFIX code the one their surroundings ask for.

    Atoms without a known geometry are set free and noted.
    """
    waiting = [i for i, atom in enumerate(model.atoms) if atom.riding and atom.group is None]
    if not waiting:
        return
    bonds = neighbours(model, model.structure())
    by_pivot: dict[tuple[int, int], list[int]] = {}
    kept: list[str] = []
    for i in waiting:
        atom = model.atoms[i]
        heavy = [bond for bond in bonds[i] if not model.atoms[bond.index].is_hydrogen]
        if not heavy or not heavy[0].symmetry.is_unit_mx():
            atom.release()
            model.note(f"{atom.label} has no bonded atom in the list beside it and is refined freely.")
            continue
        by_pivot.setdefault((heavy[0].index, atom.part), []).append(i)
    for (pivot, part), members in by_pivot.items():
        parents = parents_of(model, pivot, bonds, part, members)
        code = _afix(model, pivot, len(members), len(parents))
        atoms = [model.atoms[i] for i in members]
        if code is None:
            for atom in atoms:
                atom.release()
            names = ", ".join(atom.label for atom in atoms)
            model.note(f"{names} on {model.atoms[pivot].label}: no riding geometry known, refined freely.")
            continue
        group = AfixGroup(code // 10, code % 10, pivot=model.atoms[pivot])
        group.distance = _listed_distance(model, group, members, bonds)
        if group.distance:
            kept.append(f"{', '.join(atom.label for atom in atoms)} {group.distance:g} Å")
        anisotropic = [atom.label for atom in atoms if atom.u_aniso is not None]
        if anisotropic:
            model.note(
                f"{', '.join(anisotropic)}: riding, so refined with isotropic displacement parameters."
            )
        for atom in atoms:
            atom.group, atom.u_aniso = group, None
            atom.u_factor = _listed_factor(atom, model.atoms[pivot], 1.5 if code in (137, 147) else 1.2)
            atom.u_pivot = model.atoms[pivot]
    if kept:
        model.note(f"Riding hydrogen atoms keep the distances of the file: {'; '.join(kept)}.")


def _listed_distance(
    model: Model, group: AfixGroup, members: list[int], bonds: list[list[Neighbour]]
) -> float | None:
    """X-H of the file where it is not SHELXL's; None for SHELXL's."""
    assert group.pivot is not None
    usual = distance_to_hydrogen(group.pivot.symbol, group.m, model.riding_temperature_k)
    if usual is None or not all(model.atoms[i].as_listed for i in members):
        return None
    found = float(np.mean([bonds[i][0].distance for i in members]))
    return round(found, 3) if abs(found - usual) > _SAME_DISTANCE else None


def _listed_factor(atom: Atom, pivot: Atom, usual: float) -> float:
    """U(H) / U(eq) of the file where it is not the usual ratio within the three decimals that U(H) is written with."""
    ratio = atom.u_iso / pivot.u_iso if pivot.u_iso > 0 else usual
    unusual = abs(atom.u_iso - usual * pivot.u_iso) > 0.0015 and 0.8 < ratio < 3
    return round(ratio, 2) if atom.as_listed and atom.u_stated and unusual else usual


def _afix(model: Model, pivot: int, n_hydrogen: int, n_parents: int) -> int | None:
    element = model.atoms[pivot].symbol
    if element in ("O", "S"):
        return 147 if (n_hydrogen, n_parents) == (1, 1) else None
    if element not in ("C", "N", "B"):
        return None
    known = {(1, 3): 13, (2, 2): 23, (1, 2): 43, (2, 1): 93, (3, 1): 137}
    if element == "C":
        known[(1, 1)] = 163
    code = known.get((n_hydrogen, n_parents))
    return None if element == "B" and code != 13 else code


def parents_of(
    model: Model, pivot: int, bonds: list[list[Neighbour]], part: int, riding: Iterable[int]
) -> list[Neighbour]:
    """Bonds of a pivot as its riding atoms of one part see them, shortest first."""
    riding = set(riding)
    return [
        bond
        for bond in bonds[pivot]
        if bond.index not in riding
        and not (model.atoms[bond.index].is_hydrogen and model.atoms[bond.index].riding)
        and not model.atoms[bond.index].is_hydrogen
        and (part == 0 or model.atoms[bond.index].part in (0, part))
    ]
