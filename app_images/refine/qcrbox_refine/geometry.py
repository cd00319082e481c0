"""Bonds, angles and hydrogen bonds with s.u. from the full covariance matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from cctbx import crystal, sgtbx
from cctbx.array_family import flex

from qcrbox_refine.angles import bond_angles
from qcrbox_refine.cif_block import with_su
from qcrbox_refine.fit import Fit
from qcrbox_refine.hydrogen_bonds import hydrogen_bonds
from qcrbox_refine.model import Model
from qcrbox_refine.site_errors import SiteErrors


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
    errors = site_errors(fit)
    info = sgtbx.space_group_info(group=structure.space_group())
    labels = [atom.label for atom in fit.model.atoms]
    hydrogen = {i for i, atom in enumerate(fit.model.atoms) if atom.is_hydrogen}
    riding = {i for i, atom in enumerate(fit.model.atoms) if atom.riding}

    def code(operation: sgtbx.rt_mx) -> str:
        text = info.cif_symmetry_code(operation)
        return "." if text == "1" else text

    bonds = []
    for d in crystal.calculate_distances(table, structure.sites_frac()):
        if d.i_seq in hydrogen and d.j_seq in hydrogen:
            continue
        first, second = (
            (d.j_seq, d.i_seq) if d.i_seq in hydrogen and d.rt_mx_ji.is_unit_mx() else (d.i_seq, d.j_seq)
        )
        _, variance = errors.distance(d.i_seq, d.j_seq, d.rt_mx_ji)
        su = None if {first, second} & riding else math.sqrt(max(variance, 0))
        bonds.append([labels[first], labels[second], with_su(d.distance, su, 4), code(d.rt_mx_ji), "?"])
    angles = []
    for angle in bond_angles(table, fit.model.conformers(), errors):
        j, i, k = angle.atoms
        if i in hydrogen:
            continue
        su = None if {j, k} & riding else math.sqrt(max(angle.variance, 0))
        places = [code(angle.to_first), code(angle.to_last)]
        angles.append([labels[j], labels[i], labels[k], with_su(angle.degrees, su, 1), *places, "?"])
    return Geometry(bonds, angles, hydrogen_bonds(fit, errors, code))


def site_errors(fit: Fit) -> SiteErrors:
    """Covariances of the sites of a fit."""
    structure = fit.parametrisation.structure
    return SiteErrors(
        structure.unit_cell(),
        structure.sites_frac(),
        fit.covariance,
        cell_covariance(fit),
        structure.parameter_map(),
        frozenset(i for i, atom in enumerate(fit.model.atoms) if atom.group is not None or atom.riding),
    )


def cell_covariance(fit: Fit) -> flex.double | None:
    """Packed 6 × 6 covariance of the cell (Å, degrees); None when no s.u. are known."""
    matrix = cell_covariances(fit.model)
    if not matrix.any():
        return None
    return flex.double([float(matrix[i, j]) for i in range(6) for j in range(i, 6)])


def cell_covariances(model: Model) -> np.ndarray:
    """Covariance (6, 6) of the cell (Å, degrees). Of parameters that symmetry makes equal the s.u. of one holds for all."""
    correlation, su = cell_correlation(model), np.array(model.cell_su)
    su = np.where(su > 0, su, (correlation * su).max(axis=1))
    return correlation * np.outer(su, su)


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
