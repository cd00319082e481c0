"""The index of a CIF in the store: one record per file, shown and searched.

`index_file` never raises for a damaged file: unreadable values are None, and `warnings` give the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from qcrbox.cif.diagnostics import Severity
from qcrbox.cif.document import Block, Document, Item
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import text_of
from qcrbox.cif.reader import read
from qcrbox.contract.errors import QcError
from qcrbox.crystallography.cell import NAMES, UnitCell, primitive_axes
from qcrbox.crystallography.measurement import stated_temperature, stated_wavelength
from qcrbox.crystallography.radiation import read_radiation
from qcrbox.crystallography.reflections.from_cif import has_reflections
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure.columns import misprint, misprints
from qcrbox.crystallography.structure.elements import elements_of_sites, hill_order
from qcrbox.crystallography.structure.formula import format_formula, parse_formula
from qcrbox.crystallography.structure.reading import read_cell, read_space_group

MOST_BLOCKS = 1000
MOST_ATOMS = 200_000
MOST_WARNINGS = 50
_RES_TAGS = ("_shelx_res_file", "_iucr_refine_instructions_details")
_EMPTY = ("", "?", ".")


@dataclass
class CifIndex:
    """Facts of the main block of a file: the first with atoms, else the first with a cell, else the first.

    Lengths in Å, angles in degrees, volume in Å³, temperature in K, residual density in e/Å³.
    `kind` is one of: structure, reflections, macromolecule, powder, modulated, magnetic, other.
    """

    filename: str = ""
    block: str | None = None
    kind: str = "other"
    formula_sum: str | None = None
    formula_moiety: str | None = None
    elements: list[str] = field(default_factory=list)
    a: float | None = None
    b: float | None = None
    c: float | None = None
    alpha: float | None = None
    beta: float | None = None
    gamma: float | None = None
    cell_text: list[str] = field(default_factory=list)  # the same six with their s.u., as `10.003(1)`
    volume: float | None = None
    niggli_a: float | None = None
    niggli_b: float | None = None
    niggli_c: float | None = None
    niggli_alpha: float | None = None
    niggli_beta: float | None = None
    niggli_gamma: float | None = None
    space_group_number: int | None = None
    space_group_hm: str | None = None
    space_group_hall: str | None = None
    crystal_system: str | None = None
    z: int | None = None
    temperature_k: float | None = None
    wavelength: float | None = None
    radiation: str | None = None
    r1: float | None = None
    wr2: float | None = None
    goof: float | None = None
    residual_max: float | None = None
    residual_min: float | None = None
    n_reflections: int | None = None
    n_sites: int | None = None
    has_hkl: bool = False
    has_res: bool = False
    has_disorder: bool = False
    has_hydrogens: bool = False
    blocks: list[str] = field(default_factory=list)
    n_blocks: int = 0
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return asdict(self)

    @property
    def element_text(self) -> str:
        """`|C|H|O|` in alphabetical order, for searching in SQL; empty without elements."""
        return f"|{'|'.join(sorted(self.elements))}|" if self.elements else ""


def index_file(source: bytes | str | Path | Document, filename: str = "") -> CifIndex:
    """The record of a file, given as bytes, path or document."""
    record = CifIndex(filename=filename or (Path(source).name if isinstance(source, Path) else ""))
    try:
        document = (
            source
            if isinstance(source, Document)
            else read(source, filename=filename or None, on_error="keep")
        )
    except (QcError, OSError) as error:
        record.warnings.append(str(error))
        return record
    record.n_blocks = len(document.blocks)
    record.blocks = [block.name for block in document.blocks[:MOST_BLOCKS]]
    record.warnings += [
        str(remark) for remark in document.diagnostics if remark.severity is not Severity.NOTE
    ]
    main = main_block(document)
    if main is not None:
        record.block = main.name
        index_block(main, record)
        if not record.has_hkl:
            # Some programs put the reflections into a block of their own.
            record.has_hkl = any(has_reflections(block) for block in document.blocks[:MOST_BLOCKS])
    if len(record.warnings) > MOST_WARNINGS:
        more = len(record.warnings) - MOST_WARNINGS
        record.warnings = [*record.warnings[:MOST_WARNINGS], f"{more} more warnings."]
    return record


def main_block(document: Document) -> Block | None:
    """The block the record is about: the first with atoms, else with a cell, else with anything."""
    for tag in ("_atom_site_label", "_cell_length_a"):
        for block in document.blocks:
            if block.find(tag) is not None:
                return block
    return next((block for block in document.blocks if block.entries), next(iter(document.blocks), None))


def index_block(block: Block, record: CifIndex) -> None:
    """Fill a record from a block; every part that fails is a warning."""
    for part in (_kind, _formula, _symmetry, _numbers, _contents, _atoms):
        _attempt(part, block, record)


def _attempt(part: Callable[[Block, CifIndex], None], block: Block, record: CifIndex) -> None:
    try:
        part(block, record)
    except QcError as error:
        record.warnings.append(error.message)
    except Exception as error:  # noqa: BLE001 - an index must survive any file; the fault is recorded
        record.warnings.append(f"Part of the file could not be indexed ({type(error).__name__}: {error}).")


def _kind(block: Block, record: CifIndex) -> None:
    lower = [tag.lower() for tag in block.tags]
    for kind, starts in (
        (
            "modulated",
            (
                "_space_group_ssg",
                "_space_group_symop_ssg",
                "_space_group_symop.ssg",
                "_cell_wave",
                "_cell_modulation",
            ),
        ),
        ("magnetic", ("_space_group_magn", "_space_group_symop_magn", "_parent_space_group")),
        ("macromolecule", ("_atom_site.cartn_x", "_entity_poly", "_struct_asym")),
        ("powder", ("_pd_",)),
    ):
        if any(tag.startswith(starts) for tag in lower):
            record.kind = kind
            return
    if block.find("_atom_site_fract_x") is not None:
        record.kind = "structure"
    elif has_reflections(block):
        record.kind = "reflections"


def _formula(block: Block, record: CifIndex) -> None:
    stated = _text(block, "_chemical_formula_sum")
    record.formula_moiety = _text(block, "_chemical_formula_moiety")
    counts = parse_formula(stated or "")
    if counts:
        record.formula_sum = format_formula(counts)
        record.elements = hill_order(list(counts))
    elif stated:
        record.formula_sum = " ".join(stated.split())
        record.warnings.append(f"The sum formula '{stated[:60]}' cannot be read.")


def _symmetry(block: Block, record: CifIndex) -> None:
    cell: UnitCell | None = None
    if block.find("_cell_length_a") is not None:
        try:
            cell = read_cell(block, record.warnings)
        except QcError as error:
            record.warnings.append(error.message)
    if cell is not None:
        for name, value in zip(NAMES, cell.parameters.tolist(), strict=True):
            setattr(record, name, value)
        record.cell_text = [str(getattr(cell, name)) for name in NAMES]
        record.volume = cell.volume
    group = read_space_group(block, cell)
    if group.source != "assumed":
        record.space_group_hm = group.hm or None
        record.space_group_hall = group.hall or None
        record.space_group_number = group.number
        record.crystal_system = group.crystal_system
    if group.source != "assumed" or len(group.notes) > 1 or record.kind == "structure":
        record.warnings += [*group.contradictions, *group.notes]
    if cell is not None:
        _reduced(cell, group, record)


def _reduced(cell: UnitCell, group: SpaceGroup, record: CifIndex) -> None:
    # Lattices without a letter, as those of the reverse setting of R, have their translations alone.
    named = group.centring != "?"
    reduced = (
        cell.niggli(group.centring)
        if named
        else cell.with_axes(primitive_axes(group.centring_vectors)).niggli()
    )
    for name, value in zip(NAMES, reduced, strict=True):
        setattr(record, f"niggli_{name}", value)


def _numbers(block: Block, record: CifIndex) -> None:
    def number(*tags: str) -> float | None:
        return _number(block, *tags, warnings=record.warnings)

    z = number("_cell_formula_units_Z")
    record.z = round(z) if z is not None and abs(z) < 1e6 else None
    for tags in (
        ("_diffrn_ambient_temperature", "_cell_measurement_temperature"),
        ("_diffrn_radiation_wavelength", "_cell_measurement_wavelength"),
    ):
        number(*tags)  # notes misprints
    record.temperature_k, doubt = stated_temperature(block)
    record.wavelength, several = stated_wavelength(block)
    record.warnings += [text for text in (doubt, several) if text]
    radiation = read_radiation(block)
    record.radiation = (radiation.shown or "")[:1000] or None
    record.warnings += [radiation.doubt] if radiation.doubt else []
    record.r1 = number("_refine_ls_R_factor_gt", "_refine_ls_R_factor_obs", "_refine_ls_R_factor_all")
    record.wr2 = number("_refine_ls_wR_factor_ref", "_refine_ls_wR_factor_all", "_refine_ls_wR_factor_gt")
    record.goof = number("_refine_ls_goodness_of_fit_ref", "_refine_ls_goodness_of_fit_all")
    record.residual_max = number("_refine_diff_density_max")
    record.residual_min = number("_refine_diff_density_min")
    count = number("_refine_ls_number_reflns", "_reflns_number_total")
    record.n_reflections = round(count) if count is not None and 0 <= count < 1e12 else None


def _contents(block: Block, record: CifIndex) -> None:
    record.has_hkl = has_reflections(block)
    record.has_res = any(_filled(block, tag) for tag in _RES_TAGS)
    if record.n_reflections is None:
        for tag in ("_refln_index_h", "_diffrn_refln_index_h"):
            loop = block.find(tag)
            if isinstance(loop, Loop):
                record.n_reflections = len(loop)
                break


def _atoms(block: Block, record: CifIndex) -> None:
    loop = block.find("_atom_site_label")
    if isinstance(loop, Item):
        record.n_sites = 1
    if not isinstance(loop, Loop):
        return
    record.n_sites = len(loop)
    if len(loop) > MOST_ATOMS:
        record.warnings.append(
            f"{len(loop):,} atoms: too many to look at each; disorder and hydrogens are not known."
        )
        return
    wanted = [
        tag
        for tag in ("_atom_site_label", "_atom_site_type_symbol", "_atom_site_disorder_group")
        if tag in loop
    ]
    columns = dict(zip(wanted, loop.columns(*wanted), strict=True))
    sites = _distinct_sites(columns)
    formula = parse_formula(_text(block, "_chemical_formula_sum") or "")
    elements, notes = elements_of_sites(
        [label for label, _ in sites], [symbol for _, symbol in sites], formula
    )
    found = set(elements) - {""}
    record.warnings += notes
    for axis in "xyz":
        record.warnings += misprints(loop, f"_atom_site_fract_{axis}", columns["_atom_site_label"])
    record.has_hydrogens = bool(found & {"H", "D"})
    groups = columns.get("_atom_site_disorder_group", [])
    record.has_disorder = any(text_of(raw) not in (*_EMPTY, "0") for raw in set(groups))
    if not record.elements:
        record.elements = hill_order(sorted(found))


def _distinct_sites(columns: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Labels and type symbols; each symbol once, but for W, which may mean water."""
    labels = [text_of(raw) for raw in columns["_atom_site_label"]]
    types = columns.get("_atom_site_type_symbol", ["?"] * len(labels))
    distinct: dict[tuple[str, str], tuple[str, str]] = {}
    for label, raw in zip(labels, types, strict=True):
        symbol = "" if raw in ("?", ".") else text_of(raw)
        decides = symbol and symbol[:1] not in "Ww"
        distinct.setdefault((symbol, "" if decides else label), (label, symbol))
    return list(distinct.values())


def _text(block: Block, tag: str) -> str | None:
    text = block.text(tag)
    if text is None:
        return None
    plain = " ".join(text.split())
    return plain[:1000] if plain not in _EMPTY else None


def _number(block: Block, *tags: str, warnings: list[str]) -> float | None:
    """The first number any of the items gives; the first positive row of a table (two wavelengths)."""
    for tag in tags:
        reading = block.reading(tag)
        if reading is not None:
            if reading.how:
                warnings.append(misprint(tag, block.text(tag) or "", reading))
            return reading.number.value if math.isfinite(reading.number.value) else None
        entry = block.find(tag)
        if isinstance(entry, Loop) and len(entry) < 1000:
            values = [value for value in entry.numbers(tag).tolist() if value > 0]
            if values:
                return values[0]
        text = (block.text(tag) or "").strip()
        if text not in _EMPTY:
            warnings.append(f"{tag} is '{text[:60]}', which is not a number.")
    return None


def _filled(block: Block, tag: str) -> bool:
    entry = block.find(tag)
    if not isinstance(entry, Item):
        return False
    return len(entry.raw) > 20 or (block.text(tag) or "").strip() not in _EMPTY
