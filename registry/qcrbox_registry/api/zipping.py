"""A zip archive as a stream: not compressed, sizes known beforehand; memory does not grow with them."""

from __future__ import annotations

import binascii
import struct
import time
from collections.abc import AsyncIterator, Sequence

_FLAGS = 0x0808  # sizes and CRC after the data; names are UTF-8
_VERSION = 45  # zip64
_MOST32 = 0xFFFFFFFF


async def zip_stream(
    entries: Sequence[tuple[str, int, AsyncIterator[bytes]]], modified: float
) -> AsyncIterator[bytes]:
    """(name, size, chunks) of each file; `modified` is the time written for all, Unix s (ZIP APPNOTE 6.3.9)."""
    stamp = time.gmtime(max(modified, 315532800.0))  # zip begins in 1980
    dos_time = stamp.tm_hour << 11 | stamp.tm_min << 5 | stamp.tm_sec // 2
    dos_date = (stamp.tm_year - 1980) << 9 | stamp.tm_mon << 5 | stamp.tm_mday
    directory: list[bytes] = []
    at = 0
    for name, size, chunks in entries:
        raw = name.encode("utf-8", "replace")
        start, large = at, size >= _MOST32
        # The extra field announces eight-byte sizes in the descriptor.
        extra = struct.pack("<HHQQ", 1, 16, 0, 0) if large else b""
        head = struct.pack(
            "<4sHHHHHIIIHH",
            b"PK\x03\x04",
            _VERSION,
            _FLAGS,
            0,
            dos_time,
            dos_date,
            0,
            _MOST32 if large else 0,
            _MOST32 if large else 0,
            len(raw),
            len(extra),
        )
        yield head + raw + extra
        at += len(head) + len(raw) + len(extra)
        crc, written = 0, 0
        async for chunk in chunks:
            crc = binascii.crc32(chunk, crc)
            written += len(chunk)
            yield chunk
        at += written
        tail = struct.pack("<4sIQQ" if large else "<4sIII", b"PK\x07\x08", crc, written, written)
        yield tail
        at += len(tail)
        directory.append(_central(raw, crc, written, start, dos_time, dos_date))
    yield b"".join(directory)
    yield _end(len(directory), sum(map(len, directory)), at)


def _central(name: bytes, crc: int, size: int, start: int, dos_time: int, dos_date: int) -> bytes:
    large = b""
    if size >= _MOST32:
        large += struct.pack("<QQ", size, size)
    if start >= _MOST32:
        large += struct.pack("<Q", start)
    extra = struct.pack("<HH", 1, len(large)) + large if large else b""
    head = struct.pack(
        "<4sHHHHHHIIIHHHHHII",
        b"PK\x01\x02",
        _VERSION,
        _VERSION,
        _FLAGS,
        0,
        dos_time,
        dos_date,
        crc,
        min(size, _MOST32),
        min(size, _MOST32),
        len(name),
        len(extra),
        0,
        0,
        0,
        0o644 << 16,
        min(start, _MOST32),
    )
    return head + name + extra


def _end(count: int, size: int, at: int) -> bytes:
    large = b""
    if count >= 0xFFFF or size >= _MOST32 or at >= _MOST32:
        large = struct.pack(
            "<4sQHHIIQQQQ", b"PK\x06\x06", 44, _VERSION, _VERSION, 0, 0, count, count, size, at
        )
        large += struct.pack("<4sIQI", b"PK\x06\x07", 0, at + size, 1)
    return large + struct.pack(
        "<4sHHHHIIH",
        b"PK\x05\x06",
        0,
        0,
        min(count, 0xFFFF),
        min(count, 0xFFFF),
        min(size, _MOST32),
        min(at, _MOST32),
        0,
    )
