"""CIF to SHELX: .hkl and .ins files."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qcrbox.cif.document import Block
from qcrbox.cif.quoting import text_of
from qcrbox.contract.errors import MissingItemsError
from qcrbox.crystallography.measurement import stated_temperature, stated_wavelength
from qcrbox.crystallography.model_items import (
    ANHARMONIC,
    MASKS,
    MOMENTS,
    RESTRAINTS,
    SCATTERING,
    TWINS,
    first_item,
)
from qcrbox.crystallography.radiation import ELECTRON, NEUTRON, read_radiation
from qcrbox.crystallography.reflections.from_cif import (
    NO_SU,
    embedded_hkl_text,
    find_reflections,
    has_reflections,
)
from qcrbox.crystallography.reflections.hklf import write_hkl
from qcrbox.crystallography.reflections.hklf_card import hklf_card, instruction_cards
from qcrbox.crystallography.shelx.labels import shelx_labels
from qcrbox.crystallography.shelx.lines import wrapped
from qcrbox.crystallography.shelx.refinement_texts import (
    DEFAULT,
    is_shelx_extinction,
    parse_details,
    weight_card,
)
from qcrbox.crystallography.shelx.scattering_card import ScatteringNumbers, ion_numbers, scattering_card
from qcrbox.crystallography.shelx.symmetry_cards import cell_cards, symmetry_cards
from qcrbox.crystallography.structure.elements import element_of_type, hill_order
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.reading import number_with_su
from qcrbox.crystallography.structure.sites import Sites
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.language import listed

# SHELX order of the tensor: 11 22 33 23 13 12.
_U_ORDER = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
# SHELX reads numbers from here on as codes: 11 is a fixed 1, 21 the free variable 2.
_CODES = 5.0


def export_hkl(block: Block, notes: list[str] | None = None) -> str:
    """The reflections of a block as a SHELX .hkl text.

    An embedded .hkl is given as it is (line ends made LF); else columns are written 4,4,4,8,8[,4]. notes: takes what is
    left out, and the HKLF instruction that the list needs where that is not `HKLF 4`.
    Raises MissingItemsError when the block has no reflections, or none with an s.u.
    """
    notes = [] if notes is None else notes
    embedded = embedded_hkl_text(block)
    if embedded is not None:
        card = " ".join(_data_cards(block, [])[-1].split())
        if card not in ("HKLF 4", "HKLF 4 1"):
            notes.append(f"The list needs the instruction of its CIF: {card}.")
        return embedded.replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"
    found = find_reflections(block)
    known = np.isfinite(found.sigma)
    if not known.any():
        raise MissingItemsError(
            "The reflections have no s.u.",
            where=f"block {block.name}",
            why="SHELXL weights by them.",
            items=["_refln_F_sigma" if found.is_f else "_refln_F_squared_sigma"],
        )
    notes += [note for note in found.notes if known.all() or note != NO_SU]
    if not known.all():
        notes.append(f"{int((~known).sum())} reflections without s.u. were left out.")
    if found.is_f:
        notes.append("The list holds F: it needs HKLF 3.")
    return write_hkl(found.select(known))


def export_ins(
    block: Block, *, embedded: bool = True, wavelength: float | None = None, cycles: int = 10
) -> tuple[str, list[str]]:
    """A SHELX .ins text and notes about what had to be chosen.

    embedded: give the instructions the CIF holds, as they are, when it holds some. Otherwise cell, symmetry,
    elements and atoms are rewritten: disorder as PART, fixed occupancies as 10 + occupancy × share of the
    general position. Raises MissingItemsError without cell, atoms or wavelength.
    """
    text = _embedded_instructions(block)
    if text and embedded:
        return f"{text}\n", ["The instructions embedded in the CIF are given as they are."]
    structure = Structure.from_block(block)
    notes: list[str] = []
    if text:
        notes.append(
            "The instructions embedded in the CIF are not used: their restraints, constraints and settings are left out."
        )
    stated, several = (wavelength, "") if wavelength is not None else stated_wavelength(block)
    if stated is None:
        raise MissingItemsError(
            "The wavelength is missing.",
            where=f"block {block.name}",
            next="Give it as an argument, in Å (0.71073 for Mo Kα, 1.54184 for Cu Kα).",
            items=["_diffrn_radiation_wavelength"],
        )
    notes += [several] if several else []
    dispersion = _dispersion(block, stated)
    scatterers = _Scatterers.of(structure, _ions(block, structure, stated, dispersion), dispersion)
    lines = [*_head(block, structure, scatterers, stated, notes), *_settings(block, cycles, notes)]
    lines += [*_atom_lines(structure, scatterers, notes), *_data_cards(block, notes), "END"]
    return "\n".join(lines) + "\n", [*notes, *_not_written(block, structure)]


_NOT_WRITTEN = (
    (TWINS, "the twin", "Add TWIN and BASF, or use data of HKLF 5."),
    (MASKS, "the solvent mask", "Add ABIN, and put the .fab file beside the others."),
    (RESTRAINTS, "restraints and constraints", "Add them."),
    (ANHARMONIC, "anharmonic displacements", "SHELXL has none."),
    (MOMENTS, "magnetic moments", "SHELXL has none."),
    (SCATTERING, "scattering factors in numbers", "SHELXL takes its own, or those of SFAC."),
)


def _not_written(block: Block, structure: Structure) -> list[str]:
    """What the CIF says and the instructions do not."""
    kept = {TWINS} if instruction_cards(block, "TWIN", "BASF") else set()
    found = [
        (what, next_step, first_item(block, pattern))
        for pattern, what, next_step in _NOT_WRITTEN
        if pattern not in kept
    ]
    notes = [
        f"Not in the instructions: {what} of the CIF ({tag}). {next_step}"
        for what, next_step, tag in found
        if tag
    ]
    sites = structure.sites
    riding = [
        label
        for label, flags, hydrogen in zip(
            sites.label, sites.refinement_flags, sites.is_hydrogen.tolist(), strict=True
        )
        if hydrogen and "R" in flags
    ]
    if riding:
        notes.append(f"Riding hydrogen atoms are written as free ones: {listed(riding)}. Add AFIX or HFIX.")
    dummies = [
        label for label, flag in zip(sites.label, sites.calc_flag, strict=True) if flag.lower() == "dum"
    ]
    if dummies:
        notes.append(f"Dummies of the atom list are not atoms and are left out: {listed(dummies, 20)}.")
    return [*notes, *structure.notes]


def _embedded_instructions(block: Block) -> str:
    """The SHELX text of a block, empty without one; other programs keep texts of their own in the item of the IUCr."""
    for tag in ("_shelx_res_file", "_iucr_refine_instructions_details"):
        text = (block.text(tag) or "").replace("\r\n", "\n").replace("\r", "\n").strip("\n")
        if all(re.search(rf"^{card}\b", text, re.MULTILINE | re.IGNORECASE) for card in ("CELL", "SFAC")):
            return text
    return ""


def _data_cards(block: Block, notes: list[str]) -> list[str]:
    """HKLF as `export_hkl` needs it: embedded reflections go out as they are, in their own kind and setting."""
    if embedded_hkl_text(block) is None:
        is_f = has_reflections(block) and find_reflections(block).is_f
        return ["HKLF 3" if is_f else "HKLF 4"]
    cards = instruction_cards(block, "HKLF")
    if not cards:
        stated = hklf_card(block)
        return [f"HKLF {stated.kind if stated else 4}"]
    twin = instruction_cards(block, "TWIN", "BASF")
    if twin:
        notes.append(
            f"{', '.join(dict.fromkeys(card[:4].upper() for card in twin))} of the embedded instructions kept."
        )
    return [*twin, cards[-1]]


def _column_numbers(block: Block, tag: str, *, keep: bool = False) -> Sequence[float]:
    """Numbers of a column. keep: NaN for cells that are none, so that rows stay where they are."""
    loop = block.loop(tag)
    if loop is None or tag not in loop:
        return []
    return [value for value in loop.numbers(tag).tolist() if keep or np.isfinite(value)]


@dataclass
class _Scatterers:
    """names: in the order of SFAC, elements by Hill order, each followed by its ions; of_row: of every site; ions: numbers
    of those that are ions; dispersion: f', f'' of the file by element.
    """

    names: list[str]
    of_row: list[str]
    ions: dict[str, ScatteringNumbers]
    dispersion: dict[str, tuple[float, float]]

    @classmethod
    def of(
        cls,
        structure: Structure,
        ions: dict[str, ScatteringNumbers],
        dispersion: dict[str, tuple[float, float]],
    ) -> _Scatterers:
        sites = structure.sites
        of_row = [
            symbol if symbol in ions else element
            for symbol, element in zip(sites.type_symbol, sites.element, strict=True)
        ]
        by_element: dict[str, set[str]] = {}
        for row in np.flatnonzero(sites.is_atom).tolist():
            by_element.setdefault(sites.element[row], set()).add(of_row[row])
        # Hydrogen, say, that the model does not have yet counts in density, F(000) and absorption.
        for element in _formula(structure, "D" in by_element):
            by_element.setdefault(element, {element})
        names = [name for element in hill_order(sorted(by_element)) for name in sorted(by_element[element])]
        return cls(names, of_row, ions, dispersion)

    def cards(self, structure: Structure) -> list[str]:
        """SFAC, ions in numbers, DISP, and UNIT."""
        lines: list[str] = []
        for ion, group in itertools.groupby(self.names, key=lambda name: self.ions.get(name)):
            names = list(group)
            lines += wrapped(["SFAC", *names]) if ion is None else scattering_card(names[0], ion)
        lines += [
            f"DISP {name} {self.dispersion[name][0]:g} {self.dispersion[name][1]:g}"
            for name in self.names
            if name in self.dispersion
        ]
        content = self._content(structure)
        return lines + wrapped(["UNIT", *(f"{content[name]:g}" for name in self.names)])

    def _content(self, structure: Structure) -> dict[str, float]:
        """Atoms of each kind in the cell: by the formula where it and Z are stated, shared among ions as the model has them."""
        content = dict.fromkeys(self.names, 0.0)
        for row in np.flatnonzero(structure.sites.is_atom).tolist():
            share = structure.sites.occupancy[row] * structure.images.symmetry.multiplicity[row]
            content[self.of_row[row]] += float(share)
        for element, count in _formula(structure, "D" in self.names).items():
            kinds = [name for name in self.names if element_of_type(name) == element]
            found = sum(content[name] for name in kinds)
            for name in kinds:
                part = content[name] / found if found else 1 / len(kinds)
                content[name] = count * (structure.z or 1.0) * part
        return content


def _formula(structure: Structure, deuterated: bool) -> dict[str, float]:
    """The stated formula; empty without Z. A formula with H for a model with D does not tell which are which: left out."""
    formula = parse_formula(structure.formula_sum) if structure.z else {}
    return {} if deuterated and "D" not in formula else formula


def _dispersion(block: Block, wavelength: float) -> dict[str, tuple[float, float]]:
    """f' and f'' of the file by element, for X-rays of its own wavelength: SHELXL knows them for laboratory tubes alone."""
    own = stated_wavelength(block)[0]
    if read_radiation(block).probe in (ELECTRON, NEUTRON) or own is None or abs(own - wavelength) > 1e-4:
        return {}
    symbols = [text_of(raw) for raw in block.column("_atom_type_symbol")]
    real = _column_numbers(block, "_atom_type_scat_dispersion_real", keep=True)
    imaginary = _column_numbers(block, "_atom_type_scat_dispersion_imag", keep=True)
    return {
        element_of_type(symbol): (fp, fdp)
        for symbol, fp, fdp in zip(symbols, real, imaginary, strict=False)
        if np.isfinite([fp, fdp]).all() and element_of_type(symbol)
    }


def _ions(
    block: Block, structure: Structure, wavelength: float, dispersion: dict[str, tuple[float, float]]
) -> dict[str, ScatteringNumbers]:
    """Scattering factors of the ions among the type symbols, which X-rays alone distinguish from atoms."""
    if read_radiation(block).probe in (ELECTRON, NEUTRON):
        return {}
    symbols = [structure.sites.type_symbol[row] for row in np.flatnonzero(structure.sites.is_atom).tolist()]
    found = {
        symbol: ion_numbers(symbol, wavelength, dispersion.get(element_of_type(symbol)))
        for symbol in sorted(set(symbols))
    }
    return {symbol: numbers for symbol, numbers in found.items() if numbers is not None}


def _head(
    block: Block, structure: Structure, scatterers: _Scatterers, wavelength: float, notes: list[str]
) -> list[str]:
    cell = structure.cell
    z = structure.z or structure.space_group.order
    lines = [
        f"TITL {block.name} in {structure.space_group.hm or 'unknown space group'}"[:76],
        *cell_cards(wavelength, cell.parameters.tolist(), cell.su.tolist(), z),
        *symmetry_cards(structure.space_group),
        *_radiation_card(block, notes),
        *scatterers.cards(structure),
    ]
    temperature, doubt = stated_temperature(block)
    notes += [doubt] if doubt else []
    if temperature is not None:
        lines.append(f"TEMP {temperature - 273.15:.1f}")
    sizes = [block.number(f"_exptl_crystal_size_{which}") for which in ("max", "mid", "min")]
    if all(size is not None for size in sizes):
        lines.append("SIZE " + " ".join(f"{size.value:g}" for size in sizes if size is not None))
    return lines


def _radiation_card(block: Block, notes: list[str]) -> list[str]:
    """NEUT for neutrons. SHELX has no scattering factors of its own for electrons, which is noted."""
    probe = read_radiation(block).probe
    if probe == ELECTRON:
        notes.append(
            "The data are electron data: SFAC takes the scattering factors of X-rays. Give those for electrons in numbers "
            "(SFAC label a1 b1 … wt)."
        )
    return ["NEUT"] if probe == NEUTRON else []


def _settings(block: Block, cycles: int, notes: list[str]) -> list[str]:
    lines = [f"L.S. {cycles}", "BOND $H", "FMAP 2", "PLAN 20", "ACTA", _weights(block, notes)]
    extinction = number_with_su(block, "_refine_ls_extinction_coef")
    if extinction is not None:
        method, expression = (
            block.text(f"_refine_ls_extinction_{name}") for name in ("method", "expression")
        )
        if is_shelx_extinction(method, expression):
            lines.append(f"EXTI {extinction.value:g}")
        else:
            notes.append(
                f"The extinction coefficient of the file ({(method or expression or '').strip()}) is not written: EXTI is "
                "SHELXL's own formula."
            )
    return [*lines, "FVAR 1.0"]


def _weights(block: Block, notes: list[str]) -> str:
    text = (block.text("_refine_ls_weighting_details") or "").strip()
    scheme = parse_details(text) if text not in ("", "?", ".") else DEFAULT
    if isinstance(scheme, str):
        notes.append(
            f"The weighting scheme of the file is not understood ({text[:80]}): WGHT 0.1 is written."
        )
        return weight_card(DEFAULT)
    if scheme is None:
        notes.append("The file states unit weights, which SHELXL does not have: its default WGHT 0.1 holds.")
    return weight_card(scheme)


def _atom_lines(structure: Structure, scatterers: _Scatterers, notes: list[str]) -> list[str]:
    sites = structure.sites
    numbers_of = {name: number for number, name in enumerate(scatterers.names, start=1)}
    rows = np.flatnonzero(sites.is_atom).tolist()
    names = [sites.label[row] for row in rows]
    labels = dict(zip(rows, shelx_labels(names), strict=True))
    renamed = [(sites.label[row], labels[row]) for row in rows if sites.label[row] != labels[row]]
    ions = {sites.type_symbol[row] for row in rows if sites.type_symbol[row].endswith(("+", "-"))}
    neutral = sorted(ions - scatterers.ions.keys())
    if neutral:
        notes.append(f"{', '.join(neutral)}: the scattering factors of the neutral atoms are written.")
    notes += [
        f"Atom {old} is written as {new}: labels of SHELX are a letter and up to three letters, digits or '."
        for old, new in renamed
    ]
    parts = _parts(structure)
    multiplicity = structure.images.symmetry.multiplicity / structure.space_group.order
    lines, part = [f"REM {new} is {old}" for old, new in renamed], 0
    for row in rows:
        if parts[row] != part:
            part = parts[row]
            lines.append(f"PART {part}")
        sof = 10 + sites.occupancy[row] * multiplicity[row]
        head = f"{labels[row]:<4} {numbers_of[scatterers.of_row[row]]:2d}"
        numbers = [f"{value:10.6f}" for value in _without_codes(sites, row, notes)] + [f"{sof:9.5f}"]
        tensor = sites.u_cif[row]
        if np.isfinite(tensor).all():
            u = [f"{tensor[i, j]:9.5f}" for i, j in _U_ORDER]
            lines += [f"{head} {' '.join(numbers)} {' '.join(u[:2])} =", f"     {' '.join(u[2:])}"]
        else:
            known = bool(np.isfinite(sites.u_iso[row]))
            if not known:
                notes.append(f"{labels[row]} has no displacement parameter: U = 0.05 Å² is written.")
            u_iso = sites.u_iso[row] if known else 0.05
            lines.append(f"{head} {' '.join(numbers)} {u_iso:9.5f}")
    if part:
        lines.append("PART 0")
    return lines


def _parts(structure: Structure) -> list[int]:
    """PART numbers: the disorder groups as they are. SHELX has no assemblies, and its files share numbers
    between independent disorders; groups named by letters (kept as 1000 and more) get the next free numbers.
    """
    groups = structure.sites.group.tolist()
    used = {abs(group) for group in groups}
    new: dict[int, int] = {}
    for group in sorted({group for group in groups if group >= 1000}):
        new[group] = next(number for number in range(1, 1000) if number not in used)
        used.add(new[group])
    return [new.get(group, group) for group in groups]


def _without_codes(sites: Sites, row: int, notes: list[str]) -> list[float]:
    """Coordinates of an atom, moved by whole cells where SHELX would read codes."""
    place: list[float] = sites.fract[row].tolist()
    inside = [value if abs(value) < _CODES - 1e-6 else value - math.floor(value) for value in place]
    if inside != place:
        notes.append(
            f"Atom {sites.label[row]} is moved by whole cells: SHELX reads coordinates from 5 on as codes."
        )
    return inside
