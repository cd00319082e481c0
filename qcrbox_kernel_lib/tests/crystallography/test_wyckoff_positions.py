"""Site symmetries and multiplicities of special positions, as International Tables A lists them."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.crystallography.structure import Structure

from ..conftest import write_cif

CUBIC = (6, 6, 6, 90, 90, 90)
TETRAGONAL = (6, 6, 9, 90, 90, 90)
HEXAGONAL = (6, 6, 9, 90, 90, 120)
ORTHORHOMBIC = (6, 7, 9, 90, 90, 90)
MONOCLINIC = (6, 7, 9, 90, 101, 90)
TRICLINIC = (6, 7, 9, 80, 95, 101)
RHOMBOHEDRAL = (6, 6, 6, 65, 65, 65)
# Group, cell, Wyckoff letter, coordinates, multiplicity, class of the site symmetry.
POSITIONS = [
    ("P -1", TRICLINIC, "a", (0, 0, 0), 1, "-1"),
    ("P -1", TRICLINIC, "h", (0.5, 0.5, 0.5), 1, "-1"),
    ("P -1", TRICLINIC, "i", (0.1, 0.2, 0.3), 2, "1"),
    ("P 1 2/m 1", MONOCLINIC, "a", (0, 0, 0), 1, "2/m"),
    ("P 1 2/m 1", MONOCLINIC, "i", (0, 0.2, 0), 2, "2"),
    ("P 1 2/m 1", MONOCLINIC, "m", (0.1, 0, 0.3), 2, "m"),
    ("P 1 21/c 1", MONOCLINIC, "a", (0, 0, 0), 2, "-1"),
    ("P 1 21/c 1", MONOCLINIC, "e", (0.1, 0.2, 0.3), 4, "1"),
    ("C 1 2/c 1", MONOCLINIC, "a", (0, 0, 0), 4, "-1"),
    ("C 1 2/c 1", MONOCLINIC, "e", (0, 0.2, 0.25), 4, "2"),
    ("C 1 2/c 1", MONOCLINIC, "f", (0.1, 0.2, 0.3), 8, "1"),
    ("P n m a", ORTHORHOMBIC, "a", (0, 0, 0), 4, "-1"),
    ("P n m a", ORTHORHOMBIC, "c", (0.1, 0.25, 0.3), 4, "m"),
    ("C m c m", ORTHORHOMBIC, "a", (0, 0, 0), 4, "2/m"),
    ("C m c m", ORTHORHOMBIC, "c", (0, 0.1, 0.25), 4, "mm2"),
    ("F d d 2", ORTHORHOMBIC, "a", (0, 0, 0.1), 8, "2"),
    ("I m m m", ORTHORHOMBIC, "a", (0, 0, 0), 2, "mmm"),
    ("P 2 2 2", ORTHORHOMBIC, "a", (0, 0, 0), 1, "222"),
    ("I 4/m m m", TETRAGONAL, "a", (0, 0, 0), 2, "4/mmm"),
    ("I 4/m m m", TETRAGONAL, "d", (0, 0.5, 0.25), 4, "-42m"),
    ("I 4/m m m", TETRAGONAL, "e", (0, 0, 0.1), 4, "4mm"),
    ("P -4", TETRAGONAL, "a", (0, 0, 0), 1, "-4"),
    ("P 4/m", TETRAGONAL, "a", (0, 0, 0), 1, "4/m"),
    ("P 4 2 2", TETRAGONAL, "a", (0, 0, 0), 1, "422"),
    ("P 42/m n m", TETRAGONAL, "a", (0, 0, 0), 2, "mmm"),
    ("P 42/m n m", TETRAGONAL, "f", (0.3, 0.3, 0), 4, "mm2"),
    ("R -3 m :H", HEXAGONAL, "a", (0, 0, 0), 3, "-3m"),
    ("R -3 m :H", HEXAGONAL, "c", (0, 0, 0.1), 6, "3m"),
    ("R -3 m :H", HEXAGONAL, "e", (0.5, 0, 0), 9, "2/m"),
    ("R -3 m :R", RHOMBOHEDRAL, "a", (0, 0, 0), 1, "-3m"),
    ("R -3 m :R", RHOMBOHEDRAL, "c", (0.1, 0.1, 0.1), 2, "3m"),
    ("R -3 c :H", HEXAGONAL, "a", (0, 0, 0.25), 6, "32"),
    ("R -3 c :H", HEXAGONAL, "b", (0, 0, 0), 6, "-3"),
    ("P 3", HEXAGONAL, "a", (0, 0, 0.1), 1, "3"),
    ("P 3", HEXAGONAL, "b", ("0.33333", "0.66667", 0.1), 1, "3"),
    ("P 63/m m c", HEXAGONAL, "a", (0, 0, 0), 2, "-3m"),
    ("P 63/m m c", HEXAGONAL, "c", ("0.33333", "0.66667", 0.25), 2, "-6m2"),
    ("P 63/m m c", HEXAGONAL, "f", ("0.33333", "0.66667", 0.1), 4, "3m"),
    ("P 6/m m m", HEXAGONAL, "a", (0, 0, 0), 1, "6/mmm"),
    ("P 6/m m m", HEXAGONAL, "f", (0.5, 0, 0), 3, "mmm"),
    ("P 6/m", HEXAGONAL, "a", (0, 0, 0), 1, "6/m"),
    ("P -6", HEXAGONAL, "a", (0, 0, 0), 1, "-6"),
    ("P 6 2 2", HEXAGONAL, "a", (0, 0, 0), 1, "622"),
    ("P 6 m m", HEXAGONAL, "a", (0, 0, 0.1), 1, "6mm"),
    ("F m -3 m", CUBIC, "a", (0, 0, 0), 4, "m-3m"),
    ("F m -3 m", CUBIC, "c", (0.25, 0.25, 0.25), 8, "-43m"),
    ("F m -3 m", CUBIC, "d", (0, 0.25, 0.25), 24, "mmm"),
    ("F m -3 m", CUBIC, "e", (0.2, 0, 0), 24, "4mm"),
    ("F m -3 m", CUBIC, "f", (0.1, 0.1, 0.1), 32, "3m"),
    ("F m -3 m", CUBIC, "l", (0.1, 0.22, 0.37), 192, "1"),
    ("F d -3 m :1", CUBIC, "a", (0, 0, 0), 8, "-43m"),
    ("F d -3 m :2", CUBIC, "a", (0.125, 0.125, 0.125), 8, "-43m"),
    ("F d -3 m :2", CUBIC, "c", (0, 0, 0), 16, "-3m"),
    ("P m -3", CUBIC, "a", (0, 0, 0), 1, "m-3"),
    ("P 2 3", CUBIC, "a", (0, 0, 0), 1, "23"),
    ("P 4 3 2", CUBIC, "a", (0, 0, 0), 1, "432"),
    ("I a -3 d", CUBIC, "a", (0, 0, 0), 16, "-3"),
    ("I a -3 d", CUBIC, "c", (0.125, 0, 0.25), 24, "222"),
]


@pytest.mark.parametrize(
    ("group", "cell", "letter", "place", "multiplicity", "symbol"),
    POSITIONS,
    ids=[f"{row[0]} {row[4]}{row[2]}" for row in POSITIONS],
)
def test_a_position_has_the_multiplicity_and_symmetry_of_international_tables(
    group, cell, letter, place, multiplicity, symbol
):
    del letter
    text = write_cif(cell, [("Cu1", "Cu", *place)], group=f"_space_group_name_H-M_alt '{group}'")
    structure = Structure.from_cif(text)
    assert structure.site_symmetry("Cu1") == symbol
    assert int(structure.images.symmetry.multiplicity[0]) == multiplicity
    assert structure.cell_content == {"Cu": multiplicity}
    # The order of the group is that of the site symmetry times the multiplicity.
    assert len(structure.images.symmetry.stabiliser[0]) * multiplicity == structure.space_group.order


# Structure types: distance, number of nearest neighbours and angle follow from the geometry of the type by hand.
TYPES = {
    "rock salt": ("F m -3 m", 5.64, [("Na1", "Na", 0, 0, 0), ("Cl1", "Cl", 0.5, 0.5, 0.5)], 5.64 / 2, 6),
    "caesium chloride": (
        "P m -3 m",
        4.12,
        [("Cs1", "Cs", 0, 0, 0), ("Cl1", "Cl", 0.5, 0.5, 0.5)],
        4.12 * 3**0.5 / 2,
        8,
    ),
    "zinc blende": (
        "F -4 3 m",
        5.41,
        [("Zn1", "Zn", 0, 0, 0), ("S1", "S", 0.25, 0.25, 0.25)],
        5.41 * 3**0.5 / 4,
        4,
    ),
    "fluorite": (
        "F m -3 m",
        5.46,
        [("Ca1", "Ca", 0, 0, 0), ("F1", "F", 0.25, 0.25, 0.25)],
        5.46 * 3**0.5 / 4,
        8,
    ),
}


@pytest.mark.parametrize(("group", "a", "sites", "length", "count"), TYPES.values(), ids=TYPES)
def test_nearest_neighbours_of_the_cubic_types(group, a, sites, length, count):
    structure = Structure.from_cif(
        write_cif((a, a, a, 90, 90, 90), sites, group=f"_space_group_name_H-M_alt '{group}'")
    )
    images = structure.images
    first, image, distance = images.around(np.arange(2), length + 0.01)
    other = (first == 0) & (image.site == 1)
    assert distance[other].round(6).tolist() == [pytest.approx(length, abs=1e-6)] * count


def test_diamond_has_four_bonds_in_the_angle_of_the_tetrahedron():
    """a √3 / 4, and arccos(-1/3) = 109.4712°."""
    text = write_cif(
        (3.567, 3.567, 3.567, 90, 90, 90),
        [("C1", "C", 0.125, 0.125, 0.125)],
        group="_space_group_name_H-M_alt 'F d -3 m :2'",
    )
    structure = Structure.from_cif(text)
    assert all(bond.length.value == pytest.approx(3.567 * 3**0.5 / 4, abs=1e-4) for bond in structure.bonds())
    assert len(structure.edges) == 4
    assert [angle.angle.value for angle in structure.angles()] == [pytest.approx(109.4712, abs=1e-3)] * 6
