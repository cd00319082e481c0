"""Restraints and constraints as CIF loops: against distances by the metric tensor, cctbx's own rows, and a second reading."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from cctbx import adp_restraints
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.constraint_loop import add_constraint_loop, constraint_rows
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.restraint_loops import add_restraint_loops
from test_restraints import ATOMS, CLOSE, model_of

DISTANCE = "_restr_distance"


def fit_of(lines: str, atoms: str = ATOMS) -> SimpleNamespace:
    """What the writers ask of a fit: its model and its parametrisation."""
    model = model_of(lines, atoms)
    return SimpleNamespace(model=model, parametrisation=parametrise(model))


def block_of(lines: str, atoms: str = ATOMS) -> CifBlock:
    block = CifBlock("t")
    add_restraint_loops(block, fit_of(lines, atoms))
    return block


def rows_of(block: CifBlock, tag: str, *columns: str) -> list[tuple[str, ...]]:
    found = [block.column(f"{tag}_{column}") for column in columns]
    return list(zip(*found, strict=True)) if all(found) else []


def length(model, first: str, second: str) -> float:
    """By the metric tensor, apart from the code under test."""
    a, b, c, alpha, beta, gamma = model.symmetry.unit_cell().parameters()
    ca, cb, cg = np.cos(np.radians([alpha, beta, gamma]))
    metric = np.array(
        [[a * a, a * b * cg, a * c * cb], [a * b * cg, b * b, b * c * ca], [a * c * cb, b * c * ca, c * c]]
    )
    sites = {atom.label: np.array(atom.site) for atom in model.atoms}
    step = sites[first] - sites[second]
    return float(np.sqrt(step @ metric @ step))


def test_a_distance_has_target_s_u_and_what_is_left():
    fit = fit_of("DFIX 1.5 0.02 C1 C2")
    block = CifBlock("t")
    add_restraint_loops(block, fit)
    (row,) = rows_of(
        block, DISTANCE, "atom_site_label_1", "atom_site_label_2", "target", "target_weight_param", "diff"
    )
    assert row[:4] == ("C1", "C2", "1.5000", "0.0200")
    assert float(row[4]) == pytest.approx(length(fit.model, "C1", "C2") - 1.5, abs=1e-4)


def test_the_symmetry_of_the_second_atom_is_its_cif_code():
    block = block_of("DFIX 3.2 0.02 C1 O1_$1")
    assert rows_of(block, DISTANCE, "site_symmetry_2") == [("2_666",)]


def test_a_target_that_is_a_free_variable_is_its_value():
    block = block_of("DFIX 31 0.02 C1 C2")
    assert rows_of(block, DISTANCE, "target") == [("1.4500",)]


def test_equal_distances_are_classes_with_mean_and_spread():
    lines = "SADI 0.02 C1 C2 C2 N1 N1 C3\nSADI_CF3 0.03 C1 F1 C1 F2 C1 F3"
    fit = fit_of(lines)
    block = CifBlock("t")
    add_restraint_loops(block, fit)
    classes = rows_of(
        block,
        "_restr_equal_distance_class",
        "class_id",
        "target_weight_param",
        "average",
        "esd",
        "diff_max",
    )
    members = rows_of(block, "_restr_equal_distance", "atom_site_label_1", "atom_site_label_2", "class_id")
    assert sorted(float(row[1]) for row in classes) == [0.02, 0.03]
    assert len(members) == 3 + 6
    for number, _, average, spread, furthest in classes:
        own = np.array([length(fit.model, a, b) for a, b, c in members if c == number])
        assert float(average) == pytest.approx(own.mean(), abs=1e-4)
        assert float(spread) == pytest.approx(np.sqrt(((own - own.mean()) ** 2).mean()), abs=1e-4)
        assert float(furthest) == pytest.approx(np.abs(own - own.mean()).max(), abs=1e-4)


def test_two_instructions_that_share_a_distance_and_an_s_u_are_one_class():
    block = block_of("SADI 0.02 C1 C2 C2 N1\nSADI 0.02 C2 N1 N1 C3")
    assert len(rows_of(block, "_restr_equal_distance_class", "class_id")) == 1
    assert len(rows_of(block, "_restr_equal_distance", "class_id")) == 3


@pytest.mark.parametrize("lines", ["DELU 0.01 C1 C2", "RIGU 0.004 C1 C2"])
def test_rigid_bonds_are_those_that_cctbx_finds(lines):
    fit = fit_of(lines)
    block = CifBlock("t")
    add_restraint_loops(block, fit)
    structure = fit.parametrisation.structure
    u = structure.scatterers().extract_u_cart(structure.unit_cell())
    parameters = adp_restraints.adp_restraint_params(sites_cart=structure.sites_cart(), u_cart=u)
    if lines.startswith("DELU"):
        own = adp_restraints.rigid_bond(
            parameters, proxy=adp_restraints.rigid_bond_proxy(i_seqs=(0, 1), weight=1)
        )
        (row,) = rows_of(block, "_restr_U_rigid", "U_parallel", "diff")
        assert float(row[0]) == pytest.approx((own.z_12() + own.z_21()) / 2, abs=1e-4)
        assert float(row[1]) == pytest.approx(own.delta_z(), abs=1e-4)
    else:
        own = adp_restraints.rigu(parameters, proxy=adp_restraints.rigu_proxy(i_seqs=(0, 1), weight=1))
        (row,) = rows_of(block, "_restr_RIGU", "U13_diff", "U23_diff", "U33_diff")
        across = np.hypot(float(row[0]), float(row[1]))
        # The axes across the bond are a matter of choice; the length of the two together is not.
        assert across == pytest.approx(np.hypot(own.delta_13(), own.delta_23()), abs=3e-5)
        assert abs(float(row[2])) == pytest.approx(abs(own.delta_33()), abs=3e-5)


def test_every_kind_of_restraint_has_a_loop():
    lines = (
        "SIMU 0.02 0.04 1.7 C1 C2\nISOR 0.01 C2\nCHIV 1.2 0.1 N1\nSUMP 1.0 0.01 0.5 2 1.5 3\nDFIX -4.5 C1 C2"
    )
    block = block_of(lines)
    assert rows_of(block, "_restr_U_similar", "atom_site_label_1", "atom_site_label_2") == [("C1", "C2")]
    assert rows_of(block, "_restr_U_iso", "atom_site_label", "weight_param") == [("C2", "0.0100")]
    assert rows_of(block, "_qcrbox_restr_volume", "atom_site_label_1", "target", "target_weight_param") == [
        ("N1", "1.200", "0.100")
    ]
    total = 0.5 * 0.62 + 1.5 * 1.45
    (row,) = rows_of(block, "_qcrbox_restr_sum", "expression", "target", "diff")
    assert row[:2] == ("+0.5*FVAR2 +1.5*FVAR3", "1.0000")
    assert float(row[2]) == pytest.approx(total - 1, abs=1e-4)
    assert rows_of(block, "_qcrbox_restr_distance_min", "target") == [("4.5000",)]


def test_contacts_of_bump_are_listed_with_their_limit():
    rows = rows_of(block_of("BUMP 0.02", CLOSE), "_qcrbox_restr_distance_min", "atom_site_label_1", "diff")
    assert [row[0] for row in rows] == ["C1", "C3"]
    assert all(float(row[1]) < 0 for row in rows)


def test_a_model_without_restraints_has_no_loops():
    assert "_restr_" not in str(block_of(""))


def test_riding_groups_displacements_and_occupancies_are_listed():
    atoms = ATOMS.replace("H2 4 0.33 0.46 0.16 11 0.05", "AFIX 43\nH2 4 0.33 0.46 0.16 11 -1.2\nAFIX 0")
    atoms = atoms.replace("O1 3 0.55 0.35 0.30 11 0.035", "O1 3 0.55 0.35 0.30 21 0.035")
    fit = fit_of("EADP C1 C2\nEXYZ C1_1 C1_2", atoms)
    rows = {(kind, labels): details for kind, labels, details in constraint_rows(fit.model)}
    riding = rows["riding", "H2"]
    assert riding.startswith("AFIX 43, on C2, distance ")
    assert rows["riding_displacement", "H2"] == "U(iso) = 1.2 U(eq) of C2"
    assert ("equal_displacements", "C1 C2") in rows
    assert ("equal_sites", "C1_1 C1_2") in rows
    assert rows["occupancy", "O1"] == "occupancy = 1*FVAR2, FVAR2 = 0.6200"
    block = CifBlock("t")
    add_constraint_loop(block, fit)
    assert block.column("_qcrbox_constr_id") == [str(k + 1) for k in range(len(rows))]


def test_two_alternatives_are_tied_to_one_variable():
    atoms = ATOMS.replace("O1 3 0.55 0.35 0.30 11 0.035", "O1 3 0.55 0.35 0.30 -21 0.035")
    rows = constraint_rows(fit_of("", atoms).model)
    assert ("occupancy", "O1", "occupancy = 1 -1*FVAR2, FVAR2 = 0.6200") in rows
