"""The processes of the indexer and their copies of contents: as few as are needed, and none is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from qcrbox.contract.errors import NotFound
from qcrbox.waiting import within
from qcrbox_registry.services import indexing
from qcrbox_registry.services.indexing import Indexer

pytestmark = pytest.mark.attack(12)


class Contents:
    """In place of the object store, which needs its server: what is there by its hash."""

    def __init__(self, **known: bytes) -> None:
        self.known = known
        self.read_slowly: dict[str, asyncio.Event] = {}

    async def get(self, sha256: str) -> AsyncIterator[bytes]:
        if sha256 not in self.known:
            raise NotFound("There is no such object.")
        if sha256 in self.read_slowly:
            await self.read_slowly[sha256].wait()
        yield self.known[sha256]


def indexer_of(folder: Path, objects: Any, readers: int = 1) -> Indexer:
    return Indexer(objects, folder / "cif", readers=readers)


async def test_requests_that_wait_for_their_turn_hold_no_copies(tmp_path: Path) -> None:
    indexer = indexer_of(tmp_path, Contents(large=b"data_a\n"))
    async with indexer._turn:
        waiting = [asyncio.ensure_future(indexer.exercise_facts("large", "a.cif")) for _ in range(5)]
        for _ in range(20):
            await asyncio.sleep(0)
        copies = list((tmp_path / "cif").iterdir())
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert copies == []


async def test_a_missing_example_leaves_no_copy_of_the_others(tmp_path: Path) -> None:
    indexer = indexer_of(tmp_path, Contents(result=b"data_a\n", first=b"data_b\n"))
    with pytest.raises(NotFound):
        await indexer.written("result", "a.cif", ["first", "gone"])
    assert list((tmp_path / "cif").iterdir()) == []


async def test_a_file_that_takes_long_holds_back_no_other_while_a_reader_is_free(tmp_path: Path) -> None:
    contents = Contents(slow=b"data_a\n")
    contents.read_slowly["slow"] = asyncio.Event()
    indexer = indexer_of(tmp_path, contents, readers=2)
    slow = asyncio.create_task(indexer.exercise_facts("slow", "a.cif"))
    await asyncio.sleep(0)
    # What is not there is refused when its turn comes.
    for _ in range(3):
        with pytest.raises(NotFound):
            await within(indexer.exercise_facts("gone", "b.cif"), 10)
    assert not slow.done()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


def running(indexer: Indexer) -> int:
    return sum(reader.is_running for reader in indexer._readers)


@pytest.mark.slow
async def test_requests_after_one_another_share_a_process_which_ends_when_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "IDLE_S", 0.5)
    indexer = indexer_of(tmp_path, Contents(a=b"data_a\n"), readers=3)
    assert running(indexer) == 0
    for _ in range(2):
        for _ in range(3):
            await within(indexer.exercise_facts("a", "a.cif"), 60)
            assert running(indexer) == 1
        async with asyncio.timeout(60):
            while running(indexer):
                await asyncio.sleep(0.05)
    await indexer.close()


async def test_requests_at_the_same_moment_have_a_process_each_and_none_outlives_the_indexer(
    tmp_path: Path,
) -> None:
    indexer = indexer_of(tmp_path, Contents(a=b"data_a\n"), readers=2)
    asked = [indexer.exercise_facts("a", "a.cif") for _ in range(5)]
    await within(asyncio.gather(*asked), 60)
    assert running(indexer) == 2
    await indexer.close()
    assert running(indexer) == 0
