from __future__ import annotations

import json

import numpy as np
import pytest
from qcrbox.analysis.density.surface import Surface
from qcrbox.contract.errors import UserInputError


@pytest.fixture
def cube():
    """A cube of 2 Å edge as twelve triangles."""
    vertices = [[x, y, z] for x in (0, 2) for y in (0, 2) for z in (0, 2)]
    faces = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]]
    faces += [[2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
    said = {
        "vertices": vertices,
        "faces": faces,
        "dnorm": [0.1] * 8,
        "di": [1.2] * 8,
        "de": [1.4] * 8,
        "note": "x",
    }
    return Surface.from_json(json.dumps(said))


def test_area_and_volume_are_those_of_the_body(cube):
    assert cube.area == pytest.approx(24.0)
    assert cube.volume == pytest.approx(8.0)


def test_flat_lists_are_folded(cube):
    said = {"vertices": cube.vertices.ravel().tolist(), "faces": cube.faces.ravel().tolist()}
    np.testing.assert_array_equal(Surface.from_json(json.dumps(said)).faces, cube.faces)


def test_ranges_of_known_properties_are_fixed(cube):
    assert cube.scale_of("dnorm") == (-0.5, 1.5, "")
    with pytest.raises(UserInputError, match="It has: dnorm, di, de"):
        cube.scale_of("density")


@pytest.mark.parametrize(
    "text",
    ['{"faces": []}', '{"vertices": [1, 2], "faces": []}', '{"vertices": [0, 0, 0], "faces": [0, 1, 2]}'],
)
def test_what_is_no_surface_is_refused(text):
    with pytest.raises(UserInputError, match="surface"):
        Surface.from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "5",
        "null",
        '{"vertices": "a", "faces": []}',
        '{"vertices": [0, 0, 0], "faces": [], "dnorm": ["x"]}',
        '{"vertices": [[0, 0], [1, 2, 3]], "faces": []}',
        '{"vertices": [0, 0, 0], "faces": [0, 0, -1]}',
        b"\xff\xfe",
    ],
    ids=["no JSON", "list", "number", "null", "text", "property of texts", "ragged", "negative", "no text"],
)
def test_any_other_file_is_refused_as_no_surface(text):
    with pytest.raises(UserInputError, match="surface"):
        Surface.from_json(text)


def test_lists_of_another_length_are_no_properties():
    made = Surface.from_json(
        '{"vertices": [0, 0, 0, 1, 0, 0, 0, 1, 0], "faces": [0, 1, 2], "a": [1, 2, 3], "b": [1], "c": 5}'
    )
    assert list(made.properties) == ["a"]
    assert made.area == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("values", "scale"),
    [(list(range(101)), (1.0, 99.0, "")), ([2.0] * 3, (1.5, 2.5, "")), ([], (0.0, 1.0, ""))],
    ids=["from the 1st to the 99th per cent", "all alike", "no vertices"],
)
def test_the_colours_of_an_unknown_property_have_two_ends(values, scale):
    surface = Surface(
        np.zeros((len(values), 3)), np.zeros((0, 3), dtype=int), {"made": np.array(values, dtype=float)}
    )
    assert surface.scale_of("made") == scale


def test_a_surface_without_triangles_has_no_area_and_a_text():
    empty = Surface(np.zeros((0, 3)), np.zeros((0, 3), dtype=int), {"dnorm": np.zeros(0)})
    assert (empty.area, empty.volume) == (0.0, 0.0)
    assert empty.scale_of("dnorm") == (-0.5, 1.5, "")
    assert repr(empty) == "<Surface: 0 vertices, 0.0 Å², 0.0 Å³; dnorm>"
