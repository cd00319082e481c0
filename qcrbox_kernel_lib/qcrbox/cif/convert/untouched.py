"""Values that a program hands back as it got them: they keep the digits that their author gave them.

A command reads `-0.002(2)` where `-0.0025` with s.u. `0.0024` is stored, since brackets follow the 2-19 rule. When it
writes the same text again, the parameter was not refined, and the stored digits stay.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from qcrbox.cif import names
from qcrbox.cif.quoting import text_of
from qcrbox.cif.values import merge_su, value_and_su

_ABSENT = ("?", ".")


def is_measured(tag: str, has_su: bool) -> bool:
    """Whether equal numbers of an item mean the same: unknown items may be versions such as `1.10`."""
    known = names.facts(tag)
    return has_su if known is None else known.is_number and not known.is_label


def same_value(value: str, su: str | None, new: str, new_su: str | None) -> bool:
    """Whether an output's raw value and s.u. are those of the source, perhaps rounded by the 2-19 rule.

    None means that there is no s.u. column or item at all. A program that writes no s.u. leaves that of an equal
    value alone; one that writes s.u., but none here, has fixed the parameter.
    """
    if value == new and (su == new_su or new_su is None):
        return True
    if "_" in value + new or value in _ABSENT or new in _ABSENT:
        return False
    uncertainty, new_uncertainty = _positive(su), _positive(new_su)
    try:
        before, after = float(text_of(value)), float(text_of(new))
        if abs(before - after) > (uncertainty or 0):
            return False
        if uncertainty is None or new_su is None:
            return before == after and new_uncertainty is None
        if new_uncertainty is None:
            return False
        return _equal_rounded(text_of(value), text_of(su or "0"), text_of(new), text_of(new_su))
    except (ValueError, InvalidOperation):
        return False


def _positive(su: str | None) -> float | None:
    if su is None or su in _ABSENT:
        return None
    try:
        return float(text_of(su)) or None
    except ValueError:
        return None


def _equal_rounded(value: str, su: str, new: str, new_su: str) -> bool:
    given = Decimal(new), Decimal(new_su)
    if given == (Decimal(value), Decimal(su)):
        return True
    rounded = value_and_su(merge_su(value, su))
    return rounded is not None and given == (Decimal(rounded[0]), Decimal(rounded[1]))


def untouched_rows(
    own: list[str],
    own_su: list[str] | None,
    new: list[str],
    new_su: list[str] | None,
    rows: list[int] | None,
) -> bytearray:
    """Which rows (n flags) of a source's column the output left alone, though its text may differ.

    `rows` gives the output's row for each row of the source (-1 none; None: the same rows).
    """
    if rows is None and own == new and (own_su == new_su or new_su is None):
        return bytearray(b"\1") * len(own)
    kept = bytearray(len(own))
    for row, value in enumerate(own):
        place = row if rows is None else rows[row]
        if place < 0:
            continue
        su = None if own_su is None else own_su[row]
        given = None if new_su is None else new_su[place]
        kept[row] = (value == new[place] and (su == given or given is None)) or same_value(
            value, su, new[place], given
        )
    return kept


def same_texts(own: list[str], new: list[str], rows: list[int] | None) -> bytearray | None:
    """Which rows (n flags) of a column of texts the output only quotes differently; None where it quotes nothing."""
    if not any(cell[0] in "'\"" for cell in (*own, *new)):
        return None
    kept = bytearray(len(own))
    for row, cell in enumerate(own):
        place = row if rows is None else rows[row]
        kept[row] = (
            place >= 0
            and (cell in _ABSENT) == (new[place] in _ABSENT)
            and text_of(cell) == text_of(new[place])
        )
    return kept
