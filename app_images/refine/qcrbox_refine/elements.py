"""Elements and ions as cctbx knows them, their masses, and sum formulas."""

from __future__ import annotations

import re

from cctbx.eltbx import tiny_pse as periodic_table
from cctbx.eltbx import xray_scattering
from qcrbox.contract.errors import UserInputError


def scattering_type(symbol: str, label: str) -> str:
    """The name under which cctbx knows this scatterer (`Cl1-`, `C`, `D`).

    An ion without its own table counts as the neutral atom. Raises UserInputError for no element.
    """
    text = (symbol if symbol.strip() not in ("", "?", ".") else label).strip()
    match = re.match(r"^([A-Za-z]{1,2})(?:(\d*)([+-])(\d*))?", text)
    candidates: list[str] = []
    if match:
        letters, before, sign, after = match.groups()
        name = letters[0].upper() + letters[1:].lower()
        if sign:
            candidates.append(f"{name}{before or after or '1'}{sign}")
        candidates += [name, name[0]] if text is label.strip() else [name]
    for candidate in candidates:
        if candidate in ("D", "T"):
            return "H" if candidate == "T" else "D"
        found = xray_scattering.get_standard_label(candidate, exact=True, optional=True)
        if found:
            return found
    raise no_element(symbol, label)


def no_element(symbol: str, label: str) -> UserInputError:
    """The error of an atom that no scattering factor can be given to."""
    return UserInputError(
        f"atom {label} has the type {symbol!r}, which is no element with scattering factors.",
        why="Dummy atoms and peaks (Q, X) cannot be refined.",
        next=f'Set its element with edits="element {label} C", or delete it with edits="delete {label}".',
    )


def element_symbol(scattering: str) -> str:
    """Chemical symbol of a scattering type: `Cl1-` is Cl."""
    return re.match(r"[A-Za-z]+", scattering).group(0)


def atomic_mass(element: str) -> float:
    """Standard atomic weight in g mol⁻¹; deuterium has its own."""
    return periodic_table.table("H" if element == "D" else element).weight() + (element == "D") * 1.006


def hill_formula(counts: dict[str, float]) -> str:
    """Sum formula with carbon first, then hydrogen, then the others by alphabet."""
    order = sorted(counts, key=lambda e: (e != "C", e not in ("H", "D"), e) if "C" in counts else (e,))
    shown = {e: f"{round(counts[e], 2):g}" for e in order if round(counts[e], 2) > 0}
    return " ".join(e if n == "1" else f"{e}{n}" for e, n in shown.items())
