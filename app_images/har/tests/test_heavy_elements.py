"""Molecules with heavy elements, with the scalar relativistic Hamiltonian."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qcrbox.cif import read
from qcrbox.crystallography.tsc import read_tsc
from qcrbox_har import commands
from qcrbox_har.method import FormFactorRequest, Method, MoleculeInput

CORNERS = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / np.sqrt(3)
HYDROGEN_IODIDE = MoleculeInput(["I", "H"], np.array([[0, 0, 1.61], [0, 0, 0]]))
MOLECULES = {
    "HBr": MoleculeInput(["Br", "H"], np.array([[0, 0, 1.41], [0, 0, 0]])),
    "HI": HYDROGEN_IODIDE,
    "[ZnCl4]2-": MoleculeInput(["Zn"] + ["Cl"] * 4, np.array([[0, 0, 0], *(2.27 * CORNERS)]), charge=-2),
}
CELL = 10.0  # Å
HKL = np.array([(0, 0, 0), (16, 0, 0), (0, 22, 0)])
# Of free atoms by relativistic Hartree-Fock at sin θ/λ = 0.8 and 1.1 Å⁻¹, where bonds do not show: International Tables,
# Vol. C, Table 6.1.1.4. Without relativity those of Br and I at 0.8 are 0.02 and 0.08 smaller.
FREE = {"Br": [12.0042, 8.3073], "I": [20.1993, 16.1492], "Zn": [9.1086, 6.8771]}


@pytest.mark.slow
@pytest.mark.parametrize("name", MOLECULES)
def test_electrons_and_cores_are_those_of_the_atoms(quantum, name):
    molecule = MOLECULES[name]
    method = Method("hf", "x2c-SVPall", 0, relativistic=True)
    wanted = [(atom, np.eye(3, dtype=int)) for atom in range(len(molecule.symbols))]
    settings = {"partition": "hirshfeld", "basis": method.basis, "grid_level": 2}
    request = FormFactorRequest(settings, wanted, np.eye(3) / CELL, HKL)
    factors, result = quantum.call("qcrbox_har.quantum.task:molecule_density", 90, molecule, method, request)
    electrons = {"HBr": 36, "HI": 54, "[ZnCl4]2-": 100}[name]
    assert result.converged
    assert result.total_electrons == pytest.approx(electrons, abs=1e-4)
    assert factors[:, 0].real == pytest.approx(result.electrons, abs=1e-6)
    assert factors[0, 1:].real == pytest.approx(FREE[molecule.symbols[0]], rel=1.5e-3)


@pytest.mark.slow
def test_a_crystal_with_iodine_gets_relativity_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sites = HYDROGEN_IODIDE.positions / CELL + 0.5
    rows = [
        f"{symbol}{i} {symbol} {x:.5f} {y:.5f} {z:.5f} 0.02"
        for i, (symbol, (x, y, z)) in enumerate(zip(HYDROGEN_IODIDE.symbols, sites, strict=True), 1)
    ]
    lengths = "\n".join(f"_cell_length_{axis} {CELL}" for axis in "abc")
    angles = "\n".join(f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma"))
    names = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv")
    loop = "\n".join(["loop_", *(f"_atom_site_{name}" for name in names), *rows])
    Path("iodide.cif").write_text(f"data_x\n{lengths}\n{angles}\n_space_group_name_H-M_alt 'P 1'\n{loop}\n")
    commands.form_factors("iodide.cif", d_min=2.0, functional="hf", basis="x2c-SVPall")
    table = read_tsc(Path("form_factors.tsc").read_bytes())
    said = "HF/x2c-SVPall, scalar relativistic (X2C)"
    assert table.header["TITLE"] == f"{said}, hirshfeld"
    block = read("form_factors.cif").sole_block()
    assert block.text("_aspheric_ffs.source") == f"molecular wavefunctions, {said}"
    lowest = np.abs(table.hkl).sum(axis=1) == 1
    assert lowest.sum() == 6
    assert table.of("I1")[lowest].real == pytest.approx(52, abs=1)  # 53 electrons, sin θ/λ = 0.05 Å⁻¹
