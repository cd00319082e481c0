"""Salts by GPAW: electrons of their ions, and a refinement whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from crystals import cif
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import planning
from qcrbox_har.form_factors import TableOptions
from qcrbox_har.loop import Refinement
from qcrbox_har.options import Options
from qcrbox_har.periodic import crystal
from qcrbox_har.periodic.computer import PeriodicComputer

pytestmark = pytest.mark.usefixtures("installed_gpaw")

PERIODIC = Options(density="periodic", hydrogens="isotropic", grid=1)
# Primitive cells, whose axes are half the diagonals of the faces of the cube: a / √2.
LITHIUM_HYDRIDE = ("Li1 Li 0 0 0\nH1 H 0.5 0.5 0.5\n", (2.8871, 2.8871, 2.8871, 60, 60, 60), "R -3 m :R")
ROCK_SALT = ("Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5\n", (3.9881, 3.9881, 3.9881, 60, 60, 60), "R -3 m :R")
DISPLACED = ("U_iso_or_equiv", "adp_type")


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Takes a quarter of the time; the tested properties hold for every density."""
    monkeypatch.setattr(crystal, "CUTOFF_EV", 400.0)
    monkeypatch.setattr(crystal, "_EXTENT_A", 7.0)


def ammonium_chloride(x: float) -> str:
    """The ordered phase, one formula unit in the cell."""
    rows = f"N1 N 0 0 0 0.015 Uiso\nH1 H {x} {x} {x} 0.03 Uiso\nCl1 Cl 0.5 0.5 0.5 0.018 Uiso\n"
    return cif(
        rows,
        (3.868, 3.868, 3.868, 90, 90, 90),
        "P -4 3 m",
        DISPLACED,
        "_diffrn_radiation_wavelength 0.71073\n",
    )


def table_of(made: Structure, gpaw, quantum, hkl):
    state = planning.prepare(made, PERIODIC, {}, were_placed=False)
    options = TableOptions(grid=PERIODIC.grid)
    computer = PeriodicComputer(made, state.plan, state.method, quantum, options, gpaw=gpaw)
    return computer.table(made.sites.fract, hkl)


@pytest.mark.slow
@pytest.mark.parametrize(("salt", "electrons"), [(LITHIUM_HYDRIDE, 4), (ROCK_SALT, 28)], ids=["LiH", "NaCl"])
def test_ions_have_the_electrons_of_the_cell_together_and_charges_of_their_signs(
    salt, electrons, gpaw_program, quantum, tmp_path, monkeypatch
):
    """Shares of free atoms move less than an electron; the core of the cation scatters as that of the free atom."""
    monkeypatch.chdir(tmp_path)
    made = Structure.from_cif(cif(*salt).encode())
    far = np.array([[0, 6, 6]])  # 12 0 0 of the cube
    table = table_of(made, gpaw_program, quantum, np.concatenate([[[0, 0, 0]], far]))
    (result,) = table.molecules
    assert result.total_electrons == pytest.approx(electrons, abs=2.5e-4)
    assert table.values[0].real == pytest.approx(table.electrons, abs=1e-5)
    cation, anion = table.charges
    assert 0.1 < cation < 0.5
    assert cation + anion == pytest.approx(0, abs=3e-4)
    free = quantum.call(
        "periodic_reference:free_factor", made.sites.element[0], "def2-TZVP", far, made.cell.fractionalisation
    )
    assert table.values[1, 0].real == pytest.approx(free[0], abs=0.03)


@pytest.mark.slow
def test_a_salt_with_hydrogen_is_refined_to_its_truth(gpaw_program, quantum, least_squares, monkeypatch):
    """Ammonium chloride: reflections to 0.45 Å of the periodic density, from N-H 0.13 Å too short."""
    monkeypatch.setattr(crystal, "CUTOFF_EV", 300.0)  # of the truth as well
    truth, start, hkl = Path("truth.cif"), Path("start.cif"), Path("salt.hkl")
    truth.write_text(ammonium_chloride(0.1535), encoding="utf-8")
    start.write_text(ammonium_chloride(0.134), encoding="utf-8")
    known = Structure.from_cif(truth)
    unique, rows = least_squares.call("simulated:indices", str(truth), 0.45)
    table = table_of(known, gpaw_program, quantum, rows)
    least_squares.call(
        "simulated:write_hkl", str(truth), unique, table.labels(known), rows, table.values, str(hkl), 0.002, 1
    )
    with Refinement(PERIODIC, {"weighting": "0, 0"}, quantum, least_squares) as refinement:
        state = refinement.run(str(start), str(hkl))
        found = refinement.sites[known.sites.index["H1"]]
    assert state.converged
    assert state.rounds[-1].summary["R1"] < 0.5 * state.iam["R1"]
    distance = float(np.linalg.norm(known.cell.to_cartesian(found[None])))
    assert distance == pytest.approx(0.1535 * 3.868 * 3**0.5, abs=0.004)
    (bonds,) = [m.bonds for m in planning.with_bonds(state).molecules if len(m.bonds)]
    assert len(bonds) == 4
