"""A structural model from a SHELX .ins or .res file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from cctbx import crystal, sgtbx, uctbx
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import read_instructions

from qcrbox_refine.model import Atom, Model, scattering_type
from qcrbox_refine.restraints import NAMES
from qcrbox_refine.shelx_settings import ShelxSettings

# Instructions of SHELXL: a line whose first four letters are none of them is an atom.
_INSTRUCTIONS_TEXT = """
ABIN ACTA AFIX ANIS ANSC ANSR BASF BIND BLOC BOND BUMP CELL CGLS CHIV CONF CONN DAMP DANG DEFS DELU DFIX
DISP EADP END EQIV EXTI EXYZ FEND FLAT FMAP FRAG FREE FVAR GRID HFIX HKLF HTAB ISOR LATT LAUE LIST L.S.
MERG MORE MOVE MPLA NCSY NEUT OMIT PART PLAN PRIG REM RESI RIGU RTAB SADI SAME SFAC SHEL SIMU SIZE SPEC
STIR SUMP SWAT SYMM TEMP TITL TWIN TWST UNIT WGHT WIGL WPDB XNPD ZERR
"""
_INSTRUCTIONS = frozenset(_INSTRUCTIONS_TEXT.split())
_LATTICES = {1: "P", 2: "I", 3: "R", 4: "F", 5: "A", 6: "B", 7: "C"}
# Instructions that a new .res file gets from the refinement itself.
_OWN_TEXT = """
TITL CELL ZERR LATT SYMM SFAC UNIT TEMP FVAR WGHT L.S. CGLS EXTI PART AFIX HKLF END ANIS MOLE HFIX
"""
_OWN = frozenset(_OWN_TEXT.split())
_RESTRAINTS = {"DFIX", "DANG", "SADI", "SAME", "FLAT", "CHIV", "DELU", "SIMU", "ISOR", "RIGU", "BUMP", "SUMP"}


@dataclass
class ShelxFile:
    """What the file says beyond the model. kept: instructions to write again as they stand."""

    model: Model
    cycles: int = 4
    plan: int = 20
    omit: list[tuple[int, int, int]] = field(default_factory=list)
    extinction: bool = False
    anisotropic: bool = False
    hfix: dict[str, int] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


def read_shelx(path: str | Path) -> ShelxFile:
    """Raises UserInputError with file and line for what cannot be read or is not supported (twins)."""
    path = Path(path)
    return parse_shelx(path.read_bytes().decode("utf-8", "replace"), path.name)


def parse_shelx(text: str, file: str = "SHELX text") -> ShelxFile:
    return _Reader(text, file).read()


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.file, self.text = file, text
        self.lines = _joined(text)
        self.line = 0
        self.free_variables: list[float] = []
        self.elements: list[str] = []
        self.unit: list[float] = []
        self.part, self.part_occupancy = 0, None
        self.afix = 0
        self.last_u_eq = 0.05
        self.restraints: set[str] = set()
        self.hfix: list[tuple[int, list[str]]] = []

    def fail(self, what: str, next_step: str = "Correct the line.") -> UserInputError:
        return UserInputError(what, where=f"{self.file} line {self.line}", next=next_step, line=self.line)

    def read(self) -> ShelxFile:
        heads = {line.split()[0][:4].upper(): (n, line) for n, line in self.lines if line.split()}
        for needed in ("CELL", "SFAC"):
            if needed not in heads:
                raise UserInputError(
                    f"the file has no {needed} line.",
                    where=self.file,
                    next="Give a SHELXL .ins or .res file.",
                )
        for number, line in self.lines:
            self.line = number
            if line.split()[0].upper() == "FVAR":
                self.free_variables += [float(word) for word in line.split()[1:]]
        self.result = ShelxFile(Model(self._symmetry(heads), []))
        self.result.model.title = Path(self.file).stem
        for number, line in self.lines:
            self.line = number
            words = line.split()
            head = words[0].upper().partition("_")[0]
            if head[:4] == "END" or head == "END":
                break
            if head[:4] in _INSTRUCTIONS:
                self._instruction(head[:4], words[1:], line)
                if head == "HKLF":
                    break
            else:
                self._atom(words)
        self._finish()
        found = read_instructions(self.text)
        self.result.model.settings = ShelxSettings.of(found.instructions, found.ending, self.file)
        return self.result

    def _symmetry(self, heads: dict[str, tuple[int, str]]) -> crystal.symmetry:
        self.line, line = heads["CELL"]
        try:
            cell = [float(word) for word in line.split()[2:8]]
            unit_cell = uctbx.unit_cell(cell)
        except (ValueError, RuntimeError) as error:
            raise self.fail(f"the unit cell is impossible: {error}") from error
        lattice = int(heads["LATT"][1].split()[1]) if "LATT" in heads else 1
        group = sgtbx.space_group()
        try:
            for number, line in self.lines:
                if line[:4].upper() == "SYMM":
                    self.line = number
                    group.expand_smx(sgtbx.rt_mx(line[4:].replace(" ", "").lower()))
            if lattice > 0:
                group.expand_inv(sgtbx.tr_vec((0, 0, 0)))
            group.expand_conventional_centring_type(_LATTICES[abs(lattice)])
            return crystal.symmetry(unit_cell=unit_cell, space_group=group)
        except (RuntimeError, ValueError, KeyError, AssertionError) as error:
            raise self.fail(f"cell and symmetry do not fit: {error}", "Check CELL, LATT and SYMM.") from error

    def _instruction(self, head: str, words: list[str], line: str) -> None:
        model, result = self.result.model, self.result
        if head not in _OWN:
            result.kept.append(line)
        if head == "TITL":
            model.title = re.sub(r"\W+", "_", words[0]) if words else model.title
        elif head == "CELL":
            model.wavelength = float(words[0])
        elif head == "ZERR":
            model.z = float(words[0])
            model.cell_su = (*map(float, words[1:7]), *(0.0,) * 6)[:6]
        elif head == "SFAC":
            names = words if not re.match(r"-?\d", words[1] if len(words) > 1 else "x") else words[:1]
            self.elements += [scattering_type(name, name) for name in names]
        elif head == "UNIT":
            self.unit = [float(word) for word in words]
        elif head == "TEMP":
            model.temperature_k = float(words[0]) + 273.15
        elif head == "PART":
            self.part = int(words[0]) if words else 0
            self.part_occupancy = float(words[1]) if len(words) > 1 else None
        elif head == "AFIX":
            self.afix = int(words[0]) if words else 0
        elif head in ("L.S.", "CGLS"):
            result.cycles = int(words[0]) if words else 4
        elif head == "EXTI":
            result.extinction, model.extinction = True, float(words[0]) if words else 0.0
        elif head == "ANIS" and not words:
            result.anisotropic = True
        elif head == "OMIT" and len(words) == 3 and all(re.fullmatch(r"-?\d+", w) for w in words):
            result.omit.append(tuple(int(word) for word in words))
        elif head in ("FRAG", "RESI"):
            raise self.fail(f"{head} is not supported.", "Refine residues with SHELXL or Olex2.")
        elif head == "PLAN" and words:
            result.plan = abs(int(float(words[0])))
        elif head in _RESTRAINTS:
            self.restraints.add(head)
            if head in NAMES:
                model.restraints.append(line)
        elif head == "HFIX" and words:
            self.hfix.append((int(words[0]), [word for word in words[1:] if re.match(r"[A-Za-z$>]", word)]))

    def _value(self, text: str) -> tuple[float, bool]:
        """A SHELX parameter: 10+p is fixed at p, ±(10n+p) hangs on free variable n."""
        value = float(text)
        n = int((abs(value) + 5) // 10)
        p = abs(value) - 10 * n
        if n == 0:
            return value, False
        if n == 1:
            return (p if value > 0 else -p), True
        if n > len(self.free_variables):
            raise self.fail(f"free variable {n} is used, but FVAR has {len(self.free_variables)}.")
        variable = self.free_variables[n - 1]
        return (p * variable if value > 0 else p * (variable - 1)), True

    def _atom(self, words: list[str]) -> None:
        if len(words) < 5 or not re.match(r"[A-Za-z]", words[0]):
            raise self.fail(f"{words[0]!r} is neither an instruction nor an atom.")
        if re.fullmatch(r"Q\d+", words[0].upper()):
            return
        try:
            kind = int(words[1])
            site = tuple(self._value(word)[0] for word in words[2:5])
            given = float(words[5]) if len(words) > 5 else 11.0
            if self.part_occupancy is not None:
                given = self.part_occupancy
            occupancy = abs(self._value(str(given))[0])
            u = [self._value(word)[0] for word in words[6:12]] or [0.05]
        except ValueError as error:
            raise self.fail(f"atom {words[0]} cannot be read: {error}") from error
        if not 1 <= kind <= len(self.elements):
            raise self.fail(f"atom {words[0]} has scatterer {kind}, but SFAC lists {len(self.elements)}.")
        if -5 < u[0] < -0.5:
            u = [abs(u[0]) * self.last_u_eq]
        atom = Atom(
            label=words[0],
            element=self.elements[kind - 1],
            site=site,
            occupancy=occupancy,
            u_iso=u[0],
            part=self.part,
        )
        if len(u) == 6:
            atom.u_aniso = (u[0], u[1], u[2], u[5], u[4], u[3])
            atom.u_iso = (u[0] + u[1] + u[2]) / 3
        if atom.is_hydrogen:
            atom.riding = self.afix > 0
        else:
            self.last_u_eq = atom.u_iso
        self.result.model.atoms.append(atom)

    def _finish(self) -> None:
        model = self.result.model
        labels = [atom.label.upper() for atom in model.atoms]
        repeated = sorted({label for label in labels if labels.count(label) > 1})
        if repeated:
            raise UserInputError(
                f"the atom label {repeated[0]} stands for more than one atom.",
                where=self.file,
                next="Give every atom its own label.",
            )
        if not model.atoms:
            raise UserInputError("the file has no atoms.", where=self.file, next="Solve the structure first.")
        # SHELX counts the occupancy with the site multiplicity (0.5 on a mirror plane); CIF does not.
        for atom, scatterer in zip(model.atoms, model.structure().scatterers(), strict=True):
            atom.occupancy = min(atom.occupancy / scatterer.weight_without_occupancy(), 1.0)
        if model.z and self.unit:
            model.formula = {
                element: count / model.z
                for element, count in zip(self.elements, self.unit, strict=False)
                if count
            }
        if self.restraints - NAMES:
            model.note(f"Restraints that are not applied: {', '.join(sorted(self.restraints - NAMES))}.")
        _set_assemblies(model)
        for code, names in self.hfix:
            self.result.hfix |= dict.fromkeys(_atoms_named(model, names), code)
        if self.result.anisotropic:
            from qcrbox_refine.edits import make_anisotropic

            for atom in model.atoms:
                if not atom.is_hydrogen:
                    make_anisotropic(model, atom)


def _joined(text: str) -> list[tuple[int, str]]:
    """Logical lines with their numbers: `=` continues, `!` comments and lines of blanks go."""
    result: list[tuple[int, str]] = []
    continued = False
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if raw[:3].upper() == "REM":
            result.append((number, raw.rstrip()))
            continued = False
            continue
        line = raw.partition("!")[0].rstrip()
        if continued and line.strip():
            last, begun = result[-1]
            result[-1] = (last, begun + " " + line.strip().rstrip("="))
        elif line and line[0] not in " +":
            result.append((number, line.rstrip("=").rstrip()))
        else:
            continue
        continued = line.endswith("=")
    return result


def _atoms_named(model: Model, words: list[str]) -> list[str]:
    """Labels meant by a list of SHELX: single ones, `$C` for an element, `C1 > C6` for a range in order."""
    labels = [atom.label.upper() for atom in model.atoms if not atom.is_hydrogen]
    found: list[str] = []
    for i, word in enumerate(words):
        if word.startswith("$"):
            found += [a.label.upper() for a in model.atoms if a.element.upper() == word[1:].upper()]
        elif (
            word == ">"
            and 0 < i < len(words) - 1
            and {words[i - 1].upper(), words[i + 1].upper()} <= set(labels)
        ):
            found += labels[labels.index(words[i - 1].upper()) : labels.index(words[i + 1].upper())]
        elif word.upper() in labels:
            found.append(word.upper())
    return found


def restraint_lines(text: str) -> list[str]:
    """The restraints in a SHELX text."""
    lines = (line for _, line in _joined(text))
    return [line for line in lines if re.split(r"[_\s]", line, maxsplit=1)[0].upper()[:4] in NAMES]


def _set_assemblies(model: Model) -> None:
    """PART has no assemblies: groups whose occupancies differ belong to different ones."""
    letters: dict[float, str] = {}
    for atom in model.atoms:
        if atom.part > 0:
            major = round(max(atom.occupancy, 1 - atom.occupancy), 3)
            atom.assembly = letters.setdefault(major, chr(ord("A") + min(len(letters), 25)))
