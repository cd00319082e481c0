"""Waiting for an end: at once where there is one, with the event, and never longer than asked."""

from __future__ import annotations

import asyncio
import time

import pytest
from qcrbox_registry.services.waiting import wait_for_end
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.tables import calculations


async def listening(context):
    """Returns when someone waits and has read the state."""
    while not context.hub.listening:
        await asyncio.sleep(0)
    await context.db.read(lambda conn: None)


@pytest.fixture
def made(world):
    return world.start()


async def test_what_has_ended_is_not_waited_for(world, context, made):
    world.write(lambda conn: conn.execute(calculations.update().values(state="failed")))
    await asyncio.wait_for(wait_for_end(context, made, 600.0), 60)
    assert context.hub.listening == 0


@pytest.mark.parametrize("state", ["successful", "failed", "cancelled"])
async def test_an_end_is_answered_when_it_happens(context, made, state):
    waiting = asyncio.ensure_future(wait_for_end(context, made, 600.0))
    await listening(context)
    context.publish([Event("calculation", made, 1.0, "running"), Event("session", made, 1.0, "successful")])
    await asyncio.sleep(0)
    assert not waiting.done()
    context.publish([Event("calculation", made, 1.0, state)])
    await asyncio.wait_for(waiting, 60)
    assert context.hub.listening == 0


async def test_the_time_that_was_asked_for_is_not_exceeded(context, made):
    await asyncio.wait_for(wait_for_end(context, made, 0.01), 60)
    assert context.hub.listening == 0


async def test_who_waits_is_let_go_when_the_registry_stops(context, made):
    """Else the loop would turn without a pause until the time is over, and nothing else could be stopped."""
    waiting = asyncio.ensure_future(wait_for_end(context, made, 3.0))
    await listening(context)
    begun = time.thread_time()
    context.hub.close()
    await waiting
    assert time.thread_time() - begun < 1.0, "processor time of this thread, s"
    assert context.hub.listening == 0
