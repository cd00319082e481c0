"""Reading a CIF: bytes in, document with positions and diagnostics out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from qcrbox.cif import tokens
from qcrbox.cif.decoding import Decoded, prepare
from qcrbox.cif.diagnostics import Severity
from qcrbox.cif.document import Document
from qcrbox.cif.scanner import Scanner
from qcrbox.contract.errors import CifError


def read(
    source: bytes | str | Path,
    *,
    filename: str | None = None,
    on_error: Literal["raise", "keep"] = "raise",
) -> Document:
    """Read a CIF from bytes, from its text, or from a path.

    A `str` that holds no line end and names an existing file is a path, any other is the text itself.
    `filename` is used in messages only. With `on_error="keep"` errors become diagnostics and what could
    be read is given back; otherwise the first one is raised as CifError, with the others as details.
    """
    original, name = _bytes_of(source, filename)
    prepared = prepare(original, name)
    document = _read_as(prepared, original, name, prepared.cif2)
    if not prepared.cif2 and tokens.looks_like_cif2(prepared.data, prepared.start, prepared.end):
        second = _read_as(prepared, original, name, True, magic_missing=True)
        if second.diagnostics and second.diagnostics[-1].code == "cif2-without-magic":
            document = second
    errors = [remark for remark in document.diagnostics if remark.severity is Severity.ERROR]
    if errors and on_error == "raise":
        raise errors[0].as_error(errors[1:20])
    return document


def _bytes_of(source: bytes | str | Path, filename: str | None) -> tuple[bytes, str]:
    if isinstance(source, Path) or (isinstance(source, str) and _is_path(source)):
        path = Path(source)
        try:
            return path.read_bytes(), filename or path.name
        except OSError as error:
            raise CifError(
                "The file cannot be read.", where=str(path), why=error.strerror or str(error), file=str(path)
            ) from error
    if isinstance(source, str):
        try:
            return source.encode("utf-8", "surrogateescape"), filename or ""
        except UnicodeEncodeError as error:
            raise CifError(
                "The text holds half of a surrogate pair, which is no character.",
                where=filename or "",
                next="Read the file as bytes.",
                file=filename,
            ) from error
    return bytes(source), filename or ""


def _is_path(text: str) -> bool:
    # os.path.isfile is false for a text that is too long for the name of a file; Path.is_file raises OSError.
    return 0 < len(text) < 4096 and not set("\n\r\0") & set(text) and os.path.isfile(text)


def _read_as(
    prepared: Decoded, original: bytes, name: str, cif2: bool, *, magic_missing: bool = False
) -> Document:
    reader = Scanner(prepared, name, cif2)
    reader.read()
    if magic_missing and reader.saw_cif2 and not reader.has_errors:
        reader.remark(
            Severity.WARNING,
            "cif2-without-magic",
            "The file uses lists, tables or triple quotes of CIF 2 without the CIF 2 header; it was read as CIF 2.",
            0,
            next="Begin it with the line #\\#CIF_2.0.",
        )
    return Document(
        reader.blocks,
        original=original,
        source=reader.source,
        cif2=cif2,
        filename=name,
        diagnostics=reader.diagnostics,
    )
