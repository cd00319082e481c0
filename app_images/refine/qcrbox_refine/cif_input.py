"""A structural model from one CIF data block."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from cctbx import adptbx, crystal, sgtbx, uctbx
from qcrbox.cif import names
from qcrbox.contract.errors import CifError, MissingItemsError, UserInputError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.extended_symmetry import is_magnetic, is_modulated
from qcrbox.crystallography.measurement import stated_temperature, stated_wavelength
from qcrbox.crystallography.model_items import ANHARMONIC, RESTRAINTS, first_item
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox.crystallography.structure.elements import names_no_atom
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.origin import origin_by_contents
from qcrbox.crystallography.structure.reading import read_cell, read_sites, read_space_group
from qcrbox.crystallography.structure.sites import Sites
from qcrbox.language import listed

from qcrbox_refine.atom_types import read_atom_types
from qcrbox_refine.cif_block import CifBlock, read_blocks
from qcrbox_refine.cif_instructions import ITEMS, follow_instructions, is_shelx, kept_restraints
from qcrbox_refine.elements import no_element, scattering_type
from qcrbox_refine.model import Atom, Model
from qcrbox_refine.scattering import Radiation, radiation_of_block

# U(iso) to begin with where the file gives none, Å²; that of SHELXL.
_FIRST_U = 0.05
_SAME_SITE = 0.1  # Å
_MOST_OCCUPANCY = 1.1  # of two atoms on one site
_TENSOR = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
# Items, and words in the descriptions of a refinement, that speak of more than spherical atoms.
_ASPHERICAL_ITEMS = r"_aspheric_|_wfn_|_atom_rho_multipole_|_atom_local_axes_|_refine_ls_hirshfeld"
_ASPHERICAL_WORDS = (
    r"hirshfeld[ -]atom|\bHAR\b|\.tscb?\b|multipol|hansen|aspheric|nosphera2|tonto|invariom|x-ray[ -]constrained|"
    r"\bBEDE\b|\bXCW\b"
)


def model_from_cif_file(path: str, block_name: str | None = None) -> Model:
    """The model of the chosen block, else of the first block with atoms."""
    blocks = read_blocks(path)
    if block_name:
        chosen = [block for block in blocks if block.name.lower() == block_name.lower()]
    else:
        chosen = [block for block in blocks if block.column("_atom_site_label")]
    if not chosen:
        names = ", ".join(block.name for block in blocks)
        raise MissingItemsError(
            f"no block {block_name!r} here." if block_name else "the CIF has no atoms (_atom_site_label).",
            where=str(path).rpartition("/")[2],
            why=f"Its data blocks: {names}.",
            next="Least squares start from a model: solve the structure first, or choose another file.",
            items=["_atom_site_label"],
        )
    model = model_from_block(chosen[0])
    if len(chosen) > 1:
        model.note(f"The CIF has {len(chosen)} structures; {chosen[0].name} is refined.")
    return model


# Displacement parameters are refined; those of the result are judged anew.
_BEFORE_REFINEMENT = ("The displacement tensor of", "Ueq of")


def model_from_block(block: CifBlock) -> Model:
    """Raises MissingItemsError (all missing items at once), CifError (values that are none)."""
    _refuse_what_is_not_supported(block)
    notes: list[str] = []
    doubts: list[str] = []
    symmetry, cell_su, sites = _symmetry(block, notes, doubts)
    model = Model(symmetry=symmetry, atoms=[], cell_su=cell_su, title=block.name, source=block)
    model.wavelength, several = stated_wavelength(block.block)
    model.temperature_k, doubt = stated_temperature(block.block)
    notes += [several] if several else []
    doubts += [doubt] if doubt else []
    z = block.number("_cell_formula_units_Z")
    model.z = z[0] if z else None
    _take_formula(model, block)
    model.weights = refinement_texts.parse_details(block.text("_refine_ls_weighting_details")) or None
    extinction = block.number("_refine_ls_extinction_coef")
    model.extinction = extinction[0] if extinction else None
    model.types = read_atom_types(block)
    model.dispersion = model.types.dispersion
    model.atoms = _atoms(block, sites, symmetry.unit_cell())
    _name_what_rows_lack(model, sites)
    for text in notes:
        model.note(text)
    for text in doubts:
        model.warn(text)
    _note_aspherical(model, block)
    kept = block.text("_qcrbox_refine_restraints")
    if kept:
        kept_restraints(model, kept)
    for item in ITEMS:
        text = block.text(item)
        if text and is_shelx(text):
            follow_instructions(model, text, f"data_{block.name} {item}")
            break
    _name_lost_items(model, block)
    _name_sites_filled_twice(model)
    return model


def _name_sites_filled_twice(model: Model) -> None:
    """Databases write whole molecules into the atom list, and then symmetry makes some of the atoms twice."""
    table = crystal.pair_asu_table(model.structure().asu_mappings(buffer_thickness=_SAME_SITE))
    table.add_all_pairs(distance_cutoff=_SAME_SITE)
    copies = set()
    for i, others in enumerate(table.extract_pair_sym_table()):
        for j in set(others.keys()) - {i}:
            one, other = model.atoms[i], model.atoms[j]
            are_alternatives = one.part and other.part and one.part != other.part
            if not are_alternatives and one.occupancy + other.occupancy > _MOST_OCCUPANCY:
                copies.add(max(i, j))
    if copies:
        labels = [model.atoms[i].label for i in sorted(copies)]
        model.warn(
            f"Sites filled twice, by symmetry or as they stand: {listed(labels)}. Delete the copies, for example "
            f"edits='delete {labels[0]}', or give the atoms that share a site their occupancies."
        )


def _take_formula(model: Model, block: CifBlock) -> None:
    """The sum formula of the file; one that cannot be read is named, and that of the atoms stands in its place."""
    text = block.text("_chemical_formula_sum")
    if not text or (block.text("_qcrbox_formula_from_atoms") or "no") == "yes":
        return
    model.formula = parse_formula(" ".join(text.replace(",", " ").split()))
    if not model.formula:
        model.warn(f"The sum formula '{text.strip()[:80]}' cannot be read; the formula of the atoms is used.")


def _symmetry(
    block: CifBlock, notes: list[str], doubts: list[str]
) -> tuple[crystal.symmetry, tuple[float, ...], Sites]:
    """Cell and group for cctbx, s.u. of the cell, and the atoms, all as the rest of QCrBox reads them.

    `notes` gets what was assumed, `doubts` what the file says wrongly or says twice and differently.
    """
    cell = _cell(block, doubts)
    group = read_space_group(block.block, cell)
    said: list[str] = []
    sites = read_sites(block.block, cell, said)
    for text in said:
        (notes if text.startswith(_BEFORE_REFINEMENT) else doubts).append(text)
    group = origin_by_contents(group, cell, sites, block.block)
    doubts += group.contradictions
    notes += group.notes
    if group.source == "assumed":
        raise _no_space_group(block, [note for note in group.notes if not note.startswith("No space group")])
    own = sgtbx.space_group()
    for operation in group.operations:
        own.expand_smx(sgtbx.rt_mx(str(operation)))
    parameters = [float(x) for x in cell.parameters]
    unit_cell = uctbx.unit_cell(parameters)
    if not own.is_compatible_unit_cell(unit_cell, 0.01, 1.0):
        raise CifError(
            f"the unit cell {' '.join(f'{p:g}' for p in parameters)} does not fit space group "
            f"{sgtbx.space_group_info(group=own)}.",
            where=f"data_{block.name}",
            why="The symmetry operations would change its lengths or angles.",
            next="Check cell, setting (for example P 21/c or P 21/n) and crystal system.",
            block=block.name,
            tag="_cell_length_a",
        )
    symmetry = crystal.symmetry(unit_cell=unit_cell, space_group=own, assert_is_compatible_unit_cell=False)
    return symmetry, tuple(float(x) for x in cell.su), sites


def _no_space_group(block: CifBlock, unreadable: list[str]) -> MissingItemsError:
    """unreadable: what is wrong with the statements of the file; empty where it makes none. P 1 would be another structure."""
    problem = "the space group of the CIF cannot be read." if unreadable else "the CIF has no space group."
    return MissingItemsError(
        problem,
        where=f"data_{block.name}",
        why=" ".join(unreadable[:3])
        or "A refinement needs the symmetry operations, or a symbol of the space group.",
        next="Correct _space_group_symop_operation_xyz, or add it; of a structure without symmetry it is 'x,y,z'.",
        items=["_space_group_symop_operation_xyz"],
    )


def _cell(block: CifBlock, notes: list[str]) -> UnitCell:
    """Raises MissingItemsError that names everything a refinement misses, CifError for a cell that is none."""
    try:
        return read_cell(block.block, notes)
    except MissingItemsError as error:
        stated = ("_space_group_symop_operation_xyz", "_space_group_name_H-M_alt", "_space_group_name_Hall")
        extra = [] if any(block.text(tag) or block.column(tag) for tag in stated) else [stated[0]]
        items = [*(error.fields.get("items") or []), *extra]
        raise MissingItemsError(
            f"the CIF has no {', '.join(items)}.",
            where=f"data_{block.name}",
            why="A refinement needs the unit cell and the space group.",
            next="Add them to the CIF.",
            items=items,
        ) from error


def _refuse_what_is_not_supported(block: CifBlock) -> None:
    if is_modulated(block.block):
        raise UserInputError(
            "this is a modulated structure.",
            where=f"data_{block.name}",
            why="The least squares here know three dimensions only.",
            next="Refine it with a program for superspace groups.",
        )
    if is_magnetic(block.block) and radiation_of_block(block) is Radiation.NEUTRON:
        raise UserInputError(
            "this is a magnetic structure, measured with neutrons.",
            where=f"data_{block.name}",
            why="The scattering of magnetic moments is not computed.",
            next="Refine it with a program for magnetic structures.",
        )


def _name_lost_items(model: Model, block: CifBlock) -> None:
    """Items that make the model another one, and that nothing here reads."""
    if found := first_item(block.block, ANHARMONIC):
        model.not_applied(
            f"Anharmonic displacements ({found}) are not applied: displacements are harmonic here."
        )
    if not model.from_shelx and (found := first_item(block.block, RESTRAINTS)):
        model.not_applied(
            f"The restraints and constraints of the file ({found}) are not applied: they are taken from SHELX instructions, "
            'and the CIF has none. Give them as restraints="…".'
        )


def _note_aspherical(model: Model, block: CifBlock) -> None:
    """Say where the file says more than an independent-atom model."""
    keys = [names.key(tag).replace(".", "_") for tag in block.block.tags]
    found = next((key for key in keys if re.match(_ASPHERICAL_ITEMS, key)), None)
    texts = ("_refine_special_details", "_computing_structure_refinement", "_refine_ls_matrix_type")
    stated = next((tag for tag in texts if re.search(_ASPHERICAL_WORDS, block.text(tag) or "", re.I)), None)
    instructions = next((item for item in ITEMS if "NoSpherA2" in (block.text(item) or "")), None)
    where = found or stated or instructions
    if where:
        model.not_applied(f"This file is an aspherical model ({where}); refine_iam uses spherical atoms.")


def _atoms(block: CifBlock, sites: Sites, cell: uctbx.unit_cell) -> list[Atom]:
    _refuse_repeated(block, sites.label)
    # Sites number groups that are letters from 1000 on; here they get the numbers after the other groups.
    groups = sorted(set(sites.group.tolist()))
    first = max([0, *(group for group in groups if group < 1000)]) + 1
    letters = {g: i for i, g in enumerate((g for g in groups if g >= 1000), start=first)}
    atoms = []
    for row in range(len(sites.label)):
        if not _is_dummy(sites, row):
            group = int(sites.group[row])
            atoms.append(_atom(block, sites, row, letters.get(group, group), cell))
    return atoms


def _refuse_repeated(block: CifBlock, labels: list[str]) -> None:
    repeated = sorted(label for label, count in Counter(labels).items() if count > 1)
    if repeated:
        raise CifError(
            f"the atom label {repeated[0]} stands for more than one atom.",
            where=f"data_{block.name}",
            why=f"Labels given twice: {', '.join(repeated[:10])}.",
            next="Give every atom its own label.",
            block=block.name,
            tag="_atom_site_label",
        )


def _atom(block: CifBlock, sites: Sites, row: int, part: int, cell: uctbx.unit_cell) -> Atom:
    """The atom of one row. Raises CifError where it has no coordinates."""
    label, site = sites.label[row], sites.fract[row]
    if not np.isfinite(site).all():
        raise CifError(
            f"atom {label} has no coordinates.",
            where=f"data_{block.name}",
            next="Complete or delete the atom.",
            block=block.name,
            tag="_atom_site_fract_x",
        )
    atom = Atom(
        label=label,
        element=_scatterer(sites.type_symbol[row], sites.element[row], label),
        site=(float(site[0]), float(site[1]), float(site[2])),
        occupancy=float(sites.occupancy[row]),
        u_iso=float(sites.u_iso[row]) if np.isfinite(sites.u_iso[row]) else _FIRST_U,
        u_stated=bool(np.isfinite(sites.u_iso[row])),
        part=part,
        assembly=sites.assembly[row],
    )
    tensor = sites.u_cif[row]
    if np.isfinite(tensor).all():
        atom.u_aniso = tuple(float(tensor[i, j]) for i, j in _TENSOR)
        atom.u_iso = adptbx.u_star_as_u_iso(cell, adptbx.u_cif_as_u_star(cell, atom.u_aniso))
    rides = "R" in sites.refinement_flags[row] or sites.calc_flag[row].startswith("c")
    atom.riding = atom.as_listed = atom.is_hydrogen and rides
    return atom


def _is_dummy(sites: Sites, row: int) -> bool:
    """Whether the file says that a row is not an atom."""
    return sites.calc_flag[row].lower() == "dum"


def _name_what_rows_lack(model: Model, sites: Sites) -> None:
    dummies = [label for row, label in enumerate(sites.label) if _is_dummy(sites, row)]
    if dummies:
        model.not_applied(
            f"Dummies of the atom list (_atom_site_calc_flag dum) do not scatter and are left out: {listed(dummies, 20)}."
        )
    without = [atom.label for atom in model.atoms if not atom.u_stated and atom.u_aniso is None]
    if without:
        model.note(
            f"Displacement parameters that the file does not give begin at {_FIRST_U:g} Å²: {listed(without, 20)}."
        )


def _scatterer(symbol: str, element: str, label: str) -> str:
    """The type of the file where it names the element that the atom is taken for: it may be an ion."""
    if not element and names_no_atom(label, symbol):
        raise no_element(symbol, label)
    if element and symbol.strip() and symbol.strip()[: len(element)].upper() != element.upper():
        symbol = element
    return scattering_type(symbol or element, label)
