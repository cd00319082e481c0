"""Copies of contents that the process of the indexer reads: as few as are being read, and none is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from qcrbox.contract.errors import NotFound
from qcrbox_registry.services.indexing import Indexer

pytestmark = pytest.mark.attack(12)


class Contents:
    """In place of the object store, which needs its server: what is there by its hash."""

    def __init__(self, **known: bytes) -> None:
        self.known = known

    async def get(self, sha256: str) -> AsyncIterator[bytes]:
        if sha256 not in self.known:
            raise NotFound("There is no such object.")
        yield self.known[sha256]


def indexer_of(folder: Path, **known: bytes) -> Indexer:
    objects: Any = Contents(**known)
    return Indexer(objects, folder / "cif")


async def test_requests_that_wait_for_their_turn_hold_no_copies(tmp_path: Path) -> None:
    indexer = indexer_of(tmp_path, large=b"data_a\n")
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
    indexer = indexer_of(tmp_path, result=b"data_a\n", first=b"data_b\n")
    with pytest.raises(NotFound):
        await indexer.written("result", "a.cif", ["first", "gone"])
    assert list((tmp_path / "cif").iterdir()) == []
