"""Molecules, charges and spins of crystals."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import charges, molecules
from qcrbox_har.molecules import Molecule


def of_text(atoms: str, group: str = "P 1", cell: str = "20 20 20 90 90 90") -> Structure:
    """A crystal from rows `label element x y z occupancy assembly group`, coordinates in Å of a cubic cell."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    head = "".join(f"_cell_{n} {v}\n" for n, v in zip(names, cell.split(), strict=True))
    columns = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy", "disorder_assembly", "disorder_group")  # fmt: skip
    rows = ""
    for line in atoms.strip().splitlines():
        label, element, x, y, z, *rest = line.split()
        place = " ".join(f"{float(v) / 20:.6f}" for v in (x, y, z))
        rows += f"{label} {element} {place} {' '.join(rest or ['1', '.', '.'])}\n"
    loop = "loop_\n" + "".join(f"_atom_site_{c}\n" for c in columns) + rows
    return Structure.from_cif(f"data_t\n{head}_space_group_name_H-M_alt '{group}'\n{loop}".encode())


def test_a_molecule_on_a_special_position_is_whole(urea_cif):
    structure = Structure.from_cif(urea_cif)
    plan = molecules.plan(structure)
    assert [m.formula for m in plan.molecules] == ["CH4N2O"]
    assert plan.molecules[0].copies == 2
    assert sorted(plan.sources) == [0, 1, 2, 3, 4]
    positions = structure.cell.to_cartesian(plan.molecules[0].fract(structure))
    assert np.linalg.norm(positions[:, None] - positions, axis=2)[~np.eye(8, dtype=bool)].min() > 0.95


def test_independent_molecules_and_water_have_a_wavefunction_each():
    file = Path(find_spec("iotbx").origin).parent / "regression" / "data" / "cu3182sup1.cif"
    structure = Structure.from_cif(file)
    plan = molecules.plan(structure)
    charges.assign(plan.molecules, structure.formula_moiety)
    assert [m.formula for m in plan.molecules] == ["C17H18N4O4", "C17H18N4O4", "H2O", "H2O"]
    assert {m.charge for m in plan.molecules} == {0}


WATER = "O1 O 0 0 0\nH1 H 0.757 0.587 0\nH2 H -0.757 0.587 0\n"


def test_disorder_gives_one_molecule_for_each_conformer():
    text = "O1 O 0 0 0\nH1 H 0.757 0.587 0\nH2A H -0.757 0.587 0 0.7 A 1\nH2B H -0.757 -0.2 0.5 0.3 A 2\n"
    plan = molecules.plan(of_text(text))
    assert [m.formula for m in plan.molecules] == ["H2O", "H2O"]
    oxygen = plan.sources[0]
    assert sorted(round(source.weight, 3) for source in oxygen) == [0.3, 0.7]
    assert [round(source.weight, 3) for source in plan.sources[2]] == [1.0]


def test_a_minor_part_without_its_hydrogen_stays_spherical():
    text = "C1 C 0 0 0\nO1A O 1.2 0 0 0.9 A 1\nH1A H 1.5 0.9 0 0.9 A 1\nO1B O 0 1.2 0 0.1 A 2\n"
    plan = molecules.plan(of_text(text))
    assert plan.spherical == [3]
    assert "O1B" in plan.notes[0]


def test_overlapping_atoms_without_disorder_groups_are_refused():
    with pytest.raises(UserInputError, match="N1 and C1 are 0"):
        molecules.plan(of_text("C2 C 1.4 0 0\nN1 N 0 0 0 0.5 . .\nC1 C 0 0 0 0.5 . ."))


def test_atoms_that_the_file_lists_with_their_symmetry_copies_are_refused():
    """As files of databases do: here a molecule about the centre of symmetry."""
    text = of_text("C1 C 0.6 0.2 0.1\nC1B C -0.6 -0.2 -0.1", group="P -1")
    with pytest.raises(UserInputError, match="C1B stands where C1 is brought by symmetry") as error:
        molecules.plan(text)
    assert "edits='delete C1B'" in error.value.next


def molecule(symbols: str, bonds: list[tuple[int, int]]) -> Molecule:
    names = symbols.split()
    count = len(names)
    empty = np.zeros(count, dtype=np.int64)
    pairs = np.array(bonds, dtype=np.int64).reshape(-1, 2)
    return Molecule(1, names, names, np.arange(count), empty, np.zeros((count, 3), dtype=np.int64), pairs)


def star(centre: str, *around: str) -> Molecule:
    return molecule(" ".join([centre, *around]), [(0, i + 1) for i in range(len(around))])


ACETATE = molecule("C H H H C O O", [(0, 1), (0, 2), (0, 3), (0, 4), (4, 5), (4, 6)])
GUANIDINIUM = molecule(
    "C N N N H H H H H H", [(0, 1), (0, 2), (0, 3), (1, 4), (1, 5), (2, 6), (2, 7), (3, 8), (3, 9)]
)
NITROMETHANE = molecule("C H H H N O O", [(0, 1), (0, 2), (0, 3), (0, 4), (4, 5), (4, 6)])
GLYCINE = molecule(
    "N H H H C H H C O O", [(0, 1), (0, 2), (0, 3), (0, 4), (4, 5), (4, 6), (4, 7), (7, 8), (7, 9)]
)
BENZENE = molecule(
    "C C C C C C H H H H H H", [(i, (i + 1) % 6) for i in range(6)] + [(i, i + 6) for i in range(6)]
)
PYRIDINIUM = molecule(
    "N C C C C C H H H H H H", [(i, (i + 1) % 6) for i in range(6)] + [(i, i + 6) for i in range(6)]
)
CYCLOPENTADIENYL = molecule(
    "C C C C C H H H H H", [(i, (i + 1) % 5) for i in range(5)] + [(i, i + 5) for i in range(5)]
)


@pytest.mark.parametrize(
    ("given", "charge"),
    [
        (star("O", "H", "H"), 0),
        (star("N", "H", "H", "H", "H"), 1),
        (star("O", "H", "H", "H"), 1),
        (star("N", "O", "O", "O"), -1),
        (star("S", "O", "O", "O", "O"), -2),
        (star("Cl", "O", "O", "O", "O"), -1),
        (star("B", "F", "F", "F", "F"), -1),
        (star("P", *["F"] * 6), -1),
        (molecule("Cl", []), -1),
        (molecule("Na", []), 1),
        (molecule("Ca", []), 2),
        (ACETATE, -1),
        (GUANIDINIUM, 1),
        (NITROMETHANE, 0),
        (GLYCINE, 0),
        (BENZENE, 0),
        (PYRIDINIUM, 1),
        (CYCLOPENTADIENYL, -1),
        (molecule("C N", [(0, 1)]), -1),
        (molecule("H C N", [(0, 1), (1, 2)]), 0),
        (star("Zn", *["Cl"] * 4), -2),
    ],
    ids=lambda value: value.formula if isinstance(value, Molecule) else str(value),
)
def test_charges_follow_from_bonds(given, charge):
    assert charges.guess_charge(given) == charge


def test_the_moiety_formula_wins_over_the_guess():
    assert charges.moiety_charges("C3 H8 N O2 +, 0.5(O4 S 2-), H2 O") == {"C3H8NO2": 1, "O4S": -2, "H2O": 0}


def test_what_the_user_says_wins_over_everything():
    plan = molecules.plan(of_text(WATER))
    charges.assign(plan.molecules, "H2 O", charges="H2O: +2")
    assert plan.molecules[0].charge == 2


@pytest.mark.parametrize("text", ["9: 1", "H2O", "H2O: x"])
def test_charges_that_fit_no_molecule_are_refused(text):
    plan = molecules.plan(of_text(WATER))
    with pytest.raises(UserInputError, match="H2O"):
        charges.assign(plan.molecules, charges=text)


def test_an_odd_number_of_electrons_is_refused_with_a_way_out():
    plan = molecules.plan(of_text("O1 O 0 0 0\nH1 H 0.9 0 0"))
    with pytest.raises(UserInputError, match="multiplicities='1: 2'"):
        charges.assign(plan.molecules, charges="1: 0")


def test_an_open_shell_metal_must_be_declared():
    with pytest.raises(UserInputError, match="Fe, whose d or f shell may be open"):
        charges.assign([star("Fe", *["O"] * 6)], charges="1: 2")
    complex_ion = star("Fe", *["Cl"] * 4)
    charges.assign([complex_ion], charges="1: -2", multiplicities="1: 5")
    assert complex_ion.multiplicity == 5
