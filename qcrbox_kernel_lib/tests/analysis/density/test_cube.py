from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.cube import BOHR, read_cube
from qcrbox.contract.errors import UserInputError

from ...cubes import STEP, hydrogen_cube


@pytest.mark.parametrize("angstrom", [False, True], ids=["in bohr", "in Å"])
def test_density_in_a_cube_holds_its_electron(angstrom):
    cube = read_cube(hydrogen_cube(angstrom=angstrom).encode()).per_cubic_angstrom()
    assert cube.integral == pytest.approx(1.0, abs=0.02)
    assert cube.values.shape == (60, 60, 60)
    np.testing.assert_allclose(cube.steps, np.eye(3) * STEP * BOHR, rtol=1e-6)
    peak = np.argwhere(cube.values == cube.maximum)[0] @ cube.steps + cube.origin
    assert np.linalg.norm(peak - cube.places[0]) < STEP * BOHR


def test_cube_of_one_orbital_is_read_past_the_line_that_names_it():
    plain, orbital = (
        read_cube(hydrogen_cube(12).encode()),
        read_cube(hydrogen_cube(12, orbital=True).encode()),
    )
    np.testing.assert_array_equal(plain.values, orbital.values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (hydrogen_cube(12)[:-400], "values for 1,728 points"),
        ("no cube", "not a readable cube"),
        (hydrogen_cube(12, orbital=True).replace("\n1 1\n", "\n2 1 2\n"), "2 orbitals"),
        (hydrogen_cube(12).replace("\n12 ", "\n999999 ", 1), "cannot be shown"),
    ],
    ids=["cut short", "other text", "two orbitals", "far too large"],
)
def test_what_is_no_cube_is_refused_with_the_reason(text, said):
    with pytest.raises(UserInputError) as refused:
        read_cube(text.encode())
    assert said in str(refused.value)


def test_an_orbital_is_drawn_as_it_is_and_never_as_a_density():
    cube = read_cube(hydrogen_cube(12, orbital=True).encode())
    with pytest.raises(UserInputError, match="amplitudes are no density"):
        cube.per_cubic_angstrom()
    drawn = cube.to_draw()
    assert drawn.kind == "orbital"
    np.testing.assert_array_equal(drawn.values, cube.values)


def test_signs_that_differ_leave_the_unit_of_length_open():
    text = hydrogen_cube(12).replace("12 0.0 0.2 0.0", "-12 0.0 0.2 0.0")
    with pytest.raises(UserInputError, match="unit of length"):
        read_cube(text.encode())


def test_a_cube_is_converted_once_however_often_it_is_asked_for() -> None:
    """Results give their cubes converted, and the message of the view asks for it again."""
    cube = read_cube(hydrogen_cube().encode()).per_cubic_angstrom()
    assert cube.per_cubic_angstrom().integral == cube.to_draw().integral == cube.integral
