"""Bytes that are made once for all who ask."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox.kept_bytes import KeptBytes


class Maker:
    """Makes ten bytes for a key when `may` is set, and counts."""

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.made, self.may = fails, [], asyncio.Event()
        self.may.set()

    def of(self, key: str):
        async def make() -> bytes:
            self.made.append(key)
            await self.may.wait()
            if self.fails:
                raise ValueError(key)
            return 10 * key.encode()

        return make


async def ask(kept: KeptBytes, maker: Maker, *keys: str) -> list[bytes]:
    return [await kept.get(key, maker.of(key)) for key in keys]


async def test_who_asks_while_they_are_made_gets_the_same_bytes() -> None:
    kept, maker = KeptBytes(100), Maker()
    found = await asyncio.gather(*(ask(kept, maker, "a") for _ in range(5)))
    assert found == 5 * [[b"aaaaaaaaaa"]]
    assert maker.made == ["a"]


async def test_one_who_gives_up_takes_them_from_no_other() -> None:
    kept, maker = KeptBytes(100), Maker()
    maker.may.clear()
    first, second = (asyncio.create_task(ask(kept, maker, "a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    maker.may.set()
    assert await second == [b"aaaaaaaaaa"]
    assert maker.made == ["a"]


async def test_what_was_not_asked_for_longest_makes_room() -> None:
    kept, maker = KeptBytes(25), Maker()
    await ask(kept, maker, "a", "b", "a", "c", "a", "b")
    assert maker.made == ["a", "b", "c", "b"]


async def test_more_than_all_that_is_kept_is_handed_on_and_not_kept() -> None:
    kept, maker = KeptBytes(9), Maker()
    assert await ask(kept, maker, "a", "a") == 2 * [b"aaaaaaaaaa"]
    assert maker.made == ["a", "a"]


async def test_a_failure_is_told_to_all_who_wait_and_tried_again_by_the_next() -> None:
    kept, maker = KeptBytes(100), Maker(fails=True)
    told = await asyncio.gather(*(ask(kept, maker, "a") for _ in range(2)), return_exceptions=True)
    assert [str(each) for each in told] == ["a", "a"]
    assert maker.made == ["a"]
    with pytest.raises(ValueError, match="a"):
        await ask(kept, maker, "a")
    assert maker.made == ["a", "a"]
