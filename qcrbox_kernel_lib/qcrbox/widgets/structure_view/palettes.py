"""Colours of elements. CPK by convention; Okabe-Ito for readers who cannot tell red from green; grey for print."""

from __future__ import annotations

from qcrbox.crystallography.structure.elements import atomic_number

# Jmol-like convention, as crystallographers expect it; hydrogen is a light grey to stand out on white.
CPK = {
    "H": "#f2f2f2",
    "D": "#c8e6f5",
    "He": "#d9ffff",
    "Li": "#cc80ff",
    "Be": "#c2ff00",
    "B": "#ffb5b5",
    "C": "#8a8a8a",
    "N": "#3050f8",
    "O": "#ff0d0d",
    "F": "#78c850",
    "Ne": "#b3e3f5",
    "Na": "#ab5cf2",
    "Mg": "#8aff00",
    "Al": "#bfa6a6",
    "Si": "#e0b878",
    "P": "#ff8000",
    "S": "#f0d020",
    "Cl": "#1fd01f",
    "Ar": "#80d1e3",
    "K": "#8f40d4",
    "Ca": "#3dcf00",
    "Sc": "#d0d0d0",
    "Ti": "#bfc2c7",
    "V": "#a6a6ab",
    "Cr": "#8a99c7",
    "Mn": "#9c7ac7",
    "Fe": "#e06633",
    "Co": "#f090a0",
    "Ni": "#50d050",
    "Cu": "#c88033",
    "Zn": "#7d80b0",
    "Ga": "#c28f8f",
    "Ge": "#668f8f",
    "As": "#bd80e3",
    "Se": "#ffa100",
    "Br": "#a62929",
    "Kr": "#5cb8d1",
    "Mo": "#54b5b5",
    "Ru": "#248f8f",
    "Rh": "#0a7d8c",
    "Pd": "#006985",
    "Ag": "#b0b0b0",
    "Cd": "#ffd98f",
    "Sn": "#668080",
    "Sb": "#9e63b5",
    "I": "#940094",
    "Cs": "#57178f",
    "Ba": "#00c900",
    "W": "#2194d6",
    "Pt": "#b8b8c8",
    "Au": "#e8c020",
    "Hg": "#b8b8d0",
    "Pb": "#575961",
    "U": "#008fff",
}
# Okabe & Ito (2008); elements that share a hue differ in lightness, and labels tell the rest.
OKABE_ITO = {
    "H": "#f5f5f5",
    "D": "#d5ecf7",
    "C": "#7f7f7f",
    "N": "#0072b2",
    "O": "#d55e00",
    "F": "#009e73",
    "S": "#f0e442",
    "P": "#e69f00",
    "Cl": "#56c9a2",
    "Br": "#8f3f00",
    "I": "#7a4069",
    "Si": "#d9c08a",
    "B": "#f3b7d3",
}
_OTHER = {"cpk": "#dd77aa", "okabe-ito": "#cc79a7", "grey": "#9a9a9a"}
# Print: light for light elements, dark for heavy ones; patterns and labels carry the identity.
_GREY_BY_PERIOD = (
    (2, "#ffffff"),
    (5, "#e4e4e4"),
    (6, "#cfcfcf"),
    (7, "#a8a8a8"),
    (8, "#858585"),
    (9, "#bdbdbd"),
)

NAMES = tuple(_OTHER)


def colour(element: str, palette: str = "cpk") -> str:
    """`#rrggbb` of an element; every palette knows every element."""
    if palette == "grey":
        if element == "D":
            return "#dadada"  # not as hydrogen, which is white
        number = atomic_number(element) if element else 0
        return next((grey for below, grey in _GREY_BY_PERIOD if number <= below), "#707070")
    table = OKABE_ITO if palette == "okabe-ito" else CPK
    return table.get(element, _OTHER[palette])


def rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
