"""Bonds and hydrogen bonds that a CIF lists, with their symmetry codes resolved."""

from __future__ import annotations

import numpy as np

from qcrbox.cif.document import Block
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure.bonds import ListedBond
from qcrbox.crystallography.structure.columns import as_loop, numbers_of, texts_of
from qcrbox.crystallography.structure.contacts import ListedHydrogenBond
from qcrbox.crystallography.structure.sites import Sites


def read_listed_bonds(block: Block, sites: Sites, group: SpaceGroup, notes: list[str]) -> list[ListedBond]:
    """The bonds of `_geom_bond`, resolved; rows that name unknown atoms or operations are noted."""
    loop = as_loop(block, "_geom_bond_atom_site_label_1")
    if loop is None or "_geom_bond_atom_site_label_2" not in loop:
        return []
    count = len(loop)
    ends = [texts_of(loop, f"_geom_bond_atom_site_label_{n}", count) for n in (1, 2)]
    codes = [texts_of(loop, f"_geom_bond_site_symmetry_{n}", count) for n in (1, 2)]
    lengths, _ = numbers_of(loop, "_geom_bond_distance", count)
    bonds, unknown = [], set()
    for row in range(count):
        site_1, site_2 = (sites.index.get(column[row]) for column in ends)
        if site_1 is None or site_2 is None:
            unknown.add(ends[0][row] if site_1 is None else ends[1][row])
            continue
        try:
            first, second = (group.parse_code(column[row]) for column in codes)
        except CifError as error:
            notes.append(error.message)
            continue
        if np.isfinite(lengths[row]):
            bonds.append(ListedBond(site_1, *first, site_2, *second, float(lengths[row])))
    if unknown:
        notes.append(f"Bonds are listed for atoms that do not exist: {', '.join(sorted(unknown)[:10])}.")
    return bonds


def read_listed_hydrogen_bonds(
    block: Block, sites: Sites, group: SpaceGroup, notes: list[str]
) -> list[ListedHydrogenBond]:
    """The rows of `_geom_hbond`; those with unknown atoms or codes, or without hydrogen, are left out."""
    loop = as_loop(block, "_geom_hbond_atom_site_label_D")
    if loop is None:
        return []
    count = len(loop)
    names = [texts_of(loop, f"_geom_hbond_atom_site_label_{end}", count) for end in "DHA"]
    codes = [texts_of(loop, f"_geom_hbond_site_symmetry_{end}", count) for end in "DHA"]
    bonds = []
    for row in range(count):
        donor, hydrogen, acceptor = (sites.index.get(column[row]) for column in names)
        if donor is None or hydrogen is None or acceptor is None:
            continue
        try:
            of_d, of_h, of_a = (group.parse_code(column[row]) for column in codes)
        except CifError as error:
            notes.append(error.message)
            continue
        bonds.append(ListedHydrogenBond(donor, *of_d, hydrogen, *of_h, acceptor, *of_a))
    return bonds
