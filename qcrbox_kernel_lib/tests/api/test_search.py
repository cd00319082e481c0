"""What a search sends, and what it refuses before anything is sent."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.cell import UnitCell

from .records import dataset_record


@pytest.fixture
def asked(stored, server):
    """`asked(**options)`: the query that a search sends."""
    server["GET /api/search"] = {"datasets": [dataset_record("azu", "azu.cif")]}

    def search(**options):
        stored.search(**options)
        query = dict(server.sent("GET /api/search")[-1].query)
        query.pop("limit")
        return query

    return search


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"text": "a b"}, {"text": "a b"}),
        ({"elements": ["C", "Fe"]}, {"elements": "C,Fe"}),
        ({"elements": ("C", "Fe")}, {"elements": "C,Fe"}),
        ({"elements": "Fe"}, {"elements": "Fe"}),
        ({"R1_below": 0.05, "R1_above": 0.0}, {"r1_below": "0.05", "r1_above": "0.0"}),
        ({"space_group": 14}, {"space_group": "14"}),
        ({"only_elements": True, "elements": "C"}, {"only_elements": "true", "elements": "C"}),
        ({"cell": (10, 11.5, 12, 90, 90.25, 90)}, {"cell": "10,11.5,12,90,90.25,90"}),
        ({"cell": "10, 11.5 12 90 90.25 90"}, {"cell": "10,11.5,12,90,90.25,90"}),
        ({"cell": [10.123456, 1, 1, 90, 90, 90]}, {"cell": "10.123456,1,1,90,90,90"}),
        ({"tolerance": 0.02, "angle_tolerance": 2, "centring": "P"}, {"tolerance": "0.02", "angle_tolerance": "2", "centring": "P"}),
    ],
    ids=["text", "list", "tuple", "one element", "figures", "group", "only these", "cell", "cell as text", "all digits", "tolerances"],
)  # fmt: skip
def test_options_become_the_query(asked, options, query):
    assert asked(**options) == query


def test_the_cell_of_a_structure_may_be_given(asked, thpp):
    sent = [float(number) for number in asked(cell=thpp.cell)["cell"].split(",")]
    assert sent == pytest.approx(thpp.cell.parameters)
    assert isinstance(thpp.cell, UnitCell)


@pytest.mark.parametrize(
    "cell",
    [(10, 11, 12), "10 11", "a b c d e f", [1, 2, 3, 90, 90, None], 10, (1, 2, 3, 90, 90, float("nan"))],
    ids=["three", "two in a text", "words", "None", "a number", "nan"],
)
def test_what_is_no_cell_is_refused_before_anything_is_sent(stored, server, cell):
    with pytest.raises(UserInputError, match="six numbers"):
        stored.search(cell=cell)
    assert not server.requests


def test_a_slip_in_an_option_is_named(stored, server):
    with pytest.raises(UserInputError, match=r"no option 'element'. Did you mean 'elements'"):
        stored.search(element="C")
    with pytest.raises(UserInputError, match=r"no option 'zzz'. It has: text, name"):
        stored.search(zzz=1)
    assert not server.requests


def test_what_was_found_is_a_list_and_a_table(stored, server):
    server["GET /api/search"] = {"datasets": [dataset_record(name) for name in ("azu", "thpp")]}
    found = stored.search(text="<b>")
    assert [dataset.name for dataset in found] == ["azu", "thpp"]
    assert found[-1].name == "thpp"
    assert len(found[:1]) == 1
    assert "azu" in found
    assert "urea" not in found
    assert "2 found: text='<b>'" in repr(found)
    assert "<b>" not in found._repr_mimebundle_()["text/html"].replace("<b>azu", "")


def test_nothing_found_says_so(stored, server):
    server["GET /api/search"] = {"datasets": []}
    assert "No stored structure meets all conditions" in repr(stored.search(text="x"))
