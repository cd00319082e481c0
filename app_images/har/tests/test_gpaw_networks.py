"""Networks and conductors by GPAW: silicon against measurements, and bands that are partly filled."""

from __future__ import annotations

import numpy as np
import pytest
from crystals import structure
from qcrbox_har import planning
from qcrbox_har.form_factors import TableOptions
from qcrbox_har.options import Options
from qcrbox_har.periodic import crystal
from qcrbox_har.periodic.computer import PeriodicComputer
from test_gpaw import request

pytestmark = pytest.mark.usefixtures("installed_gpaw")

# The primitive cell: a / √2 = 3.8402 Å. Its axes are half the diagonals of the faces of the cube.
SILICON = ("Si1 Si 0.125 0.125 0.125\n", (3.8402, 3.8402, 3.8402, 60, 60, 60), "R -3 m :R")
TO_PRIMITIVE = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
# Indices of the cube.
HKL = np.array([[2, 2, 2], [-2, 2, 2], [2, -2, 2], [2, 2, -2], [1, 1, 1], [2, 2, 0], [4, 0, 0]])


@pytest.mark.slow
def test_the_forbidden_reflection_of_silicon_is_that_of_its_bonds(
    gpaw_program, quantum, tmp_path, monkeypatch
):
    """F(222) of spherical atoms is nothing. Measured: 1.46(4) electrons in the cube at room temperature (Roberto & Batterman, Phys.
    Rev. B 2 (1970) 3220), B = 0.4632(41) Å² (Deutsch & Hart, Phys. Rev. B 31 (1985) 3846). PBE has less of it.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(crystal, "CUTOFF_EV", 400.0)
    made = structure(*SILICON)
    state = planning.prepare(made, Options(density="periodic"), {}, were_placed=False)
    primitive = np.rint(HKL @ TO_PRIMITIVE.T).astype(int)
    every = np.concatenate([primitive, -primitive])
    parts = (made, state.plan, state.method, quantum, TableOptions())
    computer = PeriodicComputer(*parts, gpaw=gpaw_program)
    table = computer.table(made.sites.fract, every)
    assert table.electrons == pytest.approx([14], abs=2e-4)
    # The other atom is the inverse of the first: its form factor is that of the opposite indices.
    phases = np.exp(2j * np.pi * primitive @ made.sites.fract[0])
    count = len(primitive)
    factors = 4 * (table.values[:count, 0] * phases + table.values[count:, 0] * phases.conj())
    assert factors.imag == pytest.approx(np.zeros(count), abs=1e-6)
    forbidden = np.abs(factors[:4])
    assert forbidden == pytest.approx(np.full(4, forbidden[0]), abs=0.01)
    warm = forbidden[0] * np.exp(-0.4632 * 3 / 5.4309**2)
    assert warm == pytest.approx(1.46, abs=0.16)


@pytest.mark.slow
def test_oxygen_computed_as_pairs_shows_bands_that_are_partly_filled(gpaw_program, tmp_path):
    """The molecule has two unpaired electrons: half of two bands is filled where that is not declared."""
    places = [[0.4, 0.35, 0.42], [0.55, 0.47, 0.55]]
    asked = request(symbols=["O", "O"], fractional=places, file=str(tmp_path / "o2.npz"), tolerance=1e-3)
    paired = gpaw_program.density(asked)
    parallel = gpaw_program.density(asked | {"unpaired": 2})
    assert paired["partly_filled"] > 0.3
    assert parallel["partly_filled"] < 1e-3
    assert parallel["energy"] < paired["energy"] - 0.02


@pytest.mark.slow
def test_a_metal_has_bands_that_are_partly_filled(gpaw_program, quantum, tmp_path, monkeypatch):
    """Lithium, one atom and three electrons in its cell: an odd number that needs no spin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(crystal, "CUTOFF_EV", 300.0)
    monkeypatch.setattr(crystal, "_EXTENT_OF_METALS_A", 12.0)
    axes = (3.039, 3.039, 3.039, 109.4712, 109.4712, 109.4712)  # primitive cell of the centred cube, 3.509 Å
    made = structure("Li1 Li 0 0 0\n", axes, "R -3 m :R")
    state = planning.prepare(made, Options(density="periodic"), {}, were_placed=False)
    hkl = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    parts = (made, state.plan, state.method, quantum, TableOptions())
    computer = PeriodicComputer(*parts, gpaw=gpaw_program)
    table = computer.table(made.sites.fract, hkl)
    (result,) = table.molecules
    assert table.values[0, 0].real == pytest.approx(3, abs=3e-4)
    assert table.values[1:, 0] == pytest.approx(np.full(3, table.values[1, 0]), abs=1e-3)
    assert result.kpoints == (5, 5, 5)
