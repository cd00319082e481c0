"""The constraints of a refinement as a CIF loop: each has a row with its atoms and its formula."""

import pytest
from qcrbox_refine.constraint_loop import constraint_rows
from small_models import shelx_model

RIDING = """C1 1 0.1 0.2 0.3 11 0.03
AFIX 43
H1 2 0.12 0.28 0.30 11 -1.2
AFIX 0
C2 1 0.3 0.2 0.3 11 0.03"""
CASES = {
    "nothing": ("C1 1 0.1 0.2 0.3 11 0.03", (), []),
    "a riding atom and its U": (
        RIDING,
        (),
        [
            # √((0.02 a)² + (0.08 b)² ) with a at right angles to b: 0.182² + 0.824² = 0.844².
            ("riding", "H1", "AFIX 43, on C1, distance 0.844 A"),
            ("riding_displacement", "H1", "U(iso) = 1.2 U(eq) of C1"),
        ],
    ),
    "a rigid group": (
        "AFIX 6\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.25 0.2 0.35 11 0.03\nAFIX 5\nC3 1 0.3 0.3 0.3 11 0.03\nAFIX 0",
        (),
        [("rigid_group", "C1 C2", "AFIX 6"), ("rigid_group", "C3", "AFIX 5")],
    ),
    "fixed atoms": (
        "AFIX 1\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.3 0.2 0.3 11 0.03\nAFIX 0",
        (),
        [("fixed", "C1 C2", "AFIX 1")],
    ),
    "equal positions and displacements": (
        "C1 1 0.1 0.2 0.3 10.5 0.03\nC2 1 0.1 0.2 0.3 10.5 0.03",
        ("EXYZ C1 C2", "EADP C1 C2"),
        [("equal_sites", "C1 C2", "."), ("equal_displacements", "C1 C2", ".")],
    ),
    "occupancies of one variable": (
        "C1 1 0.1 0.2 0.3 21 0.03\nC2 1 0.3 0.2 0.3 21 0.03\nC3 1 0.5 0.2 0.3 -21 0.03",
        (),
        [
            ("occupancy", "C1 C2", "occupancy = 1*FVAR2, FVAR2 = 0.6000"),
            ("occupancy", "C3", "occupancy = 1 -1*FVAR2, FVAR2 = 0.6000"),
        ],
    ),
    "coordinates and U of variables": (
        "C1 1 41 0.2 40.5 11 31\nC2 1 41 0.4 0.3 11 30.5",
        (),
        [
            ("coordinate", "C1 C2", "x = 1*FVAR4, FVAR4 = 0.2500"),
            ("coordinate", "C1", "z = 0.5*FVAR4, FVAR4 = 0.2500"),
            ("displacement", "C1", "U(iso) = 1*FVAR3, FVAR3 = 0.0400"),
            ("displacement", "C2", "U(iso) = 0.5*FVAR3, FVAR3 = 0.0400"),
        ],
    ),
    "elements of a tensor": (
        "C1 1 0.1 0.2 0.3 11 31 31 0.03 0 0 0",
        (),
        [
            ("displacement", "C1", "U11 = 1*FVAR3, FVAR3 = 0.0400"),
            ("displacement", "C1", "U22 = 1*FVAR3, FVAR3 = 0.0400"),
        ],
    ),
}


@pytest.mark.parametrize(("atoms", "cards", "expected"), CASES.values(), ids=CASES.keys())
def test_each_constraint_is_listed_with_its_atoms(atoms, cards, expected):
    assert constraint_rows(shelx_model(atoms, *cards)) == expected
