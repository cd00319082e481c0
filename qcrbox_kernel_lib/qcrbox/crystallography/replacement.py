"""Putting the atoms of one CIF into another that keeps its own cell, symmetry and reflections."""

from __future__ import annotations

from qcrbox.cif import names
from qcrbox.cif.convert import Source, unify
from qcrbox.cif.document import Block, Document, Entry, Item
from qcrbox.cif.loop import Loop
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure.reading import read_space_group

_REFINE_FILES = ("_shelx_res_file", "_iucr_refine_instructions_details")
_WEIGHTING = ("_refine_ls.weighting", "_refine_ls.extinction")
_SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")


def replace_structure(
    into: Source, source: Source, *, keep_weighting: bool = True, force: bool = False
) -> Document:
    """`into` with the atoms of `source`, as unified CIF.

    Removed from `into`: atoms, geometry, refinement results (weighting and extinction stay with
    `keep_weighting`), calculated reflection columns and the embedded refinement files. Added from `source`:
    its atom tables without s.u., `_atom_sites` items and the embedded refinement files.
    Raises CifError when crystal system or lattice centring differ or are not known; `force` overrides.
    """
    first, second = unify(into).block, unify(source).block
    if not force:
        check_same_lattice(first, second)
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
    return Document([first], cif2=first.cif2)


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


def check_same_lattice(first: Block, second: Block) -> None:
    """Raises CifError unless both blocks have the same crystal system and lattice centring."""
    for what, find in (("crystal system", crystal_system), ("lattice centring", lattice_centring)):
        one, other = find(first), find(second)
        if one != other:
            raise CifError(
                f"The {what} differs: {one} in block {first.name}, {other} in block {second.name}.",
                why="The atoms of one cannot be put into the other.",
                next="Transform one of them, or use force.",
            )


def crystal_system(block: Block) -> str:
    """The crystal system a block states, else the one of its space group. Raises CifError when none is known."""
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
    if group is None:
        raise CifError(
            "No crystal system and no space group is given.", where=f"block {block.name}", block=block.name
        )
    return group.crystal_system


def lattice_centring(block: Block) -> str:
    """The first letter of the H-M and Hall symbols, else of the operations.

    Raises CifError when the symbols disagree or nothing is given.
    """
    letters = {}
    for tag in ("_space_group_name_H-M_alt", "_space_group_name_H-M_full", "_space_group_name_Hall"):
        text = (block.text(tag) or "").strip().lstrip("-").strip()
        if text:
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
    if group is None:
        raise CifError("No lattice centring is given.", where=f"block {block.name}", block=block.name)
    return group.centring


def _group(block: Block) -> SpaceGroup | None:
    group = read_space_group(block)
    return None if group.source == "assumed" else group
