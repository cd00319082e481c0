"""Entries of specs: names and patterns, sets and choices."""

from __future__ import annotations

import pytest
from qcrbox.cif.convert import InputEntries, OutputEntries
from qcrbox.cif.convert.entries import collect, first_present, sets_by_name, shown_choice
from qcrbox.cif.convert.patterns import NameMatcher
from qcrbox.contract.errors import SpecError

TAGS = [
    "_cell_length_a",
    "_cell.length_b",
    "_atom_site_label",
    "_geom_bond_distance",
    "_shelx_res_file",
    "_My_Note",
]
CHOSEN = [
    ("_cell_length_a", [0]),
    ("_CELL.length_A", [0]),
    ("_cell_length_b", [1]),
    ("_cell.*", [0, 1]),
    ("_CELL.*", [0, 1]),
    ("_geom.*", [3]),
    ("_geom", []),
    (".*", [0, 1, 2, 3, 4, 5]),
    ("_cell_length_[ab]", [0, 1]),
    (r"_cell\.length_.", [0, 1]),
    ("_(cell|geom).*", [0, 1, 3]),
    ("_(?!cell).*", [2, 3, 4, 5]),
    (r"_(?!cell\.).*", [2, 3, 4, 5]),
    ("_atom_site.label", [2]),
    ("_shelx.res_file", [4]),
    ("_my_note", [5]),
    ("_my_n", []),
    ("", []),
]


@pytest.mark.parametrize(("entry", "places"), CHOSEN, ids=[row[0] or "nothing" for row in CHOSEN])
def test_an_entry_is_a_name_or_a_pattern_on_the_whole_name(entry, places):
    assert NameMatcher(entry, ["shelx"]).chosen(TAGS) == [TAGS[place] for place in places]


@pytest.mark.parametrize("entry", ["_x(", "_x[", "*", "_x(?P<", "_x{2,1}"])
def test_a_pattern_that_cannot_be_read_is_a_name_and_says_so(entry):
    matcher = NameMatcher(entry)
    assert matcher.chosen(["_x", "_y"]) == []
    assert matcher.problem.startswith(f"{entry} is not a valid regular expression: ")
    assert matcher.matches(entry)


def test_a_name_that_is_there_counts_before_the_pattern_it_could_be():
    """`_refine_ls.x` holds a point, which is any letter in a pattern."""
    assert NameMatcher("_a.b").chosen(["_a_b", "_axb"]) == ["_a_b"]


SETS = {
    "cell": {"required": ["_a", "_b"], "optional": ["_c"]},
    "more": {"required": ["_d"], "optional": ["_a"]},
}


@pytest.mark.parametrize(
    ("entries", "required", "optional"),
    [
        (InputEntries(required=["_x", "_x"], optional=["_y"]), ["_x"], ["_y"]),
        (InputEntries(required=["_x"], optional=["_x", "_y"]), ["_x"], ["_y"]),
        (InputEntries(required_sets=["cell"], entry_sets=SETS), ["_a", "_b"], ["_c"]),
        (InputEntries(optional_sets=["cell"], entry_sets=SETS), [], ["_a", "_b", "_c"]),
        (InputEntries(required_sets=["cell", "more"], entry_sets=SETS), ["_a", "_b", "_d"], ["_c"]),
        (InputEntries(required=["_c"], required_sets=["cell"], entry_sets=SETS), ["_c", "_a", "_b"], []),
        (InputEntries(), [], []),
    ],
    ids=["twice", "both", "required set", "optional set", "two sets", "set and entry", "nothing"],
)
def test_sets_add_their_entries_once(entries, required, optional):
    wanted = collect(entries)
    assert (wanted.required, wanted.optional) == (required, optional)


def test_choices_of_entries_and_sets_are_kept_as_alternatives():
    wanted = collect(InputEntries(required=[{"one_of": ["_a", ["_b", "_c"]]}], optional=[{"one_of": ["_d"]}]))
    assert wanted.required_choices == [[["_a"], ["_b", "_c"]]]
    assert wanted.optional_choices == [[["_d"]]]
    assert wanted.names == ["_a", "_b", "_c", "_d"]


@pytest.mark.parametrize(("entry", "everything"), [("all_unified", True), ("_a", False)])
def test_the_word_for_the_whole_file(entry, everything):
    assert collect(InputEntries(optional=[entry])).everything is everything
    assert "all_unified" not in collect(InputEntries(optional=[entry])).names


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (InputEntries(required=[{"any_of": ["_a"]}]), "cannot be understood"),
        (InputEntries(required=[5]), "cannot be understood"),
        (InputEntries(required_sets=["cel"], entry_sets=SETS), "cel"),
        (InputEntries(required_sets=["x"]), "x"),
        (InputEntries(entry_sets=[{"required": ["_a"]}]), "An entry set has no name"),
        (InputEntries(entry_sets={"s": {"requires": ["_a"]}}), "unknown key 'requires'"),
    ],
    ids=["another key", "a number", "misspelt set", "no sets", "no name", "another key of a set"],
)
def test_entries_that_cannot_be_understood_are_shown(entries, words):
    with pytest.raises(SpecError, match=words) as caught:
        collect(entries)
    assert caught.value.where


@pytest.mark.parametrize("dialect", ["", "unified ", "DDL1", "cif2"])
def test_a_dialect_has_one_of_two_names(dialect):
    with pytest.raises(SpecError, match="Use unified or ddl1"):
        InputEntries(dialect=dialect)


def test_sets_of_both_forms_are_the_same():
    listed = [{"name": name, **content} for name, content in SETS.items()]
    assert (
        sets_by_name(listed)
        == sets_by_name(SETS)
        == {
            "cell": {"required": ["_a", "_b"], "optional": ["_c"]},
            "more": {"required": ["_d"], "optional": ["_a"]},
        }
    )
    assert sets_by_name([{"name": "s", "required": None}]) == {"s": {"required": [], "optional": []}}


@pytest.mark.parametrize(
    ("present", "chosen"),
    [("_a", ["_a"]), ("_b _c", ["_b", "_c"]), ("_b", None), ("", None), ("_a _b _c", ["_a"])],
)
def test_the_first_alternative_of_which_all_members_are_there(present, chosen):
    assert first_present([["_a"], ["_b", "_c"]], present.split().__contains__) == chosen
    assert first_present([[]], lambda name: True) is None


def test_alternatives_in_words():
    assert shown_choice([["_a"], ["_b", "_c"]]) == "one of _a, (_b and _c)"


def test_an_output_without_declaration_takes_the_entries_of_the_input():
    made = OutputEntries.of_input(InputEntries(required=["_a"], optional_sets=["s"], custom_categories=["x"]))
    assert (made.required, made.optional_sets, made.custom_categories) == (["_a"], ["s"], ["x"])
    assert made.missing_is_warning
    assert not made.is_empty
    assert OutputEntries().is_empty
