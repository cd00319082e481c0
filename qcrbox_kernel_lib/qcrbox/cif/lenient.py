"""Numbers as people misprint them: read where the meaning is certain, with a remark that names the spelling.

The grammar of CIF is that of `values.parse_number`; conversions and the dictionary check keep to it. What reads numbers
to compute with them reads through here, because a value that silently becomes unknown is as wrong as a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qcrbox.cif.quoting import text_of
from qcrbox.cif.values import Number, parse_number

# Remarks, as they are put together in notes.
FRACTION = "written as a fraction"
EMPTY_BRACKETS = "with brackets that hold no s.u."
OPEN_BRACKET = "with a bracket that is not closed"
SPACE = "with a blank inside"
COMMA = "with a decimal comma"
MINUS = "with a dash as minus sign"
UNIT = "with its unit"
PLUS = "with a plus before its s.u."
EXPONENT = "with its exponent behind its s.u."

_FRACTION = re.compile(r"([+-]?)([0-9]{1,3})/([0-9]{1,3})\Z")
_EMPTY = re.compile(r"([^()]*[\d.])\([?.*\-–]*\)?\Z")
_OPEN = re.compile(r"[^()]*[\d.]\(\d+\Z")
# `1,234` may be a number of thousands: a comma is a decimal one after a zero, before an s.u., or when not three digits follow.
_COMMA = re.compile(r"[+-]?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))(?:\(\d+\))?\Z|[+-]?\d+,\d+\(\d+\)\Z")
# ICSD's own form of s.u.: 7.060+2 is 7.060(2).
_PLUS = re.compile(r"([+-]?[0-9]*\.[0-9]+)\+([0-9]{1,3})\Z")
_EXPONENT = re.compile(r"([^()eE]*)(\(\d+\))([eE][+-]?\d{1,4})\Z")
_DASHES = str.maketrans("−–—‐‑", "-----")
_UNITS = {
    "kelvins": r"K",
    "angstroms": r"(?:Å|\\%A|A|Ang\.?|angstroms?)",
    "degrees": r"(?:°|\\%|deg\.?|degrees?)",
    "angstrom_cubed": r"(?:Å|\\%A|A)(?:\^?3\^?|³)",
    "angstrom_squared": r"(?:Å|\\%A|A)(?:\^?2\^?|²)",
    "millimetres": r"mm",
}
# Possessive throughout: one cell that fails must not make the pattern try every split of all cells before it.
_REGULAR = re.compile(
    r"(?:(?>[?.]|[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]{1,4}+)?(?:\((?:[0-9]++\.?[0-9]*+|\.[0-9]++)\))?)\n)*+\Z"
)
_LONGEST = 60  # characters of a misprint; nothing longer is looked at


@dataclass(frozen=True, slots=True)
class Reading:
    """A number, and how it was written where that is not the grammar of CIF; `""` where it is."""

    number: Number
    how: str = ""


def read_number(text: str, unit: str = "") -> Reading | None:
    """The number a plain text means; None when that is not certain. `unit` is that of the dictionary."""
    number = parse_number(text)
    if number is not None:
        return Reading(number)
    if len(text) > _LONGEST:
        return None
    remarks: list[str] = []
    plain = text.strip().translate(_DASHES)
    if plain != text.strip():
        remarks.append(MINUS)
    if unit in _UNITS:
        plain, found = re.subn(rf"(?<=[\d.)])\s*{_UNITS[unit]}\Z", "", plain, flags=re.IGNORECASE)
        remarks += [UNIT] if found else []
    closed = re.sub(r"(?<=[+-])\s+(?=[\d.])|(?<=[\d.])\s+(?=\()|(?<=\()\s+|\s+(?=\))", "", plain)
    if closed != plain:
        remarks.append(SPACE)
    plain = closed
    if (behind := _EXPONENT.match(plain)) is not None:
        plain = f"{behind[1]}{behind[3]}{behind[2]}"
        remarks.append(EXPONENT)
    if _COMMA.match(plain):
        plain = plain.replace(",", ".")
        remarks.append(COMMA)
    if (empty := _EMPTY.match(plain)) is not None:
        plain = empty[1]
        remarks = [*(remark for remark in remarks if remark != SPACE), EMPTY_BRACKETS]
    elif (plus := _PLUS.match(plain)) is not None:
        plain = f"{plus[1]}({plus[2]})"
        remarks.append(PLUS)
    elif _OPEN.match(plain):
        plain += ")"
        remarks.append(OPEN_BRACKET)
    if (fraction := _FRACTION.match(plain)) is not None and int(fraction[3]):
        value = int(fraction[1] + fraction[2]) / int(fraction[3])
        number = Number(value, None, f"{value:.6g}")
        remarks.append(FRACTION)
    else:
        number = parse_number(plain)
    return None if number is None else Reading(number, " and ".join(dict.fromkeys(remarks)) or SPACE)


def irregular(cells: Sequence[str], unit: str = "") -> Iterator[tuple[int, str, Reading | None]]:
    """Rows of a raw column that are not numbers by the grammar: row, text, and what they mean (None: nothing certain).

    Unknown values are regular. One search through the joined column passes most columns.
    """
    if _REGULAR.match("\n".join([*cells, ""])):
        return
    for row, raw in enumerate(cells):
        text = text_of(raw)
        if raw in ("?", ".") or parse_number(text) is not None:
            continue
        yield row, text, read_number(text, unit)
