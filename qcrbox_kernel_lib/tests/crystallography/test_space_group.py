"""Edge cases 12, 13 and 14: what files say about symmetry, and what they say differently."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import CifError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.monoclinic_symbols import monoclinic_number, operations_of_symbol
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.symmetry import close_group
from qcrbox.crystallography.symmetry_statements import SymmetryItems
from qcrbox.crystallography.symmetry_statements import resolve as resolve_items

from ..conftest import CifMaker, symops


def resolve(symops=(), *, cell=None, **items):
    return resolve_items(SymmetryItems(symops, **items), cell)


P21N = ["x,y,z", "-x+1/2,y+1/2,-z+1/2", "-x,-y,-z", "x-1/2,-y-1/2,z-1/2"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("P 21/n", "P 1 21/n 1"),
        ("P2(1)/n", "P 1 21/n 1"),
        ("P21/n", "P 1 21/n 1"),
        ("P 1 21/n 1", "P 1 21/n 1"),
        ("P 2_1/n", "P 1 21/n 1"),
        ("p 21/N", "P 1 21/n 1"),
        ("P2(1)2(1)2(1)", "P 21 21 21"),
        ("R -3 c :R", "R -3 c:R"),
        ("R -3 c :H", "R -3 c:H"),
        ("R-3m (H)", "R -3 m:H"),
        ("F d -3 m :2", "F d -3 m:2"),
        ("F d -3 m Z", "F d -3 m:2"),
        ("F d -3 m :1", "F d -3 m:1"),
        ("B 1", "B 1"),
        ("C -1", "C -1"),
        ("I 2/a", "I 1 2/a 1"),
        ("C m c e", "C m c a"),
        ("Pbca", "P b c a"),
        ("P 4(1) 2(1) 2", "P 41 21 2"),
        ("P 1 1 21/b", "P 1 1 21/b"),
        ("P 1 21/c 1 (No. 14)", "P 1 21/c 1"),
        ("C 2/c, No.15", "C 1 2/c 1"),
        ("H 3", "R 3:H"),
        # The databases' own marks of settings, with and without blanks.
        ("R -3 c RS", "R -3 c:R"),
        ("R -3 m HR", "R -3 m:H"),
        ("R-3mHR", "R -3 m:H"),
        ("R -3 m :hR", "R -3 m:H"),
        ("R-3cR", "R -3 c:R"),
        ("R-3mH", "R -3 m:H"),
        ("Fd-3mS", "F d -3 m:1"),
        ("I 41/a Z", "I 41/a:2"),
        ("P 6/m c c S", "P 6/m c c"),
        ("R 3 c {rhombohedral axes}", "R 3 c:R"),
        ("R -3 m (hexagonal axes)", "R -3 m:H"),
        ("F d -3 m (origin choice 2)", "F d -3 m:2"),
        ("P 4/n b m [origin 1]", "P 4/n b m:1"),
        # Full symbols.
        ("I 2/b 2/a 2/m", "I b a m"),
        ("P 21/n 21/m 21/a", "P n m a"),
        ("F 41/d -3 2/m :2", "F d -3 m:2"),
        ("P 4/m 2/m 2/m", "P 4/m m m"),
        ("I 41/a 2/c 2/d :2", "I 41/a c d:2"),
        ("R -3 2/m :H", "R -3 m:H"),
        ("P 63/m 2/m 2/c", "P 63/m m c"),
        # Markup of other texts.
        ("P 2_{1}/c", "P 1 21/c 1"),
        ("P 2~1~/c", "P 1 21/c 1"),
        ("P2<sub>1</sub>/c", "P 1 21/c 1"),
        ("P 1\u0305", "P -1"),
        (r"P \bar 1", "P -1"),
    ],
)
def test_hermann_mauguin_symbols_are_read_as_people_write_them(written: str, meant: str) -> None:
    assert SpaceGroup.from_hm(written).hm == meant


@pytest.mark.parametrize(
    ("symbol", "angles", "setting"),
    [
        ("R -3 m", (90, 90, 120), "R -3 m:H"),
        ("R -3 m", (62, 62, 62), "R -3 m:R"),
        ("P 21/c", (90, 101, 90), "P 1 21/c 1"),
        ("P 2/m", (90, 90, 95), "P 1 1 2/m"),
    ],
)
def test_an_open_setting_follows_from_the_cell(symbol: str, angles: tuple[float, ...], setting: str) -> None:
    assert SpaceGroup.from_hm(symbol, angles).hm == setting


@pytest.mark.parametrize(
    ("symbol", "angles", "taken"),
    [("R 3 c {rhombohedral axes}", (90, 90, 120), "R 3 c:H"), ("R -3 m :H", (62, 62, 62), "R -3 m:R")],
)
def test_axes_that_the_cell_does_not_have_are_noted_and_not_taken(
    symbol: str, angles: tuple[float, ...], taken: str
) -> None:
    group = SpaceGroup.from_hm(symbol, angles)
    assert group.hm == taken
    assert "the cell has the axes" in group.notes[0]
    assert SpaceGroup.from_hm("R -3 m :H", (90, 90, 120)).notes == ()


def test_a_setting_that_is_not_tabulated_is_noted() -> None:
    assert "not tabulated" in SpaceGroup.from_hm("P 6/m c c S").notes[0]


@pytest.mark.parametrize("symbol", ["R -3 m", "F d -3 m"])
def test_an_assumed_setting_is_noted(symbol: str) -> None:
    assert "assumed" in " ".join(SpaceGroup.from_hm(symbol).notes)


@pytest.mark.parametrize(
    ("symbol", "angles", "number", "operation"),
    [
        ("B 1 21/c 1", None, 14, "-x+1/2, y+1/2, -z"),
        ("B 21/c", (90, 97, 90), 14, "-x+1/2, y+1/2, -z"),
        ("B1 2(1)/c1", None, 14, "-x+1/2, y+1/2, -z"),
        ("F 1 2/m 1", None, 12, "x+1/2, y+1/2, z"),
        ("B 1 2/n 1", None, 10, "x+1/2, -y, z+1/2"),
        ("P 1 1 a", None, 7, "x+1/2, y, -z"),
    ],
)
def test_untabulated_monoclinic_symbols_give_their_operations(
    symbol: str, angles: tuple[float, ...] | None, number: int, operation: str
) -> None:
    group = SpaceGroup.from_hm(symbol, angles)
    assert group.number == number
    assert operation in [str(one) for one in group.operations]
    assert SpaceGroup.from_operations(group.operations).order == group.order


MONOCLINIC = [entry for entry in gemmi.spacegroup_table() if 3 <= entry.number <= 15]


@pytest.mark.parametrize("entry", MONOCLINIC, ids=[entry.xhm() for entry in MONOCLINIC])
def test_letters_of_every_monoclinic_symbol_mean_its_tabulated_operations(entry: gemmi.SpaceGroup) -> None:
    made = close_group(operations_of_symbol(entry.hm.lower()))
    assert SpaceGroup.from_operations(made).same_operations(SpaceGroup.from_entry(entry))
    assert monoclinic_number(made) == entry.number


@pytest.mark.parametrize("symbol", ["P 1 b 1", "Q 1 2 1", "P 1 3 1", "P"])
def test_what_is_no_monoclinic_symbol_has_no_operations(symbol: str) -> None:
    with pytest.raises(CifError):
        SpaceGroup.from_hm(symbol)


CODES = [
    ("F d -3 m", "2", "F d -3 m:2"),
    ("F d -3 m", "1", "F d -3 m:1"),
    ("R -3 m", "r", "R -3 m:R"),
    ("R -3 m", "h", "R -3 m:H"),
    ("P 21/c", "b1", "P 1 21/c 1"),
    ("P 2", "b1", "P 1 2 1"),
    ("P 2", "c1", "P 1 1 2"),
    ("P n n n", "2abc", "P n n n:2"),
    ("P b a n", "1", "P b a n:1"),
    ("P n c b", "2cab", "P n c b:2"),
]


@pytest.mark.parametrize(("symbol", "code", "meant"), CODES)
def test_the_coordinate_system_code_states_the_setting(symbol: str, code: str, meant: str) -> None:
    group = SpaceGroup.from_hm(symbol, code=code)
    assert group.hm == meant
    assert not group.notes


def test_the_code_chooses_the_setting_of_a_number_too() -> None:
    assert resolve(number=14, code="c2").hm == "P 1 1 21/n"
    assert resolve(number=227, code="2").notes == ()


def test_a_code_that_its_symbol_does_not_have_is_noted() -> None:
    group = resolve(hm="F d -3 m :1", code="2")
    assert group.hm == "F d -3 m:1"
    assert any("code '2'" in note for note in group.notes)


def test_a_file_states_its_origin_by_the_code(cif: CifMaker) -> None:
    """Diamond: at 1/8 1/8 1/8 of origin choice 2 there are 8 atoms in the cell, of choice 1 there would be 16."""
    group = "_space_group_name_H-M_alt 'F d -3 m'\n_space_group_IT_coordinate_system_code 2"
    structure = Structure.from_cif(cif((5.43,) * 3 + (90,) * 3, [("C1", "C", *(0.125,) * 3)], group=group))
    assert structure.cell_content == {"C": 8.0}
    assert not any("origin" in note for note in structure.notes)


@pytest.mark.parametrize(
    ("more", "meant", "atoms"),
    [
        ("_chemical_formula_sum Si\n_cell_formula_units_Z 8", "F d -3 m:2", 8.0),
        ("_chemical_formula_sum Si\n_cell_formula_units_Z 16", "F d -3 m:1", 16.0),
        ("_chemical_formula_sum Si2\n_cell_formula_units_Z 5", "F d -3 m:1", 16.0),
        ("_chemical_formula_sum Si", "F d -3 m:1", 16.0),
    ],
)
def test_an_unstated_origin_follows_from_the_contents_of_the_cell(
    cif: CifMaker, more: str, meant: str, atoms: float
) -> None:
    text = cif(
        (5.43,) * 3 + (90,) * 3, [("Si1", "Si", *(0.125,) * 3)], group="_space_group_name_H-M_alt 'F d -3 m'", more=more
    )  # fmt: skip
    structure = Structure.from_cif(text)
    assert (structure.space_group.hm, structure.cell_content["Si"]) == (meant, atoms)
    assert any("does not state its origin" in note for note in structure.notes)


def test_an_unstated_origin_follows_from_stated_multiplicities(cif: CifMaker) -> None:
    """A mineral file as databases write it: symbol, multiplicities and Wyckoff letters, no operations."""
    sites = (("Na1", "Na", 4, 0.25, 0.7512, 0.0047), ("Na2", "Na", 2, 0.25, 0.425, 0.25))
    columns = "label type_symbol symmetry_multiplicity fract_x fract_y fract_z"
    group = "_symmetry_space_group_name_H-M 'P M N M '"
    structure = Structure.from_cif(cif((5.2, 9.3, 7.1, 90, 90, 90), sites, columns, group=group))
    assert structure.space_group.hm == "P m n m:2"
    assert structure.cell_content == {"Na": 6.0}
    general = (("Na1", "Na", 8, 0.25, 0.7512, 0.0047), ("Na2", "Na", 8, 0.25, 0.425, 0.25))
    structure = Structure.from_cif(cif((5.2, 9.3, 7.1, 90, 90, 90), general, columns, group=group))
    assert structure.space_group.hm == "P m n m:1"


# Misprints: statements checked against each other and against the cell

OBLIQUE = UnitCell.from_values((12.556, 14.408, 14.996, 90, 91.56, 90))
ORTHOGONAL = UnitCell.from_values((8, 9, 10, 90, 90, 90))
MISPRINTED = ["x,y,z", "x,-y,-z", "-x+1/2,y+1/2,-z+1/2", "x+1/2,-y+1/2,z+1/2"]


def test_operations_that_the_cell_does_not_allow_give_way_to_symbols_that_fit() -> None:
    group = resolve(MISPRINTED, hm="P 1 21/n 1", hall="-P 2yn", cell=OBLIQUE)
    assert (group.hm, group.number, group.order) == ("P 1 21/n 1", 14, 4)
    (doubt,) = group.contradictions
    assert "P m n n" in doubt
    assert "the Hall symbol '-P 2yn' and the H-M symbol 'P 1 21/n 1'" in doubt


def test_codes_still_count_the_operations_of_a_misprinted_list() -> None:
    group = resolve(MISPRINTED, hm="P 1 21/n 1", cell=OBLIQUE)
    assert [str(operation) for operation in group.operations] == [
        "x, y, z",
        "-x, -y, -z",
        "-x+1/2, y+1/2, -z+1/2",
        "x+1/2, -y+1/2, z+1/2",
    ]
    assert group.readable(*group.parse_code("4_565")) == "x+1/2, -y+3/2, z+1/2"


def test_a_list_that_is_no_group_gives_way_to_a_symbol_with_as_many_operations() -> None:
    """The cell would allow the group that a wrong sign makes of P 21 21 21."""
    listed = ["x,y,z", "1/2-x,-y,1/2+z", "1/2+x,1/2-y,z", "-x,1/2+y,1/2-z"]
    assert resolve(listed, cell=ORTHOGONAL).number != 19
    group = resolve(listed, hm="P 21 21 21", cell=ORTHOGONAL)
    assert (group.hm, group.order) == ("P 21 21 21", 4)
    assert str(group.operations[2]) == "x+1/2, -y+1/2, -z"
    assert "no group as they are listed" in group.contradictions[0]


def test_a_list_of_generators_is_completed_and_trusted() -> None:
    for listed in (["-x,-y,-z", "-x,y+1/2,-z+1/2"], ["x,y,z", "-x,-y,-z", "-x,y+1/2,-z+1/2"]):
        group = resolve(listed, hm="P 21/c", number=14, cell=OBLIQUE)
        assert (group.hm, group.source, group.contradictions) == ("P 1 21/c 1", "symop", ())


def test_a_whole_list_that_fits_the_cell_is_trusted_against_all_symbols() -> None:
    group = resolve(P21N, hm="P 21/c", hall="-P 2ybc", cell=OBLIQUE)
    assert group.hm == "P 1 21/n 1"
    assert len(group.contradictions) == 2


def test_a_symbol_that_the_cell_does_not_allow_gives_way_to_one_it_allows() -> None:
    group = resolve(hall="-P 2 2", hm="P 2/m", cell=OBLIQUE)
    assert group.hm == "P 1 2/m 1"
    assert "Hall symbol '-P 2 2'" in group.contradictions[0]


def test_when_nothing_fits_the_cell_the_order_of_trust_holds_and_it_is_said() -> None:
    group = resolve(MISPRINTED, cell=OBLIQUE)
    assert group.hm == "P m n n"
    assert "The cell does not have the symmetry of P m n n." in group.notes


def test_an_unconstrained_cell_is_no_reason_for_doubt() -> None:
    cell = UnitCell.from_values((10.0, 10.02, 12.0, 90.05, 90, 90))
    symops_4 = [str(operation) for operation in SpaceGroup.from_hm("P 4/m").operations]
    group = resolve(symops_4, hm="P 2/m", cell=cell)
    assert group.hm == "P 4/m"


def test_two_symbols_that_differ_are_both_weighed(cif: CifMaker) -> None:
    group = "_space_group_name_H-M_alt 'P 21/c'\n_symmetry_space_group_name_H-M 'P 1 21/n 1'"
    structure = Structure.from_cif(cif(group=group))
    assert structure.space_group.hm == "P 1 21/c 1"
    assert "'P 1 21/n 1'" in structure.space_group.contradictions[0]


def test_unreadable_operations_are_left_out_and_named() -> None:
    group = resolve(["x,y,z", "-x,-y,-z", "-x,1/2+y,1/2:z", "x,1/2-y,1/2+z"], hm="P 21/c", cell=OBLIQUE)
    assert group.hm == "P 1 21/c 1"
    assert group.readable(*group.parse_code("3_555")) == "-x, y+1/2, -z+1/2"
    alone = resolve(["x,y,z", "-x,-y,-z", "-x,1/2+y,1/2:z", "x,1/2-y,1/2+z"], cell=OBLIQUE)
    assert alone.hm == "P 1 21/c 1"
    assert any("1/2:z" in note for note in alone.notes)


def test_an_unknown_symbol_says_what_to_give_instead() -> None:
    with pytest.raises(CifError, match="list of symmetry operations"):
        SpaceGroup.from_hm("P 7")


def test_the_number_alone_means_the_standard_setting_and_is_noted() -> None:
    group = resolve(number=14)
    assert group.hm == "P 1 21/c 1"
    assert group.source == "number"
    assert "standard setting" in group.notes[0]


def test_hall_alone_is_enough() -> None:
    assert resolve(hall="-P 2yn").hm == "P 1 21/n 1"


def test_nothing_given_is_p1_with_a_note() -> None:
    group = resolve()
    assert group.order == 1
    assert "No space group is given" in group.notes[0]


def test_operations_are_trusted_before_hall_before_symbol_before_number() -> None:
    group = resolve(P21N, hall="-P 2ybc", hm="P -1", number=15)
    assert group.hm == "P 1 21/n 1"
    assert group.source == "symop"
    assert len(group.contradictions) == 3
    assert resolve(hall="-P 2ybc", hm="P -1", number=15).hm == "P 1 21/c 1"
    assert resolve(hm="P -1", number=15).hm == "P -1"


def test_a_symbol_that_contradicts_the_operations_is_reported_with_both() -> None:
    (contradiction,) = resolve(["x,y,z", "-x,-y,-z"], hm="P 1").contradictions
    assert "P 1" in contradiction
    assert "P -1" in contradiction


def test_a_number_agrees_with_every_setting_of_its_group() -> None:
    assert resolve(P21N, hm="P 1 21/n 1", number=14).contradictions == ()


def test_a_symbol_without_setting_agrees_with_operations_of_any_setting() -> None:
    origin_2 = [str(operation) for operation in SpaceGroup.from_hm("F d -3 m :2").operations]
    assert resolve(origin_2, hm="F d -3 m", number=227).contradictions == ()


def test_a_damaged_operation_list_falls_back_to_the_symbol_and_says_so() -> None:
    group = resolve(["x,y,z", "nonsense"], hm="P -1")
    assert group.hm == "P -1"
    assert "nonsense" in " ".join(group.notes)


def test_both_spellings_of_the_operations_given_and_different_are_reported(cif: CifMaker) -> None:
    text = cif(group=symops("x,y,z", "-x,-y,-z") + "\n" + symops("x,y,z", tag="_symmetry_equiv_pos_as_xyz"))
    structure = Structure.from_cif(text)
    assert structure.space_group.hm == "P -1"
    assert any("_symmetry_equiv_pos_as_xyz" in note for note in structure.notes)


def test_old_spelling_of_the_operations_alone_is_read(cif: CifMaker) -> None:
    text = cif(group=symops(*P21N, tag="_symmetry_equiv_pos_as_xyz"))
    assert Structure.from_cif(text).space_group.hm == "P 1 21/n 1"


def test_an_id_column_from_zero_names_the_operations_in_codes(cif: CifMaker) -> None:
    rows = "\n".join(f"{number} '{operation}'" for number, operation in enumerate(P21N))
    text = cif(group=f"loop_\n_space_group_symop_id\n_space_group_symop_operation_xyz\n{rows}")
    group = Structure.from_cif(text).space_group
    assert group.readable(*group.parse_code("1_655")) == "-x+3/2, y+1/2, -z+1/2"
    assert group.code(1, (1, 0, 0)) == "1_655"
    assert group.readable(*group.parse_code("0_655")) == "x+1, y, z"


def test_codes_count_from_the_operations_as_the_file_writes_them() -> None:
    group = resolve(P21N)
    assert group.readable(*group.parse_code("4_565")) == "x-1/2, -y+1/2, z-1/2"


def test_a_duplicate_operation_keeps_its_number_and_is_noted() -> None:
    group = resolve(["x,y,z", "-x,-y,-z", "x+1,y,z", "-x,-y,-z"])
    assert group.order == 2
    assert any("twice" in note for note in group.notes)
    assert group.readable(*group.parse_code("3_555")) == "x+1, y, z"
    assert group.readable(*group.parse_code("4_655")) == "-x+1, -y, -z"


def test_a_code_of_an_unknown_operation_is_refused() -> None:
    with pytest.raises(CifError, match="operation 9"):
        resolve(P21N).parse_code("9_555")


def test_translations_beyond_24ths_still_make_a_group() -> None:
    group = resolve(["x,y,z", "x,y,z+1/5", "x,y,z+2/5", "x,y,z+3/5", "x,y,z+4/5"])
    assert group.order == 5
    assert group.contradictions == ()
