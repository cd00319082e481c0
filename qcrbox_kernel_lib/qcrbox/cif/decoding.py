"""From the bytes of a file to bytes that the scanner can read: byte order marks, encodings, old endings."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from qcrbox.contract.errors import CifError

_PIECE = 1 << 20
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_ALLOWED = bytes(code for code in range(256) if (code >= 32 and code != 127) or code in b"\t\n\v\f\r")
_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass
class Decoded:
    """`data[start:end]` is to be scanned; `remarks` are (code, position, what, next)."""

    data: bytes
    start: int
    end: int
    encoding: str
    cif2: bool = False
    remarks: list[tuple[str, int, str, str]] = field(default_factory=list)


_MAGIC = re.compile(rb"#\\#CIF_2\.0(?=\s|\Z)")


def prepare(original: bytes, filename: str) -> Decoded:
    """Find the encoding and the range to scan. Raises CifError for UTF-16 that is broken."""
    data, encoding = original, "utf-8"
    start, end = 0, len(original)
    remarks: list[tuple[str, int, str, str]] = []
    for mark, name in _UTF16:
        if original.startswith(mark):
            data = _from_utf16(original, name, filename)
            end = len(data)
            remarks.append(("utf-16", 0, "The file is UTF-16; it was read as such.", "Save it as UTF-8."))
    if data.startswith(codecs.BOM_UTF8):
        start = 3
        remarks.append(("byte-order-mark", 0, "The file begins with a byte order mark; it was skipped.", ""))
    trimmed = _end_of_text(data, end)
    if trimmed < end:
        remarks.append(
            ("old-ending", trimmed, "NUL or Ctrl-Z characters at the end of the file were ignored.", "")
        )
        end = trimmed
    if not data.isascii() and not _is_utf8(data):
        encoding = "latin-1"
        place = next(i for i, byte in enumerate(data) if byte > 127)
        remarks.append(
            (
                "latin-1",
                place,
                "The file is not UTF-8; its accented letters were read as Latin-1.",
                "Save it as UTF-8.",
            )
        )
    # Deleting allowed bytes is much faster than searching for others; the search only finds the position.
    control = _CONTROL.search(data, start, end) if data[:end].translate(None, _ALLOWED) else None
    if control:
        remarks.append(
            (
                "control-character",
                control.start(),
                f"Control character {data[control.start()]:#04x} in the file.",
                "Remove it; other programs may refuse the file.",
            )
        )
    magic = _MAGIC.match(data, start, end) is not None
    return Decoded(data, start, end, encoding, magic, remarks)


def _end_of_text(data: bytes, end: int) -> int:
    """The end without a tail of NUL and Ctrl-Z, as DOS programs left it."""
    stop = end
    while stop > 0 and data[stop - 1] in b"\x00\x1a":
        stop -= 1
    return stop


def _from_utf16(original: bytes, name: str, filename: str) -> bytes:
    try:
        return original[2:].decode(name).encode()
    except UnicodeDecodeError as error:
        raise CifError(
            "The file begins like UTF-16 but is not.",
            where=filename,
            why=str(error),
            next="Save it as UTF-8.",
            file=filename or None,
        ) from error


def _is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8, looked at in pieces so that no copy of a large file is made."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data), _PIECE):
            decoder.decode(view[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
