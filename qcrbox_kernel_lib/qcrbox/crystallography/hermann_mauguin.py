"""Hermann-Mauguin symbols as people write them, and the settings they may mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from qcrbox.crystallography._gemmi import gemmi

_SETTING = re.compile(r"\s*(?::\s*([hr12sz][abc123-]*|-?[abc]{1,3}[123]?)|\(([hrsz])\)|\s([hrsz]))\s*$")
# International Tables renamed these in 1992; gemmi's table has the older names.
_DOUBLE_GLIDE = {
    "aem2": "a b m 2",
    "aea2": "a b a 2",
    "cmce": "c m c a",
    "cmme": "c m m a",
    "ccce": "c c c a",
}
_SETTING_NAMES = {"s": "1", "z": "2"}


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


def find_by_hm(symbol: str) -> list[gemmi.SpaceGroup]:
    """Every entry of gemmi's table that a Hermann-Mauguin symbol may stand for, best first.

    Several entries are returned when the symbol leaves the setting open.
    """
    text = " ".join(symbol.strip().strip("'\"").lower().replace("_", "").split())
    text = _NUMBER.sub("", text)
    match = _SETTING.search(text)
    setting = ""
    if match and match.start():
        letter = match[1] or match[2] or match[3]
        setting, stripped = _SETTING_NAMES.get(letter, letter), text[: match.start()]
    else:
        stripped = text
    for candidate, wanted in ((stripped, setting), (text, "")):
        bare = candidate.replace("(", "").replace(")", "")
        bare = _DOUBLE_GLIDE.get(bare.replace(" ", ""), bare)
        entries = _symbols().get(bare) or _symbols().get("|" + bare.replace(" ", "")) or []
        if wanted:
            entries = [entry for entry in entries if entry.ext.lower() == wanted or entry.qualifier == wanted]
        if entries:
            return _standard_first(entries)
    # Names of CCP4 and others: H 3, P 21212a.
    known = gemmi.find_spacegroup_by_name(symbol.strip()) if symbol.isascii() else None
    return [known] if known is not None else []


def _standard_first(entries: list[gemmi.SpaceGroup]) -> list[gemmi.SpaceGroup]:
    # P 21/n means unique axis b unless the file says otherwise.
    return sorted(
        entries, key=lambda entry: not entry.qualifier.startswith("b") if entry.qualifier else False
    )


def choose_setting(
    entries: list[gemmi.SpaceGroup], cell_angles: Sequence[float] | None
) -> tuple[gemmi.SpaceGroup, str]:
    """One of the entries a symbol may mean, and a note when that is an assumption.

    cell_angles: alpha, beta, gamma in degrees; they tell hexagonal from rhombohedral axes, and the unique axis.
    """
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
