"""The still picture: well formed, complete, in its frame, told apart without colour."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import Camera, Options, Scene
from qcrbox.widgets.structure_view.picture import DARK, LIGHT, _darker, _lighter, svg

from ...conftest import aniso, write_cif

SVG = "{http://www.w3.org/2000/svg}"
PLAIN = "label type_symbol fract_x fract_y fract_z U_iso_or_equiv occupancy disorder_assembly disorder_group"


def scene_of(*sites, cell=(10, 10, 10, 90, 90, 90), more="", **options):
    rows = [(label, element, *place, 0.02, *(rest or (1, ".", 0))) for label, element, place, *rest in sites]
    return Scene(Structure.from_cif(write_cif(cell, rows, PLAIN, more=more)), Options.of(options))


CHAIN = [(f"C{n}", "C", (0.1 + 0.14 * n, 0.5, 0.5)) for n in range(5)]
FLAT = Camera(np.eye(3))


def elements(scene, camera=FLAT, **more):
    return ElementTree.fromstring(svg(scene, camera, **more))


@pytest.mark.parametrize("style", ["octants", "rings", "plain"])
@pytest.mark.parametrize(
    "options",
    [{}, {"cell": True}, {"labels": True}, {"hydrogen_bonds": True, "grow": "contacts"}, {"palette": "grey"}],
    ids=str,
)
def test_every_style_is_well_formed_without_a_number_that_is_none(molecule, style, options):
    text = svg(Scene(molecule, Options.of({"style": style, **options})))
    assert ElementTree.fromstring(text).get("role") == "img"
    assert not re.search(r"\b(nan|inf)\b", text)


def test_everything_lies_in_the_frame_in_any_shape():
    scene = scene_of(*CHAIN, cell=(10, 10, 10, 90, 90, 90))
    for width, height in ((760, 520), (200, 900), (900, 200), (40, 40)):
        for each in elements(scene, width=width, height=height).iter(f"{SVG}ellipse"):
            x, y, rx = (float(each.get(name)) for name in ("cx", "cy", "rx"))
            assert rx <= x <= width - rx
            assert rx <= y <= height - rx


def test_one_atom_is_drawn_in_the_middle_and_not_larger_than_life():
    (ellipse,) = elements(scene_of(("C1", "C", (0.3, 0.3, 0.3)))).iter(f"{SVG}ellipse")
    assert (float(ellipse.get("cx")), float(ellipse.get("cy"))) == (380, 260)
    # r.m.s. √0.02 Å times 1.5382 for 50 %, at no more than 110 px per Å.
    assert float(ellipse.get("rx")) == pytest.approx(np.sqrt(0.02) * 1.5382 * 110, rel=1e-3)


def test_a_camera_across_sets_the_scale():
    root = elements(scene_of(*CHAIN), Camera(np.eye(3), across=20.0), width=400, height=300)
    xs = sorted(float(each.get("cx")) for each in root.iter(f"{SVG}ellipse"))
    assert np.diff(xs) == pytest.approx([1.4 * 20] * 4, abs=0.02)  # 1.4 Å at 400 px / 20 Å


def test_what_lies_in_front_is_drawn_last():
    scene = scene_of(("C1", "C", (0.5, 0.5, 0.6)), ("O1", "O", (0.5, 0.5, 0.4)))
    titles = [each.text for each in elements(scene).iter(f"{SVG}title")][1:]
    assert titles == ["O1", "C1"]
    behind = Camera(np.diag([-1.0, 1, -1]))
    assert [each.text for each in elements(scene, behind).iter(f"{SVG}title")][1:] == ["C1", "O1"]


def test_minor_parts_are_hollow_and_dashed():
    sites = [("C1", "C", (0.3, 0.5, 0.5), 0.7, "A", 1), ("C2", "C", (0.7, 0.5, 0.5), 0.3, "A", 2)]
    root = elements(scene_of(*sites, disorder="all"))
    drawn = {group.find(f"{SVG}title").text: group.find(f"{SVG}ellipse") for group in root.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None}  # fmt: skip
    assert (drawn["C2"].get("fill"), bool(drawn["C2"].get("stroke-dasharray"))) == (LIGHT.ground, True)
    assert drawn["C1"].get("stroke-dasharray") is None


def test_a_tensor_without_an_ellipsoid_is_a_cube_that_says_so():
    root = elements(scene_of(("C1", "C", (0.3, 0.5, 0.5)), more=aniso([("C1", -0.01, 0.02, 0.02, 0, 0, 0)])))
    assert "C1: displacement tensor not positive definite" in [each.text for each in root.iter(f"{SVG}title")]
    assert not list(root.iter(f"{SVG}ellipse"))


def test_the_axes_of_the_cell_are_named_with_its_origin():
    assert not [each.text for each in elements(scene_of(*CHAIN)).iter(f"{SVG}text")]
    shown = Scene(Structure.from_cif(write_cif()), Options.of({"cell": True}))
    assert [each.text for each in elements(shown).iter(f"{SVG}text")] == ["a", "b", "c", "0"]


def test_a_dark_picture_has_dark_ground_and_light_lines():
    root = elements(scene_of(*CHAIN, labels=True), paper=DARK)
    assert root.find(f"{SVG}rect").get("fill") == DARK.ground
    assert {each.get("fill") for each in root.iter(f"{SVG}text")} == {DARK.text}


def test_many_atoms_are_dots_on_one_path_of_bonds():
    places = [(x / 12, y / 12, z / 12) for x in range(11) for y in range(11) for z in range(11)]
    scene = scene_of(
        *[(f"C{n}", "C", place) for n, place in enumerate(places)], cell=(18, 18, 18, 90, 90, 90), grow="none"
    )
    root = elements(scene)
    assert len(list(root.iter(f"{SVG}circle"))) == len(places)
    assert len(list(root.iter(f"{SVG}path"))) == 1
    assert not list(root.iter(f"{SVG}ellipse"))


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#8a8a8a"])
def test_shades_stay_colours(colour):
    for shade in (_darker(colour), _lighter(colour)):
        assert re.fullmatch("#[0-9a-f]{6}", shade)
    assert _darker(colour) <= colour <= _lighter(colour)
