"""Rules of section 9: isotropic atoms made anisotropic."""

from __future__ import annotations

import pytest
from cctbx import adptbx, uctbx
from qcrbox.cif import read
from qcrbox.cif.document import Block
from qcrbox.contract.errors import CifError, UserInputError
from qcrbox.crystallography.anisotropic import iso_to_aniso

from ..conftest import CifMaker, aniso

COLUMNS = "label type_symbol fract_x fract_y fract_z U_iso_or_equiv adp_type"
SITES = [
    ("C2", "C", 0.1, 0.2, 0.3, 0.02, "Uiso"),
    ("C1", "C", 0.2, 0.2, 0.3, "0.0300(10)", "Uiso"),
    ("N1", "N", 0.3, 0.2, 0.3, 0.04, "Uani"),
    ("H1A", "H", 0.4, 0.2, 0.3, 0.05, "Uiso"),
]
MORE = (
    "loop_\n_atom_site_aniso_label\n"
    + "\n".join(f"_atom_site_aniso_U_{name}" for name in ("11", "22", "33", "12", "13", "23"))
    + "\n_atom_site_aniso_U_11_su\nN1 0.04 0.05 0.06 0 0 0 0.002\n"
)
CELL = (10, 11, 12, 90, 100, 90)


@pytest.fixture
def block(cif: CifMaker) -> Block:
    return read(cif(CELL, SITES, COLUMNS, more=MORE).encode())[0]


def tensor(block: Block, label: str) -> list[str]:
    loop = block.loop("_atom_site_aniso_label")
    assert loop is not None
    row = loop.texts("_atom_site_aniso_label").index(label)
    return [loop.column(f"_atom_site_aniso_U_{name}")[row] for name in ("11", "22", "33", "12", "13", "23")]


def test_the_checked_values_of_a_monoclinic_cell(block: Block) -> None:
    assert iso_to_aniso(block, by_name=["C2"]) == ["C2"]
    assert tensor(block, "C2") == [
        "0.02000000",
        "0.02000000",
        "0.02000000",
        "0.00000000",
        "0.00347296",
        "0.00000000",
    ]


def test_a_triclinic_sphere_is_the_one_of_cctbx(cif: CifMaker) -> None:
    cell = (7.1, 8.2, 9.3, 95.0, 101.0, 112.0)
    block = read(cif(cell, SITES, COLUMNS).encode())[0]
    iso_to_aniso(block, by_name=["C1"])
    expected = adptbx.u_cart_as_u_cif(uctbx.unit_cell(cell), (0.03, 0.03, 0.03, 0, 0, 0))
    assert [float(value) for value in tensor(block, "C1")] == pytest.approx(expected, abs=6e-9)


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ({}, []),
        ({"by_name": ["C1"]}, ["C1"]),
        ({"by_element": ["C"]}, ["C2", "C1"]),
        ({"by_element": ["h"]}, ["H1A"]),
        ({"by_regex": ["C[12]"]}, ["C2", "C1"]),
        ({"by_regex": ["1"]}, []),
        ({"by_regex": ["H"]}, ["H1A"]),
        ({"by_name": ["C1"], "by_element": ["H"], "by_regex": ["C2"]}, ["C2", "C1", "H1A"]),
        ({"by_element": ["N"]}, []),
        ({"by_element": ["N"], "overwrite": True}, ["N1"]),
    ],
    ids=str,
)
def test_the_three_ways_of_choosing_add_up_and_anisotropic_atoms_are_left_alone(
    block: Block, choice: dict, chosen: list[str]
) -> None:
    assert iso_to_aniso(block, **choice) == chosen


def test_nothing_chosen_changes_nothing(block: Block) -> None:
    before = [list(loop.rows) for loop in block.loops]
    iso_to_aniso(block)
    assert [list(loop.rows) for loop in block.loops] == before


def test_rows_are_sorted_as_the_atoms_and_types_are_set(block: Block) -> None:
    iso_to_aniso(block, by_element=["C", "H"])
    assert block.column("_atom_site_aniso_label") == ["C2", "C1", "N1", "H1A"]
    assert block.column("_atom_site_adp_type") == ["Uani"] * 4


def test_extra_columns_stay_with_their_rows(block: Block) -> None:
    iso_to_aniso(block, by_element=["C"])
    loop = block.loop("_atom_site_aniso_label")
    assert loop is not None
    assert loop.column("_atom_site_aniso_U_11_su") == [".", ".", "0.002"]


def test_overwriting_leaves_one_row_with_its_su_gone(block: Block) -> None:
    iso_to_aniso(block, by_name=["N1"], overwrite=True)
    loop = block.loop("_atom_site_aniso_label")
    assert loop is not None
    assert len(loop) == 1
    assert loop.column("_atom_site_aniso_U_11_su") == ["."]
    assert tensor(block, "N1")[:3] == ["0.04000000"] * 3


def test_the_loop_is_created_in_the_spelling_of_the_atoms(cif: CifMaker) -> None:
    old = read(cif(CELL, SITES[:2], COLUMNS).encode())[0]
    iso_to_aniso(old, by_name=["C1"])
    assert "_atom_site_aniso_U_11" in old.tags
    text = cif(CELL, SITES[:2], COLUMNS).replace("_atom_site_", "_atom_site.").lower().replace("c1", "C1")
    unified = read(text.encode())[0]
    iso_to_aniso(unified, by_name=["C1"])
    assert "_atom_site_aniso.u_11" in unified.tags


def test_an_unknown_name_is_named(block: Block) -> None:
    with pytest.raises(UserInputError, match="no atom C7"):
        iso_to_aniso(block, by_name=["C1", "C7"])


def test_a_broken_pattern_is_named(block: Block) -> None:
    with pytest.raises(UserInputError, match=r"'C\['"):
        iso_to_aniso(block, by_regex=["C["])


def test_an_atom_without_uiso_is_named(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.2, 0.3, "?", "Uiso")]
    with pytest.raises(CifError, match="C1 has no isotropic"):
        iso_to_aniso(read(cif(CELL, sites, COLUMNS).encode())[0], by_name=["C1"])


def test_negative_zero_is_written_as_zero(cif: CifMaker) -> None:
    cell = (10, 11, 12, 90.0000001, 90, 90)
    block = read(cif(cell, SITES[:1], COLUMNS).encode())[0]
    iso_to_aniso(block, by_name=["C2"])
    assert "-0.00000000" not in tensor(block, "C2")


def test_atoms_with_b_become_anisotropic_in_u(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.2, 0.3, 1.579136704)]
    columns = "label type_symbol fract_x fract_y fract_z B_iso_or_equiv"
    block = read(cif(CELL, sites, columns, more=aniso([])).encode(), on_error="keep")[0]
    iso_to_aniso(block, by_name=["C1"])
    assert tensor(block, "C1")[0] == "0.02000000"
