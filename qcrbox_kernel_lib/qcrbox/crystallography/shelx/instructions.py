"""Reading SHELX .ins and .res texts: instructions, and atoms with the instructions in force around them.

This is the only reader of SHELX texts. It knows the syntax (names, residues, continuation lines, comments,
included files); the effect of an instruction on a refinement is left to the refinement.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from qcrbox.contract.errors import CifError

# Every instruction of SHELXL-2019, and MOLE, HOPE and TIME of its forerunners, which it still accepts.
# A line that begins with another word is an atom.
_NAMES = """
ABIN ACTA AFIX ANIS ANSC ANSR BASF BEDE BIND BLOC BOND BUMP CELL CGLS CHIV CONF CONN DAMP DANG DEFS DELU DFIX
DISP EADP END EQIV EXTI EXYZ FEND FLAT FMAP FRAG FREE FVAR GRID HFIX HKLF HOPE HTAB ISOR L.S. LATT LAUE LIST
LONE MERG MOLE MORE MOVE MPLA NCSY NEUT OMIT PART PLAN PRIG REM RESI RIGU RTAB SADI SAME SFAC SHEL SIMU SIZE
SPEC STIR SUMP SWAT SYMM TEMP TIME TITL TWIN TWST UNIT WGHT WIGL WPDB XNPD ZERR
"""
INSTRUCTIONS = frozenset(_NAMES.split())
_FREE_TEXT = ("REM", "TITL")
_MAX_INCLUDES = 5
_MOST_PARTS = 999
_DEFAULT_U = 0.05

_FRACTION = re.compile(r"([-+]?\d+\.?\d*)/(\d+\.?\d*)\Z")
_REAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?\Z")

ReadInclude = Callable[[str], str | None]


def shelx_number(word: str) -> float | None:
    """A number as SHELX reads it, `2/3` and `1.0D-3` included; None otherwise."""
    if _REAL.match(word):
        number = float(word.upper().replace("D", "E"))
        return number if math.isfinite(number) else None
    fraction = _FRACTION.match(word)
    if fraction and float(fraction[2]):
        number = float(fraction[1]) / float(fraction[2])
        return number if math.isfinite(number) else None
    return None


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    name: four letters (`DFIX`, `L.S.`), three for END and REM; `+` for an included file. residue: what follows `_`
    in the name (`CCF3`, `2`, `*`, `0`, `+`, `-`), empty without. words: all that follows, comments left out. line:
    of the file, from 1. text: the line with its continuations joined. file: the included file it stands in, empty
    for the text itself.
    """

    name: str
    residue: str
    words: tuple[str, ...]
    line: int
    text: str
    file: str = ""

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers before the first word that is none."""
        found = []
        for word in self.words:
            number = shelx_number(word)
            if number is None:
                break
            found.append(number)
        return tuple(found)

    @property
    def names(self) -> tuple[str, ...]:
        """The words from the first that is not a number: atoms, elements, a code word."""
        return self.words[len(self.numbers) :]

    def number(self, position: int, default: float) -> float:
        """A number by position, from 0; the default where fewer are given."""
        numbers = self.numbers
        return numbers[position] if position < len(numbers) else default

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.file} line {self.line}".strip()


@dataclass(frozen=True)
class Surroundings:
    """Instructions in force where an atom stands.

    part_occupancy, afix_distance, afix_occupancy and afix_u are None where the instruction gives none; they are as
    written, so 21 hangs on a free variable. move: shift and sign of MOVE. afix_line: line of the AFIX in force.
    """

    part: int = 0
    part_occupancy: float | None = None
    afix: int = 0
    afix_distance: float | None = None
    afix_occupancy: float | None = None
    afix_u: float | None = None
    afix_line: int = 0
    residue: int = 0
    residue_class: str = ""
    residue_alias: int | None = None
    move: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class ShelxAtom:
    """One atom line. `u` has one or six numbers in SHELX's order 11 22 33 23 13 12; numbers are as written,
    so 10.5 may stand for a fixed 0.5 and 21 for a free variable. occupancy None: the line ends before it. `line` counts
    from 1, in the file.
    """

    label: str
    scattering_type: int
    position: tuple[float, float, float]
    occupancy: float | None
    u: tuple[float, ...]
    line: int
    around: Surroundings = Surroundings()

    @property
    def is_peak(self) -> bool:
        """Whether this is a peak of a difference map (`Q12 1 …`), which no model has as an atom."""
        return self.scattering_type == 1 and bool(re.fullmatch(r"[Qq]\d+", self.label))

    @property
    def part(self) -> int:
        """Number of the PART in force."""
        return self.around.part

    @property
    def occupancy_in_force(self) -> float | None:
        """As PART, AFIX or the line give it; None where none does: a full site, whatever its symmetry."""
        around = self.around
        given = (around.part_occupancy, around.afix_occupancy, self.occupancy)
        return next((value for value in given if value is not None), None)

    @property
    def u_in_force(self) -> tuple[float, ...]:
        """One or six numbers: that of AFIX for isotropic atoms, then those of the line; 0.05 without any."""
        if len(self.u) < 6 and self.around.afix_u is not None:
            return (self.around.afix_u,)
        return self.u or (_DEFAULT_U,)

    @property
    def afix(self) -> int:
        """AFIX code in force."""
        return self.around.afix

    @property
    def residue(self) -> str:
        """Number of the residue as text, empty for residue 0."""
        return str(self.around.residue) if self.around.residue else ""


@dataclass
class ShelxText:
    """A .ins or .res text as far as HKLF or END.

    entries: instructions and atoms in their order; missing_files: included files that were not to be had; ending:
    instructions after HKLF, for instance the WGHT that SHELXL recommends.
    """

    entries: list[Instruction | ShelxAtom] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    missing_files: list[Instruction] = field(default_factory=list)
    ending: list[Instruction] = field(default_factory=list)

    @property
    def instructions(self) -> list[Instruction]:
        """The cards that are not atoms, in file order."""
        return [entry for entry in self.entries if isinstance(entry, Instruction)]

    @property
    def atoms(self) -> list[ShelxAtom]:
        """The atoms, in file order."""
        return [entry for entry in self.entries if isinstance(entry, ShelxAtom)]

    def named(self, *names: str) -> list[Instruction]:
        """The instructions of these names, in order."""
        return [instruction for instruction in self.instructions if instruction.name in names]

    def last(self, *names: str) -> Instruction | None:
        """The last card of these names; None when there is none."""
        found = self.named(*names)
        return found[-1] if found else None

    def card(self, name: str) -> list[str]:
        """Words of the last instruction of a name; empty when there is none."""
        found = self.last(name.upper())
        return list(found.words) if found else []

    @property
    def elements(self) -> list[str]:
        """Elements of the SFAC instructions in their order."""
        elements: list[str] = []
        for instruction in self.named("SFAC"):
            elements += sfac_elements(instruction)
        return [element.capitalize() for element in elements]

    @property
    def free_variables(self) -> list[float]:
        """All numbers of FVAR, the overall scale factor first."""
        return [number for instruction in self.named("FVAR") for number in instruction.numbers]

    def resolved(self, value: float) -> float:
        """The number a parameter means: 10.5 is a fixed 0.5; 21 is 1 × FVAR 2; -21 is 1 × (1 - FVAR 2)."""
        multiple, rest = decoded(value)
        if multiple == 0:
            return value
        if multiple == 1:
            return rest
        variables = self.free_variables
        if abs(multiple) > len(variables):
            raise CifError(
                f"The parameter {value:g} uses free variable {abs(multiple)}, which FVAR does not give."
            )
        variable = variables[abs(multiple) - 1]
        return rest * variable if multiple > 0 else rest * (variable - 1)


def sfac_elements(instruction: Instruction) -> list[str]:
    """Elements of one SFAC; its long form names one and gives its scattering factor in numbers."""
    words = instruction.words
    if any(shelx_number(word) is not None for word in words):
        return list(words[:1])
    return list(words)


def decoded(value: float) -> tuple[int, float]:
    """A parameter 10·m + p with |p| < 5 as (m, p); m = 0 is refined, 1 (or -1) is fixed at p.

    m > 1 means p × free variable m, m < -1 means p × (free variable |m| - 1).
    """
    multiple = int((abs(value) + 5) // 10)
    if value < 0:
        multiple = -multiple
    rest = round(value - 10 * multiple, 10)
    return (1 if multiple == -1 else multiple), rest


def read_instructions(text: str, read_include: ReadInclude | None = None) -> ShelxText:
    """Read a .ins or .res text as far as END or HKLF.

    read_include: gives the text of a file named by `+file`, None when it is not there; without it such lines are
    listed in `missing_files`. Raises CifError with the line number for an atom line that cannot be read.
    """
    return _Reader(read_include).read(text)


class _Reader:
    def __init__(self, read_include: ReadInclude | None) -> None:
        self.read_include = read_include
        self.found = ShelxText()
        self.around = Surroundings()
        self.in_fragment = False

    def read(self, text: str) -> ShelxText:
        ended = False
        for number, line in logical_lines(text):
            instruction = _instruction(line, number)
            if ended:
                if instruction is not None:
                    self.found.ending.append(instruction)
                continue
            self.found.lines.append(line)
            ended = self._take(line, number, instruction)
        return self.found

    def _take(
        self, line: str, number: int, instruction: Instruction | None, file: str = "", depth: int = 0
    ) -> bool:
        """Take one line; true at the end of the instructions."""
        if instruction is None:
            self._take_atom(line, number, file)
            return False
        if file:
            instruction = replace(instruction, file=file)
        if instruction.name == "+":
            self._include(instruction, depth)
            return False
        self.found.entries.append(instruction)
        self._surround(instruction)
        return instruction.name in ("HKLF", "END")

    def _include(self, instruction: Instruction, depth: int) -> None:
        self.found.entries.append(instruction)
        name = instruction.words[0] if instruction.words else ""
        text = self.read_include(name) if self.read_include and name and depth < _MAX_INCLUDES else None
        if text is None:
            self.found.missing_files.append(instruction)
            return
        for number, line in logical_lines(text):
            inner = _instruction(line, number)
            if inner is not None and inner.name == "END":
                break
            self._take(line, number, inner, name, depth + 1)

    def _take_atom(self, line: str, number: int, file: str) -> None:
        words = line.split()
        if self.in_fragment:
            # Lines of a FRAG are kept verbatim under an empty name: they are not atoms of the structure.
            self.found.entries.append(Instruction("", "", tuple(words), number, line, file))
            return
        if len(words) >= 5 and re.match(r"-?[0-9]{1,9}\Z", words[1]):
            self.found.entries.append(_atom(words, number, self.around))
            return
        raise CifError(
            f"'{line.strip()[:60]}' is neither an instruction of SHELXL nor an atom.",
            where=f"{file} line {number}".strip(),
            next="An atom has a label, a scattering type, x y z, occupancy and U. Correct or delete the line.",
            line=number,
        )

    def _surround(self, instruction: Instruction) -> None:
        name, numbers = instruction.name, instruction.numbers
        if name in ("FRAG", "FEND"):
            self.in_fragment = name == "FRAG"
        elif name == "PART":
            part = instruction.number(0, 0)
            if abs(part) > _MOST_PARTS:
                raise CifError(
                    f"{instruction.text.strip()[:60]} is no part of SHELXL.",
                    where=instruction.place,
                    next=f"Parts have numbers from -{_MOST_PARTS} to {_MOST_PARTS}.",
                    line=instruction.line,
                )
            self.around = replace(
                self.around,
                part=round(part),
                part_occupancy=numbers[1] if len(numbers) > 1 else None,
            )
        elif name == "AFIX":
            given: list[float | None] = [*numbers[1:4], None, None, None]
            self.around = replace(
                self.around,
                afix=round(instruction.number(0, 0)),
                afix_distance=given[0] or None,
                afix_occupancy=given[1],
                afix_u=given[2],
                afix_line=instruction.line,
            )
        elif name == "RESI":
            self.around = _in_residue(self.around, instruction)
        elif name == "MOVE":
            shift = [instruction.number(i, 0.0) for i in range(3)]
            self.around = replace(
                self.around, move=(shift[0], shift[1], shift[2], instruction.number(3, 1.0))
            )


def _in_residue(around: Surroundings, instruction: Instruction) -> Surroundings:
    """RESI class number alias, in SHELXL's free order: a word that begins with a letter is the class."""
    kind = next((word.upper() for word in instruction.words if word[:1].isalpha()), "")
    numbers = [round(n) for n in map(shelx_number, instruction.words) if n is not None]
    return replace(
        around,
        residue=numbers[0] if numbers else 0,
        residue_class=kind,
        residue_alias=numbers[1] if len(numbers) > 1 else None,
    )


def _instruction(line: str, number: int) -> Instruction | None:
    """The instruction in a logical line, None for an atom."""
    if line.startswith("+"):
        return Instruction("+", "", tuple(line.lstrip("+").split()), number, line)
    head, _, _ = line.partition(" ")
    base, _, residue = head.upper().partition("_")
    if base[:3] == "REM":
        return Instruction("REM", "", tuple(line[3:].split()), number, line)
    name = "END" if base == "END" else base[:4]
    if name not in INSTRUCTIONS or (name in ("END", "REM") and base != name):
        return None
    return Instruction(name, residue, tuple(line.split()[1:]), number, line)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1: `=` joins the next one, comments (`!`, or a blank first) are left out.

    REM and TITL keep all they have.
    """
    begun: tuple[int, str] | None = None
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        line = raw.expandtabs(8).rstrip()
        if begun is not None:
            if not line.strip():
                yield begun
                begun = None
                continue
            if line[:1].isspace() or shelx_number(line.split()[0]) is not None:
                body, _, more = _without_comment(line)
                begun = (begun[0], f"{begun[1]} {body.strip()}".rstrip())
                if not more:
                    yield begun
                    begun = None
                continue
            yield begun
            begun = None
        if not line or line[:1].isspace():
            continue
        if line[:3].upper() == "REM" or line[:4].upper() == "TITL":
            yield number, line
            continue
        body, _, more = _without_comment(line)
        if not body:
            continue
        if more:
            begun = (number, body)
        else:
            yield number, body
    if begun is not None:
        yield begun


def _without_comment(line: str) -> tuple[str, str, bool]:
    """The text before `!` or `=`, the sign, and whether the line continues in the next."""
    for position, char in enumerate(line):
        if char in "!=":
            return line[:position].rstrip(), char, char == "="
    return line.rstrip(), "", False


def _atom(words: list[str], number: int, around: Surroundings) -> ShelxAtom:
    values = [shelx_number(word) for word in words[2:]]
    if None in values[:10]:
        wrong = words[2:][values.index(None)]
        raise CifError(
            f"'{' '.join(words)[:60]}' is not an atom: {wrong!r} is not a number.",
            where=f"line {number}",
            next="Expected a label, a scattering type and x y z, occupancy, U.",
            line=number,
        )
    known = [value for value in values if value is not None]
    occupancy = known[3] if len(known) > 3 else None
    u = tuple(known[4:10]) if len(known) >= 10 else tuple(known[4:5])
    position = (known[0], known[1], known[2])
    return ShelxAtom(words[0], int(words[1]), position, occupancy, u, number, around)
