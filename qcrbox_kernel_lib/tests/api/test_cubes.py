"""Cube files of a result: found by name, in the unit that the view draws."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from qcrbox.analysis.density.cube import BOHR
from qcrbox.api.cubes import cube_of
from qcrbox.contract.errors import NotFound


@dataclass
class File:
    bytes: bytes


def text(title: str) -> File:
    rows = [title, "made for a test", "    1    0.0 0.0 0.0"]
    rows += [f"    2 {' '.join('1.0' if axis == k else '0.0' for k in range(3))}" for axis in range(3)]
    rows += ["    6    6.0 0.0 0.0 0.0", " ".join(f"{value:.5E}" for value in range(1, 9))]
    return File(("\n".join(rows) + "\n").encode())


FILES = {
    "har.cif": File(b""),
    "deformation.cube": text("Deformation density, e/bohr^3"),
    "orbital.cube": text("Orbital 5"),
}


@pytest.mark.parametrize("name", ["deformation", "deformation.cube"])
def test_a_density_in_bohr_is_given_in_angstrom(name):
    cube = cube_of(FILES, name)
    assert cube.kind == "density"
    assert cube.values[0, 0, 1] == pytest.approx(2 / BOHR**3)
    assert cube.steps[0, 0] == pytest.approx(BOHR)


def test_a_cube_without_a_unit_stays_as_it_is():
    cube = cube_of(FILES, "orbital")
    assert (cube.kind, cube.values[1, 1, 1]) == ("cube", 8)


def test_a_name_that_is_not_there_lists_those_that_are():
    with pytest.raises(NotFound, match="no density 'residual'") as error:
        cube_of(FILES, "residual")
    assert "deformation, orbital" in error.value.next


def test_a_result_without_cubes_says_so():
    with pytest.raises(NotFound) as error:
        cube_of({"refined.cif": File(b"")}, "deformation")
    assert error.value.next == "This result has no cube files."
