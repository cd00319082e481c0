from __future__ import annotations

import asyncio

import pytest
from qcrbox_registry.launcher.conformance import ManagerConformance, agents_of, ended
from qcrbox_registry.launcher.managers.base import StartFailed

pytestmark = pytest.mark.docker


class TestDockerManager(ManagerConformance):
    """Every promise of a manager, kept by containers."""


async def test_an_idle_container_whose_platform_is_gone_ends_itself(make_manager, plan):
    manager = await make_manager(orphaned_after_s=1.0)
    handle = await manager.start(plan("a1"))
    assert (await ended(manager, handle)).exit_code == 0
    assert await agents_of(manager) == []


async def test_while_the_daemon_is_away_nothing_counts_as_ended(make_manager, plan, tmp_path):
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    client, manager._client, manager.daemon_url = manager._client, None, f"unix://{tmp_path}/nobody.sock"
    assert await manager.poll(handle) is None
    with pytest.raises(StartFailed, match="daemon does not answer"):
        await manager.start(plan("a2"))
    manager._client, manager.daemon_url = client, ""
    assert await agents_of(manager) == ["a1"]


async def test_twenty_containers_start_at_once(make_manager, plan):
    manager = await make_manager()
    handles = await asyncio.gather(*(manager.start(plan(f"a{number}")) for number in range(20)))
    assert len(set(handles)) == 20
    assert len(await agents_of(manager)) == 20
