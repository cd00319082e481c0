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


SMALL = "title\nof it\n1 0.5 0.0 0.0\n2 1.0 0.0 0.0\n1 0.0 1.0 0.0\n3 0.0 0.0 1.0\n8 8.0 0.1 0.2 0.3\n1 2 3 4 5 6\n"


def test_numbers_run_with_z_fastest_and_lengths_are_in_bohr():
    cube = read_cube(SMALL.encode())
    assert cube.values.tolist() == [[[1, 2, 3]], [[4, 5, 6]]]
    assert cube.origin.tolist() == pytest.approx([0.5 * BOHR, 0, 0])
    assert cube.places.tolist() == [pytest.approx([0.1 * BOHR, 0.2 * BOHR, 0.3 * BOHR])]
    assert (cube.numbers.tolist(), cube.title) == ([8], "title – of it")
    assert cube.integral == pytest.approx(21 * BOHR**3)


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("1 2 3 4 5 6", "1D0 2.0D+00 3E0 4 5 6"),
        SMALL.replace("1 2 3 4 5 6", "1 2\n3 4 5\n6"),
        SMALL.replace("\n", "\r\n"),
        SMALL.replace("1 0.5 0.0 0.0", "1 0.5 0.0 0.0 1"),
    ],
    ids=["exponents of Fortran", "other lines", "other line ends", "one value for each point"],
)
def test_ways_of_writing_the_same(text):
    assert read_cube(text.encode()).values.ravel().tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1 0.5 0.0 0.0", "1 0.5", "three numbers each"),
        ("2 1.0 0.0 0.0", "2 1.0 0.0", "inhomogeneous|three numbers each"),
        ("1 0.0 1.0 0.0", "1 0.0 0.0 0.0", "do not span a space"),
        ("1 0.0 1.0 0.0", "1 2.0 0.0 0.0", "do not span a space"),
        ("1 2 3 4 5 6", "1 2 3 4 5 nan", "some values are not numbers"),
        ("1 2 3 4 5 6", "1 2 3 4 5 inf", "some values are not numbers"),
        ("1 2 3 4 5 6", "1 2 3 4 5", "5 values for 6 points"),
        ("1 2 3 4 5 6", "1 2 3 4 5 x", "could not convert"),
        ("1 0.5 0.0 0.0", "1 0.5 0.0 0.0 3", "3 values per point"),
        ("2 1.0", "0 1.0", "cannot be shown"),
        ("8 8.0 0.1 0.2 0.3", "8 8.0 0.1", "reshape|inhomogeneous"),
        ("1 0.5", "many 0.5", "invalid literal"),
    ],
    ids=["origin", "step", "no step", "two steps along one line", "nan", "infinite", "too few", "a word", "several values", "no points", "half an atom", "atoms"],
)  # fmt: skip
def test_a_damaged_cube_is_refused_with_the_reason(old, new, said):
    with pytest.raises(UserInputError, match=said):
        read_cube(SMALL.replace(old, new, 1).encode())


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff" * 100, b"a\nb\n"])
def test_any_other_bytes_are_no_cube(content):
    with pytest.raises(UserInputError, match="not a readable cube"):
        read_cube(content)


def test_the_box_and_the_text_are_those_of_the_cube():
    cube = read_cube(SMALL.encode())
    assert cube.box.values.dtype == np.float32
    assert cube.box.steps.tolist() == cube.steps.tolist()
    assert "grid 2 × 1 × 3, 1 atoms" in repr(cube)
