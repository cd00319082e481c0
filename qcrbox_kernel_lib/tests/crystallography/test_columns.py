"""Columns of a CIF as texts and numbers, bonds that it lists, and Cartesian coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.cif import read
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.cartesian import to_fractional
from qcrbox.crystallography.structure.columns import as_loop, in_memory, misprints, numbers_of, texts_of

from ..conftest import write_cif

LOOP = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_x_su\n_my_note\nC1 0.1(2) 0.5 'a b'\nC2 0.25 0.01 ?\nC3 1/4 . .\nC4 x ? ''\n"


def block_of(text: str):
    return read(f"data_x\n{text}").sole_block()


@pytest.fixture
def loop():
    return as_loop(block_of(LOOP), "_atom_site_label")


def test_texts_are_empty_where_nothing_is_known(loop):
    assert texts_of(loop, "_my_note", 4) == ["a b", "", "", ""]
    assert texts_of(loop, "_absent", 4) == [""] * 4


def test_numbers_have_the_su_of_their_brackets_before_that_of_the_column(loop):
    values, su = numbers_of(loop, "_atom_site_fract_x", 4)
    assert values == pytest.approx([0.1, 0.25, 0.25, np.nan], nan_ok=True)
    assert su == pytest.approx([0.2, 0.01, 0, 0])


def test_numbers_of_a_missing_column_are_unknown(loop):
    values, su = numbers_of(loop, "_absent", 4)
    assert np.isnan(values).all()
    assert su.tolist() == [0, 0, 0, 0]


def test_misprints_are_named_with_their_rows(loop):
    labels = ["C1", "C2", "C3", "C4"]
    assert misprints(loop, "_atom_site_fract_x", labels) == [
        "Values of _atom_site_fract_x written as a fraction are read: C3 '1/4' as 0.25.",
        "Values of _atom_site_fract_x that are not numbers are taken as unknown: C4 'x'.",
    ]
    assert misprints(loop, "_absent", labels) == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("_atom_site_label C1\n_atom_site_fract_x 0.1\n_cell_length_a 5\n", 1),
        ("_cell_length_a 5\n", None),
        (LOOP, 4),
    ],
    ids=["items", "nothing", "loop"],
)
def test_single_items_of_a_category_are_a_table_of_one_row(text, rows):
    found = as_loop(block_of(text), "_atom_site_label")
    assert (None if found is None else len(found)) == rows
    if rows == 1:
        assert found.tags == ["_atom_site_label", "_atom_site_fract_x"]


def test_columns_in_memory_are_those_asked_for_and_there(loop):
    made = in_memory(loop, ["_atom_site.fract_x", "_absent", "_atom_site_label", "_atom_site_fract_x"])
    assert made.tags == ["_atom_site_fract_x", "_atom_site_label"]
    assert made.column("_atom_site_label") == ["C1", "C2", "C3", "C4"]


# ---------------------------------------------------------------- bonds that a file lists

SITES = [("C1", "C", 0.1, 0.1, 0.1), ("C2", "C", 0.25, 0.1, 0.1), ("C3", "C", 0.9, 0.1, 0.1)]


def listed(rows: str, columns: str = "atom_site_label_1 atom_site_label_2 distance site_symmetry_2") -> str:
    header = "\n".join(f"_geom_bond_{name}" for name in columns.split())
    return f"loop_\n{header}\n{rows}\n"


@pytest.mark.parametrize(
    ("rows", "listed_pairs", "words"),
    [
        ("C1 C2 1.5 .", [("C1", "C2", ".")], None),
        ("C1 C2 1.5 ?", [("C1", "C2", ".")], None),
        ("C1 C3 2.0 1_455", [("C1", "C3", "1_455")], None),
        (
            "C1 C2 1.7 .",
            [],
            "1 of 1 listed bonds do not fit the coordinates, e.g. C1-C2: listed 1.700 Å, computed 1.500 Å",
        ),
        ("C1 C9 1.5 .", [], "Bonds are listed for atoms that do not exist: C9."),
        ("C1 C2 1.5 7_555", [], "names operation 7"),
        ("C1 C2 1.5 nonsense_", [], "is not a symmetry code"),
        ("C1 C2 ? .", [], None),
    ],
)
def test_listed_bonds_are_used_where_they_fit_and_named_where_not(rows, listed_pairs, words):
    structure = Structure.from_cif(write_cif((10, 10, 10, 90, 90, 90), SITES, more=listed(rows)))
    found = [(bond.label_1, bond.label_2, bond.code) for bond in structure.bonds() if bond.listed]
    assert found == listed_pairs
    if words:
        assert any(words in note for note in structure.notes)


# ---------------------------------------------------------------- Cartesian coordinates

CELL = UnitCell.from_values((5, 6, 7, 80, 95, 110))


def cartesian_items(matrix, tags: str, vector=(0, 0, 0)) -> str:
    items = [f"{tags.format(i + 1, j + 1)} {matrix[i][j]:.10f}" for i in range(3) for j in range(3)]
    prefix = tags.split("_matrix")[0]
    items += [f"{prefix}_vector_{i + 1} {vector[i]}" for i in range(3)]
    return "\n".join(items) + "\n"


FRACT = "_atom_sites_fract_tran_matrix_{}{}"
CARTN = "_atom_sites_Cartn_tran_matrix_{}{}"


@pytest.mark.parametrize("way", ["stated to fractional", "stated to Cartesian", "shifted", "not stated"])
def test_coordinates_go_to_fractional_and_back(way):
    fract = np.array([[0.1, 0.2, 0.3], [-0.4, 1.2, 0.05]])
    # Other axes than ours: turned about z by 30°.
    turn = np.array([[np.cos(0.5), -np.sin(0.5), 0], [np.sin(0.5), np.cos(0.5), 0], [0, 0, 1]])
    matrix = turn @ CELL.orthogonalisation
    shift = np.array([1.0, -2.0, 0.5])
    if way == "not stated":
        text, places = "_a 1\n", CELL.to_cartesian(fract)
    elif way == "stated to Cartesian":
        text, places = cartesian_items(matrix, CARTN), fract @ matrix.T
    elif way == "shifted":
        text, places = cartesian_items(matrix, CARTN, shift), fract @ matrix.T + shift
    else:
        text, places = cartesian_items(np.linalg.inv(matrix), FRACT), fract @ matrix.T
    notes: list[str] = []
    found, su = to_fractional(places, np.full((2, 3), 0.01), block_of(text), CELL, notes)
    assert found == pytest.approx(fract, abs=1e-6)
    assert (su > 0).all()
    assert notes == []


def test_a_matrix_of_another_cell_is_noted_and_not_used():
    notes: list[str] = []
    places = CELL.to_cartesian([[0.1, 0.2, 0.3]])
    text = cartesian_items(np.eye(3), FRACT)
    found, _ = to_fractional(places, np.zeros((1, 3)), block_of(text), CELL, notes)
    assert found == pytest.approx(np.array([[0.1, 0.2, 0.3]]), abs=1e-9)
    assert len(notes) == 1
    assert "is not a matrix of this cell" in notes[0]


def test_su_of_a_rectangular_cell_are_divided_by_the_edges():
    """σ(x) = σ(X) / a where the axes are at right angles."""
    cell = UnitCell.from_values((5, 6, 7, 90, 90, 90))
    _, su = to_fractional(np.ones((1, 3)), np.array([[0.01, 0.02, 0.03]]), block_of("_a 1\n"), cell, [])
    assert su == pytest.approx(np.array([[0.01 / 5, 0.02 / 6, 0.03 / 7]]))
