"""Wavelength and temperature of a measurement, as a block states them."""

from __future__ import annotations

from qcrbox.cif.document import Block
from qcrbox.cif.loop import Loop

_WAVELENGTH_TAGS = ("_diffrn_radiation_wavelength", "_cell_measurement_wavelength")
# Names of one item by the dictionary; programs write both, and may know one of them only.
_TEMPERATURE_TAGS = ("_diffrn_ambient_temperature", "_cell_measurement_temperature")
_LONGEST = 100.0  # Å
# Kα1 and Kα2 differ by less, wavelengths of several measurements by more.
_DOUBLET = 1.01
_MOST_ROWS = 1000


def stated_wavelength(block: Block) -> tuple[float | None, str]:
    """In Å, None where none is given; of a doublet (Kα1, Kα2) with weights the mean by weight, else the first of several.

    The second value says so where there are several, and where the file gives one that is none.
    """
    impossible = ""
    for tag in _WAVELENGTH_TAGS:
        number = block.number(tag)
        if number is not None and 0 < number.value < _LONGEST:
            return number.value, ""
        # Zero is how some programs say that there is none.
        if number is not None and number.value and not impossible:
            impossible = f"{tag} is {number.text}, which is no wavelength in Å: taken as unknown."
        entry = block.find(tag)
        if isinstance(entry, Loop) and len(entry) < _MOST_ROWS:
            chosen = _of_loop(entry, tag)
            if chosen[0] is not None:
                return chosen
    return None, impossible


def _of_loop(loop: Loop, tag: str) -> tuple[float | None, str]:
    weight_tag = f"{tag}_wt"
    values = loop.numbers(tag).tolist()
    weights = loop.numbers(weight_tag).tolist() if weight_tag in loop else [0.0] * len(values)
    known = [(v, w) for v, w in zip(values, weights, strict=True) if 0 < v < _LONGEST]
    if not known:
        return None, ""
    lengths = [value for value, _ in known]
    if max(lengths) > _DOUBLET * min(lengths) or not all(weight > 0 for _, weight in known):
        chosen, how = lengths[0], "the first"
    else:
        chosen, how = sum(v * w for v, w in known) / sum(w for _, w in known), "their mean by weight"
    several = f"The file has {len(known)} wavelengths; {how} is used, {chosen:.5f} Å."
    return chosen, several if len(known) > 1 else ""


def stated_temperature(block: Block) -> tuple[float | None, str]:
    """In K, None where none is given; a value that is no temperature is unknown, and the second value says so."""
    numbers = [(tag, number) for tag in _TEMPERATURE_TAGS if (number := block.number(tag)) is not None]
    for _, number in numbers:
        if number.value > 0:
            return number.value, ""
    if not numbers:
        return None, ""
    tag, number = numbers[0]
    return None, f"{tag} is {number.text}, but CIF gives kelvin: taken as unknown. Degrees Celsius?"
