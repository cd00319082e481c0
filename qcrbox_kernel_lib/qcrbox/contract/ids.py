"""Ids of datasets and data files as the REST contract writes them: `qcrbox_ds_0x…` and `qcrbox_df_0x…`.

Clients split them at `_` and read from the second part what they have. Ids that this product gave out before had the
hexadecimal digits alone; they keep their meaning permanently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DATASET, DATA_FILE = "qcrbox_ds_0x", "qcrbox_df_0x"
_PREFIXES = {"dataset": DATASET, "data_file": DATA_FILE}
_BARE = re.compile(r"[0-9a-f]{32}")


def dataset_id(text: str) -> str:
    """The id of a dataset as it is written now. What never was an id of ours stays as it is."""
    return DATASET + text if _BARE.fullmatch(text) else text


def data_file_id(text: str) -> str:
    """The same for a data file."""
    return DATA_FILE + text if _BARE.fullmatch(text) else text


def of_kind(kind: str, text: str) -> str:
    """The id of an object of this kind; only those of datasets and data files have another form than before."""
    return _PREFIXES[kind] + text if kind in _PREFIXES and _BARE.fullmatch(text) else text


def bare(text: str) -> str:
    """The digits alone, of either kind."""
    for prefix in _PREFIXES.values():
        if text.startswith(prefix):
            return text.removeprefix(prefix)
    return text


def spellings(text: str) -> list[str]:
    """Every way in which the object of this id may have been written down."""
    digits = bare(text)
    if not _BARE.fullmatch(digits):
        return [text]
    return [text, digits] if text != digits else [digits, *(prefix + digits for prefix in _PREFIXES.values())]


def in_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a command with the ids of their files as they are written now."""
    return {name: _in_argument(value) for name, value in arguments.items()}


def _in_argument(value: Any) -> Any:
    given = value.get("data_file_id") if isinstance(value, Mapping) else None
    return {**value, "data_file_id": data_file_id(given)} if isinstance(given, str) else value
