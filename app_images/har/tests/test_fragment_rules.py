"""Where molecules and networks may be cut into fragments. Nothing is computed here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from crystals import structure
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import charges, fragments

from tools.validation.hirshfeld_fragments import cif

LONG = (10.0, 10.0, 40.0, 90.0, 90.0, 90.0)


def rows(*atoms: tuple[str, float, float, float]) -> str:
    """Atoms by element and Cartesian coordinates in the cell LONG."""
    return "".join(
        f"{element}{i} {element} {x / 10:.6f} {y / 10:.6f} {z / 40:.6f}\n"
        for i, (element, x, y, z) in enumerate(atoms, start=1)
    )


@pytest.fixture(scope="module")
def peptide(tmp_path_factory) -> Structure:
    """Eight residues of glycine in an extended chain, 58 atoms."""
    path: Path = tmp_path_factory.mktemp("peptide") / "chain.cif"
    path.write_text(cif("G" * 8))
    return Structure.from_cif(path)


@pytest.fixture(scope="module")
def plan(peptide):
    return fragments.plan(peptide)


def cut_bonds(crystal: Structure, plan) -> set[tuple[frozenset[str], float]]:
    """Elements and lengths (0.01 Å) of the bonds that end in a cap."""
    elements, found = crystal.sites.element, set()
    for molecule in plan.molecules:
        for cap in molecule.caps:
            inner, outer = int(molecule.site[cap.anchor]), cap.site
            places = crystal.cell.to_cartesian(crystal.sites.fract[[inner, outer]])
            length = float(np.linalg.norm(places[1] - places[0]))
            found.add((frozenset((elements[inner], elements[outer])), round(length, 2)))
    return found


def test_single_bonds_are_cut_and_amide_bonds_are_not(peptide, plan):
    lengths = {length for _, length in cut_bonds(peptide, plan)}
    assert lengths <= {1.45, 1.46, 1.52, 1.53}
    assert lengths


def test_every_site_comes_from_one_atom_of_one_fragment(peptide, plan):
    assert sorted(plan.sources) == list(range(len(peptide.sites)))
    for site, sources in plan.sources.items():
        assert [source.weight for source in sources] == [1.0]
        molecule = plan.molecules[sources[0].molecule]
        assert molecule.labels[sources[0].atom] == peptide.sites.label[site]


def test_hydrogen_is_taken_from_the_fragment_of_its_parent(peptide, plan):
    places = peptide.cell.to_cartesian(peptide.sites.fract)
    heavy = np.flatnonzero(~peptide.sites.is_hydrogen)
    for site in np.flatnonzero(peptide.sites.is_hydrogen).tolist():
        parent = int(heavy[np.linalg.norm(places[heavy] - places[site], axis=1).argmin()])
        assert plan.sources[site][0].molecule == plan.sources[parent][0].molecule


@pytest.mark.parametrize("depth", [None, 3])
def test_what_surrounds_a_core_is_whole_to_two_bonds_or_as_many_as_asked(peptide, depth):
    """No cap is nearer than that to an atom whose form factor the fragment gives."""
    plan = fragments.plan(peptide, depth=depth)
    for number, molecule in enumerate(plan.molecules):
        taken = {s[0].atom for s in plan.sources.values() if s[0].molecule == number}
        heavy = {atom for atom in taken if molecule.symbols[atom] != "H"}
        for cap in molecule.caps:
            assert steps(molecule, cap.anchor, heavy) >= (depth or fragments.DEPTH_IN_MOLECULES)


def steps(molecule, start: int, goal: set[int]) -> int:
    """Bonds on the shortest way from an atom to any of the goal."""
    reached, count = {start}, 0
    while not reached & goal:
        bonds = molecule.bonds.tolist()
        reached |= {j for i, j in bonds if i in reached} | {i for i, j in bonds if j in reached}
        count += 1
    return count


@pytest.mark.parametrize("sequence", ["G" * 8, "ASG" * 3])
def test_no_fragment_is_made_for_one_or_two_atoms(tmp_path, sequence):
    """The oxygen of a carbonyl group that ends a core belongs to it."""
    (tmp_path / "chain.cif").write_text(cif(sequence))
    crystal = Structure.from_cif(tmp_path / "chain.cif")
    plan = fragments.plan(crystal)
    heavy = [0] * len(plan.molecules)
    for site, sources in plan.sources.items():
        heavy[sources[0].molecule] += crystal.sites.element[site] != "H"
    assert min(heavy) > fragments.SMALLEST_CORE
    assert max(heavy) <= fragments.CORE_ATOMS + 3
    assert sum(heavy) == (~crystal.sites.is_hydrogen).sum()


def test_fragments_have_closed_shells_and_no_charge(plan):
    charges.assign(plan.molecules)
    assert {(m.charge, m.multiplicity) for m in plan.molecules} == {(0, 1)}


def test_caps_stand_at_the_neutron_mean_of_their_atom(peptide, plan):
    for molecule in plan.molecules:
        places = peptide.cell.to_cartesian(molecule.fract(peptide))
        for k, cap in enumerate(molecule.caps):
            length = np.linalg.norm(places[len(molecule.site) + k] - places[cap.anchor])
            assert length == pytest.approx({"C": 1.077, "N": 1.015}[molecule.symbols[cap.anchor]], abs=1e-6)


def test_caps_follow_the_atoms_that_move(peptide, plan):
    """Cap and anchor move together, whatever the coordinates become."""
    moved = peptide.sites.fract + np.array([0.0, 0.01, 0.0])
    for molecule in plan.molecules:
        step = molecule.fract(peptide, moved) - molecule.fract(peptide)
        assert step == pytest.approx(np.tile([0, 0.01, 0], (len(step), 1)), abs=1e-9)


def test_the_number_and_the_size_of_fragments_are_said(plan):
    largest = max(len(m.symbols) for m in plan.molecules)
    assert plan.notes == [f"{len(plan.molecules)} overlapping fragments of up to {largest} atoms."]
    assert largest < 58


@pytest.mark.parametrize(
    ("first", "second", "length", "cut"),
    [
        ("C", "C", 1.54, True),
        ("C", "C", 1.34, False),
        ("C", "C", 1.40, False),
        ("C", "N", 1.47, True),
        ("C", "N", 1.33, False),
        ("C", "O", 1.43, True),
        ("C", "O", 1.22, False),
        ("C", "S", 1.82, True),
        ("C", "H", 1.09, False),
        ("O", "Zn", 2.00, True),
        ("Zn", "O", 2.00, False),
        ("Si", "O", 1.61, False),
    ],
)
def test_which_bonds_may_be_cut(first, second, length, cut):
    """first stays inside, second is left outside."""
    crystal = structure(rows((first, 1, 1, 1), (second, 1, 1, 1 + length)), LONG)
    graph = fragments._Bonded(crystal, crystal.sites.is_atom)
    assert fragments._may_cut(graph, graph.own(0), graph.own(1)) is cut


def test_minor_parts_of_a_disorder_keep_spherical_form_factors():
    text = "C1 C .1 .1 .1 1 . .\nH1 H .2 .1 .1 1 . .\nO1 O .1 .24 .1 .8 A 1\nO2 O .1 .1 .135 .2 A 2\n"
    crystal = structure(text, LONG, columns=("occupancy", "disorder_assembly", "disorder_group"))
    assert fragments.plan(crystal).spherical == [3]


def test_a_fragment_that_cannot_be_closed_names_its_atoms_and_a_way_out():
    with pytest.raises(UserInputError, match=r"fragment around Cl1.*cannot be closed") as error:
        fragments.plan(
            structure("Na1 Na 0 0 0\nCl1 Cl .5 .5 .5\n", (5.64, 5.64, 5.64, 90, 90, 90), "F m -3 m")
        )
    assert "refine_tsc" in error.value.next


def test_overlapping_atoms_are_refused_as_in_whole_molecules():
    """Two atoms on one site without disorder groups, at the end of a chain."""
    chain = [("C", 0.0, 0.0, 1.5 * i) for i in range(4)]
    twice = structure(rows(*chain, ("F", 1.3, 0.0, 4.5), ("H", 1.2, 0.0, 4.5)), LONG)
    with pytest.raises(UserInputError, match=r"F5 and H6 are 0\.10 Å apart"):
        fragments.plan(twice)
