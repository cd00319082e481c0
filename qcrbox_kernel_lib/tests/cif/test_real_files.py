"""Every CIF inside the installed crystallographic packages, and mutations of them."""

from __future__ import annotations

import importlib.util
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from qcrbox.cif import Document, read
from qcrbox.cif.check import check
from qcrbox.cif.convert import InputEntries, OutputEntries, merge_back, specific, unify
from qcrbox.contract.errors import CifError

sys.path.insert(0, str(Path(__file__).parent))

from cif_strategies import content

PACKAGES = ("iotbx", "cctbx", "smtbx", "mmtbx", "chmpy", "gemmi")


def real_files() -> list[Path]:
    found: set[Path] = set()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            found.update(Path(folder).rglob("*.cif"))
    return sorted(found)


FILES = real_files()
needs_files = pytest.mark.skipif(not FILES, reason="no package with CIF files is installed")


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_real_files_are_there() -> None:
    """The packages of the test extra bring about a dozen; without them nothing below would be tested."""
    pytest.importorskip("iotbx", reason="cctbx-base brings most of the files")
    assert len(FILES) >= 10


def test_reading_and_writing_gives_the_same_bytes(path: Path) -> None:
    assert read(path).to_bytes() == path.read_bytes()


def test_values_are_those_that_gemmi_reads(path: Path) -> None:
    gemmi = pytest.importorskip("gemmi")
    theirs = gemmi.cif.read_file(str(path))
    ours = read(path)
    for block, other in zip(ours, theirs, strict=True):
        assert block.name == other.name
        assert [[item.tag, item.raw] for item in block.items] == [
            list(i.pair) for i in other if i.pair is not None
        ]
        loops = [item.loop for item in other if item.loop is not None]
        assert [loop.tags for loop in block.loops] == [list(loop.tags) for loop in loops]
        for loop, their in zip(block.loops, loops, strict=True):
            assert [cell for piece in loop.pieces() for cell in piece] == list(their.values)


def test_writing_anew_keeps_every_value(path: Path) -> None:
    document = read(path)
    assert content(read(Document(document.blocks).to_bytes())) == content(document)


def test_conversions_go_through_and_are_stable(path: Path) -> None:
    unified = unify(path)
    assert unify(unified.bytes).bytes == unified.bytes
    merged = specific(unified.document, InputEntries(merge_su=True))
    assert len(read(merged.bytes).blocks) == 1
    back = merge_back(merged.bytes, path, OutputEntries())
    assert sorted(back.block.tags) == sorted(unified.block.tags)
    check(path)


BITS = (
    b"'", b'"', b";", b"\n;", b"\n;\n", b"loop_", b"data_x", b"save_", b"global_", b"stop_", b"#", b"_x", b"[", b"]", b"{",
    b"}", b"'''", b'"""', b"\r", b"\x00", b"\xff", b"\\", b"(", b")", b" ", b"\n", b"?", b".", b"1.2(3)", b":", b"\t",
    b"\xef\xbb\xbf", b"#\\#CIF_2.0\n", b"\x1c", b"\x85", b"\x1a",
)  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few random insertions, deletions, copies and changed bytes in a part of a file."""
    start = chance.randrange(max(1, len(data) - 4000))
    content = bytearray(b"data_x\n" + data[start : start + 4000] if chance.random() < 0.5 else data[:8000])
    for _ in range(chance.choice((1, 1, 2, 10))):
        place = chance.randrange(len(content) + 1)
        kind = chance.random()
        if kind < 0.5:
            content[place:place] = chance.choice(BITS)
        elif kind < 0.7:
            del content[place : place + chance.randint(1, 80)]
        elif kind < 0.85:
            other = chance.randrange(len(content) + 1)
            content[place:place] = content[other : other + chance.randint(1, 200)]
        elif place < len(content):
            content[place] = chance.randrange(256)
    return bytes(content)


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    """A hang is a failure. Unix only, as the machines that run the platform are."""

    def late(*_: object) -> None:
        raise TimeoutError(f"longer than {seconds} s")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def assert_sound(data: bytes) -> bool:
    """Reading never crashes, changes nothing, and what reads without error converts without loss."""
    kept = read(data, on_error="keep")
    assert kept.to_bytes() == data
    check(kept)
    try:
        document = read(data)
    except CifError:
        return False
    assert content(read(Document(document.blocks, cif2=document.cif2).to_bytes())) == content(document)
    unified = unify(document)
    assert sorted(read(unified.bytes).blocks[0].tags) == sorted(unified.block.tags)
    assert unify(unified.bytes).bytes == unified.bytes
    read(specific(document, InputEntries(merge_su=True)).bytes)
    read(merge_back(document, "data_s\n_cell_length_a 1.0(1)\n", OutputEntries()).bytes)
    document.blocks[0].set("_zz_new", "x y")
    again = read(document.to_bytes()).blocks[0]
    assert again.text("_zz_new") == "x y"
    assert [tag for tag in again.tags if tag != "_zz_new"] == [
        t for t in document.blocks[0].tags if t != "_zz_new"
    ]
    return True


@needs_files
@pytest.mark.parametrize("seed", range(8))
def test_mutated_real_files_never_crash_hang_or_change_silently(seed: int) -> None:
    chance = random.Random(seed)
    contents = [path.read_bytes() for path in FILES]
    sound = 0
    for _ in range(60):
        data = mutated(chance.choice(contents), chance)
        with no_longer_than(20):
            sound += assert_sound(data)
    assert sound > 0
