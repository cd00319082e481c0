"""The .fcf file: its columns contain the numbers of the fit, and other programs can read them."""

from types import SimpleNamespace

import gemmi
import numpy as np
import pytest
from cctbx import crystal, miller
from cctbx.array_family import flex
from qcrbox_refine.fcf import _decimals, _trimmed, fcf_text
from qcrbox_refine.intensities import Corrections
from small_models import model_in

CELL = (7.0, 8.12345, 9.5, 90.0, 103.25, 90.0)
HKL = [(1, 0, 0), (-12, 0, 14), (0, 2, -3), (100, -100, 7)]


@pytest.fixture
def fit():
    model = model_in(CELL, "P 1 21/c 1", [])
    model.title = "made"
    fo_sq = np.array([1234.567, -3.2, 0.4, 999999.99])
    sigma = np.array([1.5, 1.1, 0.3, 1000.0])
    fc_sq = np.array([1200.0, 0.1, 0.41, 1000000.0])
    symmetry = crystal.symmetry(CELL, "P 1 21/c 1")
    unique = miller.set(symmetry, flex.miller_index(HKL), anomalous_flag=False)
    return SimpleNamespace(
        model=model,
        reflections=SimpleNamespace(unique=unique, grouped=False),
        corrections=Corrections(),
        equations=SimpleNamespace(on_fc_scale=lambda: (fo_sq, sigma, fc_sq)),
    )


def test_list_4_is_read_as_it_was(fit):
    text = fcf_text(fit)
    block = gemmi.cif.read_string(text).sole_block()
    assert block.name == "made"
    assert block.find_value("_shelx_refln_list_code") == "4"
    tags = [
        "index_h",
        "index_k",
        "index_l",
        "F_squared_calc",
        "F_squared_meas",
        "F_squared_sigma",
        "observed_status",
    ]
    rows = [list(row) for row in block.find("_refln_", tags)]
    assert [[int(x) for x in row[:3]] for row in rows] == [list(h) for h in HKL]
    fo_sq, sigma, fc_sq = fit.equations.on_fc_scale()
    for column, expected in ((3, fc_sq), (4, fo_sq), (5, sigma)):
        assert [float(row[column]) for row in rows] == pytest.approx(expected, abs=0.006)
    # Observed are those above twice their s.u.
    assert [row[6] for row in rows] == ["o", "<", "<", "o"]


def test_columns_of_large_numbers_do_not_touch(fit):
    lines = fcf_text(fit).rstrip().splitlines()[-len(HKL) :]
    assert all(len(line.split()) == 7 for line in lines[:3])
    assert lines[3].split()[-4:-1] == ["1000000.00", "999999.99", "1000.00"]


def test_cell_and_symmetry_are_those_of_the_model(fit):
    block = gemmi.cif.read_string(fcf_text(fit)).sole_block()
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    assert [float(block.find_value(f"_cell_{name}")) for name in names] == pytest.approx(CELL)
    operations = [gemmi.cif.as_string(text) for text in block.find_values("_space_group_symop_operation_xyz")]
    assert {gemmi.Op(text).wrap().triplet() for text in operations} == {
        operation.wrap().triplet() for operation in gemmi.SpaceGroup("P 1 21/c 1").operations()
    }


@pytest.mark.parametrize(
    ("value", "text"), [(7.0, "7.0000"), (8.12345, "8.12345"), (8.123456, "8.123456"), (90.5, "90.5000")]
)
def test_cell_parameters_have_four_to_six_decimals(value, text):
    assert _trimmed(value) == text


@pytest.mark.parametrize(
    ("sigma", "decimals"),
    [([1.0, 5.0], 2), ([0.3], 2), ([0.02], 3), ([0.0004, 2.0], 5), ([1e-12], 8), ([0.0], 2)],
)
def test_the_smallest_su_keeps_two_digits(sigma, decimals):
    assert _decimals(np.array(sigma)) == decimals
