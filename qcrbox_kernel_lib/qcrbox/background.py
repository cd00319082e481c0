"""Tasks that run beside their caller: kept until they end, failures reported, ended together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

CANCEL_AGAIN_S = 1.0


async def again_and_again(
    do: Callable[[], Awaitable[object]],
    pause_s: float,
    on_error: Callable[[Exception], None],
    *,
    pause_first: bool = False,
) -> None:
    """Await `do()` without end, with a pause (s) after each round; `pause_first`: before it.

    Whatever a round raises is handed to `on_error`, and the next round comes all the same.
    """
    if pause_first:
        await asyncio.sleep(pause_s)
    while True:
        try:
            await do()
        except Exception as error:  # noqa: BLE001 - work that ended with one fault would be missed until the next start
            on_error(error)
        await asyncio.sleep(pause_s)


class BackgroundTasks:
    """A set of running tasks. `on_error` gets the exception of a task that failed."""

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str | None = None) -> asyncio.Task[Any]:
        """Run a coroutine beside the caller. The event loop itself keeps only a weak reference to a task."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)

    def __len__(self) -> int:
        return len(self._tasks)

    async def settle(self) -> None:
        """Wait until every present task has ended."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def cancel(self) -> None:
        """Cancel every task and wait until all have ended.

        A task is cancelled again when it did not end: nats-py swallows a cancellation that arrives while it flushes.
        """
        left = set(self._tasks)
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
