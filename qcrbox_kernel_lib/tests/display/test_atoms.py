"""`structure.atoms`: by label or number, with s.u., as a table."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import NotFound
from qcrbox.crystallography.structure import Structure
from qcrbox.display.atoms import Atoms

from ..conftest import aniso, write_cif

COLUMNS = "label type_symbol fract_x fract_y fract_z U_iso_or_equiv occupancy"
SITES = [
    ("C1", "C", "0.1234(5)", "-0.2(3)", "0.5", "0.03(1)", "0.75(2)"),
    ("Fe2", "Fe", "0.5", "0.5", "0.5", "0.02", "1"),
    ("H3", "H", "?", "?", "?", "?", "1"),
]


@pytest.fixture
def atoms():
    more = aniso([("Fe2", 0.01, 0.02, 0.03, 0, 0, 0)])
    return Atoms(Structure.from_cif(write_cif(sites=SITES, columns=COLUMNS, more=more)))


@pytest.mark.parametrize(
    ("key", "label"),
    [("C1", "C1"), ("c1", "C1"), ("FE2", "Fe2"), (0, "C1"), (-1, "H3"), (np.int64(1), "Fe2")],
)
def test_an_atom_is_found_by_label_and_by_number(atoms, key, label):
    assert atoms[key].label == label


def test_an_unknown_label_names_the_one_meant(atoms):
    with pytest.raises(NotFound, match=r"There is no atom 'Fe1'. Did you mean 'Fe2'"):
        atoms["Fe1"]


def test_a_number_beyond_the_last_ends_a_loop(atoms):
    with pytest.raises(IndexError):
        atoms[3]
    assert [atom.label for atom in atoms] == ["C1", "Fe2", "H3"]


@pytest.mark.parametrize(("label", "there"), [("C1", True), ("c1", True), ("C9", False), (1, False)])
def test_whether_a_label_is_there(atoms, label, there):
    assert (label in atoms) == there


def test_a_part_is_a_list(atoms):
    assert [atom.label for atom in atoms[:2]] == ["C1", "Fe2"]


def test_coordinates_keep_their_su(atoms):
    assert [str(x) for x in atoms["C1"].xyz] == ["0.1234(5)", "-0.2(3)", "0.5"]


def test_displacements_are_a_tensor_or_a_number(atoms):
    assert atoms["C1"].u == 0.03
    assert np.diag(atoms["Fe2"].u).tolist() == [0.01, 0.02, 0.03]
    assert atoms["Fe2"].u_eq == pytest.approx(0.02)


def test_the_table_has_what_is_known_and_a_question_mark_for_the_rest(atoms):
    rows = list(atoms.table())
    assert (rows[0]["x"], rows[0]["Ueq / Å²"], rows[0]["occupancy"]) == (atoms["C1"].xyz[0], "0.0300", "0.75")
    assert rows[2]["Ueq / Å²"] == "?"
    assert "nan" not in repr(atoms)
    assert "nan" not in repr(atoms["H3"])
    assert "−0.2(3)" in repr(atoms)


def test_labels_of_a_file_are_escaped():
    sites = [("<b>", "C", 0.1, 0.2, 0.3)]
    shown = Atoms(Structure.from_cif(write_cif(sites=sites)))._repr_mimebundle_()["text/html"]
    assert "<b>" not in shown
