"""Which items of a CIF a command needs and a file lacks."""

from __future__ import annotations

import pytest
from qcrbox.cif.names import key
from qcrbox.spec import CifInput
from qcrbox_registry.services.required_items import missing_items

A, B, C = "_cell_length_a", "_cell_length_b", "_diffrn_reflns_number"
SETS = {"cell": {"required": [A, B]}, "empty": {}}


def lacking(entries, *present, sets=(), entry_sets=SETS):
    wanted = CifInput(required_entries=entries, required_entry_sets=list(sets))
    return missing_items({key(name) for name in present}, wanted, entry_sets)


@pytest.mark.parametrize(
    ("entries", "present", "missing"),
    [
        ([], [], []),
        ([A], [A], []),
        ([A], ["_cell.length_a"], []),
        ([A], ["_CELL_LENGTH_A"], []),
        ([A, B], [A], [B]),
        ([A, A], [], [A]),
        ([{"one_of": [A, B]}], [B], []),
        ([{"one_of": [A, B]}], [], [f"one of ({A}; {B})"]),
        ([{"one_of": [[A, B], C]}], [A], [f"one of ({A} with {B}; {C})"]),
        ([{"one_of": [[A, B], C]}], [A, B], []),
        ([{"one_of": [[A, B], C]}], [C], []),
        (["_cell_length_a_su"], [A], []),
        (["_atom_site_.*"], [], []),
        (["all_unified"], [], []),
    ],
    ids=["nothing", "there", "in DDLm", "in capitals", "one lacks", "named once", "either", "neither", "half of both",
         "both", "the other", "an s.u.", "a pattern", "anything"],
)  # fmt: skip
def test_what_is_lacking(entries, present, missing):
    assert lacking(entries, *present) == missing


def test_the_sets_of_the_application_count_and_an_unknown_one_needs_nothing():
    assert lacking([], A, sets=["cell"]) == [B]
    assert lacking([B], A, sets=["cell", "empty", "unknown"]) == [B]
