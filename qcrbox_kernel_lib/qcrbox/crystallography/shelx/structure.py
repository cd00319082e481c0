"""The structure of a SHELX .ins or .res text."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from qcrbox.contract.errors import CifError, MissingItemsError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.radiation import NEUTRON
from qcrbox.crystallography.shelx.instructions import Instruction, ShelxAtom, ShelxText, read_instructions
from qcrbox.crystallography.shelx.symmetry_cards import space_group_of_cards
from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.elements import element_of_type
from qcrbox.crystallography.structure.sites import Sites
from qcrbox.crystallography.structure.structure import Structure

_RESIDUE = re.compile(r"[0-9]{1,9}")


def structure_of_instructions(text: str, name: str = "") -> Structure:
    """Cell, symmetry and atoms of a .ins or .res text, peaks after END left out.

    Riding displacement parameters (-1.2) become multiples of those of the atom before; occupancies become those
    of the site; atoms of EXYZ and EADP have the position and the displacements of the first of them. Raises MissingItemsError without CELL, SFAC or atoms, and CifError for what cannot be read.
    """
    found = read_instructions(text)
    words = found.card("CELL")
    if len(words) < 7 or not found.elements or not found.atoms:
        missing = [
            card
            for card, there in (("CELL", len(words) >= 7), ("SFAC", found.elements), ("atoms", found.atoms))
            if not there
        ]
        raise MissingItemsError(f"The text has no {', '.join(missing)}.", where=name, items=missing)
    errors = found.card("ZERR")
    try:
        su = [float(word) or None for word in errors[1:7]] if len(errors) >= 7 else [None] * 6
        cell = UnitCell.from_values([float(word) for word in words[1:7]], su)
        latt = int(float((found.card("LATT") or ["1"])[0]))
        z = float(errors[0]) if errors else None
    except (ValueError, OverflowError) as problem:
        raise CifError(
            "A number of CELL, ZERR or LATT cannot be read.", where=name, why=f"{problem}."
        ) from problem
    cards = [line[4:].strip() for line in found.lines if re.match(r"SYMM\b", line, re.IGNORECASE)]
    group = space_group_of_cards(latt, cards)
    title = next((line[4:].strip() for line in found.lines if line[:4].upper() == "TITL"), "")
    sites = _sites(found, cell)
    _share_parameters(found, sites)
    probe = NEUTRON if found.named("NEUT") else ""
    structure = Structure(cell, group, sites, name=name or title, z=z, probe=probe)
    # SHELX counts the share of the general position, CIF the occupancy of the site.
    share = structure.images.symmetry.multiplicity / group.order
    sites.occupancy = np.where(np.isnan(sites.occupancy), 1.0, np.round(sites.occupancy / share, 6))
    return structure


def _sites(found: ShelxText, cell: UnitCell) -> Sites:
    atoms = found.atoms
    count = len(atoms)
    u_iso, tensors = np.full(count, np.nan), np.full((count, 3, 3), np.nan)
    pivot = 0.05
    for row, atom in enumerate(atoms):
        u = atom.u_in_force
        if len(u) == 6:
            u11, u22, u33, u23, u13, u12 = (found.resolved(value) for value in u)
            tensors[row] = adps.symmetric([u11, u22, u33, u12, u13, u23])
            u_iso[row] = pivot = float(adps.u_equivalent(tensors[row], cell))
        elif -5 < u[0] < -0.5:
            u_iso[row] = -u[0] * pivot
        else:
            u_iso[row] = pivot = found.resolved(u[0])
    elements = [_element(found, atom) for atom in atoms]
    types = ["" if atom.is_peak else found.elements[atom.scattering_type - 1] for atom in atoms]
    return Sites(
        label=[atom.label if not atom.residue else f"{atom.label}_{atom.residue}" for atom in atoms],
        element=elements,
        type_symbol=types,
        fract=np.array([_position(found, atom) for atom in atoms]),
        fract_su=np.zeros((count, 3)),
        occupancy=np.array([_occupancy(found, atom) for atom in atoms]),
        occupancy_su=np.zeros(count),
        adp_type=["Uani" if len(atom.u) == 6 else "Uiso" for atom in atoms],
        u_iso=u_iso,
        u_iso_su=np.zeros(count),
        u_cif=tensors,
        u_cif_su=np.zeros((count, 3, 3)),
        assembly=[""] * count,
        group=np.array([atom.part for atom in atoms], dtype=np.int64),
        calc_flag=["calc" if atom.afix % 10 in (3, 4, 7, 8) and atom.afix else "d" for atom in atoms],
        refinement_flags=["R" if atom.afix % 10 in (3, 4, 7, 8) and atom.afix else "" for atom in atoms],
    )


def _share_parameters(found: ShelxText, sites: Sites) -> None:
    """Positions of EXYZ and displacements of EADP, which the instructions give to all atoms of a group."""
    rows = {(atom.label.upper(), atom.around.residue): row for row, atom in enumerate(found.atoms)}
    for instruction in found.named("EXYZ", "EADP"):
        for first, *others in _groups_of(found, instruction, rows):
            for row in others:
                if instruction.name == "EXYZ":
                    sites.fract[row] = sites.fract[first]
                    continue
                sites.u_iso[row], sites.u_cif[row] = sites.u_iso[first], sites.u_cif[first]
                sites.adp_type[row] = sites.adp_type[first]


def _residues_of(found: ShelxText, suffix: str) -> list[int]:
    """Numbers of the residues that an instruction with this suffix is for: `*`, a number, a class, or none."""
    if not suffix:
        return [0]
    if _RESIDUE.fullmatch(suffix):
        return [int(suffix)]
    places = (atom.around for atom in found.atoms)
    return sorted({place.residue for place in places if suffix in ("*", place.residue_class)})


def _groups_of(
    found: ShelxText, instruction: Instruction, rows: Mapping[tuple[str, int], int]
) -> list[list[int]]:
    """Rows of the atoms that an instruction names, for each of its residues; names of no atom are ignored.

    rows: of the atoms by label in capitals and residue.
    """
    groups = []
    for residue in _residues_of(found, instruction.residue):
        group: list[int] = []
        for word in instruction.names:
            name, _, own = word.upper().partition("_")
            row = rows.get((name, int(own) if _RESIDUE.fullmatch(own) else residue))
            if row is not None and row not in group:
                group.append(row)
        if len(group) > 1:
            groups.append(group)
    return groups


def _position(found: ShelxText, atom: ShelxAtom) -> list[float]:
    """Fractional coordinates, moved and inverted by MOVE."""
    *shift, sign = atom.around.move
    return [d + sign * found.resolved(value) for d, value in zip(shift, atom.position, strict=True)]


def _occupancy(found: ShelxText, atom: ShelxAtom) -> float:
    """As written, with the share of the site in it; NaN for a full site."""
    written = atom.occupancy_in_force
    return np.nan if written is None else found.resolved(written)


def _element(found: ShelxText, atom: ShelxAtom) -> str:
    if atom.is_peak:
        return ""
    number = atom.scattering_type
    if not 1 <= number <= len(found.elements):
        raise CifError(
            f"Atom {atom.label} has scattering type {number}, but SFAC lists {len(found.elements)} elements.",
            next="Correct the number or the SFAC card.",
        )
    return element_of_type(found.elements[number - 1])
