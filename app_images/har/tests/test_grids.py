"""Two grids for exchange and correlation give what the fine one alone gives."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox_har.method import Method, MoleculeInput

WATER = MoleculeInput(["O", "H", "H"], np.array([[0.0, 0, 0], [0, 0.757, 0.587], [0, -0.757, 0.587]]))
OXYGEN = MoleculeInput(["O", "O"], np.array([[0.0, 0, 0], [0, 0, 1.21]]), multiplicity=3)
LEVEL = Method("b3lyp", "def2-svp")


@pytest.mark.parametrize("molecule", [WATER, OXYGEN], ids=["closed shell", "open shell"])
def test_the_field_on_two_grids_is_that_of_the_fine_one(quantum, molecule):
    """Energy and density of a field that PySCF converges tightly on the fine grid alone."""
    both, fine, coarse = quantum.call("quantum_reference:grids", molecule, LEVEL)
    assert both["energy"] == pytest.approx(fine["energy"], abs=1e-6)
    assert np.abs(both["density"] - fine["density"]).max() < 3e-4
    # The coarse grid alone would not do.
    assert abs(coarse["energy"] - fine["energy"]) > 1e-5


def test_at_the_density_of_the_correction_the_potential_is_exact(quantum):
    exact, corrected, nearby, plain = quantum.call("quantum_reference:potentials", WATER, LEVEL)
    assert np.abs(corrected - exact[0]).max() < 1e-12
    # A little away from it the error is a small part of that of the coarse grid.
    assert np.abs(nearby - exact[1]).max() < 0.1 * np.abs(plain - exact[1]).max()
