"""File contents in and out, beside nats-py's own object store on the same server."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.server import ServerPlan, start
from qcrbox_registry.store.objects import CHUNK, ObjectStore

from benchmarks.registry.rows import Row

SIZES = (("10 kB", 10_000, 50), ("1 MB", 1_000_000, 20), ("100 MB", 100_000_000, 5))


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 65536):
        yield content[at : at + 65536]


async def _timed(coroutine) -> float:
    begun = time.perf_counter()
    await coroutine
    return (time.perf_counter() - begun) * 1e3


async def _read(store: ObjectStore, sha256: str) -> None:
    async for _ in store.get(sha256):
        pass


async def _measure(quick: bool) -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="bench-files-"))
    server = start(ServerPlan(data=folder, power_loss_safe=True))
    rows = []
    try:
        bus = Bus(server.url, Secrets(folder).user("registry"))
        await bus.connect()
        store = ObjectStore(bus)
        await store.start()
        rows.append(await _memory(store, 200 if quick else 2000))  # first: the peak of a process never falls
        peer = await bus.js.create_object_store("peer")
        for name, size, repeats in SIZES[:2] if quick else SIZES:
            puts, gets, peer_puts, peer_gets = [], [], [], []
            for number in range(repeats):
                content = os.urandom(size)
                sha256 = ""

                async def put(content: bytes = content) -> None:
                    nonlocal sha256
                    sha256, _ = await store.put(_stream(content))

                puts.append(await _timed(put()))
                gets.append(await _timed(_read(store, sha256)))
                peer_puts.append(await _timed(peer.put(f"{name}-{number}", content)))
                if size <= 1_000_000 or number < 2:
                    peer_gets.append(await _timed(peer.get(f"{name}-{number}")))
                await store.delete(sha256)
                await peer.delete(f"{name}-{number}")
            note = "(ratio of times: below 1 is faster)"
            rows.append(
                Row(f"put {name} {note}", "ms", puts, "nats-py object store", peer_puts, "B", "≤ 1.25", False)
            )
            goal = "≤ 0.33" if size > 1_000_000 else "≤ 1.0"
            rows.append(
                Row(f"get {name} {note}", "ms", gets, "nats-py object store", peer_gets, "B", goal, False)
            )
        await bus.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return rows


async def _memory(store: ObjectStore, megabytes: int) -> Row:
    """Growth of this process while a file goes in and out."""
    piece = os.urandom(1_000_000)

    async def content(count: int) -> AsyncIterator[bytes]:
        for number in range(count):
            yield number.to_bytes(8, "big") + piece[8:]

    await store.put(content(20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sha256, _ = await store.put(content(megabytes))
    await _read(store, sha256)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    await store.delete(sha256)
    goal = f"≤ {2 * CHUNK / 2**20 + 20:.1f}"
    return Row(f"memory growth while {megabytes} MB go in and out", "MiB", [grown], "", [], "", goal, False)


def measure(quick: bool) -> list[Row]:
    return asyncio.run(_measure(quick))
