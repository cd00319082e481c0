"""Waiting with an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(awaitable: Awaitable[T], seconds: float | None) -> T:
    """The result of `awaitable`; TimeoutError when it takes longer than `seconds`.

    Up to Python 3.11 `asyncio.wait_for` swallows a cancellation that comes in the moment in which the awaitable ends:
    a loop around it then never ends.
    """
    async with asyncio.timeout(seconds):
        return await awaitable
