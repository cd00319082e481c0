"""Write the table of CIF names, `qcrbox/cif/data/names.tsv`.

    python qcrbox_kernel_lib/tools/build_names.py            write the table
    python qcrbox_kernel_lib/tools/build_names.py --check    only say whether it is up to date

Sources, credited in docs/cif_names.md:
1. The DDL1 core dictionary 2.3.1 (2005) inside the package cctbx-base: old names, categories, units, ranges, states.
2. `names_later.tsv` beside this file: facts of the DDLm core dictionary 3.4.0 that differ from those or are new.
   A cell that holds `=` is as in 1. It was made once by comparing the two.
3. `names_more.tsv`: names and categories of the powder, modulated, twinning, restraints, electron-density and magnetic
   dictionaries.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
from importlib.resources import files
from pathlib import Path

from qcrbox.cif import Block, read, text_of

HERE = Path(__file__).parent
TABLE = HERE.parent / "qcrbox" / "cif" / "data" / "names.tsv"
COLUMNS = ("aliases", "purpose", "container", "contents", "unit", "range", "states", "linked")
UNITS = {
    "A": "angstroms",
    "deg": "degrees",
    "K": "kelvins",
    "A^-1^": "reciprocal_angstroms",
    "A^2^": "angstrom_squared",
    "A^3^": "angstrom_cubed",
    "mm": "millimetres",
    "mm^-1^": "reciprocal_millimetres",
    "kPa": "kilopascals",
    "min": "minutes",
    "Da": "dalton",
    "Mgm^-3^": "megagrams_per_metre_cubed",
    "e_A^-3^": "electrons_per_angstrom",
}

Row = dict[str, str]


def derived_from_ddl1() -> dict[str, Row]:
    """Canonical name (lower case) to its facts, from the dictionary of 2005.

    `_category.rest` follows from the old name and its category.
    """
    packed = files("iotbx").joinpath("cif/dictionaries/cif_core.dic.gz").read_bytes()
    rows: dict[str, Row] = {}
    for block in read(gzip.decompress(packed), filename="cif_core.dic"):
        category = block.text("_category")
        for raw in block.column("_name"):
            old = text_of(raw)
            prefix = f"_{category}_"
            if not old.lower().startswith(prefix.lower()) or category == "category_overview":
                continue
            rows[f"_{category}.{old[len(prefix) :]}".lower()] = facts_of(block, old)
    return rows


def facts_of(block: Block, old: str) -> Row:
    number = block.text("_type") == "numb"
    unit = block.text("_units") or ""
    states = [text_of(raw) for raw in block.column("_enumeration")]
    return {
        "aliases": old.lower(),
        "purpose": "Measurand" if block.text("_type_conditions") in ("esd", "su") else "",
        "container": "Single",
        "contents": "Real" if number else "Text",
        "unit": UNITS.get(unit, unit),
        "range": block.text("_enumeration_range") or "",
        "states": " | ".join(states),
        "linked": "",
    }


def read_rows(path: Path) -> list[Row]:
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def merged(derived: dict[str, Row], later: list[Row]) -> dict[str, Row]:
    """Facts under the names of 2024 and later. Names that were replaced become spellings of their successors."""
    table: dict[str, Row] = {}
    replaced: list[tuple[str, Row]] = []
    for row in later:
        name = row["name"].lower()
        base = derived.get(name, dict.fromkeys(COLUMNS, ""))
        full = {column: base[column] if row[column] == "=" else row[column] for column in COLUMNS}
        if row["replaced_by"]:
            replaced.append((row["replaced_by"].lower(), {**full, "name": name}))
        else:
            table[name] = full
    for successor, row in replaced:
        spellings = {*table[successor]["aliases"].split(), row["name"], *row["aliases"].split()}
        table[successor]["aliases"] = " ".join(sorted(spellings - {successor}))
    inherit_units(table)
    return table


def inherit_units(table: dict[str, Row]) -> None:
    """An s.u. is a number in the unit of its item."""
    for row in table.values():
        parent = table.get(row["linked"].lower())
        if parent and (row["purpose"] == "SU" or not row["purpose"]):
            row.update(purpose="SU", contents=row["contents"] or "Real", unit=row["unit"] or parent["unit"])
            row["container"] = row["container"] or parent["container"]


def more(path: Path) -> dict[str, Row]:
    """Names of the other dictionaries: `_category.rest` from an old name and its category."""
    table: dict[str, Row] = {}
    for row in read_rows(path):
        old, category = row["old"], row["category"]
        rest = old[len(category) + 2 :] if old.lower().startswith(f"_{category.lower()}_") else ""
        name = row.get("name") or f"_{category}.{rest}"
        if row["case"] != "kept":
            name = name.lower()
        facts = dict.fromkeys(COLUMNS, "")
        facts.update(
            aliases=old.lower() if old.lower() != name.lower() else "",
            container="Single",
            contents=row["contents"],
        )
        table[name] = facts
    return table


def table_text() -> str:
    core = merged(derived_from_ddl1(), read_rows(HERE / "names_later.tsv"))
    taken = set(core) | {alias for row in core.values() for alias in row["aliases"].split()}
    for name, row in more(HERE / "names_more.tsv").items():
        if name.lower() not in taken and row["aliases"] not in taken:
            core[name] = row
    lines = ["# name\t" + "\t".join(COLUMNS)]
    for name in sorted(core, key=str.lower):
        row = core[name]
        lines.append("\t".join([name, *(row[column] for column in COLUMNS)]).rstrip("\t"))
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    text = table_text()
    if parser.parse_args().check:
        same = TABLE.read_text("utf-8") == text
        sys.stdout.write(
            "The table is up to date.\n" if same else "The table differs: run without --check.\n"
        )
        return 0 if same else 1
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text, "utf-8")
    sys.stdout.write(f"{TABLE}: {text.count(chr(10)) - 1} names.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
