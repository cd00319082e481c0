"""One data block of a CIF: read through cctbx's parser, found by any spelling of a name, written again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import iotbx.cif
from libtbx.utils import Sorry
from qcrbox.contract.errors import CifError

from qcrbox_refine.numbers import parse_number

# Spellings that are one item, beyond upper and lower case and `.` or `_` after the category.
_SAME_ITEM = {
    "_symmetry_equiv_pos_as_xyz": "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_site_id": "_space_group_symop_id",
    "_symmetry_space_group_name_h-m": "_space_group_name_h-m_alt",
    "_space_group_name_h-m_full": "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_hall": "_space_group_name_hall",
    "_symmetry_int_tables_number": "_space_group_it_number",
    "_symmetry_cell_setting": "_space_group_crystal_system",
    "_diffrn_radiation_wavelength_value": "_diffrn_radiation_wavelength",
    "_cell_measurement_temperature": "_diffrn_ambient_temperature",
    "_refln_f_squared_meas_su": "_refln_f_squared_sigma",
    "_refln_f_meas_su": "_refln_f_sigma",
    "_refln_intensity_meas_su": "_refln_intensity_sigma",
    "_diffrn_refln_intensity_net_su": "_diffrn_refln_intensity_u",
    "_diffrn_refln_intensity_sigma": "_diffrn_refln_intensity_u",
    "_refine_ls_shift/esd_max": "_refine_ls_shift/su_max",
    "_refine_ls_shift_over_su_max": "_refine_ls_shift/su_max",
    "_refine_ls_shift_over_su_mean": "_refine_ls_shift/su_mean",
    "_shelx_hkl_file": "_shelx_hkl_file",
    "_iucr_refine_reflections_details": "_shelx_hkl_file",
}
UNKNOWN = ("?", ".", "")


def item_key(name: str) -> str:
    """The key under which all spellings of one item are found."""
    key = name.lower().replace(".", "_")
    return _SAME_ITEM.get(key, key)


class CifBlock:
    """Items (name → text) and loops (list of columns) of one data block."""

    def __init__(self, name: str = "refined") -> None:
        self.name = name
        self.items: dict[str, tuple[str, str]] = {}
        self.loops: list[tuple[list[str], list[list[str]]]] = []

    def set(self, name: str, value: str | None) -> None:
        """Write one item, replacing every other spelling of it and an s.u. kept beside it."""
        key = item_key(name)
        for old in (key, key + "_su"):
            self.items.pop(old, None)
        if value is not None:
            self.items[key] = (name, value)

    def add_loop(self, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        self.loops.append((list(names), [list(row) for row in rows]))

    def drop(self, pattern: str) -> None:
        """Remove items and whole loops with a name whose key matches the regular expression from its start."""
        match = re.compile(pattern).match
        self.items = {key: item for key, item in self.items.items() if not match(key)}
        self.loops = [loop for loop in self.loops if not any(match(item_key(name)) for name in loop[0])]

    def text(self, *names: str) -> str | None:
        """The first of these items that is there and known; one-row loops count as items."""
        for name in names:
            key = item_key(name)
            if key in self.items and self.items[key][1].strip() not in UNKNOWN:
                return self.items[key][1]
            column = self.column(name)
            if column and len(column) == 1 and column[0].strip() not in UNKNOWN:
                return column[0]
        return None

    def number(self, *names: str) -> tuple[float, float] | None:
        """Value and s.u. of an item; a separate `…_su` item counts."""
        for name in names:
            found = parse_number(self.text(name))
            if found is not None:
                apart = parse_number(self.text(name + "_su")) if not found[1] else None
                return (found[0], apart[0]) if apart else found
        return None

    def column(self, *names: str) -> list[str] | None:
        keys = {item_key(name) for name in names}
        for header, rows in self.loops:
            for index, name in enumerate(header):
                if item_key(name) in keys:
                    return [row[index] for row in rows]
        return None

    def __str__(self) -> str:
        return f"data_{self.name}\n" + "".join(_item_lines(self)) + "".join(_loop_lines(self))


def read_blocks(path: str | Path) -> list[CifBlock]:
    """All data blocks of a CIF file, in order. Raises CifError with file, line and column."""
    path = Path(path)
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return parse_blocks(text, path.name)


def parse_blocks(text: str, file: str = "CIF text") -> list[CifBlock]:
    # cctbx's lexer takes only ASCII; names of authors do not matter to a refinement but must survive.
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x00\x1a")
    plain = "".join(char if ord(char) < 128 else f"&#{ord(char)};" for char in text)
    try:
        reader = iotbx.cif.reader(input_string=plain, raise_if_errors=False)
        problems = [*reader.parser.lexer_errors(), *reader.parser.parser_errors()]
    except Sorry as error:
        problems = [str(error)]
    if problems:
        raise _syntax_error(problems, text, file)
    blocks = [_block(name, model) for name, model in reader.model().items()]
    if not blocks:
        raise CifError(
            "the file has no data block.",
            where=file,
            why="A CIF begins with a line data_<name>.",
            next="Upload the CIF of a structure.",
            file=file,
        )
    return blocks


def _syntax_error(problems: list[str], text: str, file: str) -> CifError:
    """The first problem as an error with its line: said by the parser, or where the item it names stands."""
    place = re.search(r"line (\d+)\D{0,40}?offset (\d+)", problems[0]) or re.search(
        r"line (\d+)()", problems[0]
    )
    item = re.search(r"(?<!\w)_[^\s,;]+", problems[0])
    line = int(place.group(1)) if place else None
    column = int(place.group(2)) + 1 if place and place.group(2) else None
    if line is None and item:
        found = [n for n, row in enumerate(text.split("\n"), start=1) if row.split()[:1] == [item.group(0)]]
        line = found[-1] if found else None
    reason = re.sub(r"\s+", " ", problems[0]).strip().rstrip(".")
    return CifError(
        "the CIF has a syntax error.",
        where=f"{file} line {line}" if line else file,
        why=f"The parser says: {reason}.",
        next="Correct the file at this place and upload it again.",
        details=list(problems[:20]),
        file=file,
        line=line,
        column=column,
        tag=item.group(0) if item else None,
    )


def _block(block_name: str, model: iotbx.cif.model.block) -> CifBlock:
    block = CifBlock(block_name)
    for loop in model.loops.values():
        columns = [list(loop[key]) for key in loop]
        rows = [[_restore(cell) for cell in row] for row in zip(*columns, strict=True)]
        block.add_loop(list(loop.keys()), rows)
    for name, value in model._items.items():
        key = item_key(name)
        # Old and new spelling beside each other: the new one counts.
        if key not in block.items or not name.lower().startswith("_symmetry"):
            block.items[key] = (name, _restore(value))
    return block


def _restore(text: str) -> str:
    return re.sub(r"&#(\d+);", lambda found: chr(int(found.group(1))), text) if "&#" in text else text


def _item_lines(block: CifBlock) -> Iterable[str]:
    for name, value in block.items.values():
        quoted = quote(value)
        yield f"{name}{quoted}\n" if quoted.startswith("\n") else f"{name:<34} {quoted}\n"


def _loop_lines(block: CifBlock) -> Iterable[str]:
    for names, rows in block.loops:
        if not rows:
            continue
        yield "\nloop_\n" + "".join(f"  {name}\n" for name in names)
        for row in rows:
            yield " ".join(quote(cell) for cell in row).replace(" \n", "\n").replace("\n; ", "\n;\n") + "\n"


_BARE = re.compile(r"^[^\s_#$'\";\[\]][^\s]*$")
_RESERVED = re.compile(r"^(data_|save_|loop_$|stop_$|global_$)", re.IGNORECASE)


def quote(value: str) -> str:
    """A value as CIF 1.1 text. A text field comes with its line breaks around it.

    A line that begins with `;` would end the field: it is shifted by one blank, which SHELX texts and
    prose both survive.
    """
    if value in ("?", "."):
        return value
    if "\n" not in value and len(value) < 2000:
        if _BARE.match(value) and not _RESERVED.match(value):
            return value
        for mark in "'\"":
            if not re.search(mark + r"(\s|$)", value):
                return f"{mark}{value}{mark}"
    body = re.sub(r"^;", " ;", value.rstrip("\n"), flags=re.MULTILINE)
    return f"\n;\n{body}\n;"
