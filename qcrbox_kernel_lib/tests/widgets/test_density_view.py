"""Densities of cube files in the structure view."""

from __future__ import annotations

import pytest
from qcrbox.analysis.density.cube import read_cube
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView

from ..cubes import hydrogen_cube


def test_view_refuses_a_cube_of_unknown_unit_and_takes_a_level_in_electrons(molecule):
    cube = read_cube(hydrogen_cube(12).encode())
    view = StructureView(molecule)
    with pytest.raises(UserInputError, match="does not state its unit"):
        view.show_density(cube)
    view.show_density(cube.per_cubic_angstrom(), at=0.3)
    assert view._level * view.density.sigma == pytest.approx(0.3)
    assert isinstance(view.structure, Structure)


@pytest.mark.slow
@pytest.mark.browser
def test_cube_is_drawn_where_its_axes_put_it(shown, molecule):
    cube = read_cube(hydrogen_cube(30).encode()).per_cubic_angstrom()
    page = shown(StructureView(molecule, grow="none").show_density(cube, at=0.5))
    said = page.locator(".qcv-bar").nth(1).inner_text()
    assert "±0.50 e Å⁻³" in said
