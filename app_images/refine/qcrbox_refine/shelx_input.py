"""A structural model from a SHELX text: an .ins or .res file, or the instructions in a CIF."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from cctbx import adptbx, crystal, sgtbx, uctbx
from qcrbox.contract.errors import CifError, UserInputError
from qcrbox.crystallography.shelx import Instruction, ShelxAtom, ShelxText, read_instructions
from qcrbox.crystallography.shelx.scattering_card import ScatteringNumbers

from qcrbox_refine.edits import make_anisotropic
from qcrbox_refine.elements import element_symbol, scattering_type
from qcrbox_refine.fragments import fit_groups, read_fragments
from qcrbox_refine.instruction_keywords import misspelt, of_instruction
from qcrbox_refine.instruction_table import INSTRUCTION_TABLE, Treatment
from qcrbox_refine.model import AfixGroup, Atom, Model, Placed
from qcrbox_refine.named_atoms import tie_named_atoms
from qcrbox_refine.parameters import FIXED, FREE, Coding, read_parameter
from qcrbox_refine.riding import needed
from qcrbox_refine.shelx_occupancies import set_assemblies, set_site_occupancies
from qcrbox_refine.shelx_settings import ShelxSettings

_LATTICES = {1: "P", 2: "I", 3: "R", 4: "F", 5: "A", 6: "B", 7: "C"}
# d of SPEC, Å: the atoms that follow lie on a special position where they are nearer to it.
_SPECIAL_WITHIN = 0.2
# Instructions whose effect is in the model, or that a new .res file gets from the refinement itself.
_CONSUMED_TEXT = """
TITL CELL ZERR LATT SYMM SFAC UNIT TEMP FVAR WGHT L.S. CGLS PART AFIX RESI MOVE ANIS HFIX HKLF END
EADP EXYZ FRAG FEND
"""
_CONSUMED = frozenset(_CONSUMED_TEXT.split())


class UnsupportedInstruction(UserInputError):
    """An instruction without which the model would be another one, and which cannot be applied."""


def read_shelx(path: str | Path) -> Model:
    """The model of a file; files it names by `+name` are read from its folder.

    Raises UserInputError with file and line for what cannot be read or is not supported.
    """
    path = Path(path)

    def included(name: str) -> str | None:
        beside = path.parent / Path(name).name
        return beside.read_bytes().decode("utf-8", "replace") if beside.is_file() else None

    return parse_shelx(path.read_bytes().decode("utf-8", "replace"), path.name, included)


def parse_shelx(
    text: str, file: str = "SHELX text", read_include: Callable[[str], str | None] | None = None
) -> Model:
    """The model of a text. Raises as `read_shelx` does."""
    try:
        found = read_instructions(text, read_include)
    except CifError as error:
        raise UserInputError(
            error.what, where=f"{file} {error.where}".strip(), next=error.next, line=error.line
        ) from error
    return _Reader(found, file).read()


class _Reader:
    def __init__(self, found: ShelxText, file: str) -> None:
        self.found, self.file = found, file
        self.line = 0
        self.elements: list[str] = []
        self.numbers: list[ScatteringNumbers | None] = []
        self.used: set[int] = set()
        self.full_sites: set[int] = set()
        self.rigid: AfixGroup | None = None
        self.groups: dict[int, AfixGroup] = {}
        self.last_normal: Atom | None = None
        self.last_not_riding: Atom | None = None
        self.anisotropic: int | None = 0
        self.anisotropic_hydrogen = False
        self.peaks: list[str] = []
        self.special_within = _SPECIAL_WITHIN

    def fail(
        self, what: str, next_step: str = "Correct the line.", line: int | None = None
    ) -> UserInputError:
        line = self.line if line is None else line
        return UserInputError(what, where=f"{self.file} line {line}", next=next_step, line=line)

    def unsupported(self, what: str, why: str) -> UnsupportedInstruction:
        return UnsupportedInstruction(
            what,
            where=f"{self.file} line {self.line}",
            why=why,
            next="Refine with SHELXL or Olex2, or delete the line.",
            line=self.line,
        )

    def read(self) -> Model:
        for name in ("CELL", "SFAC"):
            if not self.found.named(name):
                raise UserInputError(
                    f"the file has no {name} line.",
                    where=self.file,
                    next="Give a SHELXL .ins or .res file.",
                )
        self.model = model = Model(self._symmetry(), [])
        model.from_shelx = True
        model.title = Path(self.file).stem
        model.settings = ShelxSettings.of(self.found.instructions, self.found.ending, self.file)
        model.free_variables = self.found.free_variables[1:]
        for entry in self.found.entries:
            self.line = entry.line
            if isinstance(entry, ShelxAtom):
                self._atom(entry)
            else:
                self._instruction(entry)
        self._finish()
        return model

    def _symmetry(self) -> crystal.symmetry:
        cell = self.found.named("CELL")[-1]
        self.line = cell.line
        if len(cell.numbers) != 7:
            raise self.fail(
                f"CELL has a wavelength and six cell parameters, and this one has {len(cell.numbers)} numbers."
            )
        try:
            unit_cell = uctbx.unit_cell(cell.numbers[1:7])
        except (ValueError, RuntimeError) as error:
            raise self.fail(f"the unit cell is impossible: {error}") from error
        lattice = self.found.last("LATT")
        number = round(lattice.number(0, 1)) if lattice else 1
        group = sgtbx.space_group()
        try:
            for card in self.found.named("SYMM"):
                self.line = card.line
                group.expand_smx(sgtbx.rt_mx("".join(card.words).lower()))
            if number > 0:
                group.expand_inv(sgtbx.tr_vec((0, 0, 0)))
            group.expand_conventional_centring_type(_LATTICES[abs(number)])
            return crystal.symmetry(unit_cell=unit_cell, space_group=group)
        except (RuntimeError, ValueError, KeyError, AssertionError) as error:
            # For operations that make no group the message of cctbx is only a line of its source code.
            why = "the operations make no group" if "Internal Error" in str(error) else str(error)
            raise self.fail(f"cell and symmetry do not fit: {why}", "Check CELL, LATT and SYMM.") from error

    # Instructions

    def _instruction(self, instruction: Instruction) -> None:
        model, name = self.model, instruction.name
        if name in ("", "+"):
            return
        handling = INSTRUCTION_TABLE[name]
        if handling.treatment is Treatment.REFUSED:
            raise self.unsupported(f"{name} is not supported.", handling.why)
        if handling.treatment is Treatment.NAMED:
            model.leave_out(instruction.text, handling.why)
        wrong = misspelt(instruction)
        if wrong:
            model.leave_out(instruction.text, wrong)
        for keyword in of_instruction(instruction):
            if keyword.treatment is Treatment.REFUSED:
                raise self.unsupported(f"{name} with {keyword.name} is not supported.", keyword.how)
            model.leave_out(instruction.text, keyword.how)
        if name not in _CONSUMED:
            model.placed.append(Placed(instruction, None, in_header=not model.atoms))
        if name == "TITL" and instruction.words:
            model.title = re.sub(r"\W+", "_", instruction.words[0])
        elif name == "CELL":
            # 0 is what a text without a wavelength has, see ModelWriter.head.
            model.wavelength = instruction.numbers[0] or None
        elif name == "ZERR":
            model.z = instruction.number(0, 1.0)
            model.cell_su = tuple((*instruction.numbers[1:7], *(0.0,) * 6)[:6])
        elif name == "SFAC":
            self._elements(instruction)
        elif name == "TEMP":
            model.temperature_k = model.settings.temperature_k
        elif name == "SPEC":
            self.special_within = instruction.number(0, _SPECIAL_WITHIN)
        elif name == "ANIS" and not instruction.names:
            self.anisotropic = round(instruction.numbers[0]) if instruction.numbers else None
            self.anisotropic_hydrogen = bool(instruction.numbers) and instruction.numbers[0] < 0

    def _elements(self, instruction: Instruction) -> None:
        names = instruction.words
        if len(names) > 1 and re.match(r"[-+.\d]", names[1]):
            names = names[:1]
        try:
            self.elements += [scattering_type(name.lstrip("$"), name) for name in names]
        except UserInputError as error:
            raise self.fail(f"SFAC names {error.what}", "Name elements in SFAC.") from error
        numbers = ShelxSettings.of([instruction], [], self.file).scattering
        self.numbers += [next(iter(numbers.values()), None)] * len(names)

    def _scattering(self) -> None:
        """Scattering factors in numbers, by element or ion. One name may stand for one scattering factor only."""
        stated: dict[str, ScatteringNumbers | None] = {}
        places = range(len(self.elements))
        for place in sorted(places, key=lambda place: place not in self.used):
            kind, numbers = self.elements[place], self.numbers[place]
            if stated.setdefault(kind, numbers) != numbers and place in self.used:
                raise self.unsupported(
                    f"SFAC has two scattering factors named {kind}, and atoms of both.",
                    "Atoms of one element have one scattering factor here; ions have their own (Ca2+, O2-, Cl1-).",
                )
        self.model.settings.scattering = {
            kind: numbers for kind, numbers in stated.items() if numbers is not None
        }

    # Atoms

    def _atom(self, given: ShelxAtom) -> None:
        model, around = self.model, given.around
        if given.is_peak:
            self.peaks.append(given.label)
            return
        if not 1 <= given.scattering_type <= len(self.elements):
            raise self.fail(
                f"atom {given.label} has scatterer {given.scattering_type}, but SFAC lists {len(self.elements)}."
            )
        self.used.add(given.scattering_type - 1)
        label = f"{given.label}_{around.residue}" if around.residue else given.label
        atom = Atom(label, self.elements[given.scattering_type - 1], (0.0, 0.0, 0.0))
        atom.part, atom.residue, atom.residue_class = around.part, around.residue, around.residue_class
        atom.special_within = self.special_within
        try:
            self._site(atom, given)
            written = given.occupancy_in_force
            if written is None:
                # A full site, whatever its symmetry.
                self.full_sites.add(id(atom))
                atom.occupancy, atom.occupancy_coding = 1.0, FIXED
            else:
                atom.occupancy, atom.occupancy_coding = read_parameter(written, model.variables)
            self._displacement(atom, given)
        except UserInputError as error:
            raise self.fail(f"atom {label} cannot be read: {error.what}", error.next or "") from error
        self._join_group(atom, given)
        model.atoms.append(atom)
        for placed in model.placed:
            if placed.before is None and not placed.in_header:
                placed.before = atom
        self._make_anisotropic(atom)
        if atom.u_factor is None:
            self.last_normal = atom
        if atom.group is None or not atom.group.rides:
            self.last_not_riding = atom

    def _site(self, atom: Atom, given: ShelxAtom) -> None:
        read = [read_parameter(x, self.model.variables) for x in given.position]
        *shift, sign = given.around.move
        site, codings = [], []
        for (value, coding), move in zip(read, shift, strict=True):
            moved = bool(move) or sign != 1
            site.append(move + sign * value if moved else value)
            if moved and coding.is_tied:
                coding = Coding(coding.variable, move + sign * coding.offset, sign * coding.factor)
            codings.append(coding)
        atom.site, atom.site_coding = (site[0], site[1], site[2]), (codings[0], codings[1], codings[2])

    def _displacement(self, atom: Atom, given: ShelxAtom) -> None:
        u = given.u_in_force
        if len(u) == 6:
            values = [read_parameter(u[i], self.model.variables) for i in (0, 1, 2, 5, 4, 3)]
            atom.u_aniso = tuple(value for value, _ in values)
            atom.u_coding = tuple(coding for _, coding in values)
            cell = self.model.symmetry.unit_cell()
            atom.u_iso = adptbx.u_star_as_u_iso(cell, adptbx.u_cif_as_u_star(cell, atom.u_aniso))
            return
        written = u[0]
        if -5 < written < -0.5:
            if self.last_normal is None:
                raise UserInputError(
                    f"its U of {written:g} stands for a multiple of U(eq) of the atom before it, and there is none.",
                    next="Give it a U of its own, or put its pivot before it.",
                )
            atom.u_factor, atom.u_pivot = -written, self.last_normal
            atom.u_iso = -written * self.last_normal.u_iso
            return
        atom.u_iso, coding = read_parameter(written, self.model.variables)
        atom.u_coding = (coding, *(FREE,) * 5)

    def _join_group(self, atom: Atom, given: ShelxAtom) -> None:
        around = given.around
        if not around.afix:
            return
        if around.afix_line not in self.groups:
            m, n = divmod(abs(around.afix), 10)
            group = AfixGroup(m, n, around.afix_distance)
            if needed(m) is not None or group.rides:
                group.pivot = self.last_not_riding
            if n == 5:
                group.first = self.rigid
            elif group.rigid is group:
                self.rigid = group
            self.groups[around.afix_line] = group
            if group.rides and group.pivot is None:
                raise self.fail(
                    f"{atom.label} rides on the atom before it, and there is none.",
                    "Put AFIX after its pivot.",
                )
            if n == 5 and self.rigid is None:
                raise self.fail(
                    f"AFIX {around.afix} carries on a rigid group, and none is begun.",
                    "Begin it with n = 6 or 9.",
                )
        atom.group = self.groups[around.afix_line]
        atom.riding = atom.group.rides

    def _make_anisotropic(self, atom: Atom) -> None:
        """ANIS without names: the next n isotropic atoms, or all of them, hydrogen only for negative n."""
        if self.anisotropic == 0 or atom.u_aniso is not None or atom.u_factor is not None:
            return
        if atom.is_hydrogen and not self.anisotropic_hydrogen:
            return
        make_anisotropic(self.model, atom)
        if self.anisotropic is not None:
            self.anisotropic -= 1 if self.anisotropic > 0 else -1

    # The whole

    def _finish(self) -> None:
        model = self.model
        labels = [atom.label.upper() for atom in model.atoms]
        repeated = sorted({label for label in labels if labels.count(label) > 1})
        if repeated:
            raise UserInputError(
                f"the atom label {repeated[0]} stands for more than one atom.",
                where=self.file,
                next="Give every atom its own label, or put them into different residues (RESI).",
            )
        if not model.atoms:
            raise UserInputError("the file has no atoms.", where=self.file, next="Solve the structure first.")
        if self.peaks:
            model.note(
                f"Difference peaks of the file are not atoms and are left out: {', '.join(self.peaks)}."
            )
        model.elements = list(dict.fromkeys(self.elements))
        self._scattering()
        fit_groups(model, read_fragments(self.found.instructions, self.file))
        # EXYZ may move an atom to a special position; its occupancy then contains the share of that position.
        tie_named_atoms(model, self.found.instructions)
        set_site_occupancies(model, self.full_sites)
        self._contents()
        model.weights = model.settings.weights
        model.extinction = model.settings.extinction
        set_assemblies(model)
        for missing in self.found.missing_files:
            model.leave_out(missing.text, "The file is not there.")
        for instruction in self.found.named("DISP"):
            element = instruction.words[0].lstrip("$").capitalize() if instruction.words else ""
            if element not in {*model.elements, *map(element_symbol, model.elements)}:
                model.leave_out(instruction.text, "SFAC does not list this element.")

    def _contents(self) -> None:
        """The formula from UNIT, the contents of the cell, and Z."""
        model, unit = self.model, self.found.last("UNIT")
        if unit and unit.numbers and len(unit.numbers) != len(self.elements):
            model.leave_out(
                unit.text,
                f"It has {len(unit.numbers)} numbers for {len(self.elements)} kinds of atoms of SFAC.",
            )
        elif model.z and unit:
            counts: Counter[str] = Counter()
            for kind, count in zip(self.elements, unit.numbers, strict=False):
                counts[element_symbol(kind)] += count / model.z
            model.formula = {element: count for element, count in counts.items() if count}
