"""Time as the scheduler sees it. Tests put their own in its place."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Wall time for what is stored and shown; monotonic time for what is waited for, so that a clock that is set
    back or forth ends no calculation and loses no agent."""

    def time(self) -> float:
        """Unix time, s."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock."""
        await asyncio.sleep(seconds)
