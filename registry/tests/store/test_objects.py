from __future__ import annotations

import asyncio
import hashlib
import os
import resource

import pytest
from nats.js.errors import NotFoundError
from qcrbox.contract.errors import Conflict, NotFound, StorageFull
from qcrbox_registry.store.objects import CHUNK, DamagedObject, ObjectStore

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 17]


@pytest.fixture
async def store(bus):
    store = ObjectStore(bus)
    await store.start()
    return store


async def stream(content, piece=50_000):
    for start in range(0, len(content), piece):
        yield content[start : start + piece]


async def get_bytes(store, sha256):
    return b"".join([chunk async for chunk in store.get(sha256)])


async def messages_in(store):
    return (await store._bus.js.stream_info(store.stream)).state.messages


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_put_is_got(store, size):
    content = os.urandom(size)
    assert await store.put(stream(content)) == (hashlib.sha256(content).hexdigest(), size)
    assert await get_bytes(store, hashlib.sha256(content).hexdigest()) == content


async def test_the_same_bytes_are_stored_once(store):
    content = os.urandom(3 * CHUNK)
    first = await store.put(stream(content))
    before = await messages_in(store)
    assert await store.put(stream(content, piece=7_001)) == first
    assert await messages_in(store) == before == 4


async def test_the_same_bytes_put_at_the_same_time_can_be_read(store):
    content = os.urandom(2 * CHUNK)
    ((sha256, _), *_) = await asyncio.gather(*(store.put(stream(content)) for _ in range(8)))
    await store.sweep(min_age_s=0)
    assert await get_bytes(store, sha256) == content
    assert await messages_in(store) == 3


async def test_a_wrong_announced_hash_stores_nothing(store):
    with pytest.raises(Conflict, match="hash"):
        await store.put(stream(os.urandom(3 * CHUNK)), sha256="0" * 64)
    assert await messages_in(store) == 0


async def test_an_upload_that_breaks_off_leaves_nothing(store):
    async def broken():
        yield os.urandom(4 * CHUNK)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(broken())
    assert await messages_in(store) == 0


async def test_a_cancelled_upload_leaves_nothing(store):
    async def endless():
        while True:
            yield os.urandom(CHUNK)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(store.put(endless()))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await messages_in(store) == 0


async def test_what_is_not_there_is_not_found(store):
    with pytest.raises(NotFound):
        await get_bytes(store, "0" * 64)
    assert await store.info("0" * 64) is None
    assert await store.delete("0" * 64) is False


async def test_deleted_bytes_are_gone_and_can_be_put_again(store):
    content = os.urandom(2 * CHUNK)
    sha256, _ = await store.put(stream(content))
    assert await store.delete(sha256) is True
    assert await messages_in(store) == 0
    await store.put(stream(content))
    assert await get_bytes(store, sha256) == content


async def test_damaged_bytes_never_arrive_complete(store):
    content = os.urandom(3 * CHUNK)
    sha256, size = await store.put(stream(content))
    stored = await store.info(sha256)
    # One flipped bit in the last chunk: the last message of the subject is replaced by another.
    info = await store._bus.js.get_last_msg(store.stream, f"$O.files.C.{stored.nuid}")
    await store._bus.js.delete_msg(store.stream, info.seq)
    damaged = bytes([info.data[0] ^ 1]) + info.data[1:]
    await store._bus.js.publish(f"$O.files.C.{stored.nuid}", damaged)
    received = bytearray()

    async def read():
        async for chunk in store.get(sha256):
            received.extend(chunk)

    with pytest.raises(DamagedObject, match="damaged"):
        await read()
    assert len(received) < size


async def test_a_missing_chunk_is_noticed(store):
    sha256, _ = await store.put(stream(os.urandom(3 * CHUNK)))
    stored = await store.info(sha256)
    info = await store._bus.js.get_last_msg(store.stream, f"$O.files.C.{stored.nuid}")
    await store._bus.js.delete_msg(store.stream, info.seq)
    with pytest.raises(DamagedObject):
        await get_bytes(store, sha256)


async def test_the_sweep_takes_orphans_only(store):
    kept, _ = await store.put(stream(os.urandom(2 * CHUNK)))
    for number in range(3):
        await store._bus.js.publish(f"$O.files.C.orphan{number}", b"left by a crash")
    assert await store.sweep(min_age_s=3600) == 0  # an upload may be under way
    assert await store.sweep(min_age_s=0) == 3
    assert len(await get_bytes(store, kept)) == 2 * CHUNK


async def test_every_object_is_listed(store):
    put = {(await store.put(stream(os.urandom(1000))))[0] for _ in range(25)}
    assert {stored.sha256 async for stored in store.list_objects()} == put


async def test_a_full_bucket_refuses_and_keeps_what_it_has(bus):
    store = ObjectStore(bus, bucket="small", max_bytes=6 * CHUNK)
    await store.start()
    content = os.urandom(2 * CHUNK)
    sha256, _ = await store.put(stream(content))
    with pytest.raises(StorageFull, match="no space"):
        await store.put(stream(os.urandom(40 * CHUNK)))
    assert await get_bytes(store, sha256) == content
    await store.put(stream(os.urandom(2 * CHUNK)))  # the refused upload gave its room back


async def test_objects_are_read_by_other_clients_of_nats(store, bus):
    content = os.urandom(2 * CHUNK + 5)
    sha256, _ = await store.put(stream(content))
    other = await bus.js.object_store("files")
    assert (await other.get(sha256)).data == content
    with pytest.raises(NotFoundError):
        await other.get_info("0" * 64)


async def test_memory_does_not_grow_with_the_file(store):
    piece = os.urandom(CHUNK)

    async def long(megabytes):
        for number in range(4 * megabytes):
            yield number.to_bytes(4, "big") + piece[4:]

    await store.put(long(8))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sha256, size = await store.put(long(120))
    async for _ in store.get(sha256):
        pass
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert size == 120 * 4 * CHUNK
    assert grown_kib < 20 * 1024 + 2 * CHUNK // 1024
