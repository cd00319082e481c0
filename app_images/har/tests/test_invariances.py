"""What form factors must not depend on, and what they must add up to: truths that need no other program."""

from __future__ import annotations

import numpy as np
import pytest
from crystals import structure
from qcrbox.crystallography.tsc import FormFactorTable, read_tsc, write_tsc, write_tscb
from qcrbox_har import charges, molecules
from qcrbox_har.form_factors import Computer, Table
from qcrbox_har.method import Accuracy, Method

HF = Method("hf", "sto-3g")
HKL = np.array([(0, 0, 0), (1, 0, 0), (0, 2, -1), (3, -1, 2), (-4, 2, 5)])
PLACES = {
    "O1": ("O", (0.50, 0.50, 0.50)),
    "H1": ("H", (0.5757, 0.5587, 0.50)),
    "H2": ("H", (0.4243, 0.5587, 0.50)),
}
# Below the accuracy of the grid, which stays on the axes when the molecule is turned or moved.
SAME, TURNED = 2e-5, 3e-2
EXACT = Accuracy()


def rows(places: dict[str, tuple[str, tuple[float, ...]]]) -> str:
    return "".join(f"{label} {e} {x:.6f} {y:.6f} {z:.6f}\n" for label, (e, (x, y, z)) in places.items())


def moved(by: tuple[float, float, float]) -> str:
    return rows({label: (e, tuple(np.add(x, by))) for label, (e, x) in PLACES.items()})


def table_of(quantum, text: str, hkl=HKL, accuracy: Accuracy = EXACT, **keywords) -> dict[str, np.ndarray]:
    """Form factors (k,) by label."""
    crystal = structure(text, **keywords)
    plan = molecules.plan(crystal)
    charges.assign(plan.molecules)
    table: Table = Computer(crystal, plan, HF, quantum).table(crystal.sites.fract, hkl, accuracy=accuracy)
    return dict(zip(table.labels(crystal), table.values.T, strict=True))


@pytest.fixture(scope="module")
def water(quantum) -> dict[str, np.ndarray]:
    return table_of(quantum, rows(PLACES))


def test_a_molecule_has_its_electrons_at_the_origin_of_reciprocal_space(water):
    assert sum(f[0].real for f in water.values()) == pytest.approx(10, abs=1e-4)
    assert max(abs(f[0].imag) for f in water.values()) < 1e-6


def test_no_atom_scatters_more_than_its_electrons(water):
    for f in water.values():
        assert (np.abs(f) <= f[0].real + 1e-6).all()


@pytest.mark.parametrize("by", [(1.0, 0.0, 0.0), (-2.0, 1.0, 3.0), (0.137, -0.41, 0.29)], ids=str)
def test_form_factors_do_not_depend_on_the_place_in_the_cell(quantum, water, by):
    """Each is taken from its own nucleus; the phase of the place belongs to the structure factor."""
    for label, f in table_of(quantum, moved(by)).items():
        assert np.abs(f - water[label]).max() < SAME, label


def test_the_order_of_the_atoms_in_the_file_changes_nothing(quantum, water):
    backwards = dict(reversed(PLACES.items()))
    for label, f in table_of(quantum, rows(backwards)).items():
        assert np.abs(f - water[label]).max() < SAME, label


def test_friedel_mates_are_conjugate_for_every_atom(quantum, water):
    for label, f in table_of(quantum, rows(PLACES), -HKL).items():
        assert np.abs(f - water[label].conj()).max() < SAME, label


def test_a_molecule_with_a_mirror_gives_its_images_the_same_form_factors(water):
    """x -> 1 - x takes H1 to H2: f of one at (h k l) is that of the other at (-h k l)."""
    across = {tuple(h): i for i, h in enumerate(HKL.tolist())}
    assert np.abs(water["H1"][across[(0, 2, -1)]] - water["H2"][across[(0, 2, -1)]]) < 1e-4
    assert np.abs(water["H1"][1] - water["H2"][1].conj()) < 1e-4


def test_the_inverted_molecule_has_conjugate_form_factors(quantum, water):
    inverted = {label: (e, tuple(1 - np.array(x))) for label, (e, x) in PLACES.items()}
    for label, f in table_of(quantum, rows(inverted)).items():
        assert np.abs(f - water[label].conj()).max() < TURNED, label


def test_axes_by_another_name_give_the_same_form_factors(quantum, water):
    """Atoms and indices turned together, x y z -> z x y, in a cubic cell."""
    turned = {label: (e, (x[2], x[0], x[1])) for label, (e, x) in PLACES.items()}
    for label, f in table_of(quantum, rows(turned), HKL[:, [2, 0, 1]]).items():
        assert np.abs(f - water[label]).max() < TURNED, label


def test_a_longer_cell_lists_the_same_function_more_finely(quantum, water):
    """In a cell of twice the length, 2 h is the old h."""
    halves = {label: (e, tuple(np.array(x) / 2)) for label, (e, x) in PLACES.items()}
    found = table_of(quantum, rows(halves), 2 * HKL, cell=(20, 20, 20, 90, 90, 90))
    for label, f in found.items():
        assert np.abs(f - water[label]).max() < 1e-4, label


def test_a_molecule_on_a_mirror_is_that_of_the_whole_cell(quantum, water):
    """Half of water, its x and y exchanged, and the mirror across b that makes the rest."""
    half = {label: (PLACES[label][0], tuple(np.array(PLACES[label][1])[[1, 0, 2]])) for label in ("O1", "H1")}
    found = table_of(quantum, rows(half), HKL[:, [1, 0, 2]], group="P m")
    assert set(found) == {"O1", "H1"}
    for label, f in found.items():
        assert np.abs(f - water[label]).max() < TURNED, label
    assert found["O1"][0].real + 2 * found["H1"][0].real == pytest.approx(10, abs=1e-3)


def test_an_early_round_is_coarser_but_of_the_same_electrons(quantum, water):
    early = table_of(quantum, rows(PLACES), accuracy=Accuracy(1e-4, 0, 1, 1e-4))
    for label, f in early.items():
        assert 1e-7 < np.abs(f - water[label]).max() < 0.05, label
    assert sum(f[0].real for f in early.values()) == pytest.approx(10, abs=2e-3)


@pytest.mark.parametrize("write", [write_tsc, write_tscb], ids=["text", "binary"])
def test_a_table_survives_its_file(water, write):
    labels = list(water)
    values = np.array([water[label] for label in labels]).T
    header = {"TITLE": "water", "SYMM": "expanded", "AD": "FALSE"}
    again = read_tsc(write(FormFactorTable(labels, HKL.astype(np.int32), values, header)))
    assert again.scatterers == labels
    assert (again.hkl == HKL).all()
    assert np.abs(again.values - values).max() < 1e-7
    assert again.header["SYMM"] == "expanded"
