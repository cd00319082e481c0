"""SHELX instructions inside a CIF: the model follows them as it follows an .ins file, where they fit its atoms."""

from __future__ import annotations

import re

import numpy as np
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import read_instructions

from qcrbox_refine.model import Atom, Model, Placed
from qcrbox_refine.parameters import FREE, UNSTATED
from qcrbox_refine.restraints import RESTRAINTS
from qcrbox_refine.riding import SHELX_TEMPERATURE_K, libration
from qcrbox_refine.shelx_input import UnsupportedInstruction, parse_shelx

ITEMS = ("_shelx_res_file", "_iucr_refine_instructions_details")
# A CIF rounds what a .res gives with six decimals: closer than this (Å, Å², occupancy) is the same value.
_SAME_SITE, _SAME_U, _SAME_OCCUPANCY = 0.02, 0.002, 0.002
# Relative, degrees, Å.
_SAME_LENGTH, _SAME_ANGLE, _SAME_WAVELENGTH = 5e-4, 0.02, 5e-4
# Below this share of atoms in common the instructions belong to another model.
_COMMON = 0.5
# Remarks of ModelWriter about atoms that have other names or coordinates in the .res text than in the CIF.
_OWN_REMARK = re.compile(r"REM \S+ is (\S+|moved by( [+-]\d+){3} cells)\s*")


def is_shelx(text: str | None) -> bool:
    """Whether a text holds instructions of SHELXL; CIFs carry those of other programs in the same items."""
    return bool(text) and all(
        re.search(rf"^{card}\b", text or "", re.MULTILINE | re.IGNORECASE) for card in ("CELL", "SFAC")
    )


def follow_instructions(model: Model, text: str, item: str) -> None:
    """Take codings, groups, constraints, restraints and settings from the text into a model read from CIF items.

    Where both give a value, the one with more digits counts as long as they agree; else that of the CIF does, and a
    note says so. Text that does not fit is left out and named. Raises UserInputError for instructions that are
    refused, such as twins.
    """
    try:
        other = parse_shelx(text, item)
    except UnsupportedInstruction:
        raise
    except UserInputError as error:
        model.leave_out(item, f"It cannot be read: {error.message}")
        return
    labels = _labels(text)
    by_label = {labels.get(atom.label.upper(), atom.label).upper(): atom for atom in other.atoms}
    common = [atom for atom in model.atoms if atom.label.upper() in by_label]
    misfit = _misfit(model, other, len(common))
    if misfit:
        model.leave_out(item, misfit)
        return
    _warn_of_other_cell(model, other, item)
    _merge_atoms(model, other, by_label)
    taken = {id(atom) for atom in model.atoms}
    lost = [atom for atom in other.atoms if id(atom) not in taken]
    other.remove(lost)
    if lost:
        names = ", ".join(atom.label for atom in lost)
        model.warn(f"Atoms of {item} that the atom list of the CIF does not have: {names}.")
    # Labels and coordinates are those of the atom list again, so that the remarks about other ones no longer apply.
    model.placed = [placed for placed in other.placed if not _OWN_REMARK.fullmatch(placed.instruction.text)]
    model.free_variables = other.free_variables
    model.equal_sites, model.equal_displacements = other.equal_sites, other.equal_displacements
    model.elements = other.elements
    model.hydrogen_requests, model.settings = other.hydrogen_requests, other.settings
    model.left_out += [entry for entry in other.left_out if entry not in model.left_out]
    model.from_shelx = True
    model.weights = model.weights or other.weights
    model.wavelength = model.wavelength or other.wavelength
    _note_other_temperature(model, other, item)
    model.temperature_k = model.temperature_k or other.temperature_k
    model.z = model.z or other.z


def kept_restraints(model: Model, text: str) -> None:
    """Restraints that an edit by an earlier version of this program kept as lines."""
    model.placed += [
        Placed(instruction)
        for instruction in read_instructions(text).instructions
        if instruction.name in RESTRAINTS
    ]


def _labels(text: str) -> dict[str, str]:
    """Labels that were too long for SHELX, by their short form: our remarks `REM C10A is C101A`."""
    found = re.findall(r"^REM (\S+) is (\S+)\s*$", text, re.MULTILINE)
    return {short.upper(): label for short, label in found}


def _misfit(model: Model, other: Model, n_common: int) -> str:
    """Why the instructions do not belong to this model; empty when they do."""
    if n_common < _COMMON * max(len(model.atoms), 1):
        return f"Only {n_common} of its {len(other.atoms)} atoms are in the atom list of the CIF."
    own, theirs = model.symmetry, other.symmetry
    if not own.unit_cell().is_similar_to(theirs.unit_cell(), 0.01, 1.0):
        return "Its unit cell is not that of the CIF."
    if own.space_group() != theirs.space_group():
        return f"Its space group is {theirs.space_group_info()}, the CIF has {own.space_group_info()}."
    return ""


def _warn_of_other_cell(model: Model, other: Model, item: str) -> None:
    """Cell and wavelength are those of the CIF; a CELL instruction that says something else is named."""
    own, theirs = (m.symmetry.unit_cell().parameters() for m in (model, other))
    limits = [_SAME_LENGTH * length for length in own[:3]] + [_SAME_ANGLE] * 3
    if any(abs(a - b) > limit for a, b, limit in zip(own, theirs, limits, strict=True)):
        model.warn(
            f"CELL of {item} has the cell {' '.join(f'{x:g}' for x in theirs)}; that of the CIF is used, "
            f"{' '.join(f'{x:g}' for x in own)}."
        )
    if model.wavelength and other.wavelength and abs(model.wavelength - other.wavelength) > _SAME_WAVELENGTH:
        model.warn(
            f"CELL of {item} has the wavelength {other.wavelength:g} Å; that of the CIF is used, {model.wavelength:g} Å."
        )


def _note_other_temperature(model: Model, other: Model, item: str) -> None:
    """X-H distances of riding atoms follow TEMP, as in the refinement that the instructions are of."""
    measured, stated = model.temperature_k, other.temperature_k or SHELX_TEMPERATURE_K
    riding = any(atom.riding for atom in other.atoms)
    if measured and riding and libration(measured) != libration(stated):
        how = f"{stated - 273.15:.0f} °C" + ("" if other.temperature_k else ", its default")
        model.note(
            f"TEMP of {item} is {how}, the measurement was at {measured:g} K: X-H distances stay those of TEMP."
        )


def _merge_atoms(model: Model, other: Model, by_label: dict[str, Atom]) -> None:
    """Atoms in the order of the instructions, those only the CIF has behind them."""
    merged: list[Atom] = []
    order = {id(atom): i for i, atom in enumerate(by_label.values())}
    moved: list[str] = []
    added: list[str] = []
    for own in model.atoms:
        atom = by_label.get(own.label.upper())
        if atom is None:
            merged.append(own)
            order[id(own)] = len(order)
            added.append(own.label)
            continue
        if atom.label.upper() != own.label.upper():
            other.rename(atom, own.label)
        atom.label, atom.element = own.label, own.element
        atom.assembly = own.assembly or atom.assembly
        if _differs(model, own, atom):
            moved.append(own.label)
        merged.append(atom)
    model.atoms = sorted(merged, key=lambda atom: order[id(atom)])
    if moved:
        model.warn(f"Values of the atom list count where the SHELX instructions differ: {', '.join(moved)}.")
    if added:
        model.note(f"Atoms without SHELX instructions: {', '.join(added)}.")


def _differs(model: Model, own: Atom, atom: Atom) -> bool:
    """Put the values of the CIF into the atom where they differ; true when one did."""
    cell = model.symmetry.unit_cell()
    different = False
    # A .res file may have moved the atom by whole cells, because SHELX takes coordinates from 5 on for codes.
    atom.site = tuple(x + round(y - x) for x, y in zip(atom.site, own.site, strict=True))
    if cell.distance(own.site, atom.site) > _SAME_SITE:
        atom.site, atom.site_coding = own.site, (FREE, FREE, FREE)
        different = True
    if abs(own.occupancy - atom.occupancy) > _SAME_OCCUPANCY:
        atom.occupancy, atom.occupancy_coding = own.occupancy, UNSTATED
        different = True
    if _u_differs(own, atom):
        atom.u_iso, atom.u_aniso, atom.u_coding = own.u_iso, own.u_aniso, (FREE,) * 6
        if own.u_aniso is not None:
            atom.u_factor, atom.u_pivot = None, None
        different = True
    return different


def _u_differs(own: Atom, atom: Atom) -> bool:
    if atom.u_factor is not None and own.u_aniso is None:
        return False
    if (own.u_aniso is None) != (atom.u_aniso is None):
        return True
    mine = np.array(own.u_aniso if own.u_aniso is not None else [own.u_iso])
    theirs = np.array(atom.u_aniso if atom.u_aniso is not None else [atom.u_iso])
    return bool((np.abs(mine - theirs) > _SAME_U + 0.02 * np.abs(mine)).any())
