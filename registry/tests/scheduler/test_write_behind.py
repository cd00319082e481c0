"""Rows that follow what the scheduler changed in memory."""

from __future__ import annotations

import pytest
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.write_behind import USAGE_S
from qcrbox_registry.store import launchers, usage
from qcrbox_registry.store.launchers import LauncherRow


async def flush(parts, forward=0.0):
    parts.clock.forward(forward)
    await parts.rows.flush(parts.clock.monotonic())


def uses(parts):
    return {(use.subject, use.subject_id): use for use in parts.world.read(usage.everyone)}


async def test_a_changed_agent_is_written_once(parts):
    agent = parts.agent(AgentState.STARTING)
    parts.fleet.change_state(agent, AgentState.IDLE, parts.clock.monotonic())
    agent.rss_bytes = 77
    await flush(parts)
    row = parts.agent_row(agent.id)
    assert (row.state, row.rss_bytes, row.busy_with) == ("idle", 77, None)
    assert (row.idle_since, row.last_seen_at) == (parts.clock.time(), parts.clock.time())
    assert parts.fleet.changed == set()
    parts.clock.forward(5.0)
    await flush(parts)
    assert parts.agent_row(agent.id).last_seen_at == parts.clock.time() - 5.0


async def test_a_busy_agent_is_written_with_its_calculation(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    await flush(parts)
    row = parts.agent_row(agent.id)
    assert (row.state, row.busy_with, row.attempt) == ("busy", active.calculation_id, active.attempt)
    assert (row.idle_since, row.rss_bytes) == (None, None)


async def test_an_agent_that_is_gone_is_not_written_to_life(parts):
    agent = parts.agent()
    await parts.failures.handle(agent, "killed")
    parts.fleet.changed.add(agent.id)
    await flush(parts)
    assert parts.agent_row(agent.id).state == "gone"


async def test_uses_are_written_now_and_then(parts):
    ada = parts.world.person["ada"]
    parts.state.share.charge(ada, None, 30.0, parts.clock.monotonic())
    parts.state.used_s["person", ada] = 12.0
    await flush(parts, USAGE_S - 0.1)
    assert uses(parts) == {}
    await flush(parts, 0.1)
    use = uses(parts)["person", ada]
    assert (use.decayed_s, use.cpu_s) == (pytest.approx(30.0, rel=1e-3), 12.0)
    assert (use.decayed_at, use.month) == (parts.clock.time(), "2027-01")


async def test_processor_time_adds_up_and_slot_time_is_replaced(parts):
    ada = parts.world.person["ada"]
    for slot_s in (30.0, 10.0):
        parts.state.share.charge(ada, None, slot_s, parts.clock.monotonic())
        parts.state.used_s["person", ada] = 12.0
        await flush(parts, USAGE_S)
    use = uses(parts)["person", ada]
    assert (use.decayed_s, use.cpu_s) == (pytest.approx(40.0, rel=1e-2), 24.0)


async def test_processor_time_begins_anew_each_month(parts):
    ada = parts.world.person["ada"]
    for cpu_s in (12.0, 5.0):
        parts.state.used_s["person", ada] = cpu_s
        await flush(parts, USAGE_S)
        parts.clock.forward(31 * 86400.0)
    use = uses(parts)["person", ada]
    assert (use.cpu_s, use.month) == (5.0, "2027-02")


async def test_free_places_are_written_with_the_uses(parts):
    launcher = parts.launcher(capacity=4)
    parts.world.write(lambda conn: launchers.register(conn, LauncherRow("local", "d", "h", 4, 4, []), 1.0))
    launcher.free = 1
    parts.state.share.charge(parts.world.person["ada"], None, 1.0, parts.clock.monotonic())
    await flush(parts, USAGE_S)
    (row,) = parts.world.read(launchers.everyone)
    assert row.free == 1


async def test_what_could_not_be_written_is_written_with_the_next(parts, monkeypatch):
    agent = parts.agent(AgentState.STARTING)
    parts.fleet.change_state(agent, AgentState.IDLE, parts.clock.monotonic())
    ada = parts.world.person["ada"]
    parts.state.share.charge(ada, None, 30.0, parts.clock.monotonic())
    parts.state.used_s["person", ada] = 12.0

    async def full(fn):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(parts.state.db, "write", full)
        with pytest.raises(OSError, match="disk full"):
            await flush(parts, USAGE_S)
    parts.state.used_s["person", ada] += 1.0  # used in between
    await flush(parts, USAGE_S)
    assert uses(parts)["person", ada].cpu_s == 13.0
    assert parts.agent_row(agent.id).state == "idle"


async def test_uses_are_written_at_the_end(parts):
    ada = parts.world.person["ada"]
    parts.state.used_s["person", ada] = 12.0
    await parts.rows.flush_uses()
    assert uses(parts)["person", ada].cpu_s == 12.0
    await parts.rows.flush_uses()
    assert uses(parts)["person", ada].cpu_s == 12.0
