"""Servers start a few at a time, in the order in which they were asked for."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import pytest
from qcrbox_hub.jupyterhub import start_queue
from qcrbox_hub.jupyterhub.spawners import base
from qcrbox_hub.jupyterhub.start_queue import StartQueue, starts_at_once


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_queue, "LOOK_EVERY_S", 0)


class Server:
    def __init__(self, queue: StartQueue) -> None:
        self.queue, self.entered, self.starts = queue, False, True
        self.task = asyncio.ensure_future(self._start())

    async def _start(self) -> None:
        await self.queue.enter(self, lambda: self.starts)
        self.entered = True


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def three(most: int, **options: float) -> tuple[StartQueue, list[Server]]:
    queue = StartQueue(most, **options)
    servers = [Server(queue) for _ in range(3)]
    await settle()
    return queue, servers


@pytest.mark.parametrize(("processors", "most"), [(1, 4), (2, 4), (8, 16), (64, 128)])
def test_larger_machines_start_more_at_once(processors: int, most: int) -> None:
    assert starts_at_once(processors) == most


async def test_so_many_start_and_the_others_wait_in_order() -> None:
    queue, servers = await three(1)
    assert [server.entered for server in servers] == [True, False, False]
    assert [queue.ahead(server) for server in servers] == [None, 0, 1]
    servers[0].starts = False
    await settle()
    assert [server.entered for server in servers] == [True, True, False]
    assert queue.ahead(servers[2]) == 0
    servers[1].starts = servers[2].starts = False
    await settle()
    assert servers[2].entered


async def test_with_room_nobody_waits() -> None:
    _, servers = await three(3)
    assert all(server.entered for server in servers)


async def test_start_that_hangs_gives_its_place_up() -> None:
    _, servers = await three(1, longest_s=0)
    assert all(server.entered for server in servers)


async def test_server_that_gives_up_waiting_leaves_the_queue() -> None:
    queue, servers = await three(1)
    servers[1].task.cancel()
    await settle()
    assert queue.ahead(servers[1]) is None
    servers[0].starts = False
    await settle()
    assert servers[2].entered


async def test_place_of_a_server_that_gives_up_at_its_turn_is_given_on() -> None:
    queue, servers = await three(1)
    servers[0].starts = False
    for _ in range(20):
        if queue.ahead(servers[1]) is None:
            break
        await asyncio.sleep(0)
    servers[1].task.cancel()
    await settle()
    assert servers[2].entered or servers[1].entered
    servers[1].starts = False
    await settle()
    assert servers[2].entered


async def test_sixty_come_and_all_get_their_turn() -> None:
    queue = StartQueue(4)
    servers = [Server(queue) for _ in range(60)]
    most = 0
    for _ in range(400):
        await asyncio.sleep(0)
        starting = [server for server in servers if server.entered and server.starts]
        most = max(most, len(starting))
        if starting:
            starting[0].starts = False
    await settle()
    assert all(server.entered for server in servers)
    assert most <= 4


async def test_page_that_waits_is_told_when_its_place_changes_and_not_each_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base, "TELL_EVERY_S", 0)
    places = iter([2, 2, 2, 1, 1, 0, None])
    server = SimpleNamespace(start_queue=SimpleNamespace(ahead=lambda _: next(places)))
    told = [event["message"] async for event in base.PersonServer.progress(server)]
    assert [re.findall(r"\d+", message) for message in told] == [["2"], ["1"], ["0"], []]
