"""What is known of elements: how labels and type symbols name them, and their radii."""

from __future__ import annotations

import re
from functools import lru_cache

from qcrbox.crystallography._gemmi import gemmi

_LETTERS = re.compile(r"[A-Za-z]+")
# Names that programs give to peaks and dummies; they are no elements.
_NO_ELEMENT = {"Q", "X", "DU", "DUM", "PEAK", "CNT", "CG"}
_DEUTERIUM = {"D", "T"}


@lru_cache(maxsize=4096)
def element_of_type(symbol: str) -> str:
    """Element of an `_atom_site_type_symbol`: `Fe3+`, `Cl1-`, `CL`, `O2-` or `D`; `""` for none.

    A type symbol holds an element and a charge only, so all its letters count (`CO` is cobalt).
    """
    match = _LETTERS.match(symbol.strip())
    if match is None or match[0].upper() in _NO_ELEMENT:
        return ""
    return _known(match[0][:2]) or _known(match[0][:1])


@lru_cache(maxsize=65536)
def element_of_label(label: str) -> str:
    """Element of an atom label without type symbol: `H1A'`, `Cl1`, `CL1`, `C12`, `CA1`.

    A second letter counts only in lower case, or in upper case when the first alone is no element:
    `CA1` is carbon A1, `BR1` and `CL1` are read as Br and Cl because labels of that kind abound.
    """
    match = _LETTERS.match(label.strip())
    if match is None or match[0].upper() in _NO_ELEMENT:
        return ""
    letters = match[0]
    if len(letters) > 1 and (
        letters[1].islower() or letters[:2] in ("CL", "BR", "NA", "SI", "FE", "ZN", "CU")
    ):
        return _known(letters[:2]) or _known(letters[:1])
    return _known(letters[:1]) or _known(letters[:2])


def _known(letters: str) -> str:
    name = letters.capitalize()
    if name.upper() in _NO_ELEMENT:
        return ""
    if name in _DEUTERIUM:
        return "D"
    element = gemmi.Element(name)
    return element.name if element.atomic_number > 0 else ""


@lru_cache(maxsize=256)
def covalent_radius(element: str) -> float:
    """Å; Cordero et al., Dalton Trans. (2008) 2832, as tabulated by gemmi."""
    return gemmi.Element(element).covalent_r if element else 0.0


@lru_cache(maxsize=256)
def van_der_waals_radius(element: str) -> float:
    """Å, as tabulated by gemmi (Bondi, with Alvarez for the rest); hydrogen 1.2."""
    return gemmi.Element(element).vdw_r if element else 0.0


@lru_cache(maxsize=256)
def atomic_number(element: str) -> int:
    return gemmi.Element(element).atomic_number if element else 0


@lru_cache(maxsize=256)
def atomic_weight(element: str) -> float:
    return gemmi.Element(element).weight if element else 0.0


@lru_cache(maxsize=256)
def is_metal(element: str) -> bool:
    return bool(element) and gemmi.Element(element).is_metal


def hill_order(elements: list[str]) -> list[str]:
    """Carbon, hydrogen, then alphabetical; all alphabetical without carbon."""
    if "C" not in elements:
        return sorted(elements)
    return sorted(elements, key=lambda name: (name != "C", name not in ("H", "D"), name))
