"""CIF items that a command needs and a file lacks, for a refusal before anything is queued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qcrbox.cif.names import key
from qcrbox.spec import CifInput

# Entries and patterns that stand for no single item; a file never lacks them.
_ANYTHING = frozenset({"all_unified"})
_PATTERN = frozenset("*+?[](){}^$|\\")


def missing_items(names: set[str], wanted: CifInput, entry_sets: Mapping[str, Any]) -> list[str]:
    """The required entries that none of `names` (made by `qcrbox.cif.names.key`) fulfils, as texts."""
    entries = list(wanted.required_entries)
    for set_name in wanted.required_entry_sets:
        entries += (entry_sets.get(set_name) or {}).get("required", ())
    lacking = [_words(entry) for entry in entries if not _fulfilled(entry, names)]
    return list(dict.fromkeys(lacking))


def _fulfilled(entry: Any, names: set[str]) -> bool:
    if isinstance(entry, Mapping):
        return any(_fulfilled(part, names) for part in entry.get("one_of", ()))
    if isinstance(entry, list):
        return all(_fulfilled(part, names) for part in entry)
    if entry in _ANYTHING or set(entry) & _PATTERN:
        return True
    wanted = key(entry)
    if wanted in names:
        return True
    # A value with its s.u. is one item in one file and two in another.
    return wanted.endswith("_su") and wanted.removesuffix("_su") in names


def _words(entry: Any) -> str:
    if isinstance(entry, Mapping):
        return "one of (" + "; ".join(_words(part) for part in entry.get("one_of", ())) + ")"
    return " with ".join(_words(part) for part in entry) if isinstance(entry, list) else str(entry)
