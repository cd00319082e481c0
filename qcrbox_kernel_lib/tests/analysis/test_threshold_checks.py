"""Every limit of the threshold table, from both sides."""

from __future__ import annotations

import pytest
from qcrbox.analysis.quality import quality_indicators
from qcrbox.analysis.validation.threshold_checks import THRESHOLDS, refinement_results
from qcrbox.cif import read
from qcrbox.crystallography.structure import Structure
from qcrbox.display.summary import items_of

from ..conftest import symops, write_cif

CENTRIC = symops("x,y,z", "-x,-y,-z")
CARBON = (("C1", "C", 0.1, 0.2, 0.3),)
GOLD = (("Au1", "Au", 0.1, 0.2, 0.3),)


def levels(
    items: dict[str, object], *, sites=CARBON, group="_space_group_name_H-M_alt 'P 1'"
) -> dict[str, str]:
    more = "\n".join(f"{tag} {value}" for tag, value in items.items())
    block = read(write_cif(sites=sites, group=group, more=more))[0]
    return {alert.test: alert.level for alert in refinement_results(block, Structure.from_block(block))}


def single(tag: str, *pairs: tuple[float, str | None]) -> list[tuple[str, float, str | None]]:
    return [(tag, value, level) for value, level in pairs]


SHIFT, R1, WR2 = "_refine_ls_shift/su_max", "_refine_ls_R_factor_gt", "_refine_ls_wR_factor_ref"
GOOF, FULL = "_refine_ls_goodness_of_fit_ref", "_diffrn_measured_fraction_theta_full"
HIGH, LOW = "_refine_diff_density_max", "_refine_diff_density_min"


@pytest.mark.parametrize(
    ("tag", "value", "level"),
    [
        *single(SHIFT, (0.05, None), (0.051, "C"), (-0.11, "B"), (0.21, "A")),
        *single(R1, (0.1, None), (0.11, "C"), (0.16, "B"), (0.21, "A")),
        *single(WR2, (0.25, None), (0.26, "C"), (0.36, "B"), (0.46, "A")),
        *single(GOOF, (0.8, None), (1.2, None), (0.79, "C"), (1.21, "C"), (0.39, "B"), (2.01, "B")),
        *single(FULL, (0.98, None), (0.979, "C"), (0.949, "B"), (0.899, "A")),
        *single(HIGH, (0.75, None), (0.76, "C"), (1.88, "B")),
        *single(LOW, (-0.75, None), (-0.76, "C"), (-1.88, "B")),
    ],
)
def test_limit_of_an_item(tag, value, level):
    assert list(levels({tag: value}).values()) == ([] if level is None else [level])


def test_heavy_atoms_may_leave_more_density():
    assert levels({HIGH: 3.1}, sites=GOLD) == {}
    assert levels({HIGH: 3.2}, sites=GOLD) == {"RESIDUAL_DENSITY": "C"}


@pytest.mark.parametrize(
    ("group", "ratio", "level"),
    [
        (CENTRIC, 10.0, None),
        (CENTRIC, 9.9, "C"),
        (CENTRIC, 5.9, "B"),
        ("_space_group_name_H-M_alt 'P 1'", 8.0, None),
        ("_space_group_name_H-M_alt 'P 1'", 7.9, "C"),
        ("_space_group_name_H-M_alt 'P 1'", 4.7, "B"),
    ],
    ids=["centric, enough", "centric, few", "centric, far too few", "enough", "few", "far too few"],
)
def test_reflections_per_parameter_depend_on_the_centre(group, ratio, level):
    counts = {"_refine_ls_number_reflns": round(100 * ratio), "_refine_ls_number_parameters": 100}
    assert levels(counts, group=group) == ({} if level is None else {"DATA_PARAMETERS": level})


@pytest.mark.parametrize(
    ("theta", "level"),
    [(25.242, None), (24.0, "C"), (22.5, "B"), (20.0, "A")],
    ids=["reached", "C", "B", "A"],
)
def test_resolution_of_molybdenum_radiation(theta, level):
    items = {"_diffrn_reflns_theta_max": theta, "_diffrn_radiation_wavelength": 0.71073}
    assert levels(items) == ({} if level is None else {"RESOLUTION": level})


@pytest.mark.parametrize("unknown", ["?", ".", "text"])
def test_unknown_figure_is_no_alert(unknown):
    assert levels({SHIFT: unknown, R1: unknown, HIGH: unknown}) == {}


def test_text_shows_the_figure_of_the_file_and_the_test_of_checkcif():
    block = read(write_cif(more=f"{LOW} -2.01"))[0]
    (alert,) = refinement_results(block, Structure.from_block(block))
    assert alert.text == "The deepest residual density is −2.01 e/Å³."
    assert (alert.type, alert.like) == (2, "PLAT097")


def test_worst_limit_of_each_row_stands_first():
    for threshold in THRESHOLDS:
        found = [level for *_, level in threshold.limits]
        assert found == sorted(found)


INSTRUCTIONS = "_shelx_res_file\n;\nTITL x\n{}\nHKLF 4\nEND\n;"
SAID = "_refine_special_details\n;\nNot refined (0 cycles): R values are those of the model as it stands.\n;"


@pytest.mark.parametrize(
    ("more", "alert"),
    [
        (INSTRUCTIONS.format("L.S. 0"), "NOT_REFINED"),
        (INSTRUCTIONS.format("cgls 0 0 0"), "NOT_REFINED"),
        (INSTRUCTIONS.format("L.S. 10\nL.S."), "NOT_REFINED"),
        (SAID, "NOT_REFINED"),
        (INSTRUCTIONS.format("L.S. 10"), "CONVERGENCE"),
        (INSTRUCTIONS.format("REM L.S. 0"), "CONVERGENCE"),
        (INSTRUCTIONS.format("L.S. x"), "CONVERGENCE"),
        ("", "CONVERGENCE"),
    ],
    ids=[
        "L.S. 0",
        "CGLS 0",
        "the last counts",
        "as refine says it",
        "L.S. 10",
        "a remark",
        "unreadable",
        "unsaid",
    ],
)
def test_a_model_that_was_never_refined_is_not_blamed_for_its_pending_shift(more, alert):
    block = read(write_cif(sites=CARBON, more=f"{SHIFT} 0.75\n{more}"))[0]
    found = {one.test: one for one in refinement_results(block, Structure.from_block(block))}
    assert set(found) == {alert}
    assert "0.750" in found[alert].text
    assert (found[alert].level == "G") is (alert == "NOT_REFINED")
    remark = next(one.note for one in quality_indicators(block).indicators if one.name == "shift_su_max")
    assert bool(remark) is (alert == "NOT_REFINED")


@pytest.mark.parametrize(("probe", "unit"), [("x-ray", "e Å⁻³"), ("neutron", "fm Å⁻³"), ("electron", "Å⁻²")])
def test_residual_density_has_the_unit_of_its_radiation(probe, unit):
    """A Fourier map has the unit of the scattering factors for each Å³; usual values are known for X-rays alone."""
    items = {HIGH: 30.0, "_diffrn_radiation_probe": probe}
    assert levels(items) == ({"RESIDUAL_DENSITY": "B"} if probe == "x-ray" else {})
    block = read(write_cif(sites=CARBON, more=f"{HIGH} 0.3\n_diffrn_radiation_probe {probe}"))[0]
    indicator = next(i for i in quality_indicators(block).indicators if i.name == "residual_max")
    assert indicator.unit == unit
    assert (f"Δρ max / {unit}", "0.3") in items_of(block)
