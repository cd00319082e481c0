"""Atoms named in instructions: labels, elements `$C`, ranges `C1 > C6`, residues `_2 _CCF3 _* _+ _-`, symmetry `_$1`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cctbx import sgtbx
from qcrbox.crystallography.shelx import Instruction

from qcrbox_refine.model import Atom, Model

_WORD = re.compile(r"(?P<name>[^_]+)(?:_(?P<residue>[^_$]*))?(?:_?\$(?P<symmetry>\d+))?\Z")
IDENTITY = sgtbx.rt_mx()


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
            return sgtbx.rt_mx(triplet.replace(" ", "").lower())
        except (RuntimeError, ValueError) as error:
            raise UnknownAtom(f"EQIV ${number} is no symmetry operation: {triplet}") from error

    def each_word(self, words: Sequence[str], here: int) -> Iterator[list[AtomRef]]:
        """Atoms word by word; a range counts as one word for each of its atoms.

        `C1 > C6` and `C6 < C1` hold all atoms between them in the list, ends included, hydrogen left out.
        """
        i = 0
        while i < len(words):
            if i + 2 < len(words) and words[i + 1] in ("<", ">"):
                for ref in self._range(words[i], words[i + 1], words[i + 2], here):
                    yield [ref]
                i += 3
                while i + 1 < len(words) and words[i] in ("<", ">"):
                    for ref in self._range(words[i - 1], words[i], words[i + 1], here)[1:]:
                        yield [ref]
                    i += 2
            else:
                yield self.word(words[i], here)
                i += 1

    def _range(self, first: str, sign: str, last: str, here: int) -> list[AtomRef]:
        begin, end = self._end(first, here), self._end(last, here)
        low, high = (begin, end) if sign == ">" else (end, begin)
        if low.index > high.index:
            raise UnknownAtom(f"{first} {sign} {last} runs against the order of the atoms")
        inside = [
            AtomRef(i, begin.symmetry)
            for i in range(low.index, high.index + 1)
            if i in (low.index, high.index) or not self.model.atoms[i].is_hydrogen
        ]
        return inside if sign == ">" else inside[::-1]

    def _end(self, word: str, here: int) -> AtomRef:
        if word.upper() == "LAST":
            return AtomRef(len(self.model.atoms) - 1)
        if word.upper() == "FIRST":
            return AtomRef(0)
        return self.word(word, here)[0]

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

    def atoms(self, instruction: Instruction) -> list[list[Atom]]:
        """Atoms of an instruction such as EADP, for each residue it is carried out for. Raises UnknownAtom."""
        return [
            [self.model.atoms[ref.index] for ref in self.flat(instruction.names, here)]
            for here in self.copies(instruction)
        ]
