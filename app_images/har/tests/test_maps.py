"""Grids around molecules and the cube files made on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from crystals import structure
from qcrbox.analysis.density.cube import BOHR, read_cube
from qcrbox_har import maps, molecules
from qcrbox_har.form_factors import Computer, TableOptions
from qcrbox_har.loop_state import Progress
from qcrbox_har.maps import Box, Drawn
from qcrbox_har.method import Method, MoleculeInput
from qcrbox_har.molecules import Source

ATOMS = [("O", np.array([0.0, 0.0, 0.0])), ("H", np.array([0.0, 0.8, 0.6]))]


def test_a_box_has_its_margin_on_every_side():
    box = Box.around(ATOMS, 0.25)
    points = box.points
    low, high = points.min(axis=0), points.max(axis=0)
    assert low == pytest.approx([-2, -2, -2])
    assert (high >= np.array([2, 2.8, 2.6]) - 1e-9).all()
    assert (high < np.array([2, 2.8, 2.6]) + 0.26).all()
    assert len(points) == np.prod(box.shape)


def test_the_last_axis_runs_fastest():
    box = Box.around(ATOMS, 0.5)
    assert box.points[1] - box.points[0] == pytest.approx([0, 0, 0.5])
    assert box.points[box.shape[2]] - box.points[0] == pytest.approx([0, 0.5, 0])


def test_a_large_molecule_gets_a_coarser_grid():
    far = [("C", np.zeros(3)), ("C", np.array([40.0, 40.0, 40.0]))]
    box = Box.around(far, 0.12)
    assert box.spacing > 0.12
    assert np.prod(box.shape) < 1.1 * maps.MOST_POINTS


def test_a_cube_file_reads_back_on_the_same_points(tmp_path):
    box = Box.around(ATOMS, 0.4)
    values = np.exp(-((box.points - ATOMS[1][1]) ** 2).sum(axis=1))
    maps.write_cube(tmp_path / "x.cube", "Test, e/bohr^3", box, values)
    cube = read_cube(tmp_path / "x.cube")
    assert cube.values.ravel() == pytest.approx(values, rel=1e-5)
    assert cube.origin == pytest.approx(box.corner, abs=1e-5)
    assert np.diag(cube.steps) == pytest.approx([0.4] * 3, abs=1e-6)
    assert cube.numbers.tolist() == [8, 1]
    assert cube.places == pytest.approx(np.array([place for _, place in ATOMS]), abs=1e-5)
    assert cube.at_cartesian(ATOMS[1][1][None])[0] == pytest.approx(1, abs=0.12)


def test_a_density_in_the_file_integrates_to_its_electrons(tmp_path):
    """A Gaussian of two electrons, written per cubic bohr, read back per cubic ångström."""
    box = Box.around([("H", np.zeros(3))], 0.1)
    per_angstrom = 2 * (4 / np.pi) ** 1.5 * np.exp(-4 * (box.points**2).sum(axis=1))
    maps.write_cube(tmp_path / "x.cube", "e/bohr^3", box, per_angstrom * BOHR**3)
    assert read_cube(tmp_path / "x.cube").per_cubic_angstrom().integral == pytest.approx(2, rel=1e-3)


HF = Method("hf", "sto-3g")
ALONE = "F1 F 0 0 0\nH1 H 0 0 0.092"
# Near the hydrogen atom of hydrogen fluoride, within the bond, and as far on the other side of fluorine; Å.
PLACES = np.array([[0.0, 0.0, 0.7], [0.0, 0.0, -0.7]])


def bond_density(quantum, crystal, plan, points, file=None) -> np.ndarray:
    """Deformation density in e/Å³ of the molecules of a plan, with their wavefunctions, at points in Å."""
    computer = Computer(crystal, plan, HF, quantum, TableOptions(wavefunction=file))
    sites = crystal.sites.fract
    computer.table(sites, np.array([(0, 0, 1)]))
    drawn = [Drawn.of(plan, index) for index in range(len(plan.molecules))]
    parts = list(zip(computer.inputs(sites), drawn, strict=True))
    return maps.deformation(Progress(crystal, plan, HF, {}), computer, parts, points)


@pytest.fixture(scope="module")
def alone(quantum):
    """At the two places of a hydrogen fluoride molecule that is alone, e/Å³."""
    crystal = structure(ALONE)
    return bond_density(quantum, crystal, molecules.plan(crystal), PLACES)


def test_conformers_of_a_disorder_are_a_mean_and_not_a_sum(quantum, alone):
    """Each conformer was added whole, so that ordered atoms counted twice."""
    rows = "F1 F 0 0 0 1 .\nH1A H 0 0 0.092 0.6 1\nH1B H 0 0 -0.092 0.4 2"
    crystal = structure(rows, columns=("occupancy", "disorder_group"))
    found = bond_density(quantum, crystal, molecules.plan(crystal), PLACES)
    assert abs(alone[0] - alone[1]) > 0.1
    assert found == pytest.approx(
        [0.6 * alone[0] + 0.4 * alone[1], 0.4 * alone[0] + 0.6 * alone[1]], abs=1e-3
    )


def test_overlapping_fragments_count_their_own_atoms_alone(quantum, alone):
    """Two fragments that both hold the whole molecule, one with its fluorine, one with its hydrogen, add up to it."""
    crystal = structure(ALONE)
    whole = molecules.plan(crystal)
    (molecule,) = whole.molecules
    twice = [replace(molecule, number=number, places=0.0, copies=0.0) for number in (1, 2)]
    plan = replace(whole, molecules=twice, sources={site: [Source(site, site, 1.0)] for site in (0, 1)})
    assert bond_density(quantum, crystal, plan, PLACES) == pytest.approx(alone, abs=1e-4)


def test_a_molecule_of_a_file_has_its_deformation_density(quantum, tmp_path):
    """It was left out without a word: a map of zeros. The crystal holds it turned and moved."""
    crystal = structure("F1 F 0.5 0.5 0.5\nH1 H 0.5 0.592 0.5")
    path = str(tmp_path / "hydrogen_fluoride.molden")
    lying = MoleculeInput(["F", "H"], np.array([[0.0, 0, 0], [0, 0, 0.92]]))
    quantum.call("quantum_reference:write_molden", lying, HF, path, np.eye(3))
    points = np.array([[5.0, 5.7, 5.0], [5.0, 4.3, 5.0]])
    found = bond_density(quantum, crystal, molecules.plan(crystal), points, path)
    # Beside a file the free atoms have this basis set; those of `alone` have STO-3G.
    bond_density(quantum, structure(ALONE), molecules.plan(structure(ALONE)), PLACES)
    expected = quantum.call("qcrbox_har.quantum.task:deformation_density", 1, "def2-TZVP", PLACES)
    assert found == pytest.approx(expected, abs=1e-3)
