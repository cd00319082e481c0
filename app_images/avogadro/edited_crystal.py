"""From the molecules Avogadro saved back to the crystal they came from.

Atoms of the asymmetric unit take the places they were given; images of them are not stored, so that the symmetry of
the crystal holds; new atoms get new labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import numpy as np
from known_again import SavedAtom
from numpy.typing import NDArray
from qcrbox.cif import Block
from qcrbox.cif.loop import Loop
from qcrbox.crystallography.structure import Structure

Array = NDArray[np.float64]
STAYS_A = 0.001  # Å: an atom that was moved less was not moved
SAME_PLACE_A = 0.1  # Å: images of one atom
AT = "@"  # stands in labels of symmetry images: C1@3_565
_PLACE = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
# Known only of an atom that is where it was.
_OF_ITS_PLACE = ("_atom_site_U_iso_or_equiv", "_atom_site_B_iso_or_equiv", "_atom_site_adp_type")


@dataclass
class Changes:
    """What became of the atoms, by label."""

    moved: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    against_symmetry: int = 0

    def words(self) -> list[str]:
        told = [
            f"{len(labels)} {word}: {', '.join(labels[:20])}{' …' if len(labels) > 20 else ''}"
            for word, labels in (("moved", self.moved), ("deleted", self.deleted), ("added", self.added))
            if labels
        ]
        if self.against_symmetry:
            told.append(
                f"{self.against_symmetry} symmetry images are not where the symmetry of the crystal puts them; "
                "they are left out, the atoms of the asymmetric unit count"
            )
        return told


def write_into(block: Block, structure: Structure, saved: list[SavedAtom], shown: set[str]) -> Changes:
    """Change the atoms of `block`, of which `shown` (labels) had been given to Avogadro; the others stay."""
    loop = block.loop("_atom_site_label")
    if loop is None:
        raise AssertionError("a structure that was opened has atoms")
    changes = Changes()
    own = {atom.label: atom for atom in saved if atom.label in shown}
    kept = []
    before = dict(zip(structure.sites.label, structure.cell.to_cartesian(structure.sites.fract), strict=True))
    for row, label in enumerate(loop.texts("_atom_site_label")):
        if label in shown and label not in own:
            changes.deleted.append(label)
            continue
        kept.append(row)
        if label in own:
            _place(loop, row, own[label], structure, before[label], changes)
    loop.keep_rows(kept)
    _add(loop, structure, [atom for atom in saved if atom.label not in shown], list(own.values()), changes)
    _forget_tensors(block, {*changes.moved, *changes.deleted})
    return changes


def _place(
    loop: Loop, row: int, atom: SavedAtom, structure: Structure, before: Array, changes: Changes
) -> None:
    if float(np.linalg.norm(np.asarray(atom.place) - before)) > STAYS_A:
        changes.moved.append(atom.label)
        for tag, value in zip(_PLACE, structure.cell.to_fractional(atom.place), strict=True):
            loop.set_cell(row, tag, f"{value:.6f}")
        for tag in _OF_ITS_PLACE:
            if tag in loop:
                loop.set_cell(row, tag, "?")
    symbol = "_atom_site_type_symbol"
    if symbol in loop and _element(loop.texts(symbol)[row]) != atom.element:
        loop.set_cell(row, symbol, atom.element)


def _add(
    loop: Loop, structure: Structure, others: list[SavedAtom], own: list[SavedAtom], changes: Changes
) -> None:
    """New atoms, one of each set of symmetry images; images of known atoms only have to be in their place."""
    crystal = _Crystal(structure)
    for atom in own:
        crystal.add(atom)
    taken = set(loop.texts("_atom_site_label"))
    for atom in others:
        if crystal.has(atom):
            continue
        if AT in atom.label:
            changes.against_symmetry += 1
            continue
        label = next(name for n in count(1) if (name := f"{atom.element}{n}") not in taken)
        taken.add(label)
        crystal.add(atom)
        changes.added.append(label)
        x, y, z = (f"{value:.6f}" for value in structure.cell.to_fractional(atom.place))
        row = {"_atom_site_label": label, "_atom_site_type_symbol": atom.element}
        row |= dict(zip(_PLACE, (x, y, z), strict=True)) | {"_atom_site_occupancy": "1"}
        loop.add_row({tag: value for tag, value in row.items() if tag in loop})


class _Crystal:
    """Atoms with all their symmetry images."""

    def __init__(self, structure: Structure) -> None:
        self._cell = structure.cell
        operations = structure.space_group.operations
        self._rotations = np.array([operation.r for operation in operations], float)
        self._shifts = np.array([operation.t for operation in operations], float)
        self._images: dict[str, list[Array]] = {}

    def add(self, atom: SavedAtom) -> None:
        fract = self._cell.to_fractional(atom.place)
        self._images.setdefault(atom.element, []).append(self._rotations @ fract + self._shifts)

    def has(self, atom: SavedAtom) -> bool:
        """Whether an atom of this element, or an image of one, is at this place."""
        images = self._images.get(atom.element)
        if not images:
            return False
        apart = self._cell.nearest(np.concatenate(images) - self._cell.to_fractional(atom.place))
        return bool((np.linalg.norm(self._cell.to_cartesian(apart), axis=1) < SAME_PLACE_A).any())


def _forget_tensors(block: Block, labels: set[str]) -> None:
    loop = block.loop("_atom_site_aniso_label")
    if loop is None:
        return
    kept = [row for row, label in enumerate(loop.texts("_atom_site_aniso_label")) if label not in labels]
    if kept:
        loop.keep_rows(kept)
    else:
        block.remove_entry(loop)


def _element(symbol: str) -> str:
    """`O1-` is an O."""
    return "".join(sign for sign in symbol if sign.isalpha()).capitalize()
