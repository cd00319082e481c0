"""Chemical formulae: reading the sum formula of a file, and counting the atoms of a cell."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from qcrbox.crystallography.structure.elements import atomic_number, atomic_weight, hill_order

_ISOTOPES = ("D", "T")
_PART = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?")


def parse_formula(text: str) -> dict[str, float]:
    """`C17 H20 N4 O5` to {C: 17, ...}; empty when the text is not a sum formula, or has a symbol of no element."""
    compact = text.replace(" ", "")
    parts = list(_PART.finditer(compact))
    if not parts or sum(len(part[0]) for part in parts) != len(compact):
        return {}
    counts: dict[str, float] = {}
    for part in parts:
        if part[1] not in _ISOTOPES and not atomic_number(part[1]):
            return {}
        counts[part[1]] = counts.get(part[1], 0.0) + float(part[2] or 1)
    return counts if all(map(math.isfinite, counts.values())) else {}


def format_formula(counts: Mapping[str, float]) -> str:
    """In Hill order, counts of one left out: `C17 H20 N4 O5`."""
    words = []
    for element in hill_order([name for name, count in counts.items() if count > 5e-4]):
        count = round(counts[element], 3)
        words.append(element if count == 1 else f"{element}{count:g}")
    return " ".join(words)


def formula_units(formula: Mapping[str, float], content: Mapping[str, float]) -> float:
    """How often most of the elements of a formula are in the cell, hydrogen last; 1 where they share no element."""
    ratios = sorted(
        content[name] / count
        for name, count in formula.items()
        if content.get(name) and count and name not in ("H", "D")
    )
    middle = ratios[(len(ratios) - 1) // 2 : len(ratios) // 2 + 1]
    return sum(middle) / len(middle) if middle else 1.0


def weight(counts: Mapping[str, float]) -> float:
    """Molecular weight in g/mol."""
    return sum(count * atomic_weight(element) for element, count in counts.items())
