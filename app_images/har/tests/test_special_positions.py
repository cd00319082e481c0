"""Molecules that symmetry completes: how many there are, and which of their atoms gives the form factor of a site."""

from __future__ import annotations

import numpy as np
import pytest
from crystals import structure
from qcrbox_har import charges, molecules
from qcrbox_har.form_factors import Computer
from qcrbox_har.method import Method

# Half of hydrogen peroxide, planar, about the origin; a water molecule in a general position.
PEROXIDE = "O1 O .0725 0 0\nH1 H .0950 .0936 0\n"
WATER = "O2 O .5 .5 .4\nH2 H .5757 .5587 .4\nH3 H .4243 .5587 .4\n"
# Half of a water molecule on a two-fold axis along b.
ON_AXIS = "O1 O 0 .2 0\nH1 H .0757 .2587 0\n"
COLUMNS = ("occupancy", "disorder_assembly", "disorder_group")


class NoProcess:
    """Positions of molecules need no wavefunctions."""

    def call(self, *_: object):
        raise AssertionError


def copies(rows: str, group: str, **keywords) -> dict[str, float]:
    plan = molecules.plan(structure(rows, group=group, **keywords))
    return {m.formula: m.copies for m in plan.molecules}


@pytest.mark.parametrize(
    ("rows", "group", "found"),
    [
        (PEROXIDE, "P -1", {"H2O2": 1}),
        (PEROXIDE + WATER, "P -1", {"H2O2": 1, "H2O": 2}),
        (ON_AXIS, "P 1 2 1", {"H2O": 1}),
        (ON_AXIS, "C 1 2 1", {"H2O": 2}),
        (WATER, "P 1", {"H2O": 1}),
        (WATER, "P 21 21 21", {"H2O": 4}),
        (WATER, "P 1 21/c 1", {"H2O": 4}),
        ("Na1 Na 0 0 0\nCl1 Cl .5 .5 .5\n", "P -1", {"Cl": 1, "Na": 1}),
    ],
    ids=["centre", "centre and general", "axis", "axis, centred cell", "P1", "screw axes", "glide", "ions"],
)
def test_the_unit_cell_holds_as_many_as_symmetry_makes(rows, group, found):
    assert copies(rows, group) == pytest.approx(found)


def test_a_molecule_on_a_centre_is_whole_and_centrosymmetric():
    crystal = structure(PEROXIDE, group="P -1")
    molecule = molecules.plan(crystal).molecules[0]
    places = crystal.cell.to_cartesian(molecule.fract(crystal))
    assert len(molecule.bonds) == 3
    assert places.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
    order = [int(np.linalg.norm(places + place, axis=1).argmin()) for place in places]
    assert sorted(order) == [0, 1, 2, 3]
    assert all(molecule.symbols[i] == molecule.symbols[j] for i, j in enumerate(order))


def test_each_site_is_taken_in_its_own_place():
    crystal = structure(PEROXIDE + WATER, group="P -1")
    plan = molecules.plan(crystal)
    for site, sources in plan.sources.items():
        (source,) = sources
        molecule = plan.molecules[source.molecule]
        place = molecule.fract(crystal)[source.atom]
        assert (place - crystal.sites.fract[site]) % 1 == pytest.approx(np.zeros(3), abs=1e-9)
        assert molecule.operation[source.atom] == 0


def test_images_move_with_their_site_as_the_operation_says():
    crystal = structure(PEROXIDE, group="P -1")
    molecule = molecules.plan(crystal).molecules[0]
    step = np.array([0.001, 0.002, 0.003])
    moved = molecule.fract(crystal, crystal.sites.fract + step) - molecule.fract(crystal)
    for atom, change in enumerate(moved):
        sign = 1 if molecule.operation[atom] == 0 else -1
        assert change == pytest.approx(sign * step)


def test_wavefunctions_get_whole_molecules_in_cartesian_coordinates():
    crystal = structure(PEROXIDE + WATER, group="P -1")
    plan = molecules.plan(crystal)
    charges.assign(plan.molecules)
    computer = Computer(crystal, plan, Method(), NoProcess())  # type: ignore[arg-type]
    inputs = computer.inputs(crystal.sites.fract)
    assert [given.formula for given in inputs] == ["H2O2", "H2O"]
    assert [(given.charge, given.multiplicity) for given in inputs] == [(0, 1), (0, 1)]
    oxygen = inputs[0].positions[[s == "O" for s in inputs[0].symbols]]
    assert np.linalg.norm(oxygen[0] - oxygen[1]) == pytest.approx(1.45)


def test_disorder_about_a_centre_counts_by_occupancy():
    """A water molecule beside a centre, half occupied: one in a cell that would hold two."""
    rows = "O1 O .1 .1 .1 .5 . .\nH1 H .1757 .1587 .1 .5 . .\nH2 H .0243 .1587 .1 .5 . .\n"
    assert copies(rows, "P -1", columns=COLUMNS) == pytest.approx({"H2O": 1})


def test_weights_of_a_site_in_several_conformers_add_up_to_1():
    rows = (
        "O1 O .5 .5 .5 1 . .\nH1 H .5757 .5587 .5 1 . .\nH2A H .4243 .5587 .5 .6 A 1\n"
        "H2B H .4243 .48 .55 .4 A 2\n"
    )
    plan = molecules.plan(structure(rows, columns=COLUMNS))
    for sources in plan.sources.values():
        assert sum(source.weight for source in sources) == pytest.approx(1)
    assert [m.copies for m in plan.molecules] == pytest.approx([0.6, 0.4])


def test_molecules_are_numbered_from_the_largest():
    plan = molecules.plan(structure(WATER + PEROXIDE, group="P -1"))
    assert [(m.number, m.name) for m in plan.molecules] == [(1, "1: H2O2"), (2, "2: H2O")]


def test_pieces_of_a_molecule_without_some_of_its_atoms():
    molecule = molecules.plan(structure(PEROXIDE, group="P -1")).molecules[0]
    oxygen = {i for i, s in enumerate(molecule.symbols) if s == "O"}
    assert sorted(map(len, molecules.components(molecule, oxygen))) == [1, 1]
    assert [len(piece) for piece in molecules.components(molecule, set())] == [4]
