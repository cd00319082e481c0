"""Hydrogen bonds and contacts between the atoms that are shown, against distances computed directly."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.elements import van_der_waals_radius
from qcrbox.widgets.structure_view.contact_lines import shown_hydrogen_bonds, shown_short_contacts

from ...conftest import symops, write_cif

GROUPS = {
    "P -1": symops("x,y,z", "-x,-y,-z"),
    "P 21": symops("x,y,z", "-x,y+1/2,-z"),
    "P 21/c": symops("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2"),
    "P 4": symops("x,y,z", "-y,x,z", "-x,-y,z", "y,-x,z"),
}
CELL = (7, 7, 7, 90, 90, 90)
SITES = [("C1", "C", 0.1, 0.21, 0.33), ("O1", "O", 0.27, 0.21, 0.33), ("N1", "N", 0.6, 0.7, 0.8)]


def direct(structure, atoms):
    """Pairs of different molecules closer than the sum of their radii, every one looked at."""
    radii = np.array([van_der_waals_radius(element) for element in atoms.element])
    apart = np.linalg.norm(atoms.cartesian[:, None] - atoms.cartesian[None], axis=2)
    fragment = atoms.fragments()
    near = (apart < radii[:, None] + radii[None]) & (fragment[:, None] != fragment[None])
    return {(int(i), int(j)) for i, j in np.argwhere(np.triu(near, 1))}


@pytest.mark.parametrize("group", GROUPS)
def test_contacts_are_those_that_distances_give(group):
    structure = Structure.from_cif(write_cif(CELL, SITES, group=GROUPS[group]))
    atoms = structure.pack([(0, 1)] * 3, molecules=True)
    found = {tuple(sorted(pair)) for pair in shown_short_contacts(structure, atoms).tolist()}
    assert found == direct(structure, atoms)


def test_nothing_shown_has_no_lines(urea):
    nothing = urea.atoms.select(np.zeros(len(urea.atoms), dtype=bool))
    assert shown_hydrogen_bonds(urea, nothing).shape == (0, 2)
    assert shown_short_contacts(urea, nothing).shape == (0, 2)


def test_hydrogen_bonds_lead_from_hydrogen_to_acceptor(urea):
    atoms = urea.pack([(0, 2)] * 3, molecules=True)
    rows = shown_hydrogen_bonds(urea, atoms)
    assert len(rows)
    assert {atoms.element[row] for row in rows[:, 0]} == {"H"}
    assert {atoms.element[row] for row in rows[:, 1]} == {"O"}
    lengths = np.linalg.norm(atoms.cartesian[rows[:, 0]] - atoms.cartesian[rows[:, 1]], axis=1)
    # H…O of urea: Swaminathan, Craven & McMullan (1984): 1.99 and 2.06 Å by neutrons at 12 K.
    assert ((lengths > 1.8) & (lengths < 2.3)).all()
