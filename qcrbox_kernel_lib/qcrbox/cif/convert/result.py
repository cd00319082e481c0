"""The result of a conversion, and the block it works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from qcrbox.cif.diagnostics import Diagnostic, Severity
from qcrbox.cif.document import Block, Document
from qcrbox.cif.reader import read

Source = Document | bytes | str | Path


@dataclass
class Conversion:
    """A converted CIF with the warnings that belong to it."""

    document: Document
    warnings: list[Diagnostic] = field(default_factory=list)
    _bytes: bytes | None = field(default=None, repr=False)

    @property
    def bytes(self) -> bytes:
        """UTF-8 with LF line ends."""
        if self._bytes is None:
            self._bytes = self.document.to_bytes()
        return self._bytes

    @property
    def text(self) -> str:
        """The converted CIF as text."""
        return self.bytes.decode("utf-8")

    @property
    def block(self) -> Block:
        """The block that was converted."""
        return self.document.blocks[0]


def as_document(source: Source, filename: str = "") -> Document:
    """The document of a source; a document is returned as it is."""
    return source if isinstance(source, Document) else read(source, filename=filename or None)


def chosen_block(document: Document, block: str | int | None, warnings: list[Diagnostic]) -> Block:
    """The block asked for; by default the first with content, with a warning when there are others."""
    if block is not None:
        return document[block]
    filled = [own for own in document.blocks if own.entries]
    chosen = filled[0] if filled else document[0]
    if len(filled) > 1:
        listed = ", ".join(own.name or "(no name)" for own in filled[:10])
        warnings.append(
            warning(
                "several-blocks",
                f"The file has {len(filled)} data blocks ({listed}); the first one was used.",
                chosen.name,
                next="Name the block to use another one.",
            )
        )
    return chosen


def warning(code: str, what: str, block: str = "", *, tag: str = "", next: str = "") -> Diagnostic:  # noqa: A002
    """A diagnostic of severity warning."""
    return Diagnostic(Severity.WARNING, code, what, next, block=block, tag=tag)
