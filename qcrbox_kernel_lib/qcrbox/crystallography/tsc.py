"""Tables of atomic form factors for aspherical refinement: .tsc (text) and .tscb (binary).

A table gives one complex form factor for every scatterer and reflection. Text form: header lines, among them
`SCATTERERS: C1 H2 ...`, then `DATA:` and rows `h k l re,im re,im ...`. Binary form (little-endian): int32 length
and text of the header, int32 length and text of the scatterers, int32 number of reflections, then per
reflection three int32 and a complex128 for every scatterer.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import CifError

MOST_VALUES = 500_000_000
# Keys that programs read in capitals or not.
_KEYS = ("TITLE", "SYMM", "AD", "SCATTERERS", "SCATTERER_IDS")
_DATA = re.compile(rb"^[ \t]*DATA:", re.IGNORECASE | re.MULTILINE)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass
class FormFactorTable:
    """scatterers: n labels; hkl (m, 3) int; values (m, n) complex; header: its other lines, name -> text."""

    scatterers: list[str]
    hkl: NDArray[np.int32]
    values: NDArray[np.complex128]
    header: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not np.isfinite(self.values).all():
            raise CifError("The table contains a value that is not a number.")
        if self.values.shape != (len(self.hkl), len(self.scatterers)):
            raise CifError(
                f"The form factors do not fit: {self.values.shape} for {len(self.hkl)} reflections and "
                f"{len(self.scatterers)} scatterers."
            )

    def of(self, label: str) -> NDArray[np.complex128]:
        """Form factors (m,) of one scatterer. Raises CifError when it is not in the table."""
        if label not in self.scatterers:
            raise CifError(
                f"The table has no scatterer '{label}'.", next=f"It has {', '.join(self.scatterers[:20])}."
            )
        return self.values[:, self.scatterers.index(label)]


def read_tsc(data: bytes, filename: str = "") -> FormFactorTable:
    """Read a .tsc or .tscb, distinguished by their content. Raises CifError with the reason."""
    return _read_binary(data, filename) if _is_binary(data) else _read_text(data, filename)


def _is_binary(data: bytes) -> bool:
    """A .tscb begins with the length of its header, whose upper bytes are zero."""
    return len(data) >= 12 and b"\0" in data[:4]


def _read_text(data: bytes, filename: str) -> FormFactorTable:
    data = data.removeprefix(_BYTE_ORDER_MARK)
    mark = _DATA.search(data)
    if mark is None:
        raise CifError("The table has no line DATA:.", where=filename, file=filename or None)
    head, body = data[: mark.start()], data[mark.end() :]
    header = _header(head.decode("utf-8", "replace"))
    if "SCATTERER_IDS" in header and "SCATTERERS" not in header:
        raise _names_by_numbers(filename)
    scatterers = header.pop("SCATTERERS", "").split()
    if not scatterers:
        raise CifError("The table names no scatterers.", where=filename, file=filename or None)
    rows = body.replace(b",", b" ").split()
    width = 3 + 2 * len(scatterers)
    if len(rows) % width:
        raise CifError(
            f"The table of {len(scatterers)} scatterers has {len(rows)} numbers, which is not a multiple of {width}.",
            where=filename,
            next="The file may be cut off; make it again.",
            file=filename or None,
        )
    try:
        table = np.array(rows, dtype=np.float64).reshape(len(rows) // width, width)
    except ValueError as problem:
        raise CifError(
            "The table contains a value that is not a number.", where=filename, why=str(problem)
        ) from problem
    indices = table[:, :3]
    if not ((indices == np.rint(indices)) & (np.abs(indices) < 1e6)).all():
        raise CifError(
            "The table holds indices that are not whole numbers.", where=filename, file=filename or None
        )
    values = table[:, 3::2] + 1j * table[:, 4::2]
    return FormFactorTable(scatterers, indices.astype(np.int32), values, header)


def _names_by_numbers(filename: str) -> CifError:
    return CifError(
        "The table names its atoms by identifiers of NoSpherA2 (SCATTERER_IDS) instead of labels.",
        where=filename,
        why="Such an identifier holds the place of an atom before it was refined, and fits none afterwards.",
        next="Write it with labels: NoSpherA2 -tsc_labels table.tscb model.cif.",
        file=filename or None,
    )


def _header(text: str) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        name = name.strip()
        if colon and name:
            header[name.upper() if name.upper() in _KEYS else name] = value.strip()
        elif line.strip():
            # Continues the line before, as long lists of scatterers do.
            last = next(reversed(header), None)
            if last is not None:
                header[last] = f"{header[last]} {line.strip()}"
    return header


def write_tsc(table: FormFactorTable) -> bytes:
    """Text form; numbers with eight decimals in exponent form, `SCATTERERS` and `DATA` last in the header."""
    lines = [f"{name}: {value}".rstrip() for name, value in table.header.items()]
    lines += [f"SCATTERERS: {' '.join(table.scatterers)}", "DATA:"]
    out = BytesIO()
    out.write(("\n".join(lines) + "\n").encode())
    # One format for a whole row: tables have some hundred thousand numbers, and every round writes one.
    row = "%d %d %d " + " ".join(["%.8e,%.8e"] * len(table.scatterers)) + "\n"
    numbers = np.ascontiguousarray(table.values, dtype=np.complex128).view(np.float64)
    for indices, factors in zip(table.hkl.tolist(), numbers.tolist(), strict=True):
        out.write((row % (*indices, *factors)).encode())
    return out.getvalue()


def _record(scatterers: int) -> np.dtype:
    return np.dtype([("hkl", "<i4", 3), ("values", "<c16", scatterers)])


def _read_binary(data: bytes, filename: str) -> FormFactorTable:
    try:
        head, place = _counted_text(data, 0)
        if "SCATTERER_IDS" in head.upper():
            raise _names_by_numbers(filename)
        names, place = _counted_text(data, place)
        (count,) = struct.unpack_from("<i", data, place)
    except struct.error as problem:
        raise CifError("The binary table is cut off in its header.", where=filename) from problem
    scatterers = names.split()
    record = _record(len(scatterers))
    start = place + 4
    if not scatterers or count < 0 or count * max(len(scatterers), 1) > MOST_VALUES:
        raise CifError("This is not a binary table of form factors.", where=filename)
    if len(data) - start < count * record.itemsize:
        raise CifError(
            f"The binary table is cut off: {count} reflections are announced, "
            f"{(len(data) - start) // record.itemsize} are there.",
            where=filename,
            next="Make the file again.",
        )
    if len(data) - start > count * record.itemsize:
        raise CifError(
            f"The binary table has {len(data) - start - count * record.itemsize} bytes more than {count} reflections of "
            f"{len(scatterers)} scatterers take.",
            where=filename,
            why="It may have more columns than names, and then every value would be read from the wrong place.",
            next="Make the file again, or write it as text (.tsc).",
        )
    rows = np.frombuffer(data, record, count, start)
    return FormFactorTable(
        scatterers,
        rows["hkl"].reshape(-1, 3).copy(),
        rows["values"].reshape(count, len(scatterers)).copy(),
        _header(head),
    )


def _counted_text(data: bytes, place: int) -> tuple[str, int]:
    (size,) = struct.unpack_from("<i", data, place)
    if size < 0 or place + 4 + size > len(data):
        raise struct.error("length beyond the end")
    return data[place + 4 : place + 4 + size].decode("utf-8", "replace").rstrip("\0"), place + 4 + size


def write_tscb(table: FormFactorTable) -> bytes:
    """Binary form."""
    head = "".join(f"{name}: {value}\n" for name, value in table.header.items()).encode()
    names = " ".join(table.scatterers).encode()
    rows = np.zeros(len(table.hkl), _record(len(table.scatterers)))
    rows["hkl"] = table.hkl
    rows["values"] = table.values
    parts = [struct.pack("<i", len(head)), head, struct.pack("<i", len(names)), names]
    return b"".join([*parts, struct.pack("<i", len(table.hkl)), rows.tobytes()])
