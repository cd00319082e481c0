"""Hermann-Mauguin symbols as people write them, and the settings they may mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from qcrbox.crystallography._gemmi import gemmi

# `R -3 c :R`, `R-3m (H)`, `R -3 c RS`, `R-3mHR`, `F d -3 m Z`: no symbol itself ends in h, r, s or z.
_SETTING = re.compile(
    r"\s*(?::\s*(hr|rs|[hr12sz][abc123-]*|-?[abc]{1,3}[123]?)|\((hr|rs|[hrsz])\)|(hr|rs|[hrsz]))\s*$"
)
# International Tables renamed these in 1992; gemmi's table has the older names.
_DOUBLE_GLIDE = {
    "aem2": "a b m 2",
    "aea2": "a b a 2",
    "cmce": "c m c a",
    "cmme": "c m m a",
    "ccce": "c c c a",
}
# `R 3 c {rhombohedral axes}`, `F d -3 m (origin choice 2)`.
_SETTING_WORDS = re.compile(
    r"[\[({]?\s*(?:origin\s*(?:choice|setting|no\.?)?\s*(?P<origin>[12])|(?P<axes>rhombohedral|hexagonal)"
    r"\s*(?:axes|setting|cell)?)\s*[\])}]?\s*$"
)
_SETTING_NAMES = {"s": "1", "z": "2", "hr": "h", "rs": "r"}
# Sub- and superscripts and overbars of other texts: `P 2~1~/c`, `P2<sub>1</sub>/c`, `P 1\u0305`, `P \\bar 1`.
_MARKUP = re.compile(r"</?su[bp]>|[~_$^]|(?<=[0-9]){|{(?=[0-9])|(?<=[0-9])}")
# A word of a full symbol: an axis, a plane, or an axis and the plane normal to it: `21/n`, `-3`, `m`, `1`.
_ELEMENT = re.compile(r"(?:2|21|-3|3|4|4[123]|-4|6|6[1-5]|-6)(?:/[mabcden])?|[mabcden]|1")
_MINUS = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2212", "------")
_BAR = re.compile(r"(?:\\?bar\s*)(\d)|(\d)[\u0304\u0305]")


@lru_cache(maxsize=1)
def _symbols() -> dict[str, list[gemmi.SpaceGroup]]:
    table: dict[str, list[gemmi.SpaceGroup]] = {}
    for entry in gemmi.spacegroup_table():
        full = entry.hm.lower().replace("(", "").replace(")", "")  # the table holds 'P 21212(a)'
        spellings = [full]
        if entry.crystal_system() == gemmi.CrystalSystem.Monoclinic:
            spellings.append(" ".join(word for word in full.split() if word != "1"))
        for spelling in spellings:
            for key in dict.fromkeys((spelling, "|" + spelling.replace(" ", ""))):
                table.setdefault(key, []).append(entry)
    return table


# `P 1 21/c 1 (No. 14)`, `P b c a (61)`, `C 2/c, No.15`
_NUMBER = re.compile(r"\s*[,(]?\s*(?:(?:no\.?|#)\s*\d{1,3}\s*\)?|(?<=\()\d{2,3}\))\s*$")


def plain_symbol(symbol: str) -> str:
    """A symbol in lower case with single blanks and plain digits, without markup: `P 2₁/c` as `p 21/c`."""
    text = unicodedata.normalize("NFKC", symbol).translate(_MINUS)
    text = _MARKUP.sub("", text.strip().strip("'\"").lower())
    text = _BAR.sub(lambda match: f"-{match[1] or match[2]}", text)
    return " ".join(text.split())


def find_by_hm(symbol: str) -> list[gemmi.SpaceGroup]:
    """Every entry of gemmi's table that matches a Hermann-Mauguin symbol, best first.

    Several entries are returned when the symbol leaves the setting open.
    """
    bare, setting = split_setting(symbol)
    whole = _NUMBER.sub("", plain_symbol(symbol))
    for candidate, wanted in ((bare, setting), (whole, ""), (_short_symbol(bare), setting)):
        entries = _entries(candidate)
        fitting = [entry for entry in entries if has_setting(entry, wanted)]
        if entries:
            return _standard_first(fitting or entries)
    # Names of CCP4 and others: H 3, P 21212a.
    known = gemmi.find_spacegroup_by_name(symbol.strip()) if symbol.isascii() else None
    return [known] if known is not None else []


def split_setting(symbol: str) -> tuple[str, str]:
    """A plain symbol and the setting it states, as gemmi names it: `1`, `2`, `h`, `r`, `b1`, `ba-c`, or empty."""
    text = _NUMBER.sub("", plain_symbol(symbol))
    if (words := _SETTING_WORDS.search(text)) is not None:
        setting = words["origin"] or (words["axes"] or "")[:1]
        return (text[: words.start()] + text[words.end() :]).strip(), setting
    match = _SETTING.search(text)
    if not match or not match.start():
        return text, ""
    letter = match[1] or match[2] or match[3]
    return text[: match.start()], _SETTING_NAMES.get(letter, letter)


def has_setting(entry: gemmi.SpaceGroup, setting: str) -> bool:
    return not setting or entry.ext.lower() == setting or entry.qualifier == setting


def _entries(bare: str) -> list[gemmi.SpaceGroup]:
    plain = bare.replace("(", "").replace(")", "")
    plain = _DOUBLE_GLIDE.get(plain.replace(" ", ""), plain)
    return _symbols().get(plain) or _symbols().get("|" + plain.replace(" ", "")) or []


def _short_symbol(full: str) -> str:
    """`f 4/d -3 2/m` as `f d -3 m`, `p 21/n 21/m 21/a` as `p n m a`: planes alone name these groups.

    Empty for a monoclinic symbol (`b 1 21/c 1`), where the plane alone names another group, and for one that is wrong.
    """
    lattice, *parts = full.split() or [""]
    monoclinic = parts.count("1") == 2
    if len(parts) < 2 or monoclinic or not all(_ELEMENT.fullmatch(part) for part in parts):
        return ""
    cubic = parts[1] in ("3", "-3")
    keeps_first = not cubic and parts[0][0] in "46"
    short = [
        part if place == 0 and keeps_first else part.rpartition("/")[2] for place, part in enumerate(parts)
    ]
    return " ".join([lattice, *short])


def _standard_first(entries: list[gemmi.SpaceGroup]) -> list[gemmi.SpaceGroup]:
    # P 21/n has unique axis b unless the file states another.
    return sorted(
        entries, key=lambda entry: not entry.qualifier.startswith("b") if entry.qualifier else False
    )


def choose_setting(
    entries: list[gemmi.SpaceGroup], cell_angles: Sequence[float] | None, code: str = ""
) -> tuple[gemmi.SpaceGroup, str]:
    """One of the entries a symbol may mean, and a note when that is an assumption.

    cell_angles: alpha, beta, gamma in degrees; they distinguish hexagonal from rhombohedral axes, and show the unique axis.
    code: `_space_group_IT_coordinate_system_code`, as `2`, `b1`, `ba-c`, `1abc` or `h`.
    """
    if code:
        fitting = [entry for entry in entries if has_code(entry, code)]
        if not fitting:
            return choose_setting(entries, cell_angles)[0], (
                f"The coordinate system code '{code}' is none of the settings of {entries[0].hm}; it is not used."
            )
        entries = fitting
    if len(entries) == 1:
        return entries[0], ""
    by_setting = {entry.ext: entry for entry in entries}
    if {"H", "R"} <= set(by_setting):
        if cell_angles is None:
            return by_setting["H"], f"{entries[0].hm} does not state its axes; hexagonal axes are assumed."
        hexagonal = abs(cell_angles[2] - 120) < 0.5 and abs(cell_angles[0] - 90) < 0.5
        return by_setting["H" if hexagonal else "R"], ""
    if {"1", "2"} <= set(by_setting):
        return by_setting["1"], (
            f"{entries[0].hm} does not state its origin; origin choice 1 is assumed. "
            "Give the symmetry operations to be certain."
        )
    if cell_angles is not None and entries[0].crystal_system() == gemmi.CrystalSystem.Monoclinic:
        free = max(range(3), key=lambda axis: abs(cell_angles[axis] - 90))
        if abs(cell_angles[free] - 90) > 0.01:
            fitting = [entry for entry in entries if entry.qualifier.lstrip("-")[:1] == "abc"[free]]
            return (fitting or entries)[0], ""
    return entries[0], ""


def axes_of_cell(entry: gemmi.SpaceGroup, cell_angles: Sequence[float]) -> tuple[gemmi.SpaceGroup, str]:
    """The entry, or the one with the other axes of a rhombohedral lattice where only those fit the cell; with a note."""
    alpha, beta, gamma = cell_angles
    hexagonal = abs(gamma - 120) < 0.5 and abs(alpha - 90) < 0.5 and abs(beta - 90) < 0.5
    rhombohedral = max(alpha, beta, gamma) - min(alpha, beta, gamma) < 0.5 and not hexagonal
    if (entry.ext == "R" and hexagonal) or (entry.ext == "H" and rhombohedral):
        wanted = "H" if hexagonal else "R"
        other = next((setting for setting in _entries(entry.hm.lower()) if setting.ext == wanted), None)
        if other is not None:
            return (
                other,
                f"{entry.xhm()} is stated, but the cell has the axes of {other.xhm()}, which is taken.",
            )
    return entry, ""


def has_code(entry: gemmi.SpaceGroup, code: str) -> bool:
    """Whether an entry is the setting of a coordinate system code (core dictionary)."""
    text = code.strip().lower()
    origin, axes = (text[0], text[1:]) if text[:1] in ("1", "2") else ("", text)
    if axes in ("h", "r"):
        return entry.ext.lower() == axes
    if origin and entry.ext != origin:
        return False
    qualifier = entry.qualifier.lower()
    if axes in ("", "abc"):
        return qualifier == "" or not axes
    # Groups with one cell choice have `b` for the dictionary's `b1`.
    return qualifier in (axes, axes.removesuffix("1"))


def entries_of_number(number: int) -> list[gemmi.SpaceGroup]:
    """Every setting of a number of International Tables, the standard one first; empty beyond 1..230."""
    # gemmi answers P 1 for 0.
    standard = gemmi.find_spacegroup_by_number(number) if 1 <= number <= 230 else None
    if standard is None:
        return []
    others = [entry for entry in gemmi.spacegroup_table() if entry.number == number]
    return [standard, *(entry for entry in others if entry.xhm() != standard.xhm())]
