from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.surface import Surface
from qcrbox.contract.errors import UserInputError
from qcrbox.display.fingerprint import fingerprint_picture

TRIANGLES = Surface(
    vertices=np.array([[0.0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 2]]),
    faces=np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
    properties={"di": np.full(4, 1.2), "de": np.full(4, 1.4)},
)


def test_area_and_closest_contact_are_in_the_sentence():
    picture = fingerprint_picture(TRIANGLES)
    assert (
        picture.alt == f"Fingerprint of {TRIANGLES.area:.1f} Å² of surface; closest contact di + de = 2.60 Å."
    )


def test_whole_area_is_in_the_bin_of_its_distances():
    (mesh,) = fingerprint_picture(TRIANGLES).figure.axes[0].collections
    shares = mesh.get_array().compressed()
    assert shares.sum() == pytest.approx(100)
    assert len(shares) == 1


def test_surface_without_distances_is_refused():
    with pytest.raises(UserInputError, match="no property 'di'"):
        fingerprint_picture(Surface(TRIANGLES.vertices, TRIANGLES.faces))
