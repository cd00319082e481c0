"""Edge cases 12, 13 and 14: what files say about symmetry, and what they say differently."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.space_group import SpaceGroup, resolve
from qcrbox.crystallography.structure import Structure

from ..conftest import CifMaker, symops

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


@pytest.mark.parametrize("symbol", ["R -3 m", "F d -3 m"])
def test_an_assumed_setting_is_noted(symbol: str) -> None:
    assert "assumed" in " ".join(SpaceGroup.from_hm(symbol).notes)


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
