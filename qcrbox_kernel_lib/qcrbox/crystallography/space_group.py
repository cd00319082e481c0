"""Space groups: operations, names, and the numbering of operations that a file uses.

Which of its statements a file means is decided in `symmetry_statements`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import CifError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.hermann_mauguin import (
    axes_of_cell,
    choose_setting,
    entries_of_number,
    find_by_hm,
    has_setting,
    plain_symbol,
    split_setting,
)
from qcrbox.crystallography.monoclinic_symbols import monoclinic_number, operations_of_symbol
from qcrbox.crystallography.symmetry import (
    OperationTable,
    SymmetryOperation,
    close_group,
    format_code,
    parse_code,
    point_group,
)

_SYSTEM_BY_LAUE = {
    "-1": "triclinic",
    "2/m": "monoclinic",
    "mmm": "orthorhombic",
    "4/m": "tetragonal",
    "4/mmm": "tetragonal",
    "-3": "trigonal",
    "-3m": "trigonal",
    "6/m": "hexagonal",
    "6/mmm": "hexagonal",
    "m-3": "cubic",
    "m-3m": "cubic",
}
_CENTRINGS = {
    "P": [],
    "A": ["0 1/2 1/2"],
    "B": ["1/2 0 1/2"],
    "C": ["1/2 1/2 0"],
    "I": ["1/2 1/2 1/2"],
    "F": ["0 1/2 1/2", "1/2 0 1/2", "1/2 1/2 0"],
    "R": ["2/3 1/3 1/3", "1/3 2/3 2/3"],
    "H": ["2/3 1/3 0", "1/3 2/3 0"],
}


def signature(operations: Sequence[SymmetryOperation]) -> frozenset[SymmetryOperation]:
    """The operations with translations reduced to [0, 1): equal for equal groups."""
    return frozenset(operation.reduced() for operation in operations)


def operations_of(group: gemmi.GroupOps) -> list[SymmetryOperation]:
    """The operations of a gemmi group."""
    return [SymmetryOperation.parse(operation.triplet()) for operation in group]


@dataclass(frozen=True)
class SpaceGroup:
    """Operations of a space group and its names.

    `operations` keep the order and translations of the file, so that `3_655` means what the file means.
    `source` is their origin; `contradictions` list statements of the file that disagree;
    `notes` list what had to be assumed.
    """

    operations: tuple[SymmetryOperation, ...]
    hm: str
    hall: str
    number: int | None
    source: str = "symop"
    contradictions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ids: dict[str, tuple[int, tuple[int, int, int]]] = field(default_factory=dict)

    def __repr__(self) -> str:
        number = f" (No. {self.number})" if self.number else ""
        return f"<space group {self.hm}{number}, Hall {self.hall}, {len(self.operations)} operations>"

    @classmethod
    def from_operations(
        cls, operations: Sequence[SymmetryOperation], ids: Sequence[str] | None = None
    ) -> SpaceGroup:
        """The group made of these operations; missing products are added and noted.

        `ids` are the file's own numbers of the operations (default 1, 2, ...).
        """
        given = list(operations)
        group = close_group(given)
        notes = []
        if len(group) > len(signature(given)):
            notes.append(
                f"The list of {len(signature(given))} symmetry operations is not complete; "
                f"{len(group) - len(signature(given))} products were added."
            )
        if len(given) > len(signature(given)):
            notes.append("A symmetry operation is listed twice.")
        entry = _entry_of(group)
        return cls(
            tuple(group),
            entry.xhm() if entry else "",
            entry.hall if entry else "",
            entry.number if entry else None,
            notes=tuple(notes),
            ids=_ids(given, group, ids),
        )

    @classmethod
    def from_entry(cls, entry: gemmi.SpaceGroup) -> SpaceGroup:
        """The group of an entry of gemmi's table."""
        return _from_table(entry.hall, entry.xhm(), entry.number)

    @classmethod
    def from_hall(cls, symbol: str) -> SpaceGroup:
        """The group of a Hall symbol. Raises CifError when the symbol cannot be read."""
        try:
            group = gemmi.symops_from_hall(" ".join(symbol.replace("_", " ").split()))
        except (RuntimeError, ValueError) as problem:
            raise CifError(f"'{symbol}' is not a Hall symbol.", why=str(problem)) from problem
        made = cls.from_operations(operations_of(group))
        return with_changes(made, hall=made.hall or symbol, source="Hall")

    @classmethod
    def from_hm(cls, symbol: str, cell_angles: Sequence[float] | None = None, code: str = "") -> SpaceGroup:
        """The group of a Hermann-Mauguin symbol in any of its usual spellings.

        `P 21/n`, `P2(1)/n`, `P21/n` and `P 1 21/n 1` are one group. Where neither symbol nor `code` (the coordinate
        system code of International Tables: `2`, `b1`, `ba-c`, `h`) state the setting, hexagonal or rhombohedral
        axes follow from the cell angles, and origin choice 1 is assumed and noted.
        Raises CifError for an unknown symbol.
        """
        entries = find_by_hm(symbol)
        if not entries:
            return _monoclinic(symbol, cell_angles)
        entry, note = choose_setting(entries, cell_angles, code)
        notes = [note]
        setting = split_setting(symbol)[1]
        if not any(has_setting(entry, setting) for entry in entries):
            notes.append(f"'{symbol}' names a setting that is not tabulated; {entry.xhm()} is assumed.")
        if cell_angles is not None:
            entry, note = axes_of_cell(entry, cell_angles)
            notes.append(note)
        return with_changes(cls.from_entry(entry), source="H-M", notes=tuple(text for text in notes if text))

    @classmethod
    def from_number(
        cls, number: int, cell_angles: Sequence[float] | None = None, code: str = ""
    ) -> SpaceGroup:
        """The standard setting of a number of International Tables, or that of `code`. Raises CifError beyond 1..230."""
        entries = entries_of_number(int(number))
        if not entries:
            raise CifError(f"{number} is not a space group number.", next="Numbers run from 1 to 230.")
        entry, note = entries[0], ""
        if code:
            entry, note = choose_setting(entries, cell_angles, code)
        elif cell_angles is not None and not (np.abs(np.subtract(cell_angles, 90)) < 0.01).all():
            # Rhombohedral axes, and another unique axis than b, show in the cell.
            entry, _ = choose_setting(entries, cell_angles)
        if not code or note:
            which = "its standard setting " if entry == entries[0] else "of its settings "
            note = f"Only the number {number} is given; {which}{entry.xhm()} is assumed."
        return with_changes(cls.from_entry(entry), source="number", notes=(note,) if note else ())

    @cached_property
    def table(self) -> OperationTable:
        """Products and inverses of the operations."""
        return OperationTable(self.operations)

    @cached_property
    def multiplication(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index (m, m) and lattice translation (m, m, 3) of operation i after operation j."""
        return self.table.multiplication()

    @cached_property
    def identity(self) -> int:
        """Index of the identity in `operations`."""
        return next(i for i, operation in enumerate(self.operations) if operation.reduced().is_identity)

    @property
    def rotations(self) -> NDArray[np.int64]:
        """(m, 3, 3) integers."""
        return self.table.rotations

    @cached_property
    def translations(self) -> NDArray[np.float64]:
        """(m, 3) in fractions of the cell."""
        return self.table.shifts / self.table.denominator

    @property
    def order(self) -> int:
        """Number of operations, centring included."""
        return len(self.operations)

    @cached_property
    def point_group(self) -> str:
        """Symbol of the point group."""
        return point_group(self.rotations)

    @cached_property
    def laue_group(self) -> str:
        """Symbol of the Laue class."""
        return point_group([*self.rotations, *(-self.rotations)])

    @property
    def crystal_system(self) -> str:
        """Crystal system by the Laue class."""
        return _SYSTEM_BY_LAUE.get(self.laue_group, "unknown")

    @cached_property
    def centrosymmetric(self) -> bool:
        """True when a rotation is −1."""
        return any(np.array_equal(rotation, -np.eye(3)) for rotation in self.rotations)

    @cached_property
    def centring_vectors(self) -> frozenset[tuple[Fraction, Fraction, Fraction]]:
        """Translations of the lattice inside the cell, the identity left out."""
        return frozenset(
            operation.reduced().translation
            for operation in self.operations
            if np.array_equal(operation.r, np.eye(3)) and not operation.reduced().is_identity
        )

    @cached_property
    def centring(self) -> str:
        """Letter of the lattice centring, `?` for one without a letter."""
        found = self.centring_vectors
        for letter, vectors in _CENTRINGS.items():
            wanted = {SymmetryOperation.parse(_as_triplet(vector)).translation for vector in vectors}
            if wanted == found:
                return letter
        return "?"

    def code(self, operation: int, translation: Sequence[int]) -> str:
        """Symmetry code in the numbering of the file, `.` for the identity in place."""
        if operation == self.identity and not any(translation):
            return "."
        for name, (index, shift) in self.ids.items():
            if index == operation:
                moved = [int(n) - s for n, s in zip(translation, shift, strict=True)]
                return format_code(name, moved)
        return format_code(operation + 1, translation)

    def parse_code(self, code: str) -> tuple[int, tuple[int, int, int]]:
        """Index of the operation and translation that a code of the file means. Raises CifError."""
        if code.strip() in ("", ".", "?"):
            return self.identity, (0, 0, 0)
        name, moved = parse_code(code)
        known = self.ids.get(name) or (self.ids.get(name.lstrip("0")) if name.strip("0") else None)
        if known is None:
            raise CifError(
                f"Symmetry code '{code}' names operation {name}, which the file does not have.",
                next=f"Operations are numbered {', '.join(list(self.ids)[:3])} ...",
            )
        index, shift = known
        return index, (moved[0] + shift[0], moved[1] + shift[1], moved[2] + shift[2])

    def readable(self, operation: int, translation: Sequence[int]) -> str:
        """`-x+1, y+1/2, -z+1/2`."""
        return self.operations[operation].shifted(translation).xyz()

    @cached_property
    def signature(self) -> frozenset[SymmetryOperation]:
        """The operations modulo the lattice, for comparing groups."""
        return signature(self.operations)

    def same_operations(self, other: SpaceGroup) -> bool:
        """True when both have the same operations in the same setting."""
        return self.signature == other.signature


def with_changes(group: SpaceGroup, **changes: object) -> SpaceGroup:
    """A group with other names, notes or source."""
    fields = {
        "operations": group.operations,
        "hm": group.hm,
        "hall": group.hall,
        "number": group.number,
        "source": group.source,
        "contradictions": group.contradictions,
        "notes": group.notes,
        "ids": group.ids,
    }
    return SpaceGroup(**{**fields, **changes})  # type: ignore[arg-type]


def _monoclinic(symbol: str, cell_angles: Sequence[float] | None) -> SpaceGroup:
    """A symbol that no table lists. Raises CifError when it is not monoclinic."""
    angles = cell_angles if cell_angles is not None else (90.0, 91.0, 90.0)
    unique = max(range(3), key=lambda axis: abs(angles[axis] - 90))
    generators = operations_of_symbol(plain_symbol(symbol).replace("(", "").replace(")", ""), unique)
    if not generators:
        raise CifError(
            f"'{symbol}' is not a known Hermann-Mauguin symbol.",
            next="Give the list of symmetry operations, or a symbol of International Tables.",
        )
    group = close_group(generators)
    made = SpaceGroup.from_operations(group)
    return with_changes(
        made,
        hm=made.hm or " ".join(symbol.split()),
        number=made.number or monoclinic_number(group),
        source="H-M",
        notes=(f"'{symbol}' is not a tabulated setting; its operations follow from its letters.",),
    )


@lru_cache(maxsize=64)
def _from_table(hall: str, hm: str, number: int) -> SpaceGroup:
    made = SpaceGroup.from_operations(operations_of(gemmi.symops_from_hall(hall)))
    return with_changes(made, hm=hm, hall=hall, number=number)


def _entry_of(operations: Sequence[SymmetryOperation]) -> gemmi.SpaceGroup | None:
    try:
        group = gemmi.GroupOps([gemmi.Op(operation.reduced().xyz(",")) for operation in operations])
    except (RuntimeError, ValueError):  # translations that gemmi's 24ths cannot hold
        return None
    return gemmi.find_spacegroup_by_ops(group)


def _ids(
    given: Sequence[SymmetryOperation], group: Sequence[SymmetryOperation], ids: Sequence[str] | None
) -> dict[str, tuple[int, tuple[int, int, int]]]:
    place = {operation.reduced(): index for index, operation in enumerate(group)}
    found: dict[str, tuple[int, tuple[int, int, int]]] = {}
    for number, operation in enumerate(given):
        index = place[operation.reduced()]
        moved = tuple(
            int(a - b) for a, b in zip(operation.translation, group[index].translation, strict=True)
        )
        name = ids[number] if ids is not None and number < len(ids) else str(number + 1)
        found.setdefault(name.strip(), (index, moved))  # type: ignore[arg-type]
    for index in range(len(group)):
        if all(index != known for known, _ in found.values()):
            found.setdefault(str(index + 1), (index, (0, 0, 0)))
    return found


def _as_triplet(vector: str) -> str:
    return ",".join(f"{axis}+{part}" for axis, part in zip("xyz", vector.split(), strict=True))
