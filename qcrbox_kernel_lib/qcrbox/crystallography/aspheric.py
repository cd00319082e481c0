"""Aspherical form factors inside a CIF, and to and from tables (.tsc, .tscb).

Items, as the programs of QCrBox and NoSpherA2 write them; no dictionary of the IUCr has them yet:

    _wfn_moiety                  loop: one row per atom of the wavefunction calculations, with its Cartesian position
                                 and `aff_index`, the place of its form factor in the lists below (from 1)
    _aspheric_ffs.source         where the densities come from
    _aspheric_ffs_partitioning   name, software (and source): how the density was divided into atoms
    _aspheric_ff                 loop: index_h, index_k, index_l and two lists, `[f1 f2 ...]`, of real and imaginary parts

The lists are quoted texts in CIF 1.1 and may be lists in CIF 2. All symmetry equivalents of a reflection are rows of
their own (`SYMM: expanded` of a .tsc). Header lines of a table that have no item stand in `_qcrbox.tsc_header`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif import names
from qcrbox.cif.arrays import floats
from qcrbox.cif.document import Block, Document, Item
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import raw_of, text_of
from qcrbox.contract.errors import CifError, MissingItemsError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.crystallography.tsc import FormFactorTable

INDICES = tuple(f"_aspheric_ff.index_{axis}" for axis in "hkl")
REAL, IMAGINARY = "_aspheric_ff.form_factor_real", "_aspheric_ff.form_factor_imag"
SOURCE = "_aspheric_ffs.source"
HEADER = "_qcrbox.tsc_header"
CATEGORIES = ("_aspheric_ff", "_aspheric_ffs", "_aspheric_ffs_partitioning", "_wfn_moiety")
DIGITS = 9  # significant digits, as many as a .tsc holds
_PARTITIONING = {part: f"_aspheric_ffs_partitioning.{part}" for part in ("name", "software", "source")}
_LINE = 900  # characters of a list on one line; a row holds two lists


@dataclass(frozen=True)
class Partitioning:
    """How form factors were made: origin of the density, scheme (`Hirshfeld`, `MBIS`), program; `""` where unknown."""

    name: str = ""
    software: str = ""
    source: str = ""


@dataclass(frozen=True)
class MoietyAtoms:
    """Atoms of the wavefunction calculations: n rows.

    moiety, atom: ids; label: site of the asymmetric unit; element; symmetry_code as `3_655`; cartesian: (n, 3) in Å,
    NaN where not given; column: (n,) place in the form factors from 0, -1 for atoms without one of their own.
    """

    moiety: list[str]
    atom: list[str]
    label: list[str]
    element: list[str]
    symmetry_code: list[str]
    cartesian: NDArray[np.float64]
    column: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    def is_own_place(self, row: int) -> bool:
        """Whether an atom stands where the asymmetric unit has its site."""
        return self.symmetry_code[row] in ("1_555", "1")


@dataclass(frozen=True)
class AsphericalFormFactors:
    """The form factors of a block: the table, its origin, and the atoms calculated."""

    table: FormFactorTable
    partitioning: Partitioning = Partitioning()
    atoms: MoietyAtoms | None = None


# Reading


def has_form_factors(block: Block) -> bool:
    """Whether a block holds aspherical form factors."""
    return block.find(REAL) is not None


def read_form_factors(block: Block, scatterers: Sequence[str] | None = None) -> AsphericalFormFactors:
    """The form factors of a block. `scatterers` names the columns where the file has no `_wfn_moiety`.

    Raises MissingItemsError when the block holds none or does not say which atoms they belong to, CifError when
    they are damaged.
    """
    missing = [tag for tag in (*INDICES, REAL, IMAGINARY) if tag not in block]
    if missing:
        raise MissingItemsError(
            f"The block has no aspherical form factors: {', '.join(missing)} missing.",
            where=f"block {block.name}",
            items=missing,
            block=block.name,
        )
    hkl = _indices(block)
    values = _values(block, REAL) + 1j * _values(block, IMAGINARY)
    if len(values) != len(hkl):
        raise CifError(f"{len(hkl)} reflections have {len(values)} lists of form factors.", block=block.name)
    atoms = _atoms(block)
    if scatterers is None:
        columns = _columns_by_label(atoms, values.shape[1], block.name)
        labels, values = list(columns), values[:, list(columns.values())]
    else:
        labels = list(scatterers)
        if len(labels) != values.shape[1]:
            raise CifError(
                f"Each reflection has {values.shape[1]} form factors, but {len(labels)} scatterers are named.",
                where=f"block {block.name}",
                block=block.name,
            )
    texts = {part: block.text(tag) or "" for part, tag in _PARTITIONING.items()}
    density = block.text(SOURCE) or texts["source"]
    table = FormFactorTable(labels, hkl, values, _read_header(block, density))
    return AsphericalFormFactors(table, Partitioning(texts["name"], texts["software"], density), atoms)


_MOST_INDEX = 1e6


def _indices(block: Block) -> NDArray[np.int32]:
    columns = []
    for tag in INDICES:
        try:
            column = np.array([text_of(raw) for raw in block.column(tag)], dtype=np.float64)
        except ValueError as problem:
            raise CifError(
                f"{tag} contains a value that is not a number.", tag=tag, why=str(problem)
            ) from None
        if not ((column == np.rint(column)) & (np.abs(column) < _MOST_INDEX)).all():
            raise CifError(
                f"{tag} holds indices that are not whole numbers, which form-factor tables do not support.",
                where=f"block {block.name}",
                tag=tag,
            )
        columns.append(column)
    if len({len(column) for column in columns}) > 1:
        raise CifError("The indices of _aspheric_ff have columns of different lengths.", block=block.name)
    return np.column_stack(columns).astype(np.int32)


def _values(block: Block, tag: str) -> NDArray[np.float64]:
    """(m, n) numbers of a column of lists `[1.0 2.0]`, all of one length."""
    texts = [text_of(raw, cif2=block.cif2).strip() for raw in block.column(tag)]
    try:
        rows = [np.array(text.strip("[]").split(), dtype=np.float64) for text in texts]
    except ValueError as problem:
        raise CifError(f"{tag} contains a value that is not a number.", tag=tag, why=str(problem)) from None
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise CifError(
            f"The lists of {tag} have {min(lengths)} to {max(lengths)} values; each row needs one per scatterer.",
            where=f"block {block.name}",
            next="The file may be damaged; make the form factors again.",
            tag=tag,
        )
    values = np.stack(rows) if rows else np.zeros((0, 0))
    if not np.isfinite(values).all():
        raise CifError(f"{tag} contains a value that is not a number.", tag=tag)
    return values


def _atoms(block: Block) -> MoietyAtoms | None:
    labels = _texts(block, "asu_atom_site_label")
    if not labels:
        return None
    count = len(labels)
    cartesian = np.column_stack([_numbers(block, f"cartn_{axis}", count) for axis in "xyz"])
    index = _numbers(block, "aff_index", count)
    if "_wfn_moiety.aff_index" not in block:
        # Early files have one row per form factor, in the order of the lists.
        index = np.arange(1.0, count + 1)
    return MoietyAtoms(
        _texts(block, "id") or ["1"] * count,
        _texts(block, "atom_id") or [str(row + 1) for row in range(count)],
        labels,
        _texts(block, "atom_type_symbol") or [""] * count,
        [code or "1_555" for code in _texts(block, "symm_code") or [""] * count],
        cartesian,
        np.where(np.isfinite(index), np.nan_to_num(index) - 1, -1).astype(np.int64),
    )


def _texts(block: Block, name: str) -> list[str]:
    """One column as plain texts, `""` where nothing is known; empty when there is none."""
    raws = block.column(f"_wfn_moiety.{name}")
    return ["" if raw in ("?", ".") else text_of(raw, cif2=block.cif2) for raw in raws]


def _numbers(block: Block, name: str, count: int) -> NDArray[np.float64]:
    cells = block.column(f"_wfn_moiety.{name}")
    return floats(cells) if len(cells) == count else np.full(count, np.nan)


def _columns_by_label(atoms: MoietyAtoms | None, count: int, block: str) -> dict[str, int]:
    """The column of each site. Of symmetry images the one in the site's own place counts."""
    if atoms is None:
        raise MissingItemsError(
            f"The {count} form factors of each reflection belong to atoms that the file does not name.",
            where=f"block {block}",
            why="It has no _wfn_moiety loop.",
            next="Name them, in the order of the lists.",
            items=["_wfn_moiety.asu_atom_site_label"],
            block=block,
        )
    found: dict[str, int] = {}
    own: set[str] = set()
    for row in sorted(range(len(atoms)), key=lambda row: not atoms.is_own_place(row)):
        label, column = atoms.label[row], int(atoms.column[row])
        if column >= count:
            raise CifError(
                f"_wfn_moiety.aff_index of {label} is {column + 1}, but each reflection has {count} form factors.",
                where=f"block {block}",
                block=block,
            )
        if column < 0 or found.get(label) == column:
            continue
        if label in own and atoms.is_own_place(row):
            raise CifError(
                f"{label} has two form factors, {found[label] + 1} and {column + 1} of the lists.",
                where=f"block {block}",
                next="Give each atom of the structure one form factor.",
                block=block,
            )
        if label not in found:
            found[label] = column
            own |= {label} if atoms.is_own_place(row) else set()
    used = {int(column) for column in atoms.column}
    unnamed = [str(column + 1) for column in range(count) if column not in used]
    if unnamed:
        raise CifError(
            f"No atom of _wfn_moiety has the form factor {', '.join(unnamed[:10])}.",
            where=f"block {block}",
            block=block,
        )
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _read_header(block: Block, source: str) -> dict[str, str]:
    header = {"TITLE": " ".join((source or block.name).split()), "SYMM": "expanded"}
    for line in (block.text(HEADER) or "").splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip():
            header[name.strip()] = value.strip()
    return header


# Writing


def write_form_factors(block: Block, factors: AsphericalFormFactors, *, digits: int = DIGITS) -> None:
    """Put form factors into a block, in the place of those it holds; `digits` are significant digits (17: exact).

    Raises CifError for a table whose rows are not all symmetry equivalents, since a CIF cannot say so, and
    when the atoms do not fit the table.
    """
    table = factors.table
    _refuse_unexpanded(table)
    if factors.atoms is not None:
        _refuse_other_atoms(factors.atoms, table.scatterers)
    remove_form_factors(block)
    made = factors.partitioning
    if factors.atoms is not None:
        block.add_loop(_moiety_loop(factors.atoms, block.cif2))
    block.set_raw(SOURCE, _known(made.source, block.cif2))
    for part, tag in _PARTITIONING.items():
        if part != "source":
            block.set_raw(tag, _known(getattr(made, part), block.cif2))
    kept = [f"{name}: {value}" for name, value in table.header.items() if name not in ("TITLE", "SYMM")]
    if kept:
        block.set_raw(HEADER, raw_of("\n".join(["", *kept]), cif2=block.cif2))
    h, k, l = ([str(index) for index in column] for column in table.hkl.T.tolist())  # noqa: E741
    columns = [h, k, l, _lists(table.values.real, digits), _lists(table.values.imag, digits)]
    block.add_loop(Loop.of(dict(zip((*INDICES, REAL, IMAGINARY), columns, strict=True))))


def _known(text: str, cif2: bool) -> str:
    return raw_of(text, cif2=cif2) if text else "?"


def _refuse_unexpanded(table: FormFactorTable) -> None:
    symmetry = table.header.get("SYMM", "expanded")
    if symmetry.strip().lower() not in ("expanded", ""):
        raise CifError(
            "A table of form factors in a CIF lists every symmetry equivalent; this one gives operations instead.",
            why=f"SYMM: {symmetry[:60]}",
            next="Make the table with SYMM: expanded.",
        )


def remove_form_factors(block: Block) -> bool:
    """Take form factors and what belongs to them out of a block; False when it holds none."""
    tags = [tag for tag in block.tags if names_form_factors(tag)]
    for tag in tags:
        block.remove(tag)
    return bool(tags)


def names_form_factors(tag: str) -> bool:
    """Whether an item belongs to aspherical form factors."""
    return names.category(tag) in CATEGORIES or names.key(tag) == names.key(HEADER)


def _refuse_other_atoms(atoms: MoietyAtoms, scatterers: Sequence[str]) -> None:
    """Atoms and table must agree on whose form factor each column is."""
    found = _columns_by_label(atoms, len(scatterers), "")
    if list(found) != list(scatterers):
        raise CifError(
            "The atoms of the moieties do not name the columns of the table.",
            why=f"Table: {', '.join(scatterers[:10])}; atoms in the order of their columns: "
            f"{', '.join(list(found)[:10])}.",
        )


def _moiety_loop(atoms: MoietyAtoms, cif2: bool) -> Loop:
    # Readers without support for aff_index take the rows as columns in order.
    order = sorted(range(len(atoms)), key=lambda row: (atoms.column[row] < 0, atoms.column[row], row))
    texts = {
        "id": atoms.moiety,
        "atom_id": atoms.atom,
        "asu_atom_site_label": atoms.label,
        "atom_type_symbol": atoms.element,
        "symm_code": atoms.symmetry_code,
    }
    columns = {
        **{name: [_known(cells[row], cif2) for row in order] for name, cells in texts.items()},
        **{
            f"cartn_{name}": [
                "?" if np.isnan(value) else f"{value:.8f}" for value in atoms.cartesian[order, axis].tolist()
            ]
            for axis, name in enumerate("xyz")
        },
        "aff_index": ["." if column < 0 else str(column + 1) for column in atoms.column[order].tolist()],
    }
    return Loop.of({f"_wfn_moiety.{name}": cells for name, cells in columns.items()})


def _lists(values: NDArray[np.float64], digits: int) -> list[str]:
    """(m, n) numbers as m raw lists, broken into lines where they are long."""
    form = f"%.{digits}g"
    raws = []
    for row in values.tolist():
        words = [form % value for value in row]
        text = f"[{' '.join(words)}]"
        raws.append(f"'{text}'" if len(text) < _LINE else f";[{_wrapped(words)}]\n;")
    return raws


def _wrapped(words: Sequence[str]) -> str:
    lines: list[str] = []
    length = _LINE
    for word in words:
        if length + len(word) + 1 > _LINE:
            lines.append(word)
            length = len(word)
        else:
            lines[-1] += f" {word}"
            length += len(word) + 1
    return "\n".join(lines)


# From and to tables and structures


def atoms_of_structure(structure: Structure, scatterers: Sequence[str]) -> MoietyAtoms:
    """The scatterers as one moiety, each at its site's own place; positions are unknown for other labels."""
    sites = structure.sites
    rows = [sites.index.get(label) for label in scatterers]
    cartesian = np.full((len(scatterers), 3), np.nan)
    for place, row in enumerate(rows):
        if row is not None:
            cartesian[place] = structure.cell.to_cartesian(sites.fract[row])
    return MoietyAtoms(
        ["1"] * len(scatterers),
        [str(place + 1) for place in range(len(scatterers))],
        list(scatterers),
        [sites.element[row] if row is not None else "" for row in rows],
        ["1_555"] * len(scatterers),
        cartesian,
        np.arange(len(scatterers)),
    )


def form_factor_document(
    table: FormFactorTable,
    source: Block,
    partitioning: Partitioning = Partitioning(),
    *,
    digits: int = DIGITS,
) -> Document:
    """A table as a CIF: cell and symmetry of the structure, and the form factors.

    Raises CifError when the table has no scatterer of the structure, or as `write_form_factors`.
    """
    structure = Structure.from_block(source)
    if not any(label in structure.sites.index for label in table.scatterers):
        raise CifError(
            f"No scatterer of the table is an atom of {source.name}.",
            why=f"The table has {', '.join(table.scatterers[:10])}; "
            f"the structure has {', '.join(structure.sites.label[:10])}.",
            next="Give the CIF that the form factors were made for.",
        )
    kept = ("_cell", "_space_group", "_space_group_symop")
    block = Block(source.name)
    for entry in source.entries:
        if isinstance(entry, Item) and names.category(entry.tag) in kept[:2]:
            block.set_raw(entry.tag, entry.raw)
        elif isinstance(entry, Loop) and entry.category in kept:
            block.add_loop(Loop.of(dict(zip(entry.tags, entry.columns(*entry.tags), strict=True))))
    title = table.header.get("TITLE", "")
    made = partitioning if partitioning.source or not title else replace(partitioning, source=title)
    factors = AsphericalFormFactors(table, made, atoms_of_structure(structure, table.scatterers))
    write_form_factors(block, factors, digits=digits)
    return Document([block])
