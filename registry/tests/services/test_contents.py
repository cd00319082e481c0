"""Contents before and after they have rows: stored as they arrive, indexed, verified."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest
from qcrbox.contract.errors import CifError, QuotaExceeded, TooLarge
from qcrbox_registry.access.quota import Limit, QuotaHeadroom
from qcrbox_registry.services import contents as module
from qcrbox_registry.services.contents import ContentService, Stored
from qcrbox_registry.store import contents, datasets, trash
from qcrbox_registry.store.objects import DamagedObject
from qcrbox_registry.store.quotas import GIB


@pytest.fixture
def service(context):
    return ContentService(context)


async def test_bytes_are_stored_under_their_hash_and_a_safe_name(world, service, chunks):
    found = await service.store(chunks(b"some ", b"bytes"), "../x/a:b.txt")
    digest = hashlib.sha256(b"some bytes").hexdigest()
    assert (found.filename, found.sha256, found.size) == ("a_b.txt", digest, 10)
    assert world.ask(contents.size_of, digest) == 10


@pytest.mark.attack(12)
async def test_no_byte_beyond_the_limit_or_the_quota_is_taken(context, service):
    """A stream without an end is left where it exceeds what may be stored."""
    taken = []

    async def endless():
        while True:
            taken.append(1)
            yield b"x"

    context.settings.largest_file_bytes = 5
    with pytest.raises(TooLarge):
        await service.store(endless(), "a")
    assert len(taken) == 6
    taken.clear()
    headroom = QuotaHeadroom(((Limit("gib", 10 / GIB, "person", 1), 7 / GIB),))
    with pytest.raises(QuotaExceeded):
        await service.store(endless(), "a", headroom=headroom)
    assert len(taken) == 4
    assert context.objects.known == {}


@pytest.mark.parametrize(
    ("filename", "size", "is_indexed"),
    [("a.cif", 10, True), ("a.fcf", 10, True), ("a.txt", 10, False), ("a.cif", 3 * 1024**2, False)],
    ids=["CIF", "structure factors", "text", "large"],
)
async def test_small_cifs_are_indexed_before_the_answer(context, service, filename, size, is_indexed):
    async def index(sha256, size, filename):
        return {"r1": 0.04}

    context.indexer.index = index
    stored = Stored(filename, "0" * 64, size)
    await service.index_now(stored)
    assert stored.index == ({"r1": 0.04} if is_indexed else None)


async def test_a_cif_that_takes_long_does_not_hold_up_the_answer(context, service, monkeypatch):
    async def index(sha256, size, filename):
        await asyncio.Event().wait()

    context.indexer.index = index
    monkeypatch.setattr(module, "INDEX_NOW_S", 0.01)
    stored = Stored("a.cif", "0" * 64, 10)
    await service.index_now(stored)
    assert stored.index is None


async def test_what_was_not_indexed_is_indexed_beside_the_requests(world, context, service, file_of):
    asked = []

    async def index(sha256, size, filename):
        asked.append(filename)
        if filename == "bad.cif":
            raise CifError("The file could not be read.")
        return {"names": ["_cell_length_a"], "full": {"r1": 0.04}}

    context.indexer.index = index
    ids = {
        name: file_of("ada", name, name.encode()) for name in ("good.cif", "bad.cif", "known.cif", "a.txt")
    }
    files = [
        datasets.NewFile(
            name,
            hashlib.sha256(name.encode()).hexdigest(),
            10,
            index={"full": {}} if name == "known.cif" else None,
        )
        for name in ids
    ]
    service.index_later(files)
    await context.background.settle()
    assert sorted(asked) == ["bad.cif", "good.cif"]
    assert world.ask(datasets.names_in, ids["good.cif"]) == ["_cell_length_a"]
    assert world.ask(datasets.names_in, ids["bad.cif"]) is None


async def test_all_cifs_with_the_same_contents_are_indexed_and_no_other_file(
    world, context, service, file_of
):
    async def index(sha256, size, filename):
        return {"names": ["_cell_length_a"], "full": {"r1": 0.04}}

    context.indexer.index = index
    ada, bob, text = (
        file_of(*each, b"data_x") for each in (("ada", "a.cif"), ("bob", "b.cif"), ("ada", "a.txt"))
    )
    service.index_later([datasets.NewFile("a.cif", hashlib.sha256(b"data_x").hexdigest(), 6)])
    await context.background.settle()
    assert set(world.ask(datasets.index_of, [ada, bob, text])) == {ada, bob}


async def test_what_the_last_registry_left_without_an_index_is_indexed(world, context, service, file_of):
    asked = []

    async def index(sha256, size, filename):
        asked.append(filename)
        return {"names": ["_cell_length_a"], "full": {"r1": 0.04}}

    context.indexer.index = index
    ids = {
        name: file_of("ada", name, name.encode()) for name in ("new.cif", "known.cif", "gone.cif", "a.txt")
    }
    world.do(datasets.put_index, ids["known.cif"], {"names": [], "full": {}}, 1.0)
    world.do(trash.delete_file, ids["gone.cif"], world.person["ada"], 1.0)
    await service.index_left(time.time() + 60)
    await context.background.settle()
    assert asked == [], "it arrived before that"
    await service.index_left(time.time() - 60)
    await context.background.settle()
    assert asked == ["new.cif"]
    assert world.ask(datasets.index_of, [ids["new.cif"]]) == {ids["new.cif"]: {"r1": 0.04}}


async def test_damaged_bytes_are_found_and_noted(world, context, service, file_of):
    file_of("ada")
    digest = hashlib.sha256(b"some bytes").hexdigest()

    async def damaged(sha256):
        yield b"some "
        raise DamagedObject("The stored bytes do not have their hash.")

    assert await service.verify(digest) == (True, digest)
    context.objects.get = damaged
    assert await service.verify(digest) == (False, "damaged")
