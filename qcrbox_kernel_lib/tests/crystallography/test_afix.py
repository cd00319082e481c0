"""AFIX codes as a table in a CIF, and in words."""

from __future__ import annotations

import pytest
from qcrbox.cif import Block, Document, read
from qcrbox.cif.convert import unify
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.shelx.afix import (
    GEOMETRIES,
    MOVEMENTS,
    AfixRow,
    afix_loop,
    afix_rows,
    afix_table,
    apply_afix,
)

TEXT = """TITL x
CELL 0.71 10 11 12 90 90 90
SFAC C H
C1 1 0.1 0.2 0.3 11 0.05
AFIX 137
H1A 2 0.1 0.2 0.4 11 -1.5
H1B 2 0.1 0.3 0.4 11 -1.5
AFIX 0
C2 1 0.3 0.2 0.3 11 0.05
AFIX 43
H2 2 0.3 0.2 0.4 11 -1.2
AFIX 0
HKLF 4
"""
ROWS = [AfixRow("H1A", 137, "C1"), AfixRow("H1B", 137, "C1"), AfixRow("H2", 43, "C2")]


def test_riding_atoms_have_the_atom_before_their_card_as_pivot():
    assert afix_table(TEXT) == ROWS


@pytest.mark.parametrize(
    "change",
    [{}, {"H2": 0}, {"H2": 3}, {"H1A": 33, "H1B": 33}, {"C1": 1}, {"H1A": 0, "H1B": 0, "H2": 0}],
    ids=str,
)
def test_a_changed_table_is_read_again_from_the_text(change):
    codes = {row.label: row.code for row in ROWS} | change
    text = apply_afix(TEXT, codes)
    assert {row.label: row.code for row in afix_table(text)} == {
        name: code for name, code in codes.items() if code
    }
    # Everything but the cards stays.
    assert [line for line in text.splitlines() if "AFIX" not in line] == [
        line for line in TEXT.splitlines() if "AFIX" not in line
    ]


def test_names_are_taken_in_any_case_and_unknown_ones_are_named():
    assert apply_afix(TEXT, {"h1a": 137, "h1b": 137, "h2": 43}) == TEXT
    with pytest.raises(CifError, match=r"atoms that the text does not have: H9, H8\."):
        apply_afix(TEXT, {"H9": 3, "H2": 43, "H8": 3})


def test_the_table_goes_through_a_cif_and_back():
    block = Block("x")
    block.add_loop(afix_loop([*ROWS, AfixRow("C3", 66, "")]))
    assert afix_rows(block) == [*ROWS, AfixRow("C3", 66, "")]
    # As the store keeps it: the name of the category holds an underscore and a point.
    stored = unify(Document([block]).text).block
    assert afix_rows(stored) == [*ROWS, AfixRow("C3", 66, "")]


@pytest.mark.parametrize("code", ["x", "-3", "4.3", "²", "٤", "1" * 5000, "?"], ids=lambda code: code[:8])
def test_a_code_that_is_no_number_is_named_with_its_atom(code):
    text = f"data_x\nloop_\n_qcrbox_afix.atom_label\n_qcrbox_afix.code\nH1 {code}\n"
    with pytest.raises(CifError, match="of H1 is not a number"):
        afix_rows(read(text).sole_block())


@pytest.mark.parametrize(
    "text", ["data_x\n_a 1\n", "data_x\nloop_\n_qcrbox_afix.atom_label\nH1\n"], ids=["none", "no codes"]
)
def test_a_block_without_a_table_has_no_rows(text):
    assert afix_rows(read(text).sole_block()) == []


def test_geometries_and_movements_of_the_manual_have_words():
    assert set(GEOMETRIES) == set(range(17))
    assert set(MOVEMENTS) == set(range(10))
