from __future__ import annotations

import asyncio
import time

import pytest
from qcrbox.waiting import in_turns, within


async def test_the_result_comes_through():
    async def three():
        await asyncio.sleep(0)
        return 3

    assert await within(three(), 60.0) == 3
    assert await within(three(), None) == 3


async def test_what_takes_too_long_is_ended_with_a_timeout():
    never = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await within(never, 0.01)
    assert never.cancelled()


async def test_a_cancellation_in_the_moment_of_the_end_is_not_swallowed():
    future = asyncio.get_running_loop().create_future()

    async def loop_around_it():
        while True:
            await within(future, 60.0)
            await asyncio.sleep(0)

    task = asyncio.create_task(loop_around_it())
    await asyncio.sleep(0)
    future.set_result(1)
    task.cancel()
    await asyncio.wait([task], timeout=30.0)
    assert task.cancelled()


async def test_long_work_in_turns_keeps_its_order_and_lets_others_go_on():
    others = 0

    async def other():
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    def work(number: int) -> int:
        if number % 10 == 0:
            time.sleep(0.011)
        return number**2

    task = asyncio.create_task(other())
    assert await in_turns(work, range(50)) == [number**2 for number in range(50)]
    task.cancel()
    assert others >= 4
