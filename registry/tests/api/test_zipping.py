"""Archives as other programs read them: here Python's zipfile."""

from __future__ import annotations

import io
import zipfile

import pytest
from qcrbox_registry.api import zipping
from qcrbox_registry.api.zipping import zip_stream

JUNE_2026 = 1780315200.0  # 2026-06-01T12:00:00Z


async def pieces(content):
    for start in range(0, len(content), 3):
        yield content[start : start + 3]


async def archive(entries, modified=JUNE_2026):
    stream = zip_stream([(name, len(content), pieces(content)) for name, content in entries], modified)
    return zipfile.ZipFile(io.BytesIO(b"".join([chunk async for chunk in stream])))


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [("empty", b"")],
        [("a.cif", b"data_a\n"), ("b.hkl", bytes(range(256)))],
        [("β-quartz ü.cif", b"data_a\n"), ("日本語", b"x")],
        [("a" * 200, b"x")],
    ],
    ids=["no file", "empty file", "two", "other alphabets", "long name"],
)
async def test_an_archive_holds_names_and_bytes(entries):
    found = await archive(entries)
    assert found.testzip() is None
    assert [(name, found.read(name)) for name in found.namelist()] == entries


@pytest.mark.parametrize(
    ("modified", "shown"),
    [
        (JUNE_2026, (2026, 6, 1, 12, 0, 0)),
        (JUNE_2026 + 7, (2026, 6, 1, 12, 0, 6)),
        (0.0, (1980, 1, 1, 0, 0, 0)),
    ],
    ids=["even", "odd second", "before 1980"],
)
async def test_the_time_of_an_archive_is_that_of_its_dataset(modified, shown):
    assert (await archive([("a", b"x")], modified)).getinfo("a").date_time == shown


async def test_files_are_unpacked_readable():
    info = (await archive([("a", b"x")])).getinfo("a")
    assert info.external_attr >> 16 == 0o644
    assert info.compress_type == zipfile.ZIP_STORED


@pytest.mark.slow
async def test_more_files_than_the_first_format_can_count():
    number = 0x10001

    async def nothing():
        return
        yield b""

    stream = zip_stream([(f"{n}", 0, nothing()) for n in range(number)], JUNE_2026)
    content = b"".join([chunk async for chunk in stream])
    assert len(zipfile.ZipFile(io.BytesIO(content)).infolist()) == number


async def test_sizes_of_more_than_four_gigabytes_have_eight_bytes(monkeypatch):
    """Announced as such a size, with few bytes in it: the fields of the format are the same."""

    async def few():
        yield b"some bytes"

    stream = zip_stream([("large", 0x1_0000_0000, few()), ("small", 10, few())], JUNE_2026)
    found = zipfile.ZipFile(io.BytesIO(b"".join([chunk async for chunk in stream])))
    assert [found.read(name) for name in ("large", "small")] == [b"some bytes"] * 2
    central = zipping._central(b"large", 0, 0x1_2345_6789, 0x2_0000_0000, 0, 0)
    assert (0x1_2345_6789).to_bytes(8, "little") * 2 in central
    assert (0x2_0000_0000).to_bytes(8, "little") in central
