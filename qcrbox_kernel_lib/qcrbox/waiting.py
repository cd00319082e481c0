"""Waiting with a time limit, and yielding to other tasks during long work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")
_TURN_S = 0.01


async def within(awaitable: Awaitable[T], seconds: float | None) -> T:
    """The result of `awaitable`; TimeoutError when it takes longer than `seconds`.

    Up to Python 3.11 `asyncio.wait_for` loses a cancellation that arrives when the awaitable has just finished;
    a loop around it would then never end.
    """
    async with asyncio.timeout(seconds):
        return await awaitable


async def in_turns(work: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """`work` of each item, in order. Every 10 ms other tasks of the event loop get their turn."""
    done: list[T] = []
    began = time.monotonic()
    for item in items:
        done.append(work(item))
        if time.monotonic() - began > _TURN_S:
            await asyncio.sleep(0)
            began = time.monotonic()
    return done
