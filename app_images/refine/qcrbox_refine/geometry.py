"""Bonds, angles and hydrogen bonds with s.u. from the full covariance matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from cctbx import crystal, sgtbx
from cctbx.array_family import flex

from qcrbox_refine.angles import Errors, bond_angles
from qcrbox_refine.cif_block import with_su
from qcrbox_refine.connectivity import Neighbour, neighbours
from qcrbox_refine.least_squares import Fit
from qcrbox_refine.model import Model

_ACCEPTORS = ("N", "O", "F", "Cl", "Br", "S")


@dataclass
class Geometry:
    """Rows of the three CIF loops, texts ready to write; symmetry codes as in CIF, `.` for none."""

    bonds: list[list[str]]
    angles: list[list[str]]
    hydrogen_bonds: list[list[str]]


def geometry(fit: Fit) -> Geometry:
    """All bonds and angles of the asymmetric unit. Cell s.u. count as independent of each other."""
    structure = fit.parametrisation.structure
    made = fit.parametrisation.reparametrisation
    table = made.connectivity_table.pair_asu_table
    options = {
        "covariance_matrix": fit.covariance,
        "cell_covariance_matrix": cell_covariance(fit),
        "parameter_map": structure.parameter_map(),
    }
    sites = structure.sites_frac()
    info = sgtbx.space_group_info(group=structure.space_group())
    labels = [atom.label for atom in fit.model.atoms]
    hydrogen = {i for i, atom in enumerate(fit.model.atoms) if atom.is_hydrogen}
    riding = {i for i, atom in enumerate(fit.model.atoms) if atom.riding}

    def code(operation: sgtbx.rt_mx) -> str:
        text = info.cif_symmetry_code(operation)
        return "." if text == "1" else text

    bonds = []
    for d in crystal.calculate_distances(table, sites, **options):
        if d.i_seq in hydrogen and d.j_seq in hydrogen:
            continue
        first, second = (
            (d.j_seq, d.i_seq) if d.i_seq in hydrogen and d.rt_mx_ji.is_unit_mx() else (d.i_seq, d.j_seq)
        )
        su = None if {first, second} & riding else math.sqrt(max(d.variance or 0, 0))
        bonds.append([labels[first], labels[second], with_su(d.distance, su, 4), code(d.rt_mx_ji), "?"])
    angles = []
    errors = Errors(options["covariance_matrix"], options["cell_covariance_matrix"], options["parameter_map"])
    for angle in bond_angles(table, sites, fit.model.conformers()[0], errors):
        j, i, k = angle.atoms
        if i in hydrogen:
            continue
        su = None if {j, k} & riding else math.sqrt(max(angle.variance, 0))
        places = [code(angle.to_first), code(angle.to_last)]
        angles.append([labels[j], labels[i], labels[k], with_su(angle.degrees, su, 1), *places, "?"])
    return Geometry(bonds, angles, _hydrogen_bonds(fit, labels, code))


def cell_covariance(fit: Fit) -> flex.double | None:
    """Packed 6 × 6 covariance of the cell (Å, degrees); None when no s.u. are known."""
    su = np.array(fit.model.cell_su)
    if not su.any():
        return None
    matrix = cell_correlation(fit.model) * np.outer(su, su)
    return flex.double([float(matrix[i, j]) for i in range(6) for j in range(i, 6)])


def cell_correlation(model: Model) -> np.ndarray:
    """Correlation (6, 6) of the cell parameters: 1 between those that symmetry makes equal, 0 between others."""
    group, cell = model.symmetry.space_group(), model.symmetry.unit_cell().parameters()
    matrix = np.eye(6)
    if group.type().number() < 75:
        return matrix
    # On rhombohedral axes the angles are one parameter too.
    kinds = ((0, 1, 2), (3, 4, 5)) if group.type().number() < 195 else ((0, 1, 2),)
    for places in kinds:
        for i in places:
            for j in places:
                if abs(cell[i] - cell[j]) < 1e-4:
                    matrix[i, j] = 1.0
    return matrix


def _hydrogen_bonds(fit: Fit, labels: list[str], code: Callable[[sgtbx.rt_mx], str]) -> list[list[str]]:
    """D-H···A with H···A below 2.7 Å (3.0 for Cl, Br, S) and an angle above 120°; plain numbers.

    D has its own place. H and A are where this D has them: a listed H may be bonded to an image of the listed D.
    """
    atoms = fit.model.atoms
    structure = fit.parametrisation.structure
    donors = _donors(fit)
    if not donors:
        return []
    table = crystal.pair_asu_table(structure.asu_mappings(buffer_thickness=3.0))
    table.add_all_pairs(distance_cutoff=3.0)
    pairs = table.extract_pair_sym_table(
        skip_j_seq_less_than_i_seq=False, all_interactions_from_inside_asu=True
    )
    cell, sites = structure.unit_cell(), structure.sites_frac()
    rows = []
    for h, donor in donors.items():
        hydrogen = np.array(cell.orthogonalize(sites[h]))
        to_own_place = donor.symmetry.inverse()
        for a, operations in pairs[h].items():
            apart = atoms[a].part and atoms[h].part and atoms[a].part != atoms[h].part
            if atoms[a].symbol not in _ACCEPTORS or apart:
                continue
            for operation in operations:
                acceptor = np.array(cell.orthogonalize(operation * sites[a]))
                numbers = _distances_and_angle(donor.site, hydrogen, acceptor)
                if _is_hydrogen_bond(atoms[a].symbol, *numbers):
                    dh, ha, da, angle = numbers
                    named = [labels[donor.index], labels[h], labels[a]]
                    shown = [f"{dh:.2f}", f"{ha:.2f}", f"{da:.3f}", f"{angle:.0f}"]
                    places = [code(to_own_place), code(to_own_place.multiply(operation))]
                    rows.append([*named, *shown, *places])
    return rows


def _distances_and_angle(
    donor: np.ndarray, hydrogen: np.ndarray, acceptor: np.ndarray
) -> tuple[float, float, float, float]:
    """D-H, H···A and D···A in Å and the angle D-H···A in degrees, of Cartesian sites in Å."""
    to_acceptor, to_donor = acceptor - hydrogen, donor - hydrogen
    ha, dh, da = (float(np.linalg.norm(v)) for v in (to_acceptor, to_donor, acceptor - donor))
    cosine = to_acceptor @ to_donor / max(ha * dh, 1e-12)
    return dh, ha, da, math.degrees(math.acos(np.clip(cosine, -1, 1)))


def _is_hydrogen_bond(acceptor: str, dh: float, ha: float, da: float, angle: float) -> bool:
    limit = 3.0 if acceptor in ("Cl", "Br", "S") else 2.7
    return dh > 0 and ha < limit and angle > 120 and da > 2.2


def _donors(fit: Fit) -> dict[int, Neighbour]:
    """The nitrogen or oxygen atom, or its image, that each hydrogen atom is bonded to. Two candidates: the nearest."""
    made = fit.parametrisation.reparametrisation
    found = {}
    around = neighbours(fit.model, fit.parametrisation.structure, made.connectivity_table)
    for h, atom in enumerate(fit.model.atoms):
        if not atom.is_hydrogen:
            continue
        nearest = next((near for near in around[h] if not fit.model.atoms[near.index].is_hydrogen), None)
        if nearest is not None and fit.model.atoms[nearest.index].symbol in ("N", "O"):
            found[h] = nearest
    return found
