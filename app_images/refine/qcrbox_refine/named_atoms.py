"""Instructions that name atoms and become part of the model: EADP, EXYZ, ANIS and HFIX."""

from __future__ import annotations

from collections.abc import Iterable

from qcrbox.crystallography.shelx import Instruction

from qcrbox_refine.atom_names import NO_ATOMS, AtomNames, UnknownAtom
from qcrbox_refine.edits import make_anisotropic
from qcrbox_refine.model import Atom, HydrogenRequest, Model


def tie_named_atoms(model: Model, instructions: Iterable[Instruction]) -> None:
    """Apply EADP, EXYZ, ANIS with names and HFIX; what names no atoms of the model is listed as not applied."""
    names = AtomNames(model)
    for instruction in instructions:
        try:
            if instruction.name == "EADP":
                model.equal_displacements += _equal(model, instruction, names)
            elif instruction.name == "EXYZ":
                model.equal_sites += _led_by_bound(model, instruction, _equal(model, instruction, names))
            elif instruction.name == "ANIS" and instruction.names:
                _anisotropic_by_name(model, instruction, names)
            elif instruction.name == "HFIX" and instruction.numbers:
                _request_hydrogen(model, instruction, names)
        except UnknownAtom as error:
            model.leave_out(instruction.text, str(error))
    for group in model.equal_displacements:
        for atom in group[1:]:
            if (atom.u_aniso is None) != (group[0].u_aniso is None):
                model.note(f"EADP: {atom.label} takes the displacement parameters of {group[0].label}.")
            atom.u_aniso, atom.u_iso, atom.u_coding = group[0].u_aniso, group[0].u_iso, group[0].u_coding
            atom.u_factor, atom.u_pivot = group[0].u_factor, group[0].u_pivot
    for group in model.equal_sites:
        for atom in group[1:]:
            atom.site, atom.site_coding = group[0].site, group[0].site_coding


def _request_hydrogen(model: Model, instruction: Instruction, names: AtomNames) -> None:
    code = round(instruction.numbers[0])
    u = instruction.numbers[1] if len(instruction.numbers) > 1 else None
    distance = instruction.numbers[2] if len(instruction.numbers) > 2 else None
    refs = names.of_copies(instruction, lambda here: names.flat(instruction.names, here))
    labels = [model.atoms[ref.index].label for ref in refs]
    wanted = [label for label in labels if not model.atom(label).is_hydrogen]
    model.hydrogen_requests += [HydrogenRequest(label, code, u, distance) for label in wanted]
    if instruction.names and not wanted:
        model.leave_out(instruction.text, NO_ATOMS)


def _equal(model: Model, instruction: Instruction, names: AtomNames) -> list[list[Atom]]:
    """Groups of two atoms or more; without any the instruction is listed as not applied."""
    groups = [group for group in names.atoms(instruction) if len(group) > 1]
    if not groups:
        model.leave_out(instruction.text, "Its atoms or numbers are missing.")
    return groups


def _led_by_bound(model: Model, instruction: Instruction, groups: list[list[Atom]]) -> list[list[Atom]]:
    """Groups of EXYZ, first the atom that a rigid or riding group moves; with two of those a group is listed as not applied."""
    led = []
    for group in groups:
        bound = [atom for atom in group if atom.group is not None and (atom.group.rigid or atom.group.rides)]
        if len(bound) > 1:
            labels = ", ".join(atom.label for atom in bound)
            model.leave_out(instruction.text, f"{labels} move with groups of their own (AFIX).")
            continue
        led.append([*bound, *(atom for atom in group if atom not in bound)])
    return led


def _anisotropic_by_name(model: Model, instruction: Instruction, names: AtomNames) -> None:
    refs = names.of_copies(instruction, lambda here: names.flat(instruction.names, here))
    if not refs:
        model.leave_out(instruction.text, NO_ATOMS)
    for ref in refs:
        make_anisotropic(model, model.atoms[ref.index])
