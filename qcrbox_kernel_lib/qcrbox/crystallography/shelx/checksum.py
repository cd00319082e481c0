"""SHELXL's checksums of embedded .res, .hkl and .fab texts."""

from __future__ import annotations

import numpy as np

from qcrbox.cif.document import Block

PAIRS = (
    ("_shelx_res_file", "_shelx_res_checksum"),
    ("_shelx_hkl_file", "_shelx_hkl_checksum"),
    ("_shelx_fab_file", "_shelx_fab_checksum"),
)


def checksum(text: str) -> int:
    """The number SHELXL writes for a text: printable characters count, blanks and line ends do not.

    So a text whose line ends were changed on its way keeps its checksum.
    """
    codes = np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)
    total = int(codes[codes > 32].sum(dtype=np.int64)) % 714025
    return (total * 1366 + 150889) % 714025 % 100000


def wrong_checksums(block: Block) -> list[tuple[str, int, int]]:
    """Embedded texts whose stated checksum does not fit: (item, stated, computed)."""
    wrong = []
    for tag, sum_tag in PAIRS:
        stated, text = block.number(sum_tag), block.text(tag)
        if stated is not None and text is not None and checksum(text) != int(stated.value):
            wrong.append((tag, int(stated.value), checksum(text)))
    return wrong
