"""CONN, BIND and FREE: changes of the table of bonds that radii alone give."""

from __future__ import annotations

import smtbx.utils
from cctbx import crystal, sgtbx, xray
from cctbx.eltbx import covalent_radii
from qcrbox.crystallography.shelx import Instruction

from qcrbox_refine.atom_names import NO_ATOMS, AtomNames, AtomRef, UnknownAtom
from qcrbox_refine.model import Model

# Atoms are bonded when they are nearer than the sum of their radii and this, Å.
TOLERANCE = 0.5
NAMES = ("CONN", "BIND", "FREE")
# Å; images that are nearer are one.
_SAME_PLACE = 0.01


def change_bonds(model: Model, structure: xray.structure, table: smtbx.utils.connectivity_table) -> None:
    """Leave out bonds from a negative PART to symmetry equivalents, and carry out the instructions in their order: first all
    CONN, then BIND and FREE.
    """
    instructions = [placed.instruction for placed in model.placed if placed.instruction.name in NAMES]
    alone = any(atom.part < 0 for atom in model.atoms)
    if not instructions and not alone:
        return
    names = AtomNames(model)
    connections = [i for i in instructions if i.name == "CONN"]
    parts = {
        frozenset((round(i.numbers[0]), round(i.numbers[1])))
        for i in instructions
        if i.name == "BIND" and len(i.numbers) >= 2
    }
    if connections or parts or alone:
        _rebuild(model, structure, table, names, connections, parts)
    for instruction in instructions:
        if instruction.name in ("BIND", "FREE") and instruction.names:
            _bond(model, table, names, instruction)


def _bond(
    model: Model, table: smtbx.utils.connectivity_table, names: AtomNames, instruction: Instruction
) -> None:
    try:
        pairs = names.of_copies(instruction, lambda here: names.pairs(instruction.names, here))
    except UnknownAtom as error:
        model.leave_out(instruction.text, str(error))
        return
    if not pairs:
        model.leave_out(instruction.text, NO_ATOMS)
    for a, b in pairs:
        operation = a.symmetry.inverse().multiply(b.symmetry)
        if instruction.name == "BIND":
            table.add_bond(a.index, b.index, operation)
            table.pair_sym_table = table.pair_asu_table.extract_pair_sym_table()
        elif not _remove(table, a.index, b.index, operation):
            labels = [model.atoms[ref.index].label for ref in (a, b)]
            model.leave_out(
                f"{instruction.text} to {labels[0]} and {labels[1]}", "There is no bond between them."
            )


def _remove(table: smtbx.utils.connectivity_table, i: int, j: int, operation: sgtbx.rt_mx) -> bool:
    """Take the bond from atom i to this image of atom j out; false where there is none.

    Not `remove_bond` of smtbx: after it every later `add_bond` is lost, and it knows one operation of several that give
    the same image.
    """
    if j < i:
        i, j, operation = j, i, operation.inverse()
    bonds = table.pair_sym_table[i]
    own = (
        [place for place, found in enumerate(bonds[j]) if _same_bond(table, (i, j), operation, found)]
        if j in bonds
        else []
    )
    for place in reversed(own):
        del bonds[j][place]
    table._pair_asu_table = crystal.pair_asu_table(table.pair_asu_table.asu_mappings())
    table._pair_asu_table.add_pair_sym_table(table.pair_sym_table)
    return bool(own)


def _same_bond(
    table: smtbx.utils.connectivity_table, atoms: tuple[int, int], one: sgtbx.rt_mx, other: sgtbx.rt_mx
) -> bool:
    """Whether two operations bring the second atom to images that the symmetry of the first one's site makes one."""
    structure, (i, j) = table.structure, atoms
    site, cell = structure.sites_frac()[j], structure.unit_cell()
    # A bond between two images of one atom is listed once, from either end.
    ends = [one * site, one.inverse() * site] if i == j else [one * site]
    fixing = structure.site_symmetry_table().get(i).matrices()
    return any(cell.distance(turn * end, other * site) < _SAME_PLACE for end in ends for turn in fixing)


def _rebuild(
    model: Model,
    structure: xray.structure,
    table: smtbx.utils.connectivity_table,
    names: AtomNames,
    connections: list[Instruction],
    parts: set[frozenset[int]],
) -> None:
    """The table with radii and largest numbers of bonds by atom, and bonds between joined parts."""
    radii = [covalent_radii.table(scatterer.scattering_type).radius() for scatterer in structure.scatterers()]
    most = [12] * len(radii)
    for instruction in connections:
        numbers = instruction.numbers
        for ref in _atoms(model, names, instruction):
            most[ref.index] = round(numbers[0]) if numbers else 12
            if len(numbers) > 1:
                radii[ref.index] = numbers[1]
    furthest = 2 * max(radii) + TOLERANCE
    everything = crystal.pair_asu_table(structure.asu_mappings(buffer_thickness=furthest))
    everything.add_all_pairs(distance_cutoff=furthest)
    cell, sites = structure.unit_cell(), structure.sites_frac()
    found = []
    for i, others in enumerate(everything.extract_pair_sym_table()):
        for j, operations in others.items():
            for operation in operations:
                distance = cell.distance(sites[i], operation * sites[j])
                together = _together(model, i, j, operation.is_unit_mx(), parts)
                if together and distance < radii[i] + radii[j] + TOLERANCE:
                    found.append((distance, i, j, operation))
    count = [0] * len(radii)
    made = crystal.pair_asu_table(structure.asu_mappings(buffer_thickness=furthest))
    for _, i, j, operation in sorted(found, key=lambda bond: bond[0]):
        if count[i] < most[i] and count[j] < most[j]:
            made.add_pair(i, j, operation)
            count[i] += 1
            count[j] += 1
    table._pair_asu_table = made
    table.pair_sym_table = made.extract_pair_sym_table()


def _atoms(model: Model, names: AtomNames, instruction: Instruction) -> list[AtomRef]:
    if not instruction.names:
        return [AtomRef(i) for i in range(len(model.atoms))]
    try:
        found = names.of_copies(instruction, lambda here: names.flat(instruction.names, here))
    except UnknownAtom as error:
        model.leave_out(instruction.text, str(error))
        return []
    if not found:
        model.leave_out(instruction.text, NO_ATOMS)
    return found


def _together(model: Model, i: int, j: int, same_image: bool, joined: set[frozenset[int]]) -> bool:
    """Whether two atoms may be bonded as far as disorder goes."""
    first, second = model.atoms[i].part, model.atoms[j].part
    if not same_image and (first < 0 or second < 0):
        return False
    return 0 in (first, second) or first == second or frozenset((first, second)) in joined
