"""A CIF as a row of the index, and its unified form. Loads gemmi and NumPy: only the indexing process imports it."""

from __future__ import annotations

import math
from typing import Any

from qcrbox.cif import names, read
from qcrbox.cif.convert import is_cif, unify
from qcrbox.cif.index import index_file, main_block

from qcrbox_registry.store.tables import cif_index

MOST_NAMES = 5000
_OWN = frozenset({"data_file_id", "indexed_at", "elements", "full", "names"})


def cif_row(content: bytes, filename: str) -> dict[str, Any] | None:
    """The columns of `cif_index`; None when the bytes are no CIF. Raises nothing for a damaged one."""
    if not is_cif(content):
        return None
    document = read(content, filename=filename, on_error="keep")
    record = index_file(document, filename)
    full = _finite(record.to_dict())
    row = {column.name: full.get(column.name) for column in cif_index.c if column.name not in _OWN}
    block = main_block(document)
    tags = [] if block is None else block.tags
    row |= {
        "elements": record.element_text,
        "names": sorted({names.key(tag) for tag in tags[:MOST_NAMES]}),
        "full": full,
    }
    return row


def unified(content: bytes, filename: str) -> bytes:
    """The file in the unified dialect. Raises CifError."""
    return unify(content, filename=filename).bytes


def _finite(value: Any) -> Any:
    """Infinities and NaN as None: JSON has neither."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value
