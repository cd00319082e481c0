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
    cells: list[dict[str, Any]] = merged.notebook.setdefault("cells", [])
    previous: str | None = None
    for cell_id, cell in after.items():
        _take(
            merged, cells, _Cell(cell_id, filename, before.get(cell_id), cell, theirs.get(cell_id)), previous
        )
        previous = cell_id
    for cell_id in before.keys() - after.keys():
        _remove(merged, cells, cell_id, filename, before[cell_id], theirs.get(cell_id))
    return merged


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


def _take(merged: Merged, cells: list[dict[str, Any]], cell: _Cell, previous: str | None) -> None:
    """Take over what the lecturer changed in one cell."""
    if cell.before is not None and _same(cell.before, cell.after):
        return  # not changed by the lecturer: the student's cell stays, also when it was deleted
    if cell.own is None:
        if cell.before is None:
            _insert(cells, cell.after, previous)
            merged.updated.append(f"{cell}: added")
        else:
            # The student deleted a cell that was then corrected.
            _insert(cells, cell.after, previous)
            merged.conflicts.append(f"{cell}: you deleted it, and the lecturer changed it; it is back")
        return
    if _same(cell.own, cell.after):
        return
    place = _place(cells, cell.id)
    if cell.before is not None and _same(cell.own, cell.before):
        cells[place] = copy.deepcopy(cell.after)
        merged.updated.append(f"{cell}: changed")
        return
    newer = copy.deepcopy(cell.after)
    newer["id"] = _free_id(cells, cell.id)
    if any(_same(newer, other) for other in cells):
        return  # this conflict was brought before
    cells.insert(place + 1, newer)
    merged.conflicts.append(f"{cell}: changed by you and by the lecturer; both are kept, yours first")


def _remove(
    merged: Merged,
    cells: list[dict[str, Any]],
    cell_id: str,
    filename: str,
    before: Mapping[str, Any],
    own: Mapping[str, Any] | None,
) -> None:
    """A cell that the lecturer removed goes, unless the student worked in it."""
    if own is None or not _same(own, before):
        return
    del cells[_place(cells, cell_id)]
    merged.updated.append(f"{_named(filename, cell_id, before)}: removed")


def _by_id(notebook: Notebook) -> dict[str, dict[str, Any]]:
    """The cells by id; a cell without one (nbformat 4.4 and older) is known by its place."""
    found: dict[str, dict[str, Any]] = {}
    for place, cell in enumerate(notebook.get("cells") or ()):
        if isinstance(cell, dict):
            found.setdefault(str(cell.get("id") or f"cell-{place}"), cell)
    return found


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equal in what a person writes; outputs and counters do not matter."""
    return one.get("cell_type") == other.get("cell_type") and _source(one).rstrip() == _source(other).rstrip()


def _place(cells: list[dict[str, Any]], cell_id: str) -> int:
    for place, cell in enumerate(cells):
        if str(cell.get("id") or f"cell-{place}") == cell_id:
            return place
    return len(cells) - 1


def _insert(cells: list[dict[str, Any]], cell: dict[str, Any], previous: str | None) -> None:
    """After the cell that precedes it in the newer version, where that is still there."""
    place = 0
    if previous is not None:
        found = [i for i, each in enumerate(cells) if str(each.get("id") or f"cell-{i}") == previous]
        place = found[0] + 1 if found else len(cells)
    cells.insert(place, copy.deepcopy(cell))


def _free_id(cells: list[dict[str, Any]], cell_id: str) -> str:
    taken = {str(cell.get("id")) for cell in cells}
    number = 2
    while f"{cell_id[:58]}-v{number}" in taken:
        number += 1
    return f"{cell_id[:58]}-v{number}"


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
