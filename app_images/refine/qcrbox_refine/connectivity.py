"""Which atoms are bonded, and which atoms stand in for each other in disorder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import smtbx.utils
from cctbx import sgtbx, uctbx, xray
from qcrbox.crystallography.nearest import nearest_vectors
from scitbx.array_family import flex

from qcrbox_refine.bond_instructions import change_bonds
from qcrbox_refine.model import Model
from qcrbox_refine.parameters import UNSTATED

# Sites nearer than this are one site shared by two elements; alternatives of one atom are nearer than 1 Å.
SHARED_SITE = 0.05
ALTERNATIVE = 1.0


@dataclass
class Neighbour:
    """index: of the bonded atom; symmetry: what brings it to the pivot; site: Cartesian, Å."""

    index: int
    symmetry: sgtbx.rt_mx
    site: np.ndarray
    distance: float


def connectivity_table(model: Model, structure: xray.structure) -> smtbx.utils.connectivity_table:
    """Bonds by radii, disorder and the instructions CONN, BIND and FREE of the model."""
    table = smtbx.utils.connectivity_table(structure, conformer_indices=flex.size_t(model.conformers()))
    change_bonds(model, structure, table)
    return table


def neighbours(
    model: Model, structure: xray.structure, connectivity: smtbx.utils.connectivity_table | None = None
) -> list[list[Neighbour]]:
    """For each atom what it is bonded to, nearest first. Atoms of other conformers do not count."""
    cell = structure.unit_cell()
    sites = structure.sites_frac()
    connectivity = connectivity or connectivity_table(model, structure)
    table = connectivity.pair_asu_table.extract_pair_sym_table(
        skip_j_seq_less_than_i_seq=False, all_interactions_from_inside_asu=True
    )
    result = []
    for i in range(len(model.atoms)):
        pivot = np.array(cell.orthogonalize(sites[i]))
        found = []
        for j, operations in table[i].items():
            for operation in operations:
                site = np.array(cell.orthogonalize(operation * sites[j]))
                found.append(Neighbour(j, operation, site, float(np.linalg.norm(site - pivot))))
        result.append(sorted(found, key=lambda bond: bond.distance))
    return result


def distance(model: Model, first: int, second: int) -> float:
    """Shortest distance of two atoms over all symmetry, in Å."""
    images = [operation * model.atoms[second].site for operation in model.symmetry.space_group()]
    metric = metric_tensor(model.symmetry.unit_cell())
    away = nearest_vectors(np.array(images) - np.array(model.atoms[first].site), metric)
    return float(np.sqrt(np.einsum("ni,ij,nj->n", away, metric, away).min()))


def metric_tensor(cell: uctbx.unit_cell) -> np.ndarray:
    """(3, 3) tensor G in Å²."""
    aa, bb, cc, ab, ac, bc = cell.metrical_matrix()
    return np.array([[aa, ab, ac], [ab, bb, bc], [ac, bc, cc]])


def assign_alternatives(model: Model) -> None:
    """Give disorder groups to partial atoms that stand in for each other and have none.

    Two partial atoms within 1 Å whose occupancies add up to 1 are alternatives: they get one assembly and
    the groups 1 and 2. Atoms that have a disorder group already are left alone.
    """
    partial = [
        i
        for i, atom in enumerate(model.atoms)
        if atom.occupancy < 0.999 and not atom.is_hydrogen and not atom.part
    ]
    taken: set[int] = set()
    used = {atom.assembly for atom in model.atoms}
    letters = (letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in used)
    by_occupancy: dict[float, str] = {}
    for i in partial:
        for j in partial:
            if j <= i or i in taken or j in taken:
                continue
            first, second = model.atoms[i], model.atoms[j]
            if abs(first.occupancy + second.occupancy - 1) > 0.01 or distance(model, i, j) > ALTERNATIVE:
                continue
            major, minor = (first, second) if first.occupancy >= second.occupancy else (second, first)
            key = round(major.occupancy, 3)
            if key not in by_occupancy:
                by_occupancy[key] = next(letters, "Z")
            major.part, minor.part = 1, 2
            major.assembly = minor.assembly = by_occupancy[key]
            taken |= {i, j}
            model.note(
                f"{major.label} and {minor.label} ({major.occupancy:.3f}/{minor.occupancy:.3f}) are taken as "
                "alternatives: disorder groups 1 and 2."
            )


def shared_sites(model: Model) -> list[list[int]]:
    """Groups of atoms that lie on one site (mixed occupancy), where the input does not say how they are refined."""
    partial = [
        i
        for i, atom in enumerate(model.atoms)
        if atom.occupancy < 0.999 and not atom.is_hydrogen and atom.occupancy_coding == UNSTATED
    ]
    groups: list[list[int]] = []
    for i in partial:
        for group in groups:
            if distance(model, group[0], i) < SHARED_SITE:
                group.append(i)
                break
        else:
            groups.append([i])
    return [group for group in groups if len(group) > 1]


def occupancy_pairs(model: Model) -> list[tuple[list[int], list[int]]]:
    """Disorder in two groups whose occupancies add up to 1: (atoms of the first, atoms of the second).

    Atoms whose occupancy is fixed or tied by the input are left out.
    """
    assemblies: dict[str, list[int]] = {}
    for i, atom in enumerate(model.atoms):
        if atom.part > 0 and atom.occupancy < 0.9999 and atom.occupancy_coding == UNSTATED:
            assemblies.setdefault(atom.assembly, []).append(i)
    pairs = []
    for indices in assemblies.values():
        for alike in _alike(model, indices):
            groups: dict[int, list[int]] = {}
            for i in alike:
                groups.setdefault(model.atoms[i].part, []).append(i)
            if len(groups) != 2:
                continue
            first, second = (groups[part] for part in sorted(groups))
            p, q = (model.atoms[group[0]].occupancy for group in (first, second))
            sides = [(i, p) for i in first] + [(i, q) for i in second]
            if abs(p + q - 1) < 0.02 and all(
                abs(model.atoms[i].occupancy - side) < 0.01 for i, side in sides
            ):
                pairs.append((first, second))
    return pairs


def _alike(model: Model, indices: list[int]) -> list[list[int]]:
    """Atoms of an assembly by the larger one of occupancy and 1 - occupancy: a file without assemblies has independent
    disorders in the same groups, 0.65/0.35 here and 0.80/0.20 there.
    """
    found: list[list[int]] = []
    for i in indices:
        major = max(model.atoms[i].occupancy, 1 - model.atoms[i].occupancy)
        for group in found:
            first = model.atoms[group[0]].occupancy
            if abs(max(first, 1 - first) - major) < 0.01:
                group.append(i)
                break
        else:
            found.append([i])
    return found
