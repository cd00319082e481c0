"""Checks of statements: every crystal system, formula and density by hand, absolute structure."""

from __future__ import annotations

import pytest
from qcrbox.analysis.validation import statement_checks as checks
from qcrbox.cif import read
from qcrbox.crystallography.structure import Structure

from ...conftest import symops, write_cif

P1 = symops("x,y,z")


def found(check, *, cell=(10, 11, 12, 90, 90, 90), group=P1, more="", sites=(("C1", "C", 0.1, 0.2, 0.3),)):
    block = read(write_cif(cell, sites, group=group, more=more))[0]
    return list(check(block, Structure.from_block(block)))


def symbol(hm: str) -> str:
    return f"_space_group_name_H-M_alt '{hm}'"


# ---------------------------------------------------------------- cell and crystal system

FITTING = {
    "triclinic": ("P -1", (10, 11, 12, 80, 95, 101)),
    "monoclinic, unique b": ("P 1 21/c 1", (10, 11, 12, 90, 97, 90)),
    "monoclinic, unique c": ("P 1 1 21/b", (10, 11, 12, 90, 90, 97)),
    "monoclinic, unique a": ("P 21/b 1 1", (10, 11, 12, 97, 90, 90)),
    "monoclinic, right angles": ("P 1 21/c 1", (10, 11, 12, 90, 90, 90)),
    "orthorhombic": ("P n m a", (10, 11, 12, 90, 90, 90)),
    "tetragonal": ("P 41 21 2", (10, 10, 12, 90, 90, 90)),
    "trigonal": ("P 31 2 1", (10, 10, 12, 90, 90, 120)),
    "rhombohedral, hexagonal axes": ("R -3 m :H", (10, 10, 12, 90, 90, 120)),
    "rhombohedral axes": ("R -3 m :R", (10, 10, 10, 85, 85, 85)),
    "hexagonal": ("P 63/m m c", (10, 10, 12, 90, 90, 120)),
    "cubic": ("F d -3 m", (10, 10, 10, 90, 90, 90)),
}
WRONG = {
    "monoclinic, oblique elsewhere": ("P 1 21/c 1", (10, 11, 12, 90, 90, 97)),
    "monoclinic, two oblique angles": ("P 1 21/c 1", (10, 11, 12, 91, 97, 90)),
    "orthorhombic, oblique": ("P n m a", (10, 11, 12, 90, 90.1, 90)),
    "tetragonal, a and b differ": ("P 41 21 2", (10, 10.01, 12, 90, 90, 90)),
    "trigonal, γ is 119.5": ("P 31 2 1", (10, 10, 12, 90, 90, 119.5)),
    "rhombohedral axes, angles differ": ("R -3 m :R", (10, 10, 10, 85, 85, 86)),
    "rhombohedral axes, lengths differ": ("R -3 m :R", (10, 10, 11, 85, 85, 85)),
    "hexagonal, γ is 90": ("P 63/m m c", (10, 10, 12, 90, 90, 90)),
    "cubic, c differs": ("F d -3 m", (10, 10, 11, 90, 90, 90)),
    "cubic, oblique": ("F d -3 m", (10, 10, 10, 90, 90, 91)),
}


@pytest.mark.parametrize("case", FITTING)
def test_a_cell_that_its_group_allows_is_no_alert(case):
    hm, cell = FITTING[case]
    assert found(checks.cell_and_system, cell=cell, group=symbol(hm)) == []


@pytest.mark.parametrize("case", WRONG)
def test_a_cell_that_its_group_does_not_allow_is_serious(case):
    hm, cell = WRONG[case]
    (alert,) = found(checks.cell_and_system, cell=cell, group=symbol(hm))
    assert (alert.test, alert.level) == ("CELL_SYSTEM", "A")


@pytest.mark.parametrize(
    ("stated", "alerts"),
    [
        ("1320", 0),
        ("1320.0(5)", 0),
        ("1321.4(5)", 0),
        ("1321.4(2)", 1),
        ("1321.2", 0),
        ("1322", 1),
        ("1330(5)", 0),
        ("?", 0),
    ],
)
def test_the_volume_is_that_of_the_cell_within_three_su_or_a_thousandth(stated, alerts):
    """10 · 11 · 12 = 1320 Å³; without a better s.u. 1.32 Å³ are allowed."""
    assert len(found(checks.cell_and_system, more=f"_cell_volume {stated}")) == alerts


# ---------------------------------------------------------------- formula, weight, density

WATER = (("O1", "O", 0.1, 0.2, 0.3), ("H1", "H", 0.2, 0.2, 0.3), ("H2", "H", 0.1, 0.3, 0.3))


def formula(**items):
    tags = {"sum": "_chemical_formula_sum", "z": "_cell_formula_units_Z", "weight": "_chemical_formula_weight", "density": "_exptl_crystal_density_diffrn"}  # fmt: skip
    more = "\n".join(f"{tags[name]} {value}" for name, value in items.items())
    return [(a.test, a.level, a.text) for a in found(checks.formula_and_content, sites=WATER, more=more)]


def test_a_model_that_is_its_formula_is_no_alert():
    """H2O: 2 · 1.008 + 15.999 = 18.015; 18.015 · 1 / 1320 · 1.66054 = 0.02266 g/cm³."""
    assert formula(sum="'H2 O'", z=1, weight=18.015, density=0.0227) == []


@pytest.mark.parametrize(
    ("items", "test", "words"),
    [
        ({"sum": "'H2 O2'", "z": 1}, "FORMULA_CONTENT", "O 1.00 instead of 2"),
        ({"sum": "'H4 O'", "z": 1}, "FORMULA_CONTENT", "H 2.00 instead of 4"),
        ({"sum": "'H2 O'", "z": 2}, "FORMULA_CONTENT", "O 0.50 instead of 1"),
        (
            {"sum": "'H2 O'", "z": 1, "weight": 18.12},
            "FORMULA_WEIGHT",
            "stated weight is 18.12, the formula has 18.0",
        ),
        ({"sum": "'H2 O'", "weight": 36.03}, "FORMULA_WEIGHT", "stated weight is 36.03"),
        ({"sum": "'H2 O'", "z": 1, "density": 0.024}, "DENSITY", "give 0.023 g/cm³"),
        ({"sum": "'one water'"}, "FORMULA", "'one water' cannot be read"),
    ],
    ids=["heavier atom", "hydrogen", "Z", "weight", "weight without Z", "density", "unreadable"],
)
def test_what_does_not_add_up_is_told_with_both_figures(items, test, words):
    ((name, _, text),) = formula(**items)
    assert name == test
    assert words in text


def test_missing_hydrogen_alone_is_less_serious():
    ((_, level, _),) = formula(sum="'H4 O'", z=1)
    assert level == "C"
    ((_, level, _),) = formula(sum="'H2 O2'", z=1)
    assert level == "B"


def test_without_z_the_ratios_are_compared():
    assert formula(sum="'H4 O2'") == []
    ((_, _, text),) = formula(sum="'H2 C O'")
    assert "C 0.00 instead of 1" in text


# ---------------------------------------------------------------- the rest


@pytest.mark.parametrize(
    ("hm", "flack", "level"),
    [
        ("P 21", None, "C"),
        ("P 21", "0.02(3)", None),
        ("P 21", "0.98(3)", "A"),
        ("P 21", "0.7(3)", None),
        ("P 21", "0.1(4)", "G"),
        ("P 21", "0.9", "A"),
        ("P -1", None, None),
        ("P -1", "0.98(3)", None),
    ],
)
def test_the_flack_parameter(hm, flack, level):
    cell = (10, 11, 12, 90, 97, 90) if hm == "P 21" else (10, 11, 12, 80, 95, 101)
    more = "" if flack is None else f"_refine_ls_abs_structure_Flack {flack}"
    levels = [
        alert.level for alert in found(checks.absolute_structure, cell=cell, group=symbol(hm), more=more)
    ]
    assert levels == ([] if level is None else [level])


def test_a_negative_flack_parameter_is_written_with_a_minus_sign():
    (alert,) = found(checks.absolute_structure, cell=(10, 11, 12, 90, 97, 90), group=symbol("P 21"), more="_refine_ls_abs_structure_Flack -0.1(5)")  # fmt: skip
    assert "−0.1(5)" in alert.text


@pytest.mark.parametrize("value", ["?", ".", None])
def test_an_item_that_is_unknown_is_missing(value):
    more = "" if value is None else f"_cell_formula_units_Z {value}"
    assert any("_cell_formula_units_Z is missing" in a.text for a in found(checks.missing_items, more=more))
    given = found(checks.missing_items, more="_cell_formula_units_Z 4")
    assert not any("_cell_formula_units_Z" in a.text for a in given)


def test_electrons_that_call_themselves_x_rays_get_their_own_advice():
    more = "_diffrn_radiation_probe x-ray\n_diffrn_radiation_wavelength 0.0251"
    (alert,) = found(checks.radiation, more=more)
    assert (alert.level, "probe electron" in alert.advice) == ("B", True)
