"""Search by what CIFs say of themselves."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_registry.store import datasets, search, tags, trash
from qcrbox_registry.store.paging import Page
from qcrbox_registry.store.search import Cell, Wanted, hill
from qcrbox_registry.store.tags import Tagged

# formula, elements, Niggli cell, number and symbol of the space group, R1
CRYSTALS = {
    "thymine": ("C5 H6 N2 O2", "|C|H|N|O|", (6.86, 6.71, 12.87, 90.0, 105.2, 90.0), 14, "P 1 21/c 1", 0.031),
    "sucrose": ("C12 H22 O11", "|C|H|O|", (7.72, 8.69, 10.8, 90.0, 102.9, 90.0), 4, "P 1 21 1", 0.025),
    "ferrocene": ("C10 H10 Fe", "|C|Fe|H|", (5.9, 7.6, 10.5, 90.4, 121.1, 89.8), 14, "P 1 21/a 1", 0.08),
    "salt": ("Cl Na", "|Cl|Na|", (3.98, 3.98, 3.98, 60.0, 60.0, 60.0), 225, "F m -3 m", None),
}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def crystals(world):
    """name -> dataset id, each with an indexed CIF; one dataset `plain` without."""
    ids = {"plain": world.dataset("bob", files=("notes.txt",), name="thymine notes")[0]}
    for name, (formula, elements, cell, number, symbol, r1) in CRYSTALS.items():
        ids[name], (file,) = world.dataset("ada", files=(f"{name}.cif",), name=name)
        niggli = dict(zip(("a", "b", "c", "alpha", "beta", "gamma"), cell, strict=True))
        index = {"formula_sum": formula, "elements": elements, "r1": r1} | {
            f"niggli_{key}": value for key, value in niggli.items()
        }
        index |= {"space_group_number": number, "space_group_hm": symbol, "full": {}}
        world.write(lambda conn, file=file, index=index: datasets.put_index(conn, file, index, 1.0))
    return ids


def hits(world, crystals, **wanted):
    names = {dataset_id: name for name, dataset_id in crystals.items()}
    found = world.read(lambda conn: search.datasets_page(conn, None, Wanted(**wanted), Page(), 1000.0))
    return sorted(names[each] for each in found.ids)


EVERYTHING = ["ferrocene", "plain", "salt", "sucrose", "thymine"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, EVERYTHING),
        ({"formula": "C5H6N2O2"}, ["thymine"]),
        ({"formula": "O2 N2 H6 C5"}, ["thymine"]),
        ({"formula": "'C12 H22 O11'"}, ["sucrose"]),
        ({"formula": "NaCl"}, ["salt"]),
        ({"formula": "C5 H6 N2"}, []),
        ({"elements": ["C", "O"]}, ["sucrose", "thymine"]),
        ({"elements": ["fe"]}, ["ferrocene"]),
        ({"elements": ["C", "H", "O"], "only_elements": True}, ["sucrose"]),
        ({"elements": ["O", "C", "H", "C"], "only_elements": True}, ["sucrose"]),
        ({"elements": ["N", "A"]}, []),
        ({"elements": ["Na"]}, ["salt"]),
        ({"only_elements": True}, EVERYTHING),
        ({"space_group": "14"}, ["ferrocene", "thymine"]),
        ({"space_group": "P 1 21/c 1"}, ["thymine"]),
        ({"space_group": "p121/c1"}, ["thymine"]),
        ({"space_group": "P_1_21_1"}, ["sucrose"]),
        ({"space_group": "P21/c", "settings": ["P 1 21/c 1"]}, ["thymine"]),
        ({"space_group": "x", "settings": ["F m -3 m", "P 1 21 1"]}, ["salt", "sucrose"]),
        ({"space_group": "Fm-3m"}, ["salt"]),
        ({"space_group": "P 1"}, []),
        ({"r1_below": 0.05}, ["sucrose", "thymine"]),
        ({"r1_below": 0.031}, ["sucrose"]),
        ({"r1_above": 0.031}, ["ferrocene"]),
        ({"r1_above": 0.02, "r1_below": 0.03}, ["sucrose"]),
        ({"r1_below": 0.0}, []),
        ({"name": "salt"}, ["salt"]),
        ({"owner": "bob"}, ["plain"]),
        ({"text": "thymine"}, ["plain", "thymine"]),
        ({"text": "thymine notes"}, ["plain"]),
        ({"text": "notes.txt"}, ["plain"]),
        ({"text": "c10 h10"}, ["ferrocene"]),
        ({"text": "   "}, EVERYTHING),
        ({"text": "100%"}, []),
        ({"space_group": "14", "elements": ["N"]}, ["thymine"]),
    ],
    ids=str,
)
def test_a_dataset_is_found_by_what_its_cif_says(world, crystals, wanted, found):
    assert hits(world, crystals, **wanted) == found


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, True),
        ({"a": 6.86 * 1.019}, True),
        ({"a": 6.86 * 1.03}, False),
        ({"beta": 103.3}, True),
        ({"beta": 103.1}, False),
        ({"beta": 74.8}, False),  # far from 90° the supplement is another cell
        ({"alpha": 88.5}, True),
        ({"alpha": 92.1}, False),
        ({"c": 13.2, "length_tolerance": 0.03}, True),
        ({"gamma": 93.0, "angle_tolerance": 4.0}, True),
    ],
    ids=str,
)
def test_a_cell_is_found_within_its_tolerances(world, crystals, change, found):
    names = ("a", "b", "c", "alpha", "beta", "gamma")
    cell = Cell(**{**dict(zip(names, CRYSTALS["thymine"][2], strict=True)), **change})
    assert ("thymine" in hits(world, crystals, cell=cell)) is found


@pytest.mark.parametrize("angle", [89.6, 90.4])
def test_an_angle_that_crosses_90_is_its_supplement(world, crystals, angle):
    """A tiny change of the cell turns a type I into a type II Niggli cell."""
    a, b, c, _, beta, gamma = CRYSTALS["ferrocene"][2]
    cell = Cell(a, b, c, angle, beta, gamma, angle_tolerance=0.3)
    assert hits(world, crystals, cell=cell) == ["ferrocene"]


def test_tags_of_a_dataset_or_of_its_file_count(world, crystals):
    file = world.read(lambda conn: datasets.files_of(conn, [crystals["salt"]]))[crystals["salt"]][0]

    def tag(conn):
        ada = world.person["ada"]
        tags.add(conn, Tagged("dataset", crystals["thymine"], ada, 1.0), ["cold"])
        tags.add(conn, Tagged("data_file", file.id, ada, 1.0), ["cold"])

    world.write(tag)
    assert hits(world, crystals, tag="cold") == ["salt", "thymine"]
    assert hits(world, crystals, tag="col") == []
    assert hits(world, crystals, text="COLD") == ["thymine"]


def test_deleted_datasets_and_files_are_not_found(world, crystals):
    file = world.read(lambda conn: datasets.files_of(conn, [crystals["salt"]]))[crystals["salt"]][0]

    def delete(conn):
        trash.delete_dataset(conn, crystals["thymine"], world.person["ada"], 5.0)
        trash.delete_file(conn, file.id, world.person["ada"], 5.0)

    world.write(delete)
    assert hits(world, crystals, space_group="14") == ["ferrocene"]
    assert hits(world, crystals, formula="NaCl") == []
    assert hits(world, crystals, text="thymine") == ["plain"]


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"space_group": "231"}, "There is no space group number 231"),
        ({"space_group": "0"}, "There is no space group number 0"),
        ({"elements": ["C5"]}, "'C5' is not an element symbol"),
        ({"elements": [""]}, "'' is not an element symbol"),
        ({"elements": ["|"]}, "is not an element symbol"),
        ({"formula": "water"}, "is not a formula"),
        ({"formula": "?"}, "is not a formula"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused_and_finds_nothing_by_chance(world, crystals, wanted, text):
    with pytest.raises(UserInputError, match=text.replace("(", r"\(").replace("?", r"\?")):
        hits(world, crystals, **wanted)


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("C5H6N2O2", "C5 H6 N2 O2"),
        ("NaCl", "Cl Na"),
        ("H2O", "H2 O"),
        ("C1 H4", "C H4"),
        ("Br C10 H9", "C10 H9 Br"),
        ("D2 O", "D2 O"),
    ],
)
def test_formulas_are_in_hill_order(text, formula):
    assert hill(text) == formula


@pytest.mark.parametrize(
    ("wanted", "needs"),
    [
        (Wanted(), False),
        (Wanted(text="x", tag="y", name="z", owner="o"), False),
        (Wanted(r1_below=0.0), True),
        (Wanted(r1_above=0.0), True),
        (Wanted(formula="C"), True),
        (Wanted(elements=["C"]), True),
        (Wanted(space_group="1"), True),
        (Wanted(cell=Cell(1, 1, 1, 90, 90, 90)), True),
    ],
    ids=["nothing", "no CIF", "r1 below 0", "r1 above 0", "formula", "elements", "space group", "cell"],
)
def test_the_index_is_asked_only_when_a_condition_needs_it(wanted, needs):
    assert wanted.needs_index is needs
