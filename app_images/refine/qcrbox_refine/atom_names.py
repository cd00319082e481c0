"""Atoms named in instructions: labels, elements `$C`, ranges `C1 > C6`, residues `_2 _CCF3 _* _+ _-`, symmetry `_$1`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cctbx import sgtbx
from qcrbox.crystallography.shelx import Instruction

from qcrbox_refine.model import Atom, Model

_WORD = re.compile(r"(?P<name>[^_]+)(?:_(?P<residue>[^_$]*))?(?:_?\$(?P<symmetry>\d+))?\Z")
IDENTITY = sgtbx.rt_mx()
Made = TypeVar("Made")
# Why an instruction that means no atom of the model is left out.
NO_ATOMS = "It applies to none of the atoms."


class UnknownAtom(ValueError):
    """An instruction names an atom that is not there."""


@dataclass(frozen=True)
class AtomRef:
    """index: in the list of atoms; symmetry: what is applied to it."""

    index: int
    symmetry: sgtbx.rt_mx = IDENTITY

    @property
    def key(self) -> tuple[int, str]:
        """Atom index and symmetry operation: equal for references to the same image of an atom."""
        return self.index, self.symmetry.as_xyz()


class AtomNames:
    """Looks up the atoms of one model. Names without a residue mean residue 0, or the residue of the instruction."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.by_name: dict[tuple[str, int], int] = {}
        for i, atom in enumerate(model.atoms):
            self.by_name.setdefault((atom.name.upper(), atom.residue), i)
            # CIF labels with an underscore of their own, and residue atoms by their whole label.
            self.by_name.setdefault((atom.label.upper(), 0), i)
        self.residues = sorted({atom.residue for atom in model.atoms})
        self.classes: dict[str, list[int]] = {}
        for atom in model.atoms:
            numbers = self.classes.setdefault(atom.residue_class.upper(), [])
            if atom.residue not in numbers:
                numbers.append(atom.residue)

    def residues_of(self, suffix: str, here: int = 0) -> list[int]:
        """Residue numbers meant by what follows `_`. Raises UnknownAtom for a residue that is not there."""
        if suffix == "":
            return [here]
        if suffix == "*":
            return self.residues
        if suffix in ("+", "-"):
            return [here + (1 if suffix == "+" else -1)]
        if re.fullmatch(r"\d+", suffix):
            return [int(suffix)]
        if suffix.upper() in self.classes:
            return self.classes[suffix.upper()]
        raise UnknownAtom(f"there is no residue {suffix}")

    def copies(self, instruction: Instruction) -> list[int]:
        """The residues for which an instruction is carried out."""
        return self.residues_of(instruction.residue)

    def of_copies(self, instruction: Instruction, make: Callable[[int], Sequence[Made]]) -> list[Made]:
        """What `make` gives for each residue of an instruction; residues that lack its atoms give nothing.

        `_*` means those that have them; of a class (`DFIX_CF3`) the residues that lack atoms are named in the model.
        Raises UnknownAtom where no residue gives anything because of unknown atoms.
        """
        made: list[Made] = []
        problems: dict[int, UnknownAtom] = {}
        for here in self.copies(instruction):
            try:
                made += make(here)
            except UnknownAtom as error:
                problems[here] = error
        if problems and not made:
            raise list(problems.values())[-1]
        for here, error in problems.items() if instruction.residue != "*" else ():
            self.model.leave_out(f"{instruction.text} in residue {here}", str(error))
        return made

    def word(self, word: str, here: int) -> list[AtomRef]:
        """Atoms of one word, in the order of their residues. Raises UnknownAtom."""
        exact = self.by_name.get((word.upper(), 0))
        if exact is not None and "_" in word:
            return [AtomRef(exact)]
        match = _WORD.fullmatch(word)
        if word.startswith("$"):
            match = _WORD.fullmatch(word[1:])
        if match is None:
            raise UnknownAtom(f"{word!r} is no name of an atom")
        symmetry = self._symmetry(match["symmetry"])
        numbers = self.residues_of(match["residue"] or "", here)
        if word.startswith("$"):
            wanted = match["name"].capitalize()
            return [
                AtomRef(i, symmetry)
                for i, atom in enumerate(self.model.atoms)
                if atom.residue in numbers and atom.symbol == wanted
            ]
        found = [self.by_name.get((match["name"].upper(), number)) for number in numbers]
        there = [AtomRef(i, symmetry) for i in found if i is not None]
        if not there:
            where = f" in residue {numbers[0]}" if numbers != [0] and len(numbers) == 1 else ""
            raise UnknownAtom(f"there is no atom {match['name']}{where}")
        return there

    def _symmetry(self, number: str | None) -> sgtbx.rt_mx:
        if number is None:
            return IDENTITY
        triplet = self.model.settings.equivalents.get(number)
        if triplet is None:
            raise UnknownAtom(f"there is no EQIV ${number}")
        try:
            operation = sgtbx.rt_mx(triplet.replace(" ", "").lower())
        except (RuntimeError, ValueError) as error:
            raise UnknownAtom(f"EQIV ${number} is no symmetry operation: {triplet}") from error
        group = self.model.symmetry.space_group()
        if not group.contains(operation):
            info = sgtbx.space_group_info(group=group)
            raise UnknownAtom(f"EQIV ${number} is no operation of {info}: {triplet}")
        return operation

    def each_word(self, words: Sequence[str], here: int) -> Iterator[list[AtomRef]]:
        """Atoms word by word; a range counts as one word for each of its atoms.

        `C1 > C6` and `C6 < C1` hold all atoms between them in the list, ends included, hydrogen left out.
        """
        i = 0
        while i < len(words):
            if i + 2 < len(words) and words[i + 1] in ("<", ">"):
                seen: set[tuple[int, str]] = set()
                while i + 2 < len(words) and words[i + 1] in ("<", ">"):
                    for ref in self._range(words[i], words[i + 1], words[i + 2], here):
                        # `A > B > C` has B once.
                        if ref.key not in seen:
                            yield [ref]
                        seen.add(ref.key)
                    i += 2
            else:
                yield self.word(words[i], here)
            i += 1

    def _range(self, first: str, sign: str, last: str, here: int) -> list[AtomRef]:
        """The atoms from one to the other; in each residue where both words mean several (`C1_CCF3 > C6_CCF3`)."""
        begins, ends = self._ends(first, here), self._ends(last, here)
        if len(begins) > 1 or len(ends) > 1:
            own = [{self.model.atoms[ref.index].residue: ref for ref in refs} for refs in (begins, ends)]
            if own[0].keys() != own[1].keys():
                raise UnknownAtom(f"{first} {sign} {last} begins and ends in different residues")
            pairs = [(own[0][number], own[1][number]) for number in own[0]]
        else:
            pairs = [(begins[0], ends[0])]
        return [ref for begin, end in pairs for ref in self._between(begin, end, f"{first} {sign} {last}")]

    def _between(self, begin: AtomRef, end: AtomRef, words: str) -> list[AtomRef]:
        backwards = " < " in words
        low, high = (end, begin) if backwards else (begin, end)
        if low.index > high.index:
            raise UnknownAtom(f"{words} runs against the order of the atoms")
        if low.key[1] != high.key[1]:
            raise UnknownAtom(f"{words} has different symmetry operations at its ends")
        inside = [
            AtomRef(i, begin.symmetry)
            for i in range(low.index, high.index + 1)
            if i in (low.index, high.index) or not self.model.atoms[i].is_hydrogen
        ]
        return inside[::-1] if backwards else inside

    def _ends(self, word: str, here: int) -> list[AtomRef]:
        if word.upper() in ("FIRST", "LAST"):
            return [AtomRef(0 if word.upper() == "FIRST" else len(self.model.atoms) - 1)]
        return self.word(word, here)

    def flat(self, words: Sequence[str], here: int) -> list[AtomRef]:
        """All atoms of a list, each once for every time it is named."""
        return [ref for refs in self.each_word(words, here) for ref in refs]

    def pairs(self, words: Sequence[str], here: int) -> list[tuple[AtomRef, AtomRef]]:
        """Atoms two by two. A word that means several atoms (`O1_*`) makes a pair with each; two such words pair the
        atoms of one residue.

        Raises UnknownAtom also for an odd number of words.
        """
        lists = list(self.each_word(words, here))
        if len(lists) % 2:
            raise UnknownAtom("the atoms are not pairs")
        made: list[tuple[AtomRef, AtomRef]] = []
        for first, second in zip(lists[::2], lists[1::2], strict=True):
            several = len(first) > 1 and len(second) > 1
            made += [
                (a, b)
                for a in first
                for b in second
                if not several or self.model.atoms[a.index].residue == self.model.atoms[b.index].residue
            ]
        return made

    def own_atoms(self, instruction: Instruction, here: int) -> list[int]:
        """Atoms of an instruction that ties parameters, such as EADP or SIMU: one residue, by index.

        Raises UnknownAtom also for symmetry equivalents: their parameters are those of the atom, turned.
        """
        refs = self.flat(instruction.names, here)
        moved = next((ref for ref in refs if not ref.symmetry.is_unit_mx()), None)
        if moved is not None:
            label = self.model.atoms[moved.index].label
            raise UnknownAtom(f"symmetry equivalents ({label}) have no parameters of their own")
        return [ref.index for ref in refs]

    def atoms(self, instruction: Instruction) -> list[list[Atom]]:
        """Atoms of an instruction such as EADP, for each residue it is carried out for. Raises UnknownAtom."""
        return self.of_copies(
            instruction, lambda here: [[self.model.atoms[i] for i in self.own_atoms(instruction, here)]]
        )
