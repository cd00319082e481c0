"""Hydrogen bonds wherever the file lists their atoms: lengths by gemmi, the angle by construction."""

from __future__ import annotations

import math
from collections.abc import Callable

import gemmi
import pytest
from qcrbox.api.box import Box
from qcrbox.api.stored_files import CifFile
from qcrbox.cif import read
from qcrbox.crystallography.structure import Structure
from qcrbox.display.report import Report

from ..conftest import symops

CifMaker = Callable[..., str]
CELL = (8.1, 9.3, 11.2, 90, 102, 90)
OPERATIONS = ("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2")  # P 21/c
GROUP = symops(*OPERATIONS)
DONOR, ACCEPTOR = (0.21, 0.17, 0.33), (0.34, 0.42, 0.41)
HYDROGEN = tuple(a + 0.3 * (b - a) for a, b in zip(DONOR, ACCEPTOR, strict=True))
MOVES = (*OPERATIONS, "x+1,y-1,z", "-x+1,-y,-z+1")
LOOP = "loop_\n" + "".join(
    f"_geom_hbond_{name}\n"
    for name in (*(f"atom_site_label_{end}" for end in "DHA"), *(f"site_symmetry_{end}" for end in "DHA"))
)


def moved(site: tuple[float, ...], operation: str) -> tuple[float, ...]:
    return tuple(gemmi.Op(operation).apply_to_xyz(list(site)))


def lengths(donor=DONOR, hydrogen=HYDROGEN, acceptor=ACCEPTOR) -> tuple[float, float, float]:
    """D-H, H···A, D···A by gemmi, Å."""
    cell = gemmi.UnitCell(*CELL)
    d, h, a = (cell.orthogonalize(gemmi.Fractional(*site)) for site in (donor, hydrogen, acceptor))
    return d.dist(h), h.dist(a), d.dist(a)


def made(cif: CifMaker, hydrogen="x,y,z", acceptor="x,y,z", more="", elements=("N", "O")) -> str:
    sites = [
        ("D1", elements[0], *DONOR),
        ("H1", "H", *moved(HYDROGEN, hydrogen)),
        ("A1", elements[1], *moved(ACCEPTOR, acceptor)),
    ]
    return cif(cell=CELL, sites=sites, group=GROUP, more=more)


@pytest.mark.parametrize("hydrogen", MOVES)
@pytest.mark.parametrize("acceptor", MOVES[:3])
def test_a_hydrogen_bond_is_found_wherever_its_atoms_are_listed(cif, hydrogen, acceptor) -> None:
    """Where H was listed beside an image of its donor, its bond was missing."""
    structure = Structure.from_cif(made(cif, hydrogen, acceptor))
    (bond,) = structure.hydrogen_bonds()
    assert (bond.d_h, bond.h_a, bond.d_a) == pytest.approx(lengths(), abs=1e-9)
    assert bond.angle == pytest.approx(180.0, abs=1e-4)
    (row,) = structure.hydrogen_bond_table()
    assert (row.d_h.value, row.h_a.value, row.d_a.value) == pytest.approx(lengths(), abs=6e-5)
    assert row.angle.value == pytest.approx(180.0, abs=1e-4)
    assert (row.code_d == ".") is (hydrogen == "x,y,z")


@pytest.mark.parametrize("hydrogen", MOVES[1:])
def test_the_codes_of_a_row_lead_from_the_sites_to_the_lengths(cif, hydrogen) -> None:
    structure = Structure.from_cif(made(cif, hydrogen, "-x,-y,-z"))
    (row,) = structure.hydrogen_bond_table()
    assert structure.distance(("D1", row.code_d), "H1").value == pytest.approx(row.d_h.value)
    assert structure.distance("H1", ("A1", row.code)).value == pytest.approx(row.h_a.value)
    assert structure.distance(("D1", row.code_d), ("A1", row.code)).value == pytest.approx(row.d_a.value)


@pytest.mark.parametrize(
    "codes",
    [
        "3_666 . 3_666",  # from the place of H
        ". 3_666 .",  # from the place of D, as the refinement writes it
        "2_555 4_464 2_555",  # from elsewhere: 2_555 after 3_666 is x-1, -y+3/2, z-1/2
    ],
)
def test_a_listed_bond_is_the_same_from_every_place(cif, codes) -> None:
    text = made(cif, "-x+1,-y+1,-z+1", more=f"{LOOP}D1 H1 A1 {codes}\n")
    (row,) = Structure.from_cif(text).hydrogen_bond_table()
    assert row.listed
    assert (row.d_h.value, row.h_a.value, row.d_a.value) == pytest.approx(lengths(), abs=6e-5)
    assert (row.code_d, row.code) == ("3_666", "3_666")


def test_where_the_codes_put_the_donor_elsewhere_its_bond_to_hydrogen_decides(cif) -> None:
    """Programs that give the code of A alone leave D at the place of the list."""
    text = made(cif, "-x,-y,-z", "-x,-y,-z", f"{LOOP}D1 H1 A1 . . .\n")
    (row,) = Structure.from_cif(text).hydrogen_bond_table()
    assert (row.listed, row.code_d, row.code) == (True, "3_555", ".")
    assert row.d_h.value == pytest.approx(lengths()[0], abs=6e-5)
    assert row.d_a.value == pytest.approx(lengths()[2], abs=6e-5)


def test_a_listed_bond_is_not_found_a_second_time_by_geometry(cif) -> None:
    text = made(cif, "-x,-y,-z", "-x,-y,-z", f"{LOOP}D1 H1 A1 3_555 . .\n")
    assert [bond.listed for bond in Structure.from_cif(text).hydrogen_bonds()] == [True]


@pytest.mark.parametrize("row", ["D1 H9 A1 . . .", "D1 H1 A1 9_555 . .", "D1 H1 A1 . . 3_5", "D1 . A1 . . ."])
def test_a_damaged_row_is_left_out_and_the_geometry_speaks(cif, row) -> None:
    structure = Structure.from_cif(made(cif, more=f"{LOOP}{row}\n"))
    (bond,) = structure.hydrogen_bonds()
    assert not bond.listed
    assert bond.d_a == pytest.approx(lengths()[2])


@pytest.mark.parametrize("elements", [("C", "O"), ("N", "C"), ("C", "C")])
def test_carbon_is_neither_donor_nor_acceptor(cif, elements) -> None:
    assert Structure.from_cif(made(cif, elements=elements)).hydrogen_bonds() == []


def test_a_hydrogen_on_a_centre_of_symmetry_has_one_bond_and_no_copy(cif) -> None:
    """O-H-O with H on the centre: O' is bonded as O is, so that a third atom beside is met by one D only once."""
    sites = [("O1", "O", 0.12, 0.0, 0.0), ("H1", "H", 0.0, 0.0, 0.0), ("N1", "N", 0.0, 0.24, 0.0)]
    text = cif(cell=(10, 10, 10, 90, 90, 90), sites=sites, group=symops("x,y,z", "-x,-y,-z"))
    names = [
        (bond.donor, bond.hydrogen, bond.acceptor, bond.operation, bond.translation)
        for bond in Structure.from_cif(text).hydrogen_bonds()
    ]
    assert len(names) == len(set(names))


def bent(angle: float, h_a: float) -> list[tuple[object, ...]]:
    """N-H 1.00 Å along x in a box of 15 Å, O at `h_a` Å and D-H···A `angle`."""
    turned = math.radians(180 - angle)
    x, y = 6 + h_a * math.cos(turned), 5 + h_a * math.sin(turned)
    return [
        ("N1", "N", 5 / 15, 5 / 15, 1 / 3),
        ("H1", "H", 6 / 15, 5 / 15, 1 / 3),
        ("O1", "O", x / 15, y / 15, 1 / 3),
    ]


@pytest.mark.parametrize(
    ("angle", "h_a", "found"),
    [(170, 1.9, True), (111, 1.9, True), (109, 1.9, False), (170, 2.59, True), (170, 2.7, False)],
)
def test_limits_of_angle_and_distance(cif, angle, h_a, found) -> None:
    """110° and the sum of Bondi's radii (H 1.09 or 1.20, O 1.52) less 0.12 Å."""
    structure = Structure.from_cif(cif(cell=(15, 15, 15, 90, 90, 90), sites=bent(angle, h_a)))
    limit = sum(map(radius_of, ("H", "O"))) - 0.12
    bonds = structure.hydrogen_bonds()
    assert bool(bonds) is (angle > 110 and h_a < limit)
    assert bool(bonds) is found
    if bonds:
        law_of_cosines = math.sqrt(1 + h_a**2 - 2 * h_a * math.cos(math.radians(angle)))
        assert bonds[0].d_a == pytest.approx(law_of_cosines, abs=1e-9)
        assert bonds[0].angle == pytest.approx(angle, abs=1e-6)


def radius_of(element: str) -> float:
    return gemmi.Element(element).vdw_r


class Unconnected:
    url = "http://127.0.0.1:9"


def test_the_report_marks_the_image_of_the_donor_too(cif) -> None:
    file = CifFile(Box(Unconnected()), {"qcrbox_file_id": "x", "filename": "a.cif", "filetype": "cif"})
    file._document = read(made(cif, "-x,-y,-z").encode())
    table = Report([file], ["a"]).hydrogen_bonds()
    assert [row[0] for row in table.rows] == ["D1(i)–H1…A1(i)"]
    assert "-x, -y, -z" in table.caption.replace("\N{MINUS SIGN}", "-")
