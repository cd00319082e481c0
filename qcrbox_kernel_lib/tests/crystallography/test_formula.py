"""Sum formulae: reading, writing, counting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.crystallography.structure.formula import format_formula, formula_units, parse_formula, weight

READ = [
    ("C17 H20 N4 O5", {"C": 17, "H": 20, "N": 4, "O": 5}),
    ("C17H20N4O5", {"C": 17, "H": 20, "N": 4, "O": 5}),
    ("Co C O", {"Co": 1, "C": 1, "O": 1}),
    ("CO", {"C": 1, "O": 1}),
    ("Co", {"Co": 1}),
    ("C6 H5.5 Cl0.25", {"C": 6, "H": 5.5, "Cl": 0.25}),
    ("C.5 O1.", {"C": 0.5, "O": 1}),
    ("C2 H6 C1", {"C": 3, "H": 6}),
    ("D2 O", {"D": 2, "O": 1}),
    ("Si", {"Si": 1}),
    ("U", {"U": 1}),
]


@pytest.mark.parametrize(("text", "counts"), READ, ids=[row[0] for row in READ])
def test_a_sum_formula_is_read(text, counts):
    assert parse_formula(text) == counts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        ".",
        "c6",
        "C6 H6, 2(H2 O)",
        "(C2 H6 O)2",
        "C2 H6 1+",
        "C6-H6",
        "Xx2",
        "C1.2.3",
        "J",
        "12",
        "C 6 h",
        "C₆",
        "C6;",
        "C" + "9" * 400,
    ],
)
def test_what_is_no_sum_formula_is_empty(text):
    assert parse_formula(text) == {}


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"O": 5, "N": 4, "H": 20, "C": 17}, "C17 H20 N4 O5"),
        # Without carbon all in alphabetical order, hydrogen too (Hill, J. Am. Chem. Soc. 22 (1900) 478).
        ({"O": 1, "H": 2}, "H2 O"),
        ({"Na": 1, "Cl": 1}, "Cl Na"),
        ({"H": 1, "Br": 1}, "Br H"),
        ({"C": 1, "Br": 1, "D": 3, "H": 1}, "C D3 H Br"),
        ({"C": 1.5, "O": 0.3333333}, "C1.5 O0.333"),
        ({"C": 1, "O": 1e-6}, "C"),
        ({"C": 0.9999999}, "C"),
        ({}, ""),
    ],
    ids=str,
)
def test_a_formula_is_written_in_hill_order(counts, text):
    assert format_formula(counts) == text


ELEMENTS = st.dictionaries(
    st.sampled_from(["C", "H", "D", "N", "O", "Co", "Cl", "Si", "U"]), st.integers(1, 9999), min_size=1
)


@given(ELEMENTS)
def test_a_written_formula_is_read_again_as_the_same(counts):
    assert parse_formula(format_formula(counts)) == counts


@pytest.mark.parametrize(
    ("formula", "content", "units"),
    [
        ({"C": 6, "H": 6}, {"C": 24, "H": 20}, 4),
        ({"C": 1, "N": 2, "O": 3}, {"C": 4, "N": 8, "O": 12}, 4),
        # One element is wrong: the others decide.
        ({"C": 1, "N": 1, "O": 1}, {"C": 4, "N": 4, "O": 40}, 4),
        ({"C": 1, "N": 1}, {"C": 4, "N": 6}, 5),
        ({"C": 2}, {"C": 1}, 0.5),
        ({"H": 2}, {"H": 8}, 1),
        ({"C": 1}, {"N": 8}, 1),
        ({}, {"C": 4}, 1),
        ({"C": 0}, {"C": 4}, 1),
    ],
    ids=str,
)
def test_how_often_a_formula_is_in_the_cell(formula, content, units):
    assert formula_units(formula, content) == units


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        # IUPAC abridged weights: C 12.011, H 1.008, O 15.999, Na 22.990, Cl 35.45; deuterium 2.0141.
        ("C6 H6", 6 * 12.011 + 6 * 1.008),
        ("H2 O", 2 * 1.008 + 15.999),
        ("Na Cl", 22.990 + 35.45),
        ("D2 O", 2 * 2.0141 + 15.999),
    ],
)
def test_molecular_weights(text, grams):
    assert weight(parse_formula(text)) == pytest.approx(grams, abs=0.01)
