"""The bytes of a file that positions in a document refer to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """data: the original, or its UTF-8 form where that was UTF-16; cif2: whether values follow CIF 2.

    One object serves all items and loops of a file.
    """

    data: bytes = b""
    encoding: str = "utf-8"
    cif2: bool = False


NO_SOURCE = Source()
