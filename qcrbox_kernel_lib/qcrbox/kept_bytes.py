"""Bytes that many ask for and that are made once: shared while they are made, the last ones kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable


class KeptBytes:
    """At most `most_bytes` bytes by key; what was not asked for longest makes room. For contents that never change.

    Lives in one event loop.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._made: dict[Hashable, asyncio.Task[bytes]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """The bytes of a key, by `make` when they are not kept. Raises what `make` raises, which is not kept.

        Who asks while they are made waits for the same making, which goes on when one of those gives up.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        making = self._made.get(key)
        if making is None:
            making = self._made[key] = asyncio.create_task(self._make(key, make))
            making.add_done_callback(_noticed)
        return await asyncio.shield(making)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            made = await make()
        finally:
            del self._made[key]
        if len(made) <= self._most:
            self._kept[key] = made
        while sum(map(len, self._kept.values())) > self._most:
            self._kept.popitem(last=False)
        return made


def _noticed(making: asyncio.Task[bytes]) -> None:
    """Take note of an error that everyone who waited for has given up on: asyncio would log it as lost."""
    if not making.cancelled():
        making.exception()
