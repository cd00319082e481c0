"""A Docker daemon that restarts under running containers. The daemon is the test's own."""

from __future__ import annotations

import asyncio
import signal

import docker
import pytest
from qcrbox_registry.launcher.approvals import Approvals
from qcrbox_registry.launcher.conformance import agents_of, ended
from qcrbox_registry.launcher.managers.base import StartFailed
from qcrbox_registry.launcher.managers.docker import DockerManager

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def own_daemon(start_daemon):
    """With `live-restore`, as an administrator sets it who wants containers to outlive the daemon."""
    return start_daemon("--live-restore")


@pytest.fixture(scope="module")
def sleeper(own_daemon):
    return own_daemon.sleeper()


@pytest.fixture
async def make_manager(tmp_path, own_daemon, sleeper):
    data = tmp_path / "data"
    Approvals(data).approve("sample", "1.0", sleeper)
    made = []

    async def make(**traits):
        manager = DockerManager(
            data=str(data),
            nats_url="nats://127.0.0.1:1",
            daemon_url=own_daemon.url,
            poll_interval_s=0.1,
            **traits,
        )
        await manager.setup()
        made.append(manager)
        return manager

    yield make
    for manager in made:
        await manager.end_platform()
    assert docker.DockerClient(base_url=own_daemon.url).containers.list(all=True) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_containers_are_adopted_when_the_daemon_comes_back(make_manager, plan, own_daemon, number):
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    own_daemon.stop(number)
    try:
        assert await manager.poll(handle) is None, "whether it lives is not known, so it has not ended"
        with pytest.raises(StartFailed, match="daemon does not answer"):
            await manager.start(plan("a2"))
        assert not manager.mounts.folder("a2").exists()
    finally:
        own_daemon.start()
    assert await manager.poll(handle) is None
    assert [(one.agent, one.handle) for one in await manager.list()] == [("a1", handle)]
    assert (manager.mounts.folder("a1") / "nats.sock").is_socket()
    again = await make_manager()  # and so does a launcher that started meanwhile
    assert await agents_of(again) == ["a1"]
    await again.start(plan("a2"))
    assert await agents_of(again) == ["a1", "a2"]
    await again.stop(handle, 5.0)
    assert await agents_of(again) == ["a2"]


async def test_a_start_waits_for_the_daemon_and_says_so(make_manager, plan, own_daemon):
    manager = await make_manager()
    own_daemon.stop()
    said: list[str] = []
    preparing = asyncio.create_task(manager.prepare(plan("a1").application, said.append))
    try:
        async with asyncio.timeout(60):
            while not said:
                await asyncio.sleep(0.05)
        assert not preparing.done()
        assert said[0] == "The Docker daemon does not answer. What needs it waits until it is back."
    finally:
        own_daemon.start()
    await asyncio.wait_for(preparing, 60)
    handle = await manager.start(plan("a1"))
    assert await manager.poll(handle) is None


async def test_patience_with_a_daemon_that_stays_away_ends(make_manager, plan, own_daemon):
    manager = await make_manager(daemon_patience_s=0.2)
    own_daemon.stop()
    try:
        with pytest.raises(StartFailed, match="daemon does not answer"):
            await manager.prepare(plan("a1").application, lambda _: None)
    finally:
        own_daemon.start()


async def test_what_a_machine_without_live_restore_lost_is_told_and_nothing_is_left(
    make_manager, plan, own_daemon
):
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    docker.DockerClient(base_url=own_daemon.url).containers.get(handle).kill()
    own_daemon.stop()
    own_daemon.start()
    end = await ended(manager, handle)
    assert end.reason == "its container was ended from outside"
    assert await agents_of(manager) == []
    assert not manager.mounts.folder("a1").exists()
