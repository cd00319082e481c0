"""Putting the atoms of one CIF into another that keeps its own cell, symmetry and reflections."""

from __future__ import annotations

from qcrbox.cif import names
from qcrbox.cif.convert import Source, unify
from qcrbox.cif.convert.result import warning
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Block, Document, Entry, Item
from qcrbox.cif.loop import Loop
from qcrbox.contract.errors import CifError, MissingItemsError
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure.formula import format_formula, parse_formula
from qcrbox.crystallography.structure.reading import read_cell, read_space_group

_REFINE_FILES = ("_shelx_res_file", "_iucr_refine_instructions_details")
_WEIGHTING = ("_refine_ls.weighting", "_refine_ls.extinction")
# Cells of one compound at other temperatures differ by less.
_LENGTHS_DIFFER, _ANGLES_DIFFER = 0.05, 3.0  # fraction, degrees
_SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")


def replace_structure(
    into: Source, source: Source, *, keep_weighting: bool = True, force: bool = False
) -> Document:
    """`into` with the atoms of `source`, as unified CIF.

    Removed from `into`: atoms, geometry, refinement results (weighting and extinction stay with
    `keep_weighting`), calculated reflection columns and the embedded refinement files. Added from `source`:
    its atom tables without s.u., `_atom_sites` items and the embedded refinement files.
    The document's diagnostics warn of what cannot be compared, and of space groups, cells and formulas that differ.
    Raises CifError when crystal system or lattice centring are known and differ; `force` overrides.
    """
    first, second = unify(into).block, unify(source).block
    remarks = [] if force else check_same_lattice(first, second)
    remarks += [*_operations_differ(first, second), *_cells_differ(first, second)]
    remarks += _formulas_differ(first, second)
    if second.loop("_atom_site_label") is None and second.get("_atom_site_label") is None:
        raise CifError(
            "The second CIF has no atoms to take.", where=f"block {second.name}", block=second.name
        )
    for entry in list(first.entries):
        _strip(first, entry, keep_weighting)
    for entry in second.entries:
        copied = _taken(entry)
        if copied is not None:
            first.entries.append(copied)
    first.forget_index()
    return Document([first], cif2=first.cif2, diagnostics=remarks)


def _strip(block: Block, entry: Entry, keep_weighting: bool) -> None:
    if isinstance(entry, Item):
        if _goes(entry.tag, keep_weighting):
            block.remove_entry(entry)
        return
    going = [tag for tag in entry.tags if _goes(tag, keep_weighting)]
    if len(going) == len(entry.tags):
        block.remove_entry(entry)
    else:
        for tag in going:
            entry.drop_column(tag)
        block.forget_index()


def _goes(tag: str, keep_weighting: bool) -> bool:
    name = names.canonical(tag).lower()
    if name.startswith(("_atom_site", "_geom")) or name.replace(".", "_") in _REFINE_FILES:
        return True
    if name.startswith("_refln"):
        return "calc" in name
    if name.startswith("_refine"):
        return not (keep_weighting and name.startswith(_WEIGHTING))
    return False


def _taken(entry: Entry) -> Entry | None:
    if isinstance(entry, Item):
        name = names.canonical(entry.tag).lower()
        wanted = name.startswith("_atom_sites") or name.replace(".", "_") in _REFINE_FILES
        if names.category(entry.tag) in ("_atom_site", "_atom_site_aniso"):  # a table of one atom
            wanted = not name.endswith("_su")
        return Item(entry.tag, entry.raw, cif2=entry.cif2) if wanted else None
    if entry.category not in ("_atom_site", "_atom_site_aniso"):
        return None
    kept = [tag for tag in entry.tags if not names.canonical(tag).lower().endswith("_su")]
    return Loop.of(dict(zip(kept, entry.columns(*kept), strict=True)))


def check_same_lattice(first: Block, second: Block) -> list[Diagnostic]:
    """Raises CifError when the blocks differ in crystal system or lattice centring; warns when one does not state them."""
    remarks = []
    for what, find in (("crystal system", crystal_system), ("lattice centring", lattice_centring)):
        one, other = find(first), find(second)
        if one is None or other is None:
            silent = " and ".join(
                f"block {block.name}" for block, found in ((first, one), (second, other)) if found is None
            )
            text = f"The {what} could not be compared: {silent} does not give it."
            remarks.append(warning("symmetry-unknown", text))
        elif one != other:
            raise CifError(
                f"The {what} differs: {one} in block {first.name}, {other} in block {second.name}.",
                why="The atoms of one cannot be put into the other.",
                next="Transform one of them, or use force.",
            )
    return remarks


def _operations_differ(first: Block, second: Block) -> list[Diagnostic]:
    one, other = _group(first), _group(second)
    if one is None or other is None or one.same_operations(other):
        return []
    text = (
        f"The space groups differ: {one.hm or 'without symbol'} in block {first.name}, "
        f"{other.hm or 'without symbol'} in block {second.name}. The atoms are taken as they are."
    )
    return [warning("space-group-differs", text)]


def _cells_differ(first: Block, second: Block) -> list[Diagnostic]:
    try:
        one, other = read_cell(first), read_cell(second)
    except (CifError, MissingItemsError):
        return []
    lengths = abs(other.parameters[:3] / one.parameters[:3] - 1)
    angles = abs(other.parameters[3:] - one.parameters[3:])
    if lengths.max() <= _LENGTHS_DIFFER and angles.max() <= _ANGLES_DIFFER:
        return []
    text = (
        f"The cells differ by up to {100 * lengths.max():.0f} % and {angles.max():.0f}°. The fractional coordinates "
        f"are taken as they are, so distances change."
    )
    return [warning("cell-differs", text)]


# What a CIF says of its contents.
_OF_CONTENTS = (
    "_chemical_formula_sum",
    "_chemical_formula_moiety",
    "_chemical_formula_weight",
    "_cell_formula_units_Z",
    "_exptl_crystal_density_diffrn",
    "_exptl_crystal_F_000",
    "_exptl_absorpt_coefficient_mu",
)


def _formulas_differ(first: Block, second: Block) -> list[Diagnostic]:
    one, other = _contents(first), _contents(second)
    if not one or not other:
        return []
    if all(abs(one.get(name, 0) - other.get(name, 0)) <= 0.01 * one.get(name, 0) for name in {*one, *other}):
        return []
    stay = [tag for tag in _OF_CONTENTS if first.text(tag)]
    text = (
        f"The contents of the cells differ: {format_formula(one)} in block {first.name}, {format_formula(other)} in block "
        f"{second.name}. {', '.join(stay)} stay as they are, and are not those of the atoms."
    )
    return [warning("formula-differs", text)]


def _contents(block: Block) -> dict[str, float]:
    """Atoms of the cell by element, from sum formula and Z; empty without both."""
    z = block.number("_cell_formula_units_Z")
    counts = parse_formula(block.text("_chemical_formula_sum") or "")
    return {element: count * z.value for element, count in counts.items()} if z is not None else {}


def crystal_system(block: Block) -> str | None:
    """The crystal system a block states, else the one of its space group; None when neither is given.

    Raises CifError when the two contradict each other.
    """
    stated = (block.text("_space_group_crystal_system") or "").strip().lower()
    if stated == "rhombohedral":
        stated = "trigonal"
    group = _group(block)
    if stated in _SYSTEMS:
        if group is not None and group.crystal_system != stated:
            raise CifError(
                f"The block states the crystal system {stated}, but its space group {group.hm} is {group.crystal_system}.",
                where=f"block {block.name}",
                next="Correct one of them, or use force.",
                block=block.name,
            )
        return stated
    return None if group is None else group.crystal_system


_LATTICES = tuple("PABCIFRH")


def lattice_centring(block: Block) -> str | None:
    """The first letter of the H-M and Hall symbols, else of the operations; None when nothing is given.

    Raises CifError when the symbols disagree.
    """
    letters = {}
    for tag in ("_space_group_name_H-M_alt", "_space_group_name_H-M_full", "_space_group_name_Hall"):
        text = (block.text(tag) or "").strip().lstrip("-").strip()
        if text[:1].upper() in _LATTICES and text:
            letters[tag] = text[0].upper()
    if len(set(letters.values())) > 1:
        raise CifError(
            "The symbols of the space group do not agree on the lattice: "
            + ", ".join(f"{tag} {letter}" for tag, letter in letters.items())
            + ".",
            where=f"block {block.name}",
            next="Correct one of them, or use force.",
            block=block.name,
        )
    if letters:
        return next(iter(letters.values()))
    group = _group(block)
    return None if group is None else group.centring


def _group(block: Block) -> SpaceGroup | None:
    group = read_space_group(block)
    return None if group.source == "assumed" else group
