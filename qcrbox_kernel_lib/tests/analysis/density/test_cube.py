from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.cube import BOHR, read_cube
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView

STEP = 0.2  # bohr


def hydrogen_cube(count: int = 60, *, angstrom: bool = False, orbital: bool = False) -> str:
    """The exact density of a hydrogen atom in the middle of a grid, in e/bohr³."""
    scale = BOHR if angstrom else 1.0
    half = STEP * (count - 1) / 2
    axis = STEP * np.arange(count) - half
    r = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1), axis=-1)
    values = np.exp(-2 * r) / np.pi
    lines = ["hydrogen", "density", f"{-1 if orbital else 1} {-half * scale} {-half * scale} {-half * scale}"]
    for row in np.eye(3) * STEP * scale:
        lines.append(f"{-count if angstrom else count} {row[0]} {row[1]} {row[2]}")
    lines.append("1 1.0 0.0 0.0 0.0")
    if orbital:
        lines.append("1 1")
    lines += [" ".join(f"{value:.5E}" for value in line) for line in values.reshape(-1, 6)]
    return "\n".join(lines)


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
        ("no cube", "no readable cube"),
        (hydrogen_cube(12, orbital=True).replace("\n1 1\n", "\n2 1 2\n"), "2 orbitals"),
        (hydrogen_cube(12).replace("\n12 ", "\n999999 ", 1), "cannot be shown"),
    ],
    ids=["cut short", "other text", "two orbitals", "far too large"],
)
def test_what_is_no_cube_is_refused_with_the_reason(text, said):
    with pytest.raises(UserInputError) as refused:
        read_cube(text.encode())
    assert said in str(refused.value)


def test_view_refuses_a_cube_of_unknown_unit_and_takes_a_level_in_electrons(molecule):
    cube = read_cube(hydrogen_cube(12).encode())
    view = StructureView(molecule)
    with pytest.raises(UserInputError, match="does not say its unit"):
        view.show_density(cube)
    view.show_density(cube.per_cubic_angstrom(), at=0.3)
    assert view._level * view.density.sigma == pytest.approx(0.3)
    assert isinstance(view.structure, Structure)


@pytest.mark.browser
def test_cube_is_drawn_where_its_axes_put_it(shown, molecule):
    cube = read_cube(hydrogen_cube(30).encode()).per_cubic_angstrom()
    page = shown(StructureView(molecule, grow="none").show_density(cube, at=0.5))
    said = page.locator(".qcv-bar").nth(1).inner_text()
    assert "±0.50 e Å⁻³" in said
