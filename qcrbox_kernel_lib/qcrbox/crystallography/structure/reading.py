"""From the items of a CIF block to cell, space group and sites.

Spellings do not matter (old, DDLm, unified); s.u. may stand in brackets or in `_su` items.
Damaged values are noted and read as unknown; only a missing cell or missing coordinates are errors.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.document import Block
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import text_of
from qcrbox.cif.values import Number
from qcrbox.contract.errors import MissingItemsError
from qcrbox.crystallography.cell import NAMES, UnitCell
from qcrbox.crystallography.extended_symmetry import nuclear_operations
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.cartesian import to_fractional
from qcrbox.crystallography.structure.columns import as_loop, in_memory, misprint, numbers_of, texts_of
from qcrbox.crystallography.structure.displacements import anisotropic, isotropic
from qcrbox.crystallography.structure.elements import elements_of_sites
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.sites import FARTHEST, Sites
from qcrbox.crystallography.symmetry_statements import SymmetryItems, resolve
from qcrbox.language import listed

Array = NDArray[np.float64]
_CELL_TAGS = [f"_cell_{'length' if name in 'abc' else 'angle'}_{name}" for name in NAMES]
_SYMOP_TAGS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
_HALL_TAGS = ("_space_group_name_Hall", "_symmetry_space_group_name_Hall")
_HM_TAGS = ("_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M", "_space_group_name_H-M_full")
_NUMBER_TAGS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
_FLAG_TAGS = (
    "_atom_site_refinement_flags",
    "_atom_site_refinement_flags_posn",
    "_atom_site_refinement_flags_adp",
)
_SITE_TAGS = [
    f"_atom_site_{name}{su}"
    for name in (
        "label", "type_symbol", "fract_x", "fract_y", "fract_z", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy",
        "U_iso_or_equiv", "B_iso_or_equiv", "U_equiv_geom_mean", "B_equiv_geom_mean", "adp_type", "thermal_displace_type", "disorder_assembly",
        "disorder_group", "calc_flag", "refinement_flags", "refinement_flags_posn", "refinement_flags_adp",
    )
    for su in ("", "_su")
]  # fmt: skip


_GROUP = re.compile(r"[+-]?[0-9]{1,9}")


def number_with_su(block: Block, tag: str, notes: list[str] | None = None) -> Number | None:
    """A number with the s.u. of its brackets, else of its `_su` item; a misprint is read and noted."""
    reading = block.reading(tag)
    if reading is None:
        return None
    if reading.how and notes is not None:
        notes.append(misprint(tag, block.text(tag) or "", reading))
    number = reading.number
    su = block.number(f"{tag}_su") if number.su is None else None
    return Number.of(number.text, su.text) if su is not None and su.value > 0 else number


def read_cell(block: Block, notes: list[str] | None = None) -> UnitCell:
    """The cell; misprinted values are added to `notes`.

    Raises MissingItemsError when a cell parameter is missing and CifError when they make no cell.
    """
    numbers = [number_with_su(block, tag, notes) for tag in _CELL_TAGS]
    missing = [tag for tag, number in zip(_CELL_TAGS, numbers, strict=True) if number is None]
    if missing:
        odd = [f"{tag} is '{text}', which is not a number" for tag in missing if (text := block.text(tag))]
        absent = [tag for tag in missing if not block.text(tag)]
        raise MissingItemsError(
            f"The cell is not complete: {'; '.join([*odd, *([', '.join(absent) + ' missing'] if absent else [])])}.",
            where=f"block {block.name}",
            items=missing,
        )
    cell = UnitCell(*[number for number in numbers if number is not None])
    cell.orthogonalisation  # noqa: B018 - raises for impossible parameters
    return cell


def read_space_group(block: Block, cell: UnitCell | None = None) -> SpaceGroup:
    """The space group by order of trust; never raises for damaged statements, they are noted."""
    chosen, ids = _symmetry_operations(block)
    if not chosen and not any(block.text(tag) for tag in (*_HALL_TAGS, *_HM_TAGS)):
        chosen = nuclear_operations(block)
    numbers = [n.value for tag in _NUMBER_TAGS if (n := block.number(tag)) is not None]
    items = SymmetryItems(
        chosen,
        symop_ids=ids,
        legacy_symops=_legacy_operations(block),
        hall=_distinct_texts(block, _HALL_TAGS),
        hm=_distinct_texts(block, _HM_TAGS) or _distinct_texts(block, ("_space_group_name_H-M_ref",)),
        number=[int(value) for value in dict.fromkeys(numbers) if 1 <= value <= 230 and value == int(value)],
        code=block.text("_space_group_IT_coordinate_system_code") or "",
    )
    return resolve(items, cell)


def _symmetry_operations(block: Block) -> tuple[list[str], list[str] | None]:
    tag = _SYMOP_TAGS[0]
    if block.find(tag) is None:
        return [], None
    texts = [text for text in map(text_of, block.column(tag)) if text not in ("?", ".", "")]
    loop = block.find(tag)
    ids = None
    if isinstance(loop, Loop):
        for id_tag in ("_space_group_symop_id", "_symmetry_equiv_pos_site_id"):
            if id_tag in loop:
                ids = loop.texts(id_tag)
                break
    return texts, ids if ids is not None and len(ids) == len(texts) else None


def _legacy_operations(block: Block) -> list[str]:
    written = block.written_as(_SYMOP_TAGS[1])
    if written is None or written.lower() != _SYMOP_TAGS[1]:
        return []
    return [text_of(cell) for cell in block.column(_SYMOP_TAGS[1])]


def _distinct_texts(block: Block, tags: Sequence[str]) -> list[str]:
    texts = [text.strip() for tag in tags if (text := block.text(tag))]
    return list(dict.fromkeys(text for text in texts if text))


def read_sites(block: Block, cell: UnitCell, notes: list[str]) -> Sites:
    """The atoms of a block. Raises MissingItemsError when it has no coordinates."""
    given_loop = _atom_loop(block)
    loop = in_memory(given_loop, _SITE_TAGS)
    count = len(loop)
    types = texts_of(loop, "_atom_site_type_symbol", count)
    labels = [
        label or f"{symbol or 'X'}{row + 1}"
        for row, (label, symbol) in enumerate(
            zip(texts_of(loop, "_atom_site_label", count), types, strict=True)
        )
    ]
    fract, fract_su = _coordinates(loop, cell, labels, block, notes)
    u_iso, u_iso_su = isotropic(loop, labels, notes)
    u_cif, u_cif_su = anisotropic(block, given_loop, labels, cell, notes)
    occupancy, occupancy_su = numbers_of(loop, "_atom_site_occupancy", count, notes, labels)
    flags = [texts_of(loop, tag, count) for tag in _FLAG_TAGS]
    elements, odd = elements_of_sites(labels, types, parse_formula(block.text("_chemical_formula_sum") or ""))
    notes += odd
    sites = Sites(
        label=labels,
        element=elements,
        type_symbol=types,
        fract=fract,
        fract_su=fract_su,
        occupancy=np.where(np.isnan(occupancy), 1.0, occupancy),
        occupancy_su=occupancy_su,
        adp_type=_adp_types(loop, np.isfinite(u_cif[:, 0, 0])),
        u_iso=u_iso,
        u_iso_su=u_iso_su,
        u_cif=u_cif,
        u_cif_su=u_cif_su,
        assembly=texts_of(loop, "_atom_site_disorder_assembly", count),
        group=_groups(texts_of(loop, "_atom_site_disorder_group", count), labels, notes),
        calc_flag=texts_of(loop, "_atom_site_calc_flag", count),
        refinement_flags=["".join(parts) for parts in zip(*flags, strict=True)],
        fract_step=_steps(loop, count),
    )
    _remark(sites, cell, notes)
    notes += _not_listed(given_loop, occupancy, labels)
    return sites


def _atom_loop(block: Block) -> Loop:
    """The loop of the atoms. Raises MissingItemsError without one, or without rows."""
    loop = as_loop(block, "_atom_site_label")
    if loop is None:
        loop = as_loop(block, "_atom_site_fract_x")
    if loop is None or not len(loop):
        raise MissingItemsError(
            "There are no atoms.",
            where=f"block {block.name}",
            items=["_atom_site_label", "_atom_site_fract_x"],
        )
    return loop


def _adp_types(loop: Loop, has_tensor: NDArray[np.bool_]) -> list[str]:
    """As the file states them in either item, else by whether an atom has a tensor."""
    given = texts_of(loop, "_atom_site_adp_type", len(has_tensor))
    if not any(given):
        given = texts_of(loop, "_atom_site_thermal_displace_type", len(has_tensor))
    return [name or ("Uani" if tensor else "Uiso") for name, tensor in zip(given, has_tensor, strict=True)]


def _not_listed(loop: Loop, occupancy: Array, labels: list[str]) -> list[str]:
    """Notes on hydrogen atoms that are counted and not listed, and on occupancies that are not known."""
    notes = []
    hydrogens, _ = numbers_of(loop, "_atom_site_attached_hydrogens", len(labels))
    counted = [f"{labels[row]} {hydrogens[row]:g}" for row in np.flatnonzero(hydrogens > 0)]
    if counted:
        notes.append(
            f"Hydrogen atoms that the file counts and does not list (_atom_site_attached_hydrogens) are not in the model: "
            f"{listed(counted)}."
        )
    raw = loop.column("_atom_site_occupancy") if "_atom_site_occupancy" in loop else []
    unknown = [
        labels[row]
        for row, (text, value) in enumerate(zip(raw, occupancy, strict=False))
        if text != "." and np.isnan(value)
    ]
    if unknown:
        notes.append(f"Occupancies that are not known are taken as 1: {listed(unknown)}.")
    return notes


def _coordinates(
    loop: Loop, cell: UnitCell, labels: list[str], block: Block, notes: list[str]
) -> tuple[Array, Array]:
    count = len(labels)
    if "_atom_site_fract_x" not in loop and "_atom_site_Cartn_x" in loop:
        columns = [numbers_of(loop, f"_atom_site_Cartn_{axis}", count, notes, labels) for axis in "xyz"]
        places, errors = (np.column_stack(part) for part in zip(*columns, strict=True))
        return to_fractional(places, errors, block, cell, notes)
    columns = [numbers_of(loop, f"_atom_site_fract_{axis}", count, notes, labels) for axis in "xyz"]
    fract = np.column_stack([values for values, _ in columns])
    if count and not np.isfinite(fract).all(axis=1).any():
        raise MissingItemsError(
            "No atom has coordinates.", where=f"block {block.name}", items=["_atom_site_fract_x"]
        )
    return fract, np.column_stack([su for _, su in columns])


def _steps(loop: Loop, count: int) -> Array | None:
    """Unit of the last digit of each coordinate (n, 3), 0 where it has none; None for Cartesian coordinates."""
    tags = [f"_atom_site_fract_{axis}" for axis in "xyz"]
    if not all(tag in loop for tag in tags):
        return None
    steps = np.zeros((count, 3))
    for axis, tag in enumerate(tags):
        for row, raw in enumerate(loop.column(tag)):
            decimals = len(text_of(raw).partition("(")[0].partition(".")[2])
            if 1 < decimals < 5:
                steps[row, axis] = 10.0**-decimals
    return steps


def _groups(texts: list[str], labels: list[str], notes: list[str]) -> NDArray[np.int64]:
    groups = np.zeros(len(texts), dtype=np.int64)
    letters: dict[str, int] = {}
    for row, text in enumerate(texts):
        if not text:
            continue
        if _GROUP.fullmatch(text):
            groups[row] = int(text)
        else:
            # Letters occur instead of numbers; each is mapped to an unused number.
            groups[row] = letters.setdefault(text, 1000 + len(letters))
            notes.append(
                f"Disorder group '{text}' of {labels[row]} is not a number; it is kept apart as a group."
            )
    return groups


def _remark(sites: Sites, cell: UnitCell, notes: list[str]) -> None:
    twice = [label for label, count in Counter(sites.label).items() if count > 1]
    if twice:
        notes.append(f"Labels used more than once: {', '.join(sorted(twice)[:10])}.")
    far = [
        label for label, row in zip(sites.label, sites.fract, strict=True) if np.abs(row).max() >= FARTHEST
    ]
    if far:
        notes.append(f"{', '.join(far[:10])} lie thousands of cells away; their coordinates must be wrong.")
    nameless = [label for label, element in zip(sites.label, sites.element, strict=True) if not element]
    if nameless:
        notes.append(f"No element is known for {', '.join(nameless[:10])}; not shown as atoms.")
    known = np.isfinite(sites.u_cif).all(axis=(1, 2))
    if known.any():
        equivalent = adps.u_equivalent(sites.u_cif, cell)
        with np.errstate(invalid="ignore", divide="ignore"):
            off = known & (np.abs(equivalent - sites.u_iso) > 0.1 * np.abs(equivalent) + 5e-4)
        for row in np.flatnonzero(off)[:10]:
            notes.append(
                f"Ueq of {sites.label[row]} is given as {sites.u_iso[row]:.4f}, "
                f"but its U(ij) give {equivalent[row]:.4f} Å²."
            )
        npd = adps.principal_axes(adps.u_to_cartesian(sites.u_cif, cell)).npd
        for row in np.flatnonzero(npd)[:10]:
            notes.append(f"The displacement tensor of {sites.label[row]} is not positive definite.")
