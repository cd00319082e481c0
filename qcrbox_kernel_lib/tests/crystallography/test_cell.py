from __future__ import annotations

import gemmi
import numpy as np
import pytest
from cctbx import uctbx
from qcrbox.contract.errors import CifError, MissingItemsError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.structure import Structure

from ..conftest import CifMaker

CELLS = [
    (10.0, 11.0, 12.0, 90.0, 90.0, 90.0),
    (7.1, 8.2, 9.3, 95.0, 101.0, 112.0),
    (8.0, 8.0, 13.5, 90.0, 90.0, 120.0),
    (6.5, 6.5, 6.5, 62.0, 62.0, 62.0),
    (6.92, 14.575, 9.725, 90.0, 90.637, 90.0),
]


@pytest.mark.parametrize("parameters", CELLS, ids=str)
def test_matrices_and_volume_agree_with_cctbx(parameters: tuple[float, ...]) -> None:
    cell, reference = UnitCell.from_values(parameters), uctbx.unit_cell(parameters)
    assert cell.volume == pytest.approx(reference.volume(), rel=1e-10)
    assert cell.orthogonalisation.ravel() == pytest.approx(reference.orthogonalization_matrix(), abs=1e-9)
    assert cell.fractionalisation.ravel() == pytest.approx(reference.fractionalization_matrix(), abs=1e-9)
    assert cell.reciprocal.parameters == pytest.approx(reference.reciprocal().parameters(), rel=1e-5)
    assert cell.d_spacing([[1, 2, 3], [-2, 0, 5]]) == pytest.approx(
        [reference.d((1, 2, 3)), reference.d((-2, 0, 5))]
    )


@pytest.mark.parametrize("parameters", CELLS, ids=str)
@pytest.mark.parametrize("centring", ["P", "C", "I", "F"])
def test_niggli_cell_agrees_with_cctbx(parameters: tuple[float, ...], centring: str) -> None:
    reference = uctbx.unit_cell(parameters)
    primitive = {
        "P": np.eye(3),
        "C": [[0.5, 0.5, 0], [-0.5, 0.5, 0], [0, 0, 1]],
        "I": [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]],
        "F": [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
    }[centring]
    axes = np.array(primitive) @ np.array(reference.orthogonalization_matrix()).reshape(3, 3).T
    lengths = np.linalg.norm(axes, axis=1)
    angles = [
        np.degrees(np.arccos(axes[i] @ axes[j] / (lengths[i] * lengths[j])))
        for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    expected = uctbx.unit_cell((*lengths, *angles)).niggli_cell().parameters()
    assert UnitCell.from_values(parameters).niggli(centring) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "entry", [e for e in gemmi.spacegroup_table() if e.number == 15], ids=lambda e: e.xhm()
)
def test_niggli_cell_is_the_same_in_every_setting_of_a_lattice(entry: gemmi.SpaceGroup) -> None:
    standard = gemmi.UnitCell(13.1, 8.4, 9.7, 90, 104.5, 90)
    moved = standard.changed_basis_forward(entry.basisop, False)
    cell = UnitCell.from_values(moved.parameters)
    assert cell.niggli(entry.hm[0]) == pytest.approx(
        UnitCell.from_values(standard.parameters).niggli("C"), abs=1e-3
    )


def test_volume_su_follows_the_lengths() -> None:
    cell = UnitCell.from_values((10, 20, 30, 90, 90, 90), (0.01, 0, 0, None, None, None))
    volume = cell.volume_number("orthorhombic")
    assert volume.value == pytest.approx(6000)
    assert volume.su == pytest.approx(6.0, rel=0.01)


def test_equal_axes_of_a_tetragonal_cell_vary_together() -> None:
    cell = UnitCell.from_values((10, 10, 30, 90, 90, 90), (0.01, 0.01, 0, None, None, None))
    assert cell.volume_number("tetragonal").su == pytest.approx(6.0, rel=0.01)
    assert cell.volume_number("orthorhombic").su == pytest.approx(6.0 / np.sqrt(2), rel=0.03)


@pytest.mark.parametrize(
    "parameters", [(10, 10, 10, 90, 90, 180), (10, 10, 10, 30, 30, 150), (0, 1, 1, 90, 90, 90)]
)
def test_a_cell_without_volume_is_refused(parameters: tuple[float, ...]) -> None:
    with pytest.raises(CifError, match="no volume"):
        UnitCell.from_values(parameters)


def test_cell_parameters_keep_their_su_in_both_ways_of_writing(cif: CifMaker) -> None:
    brackets = Structure.from_cif(cif(("10.1234(12)", 11, 12, 90, "95.10(2)", 90)))
    assert (brackets.cell.a.value, brackets.cell.a.su) == (10.1234, 0.0012)
    assert str(brackets.cell.a) == "10.1234(12)"
    unified = Structure.from_cif(cif((10.1234, 11, 12, 90, 95.1, 90), more="_cell.length_a_su 0.0012"))
    assert unified.cell.a == brackets.cell.a


def test_a_missing_cell_parameter_is_named() -> None:
    with pytest.raises(MissingItemsError) as caught:
        Structure.from_cif("data_x\n_cell_length_a 10\n_atom_site_label C1\n_atom_site_fract_x 0\n")
    assert "_cell_length_b" in caught.value.items


@pytest.mark.parametrize(
    ("system", "lengths", "su", "expected"),
    [
        ("cubic", (5.0, 5.0, 5.0), (0.01, None, None), 3 * 25 * 0.01),
        ("tetragonal", (5.0, 5.0, 8.0), (None, 0.01, None), 2 * 40 * 0.01),
        ("orthorhombic", (5.0, 5.0, 8.0), (0.01, None, None), 40 * 0.01),
    ],
)
def test_the_s_u_of_one_length_holds_for_those_that_symmetry_makes_equal(system, lengths, su, expected):
    """Of V = a³ and V = a²c by hand; files of cubic crystals often give the s.u. of a alone."""
    cell = UnitCell.from_values((*lengths, 90, 90, 90), (*su, None, None, None))
    covariance = cell.covariance(system)
    gradient = 200.0 / np.array([*lengths]) if system != "cubic" else np.full(3, 25.0)
    assert np.sqrt(gradient @ covariance[:3, :3] @ gradient) == pytest.approx(expected)
