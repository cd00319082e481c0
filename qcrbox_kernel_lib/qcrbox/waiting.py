"""Waiting with a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(awaitable: Awaitable[T], seconds: float | None) -> T:
    """The result of `awaitable`; TimeoutError when it takes longer than `seconds`.

    Up to Python 3.11 `asyncio.wait_for` loses a cancellation that arrives when the awaitable has just finished;
    a loop around it would then never end.
    """
    async with asyncio.timeout(seconds):
        return await awaitable
