"""AFIX codes of a SHELX text as a table, and a table put back into a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qcrbox.cif.document import Block
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import raw_of, text_of
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.shelx.instructions import INSTRUCTIONS, read_instructions

TAGS = ("_qcrbox_afix.atom_label", "_qcrbox_afix.code", "_qcrbox_afix.pivot_label")
# m of AFIX mn (SHELXL manual): the geometry; n: what is refined.
GEOMETRIES = {
    0: "none",
    1: "tertiary C-H",
    2: "secondary CH2",
    3: "CH3, staggered",
    4: "aromatic C-H or amide N-H",
    5: "regular pentagon",
    6: "regular hexagon",
    7: "regular hexagon",
    8: "O-H or hydroxyl, best hydrogen bond",
    9: "terminal X=CH2 or NH2",
    10: "pentamethylcyclopentadienyl",
    11: "naphthalene",
    12: "disordered CH3, two positions",
    13: "CH3, torsion from density",
    14: "O-H, torsion from density",
    15: "BH",
    16: "acetylenic C-H",
}
MOVEMENTS = {
    0: "none",
    1: "position, occupancy and U fixed",
    2: "occupancy and U fixed, position refined",
    3: "riding",
    4: "riding, distance refined",
    5: "member of a rigid group",
    6: "first atom of a rigid group",
    7: "riding, torsion refined",
    8: "riding, distance and torsion refined",
    9: "first atom of a rigid group that may be scaled",
}


# n of atoms that ride on the one before their AFIX card.
RIDING = frozenset({3, 4, 7, 8})


@dataclass(frozen=True)
class AfixRow:
    """An atom with its AFIX code and its pivot: the last atom before the card that does not ride itself.

    The pivot may be in a rigid group; members of a group that do not ride have none (`""`).
    """

    label: str
    code: int
    pivot: str

    @property
    def meaning(self) -> str:
        """The code in words; the meaning of m depends on n."""
        m, n = divmod(self.code, 10)
        geometry = GEOMETRIES.get(m, f"geometry {m}")
        return f"{geometry}; {MOVEMENTS[n]}"


def afix_table(text: str) -> list[AfixRow]:
    """Atoms of a .ins or .res text that stand under an AFIX card."""
    rows, pivot = [], ""
    for atom in read_instructions(text).atoms:
        riding = atom.afix % 10 in RIDING
        if atom.afix:
            rows.append(AfixRow(atom.label, atom.afix, pivot if riding else ""))
        if not riding:
            pivot = atom.label
    return rows


def apply_afix(text: str, table: Sequence[AfixRow] | Mapping[str, int]) -> str:
    """The text with AFIX cards as the table wants; atoms that are not in it stand under none.

    Everything else stays as it is written. Raises CifError that names an unknown atom.
    """
    codes = dict(table) if isinstance(table, Mapping) else {row.label: row.code for row in table}
    known = {atom.label.upper(): atom.afix for atom in read_instructions(text).atoms}
    wanted = {label.upper(): code for label, code in codes.items()}
    missing = [label for label in codes if label.upper() not in known]
    if missing:
        raise CifError(f"The table names atoms that the text does not have: {', '.join(missing)}.")
    if all(wanted.get(label, 0) == code for label, code in known.items()):
        return text
    lines, current, joining, done = [], 0, False, False
    for line in text.splitlines():
        words = line.split()
        if joining or done or not words or line[:1].isspace():
            lines.append(line)
            joining = joining and line.rstrip().endswith("=")
            continue
        name = words[0].upper().split("_")[0][:4]
        if name == "AFIX":
            continue
        if words[0].upper() in wanted or (name not in INSTRUCTIONS and len(words) >= 6):
            code = wanted.get(words[0].upper(), 0)
            if code != current:
                lines.append(f"AFIX {code:3d}")
                current = code
        elif name in ("HKLF", "END") and current:
            lines.append("AFIX   0")
            current = 0
        done = done or name in ("HKLF", "END")
        lines.append(line)
        joining = line.rstrip().endswith("=") and name not in ("REM", "TITL")
    return "\n".join(lines) + "\n"


def afix_loop(rows: Sequence[AfixRow]) -> Loop:
    """The table as a CIF loop."""
    return Loop.of(
        {
            TAGS[0]: [raw_of(row.label) for row in rows],
            TAGS[1]: [str(row.code) for row in rows],
            TAGS[2]: [raw_of(row.pivot) if row.pivot else "." for row in rows],
        }
    )


def afix_rows(block: Block) -> list[AfixRow]:
    """The table of a block that holds one; empty otherwise. Raises CifError for a code that is no number."""
    loop = block.loop(TAGS[0])
    if loop is None or TAGS[1] not in loop:
        return []
    pivots = loop.column(TAGS[2]) if TAGS[2] in loop else ["."] * len(loop)
    rows = []
    for label, code, pivot in zip(loop.texts(TAGS[0]), loop.texts(TAGS[1]), pivots, strict=True):
        if not code.isdigit():
            raise CifError(f"AFIX code '{code}' of {label} is no number.", tag=TAGS[1])
        rows.append(AfixRow(label, int(code), "" if pivot in (".", "?") else text_of(pivot)))
    return rows
