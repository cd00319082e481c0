"""Elements: recognition in labels and type symbols, atomic data and radii."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from qcrbox.crystallography._gemmi import gemmi
from qcrbox.language import listed

_LETTERS = re.compile(r"[A-Za-z]+")
# Names of peaks, dummies, centroids, lone pairs and vacancies; not elements.
_NO_ELEMENT = {"Q", "X", "DU", "DUM", "PEAK", "CNT", "CG", "LP", "BQ", "VAC", "VOID"}
_DEUTERIUM = {"D", "T"}
# Water as one site: its oxygen. AMCSD writes Wat1, others Wa1, OW1, Aq1, HOH, H2O or D2O.
_WATER = re.compile(r"(?:(?i:wat(?:er)?|aqu?a?|hoh|dod|h2o|d2o)|Wa)(?![A-Za-z])")
# Water or tungsten: decided by the formula.
_WATER_OR_TUNGSTEN = re.compile(r"W[Aa]?(?![A-Za-z])")


@lru_cache(maxsize=4096)
def element_of_type(symbol: str) -> str:
    """Element of an `_atom_site_type_symbol`: `Fe3+`, `Cl1-`, `CL`, `O2-` or `D`; `""` for none.

    A type symbol holds an element and a charge only, so all its letters count (`CO` is cobalt).
    """
    if _WATER.match(symbol.strip()):
        return "O"
    match = _LETTERS.match(symbol.strip())
    if match is None or match[0].upper() in _NO_ELEMENT:
        return ""
    return _known(match[0][:2]) or _known(match[0][:1])


def names_no_atom(label: str, symbol: str = "") -> bool:
    """Whether a label, or the type symbol where there is one, is that of a peak, dummy, centroid, lone pair or vacancy."""
    match = _LETTERS.match((symbol or label).strip())
    return match is not None and match[0].upper() in _NO_ELEMENT


@lru_cache(maxsize=65536)
def readings_of_label(label: str) -> tuple[str, ...]:
    """Elements that an atom label without type symbol may mean, the likeliest first; empty for none.

    A second letter counts only in lower case, or in upper case when the first alone is no element:
    `CA1` is carbon A1, `BR1` and `CL1` are read as Br and Cl because labels of that kind abound.
    """
    plain = label.strip()
    match = _LETTERS.match(plain)
    if match is None or match[0].upper() in _NO_ELEMENT:
        return ()
    letters = match[0]
    if letters == "T":  # a tetrahedral site of a mineral, not tritium
        return ()
    both, first = _known(letters[:2]) if len(letters) > 1 else "", _known(letters[:1])
    usual = letters[1:2].islower() or letters[:2] in ("CL", "BR", "NA", "SI", "FE", "ZN", "CU")
    ordered = ["O"] if _WATER.match(plain) else []
    ordered += [both, first] if usual else [first, both]
    ordered += ["O"] if _WATER_OR_TUNGSTEN.match(plain) else []
    return tuple(dict.fromkeys(element for element in ordered if element))


def elements_of_sites(
    labels: Sequence[str], types: Sequence[str], formula: Mapping[str, float] | None = None
) -> tuple[list[str], list[str]]:
    """The element of each site, and notes on ambiguous ones.

    A type symbol decides; without one the label, and of several readings of a label the one that the sum formula
    has (`formula`: atoms of each element, empty where unknown). An element of the formula that no site has is looked
    for among labels with two readings: `CO1` is cobalt where the formula has Co and nothing else can be it.
    """
    known = {_isotope_of(element): count for element, count in (formula or {}).items()}
    odd: dict[str, list[str]] = {}
    found: list[str] = []
    for label, symbol in zip(labels, types, strict=True):
        readings = _possible(label, symbol, known)
        element = next(
            (element for element in readings if _isotope_of(element) in known),
            readings[0] if readings else "",
        )
        found.append(element)
        if element == "O" and _is_water(label, symbol):
            odd.setdefault("read as the oxygen of water", []).append(label)
        elif element and not symbol and known and _isotope_of(element) not in known:
            odd.setdefault(f"read as {element}, which the sum formula does not have", []).append(label)
    for element in [element for element in known if element not in set(map(_isotope_of, found))]:
        for place in _sites_that_may_be(element, labels, types, found, known):
            found[place] = element
            odd.setdefault(f"read as {element}, because the sum formula has it", []).append(labels[place])
    notes = [f"{listed(names)} {'is' if len(names) == 1 else 'are'} {how}." for how, names in odd.items()]
    return found, notes


def _sites_that_may_be(
    element: str,
    labels: Sequence[str],
    types: Sequence[str],
    found: Sequence[str],
    known: Mapping[str, float],
) -> list[int]:
    """Sites to give to an element of the formula that has none; empty where that would be a guess.

    It would be one where there are more of them than the formula has, or where another element lost its last site.
    """
    places = [n for n, label in enumerate(labels) if not types[n] and element in readings_of_label(label)]
    left = {_isotope_of(element) for n, element in enumerate(found) if n not in places}
    takes_the_last = any(_isotope_of(found[n]) in known and _isotope_of(found[n]) not in left for n in places)
    return [] if len(places) > 2 * known[element] or takes_the_last else places


def _isotope_of(element: str) -> str:
    return "H" if element == "D" else element


def _is_water(label: str, symbol: str) -> bool:
    return bool(
        _WATER.match(symbol) or _WATER.match(label.strip()) or _WATER_OR_TUNGSTEN.match(label.strip())
    )


def _possible(label: str, symbol: str, known: Mapping[str, float]) -> tuple[str, ...]:
    """Readings of a site. A type symbol W beside a label of water is a mistake where the formula has no W."""
    if not symbol:
        if "W" in known and _WATER_OR_TUNGSTEN.match(label.strip()):
            return ("W",)
        return readings_of_label(label)
    element = element_of_type(symbol)
    if element == "W" and known and "W" not in known and _WATER.match(label.strip()):
        return ("O",)
    return (element,) if element else ()


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
    """Atomic number; 0 for an unknown element."""
    return gemmi.Element(element).atomic_number if element else 0


@lru_cache(maxsize=256)
def atomic_weight(element: str) -> float:
    """Standard atomic weight in u; 0 for an unknown element."""
    return gemmi.Element(element).weight if element else 0.0


@lru_cache(maxsize=256)
def is_metal(element: str) -> bool:
    """True for a metal."""
    return bool(element) and gemmi.Element(element).is_metal


def hill_order(elements: list[str]) -> list[str]:
    """Carbon, hydrogen, then alphabetical; all alphabetical without carbon."""
    if "C" not in elements:
        return sorted(elements)
    return sorted(elements, key=lambda name: (name != "C", name not in ("H", "D"), name))
