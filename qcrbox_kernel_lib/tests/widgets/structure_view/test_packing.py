"""What is sent to the browser: bytes of the right length and kind, and JSON for the rest."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.surface import Surface
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import Options, Scene
from qcrbox.widgets.structure_view.packing import packed, packed_density, packed_surface

from ...conftest import write_cif


def scene(structure, **options):
    return Scene(structure, Options.of(options))


def read(sent, name, kind):
    return np.frombuffer(sent[name], kind)


@pytest.fixture
def drawn(molecule):
    return scene(molecule, labels=True)


@pytest.fixture
def sent(drawn):
    return packed(drawn, "made")


@pytest.mark.parametrize(
    ("name", "kind", "each"),
    [("positions", "<f4", 3), ("axes", "<f4", 9), ("fixed", "<f4", 1), ("kinds", "u1", 1), ("hollow", "u1", 1), ("hydrogen", "u1", 1), ("element", "u1", 1), ("site", "<u4", 1)],
)  # fmt: skip
def test_arrays_have_their_numbers_for_every_atom(sent, name, kind, each):
    assert len(read(sent, name, kind)) == each * sent["count"]


def test_everything_but_arrays_is_json(sent):
    plain = {name: value for name, value in sent.items() if not isinstance(value, bytes)}
    json.dumps(plain, allow_nan=False)


def test_elements_are_numbered_by_the_list_that_is_sent(drawn, sent):
    symbols = [sent["elements"][number] for number in read(sent, "element", "u1")]
    assert symbols == list(drawn.atoms.element)
    assert sent["elements"][-1] == ""
    for palette in sent["palettes"].values():
        assert len(palette) == len(sent["elements"])


def test_axes_times_the_scale_are_the_ellipsoids_that_python_draws(drawn, sent):
    """Column by column: the three semi-axes of each atom, one after the other."""
    axes = read(sent, "axes", "<f4").reshape(-1, 3, 3)
    row = drawn.labels.index("C1")
    scale = sent["scales"]["50"]
    assert scale == pytest.approx(1.5382, abs=1e-4)
    np.testing.assert_allclose(axes[row].T * scale, drawn.matrices[row], rtol=1e-5, atol=1e-7)


def test_positions_and_frame_give_fractional_coordinates_back(drawn, sent, molecule):
    places = read(sent, "positions", "<f4").reshape(-1, 3) + np.array(sent["frame"]["centre"])
    matrix = np.array(sent["frame"]["orthogonalisation"]).reshape(3, 3)
    np.testing.assert_allclose(np.linalg.solve(matrix, places.T).T, drawn.atoms.fract, atol=1e-6)


def test_bonds_and_contacts_name_atoms_that_are_there(sent):
    for name in ("bonds", "contacts"):
        rows = read(sent, name, "<u4")
        assert len(rows) % 2 == 0
        assert (rows < sent["count"]).all()


def test_the_parts_that_can_be_chosen_are_listed(sent):
    assert sent["disordered"]
    assert sent["parts"] == [["A", 1, "part A 1"], ["A", 2, "part A 2"]]


@pytest.mark.parametrize(("disorder", "name"), [("major", "major"), ({"A": 2}, "A\t2")], ids=str)
def test_a_chosen_part_has_the_name_of_the_list(molecule, disorder, name):
    assert packed(scene(molecule, disorder=disorder))["options"]["disorder"] == name


def test_small_structures_come_with_their_descriptions_and_large_ones_without(sent, molecule):
    assert len(sent["descriptions"]) == sent["count"]
    many = scene(molecule, grow="cell", ranges=((0, 6), (0, 6), (0, 2)))
    assert len(many) > 400
    assert packed(many)["descriptions"] is None


def test_sites_are_what_edits_begin_with(sent, molecule):
    assert [site["label"] for site in sent["sites"]] == list(molecule.sites.label)
    chosen = {site["label"]: site for site in sent["sites"]}
    assert (
        chosen["C3B"]["part"],
        chosen["C3B"]["occupancy"],
        chosen["C1"]["aniso"],
        chosen["O2"]["aniso"],
    ) == (2, 0.3, True, False)


def test_a_title_goes_before_the_formula_and_the_formula_before_the_name(molecule):
    assert packed(scene(molecule), "made")["title"] == "made"
    assert packed(scene(molecule))["title"] == molecule.formula
    assert packed(scene(Structure.from_cif(write_cif())))["title"]


# ---------------------------------------------------------------- densities and surfaces


def test_a_cube_is_sent_as_it_is_relative_to_the_centre(drawn):
    values = np.arange(8.0).reshape(2, 2, 2)
    cube = Cube(
        values,
        np.array([1.0, 2, 3]),
        np.eye(3) * 0.5,
        np.zeros(0, dtype=int),
        np.zeros((0, 3)),
        kind="density",
    )
    sent = packed_density(cube, drawn, 3.0)
    assert read(sent, "values", "<f4").tolist() == list(range(8))
    assert sent["origin"] == pytest.approx(np.array([1.0, 2, 3]) - drawn.centre)
    assert (sent["shape"], sent["unit"], sent["peaks"], sent["maximum"]) == ([2, 2, 2], "e Å⁻³", [], 7.0)
    json.dumps({name: value for name, value in sent.items() if not isinstance(value, bytes)}, allow_nan=False)


def test_a_surface_has_its_colours_and_faces(drawn):
    surface = Surface(np.eye(3) * 2, np.array([[0, 1, 2]]), {"dnorm": np.array([0.1, -0.2, 1.0])})
    sent = packed_surface(surface, "dnorm", drawn)
    assert read(sent, "faces", "<u4").tolist() == [0, 1, 2]
    assert read(sent, "vertices", "<f4").reshape(3, 3) == pytest.approx(
        np.eye(3) * 2 - drawn.centre, abs=1e-5
    )
    assert read(sent, "values", "<f4") == pytest.approx([0.1, -0.2, 1.0])
    assert (sent["low"], sent["high"], sent["unit"]) == (-0.5, 1.5, "")
    assert sent["area"] == pytest.approx(np.sqrt(3) / 4 * 8)  # equilateral, edge √8
    assert "fingerprint" not in sent
