"""Conversion of CIF between programs: unify, specific, merge back, trim.

    unify(source, custom_categories=None, split_su=True, block=None) -> Conversion
    specific(source, InputEntries(...)) -> Conversion            what one command reads
    merge_back(output, source, OutputEntries(...)) -> Conversion  what it wrote, put into the source
    trim(block, keep, delete, drop_empty) -> Block
    missing_entries(source, entries) -> list[str],  can_run(source, entries) -> bool
    is_cif(content) -> bool,  unify_if_cif(content) -> bytes

A `Conversion` has `document`, `block`, `bytes`, `text` and `warnings` (list of Diagnostic). Sources are bytes,
text, paths or documents, in any dialect, and are never changed.
"""

from qcrbox.cif.convert.entries import (
    ALL_UNIFIED,
    DDL1,
    DEFAULT_CATEGORIES,
    DIALECTS,
    InputEntries,
    OutputEntries,
    Wanted,
    collect,
    sets_by_name,
)
from qcrbox.cif.convert.merge_back import merge_back, merged_block
from qcrbox.cif.convert.result import Conversion, Source
from qcrbox.cif.convert.specific import can_run, missing_entries, specific
from qcrbox.cif.convert.spelling import unified_name
from qcrbox.cif.convert.su import merge_block, split_block
from qcrbox.cif.convert.trim import trim
from qcrbox.cif.convert.unify import unified_block, unify, unify_if_cif
from qcrbox.cif.detect import is_cif

__all__ = [
    "ALL_UNIFIED",
    "DDL1",
    "DEFAULT_CATEGORIES",
    "DIALECTS",
    "Conversion",
    "InputEntries",
    "OutputEntries",
    "Source",
    "Wanted",
    "can_run",
    "collect",
    "is_cif",
    "merge_back",
    "merge_block",
    "merged_block",
    "missing_entries",
    "sets_by_name",
    "specific",
    "split_block",
    "trim",
    "unified_block",
    "unified_name",
    "unify",
    "unify_if_cif",
]
