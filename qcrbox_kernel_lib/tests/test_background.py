from __future__ import annotations

import asyncio

from qcrbox.background import BackgroundTasks


async def test_a_task_is_kept_until_it_ends():
    tasks = BackgroundTasks(on_error=print)
    gate = asyncio.Event()
    tasks.spawn(gate.wait())
    assert len(tasks) == 1
    gate.set()
    await tasks.settle()
    assert len(tasks) == 0


async def test_a_failure_is_reported():
    failures = []
    tasks = BackgroundTasks(failures.append)

    async def fail():
        raise ValueError("x")

    tasks.spawn(fail())
    await tasks.settle()
    assert [str(error) for error in failures] == ["x"]


async def test_a_task_that_swallows_its_first_cancellation_ends_all_the_same(monkeypatch):
    monkeypatch.setattr("qcrbox.background.CANCEL_AGAIN_S", 0.01)
    failures, seen = [], []
    tasks = BackgroundTasks(failures.append)

    async def stubborn():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                seen.append(1)
                if len(seen) > 1:
                    raise

    tasks.spawn(stubborn())
    await asyncio.sleep(0)
    await tasks.cancel()
    assert len(seen) == 2
    assert len(tasks) == 0
    assert not failures
