"""AFIX codes of a SHELX text as a table, and a table put back into a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qcrbox.cif.document import Block
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import raw_of, text_of
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.shelx.instructions import ShelxAtom, read_instructions

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


_CODE = re.compile(r"[0-9]{1,4}")
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
        """Description of the code; the meaning of m depends on n."""
        m, n = divmod(self.code, 10)
        geometry = GEOMETRIES.get(m, f"geometry {m}")
        return f"{geometry}; {MOVEMENTS[n]}"


def afix_table(text: str) -> list[AfixRow]:
    """Atoms of a .ins or .res text that stand under an AFIX card; in a residue as `H1_2`."""
    rows, pivot = [], ""
    for atom in read_instructions(text).atoms:
        riding = atom.afix % 10 in RIDING
        if atom.afix:
            rows.append(AfixRow(_name(atom), atom.afix, pivot if riding else ""))
        if not riding:
            pivot = _name(atom)
    return rows


def _name(atom: ShelxAtom) -> str:
    return f"{atom.label}_{atom.residue}" if atom.residue else atom.label


def apply_afix(text: str, table: Sequence[AfixRow] | Mapping[str, int]) -> str:
    """The text with the AFIX cards of the table; other atoms have none. Atoms of residues are named `H1_2`.

    Everything else stays as it is written, cards of atoms that keep their code with their distance, occupancy and U.
    Raises CifError that names an unknown atom.
    """
    codes = dict(table) if isinstance(table, Mapping) else {row.label: row.code for row in table}
    atoms = {atom.line: atom for atom in read_instructions(text).atoms}
    known = {_name(atom).upper(): atom.afix for atom in atoms.values()}
    wanted = {label.upper(): code for label, code in codes.items()}
    missing = [label for label in codes if label.upper() not in known]
    if missing:
        raise CifError(
            f"The table names atoms that the text does not have: {', '.join(missing)}.",
            next="Atoms of residues are written with their number, as H1_2.",
        )
    if all(wanted.get(label, 0) == code for label, code in known.items()):
        return text
    return "\n".join(_with_cards(text.splitlines(), atoms, wanted)) + "\n"


def _with_cards(
    physical: Sequence[str], atoms: Mapping[int, ShelxAtom], wanted: Mapping[str, int]
) -> Iterator[str]:
    """The lines with the AFIX cards that the atoms (by their line) are wanted to have."""
    current: tuple[int, int] = (0, 0)  # code, and the line of its card in the text
    for number, line, is_afix, ends in _marked(physical):
        atom = atoms.get(number)
        if is_afix:
            if current[0] and line.split()[1:2] in ([], ["0"]):
                current = (0, 0)
                yield line
            continue
        if atom is not None:
            code = wanted.get(_name(atom).upper(), 0)
            # Two rigid groups with one code, each begun by its own card, stay two.
            card = atom.around.afix_line if code and code == atom.afix else 0
            if (code, card) != current:
                yield physical[card - 1] if card else f"AFIX {code:3d}"
                current = (code, card)
        elif ends and current[0]:
            yield "AFIX   0"
            current = (0, 0)
        yield line


def _marked(physical: Sequence[str]) -> Iterator[tuple[int, str, bool, bool]]:
    """Number from 1 and text of each line, whether it is an AFIX card, and whether it ends the atoms."""
    joining = done = False
    for number, line in enumerate(physical, 1):
        words = line.split()
        plain = not (joining or done or not words or line[:1].isspace())
        name = words[0].upper().split("_")[0][:4] if plain else ""
        ends = name in ("HKLF", "END")
        yield number, line, name == "AFIX", ends
        done = done or ends
        joining = line.rstrip().endswith("=") and name not in ("REM", "TITL") and (plain or joining)


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
    """The table of a block that holds one; empty otherwise. Raises CifError for a code that is not a number."""
    loop = block.loop(TAGS[0])
    if loop is None or TAGS[1] not in loop:
        return []
    pivots = loop.column(TAGS[2]) if TAGS[2] in loop else ["."] * len(loop)
    rows = []
    for label, code, pivot in zip(loop.texts(TAGS[0]), loop.texts(TAGS[1]), pivots, strict=True):
        if not _CODE.fullmatch(code):
            raise CifError(f"AFIX code '{code}' of {label} is not a number.", tag=TAGS[1])
        rows.append(AfixRow(label, int(code), "" if pivot in (".", "?") else text_of(pivot)))
    return rows
