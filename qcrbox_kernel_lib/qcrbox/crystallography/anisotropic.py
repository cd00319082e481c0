"""Isotropic atoms made anisotropic: each sphere written as the tensor it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif import names
from qcrbox.cif.document import Block
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import raw_of, text_of
from qcrbox.contract.errors import CifError, UserInputError
from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.reading import read_cell, read_sites
from qcrbox.crystallography.structure.sites import Sites

_COMPONENTS = ("11", "22", "33", "12", "13", "23")
_TAGS = [f"_atom_site_aniso_U_{name}" for name in _COMPONENTS]
_LABEL = "_atom_site_aniso_label"


def select_atoms(
    sites: Sites, by_name: Sequence[str] = (), by_element: Sequence[str] = (), by_regex: Sequence[str] = ()
) -> list[int]:
    """Rows of the chosen atoms; the three ways of choosing add up.

    by_regex: patterns that match at the start of a label. Raises UserInputError that names an unknown atom
    or a pattern that cannot be read.
    """
    unknown = [name for name in by_name if name not in sites.index]
    if unknown:
        raise UserInputError(
            f"There is no atom {', '.join(unknown)}.", next=f"Atoms: {', '.join(sites.label[:30])}."
        )
    elements = {element.capitalize() for element in by_element}
    patterns = [_pattern(text) for text in by_regex]
    wanted = set(by_name)
    return [
        row
        for row, (label, element) in enumerate(zip(sites.label, sites.element, strict=True))
        if label in wanted or element in elements or any(pattern.match(label) for pattern in patterns)
    ]


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as problem:
        raise UserInputError(f"'{text}' is not a regular expression.", why=f"{problem}.") from problem


def iso_to_aniso(
    block: Block,
    *,
    by_name: Sequence[str] = (),
    by_element: Sequence[str] = (),
    by_regex: Sequence[str] = (),
    overwrite: bool = False,
) -> list[str]:
    """Give the chosen isotropic atoms of a block U(ij); answers their labels. Changes the block.

    U11 = U22 = U33 = Uiso, U12 = Uiso cos γ*, and so on; adp_type becomes Uani, and the rows stand as in
    the list of atoms. Atoms that are anisotropic already are left alone unless `overwrite`.
    Raises UserInputError for an unknown atom and CifError for a chosen atom without Uiso.
    """
    cell = read_cell(block)
    sites = read_sites(block, cell, [])
    chosen = select_atoms(sites, by_name, by_element, by_regex)
    anisotropic: NDArray[np.bool_] = np.isfinite(sites.u_cif[:, 0, 0])
    chosen = [row for row in chosen if overwrite or not anisotropic[row]]
    if not chosen:
        return []
    without = [sites.label[row] for row in chosen if not np.isfinite(sites.u_iso[row])]
    if without:
        raise CifError(
            f"{', '.join(without)} {'has' if len(without) == 1 else 'have'} no isotropic displacement parameter.",
            where=f"block {block.name}",
            next="Give _atom_site_U_iso_or_equiv, or leave these atoms out.",
            block=block.name,
            tag="_atom_site_U_iso_or_equiv",
        )
    values = adps.six_components(adps.isotropic_tensor(sites.u_iso, cell))
    new = {sites.label[row]: [_written(value) for value in values[row]] for row in chosen}
    _write_tensors(block, sites, new)
    _write_types(block, set(new))
    return list(new)


def _written(value: float) -> str:
    text = f"{value:.8f}"
    return text[1:] if float(text) == 0 and text.startswith("-") else text


def _write_tensors(block: Block, sites: Sites, new: dict[str, list[str]]) -> None:
    loop = block.loop(_LABEL)
    if loop is None:
        _add_loop(block, new)
        return
    if any(tag not in loop for tag in _TAGS):
        raise CifError(
            "The table of anisotropic displacement parameters does not hold all six U(ij).",
            where=f"block {block.name}",
            why=f"It has {', '.join(loop.tags)}.",
            block=block.name,
        )
    rows = {text_of(cells[loop.index(_LABEL) or 0]): list(cells) for cells in loop.rows}
    places = [loop.index(tag) for tag in _TAGS]
    for label, values in new.items():
        # Everything else in the row (s.u., say) belonged to the tensor that was there before.
        cells = ["."] * len(loop.tags)
        cells[loop.index(_LABEL) or 0] = raw_of(label)
        for place, value in zip(places, values, strict=True):
            cells[place or 0] = value
        rows[label] = cells
    position = {label: place for place, label in reversed(list(enumerate(sites.label)))}
    ordered = sorted(rows, key=lambda label: position.get(label, len(position)))
    columns = {tag: [rows[label][n] for label in ordered] for n, tag in enumerate(loop.tags)}
    block.replace_entry(loop, Loop.of(dict(columns)))


def _add_loop(block: Block, new: dict[str, list[str]]) -> None:
    dotted = "." in (block.written_as("_atom_site_label") or "")
    tags = [names.canonical(tag) if dotted else tag for tag in (_LABEL, *_TAGS)]
    columns: dict[str, Sequence[str]] = {tags[0]: [raw_of(label) for label in new]}
    for place, tag in enumerate(tags[1:]):
        columns[tag] = [values[place] for values in new.values()]
    block.add_loop(columns)


def _write_types(block: Block, changed: set[str]) -> None:
    loop = block.loop("_atom_site_label")
    if loop is None:
        return
    tag = next(
        (name for name in ("_atom_site_adp_type", "_atom_site_thermal_displace_type") if name in loop), None
    )
    labels = loop.texts("_atom_site_label")
    if tag is None:
        dotted = "." in loop.tags[loop.index("_atom_site_label") or 0]
        tag = names.canonical("_atom_site_adp_type") if dotted else "_atom_site_adp_type"
        has_tensor = {text_of(cell) for cell in block.column(_LABEL)}
        loop.set_column(tag, ["Uani" if label in has_tensor else "Uiso" for label in labels])
        block.forget_index()
        return
    for row, label in enumerate(labels):
        if label in changed:
            loop.set_cell(row, tag, "Uani")
