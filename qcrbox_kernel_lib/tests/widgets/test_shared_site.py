"""A site that two elements share: the one that is there most of the time is the one to be seen."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView, palettes, svg

SHARED = b"""data_shared
_cell_length_a 8
_cell_length_b 8
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
_atom_site_adp_type
_atom_site_occupancy
_atom_site_disorder_assembly
_atom_site_disorder_group
C1 C 0.10 0.1 0.1 0.03 Uiso 1 . .
C3 C 0.28 0.1 0.1 0.03 Uiso 0.1 A 2
N3 N 0.28 0.1 0.1 0.03 Uiso 0.9 A 1
"""


@pytest.fixture
def scene():
    return StructureView(Structure.from_cif(SHARED)).scene


def test_lesser_atom_of_a_shared_site_stays_inside_the_other(scene):
    size = {
        label: np.linalg.norm(m, axis=0).max() for label, m in zip(scene.labels, scene.matrices, strict=True)
    }
    assert scene.covered[scene.labels.index("C3")]
    assert scene.covered.sum() == 1
    assert size["C3"] < 0.6 * size["N3"]
    assert "Shared sites, divided by occupancy: N3 90%, C3 10%" in scene.warnings


def test_bond_to_a_shared_site_is_drawn_once(scene):
    assert [sorted((scene.labels[i], scene.labels[j])) for i, j in scene.bonds] == [["C1", "N3"]]


def test_shown_alone_the_lesser_atom_has_its_size_and_bond(scene):
    alone = StructureView(Structure.from_cif(SHARED), disorder="minor").scene
    assert not alone.covered.any()
    assert len(alone.bonds) == 1


def test_a_shared_site_is_a_pie_by_occupancy(scene):
    (pie,) = scene.shared
    assert [scene.labels[row] for row in pie[:2]] == ["N3", "C3"]
    assert pie[2] == pytest.approx(0.1)
    drawn = svg(scene)
    sector = drawn[drawn.index("<title>N3</title>") :].split("</g>")[0]
    assert f'fill="{palettes.colour("C")}"' in sector


def test_elements_that_share_a_site_without_parts_are_a_pie_too():
    """As in minerals: both ordered, each in part of the cells."""
    text = SHARED.replace(b"0.1 A 2", b"0.3 . .").replace(b"0.9 A 1", b"0.7 . .")
    (pie,) = (mineral := StructureView(Structure.from_cif(text)).scene).shared
    assert [mineral.labels[row] for row in pie[:2]] == ["N3", "C3"]
    assert pie[2] == pytest.approx(0.3)


def test_of_three_atoms_on_a_site_one_is_seen_and_the_next_has_its_share():
    text = SHARED.replace(b"0.1 A 2", b"0.2 . .").replace(b"0.9 A 1", b"0.5 . .")
    text += b"O3 O 0.28 0.1 0.1 0.03 Uiso 0.3 . .\n"
    three = StructureView(Structure.from_cif(text)).scene
    (pie,) = three.shared
    assert [three.labels[row] for row in pie[:2]] == ["N3", "O3"]
    assert pie[2] == pytest.approx(0.375)
    assert three.covered.sum() == 2
