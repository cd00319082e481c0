"""Displacement ellipsoids against cctbx, and edge case 15 (B, beta, odd tensors)."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from cctbx import adptbx, uctbx
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.structure import Structure, adps, probability_scale
from scipy.special import gammaincinv

from ..conftest import CifMaker, aniso

CELLS = {
    "hexagonal": (8.0, 8.0, 13.5, 90.0, 90.0, 120.0),
    "triclinic": (7.1, 8.2, 9.3, 95.0, 101.0, 112.0),
    "monoclinic": (6.92, 14.575, 9.725, 90.0, 90.637, 90.0),
    "acute": (9.0, 10.0, 11.0, 70.0, 65.0, 80.0),
}
U_CIF = (0.031, 0.044, 0.025, 0.011, -0.004, 0.008)


@pytest.mark.parametrize("name", CELLS)
def test_principal_axes_agree_with_cctbx(name: str) -> None:
    cell, reference = UnitCell.from_values(CELLS[name]), uctbx.unit_cell(CELLS[name])
    ours = adps.principal_axes(adps.u_to_cartesian(adps.symmetric([U_CIF]), cell))
    u_cart = adptbx.u_cif_as_u_cart(reference, U_CIF)
    eigensystem = adptbx.eigensystem(u_cart)
    expected = sorted(zip(eigensystem.values(), (eigensystem.vectors(k) for k in range(3)), strict=True))
    for k, (value, vector) in enumerate(expected):
        assert ours.rms[0, k] == pytest.approx(np.sqrt(value), abs=1e-6)
        assert abs(ours.axes[0, k] @ np.array(vector)) == pytest.approx(1, abs=1e-6)
    assert not ours.npd[0]
    assert np.linalg.det(ours.axes[0]) == pytest.approx(1)


@pytest.mark.parametrize("name", CELLS)
def test_equivalent_and_isotropic_values_agree_with_cctbx(name: str) -> None:
    cell, reference = UnitCell.from_values(CELLS[name]), uctbx.unit_cell(CELLS[name])
    tensor = adps.symmetric([U_CIF])
    assert adps.u_equivalent(tensor, cell)[0] == pytest.approx(adptbx.u_cif_as_u_iso(reference, U_CIF))
    sphere = adps.isotropic_tensor(np.array([0.02]), cell)
    expected = adptbx.u_cart_as_u_cif(reference, (0.02, 0.02, 0.02, 0, 0, 0))
    assert adps.six_components(sphere)[0] == pytest.approx(expected, abs=1e-12)
    beta = adptbx.u_cif_as_beta(reference, U_CIF)
    assert adps.six_components(adps.beta_to_u(adps.symmetric([beta]), cell))[0] == pytest.approx(U_CIF)


def test_ellipsoids_of_a_real_structure_agree_with_cctbx(thpp: Structure) -> None:
    reference = uctbx.unit_cell(tuple(thpp.cell.parameters))
    axes = thpp.principal_axes()
    compared = 0
    for row in np.flatnonzero(np.isfinite(thpp.sites.u_cif).all(axis=(1, 2))):
        u_cif = tuple(adps.six_components(thpp.sites.u_cif)[row])
        values = adptbx.eigenvalues(adptbx.u_cif_as_u_cart(reference, u_cif))
        assert axes.rms[row] == pytest.approx(np.sqrt(sorted(values)), abs=1e-4)
        compared += 1
    assert compared == 16


@pytest.mark.parametrize(("probability", "scale"), [(0.5, 1.5382), (0.3, 1.1932), (0.9, 2.5003)])
def test_probability_scales_are_those_of_the_textbook(probability: float, scale: float) -> None:
    assert probability_scale(probability) == pytest.approx(scale, abs=5e-5)


@given(st.floats(0.001, 0.999))
def test_any_probability_agrees_with_the_chi_distribution(probability: float) -> None:
    # The square of a length along three normal axes has the distribution of chi-square.
    expected = np.sqrt(2 * gammaincinv(1.5, probability))
    assert probability_scale(probability) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("probability", [0, 1, -0.1, 1.5])
def test_an_impossible_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        probability_scale(probability)


components = st.tuples(*[st.floats(0.005, 0.1)] * 3, *[st.floats(-0.02, 0.02)] * 3)
CRYSTAL_CELLS = {
    "triclinic": (7.1, 8.2, 9.3, 95.0, 101.0, 112.0),
    "monoclinic": (7.1, 8.2, 9.3, 90.0, 101.0, 90.0),
    "orthorhombic": (7.1, 8.2, 9.3, 90.0, 90.0, 90.0),
    "tetragonal": (7.1, 7.1, 9.3, 90.0, 90.0, 90.0),
    "trigonal": (7.1, 7.1, 9.3, 90.0, 90.0, 120.0),
    "hexagonal": (7.1, 7.1, 9.3, 90.0, 90.0, 120.0),
    "cubic": (7.1, 7.1, 7.1, 90.0, 90.0, 90.0),
}
REFERENCE = [e for e in gemmi.spacegroup_table() if e.is_reference_setting()]


@given(st.sampled_from(REFERENCE), st.integers(0, 191), components)
def test_symmetry_keeps_the_eigenvalues_of_a_tensor(entry: gemmi.SpaceGroup, place: int, six: tuple) -> None:
    cell = UnitCell.from_values(CRYSTAL_CELLS[entry.crystal_system_str()])
    operations = list(entry.operations())
    rotation = np.array(operations[place % len(operations)].rot) / gemmi.Op.DEN
    tensor = adps.symmetric([six])
    before = adps.principal_axes(adps.u_to_cartesian(tensor, cell)).eigenvalues
    after = adps.principal_axes(adps.u_to_cartesian(adps.rotate(tensor, rotation, cell), cell)).eigenvalues
    assert after == pytest.approx(before, abs=1e-10)


@given(st.sampled_from(sorted(CRYSTAL_CELLS)), components)
def test_quadratic_form_is_the_same_on_both_bases(name: str, six: tuple) -> None:
    """The exponent of the displacement factor, hᵀβh, does not depend on the basis it is written in."""
    cell = UnitCell.from_values(CRYSTAL_CELLS[name])
    tensor = adps.symmetric([six])
    h = np.array([2.0, -1.0, 3.0])
    on_reciprocal_axes = h * cell.reciprocal_lengths
    cartesian = np.linalg.inv(cell.orthogonalisation).T @ h
    expected = on_reciprocal_axes @ tensor[0] @ on_reciprocal_axes
    assert cartesian @ adps.u_to_cartesian(tensor, cell)[0] @ cartesian == pytest.approx(expected, abs=1e-12)


def test_b_values_are_read_as_u(cif: CifMaker) -> None:
    text = cif(
        sites=[("C1", "C", 0.1, 0.2, 0.3, 1.579)],
        columns="label type_symbol fract_x fract_y fract_z B_iso_or_equiv",
        more=aniso([("C1", 1.5, 1.6, 1.7, 0.1, 0, 0)], "B_"),
    )
    structure = Structure.from_cif(text)
    assert structure.sites.u_iso[0] == pytest.approx(1.579 / (8 * np.pi**2))
    assert structure.sites.u_cif[0, 0, 0] == pytest.approx(1.5 / (8 * np.pi**2))


def test_beta_values_are_read_as_u(cif: CifMaker) -> None:
    cell = (7.1, 8.2, 9.3, 95.0, 101.0, 112.0)
    beta = adptbx.u_cif_as_beta(uctbx.unit_cell(cell), U_CIF)
    structure = Structure.from_cif(cif(cell, more=aniso([("C1", *beta)], "beta_")))
    assert adps.six_components(structure.sites.u_cif)[0] == pytest.approx(U_CIF)


def test_an_equivalent_value_far_from_its_tensor_is_noted(cif: CifMaker) -> None:
    columns = "label type_symbol fract_x fract_y fract_z U_iso_or_equiv"
    rows = [("C1", "C", 0.1, 0.2, 0.3, 0.05), ("C2", "C", 0.2, 0.2, 0.3, 0.0305)]
    more = aniso([("C1", 0.03, 0.03, 0.03, 0, 0, 0), ("C2", 0.03, 0.03, 0.03, 0, 0, 0)])
    notes = Structure.from_cif(cif(sites=rows, columns=columns, more=more)).notes
    assert any("Ueq of C1 is given as 0.0500" in note and "0.0300" in note for note in notes)
    assert not any("C2" in note for note in notes)


def test_a_tensor_that_is_not_positive_definite_is_flagged_and_noted(cif: CifMaker) -> None:
    rows = [("C1", "C", 0.1, 0.2, 0.3), ("C2", "C", 0.2, 0.2, 0.3)]
    more = aniso([("C1", 0.03, 0.03, -0.001, 0, 0, 0), ("C2", 0.03, 0.03, 0.03, 0, 0, 0)])
    structure = Structure.from_cif(cif(sites=rows, more=more))
    axes = structure.principal_axes()
    assert axes.npd.tolist() == [True, False]
    assert np.isnan(axes.rms[0, 0])
    assert any("C1 is not positive definite" in note for note in structure.notes)


def test_a_tensor_whose_label_differs_in_case_is_taken_and_noted(cif: CifMaker) -> None:
    structure = Structure.from_cif(cif(more=aniso([("c1", 0.03, 0.03, 0.04, 0, 0, 0)])))
    assert structure.sites.u_cif[0, 2, 2] == 0.04
    assert any("differs in case" in note for note in structure.notes)


def test_tensors_are_joined_by_label_whatever_their_order(cif: CifMaker) -> None:
    rows = [(f"C{n}", "C", n / 10, 0.2, 0.3) for n in range(1, 4)]
    more = aniso([("C3", 0.03, 0.03, 0.03, 0, 0, 0), ("C1", 0.01, 0.01, 0.01, 0, 0, 0)])
    structure = Structure.from_cif(cif(sites=rows, more=more))
    assert structure.sites.u_cif[:, 0, 0] == pytest.approx([0.01, np.nan, 0.03], nan_ok=True)
    assert structure.sites.adp_type == ["Uani", "Uiso", "Uani"]
