"""Reading SHELX .ins and .res texts: cards, and atoms with the cards in force around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from qcrbox.contract.errors import CifError

# Every instruction of SHELXL; a line that begins with another word is an atom.
INSTRUCTIONS = frozenset(
    [
        "ABIN",
        "ACTA",
        "AFIX",
        "ANIS",
        "ANSC",
        "ANSR",
        "BASF",
        "BIND",
        "BLOC",
        "BOND",
        "BUMP",
        "CELL",
        "CGLS",
        "CHIV",
        "CONF",
        "CONN",
        "DAMP",
        "DANG",
        "DEFS",
        "DELU",
        "DFIX",
        "DISP",
        "EADP",
        "END",
        "EQIV",
        "EXTI",
        "EXYZ",
        "FEND",
        "FLAT",
        "FMAP",
        "FRAG",
        "FREE",
        "FVAR",
        "GRID",
        "HFIX",
        "HKLF",
        "HTAB",
        "ISOR",
        "LATT",
        "LAUE",
        "LIST",
        "L.S.",
        "MERG",
        "MORE",
        "MOVE",
        "MPLA",
        "NCSY",
        "NEUT",
        "OMIT",
        "PART",
        "PLAN",
        "PRIG",
        "REM",
        "RESI",
        "RIGU",
        "RTAB",
        "SADI",
        "SAME",
        "SFAC",
        "SHEL",
        "SIMU",
        "SIZE",
        "SPEC",
        "STIR",
        "SUMP",
        "SWAT",
        "SYMM",
        "TEMP",
        "TITL",
        "TWIN",
        "TWST",
        "UNIT",
        "WGHT",
        "WIGL",
        "WPDB",
        "XNPD",
        "ZERR",
    ]
)


@dataclass
class ShelxAtom:
    """One atom line. `u` has one or six numbers in SHELX's order 11 22 33 23 13 12; numbers are as written,
    so 10.5 may stand for a fixed 0.5 and 21 for a free variable. `line` counts from 0 in `lines`.
    """

    label: str
    scattering_type: int
    position: tuple[float, float, float]
    occupancy: float
    u: tuple[float, ...]
    part: int
    afix: int
    residue: str
    line: int


@dataclass
class ShelxText:
    """A .ins or .res text. `lines` are logical lines, continuations joined, with `cards` by name."""

    lines: list[str]
    cards: dict[str, list[list[str]]] = field(default_factory=dict)
    atoms: list[ShelxAtom] = field(default_factory=list)

    def card(self, name: str) -> list[str]:
        """Words of the last card of a name, the name left out; empty when there is none."""
        found = self.cards.get(name.upper(), [])
        return found[-1] if found else []

    @property
    def elements(self) -> list[str]:
        """Elements of the SFAC cards in their order."""
        elements: list[str] = []
        for words in self.cards.get("SFAC", []):
            numbers = [word for word in words[1:] if re.match(r"[-+.\d]", word)]
            # The long form gives one element with its scattering factor in numbers.
            elements += words[:1] if numbers else words
        return [element.capitalize() for element in elements]

    def resolved(self, value: float) -> float:
        """The number a parameter means: 10.5 is a fixed 0.5; 21 is 1 × FVAR 2; -21 is 1 × (1 - FVAR 2)."""
        number = abs(value)
        multiple = int(number // 10)
        rest = number - 10 * multiple
        if rest > 5:
            multiple, rest = multiple + 1, rest - 10
        if multiple == 0:
            return value
        sign = -1 if value < 0 else 1
        if multiple == 1:
            return sign * rest
        variables = [float(word) for words in self.cards.get("FVAR", []) for word in words]
        if multiple > len(variables):
            raise CifError(
                f"The parameter {value:g} uses free variable {multiple}, which FVAR does not give."
            )
        variable = variables[multiple - 1]
        return rest * variable if sign > 0 else rest * (1 - variable)


def read_instructions(text: str) -> ShelxText:
    """Read a .ins or .res text as far as END or HKLF.

    Raises CifError with the line number for an atom line that cannot be read.
    """
    found = ShelxText([])
    part, afix, residue = 0, 0, ""
    for number, line in _logical_lines(text):
        found.lines.append(line)
        words = line.split("!")[0].split()
        if not words or line[:1].isspace():
            continue
        name = words[0].upper().split("_")[0]
        if name[:4] in INSTRUCTIONS:
            name = name[:4]
            found.cards.setdefault(name, []).append(words[1:])
            if name == "PART":
                part = int(float(words[1])) if len(words) > 1 else 0
            elif name == "AFIX":
                afix = int(float(words[1])) if len(words) > 1 else 0
            elif name == "RESI":
                residue = next((word for word in words[1:] if word.lstrip("-").isdigit()), "")
            elif name in ("HKLF", "END"):
                break
        elif len(words) >= 6 and words[1].lstrip("-").isdigit():
            found.atoms.append(_atom(words, number, len(found.lines) - 1, part, afix, residue))
    return found


def _logical_lines(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    joining = False
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        body = line.rstrip()
        if joining:
            start, before = lines[-1]
            lines[-1] = (start, f"{before} {body.strip().removesuffix('=').rstrip()}")
        else:
            lines.append((number, body.removesuffix("=").rstrip() if body.endswith("=") else body))
        joining = body.endswith("=") and not body.upper().startswith(("REM", "TITL"))
    return lines


def _atom(words: list[str], number: int, line: int, part: int, afix: int, residue: str) -> ShelxAtom:
    try:
        values = [float(word) for word in words[2:]]
        x, y, z = values[:3]
    except ValueError:
        raise CifError(
            f"'{' '.join(words)[:60]}' is no atom.",
            where=f"line {number}",
            next="Expected a label, a scattering type and x y z, occupancy, U.",
            line=number,
        ) from None
    occupancy = values[3] if len(values) > 3 else 11.0
    u = tuple(values[4:10]) if len(values) >= 10 else tuple(values[4:5])
    return ShelxAtom(words[0], int(words[1]), (x, y, z), occupancy, u, part, afix, residue, line)
