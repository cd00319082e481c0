"""Elements of sites: by type symbol, by label, and by what the sum formula has."""

from __future__ import annotations

import pytest
from qcrbox.analysis.index import index_file
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.elements import (
    element_of_type,
    elements_of_sites,
    readings_of_label,
)

from ..conftest import CifMaker

LABELS = {
    "C12": "C", "CA1": "C", "CL1": "Cl", "Cl1": "Cl", "BR2": "Br", "H1A'": "H", "D1": "D", "Fe1": "Fe", "FE1": "Fe",
    # Water as one site.
    "Wat1": "O", "WAT2": "O", "Wa1": "O", "Water": "O", "OW1": "O", "Ow": "O", "HOH3": "O", "H2O": "O", "D2O1": "O",
    "DOD": "O", "Aq1": "O", "Aqua2": "O", "OH1": "O", "Oh": "O",
    # Lone pairs, dummies, peaks, vacancies, tetrahedral sites.
    "Lp1": "", "LP2": "", "Q1": "", "Du1": "", "Bq1": "", "Vac1": "", "X1": "", "T1": "", "M2": "", "A": "", "1": "", "": "",
    # No water.
    "W1": "W", "WA1": "W", "H1W": "H", "HW1": "H", "O1W": "O", "Watt1": "W",
}  # fmt: skip


@pytest.mark.parametrize("label", LABELS, ids=repr)
def test_a_label_alone_names_its_element(label: str) -> None:
    assert next(iter(readings_of_label(label)), "") == LABELS[label]


@pytest.mark.parametrize(
    ("symbol", "element"),
    [("Fe3+", "Fe"), ("CO", "Co"), ("O2-", "O"), ("D", "D"), ("Wat", "O"), ("HOH", "O"), ("H2O", "O"), ("W6+", "W")],
)  # fmt: skip
def test_a_type_symbol_names_its_element(symbol: str, element: str) -> None:
    assert element_of_type(symbol) == element


BY_FORMULA = [
    # The formula decides between two readings.
    (["CA1", "O1"], {"Ca": 1, "O": 1}, ["Ca", "O"]),
    (["CD1", "CD2"], {"Cd": 2, "S": 1}, ["Cd", "Cd"]),
    (["Os1", "Si1"], {"O": 2, "Si": 1}, ["O", "Si"]),
    (["Hg1", "C1"], {"H": 1, "C": 1}, ["H", "C"]),
    (["W1", "Ca1"], {"Ca": 1, "O": 2, "H": 4}, ["O", "Ca"]),
    (["W1", "O1"], {"W": 1, "O": 3}, ["W", "O"]),
    (["Wa1", "WA2", "O1"], {"W": 2, "O": 3}, ["W", "W", "O"]),
    (["Wat1", "W1"], {"W": 1, "O": 4, "H": 2}, ["O", "W"]),
    (["D1", "O1"], {"H": 2, "O": 1}, ["D", "O"]),
    # An element of the formula that nothing else can be.
    (["CO1", "C1", "O1"], {"Co": 1, "C": 1, "O": 1}, ["Co", "C", "O"]),
    # It would be a guess: more labels than atoms, or another element without a site.
    (["CA1", "CA2", "CA3", "C4"], {"Ca": 1, "C": 3}, ["C", "C", "C", "C"]),
    (["CA1", "O1"], {"Ca": 1, "C": 1, "O": 1}, ["C", "O"]),
    # No formula.
    (["Wat1", "CA1"], {}, ["O", "C"]),
]


@pytest.mark.parametrize(
    ("labels", "formula", "elements"), BY_FORMULA, ids=[str(row[0]) for row in BY_FORMULA]
)
def test_the_formula_decides_between_readings(
    labels: list[str], formula: dict[str, float], elements: list[str]
) -> None:
    assert elements_of_sites(labels, [""] * len(labels), formula)[0] == elements


def test_type_symbols_decide_against_labels() -> None:
    assert elements_of_sites(["CA1", "O1"], ["C", "O"], {"Ca": 1, "O": 1}) == (["C", "O"], [])
    assert elements_of_sites(["Wat1"], ["W"], {"O": 1, "H": 2})[0] == ["O"]
    assert elements_of_sites(["W1"], ["W"], {"O": 3, "W": 1})[0] == ["W"]


def test_what_was_not_plain_is_noted() -> None:
    _, notes = elements_of_sites(["Wat1", "Wat2", "Mo1"], [""] * 3, {"Ca": 1, "O": 2, "H": 4})
    assert notes == [
        "Wat1, Wat2 are read as the oxygen of water.",
        "Mo1 is read as Mo, which the sum formula does not have.",
    ]


def test_water_of_mineral_files_is_oxygen_in_structure_and_index(cif: CifMaker) -> None:
    text = cif(
        sites=(("Ca", 0.1, 0.2, 0.3), ("Wat1", 0.4, 0.5, 0.6)),
        columns="label fract_x fract_y fract_z",
        more="_chemical_formula_sum 'Ca O H2'",
    )
    structure = Structure.from_cif(text)
    assert structure.cell_content == {"Ca": 1.0, "O": 1.0}
    assert any("Wat1" in note for note in structure.notes)
    assert any("Wat1" in note for note in index_file(text.encode(), "x.cif").warnings)


def test_misprinted_numbers_are_read_everywhere_and_noted(cif: CifMaker) -> None:
    text = cif(
        cell=(10, "'11,5'", "12.0(1", 90, "90.00()", "90.0(?)"),
        sites=(("C1", "C", "3/4", "1/4", "1/2", "1/2", "0.05()"), ("C2", "C", "(5)", 0.1, 0.2, 1, 0.04)),
        columns="label type_symbol fract_x fract_y fract_z occupancy U_iso_or_equiv",
        more="_diffrn_ambient_temperature '100 K'",
    )
    structure = Structure.from_cif(text)
    assert structure.cell.parameters.tolist() == [10, 11.5, 12, 90, 90, 90]
    assert structure.sites.fract[0].tolist() == [0.75, 0.25, 0.5]
    assert (structure.sites.occupancy[0], structure.sites.u_iso[0]) == (0.5, 0.05)
    notes = " ".join(structure.notes)
    for word in (
        "'90.00()'",
        "'11,5'",
        "C1 '3/4' as 0.75",
        "C1 '1/2' as 0.5",
        "C1 '0.05()' as 0.05",
        "C2 '(5)'",
    ):
        assert word in notes
    index = index_file(text.encode(), "x.cif")
    assert (index.b, index.beta, index.temperature_k) == (11.5, 90.0, 100.0)
    warned = " ".join(index.warnings)
    for word in ("'90.00()'", "'3/4'", "'100 K'"):
        assert word in warned


def test_a_cell_value_that_is_no_number_is_named(cif: CifMaker) -> None:
    index = index_file(cif(cell=(10, "abc", 12, 90, 90, 90)).encode(), "x.cif")
    assert index.a is None
    assert any("_cell_length_b is 'abc'" in warning for warning in index.warnings)
