"""What tables and plots need of a model: a CIF block with its structure."""

from __future__ import annotations

from typing import Protocol

from qcrbox.cif.document import Block, Document
from qcrbox.crystallography.structure import Structure


class CifModel(Protocol):
    """A CIF with one block chosen."""

    filename: str

    @property
    def document(self) -> Document:
        """The whole file."""

    @property
    def block(self) -> Block:
        """The chosen block."""

    @property
    def structure(self) -> Structure:
        """The structure of the chosen block."""
