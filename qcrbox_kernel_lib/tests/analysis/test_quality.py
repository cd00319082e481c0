"""Indicators of quality: each value is right or its absence has a reason."""

from __future__ import annotations

import json

import pytest
from qcrbox.analysis.quality import NAMES, quality_indicators
from qcrbox.cif import read

from ..conftest import symops, write_cif

REFLECTIONS = """loop_
_diffrn_refln_index_h
_diffrn_refln_index_k
_diffrn_refln_index_l
_diffrn_refln_intensity_net
_diffrn_refln_intensity_u
1 0 0 100 2
-1 0 0 104 2
0 1 0 50 1
0 -1 0 48 1
0 0 2 9 3
0 0 1 4 1
"""
P21 = symops("x,y,z", "-x,-y,z+1/2")


def quality(more: str = "", group: str = "_space_group_name_H-M_alt 'P -1'"):
    return quality_indicators(read(write_cif(group=group, more=more))[0])


def test_every_indicator_is_there_once_with_its_meaning():
    found = quality()
    assert tuple(indicator.name for indicator in found.indicators) == NAMES
    assert all(indicator.meaning for indicator in found.indicators)
    json.dumps(found.to_dict())


def test_what_cannot_be_computed_says_why():
    for indicator in quality().indicators:
        assert indicator.value is None
        assert indicator.note, indicator.name


def test_merging_is_that_of_a_calculation_by_hand():
    """P −1: means 102 and 49. R(int) = (2·2 + 2·1) / (204 + 98) = 0.01987; absences none."""
    found = quality(REFLECTIONS)
    assert found["observations"] == 6
    assert found["unique"] == 4
    assert found["r_int"] == pytest.approx(6 / 302, abs=1e-6)
    assert found["redundancy"] == pytest.approx(6 / 4)
    assert found["absences"] == 0


def test_absences_of_a_screw_axis_are_counted_and_the_strong_among_them():
    """21 along c: 0 0 l is absent for odd l; 0 0 1 has I = 4σ."""
    found = quality(REFLECTIONS, P21)
    assert (found["absences"], found["absent_above_3_sigma"]) == (1, 1)


def test_reflections_per_parameter():
    found = quality("_refine_ls_number_reflns 1200\n_refine_ls_number_parameters 100")
    assert found["data_to_parameter_ratio"] == 12.0


@pytest.mark.parametrize("parameters", ["0", "-5", "?", "many"])
def test_without_a_number_of_parameters_there_is_no_ratio(parameters):
    found = quality(f"_refine_ls_number_reflns 1200\n_refine_ls_number_parameters {parameters}")
    assert found["data_to_parameter_ratio"] is None


@pytest.mark.parametrize(
    ("probe", "unit"),
    [("x-ray", "e Å⁻³"), ("neutron", "fm Å⁻³"), ("electron", "Å⁻²")],
)
def test_residual_density_has_the_unit_of_the_radiation(probe, unit):
    found = quality(f"_refine_diff_density_max 0.3\n_diffrn_radiation_probe {probe}")
    (indicator,) = (each for each in found.indicators if each.name == "residual_max")
    assert (indicator.value, indicator.unit) == (0.3, unit)


@pytest.mark.parametrize("probe", ["neutron", "electron"])
def test_the_statistics_of_wilson_are_those_of_x_rays(probe):
    found = quality(
        f"{REFLECTIONS}_diffrn_radiation_probe {probe}\n_chemical_formula_sum C1\n_cell_formula_units_Z 1"
    )
    assert found["wilson_b"] is None
    (indicator,) = (each for each in found.indicators if each.name == "wilson_b")
    assert f"these are {probe} data" in indicator.note


@pytest.mark.parametrize("stated", ["", "_chemical_formula_sum C1", "_chemical_formula_sum '?'\n_cell_formula_units_Z 2", "_chemical_formula_sum C1\n_cell_formula_units_Z 0"])  # fmt: skip
def test_without_formula_and_z_there_is_no_wilson_plot_and_a_reason(stated):
    found = quality(f"{REFLECTIONS}{stated}")
    (indicator,) = (each for each in found.indicators if each.name == "wilson_b")
    assert (indicator.value, bool(indicator.note)) == (None, True)


def test_an_unknown_indicator_is_a_key_error():
    with pytest.raises(KeyError, match="r_free"):
        quality()["r_free"]


def test_shells_are_asked_for_by_their_number():
    assert 1 <= len(quality_indicators(read(write_cif(group=P21, more=REFLECTIONS))[0], shells=2).shells) <= 2
