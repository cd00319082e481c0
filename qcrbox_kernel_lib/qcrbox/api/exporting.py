"""A CIF for a journal, with reflections and model embedded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qcrbox.api.names import as_list
from qcrbox.cif.convert.journal_cif import ascii_document, conventional_document
from qcrbox.client.writing import write_new
from qcrbox.contract.errors import MissingItemsError, UserInputError

TAGS = {"hkl": "_shelx_hkl_file", "res": "_shelx_res_file", "fcf": "_shelx_fcf_file"}


def export(
    cif: Any, files: Mapping[str, Any], path: Path, embed: str | Sequence[str], *, unified: bool = False
) -> Path:
    """Write the CIF to `path` with the names of its author (or as it is stored); an existing file is not overwritten.

    Files already embedded are kept. Raises MissingItemsError when a file to embed does not exist.
    """
    document = document_to_export(cif, unified=unified)
    for kind in as_list(embed):
        embed_file(document[cif.block.name], files, kind)
    return write_document(path, document, ascii_only=not unified)


def document_to_export(cif: Any, *, unified: bool = False) -> Any:
    """A copy of the document that may be changed."""
    # Start-up time: the CIF reader is loaded with the first CIF.
    from qcrbox.cif import read

    document = read(cif.bytes, filename=cif.filename)
    if unified:
        return document
    return conventional_document(document[cif.block.name], cif.filename, spell=cif.spelling)


def embed_file(block: Any, files: Mapping[str, Any], kind: str) -> None:
    """Put the file of this kind ("hkl", "res", "fcf") into the block, unless it holds one."""
    if kind not in TAGS:
        raise UserInputError(f"embed knows {', '.join(TAGS)}; you gave {kind!r}.")
    if TAGS[kind] in block:
        return
    found = [file for name, file in files.items() if name.lower().endswith(f".{kind}")]
    if not found:
        raise MissingItemsError(f"There is no .{kind} file to embed.", items=[kind])
    text = found[0].bytes.decode("latin-1").replace("\r\n", "\n")
    block.set(TAGS[kind], f"\n{text.rstrip()}\n")


def write_document(path: Path, document: Any, *, ascii_only: bool) -> Path:
    """Write a document to a new file. Raises UserInputError when the file exists."""
    return write_new(path, ascii_document(document).encode("ascii") if ascii_only else document.to_bytes())
