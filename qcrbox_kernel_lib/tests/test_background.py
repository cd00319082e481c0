from __future__ import annotations

import asyncio

import pytest
from qcrbox.background import BackgroundTasks, again_and_again


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


@pytest.mark.parametrize(("pause_first", "before"), [(False, 1), (True, 0)], ids=["at once", "after a pause"])
async def test_work_is_done_again_and_again_whatever_a_round_raises(pause_first, before):
    failures, rounds = [], asyncio.Queue()

    async def faulty():
        rounds.put_nowait(1)
        raise RuntimeError("something that nobody thought of")

    running = asyncio.ensure_future(again_and_again(faulty, 0.001, failures.append, pause_first=pause_first))
    await asyncio.sleep(0)
    assert rounds.qsize() == before
    for _ in range(3):
        await asyncio.wait_for(rounds.get(), 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(failures) >= 2
