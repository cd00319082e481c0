"""Fragments against the whole: chains that end, and chains that do not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import charges, fragments, molecules
from qcrbox_har.form_factors import Computer, TableOptions
from qcrbox_har.method import FormFactorRequest, Method, MoleculeInput

HKL = np.array(list(itertools.product((0, 1, 3), (0, -2, 4), (0, 1, 5))))


def crystal(
    atoms: list[tuple[str, tuple[float, float, float]]], cell: tuple[float, float, float]
) -> Structure:
    head = "".join(f"_cell_length_{n} {v}\n" for n, v in zip("abc", cell, strict=True))
    head += "".join(f"_cell_angle_{n} 90\n" for n in ("alpha", "beta", "gamma"))
    rows = "".join(
        f"{element}{i} {element} {' '.join(f'{x / c:.6f}' for x, c in zip(place, cell, strict=True))}\n"
        for i, (element, place) in enumerate(atoms, start=1)
    )
    loop = "loop_\n_atom_site_label\n_atom_site_type_symbol\n" + "".join(
        f"_atom_site_fract_{n}\n" for n in "xyz"
    )
    return Structure.from_cif(f"data_t\n{head}_space_group_name_H-M_alt 'P 1'\n{loop}{rows}".encode())


def chain(count: int, ends: bool) -> list[tuple[str, tuple[float, float, float]]]:
    """A zigzag of CH2 along c with its hydrogen atoms; CH3 at both ends if it has ends."""
    atoms = []
    for i in range(count):
        side = 0.42 * (-1) ** i
        z = 1.275 * i + 3.0 * ends
        atoms.append(("C", (4 + side, 4.0, z)))
        atoms += [("H", (4 + side + 0.62 * np.sign(side), 4 + 0.89 * s, z)) for s in (1, -1)]
    if ends:
        first, last = atoms[0][1], atoms[3 * (count - 1)][1]
        atoms.append(("H", (first[0] - 2 * 0.32 * np.sign(first[0] - 4), 4.0, first[2] - 0.9)))
        atoms.append(("H", (last[0] - 2 * 0.32 * np.sign(last[0] - 4), 4.0, last[2] + 0.9)))
    return atoms


@pytest.mark.slow
def test_fragments_of_a_long_molecule_give_its_form_factors(quantum):
    """Decane by Hartree-Fock in a small basis set: no factor is off by more than 0.015 electrons."""
    structure = crystal(chain(10, ends=True), (8.0, 8.0, 20.0))
    parts, whole = fragments.plan(structure), molecules.plan(structure)
    assert len(whole.molecules) == 1
    assert len(parts.molecules) > 1
    assert all(m.caps for m in parts.molecules)
    charges.assign(parts.molecules)
    tables = [
        Computer(structure, plan, Method("hf", "sto-3g"), quantum, TableOptions(grid=1)).table(
            structure.sites.fract, HKL
        )
        for plan in (whole, parts)
    ]
    assert np.abs(tables[0].values - tables[1].values).max() < 0.015
    assert tables[1].electrons == pytest.approx(tables[0].electrons, abs=0.01)


def test_a_chain_without_ends_is_cut_into_closed_shells():
    structure = crystal(chain(2, ends=False), (8.0, 8.0, 2.55))
    assert structure.atoms.polymeric
    with pytest.raises(UserInputError, match="fragments='auto'"):
        molecules.plan(structure)
    plan = fragments.plan(structure)
    charges.assign(plan.molecules)
    assert sorted(plan.sources) == list(range(6))
    assert {(m.charge, len(m.caps)) for m in plan.molecules} == {(0, 2)}
    longest = max(len(m.symbols) for m in plan.molecules)
    assert longest < 40
    deeper = fragments.plan(structure, depth=fragments.DEPTH_IN_NETWORKS)
    assert [m.symbols for m in plan.molecules] == [m.symbols for m in deeper.molecules]


def test_a_cap_points_along_the_bond_it_ends():
    structure = crystal(chain(2, ends=False), (8.0, 8.0, 2.55))
    molecule = fragments.plan(structure).molecules[0]
    places = structure.cell.to_cartesian(molecule.fract(structure))
    for k, cap in enumerate(molecule.caps):
        end, anchor = places[len(molecule.site) + k], places[cap.anchor]
        assert np.linalg.norm(end - anchor) == pytest.approx(1.077, abs=1e-6)
        others = np.delete(np.arange(len(places)), [cap.anchor, len(molecule.site) + k])
        assert np.linalg.norm(places[others] - end, axis=1).min() > 1.5


def test_rings_are_not_cut():
    ring = [("C", (6 + 1.39 * np.cos(a), 6 + 1.39 * np.sin(a), 5.0)) for a in np.arange(6) * np.pi / 3]
    ring += [("H", (6 + 2.48 * np.cos(a), 6 + 2.48 * np.sin(a), 5.0)) for a in np.arange(6) * np.pi / 3]
    plan = fragments.plan(crystal(ring, (12.0, 12.0, 10.0)))
    assert [m.formula for m in plan.molecules] == ["C6H6"]


@pytest.mark.slow
def test_a_fragment_is_integrated_where_its_own_atoms_have_electrons(quantum):
    """Three quarters of the points give the same form factors; atoms at the cut bonds have no results."""
    structure = crystal(chain(10, ends=True), (8.0, 8.0, 20.0))
    plan = fragments.plan(structure, depth=3)
    charges.assign(plan.molecules)
    number, molecule = next((i, m) for i, m in enumerate(plan.molecules) if m.caps)
    atoms = [s.atom for sources in plan.sources.values() for s in sources if s.molecule == number]
    given = MoleculeInput(molecule.symbols, structure.cell.to_cartesian(molecule.fract(structure)))
    settings = {"partition": "hirshfeld", "basis": "sto-3g", "grid_level": 1}
    wanted = [(atom, np.eye(3, dtype=int)) for atom in atoms]
    fractional = structure.cell.fractionalisation
    (factors, part), (exact, whole) = (
        quantum.call(
            "qcrbox_har.quantum.task:molecule_density",
            99,
            given,
            Method("hf", "sto-3g"),
            FormFactorRequest(settings, wanted, fractional, HKL, is_fragment=is_fragment),
        )
        for is_fragment in (True, False)
    )
    assert np.abs(factors - exact).max() < 1e-4
    assert part.n_points < 0.75 * whole.n_points
    assert part.electrons[atoms] == pytest.approx(whole.electrons[atoms], abs=1e-4)
    others = np.setdiff1d(np.arange(len(molecule.symbols)), atoms)
    assert np.isnan(part.electrons[others]).all()
    assert np.isnan(part.total_electrons)
    assert np.isfinite(whole.electrons).all()
