"""Matrix products and exchange by NumPy's BLAS are those of PySCF."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox_har.method import Method, MoleculeInput

WATER = MoleculeInput(["O", "H", "H"], np.array([[0.0, 0, 0], [0, 0.757, 0.587], [0, -0.757, 0.587]]))
OXYGEN = MoleculeInput(["O", "O"], np.array([[0.0, 0, 0], [0, 0, 1.21]]), multiplicity=3)


@pytest.mark.parametrize("molecule", [WATER, OXYGEN], ids=["closed shell", "open shell"])
def test_exchange_and_coulomb_matrices_are_those_of_pyscf(quantum, molecule):
    for ours, theirs in quantum.call(
        "quantum_reference:exchange_and_coulomb", molecule, Method("hf", "def2-svp")
    ):
        for own, other in zip(ours, theirs, strict=True):
            assert own.shape == other.shape
            assert np.abs(own - other).max() < 1e-10


def test_products_are_those_of_pyscf_and_its_own_come_back(quantum):
    off, still_patched = quantum.call("quantum_reference:products_by_both", 1)
    assert max(off) < 1e-9
    assert not still_patched
