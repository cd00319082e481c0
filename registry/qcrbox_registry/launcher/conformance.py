"""Tests every manager has to pass. A manager's test class inherits them:

    class TestSlurmManager(ManagerConformance):
        @pytest.fixture
        async def make_manager(self, …):
            …

`make_manager()` gives a set-up manager of launcher `local`; called again, one as after a restart of the launcher
(same data, same engine). `plan(agent)` gives an `AgentPlan` of an application that comes up without a registry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from qcrbox_registry.launcher.managers.base import AgentPlan, Ended, Manager

MakeManager = Callable[[], Awaitable[Manager]]
MakePlan = Callable[[str], AgentPlan]

PATIENCE_S = 60.0


async def ended(manager: Manager, handle: str) -> Ended:
    """How the agent ended, waiting for it. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while (end := await manager.poll(handle)) is None:
            await asyncio.sleep(0.02)
    return end


async def agents_of(manager: Manager) -> list[str]:
    """Ids of the agents that the manager lists, sorted."""
    return sorted(found.agent for found in await manager.list())


class ManagerConformance:
    """The promises of `Manager`."""

    async def test_a_started_agent_runs_and_is_listed(
        self, make_manager: MakeManager, plan: MakePlan
    ) -> None:
        """`start` returns a handle that polls as running; `list` finds the agent."""
        manager = await make_manager()
        handle = await manager.start(plan("a1"))
        assert await manager.poll(handle) is None
        (found,) = await manager.list()
        assert (found.agent, found.handle) == ("a1", handle)
        assert found.application_slug == plan("a1").application.slug
        assert found.started_at > 0
        await manager.stop(handle, 5.0)

    async def test_a_stopped_agent_is_gone(self, make_manager: MakeManager, plan: MakePlan) -> None:
        """After `stop` the handle polls as ended, and `list` does not find the agent."""
        manager = await make_manager()
        handle = await manager.start(plan("a1"))
        await manager.stop(handle, 5.0)
        assert await manager.poll(handle) is not None
        assert await agents_of(manager) == []

    async def test_an_agent_is_ended_without_any_grace(
        self, make_manager: MakeManager, plan: MakePlan
    ) -> None:
        """`stop` with a grace of zero seconds ends the agent."""
        manager = await make_manager()
        handle = await manager.start(plan("a1"))
        await manager.stop(handle, 0.0)
        assert await manager.poll(handle) is not None

    async def test_stopping_twice_is_harmless(self, make_manager: MakeManager, plan: MakePlan) -> None:
        """`stop` of an ended agent raises nothing."""
        manager = await make_manager()
        handle = await manager.start(plan("a1"))
        await manager.stop(handle, 1.0)
        await manager.stop(handle, 1.0)

    async def test_an_agent_outlives_the_launcher_and_is_adopted(
        self, make_manager: MakeManager, plan: MakePlan
    ) -> None:
        """A second manager lists, polls and stops an agent of the first."""
        first = await make_manager()
        handle = await first.start(plan("a1"))
        await first.cleanup()
        second = await make_manager()
        assert await agents_of(second) == ["a1"]
        assert await second.poll(handle) is None
        await second.stop(handle, 5.0)
        assert await second.poll(handle) is not None
        assert await agents_of(second) == []

    async def test_agents_do_not_disturb_each_other(self, make_manager: MakeManager, plan: MakePlan) -> None:
        """Handles differ, and stopping one agent leaves the other."""
        manager = await make_manager()
        handles = [await manager.start(plan(name)) for name in ("a1", "a2")]
        assert len(set(handles)) == 2
        await manager.stop(handles[0], 5.0)
        assert await agents_of(manager) == ["a2"]
        assert await manager.poll(handles[1]) is None
        await manager.stop(handles[1], 5.0)

    async def test_preparing_what_is_there_is_quick_and_silent(
        self, make_manager: MakeManager, plan: MakePlan
    ) -> None:
        """`prepare` of a present application reports no progress."""
        manager = await make_manager()
        await manager.prepare(plan("a1").application, lambda _: None)
        said: list[str] = []
        await manager.prepare(plan("a1").application, said.append)
        assert said == []

    async def test_there_is_room_for_an_agent(self, make_manager: MakeManager) -> None:
        """`capacity` is at least 1."""
        assert (await make_manager()).capacity() >= 1
