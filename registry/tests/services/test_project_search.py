"""One search over projects: by words, by formula, by unit cell."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from qcrbox_registry.services.project_search import cell_in, hits
from qcrbox_registry.services.reduced_cell import niggli

QUARTZ = (4.9134, 4.9134, 5.4052, 90.0, 90.0, 120.0)
NAMES = ("niggli_a", "niggli_b", "niggli_c", "niggli_alpha", "niggli_beta", "niggli_gamma")


def file(filename="a.cif", cell=None, **index):
    known = index | (dict(zip(NAMES, niggli(cell), strict=True)) if cell else {})
    return SimpleNamespace(filename=filename, index=known or None)


def node(name, *files, note=""):
    row = SimpleNamespace(name=name, files=list(files), annotation=SimpleNamespace(note=note))
    return SimpleNamespace(row=row)


def project(*nodes):
    return SimpleNamespace(nodes=list(nodes))


def found(whole, text):
    hit = hits(whole, text, niggli)
    return None if hit is None else [whole.nodes.index(each) for each in hit]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("4.9 4.9 5.4 90 90 120", (4.9, 4.9, 5.4, 90, 90, 120)),
        ("4.913(2), 4.913(2); 5.405(1) 90 90 120", (4.913, 4.913, 5.405, 90, 90, 120)),
        ("4.9\t4.9\n5.4 90 90 120", (4.9, 4.9, 5.4, 90, 90, 120)),
        ("4.9 4.9 5.4 90 90", None),
        ("4.9 4.9 5.4 90 90 180", None),
        ("0 4.9 5.4 90 90 120", None),
        ("-4.9 4.9 5.4 90 90 120", None),
        ("a b c 90 90 120", None),
        ("nan 4.9 5.4 90 90 120", None),
        ("1e9 4.9 5.4 90 90 120", None),
        ("", None),
    ],
)
def test_six_numbers_are_a_cell(text, cell):
    assert cell_in(text) == cell


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", []),
        ("   ", []),
        ("quartz", [0]),
        ("QUARTZ alpha", [0]),
        ("alpha quartz", [0]),
        ("twin", [1]),
        ("quartz twin", []),
        ("quartz gypsum", None),
        ("b.hkl", [1]),
        ("P 32 2 1", [0]),
    ],
    ids=["all", "blank", "word", "case", "order", "note", "together", "missing", "file", "space group"],
)
def test_words_are_found_in_one_node_or_in_all_together(text, places):
    whole = project(
        node("alpha-quartz", file(space_group_hm="P 32 2 1")), node("second", file("b.hkl"), note="a twin")
    )
    assert found(whole, text) == places


@pytest.mark.parametrize("text", ["O2 Si", "o2si", "O2  SI"])
def test_a_formula_is_found_however_it_is_spaced(text):
    assert found(
        project(node("x", file(formula_sum="O2 Si")), node("y", file(formula_sum="O4 Si2"))), text
    ) == [0]


@pytest.mark.parametrize(
    ("cell", "is_found"),
    [
        (QUARTZ, True),
        ((4.95, 4.95, 5.45, 90.0, 90.0, 120.0), True),  # 0.8 %
        ((5.1, 5.1, 5.6, 90.0, 90.0, 120.0), False),  # 4 %
        ((4.9134, 4.9134, 5.4052, 90.0, 90.0, 60.0), True),  # the same lattice by another angle
        ((5.4052, 4.9134, 4.9134, 120.0, 90.0, 90.0), True),  # the axes in another order
        ((4.9134, 4.9134, 5.4052, 90.0, 95.0, 120.0), False),
    ],
    ids=["same", "near", "far", "other setting", "other order", "other angle"],
)
def test_a_cell_is_found_by_its_lattice(cell, is_found):
    whole = project(node("x", file()), node("y", file(cell=QUARTZ)))
    text = " ".join(map(str, cell))
    assert found(whole, text) == ([1] if is_found else None)


def test_a_file_without_a_reduced_cell_is_not_found_by_one():
    assert found(project(node("x", file(niggli_a=4.9))), "4.9 4.9 5.4 90 90 120") is None
