from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.surface import Surface
from qcrbox.contract.errors import UserInputError
from qcrbox.display.fingerprint import fingerprint_picture

TRIANGLES = Surface(
    vertices=np.array([[0.0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 2]]),
    faces=np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
    properties={"di": np.full(4, 1.205), "de": np.full(4, 1.405)},
)


def test_area_and_closest_contact_are_in_the_sentence():
    picture = fingerprint_picture(TRIANGLES)
    assert (
        picture.alt == f"Fingerprint of {TRIANGLES.area:.1f} Å² of surface; closest contact di + de = 2.61 Å."
    )


def test_whole_area_is_in_the_bin_of_its_distances():
    (mesh,) = fingerprint_picture(TRIANGLES).figure.axes[0].collections
    shares = mesh.get_array().compressed()
    assert shares.sum() == pytest.approx(100)
    assert len(shares) == 1


def test_bins_between_the_corners_of_a_triangle_are_filled():
    # di and de run along a line: the area must lie in every bin of it, not in those of the corners alone.
    sloping = Surface(
        vertices=np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]),
        faces=np.array([[0, 1, 2]]),
        properties={"di": np.array([1.0, 1.08, 1.04]), "de": np.array([1.5, 1.58, 1.54])},
    )
    (mesh,) = fingerprint_picture(sloping).figure.axes[0].collections
    shares = mesh.get_array().compressed()
    assert shares.sum() == pytest.approx(100)
    assert len(shares) >= 7


def test_surface_without_distances_is_refused():
    with pytest.raises(UserInputError, match="no property 'di'"):
        fingerprint_picture(Surface(TRIANGLES.vertices, TRIANGLES.faces))
