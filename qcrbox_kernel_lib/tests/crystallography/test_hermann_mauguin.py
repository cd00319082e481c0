"""Hermann-Mauguin symbols in every spelling: the right group, or a refusal; never another group."""

from __future__ import annotations

import re

import gemmi
import pytest
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.hermann_mauguin import find_by_hm, plain_symbol, split_setting
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.symmetry import SymmetryOperation

TABLE = list(gemmi.spacegroup_table())
# `21` within a word is a screw axis where the second digit is the smaller one.
SCREW = re.compile(r"([2-6])([1-5])(?=[/ :]|$)")
SUBSCRIPTS = str.maketrans("12345", "₁₂₃₄₅")


def screws(symbol: str, form: str) -> str:
    """The symbol with its screw axes written as `form`, which takes the axis and the subscript."""
    return SCREW.sub(
        lambda m: form.format(m[1], m[2], m[2].translate(SUBSCRIPTS)) if m[2] < m[1] else m[0], symbol
    )


SPELLINGS = {
    "as tabulated": lambda symbol: symbol,
    "without blanks": lambda symbol: symbol.replace(" ", ""),
    "in lower case": str.lower,
    "with underscores": lambda symbol: symbol.replace(" ", "_"),
    "blanks around": lambda symbol: f"  {symbol} ",
    "quoted": lambda symbol: f"'{symbol}'",
    "screws in brackets": lambda symbol: screws(symbol, "{0}({1})"),
    "screws as subscripts": lambda symbol: screws(symbol, "{0}{2}"),
    "screws as CIF markup": lambda symbol: screws(symbol, "{0}~{1}~"),
    "screws as HTML": lambda symbol: screws(symbol, "{0}<sub>{1}</sub>"),
    "screws as TeX": lambda symbol: screws(symbol, "{0}_{{{1}}}"),
    "a minus sign": lambda symbol: symbol.replace("-", "\N{MINUS SIGN}"),
    "a bar above": lambda symbol: re.sub(r"-(\d)", "\\1\N{COMBINING OVERLINE}", symbol),
    "wide digits": lambda symbol: symbol.replace("2", "\N{FULLWIDTH DIGIT TWO}"),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_tabulated_setting_is_read_in_this_spelling(spelling) -> None:
    read = {entry.xhm(): find_by_hm(spelling(entry.xhm())) for entry in TABLE}
    # Some settings stand in the table twice, under two symbols.
    wrong = [
        entry.xhm()
        for entry in TABLE
        if not read[entry.xhm()] or read[entry.xhm()][0].operations() != entry.operations()
    ]
    assert wrong == []


FULL = {
    "P 21/n 21/m 21/a": "P n m a",
    "P 21/b 21/c 21/a": "P b c a",
    "C 2/m 2/c 21/m": "C m c m",
    "P 2/m -3": "P m -3",
    "P 4/m -3 2/m": "P m -3 m",
    "P 63/m 2/m 2/c": "P 63/m m c",
    "P -3 2/m 1": "P -3 m 1",
    "P -3 1 2/m": "P -3 1 m",
    "R -3 2/c": "R -3 c:H",
    "F 41/d -3 2/m": "F d -3 m:1",
    "I 41/a 2/c 2/d": "I 41/a c d:1",
}


@pytest.mark.parametrize(("full", "short"), FULL.items())
def test_a_full_symbol_is_the_group_of_its_short_one(full: str, short: str) -> None:
    entry = gemmi.find_spacegroup_by_name(short)
    assert SpaceGroup.from_hm(full).signature == SpaceGroup.from_hall(entry.hall).signature


# By hand: the centring, the inversion at the origin, and the rotation, whose shift is that of screw and glide together.
NOT_TABULATED = {
    "C 1 21/c 1": ["x+1/2,y+1/2,z", "-x,-y,-z", "-x,y+1/2,-z+1/2"],
    "I 1 21/a 1": ["x+1/2,y+1/2,z+1/2", "-x,-y,-z", "-x+1/2,y+1/2,-z"],
    "A 1 21/m 1": ["x,y+1/2,z+1/2", "-x,-y,-z", "-x,y+1/2,-z"],
    "B 1 21/c 1": ["x+1/2,y,z+1/2", "-x,-y,-z", "-x,y+1/2,-z+1/2"],
    "C 1 1 21/b": ["x+1/2,y+1/2,z", "-x,-y,-z", "-x,-y+1/2,z+1/2"],
    "B 21/b 1 1": ["x+1/2,y,z+1/2", "-x,-y,-z", "x+1/2,-y+1/2,-z"],
}


@pytest.mark.parametrize(("symbol", "generators"), NOT_TABULATED.items())
def test_a_monoclinic_symbol_that_no_table_lists_keeps_its_axis_and_its_inversion(
    symbol: str, generators: list[str]
) -> None:
    """The plane alone, `C 1 c 1`, is a group of half the order."""
    expected = gemmi.GroupOps([gemmi.Op("x,y,z"), *(gemmi.Op(triplet) for triplet in generators)])
    expected.add_missing_elements()
    group = SpaceGroup.from_hm(symbol)
    assert group.same_operations(
        SpaceGroup.from_operations([SymmetryOperation.parse(operation.triplet()) for operation in expected])
    )
    assert "not a tabulated setting" in group.notes[0]


WRONG = [
    "",
    "P",
    "P 1 23/c 1",
    "P 1 22/c 1",
    "P 1 21#/c 1",
    "P 1 m/c 1",
    "P 1 21/x 1",
    "P 1 21/b 1",  # no glide plane moves along its own normal
    "P 22/n 21/m 21/a",
    "P 7/m m m",
    "P 21/c P 21/c",
    "Q 1",
    "P 1 2\N{SNOWMAN}/c 1",
]


@pytest.mark.parametrize("symbol", WRONG)
def test_what_is_no_symbol_is_refused_instead_of_read_in_part(symbol: str) -> None:
    with pytest.raises(CifError, match="not a known Hermann-Mauguin symbol"):
        SpaceGroup.from_hm(symbol)


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("R -3 c :R", ("r -3 c", "r")),
        ("R -3 m (H)", ("r -3 m", "h")),
        ("R-3mHR", ("r-3m", "h")),
        ("F d -3 m Z", ("f d -3 m", "2")),
        ("F d -3 m S", ("f d -3 m", "1")),
        ("F d -3 m (origin choice 2)", ("f d -3 m", "2")),
        ("R 3 c {rhombohedral axes}", ("r 3 c", "r")),
        ("P 1 21/c 1 (No. 14)", ("p 1 21/c 1", "")),
        ("P b c a (61)", ("p b c a", "")),
        ("C 2/c, No.15", ("c 2/c", "")),
        ("P 21 21 21", ("p 21 21 21", "")),
    ],
)
def test_the_setting_and_the_number_are_taken_off(symbol: str, expected: tuple[str, str]) -> None:
    assert split_setting(symbol) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "'", "\x00", "\N{COMBINING OVERLINE}", "$$", "\\bar", "P" * 10_000]
)
def test_any_text_is_answered(text: str) -> None:
    assert isinstance(plain_symbol(text), str)
    assert find_by_hm(text) == []
