"""Restraints in SHELX words: from the instructions of a model to equations.

The instructions are kept with the model; the restraints are made from the atoms as they are when a refinement begins,
so edits and placed hydrogen atoms do not disturb them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from cctbx import xray
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import Instruction, read_instructions

from qcrbox_refine.atom_names import NO_ATOMS, UnknownAtom
from qcrbox_refine.bump import short_contacts
from qcrbox_refine.model import Model, Placed, sentence
from qcrbox_refine.restraint_equations import (
    Distance,
    Equation,
    Frame,
    Linearised,
    Restraint,
    VariableSum,
)
from qcrbox_refine.restraint_making import RestraintMaker

RESTRAINTS = frozenset(
    {"DFIX", "DANG", "SADI", "SAME", "FLAT", "CHIV", "BUMP", "SUMP", "DELU", "SIMU", "ISOR", "RIGU"}
)


def parse_restraints(text: str | None) -> list[Instruction]:
    """Lines of a user, separated by `;` or line ends. Raises UserInputError for words that are no restraint."""
    found = []
    for line in re.split(r"[;\n]", text or ""):
        if not line.strip():
            continue
        word = line.split()[0].upper().partition("_")[0][:4]
        if word not in RESTRAINTS and word != "EQIV":
            raise UserInputError(
                f"{line.split()[0]} is no restraint known here.",
                where="restraints",
                why=f"Known are: {', '.join(sorted(RESTRAINTS))}.",
                next='For example restraints="DFIX 1.50 0.01 C6 C7B; SIMU 0.01 C7A C7B".',
            )
        if word == "SAME":
            raise UserInputError(
                "SAME needs a place in the list of atoms, which this parameter has not.",
                where="restraints",
                next="Use SADI with pairs of atoms, or put SAME into an .ins file.",
            )
        found += read_instructions(line.strip()).instructions
    return found


def add_restraints(model: Model, instructions: Iterable[Instruction]) -> None:
    """Restraints of a user; their words are checked at once. Raises UserInputError naming the line."""
    known = {placed.instruction.text for placed in model.placed}
    new = [instruction for instruction in instructions if instruction.text not in known]
    for instruction in new:
        if instruction.name == "EQIV" and len(instruction.words) > 1:
            model.settings.equivalents[instruction.words[0].lstrip("$")] = " ".join(instruction.words[1:])
    for instruction in new:
        if instruction.name != "EQIV":
            try:
                RestraintMaker(model).restraints_of(Placed(instruction))
            except (UnknownAtom, ValueError, IndexError) as error:
                raise UserInputError(
                    f"the restraint {instruction.text!r} cannot be understood.",
                    where="restraints",
                    why=f"{_sentence(error)}",
                    next="Check its numbers and atom labels.",
                ) from error
        model.placed.append(Placed(instruction))


class RestraintManager:
    """Gives the linearised equations of all restraints, as smtbx asks its own manager for them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.maker = RestraintMaker(model)
        self.restraints: list[Restraint] = []
        self.bump: float | None = None
        for placed in model.placed:
            self._take(placed)

    @property
    def variables(self) -> set[int]:
        """Numbers of the free variables that restraints use."""
        return {number for restraint in self.restraints for number in _variables_of(restraint)}

    def _take(self, placed: Placed) -> None:
        instruction = placed.instruction
        if instruction.name not in RESTRAINTS:
            return
        if instruction.name == "BUMP":
            self.bump = instruction.number(0, self.model.settings.defaults.sd)
            return
        try:
            made = self.maker.restraints_of(placed)
        except (UnknownAtom, ValueError, IndexError) as error:
            self.model.leave_out(instruction.text, _sentence(error))
            return
        if not made:
            self.model.leave_out(instruction.text, NO_ATOMS)
        known = set(self.restraints)
        self.restraints += [restraint for restraint in made if restraint not in known]

    def equations(self, structure: xray.structure, parameter_map: Any) -> tuple[Frame, list[Equation]]:
        """All equations for the structure as it is."""
        frame = Frame(structure, parameter_map, self.model.free_variables)
        return frame, [
            equation for restraint in self.active(structure) for equation in restraint.equations(frame)
        ]

    def active(self, structure: xray.structure) -> list[Restraint]:
        """All restraints with the contacts that BUMP finds in the structure as it is."""
        restraints = list(self.restraints)
        if self.bump:
            restraints += short_contacts(self.model, structure, self.maker.bonds, self.bump)
        return restraints

    def build_linearised_eqns(self, structure: xray.structure, parameter_map: Any) -> Linearised:
        """Rows for the parameters of the atoms, then for the free variables from number 2 on."""
        frame, equations = self.equations(structure, parameter_map)
        return frame.linearised(equations)


def restraints_manager(model: Model) -> RestraintManager | None:
    """The manager for the restraints of the model; None without any. What cannot be applied is named in the model."""
    manager = RestraintManager(model)
    return manager if manager.restraints or manager.bump else None


def _sentence(error: Exception) -> str:
    return sentence(str(error)) or "Its numbers or atoms are missing."


def _variables_of(restraint: Restraint) -> list[int]:
    if isinstance(restraint, Distance) and restraint.variable:
        return [restraint.variable]
    if isinstance(restraint, VariableSum):
        return [number for _, number in restraint.terms]
    return []
