"""Densities that GPAW computes, beside its own and beside those of molecules. `tools/system-packages` installs GPAW."""

from __future__ import annotations

import json
import subprocess
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from crystals import cif
from qcrbox.crystallography.tsc import read_tsc
from qcrbox_har import commands
from qcrbox_har.method import FormFactorRequest, MoleculeInput
from qcrbox_har.periodic import crystal, interpreter

pytestmark = pytest.mark.usefixtures("installed_gpaw")

# A molecule of nitrogen along no axis of its cell, Å.
CELL = np.diag([4.2, 4.6, 5.0])
NITROGEN = np.array([[0.4, 0.35, 0.42], [0.55, 0.47, 0.52]])


def request(**other) -> dict:
    asked = {"cell": CELL.tolist(), "symbols": ["N", "N"], "fractional": NITROGEN.tolist(), "cutoff_ev": 400.0, "kpoints": [1, 1, 1],
             "functional": "PBE", "unpaired": 0, "tolerance": 1e-4}  # fmt: skip
    return asked | other


def at(quantum, file: Path, symbols, positions, points):
    return quantum.call("periodic_reference:total_of", str(file), symbols, positions, CELL, points)


@pytest.mark.slow
def test_the_density_is_that_of_gpaw(quantum, tmp_path):
    """Partial waves and harmonics are put together as GPAW does it, beyond the cores that no grid resolves."""
    file, own = tmp_path / "density.npz", tmp_path / "own.npz"
    script = Path(__file__).with_name("gpaw_reference.py")
    command = [interpreter.find().path, str(script), json.dumps(request(file=str(file))), str(own)]
    subprocess.run(command, env=interpreter.environment(), check=True, timeout=600)
    with np.load(own) as content:
        known = content["density"]
        assert content["energy"] == pytest.approx(
            -109.45, abs=0.2
        )  # hartree, with the energies of the free atoms
    axes = [np.arange(n) / n for n in known.shape]
    fract = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = NITROGEN @ CELL
    apart = np.linalg.norm((fract @ CELL)[:, None] - positions, axis=2).min(axis=1)
    near = np.flatnonzero((apart > 0.3) & (apart < 1.2))
    found, electrons = at(quantum, file, ["N", "N"], positions, fract[near] @ CELL)
    assert electrons == pytest.approx(14, abs=1e-4)
    assert found == pytest.approx(known.ravel()[near], abs=2e-3)


@pytest.mark.slow
def test_the_next_round_goes_on_from_the_last_and_is_as_exact_as_asked(gpaw_program, tmp_path):
    file = str(tmp_path / "density.npz")
    first = gpaw_program.density(request(tolerance=1e-3, file=file))
    exact = gpaw_program.density(request(tolerance=1e-6, file=file))
    moved = NITROGEN + np.array([[0.002, 0, 0], [0, 0, 0]])
    after = gpaw_program.density(request(fractional=moved.tolist(), file=file))
    assert exact["iterations"] > 0
    assert exact["energy"] == pytest.approx(first["energy"], abs=1e-3)
    assert after["energy"] != exact["energy"]


@pytest.mark.slow
def test_the_answer_of_an_interrupted_request_is_not_taken_for_that_of_the_next(gpaw_program, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gpaw_program.density(request(tolerance=1e-3, file=str(tmp_path / "density.npz")), progress=interrupt)
    assert gpaw_program.setups(["N"], "PBE") == {"N": 5}


@pytest.mark.slow
def test_unpaired_electrons_are_found_where_they_are(gpaw_program, quantum, tmp_path):
    """A hydrogen atom: one electron, unpaired."""
    file = tmp_path / "hydrogen.npz"
    gpaw_program.density(request(symbols=["H"], fractional=[[0.5, 0.5, 0.5]], unpaired=1, file=str(file)))
    assert gpaw_program.setups(["H", "N"], "PBE") == {"H": 1, "N": 5}
    settings = {"partition": "hirshfeld", "basis": "def2-SVP", "grid_level": 2}
    asked = FormFactorRequest(
        settings, [(0, np.eye(3, dtype=int))], np.linalg.inv(CELL), np.array([[0, 0, 0]])
    )
    given = MoleculeInput(["H"], np.array([[0.5, 0.5, 0.5]]) @ CELL, multiplicity=2)
    factors, result = quantum.call(
        "qcrbox_har.quantum.periodic:atoms", str(file), given, CELL, np.array([0]), asked
    )
    # Half of the tail lies between images, where level 2 of the grid is coarse.
    assert result.electrons[0] == pytest.approx(1, abs=1e-3)
    assert factors[0, 0] == pytest.approx(result.electrons[0], abs=1e-6)
    assert result.spin[0] == pytest.approx(result.electrons[0], abs=2e-3)


@pytest.mark.slow
def test_a_neon_atom_has_no_deformation_density_up_to_its_nucleus(gpaw_program, quantum, tmp_path):
    """The density of its core, 4,000 e/Å³ at the nucleus, is that of the atom which is taken off: same functional, same relativity."""
    file, centre = tmp_path / "neon.npz", np.array([0.5, 0.5, 0.5]) @ CELL
    asked = request(symbols=["Ne"], fractional=[[0.5, 0.5, 0.5]], file=str(file), cutoff_ev=600.0)
    gpaw_program.density(asked)
    points = centre + np.outer([0, 0.001, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5], [0.36, 0.48, 0.8])
    left = quantum.call(
        "qcrbox_har.quantum.periodic:deformation",
        str(file),
        MoleculeInput(["Ne"], centre[None]),
        CELL,
        points,
    )
    total, _ = at(quantum, file, ["Ne"], centre[None], points)
    assert total[0] * 6.748 == pytest.approx(4100, rel=0.1)  # e/Å³
    assert left[4:] == pytest.approx(np.zeros(5), abs=0.05)
    assert np.abs(left).max() < 1


@pytest.mark.slow
def test_a_molecule_in_a_large_cell_has_the_form_factors_of_the_molecule(tmp_path, monkeypatch):
    """The command as it is used; PBE in plane waves beside PBE in Gaussians, whose basis set differs."""
    monkeypatch.setattr(crystal, "_EXTENT_A", 5.0)  # one k point
    monkeypatch.setattr(crystal, "CUTOFF_EV", 500.0)
    rows = "N1 N 0.4 0.35 0.42\nN2 N 0.50 0.449 0.532\n"
    file = tmp_path / "nitrogen.cif"
    file.write_text(cif(rows, (6.2, 6.2, 6.2, 90, 90, 90)), encoding="utf-8")
    tables = {}
    for density in ("periodic", "molecules"):
        folder = tmp_path / density
        folder.mkdir()
        with chdir(folder):
            commands.form_factors(str(file), d_min=1.2, functional="pbe", basis="def2-TZVP", density=density)
        tables[density] = read_tsc((folder / "form_factors.tsc").read_bytes())
    assert (tables["periodic"].hkl == tables["molecules"].hkl).all()
    difference = np.abs(tables["periodic"].values - tables["molecules"].values)
    assert difference.max() < 0.03
    text = (tmp_path / "periodic" / "form_factors.cif").read_text("utf-8")
    assert "periodic density, PBE with GPAW" in text
