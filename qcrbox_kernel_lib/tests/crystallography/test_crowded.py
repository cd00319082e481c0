"""Files whose cell is a placeholder, or that list elements: no crystal, but soon read and shown."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.validation import MOST_ALERTS, validate
from qcrbox.cif import read
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.structure import Structure

from ..conftest import CifMaker

ELEMENTS = [gemmi.Element(number).name for number in range(1, 101)]
UNIT = (1, 1, 1, 90, 90, 90)


@pytest.mark.parametrize("group", ["P 1", "F m -3 m", "P 21/c"])
@pytest.mark.parametrize("place", [(0, 0, 0), (0.13, 0.27, 0.41)])
def test_a_list_of_elements_at_one_place_has_no_bonds_and_says_why(
    cif: CifMaker, group: str, place: tuple[float, ...]
) -> None:
    sites = [(f"{element}1", element, *place) for element in ELEMENTS]
    structure = Structure.from_cif(cif(UNIT, sites, group=f"_space_group_name_H-M_alt '{group}'"))
    assert len(structure.atoms) == 100
    assert len(structure.edges) == 0
    assert len(structure.short_contacts()) == 0
    assert any("no crystal" in note for note in structure.notes)


def test_a_molecule_in_a_placeholder_cell_has_its_own_bonds_only(cif: CifMaker) -> None:
    """Water in Å, as programs write coordinates without a crystal."""
    sites = (("O1", "O", 10.0, 5.0, 3.0), ("H1", "H", 10.96, 5.0, 3.0), ("H2", "H", 9.76, 5.93, 3.0))
    structure = Structure.from_cif(cif(UNIT, sites))
    assert [(bond.label_1, bond.label_2, bond.code) for bond in structure.bonds()] == [
        ("O1", "H1", "."),
        ("O1", "H2", "."),
    ]
    assert structure.distance("O1", "H1").value == pytest.approx(0.96)
    assert len(structure.atoms) == 3


def test_dense_matter_is_still_a_crystal(cif: CifMaker) -> None:
    diamond = Structure.from_cif(
        cif(
            (3.567, 3.567, 3.567, 90, 90, 90),
            (("C1", "C", 0.125, 0.125, 0.125),),
            group="_space_group_name_H-M_alt 'F d -3 m :2'",
        )
    )
    assert not diamond.images.is_overcrowded
    assert len(diamond.edges.of(0)) == 4


def test_alternatives_at_one_place_are_no_crowd(cif: CifMaker) -> None:
    """Twenty partial atoms on one site of a small cell."""
    sites = [(f"{element}1", element, 0, 0, 0, 0.05) for element in ELEMENTS[20:40]]
    structure = Structure.from_cif(
        cif((3, 3, 3, 90, 90, 90), sites, "label type_symbol fract_x fract_y fract_z occupancy")
    )
    assert not structure.images.is_overcrowded


def test_alerts_of_one_kind_are_counted_beyond_a_hundred(cif: CifMaker) -> None:
    rows = np.arange(6 * MOST_ALERTS)
    sites = [(f"C{row}", "C", 0.04 * (row % 25) + 0.01, 0.04 * (row // 25) + 0.01, 0.5) for row in rows]
    found = validate(read(cif((150, 150, 150, 90, 90, 90), sites)).sole_block())
    isolated = [alert for alert in found.alerts if alert.test == "ISOLATED"]
    assert len(isolated) == MOST_ALERTS + 1
    assert isolated[-1].text == "500 more alerts of this kind."


@pytest.mark.parametrize(
    ("x", "y", "length", "multiplicity"),
    [
        (0.33, 0.67, 15, 2),
        (0.333, 0.667, 40, 2),
        (0.3333, 0.6667, 200, 2),
        (0.33333, 0.66667, 15, 2),
        (0.34, 0.66, 15, 6),
        (0.3303, 0.6697, 40, 6),
    ],
)
def test_special_positions_of_few_digits_are_known_by_their_rounding(
    cif: CifMaker, x: float, y: float, length: float, multiplicity: int
) -> None:
    """1/3 2/3 1/4 in P 63/m m c is a threefold axis, also where it is written 0.33 0.67."""
    structure = Structure.from_cif(
        cif(
            (length, length, 10, 90, 90, 120),
            (("C1", "C", x, y, 0.25),),
            group="_space_group_name_H-M_alt 'P 63/m m c'",
        )
    )
    assert structure.images.symmetry.multiplicity.tolist() == [multiplicity]
    assert len(structure.pack(((0, 0.999),) * 3)) == multiplicity
