"""Statements of a file about its space group, checked against each other and against the cell.

A file may name the group several times. Order of trust: list of operations, Hall symbol, H-M symbol with its setting,
number. A statement loses its place when it is misprinted: operations that the cell does not allow while another
statement does, and lists that are no group while the symbols agree on one. Whatever disagrees with what is taken is
reported, never hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qcrbox.contract.errors import CifError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.hermann_mauguin import find_by_hm
from qcrbox.crystallography.space_group import SpaceGroup, signature, with_changes
from qcrbox.crystallography.symmetry import SymmetryOperation

# Relative change of a length, or of an angle in radians, that an operation may make to a cell: 0.3 degrees. Cells that
# were not constrained to their system deviate less.
ALLOWED_MISFIT = 0.005
# Another statement must fit this much better before it is taken instead.
BETTER = 1 / 3


Listed = tuple[str, SymmetryOperation | None]
"""Number of an operation in the file, and the operation; None for one that cannot be read."""


@dataclass(frozen=True)
class Statement:
    """One statement as the group it means. kind: operations, Hall, H-M or number; text: as written.

    `listed`: of operations, those of the file in its order.
    """

    kind: str
    text: str
    group: SpaceGroup
    listed: tuple[Listed, ...] = ()

    @property
    def label(self) -> str:
        """The statement as it is named in messages."""
        return {
            "operations": f"the symmetry operations{f' of {self.text}' if self.text else ''}",
            "Hall": f"the Hall symbol '{self.text}'",
            "H-M": f"the H-M symbol '{self.text}'",
            "number": f"the number {self.text}",
        }[self.kind]

    @property
    def is_list(self) -> bool:
        """True for a list of operations."""
        return self.kind == "operations"

    @property
    def readable(self) -> frozenset[SymmetryOperation]:
        """The operations that can be read, reduced."""
        return signature([operation for _, operation in self.listed if operation is not None])

    @property
    def is_whole(self) -> bool:
        """Whether a list of operations is a group as it stands, but for the identity."""
        missing = self.group.signature - self.readable
        return not self.is_list or (
            all(operation is not None for _, operation in self.listed)
            and all(operation.is_identity for operation in missing)
        )


@dataclass(frozen=True)
class SymmetryItems:
    """What a file states about its space group.

    Several symbols and numbers may be given, the more trusted first; `legacy_symops` is a second list of operations,
    `code` the coordinate system code for symbol and number.
    """

    symops: Sequence[str] = ()
    symop_ids: Sequence[str] | None = None
    legacy_symops: Sequence[str] = ()
    hall: str | Sequence[str] = ()
    hm: str | Sequence[str] = ()
    number: int | Sequence[int] | None = None
    code: str = ""


def resolve(items: SymmetryItems, cell: UnitCell | None = None) -> SpaceGroup:
    """The space group a file means, with what contradicts it.

    Without any statement P 1 is assumed and noted. A statement that cannot be read is noted and the next one is used,
    so this never raises for a damaged file.
    """
    problems: list[str] = []
    hall, hm, number, code = items.hall, items.hm, items.number, items.code
    angles = None if cell is None else cell.parameters[3:].tolist()
    statements = [
        *_lists(items.symops, items.symop_ids, items.legacy_symops, problems),
        *_read("Hall", _several(hall), SpaceGroup.from_hall, problems),
        *_read("H-M", _several(hm), lambda text: SpaceGroup.from_hm(text, angles, code), problems),
        *_read(
            "number",
            [str(n) for n in ([number] if isinstance(number, int) else number or ())],
            lambda text: SpaceGroup.from_number(int(text), angles, code),
            problems,
        ),
    ]
    if not statements:
        problems.append("No space group is given; P 1 is assumed.")
        return with_changes(
            SpaceGroup.from_operations([SymmetryOperation.parse("x,y,z")]),
            source="assumed",
            notes=tuple(problems),
        )
    best, misprinted, doubts = _trusted(statements, cell)
    if cell is not None and misfit(best.group, cell) > ALLOWED_MISFIT:
        problems.append(f"The cell does not have the symmetry of {_name(best.group)}.")
    group = _numbered_as_listed(best, statements, problems)
    contradictions = doubts + [
        _contradiction(best, other)
        for other in statements
        if other is not best and other not in misprinted and not _agree(best, other)
    ]
    named = next((s.group for s in statements if s.group.number is not None), None)
    same = next((s for s in statements if s.kind == "H-M" and s.group.same_operations(group)), None)
    hm_text, hall_text = _first(hm), _first(hall)
    return with_changes(
        group,
        hm=group.hm or (same.group.hm if same else hm_text),
        hall=group.hall or hall_text,
        number=group.number if group.number is not None else _number(number, named),
        contradictions=tuple(dict.fromkeys(contradictions)),
        notes=(*problems, *group.notes),
    )


def _several(value: str | Sequence[str]) -> list[str]:
    return [text for text in ([value] if isinstance(value, str) else value) if text]


def _first(value: str | Sequence[str]) -> str:
    return next(iter(_several(value)), "")


def _number(number: int | Sequence[int] | None, named: SpaceGroup | None) -> int | None:
    stated = number if isinstance(number, int) or number is None else next(iter(number), None)
    return stated or (named.number if named else None)


# Reading


def _read(
    kind: str, texts: Sequence[str], build: Callable[[str], SpaceGroup], problems: list[str]
) -> list[Statement]:
    """The statements of one kind; texts that mean the same group count once."""
    found: list[Statement] = []
    for text in texts:
        try:
            group = build(text)
        except CifError as error:
            problems.append(error.message)
            continue
        if not any(other.group.same_operations(group) for other in found):
            found.append(Statement(kind, text, group))
    return found


def _lists(
    symops: Sequence[str], ids: Sequence[str] | None, legacy: Sequence[str], problems: list[str]
) -> list[Statement]:
    found = [_list_statement(symops, ids, "", problems)] if symops else []
    if legacy and list(legacy) != list(symops):
        found.append(_list_statement(legacy, None, "_symmetry_equiv_pos_as_xyz", problems))
    return [statement for statement in found if statement is not None]


def _list_statement(
    symops: Sequence[str], ids: Sequence[str] | None, text: str, problems: list[str]
) -> Statement | None:
    """A list of operations. One that cannot be read is noted and left out, and the list then is not a group."""
    listed: list[Listed] = []
    for place, symop in enumerate(symops):
        name = ids[place] if ids is not None and place < len(ids) else str(place + 1)
        try:
            listed.append((name, SymmetryOperation.parse(symop)))
        except CifError as error:
            problems.append(error.message)
            listed.append((name, None))
    read = [(name, operation) for name, operation in listed if operation is not None]
    if not read:
        return None
    try:
        group = SpaceGroup.from_operations([operation for _, operation in read], [name for name, _ in read])
    except CifError as error:
        problems.append(error.message)
        return None
    return Statement("operations", text, group, tuple(listed))


# Checking


def misfit(group: SpaceGroup, cell: UnitCell) -> float:
    """How much the operations of a group change a cell: relative for lengths, radians for angles."""
    rotations = np.array(sorted({tuple(r.ravel().tolist()) for r in group.rotations})).reshape(-1, 3, 3)
    metrics = np.einsum("kba,bc,kcd->kad", rotations, cell.metric, rotations)
    lengths = np.sqrt(np.einsum("kii->ki", metrics))
    own = np.sqrt(np.diag(cell.metric))
    worst = float(np.abs(lengths / own - 1).max())
    for i, j in ((1, 2), (0, 2), (0, 1)):
        cosines = metrics[:, i, j] / (lengths[:, i] * lengths[:, j])
        turned = np.arccos(np.clip(cosines, -1, 1))
        angle = np.arccos(np.clip(cell.metric[i, j] / (own[i] * own[j]), -1, 1))
        worst = max(worst, float(np.abs(turned - angle).max()))
    return worst


def _trusted(
    statements: list[Statement], cell: UnitCell | None
) -> tuple[Statement, list[Statement], list[str]]:
    """The first statement without a serious doubt, those before it, and the doubts about them."""
    misfits = [0.0 if cell is None else misfit(statement.group, cell) for statement in statements]
    doubts: list[str] = []
    for place, statement in enumerate(statements):
        rivals = [
            other
            for other, bad in zip(statements, misfits, strict=True)
            if bad <= ALLOWED_MISFIT and not _agree(statement, other) and not _agree(other, statement)
        ]
        better = [other for other in rivals if misfits[statements.index(other)] < BETTER * misfits[place]]
        if misfits[place] > ALLOWED_MISFIT and better:
            doubts.append(_doubt(statement, better, ", which the cell does not allow", ", which it does"))
        elif not statement.is_whole and (supported := _supported(statement, rivals)):
            doubts.append(_doubt(statement, supported, " but are no group as they are listed", ""))
        else:
            return statement, statements[:place], doubts
    return statements[0], [], []


def _supported(statement: Statement, rivals: list[Statement]) -> list[Statement]:
    """The statements to prefer to a list that is not a group.

    Two that agree, or one whose group has as many operations as the list, or all of those that can be read.
    """
    for rival in rivals:
        same = [other for other in rivals if other.group.same_operations(rival.group)]
        as_many = rival.group.order == len(statement.listed)
        if len({other.kind for other in same}) > 1 or as_many or _holds(rival.group, statement.readable):
            return same
    return []


def _holds(group: SpaceGroup, operations: frozenset[SymmetryOperation]) -> bool:
    return operations <= group.signature


def _agree(best: Statement, other: Statement) -> bool:
    one, two = best.group, other.group
    if one.same_operations(two):
        return True
    if other.kind == "number":
        return one.number == two.number if one.number is not None else one.order == two.order
    if other.kind == "H-M":
        # A symbol without setting matches all its settings.
        return any(SpaceGroup.from_entry(entry).same_operations(one) for entry in find_by_hm(other.text)) or (
            one.number is None and one.order == two.order and one.point_group == two.point_group
        )
    return False


# Words


def _name(group: SpaceGroup) -> str:
    return group.hm or group.hall or f"a group of {group.order} operations"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _contradiction(best: Statement, other: Statement) -> str:
    gives, trusted = ("give", "are") if best.is_list else ("gives", "is")
    means = "mean" if other.is_list else "means"
    return (
        f"{_capital(other.label)} {means} {_name(other.group)}, but {best.label} {gives} {_name(best.group)}; "
        f"{best.label} {trusted} trusted."
    )


def _doubt(statement: Statement, better: list[Statement], but: str, which: str) -> str:
    labels = [other.label for other in better if other.group.same_operations(better[0].group)]
    listed = labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
    gives, taken = ("give", "are") if statement.is_list else ("gives", "is")
    return (
        f"{_capital(statement.label)} {gives} {_name(statement.group)}{but}; {listed} "
        f"{'means' if len(labels) == 1 else 'mean'} {_name(better[0].group)}{which}. "
        f"{_capital(statement.label)} {taken} taken as misprinted."
    )


# Symmetry codes of a file count the operations of its list


def _numbered_as_listed(best: Statement, statements: list[Statement], problems: list[str]) -> SpaceGroup:
    """The group taken, with the operations in the order of the file's list, so that codes such as `3_655` hold.

    Operations of the list that the group does not have are misprints: what is missing takes their places.
    """
    listed = next((s for s in statements if s.is_list), None)
    unread = listed is not None and any(operation is None for _, operation in listed.listed)
    if listed is None or (best.is_list and not unread):
        return best.group
    wanted = {operation.reduced(): operation for operation in best.group.operations}
    right = listed.readable & wanted.keys()
    if 2 * len(right) < len(listed.listed):
        problems.append("Symmetry codes of the file count its own list of operations and may be wrong.")
        return best.group
    missing = [operation for key, operation in wanted.items() if key not in right]
    repaired: list[SymmetryOperation] = []
    names: list[str] = []
    for name, operation in listed.listed:
        if operation is None or operation.reduced() not in wanted:
            if not missing:
                continue
            operation = missing.pop(_nearest(operation, missing))
        repaired.append(operation)
        names.append(name)
    group = SpaceGroup.from_operations([*repaired, *missing], names)
    return with_changes(
        group,
        hm=best.group.hm,
        hall=best.group.hall,
        number=best.group.number,
        source=best.group.source,
        notes=best.group.notes,
    )


def _nearest(operation: SymmetryOperation | None, others: Sequence[SymmetryOperation]) -> int:
    """Place of the operation that shares most with a misprinted one."""
    if operation is None:
        return 0

    def shared(other: SymmetryOperation) -> int:
        rows = sum(a == b for a, b in zip(operation.rotation, other.rotation, strict=True))
        shifts = sum((a - b) % 1 == 0 for a, b in zip(operation.translation, other.translation, strict=True))
        return 2 * rows + shifts

    return max(range(len(others)), key=lambda place: shared(others[place]))
