"""One search over projects: title, file name, formula, cell, command and notes. Pure: no store, no HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from qcrbox_registry.services.project_forest import Node, Project
from qcrbox_registry.store.projects import CalculationRow

LENGTH_TOLERANCE = 0.02  # relative
ANGLE_TOLERANCE = 2.0  # °
_SU = re.compile(r"\(\d+\)")
_NIGGLI = ("niggli_a", "niggli_b", "niggli_c", "niggli_alpha", "niggli_beta", "niggli_gamma")
Cell = tuple[float, ...]


def cell_in(text: str) -> Cell | None:
    """Six numbers in Å and °, however they are separated and with or without s.u.; None for any other text."""
    parts = [part for part in re.split(r"[\s,;]+", _SU.sub("", text)) if part]
    try:
        numbers = tuple(float(part) for part in parts)
    except ValueError:
        return None
    is_cell = (
        len(numbers) == 6 and all(0 < x < 1e4 for x in numbers[:3]) and all(0 < x < 180 for x in numbers[3:])
    )
    return numbers if is_cell else None


def hits(project: Project, text: str, niggli: Callable[[Cell], Cell]) -> list[Node] | None:
    """The nodes that fit the text; None when the project does not fit. Without a text every project fits.

    A node fits when it has all the words. A project fits too when its nodes have them together. niggli: reduces a cell.
    """
    words = text.lower().split()
    if not words:
        return []
    given = cell_in(text)
    if given is not None:
        reduced = niggli(given)
        return [node for node in project.nodes if _has_cell(node, reduced)] or None
    formula = _compact(text)
    found = [node for node in project.nodes if _fits(node, words, formula)]
    if found:
        return found
    everything = " ".join(_text(node) for node in project.nodes)
    return [] if all(word in everything for word in words) else None


def _fits(node: Node, words: list[str], formula: str) -> bool:
    text = _text(node)
    return all(word in text for word in words) or formula in _formulas(node)


def _text(node: Node) -> str:
    row = node.row
    parts = [row.annotation.note, *(file.filename for file in row.files)]
    if isinstance(row, CalculationRow):
        parts += [row.title, row.application, row.command]
    else:
        parts += [row.name]
    for file in row.files:
        index = file.index or {}
        parts += [
            str(index.get(key) or "") for key in ("formula_sum", "formula_moiety", "space_group_hm", "block")
        ]
    return "\n".join(parts).lower()


def _formulas(node: Node) -> set[str]:
    return {_compact(str(file.index.get("formula_sum") or "")) for file in node.row.files if file.index} - {
        ""
    }


def _compact(text: str) -> str:
    return "".join(text.lower().split())


def _has_cell(node: Node, reduced: Cell) -> bool:
    return any(_near(file.index, reduced) for file in node.row.files if file.index)


def _near(index: Mapping[str, Any], reduced: Cell) -> bool:
    own = [index.get(name) for name in _NIGGLI]
    if any(not isinstance(value, int | float) for value in own):
        return False
    numbers = [float(value) for value in own if value is not None]
    lengths = all(abs(x - y) <= LENGTH_TOLERANCE * y for x, y in zip(numbers[:3], reduced[:3], strict=True))
    # Near 90° a small change turns a type I cell into type II: the angle becomes its supplement.
    angles = all(
        min(abs(x - y), abs(180 - x - y)) <= ANGLE_TOLERANCE
        if abs(y - 90) < 2 * ANGLE_TOLERANCE
        else abs(x - y) <= ANGLE_TOLERANCE
        for x, y in zip(numbers[3:], reduced[3:], strict=True)
    )
    return lengths and angles
