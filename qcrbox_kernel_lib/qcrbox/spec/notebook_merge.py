"""A newer version of an exercise's notebook merged into a student's copy, by the ids of cells.

Nothing that the student wrote is overwritten: where both sides changed a cell, both are kept and the conflict names it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Notebook = dict[str, Any]


@dataclass
class Merged:
    """The merged notebook; what was taken over and where both versions stand side by side, as texts that name cells."""

    notebook: Notebook
    updated: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether the student's copy is different from before."""
        return bool(self.updated or self.conflicts)


def merge(base: Notebook, newer: Notebook, own: Notebook, filename: str = "") -> Merged:
    """Bring the changes from `base` (the version the student got) to `newer` into `own`."""
    merged = Merged(copy.deepcopy(own))
    before, after, theirs = _by_id(base), _by_id(newer), _by_id(own)
    if not isinstance(merged.notebook.get("cells"), list):
        merged.notebook["cells"] = []
    cells = _Cells(merged.notebook["cells"])
    previous: str | None = None
    for cell_id, cell in after.items():
        _take(
            merged, cells, _Cell(cell_id, filename, before.get(cell_id), cell, theirs.get(cell_id)), previous
        )
        previous = cell_id
    for cell_id, cell in before.items():
        if cell_id not in after:
            _remove(merged, cells, _Cell(cell_id, filename, cell, cell, theirs.get(cell_id)))
    return merged


class _Cells:
    """The cells of the merged notebook with the names they had at first.

    A cell without id is known by its place, and places change with every cell that comes or goes.
    """

    def __init__(self, cells: list[Any]) -> None:
        self._cells = cells
        self._names = [_name(cell, place) for place, cell in enumerate(cells)]

    def place(self, name: str) -> int | None:
        """Where the first cell of a name stands; None when there is none."""
        return self._names.index(name) if name in self._names else None

    def insert(self, place: int, name: str, cell: dict[str, Any]) -> None:
        """Insert a copy of a cell."""
        self._cells.insert(place, copy.deepcopy(cell))
        self._names.insert(place, name)

    def after(self, previous: str | None) -> int:
        """The place behind the cell that precedes in the newer version: the end where that is not there any more."""
        if previous is None:
            return 0
        place = self.place(previous)
        return len(self._cells) if place is None else place + 1

    def replace(self, name: str, cell: dict[str, Any]) -> None:
        """Put a copy of a cell in the place of the one of this name."""
        self._cells[self._names.index(name)] = copy.deepcopy(cell)

    def remove(self, name: str) -> None:
        """Remove the cell of this name."""
        place = self._names.index(name)
        del self._cells[place], self._names[place]

    def holds(self, cell: Mapping[str, Any]) -> bool:
        """Whether a cell with the same content is there, under whatever name."""
        return any(isinstance(other, dict) and _same(cell, other) for other in self._cells)

    def free_id(self, cell_id: str) -> str:
        """An id that no cell has, from that of a cell whose other version is there already."""
        number = 2
        while f"{cell_id[:58]}-v{number}" in self._names:
            number += 1
        return f"{cell_id[:58]}-v{number}"


@dataclass(frozen=True)
class _Cell:
    """A cell in the three versions."""

    id: str
    filename: str
    before: Mapping[str, Any] | None
    after: dict[str, Any]
    own: Mapping[str, Any] | None

    def __str__(self) -> str:
        return _named(self.filename, self.id, self.after)


def _take(merged: Merged, cells: _Cells, cell: _Cell, previous: str | None) -> None:
    """Take over what the lecturer changed in one cell."""
    if cell.before is not None and _same(cell.before, cell.after):
        return  # not changed by the lecturer: the student's cell stays, also when it was deleted
    if cell.own is None:
        cells.insert(cells.after(previous), cell.id, cell.after)
        if cell.before is None:
            merged.updated.append(f"{cell}: added")
        else:
            # The student deleted a cell that was then corrected.
            merged.conflicts.append(f"{cell}: you deleted it, and the lecturer changed it; it is back")
        return
    if _same(cell.own, cell.after):
        return
    if cell.before is not None and _same(cell.own, cell.before):
        cells.replace(cell.id, cell.after)
        merged.updated.append(f"{cell}: changed")
        return
    if cells.holds(cell.after):
        return  # this conflict was brought before
    new_id = cells.free_id(cell.id)
    cells.insert(cells.after(cell.id), new_id, {**cell.after, "id": new_id})
    merged.conflicts.append(f"{cell}: changed by you and by the lecturer; both are kept, yours first")


def _remove(merged: Merged, cells: _Cells, cell: _Cell) -> None:
    """A cell that the lecturer removed goes, unless the student worked in it."""
    if cell.own is None or not _same(cell.own, cell.after):
        return
    cells.remove(cell.id)
    merged.updated.append(f"{cell}: removed")


def _name(cell: Any, place: int) -> str:
    """The id of a cell; a cell without one (nbformat 4.4 and older) is known by its place."""
    return str((cell.get("id") if isinstance(cell, dict) else None) or f"cell-{place}")


def _by_id(notebook: Notebook) -> dict[str, dict[str, Any]]:
    """The cells by their names."""
    found: dict[str, dict[str, Any]] = {}
    for place, cell in enumerate(notebook.get("cells") or ()):
        if isinstance(cell, dict):
            found.setdefault(_name(cell, place), cell)
    return found


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equal in what a person writes; outputs and counters do not matter."""
    return one.get("cell_type") == other.get("cell_type") and _source(one).rstrip() == _source(other).rstrip()


def _named(filename: str, cell_id: str, cell: Mapping[str, Any]) -> str:
    first = next((line.strip() for line in _source(cell).splitlines() if line.strip()), "")
    text = f"cell {cell_id}" + (f" ({first[:60]!r})" if first else "")
    return f"{filename}, {text}" if filename else text


def read(content: bytes) -> Notebook | None:
    """A notebook of format 4; None for anything else."""
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("nbformat") != 4 or not isinstance(found.get("cells"), list):
        return None
    return found
