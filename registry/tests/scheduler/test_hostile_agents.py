"""What an agent may say it may say falsely, and as often as it likes. It harms its own person's work at most."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.messages import (
    Finished,
    Heartbeat,
    Log,
    OutputFile,
    Progress,
    StepChanged,
    subject_heartbeats,
)
from qcrbox.contract.states import State, Step
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.store import logs
from qcrbox_registry.store.tables import events as events_table
from qcrbox_registry.store.tables import log_chunks, progress


async def is_running(site, one):
    return (await site.rows([one]))[0].state == "running"


async def running_on(site, launcher, **more):
    (one,) = await site.submit("sleep", arguments={"seconds": 600}, **more)
    await site.until(lambda: is_running(site, one))
    (row,) = await site.rows([one])
    return one, launcher.kept[row.agent_id].practice


async def taken(site, agent):
    """Until what the agent has said so far was looked at: a word of its own last, and everybody hears it."""
    refused = site.scheduler.state.counters.refused_events
    await agent.tell(StepChanged(calculation_id="nobody's", attempt=1, step=Step.RUNNING))
    await site.until(lambda: site.scheduler.state.counters.refused_events > refused)


@pytest.mark.attack(19)
async def test_heartbeats_do_not_hold_a_slot_beyond_the_wall_time(make_site, make_launcher, clock):
    site = await make_site(
        settings=SchedulerSettings(tick_s=0.05, wall_time_grace_s=1.0, cancel_patience_s=0.2)
    )
    launcher = await make_launcher(site, capacity=1)
    one, agent = await running_on(site, launcher, wall_time_s=100.0)
    clock.ahead_s = 102.0

    async def ended_though_it_beats():
        beat = Heartbeat(agent=agent.id, busy_with=one, attempt=1)
        await agent.connection.publish(subject_heartbeats(agent.id), beat.model_dump_json().encode())
        return not await is_running(site, one)

    await site.until(ended_though_it_beats)
    (row,) = await site.rows([one])
    assert row.state == "failed"
    assert "wall-time limit" in row.error_msg


@pytest.mark.attack(20)
@pytest.mark.parametrize("attempt", [0, 2, 99, -1])
async def test_an_end_of_another_attempt_is_no_end(site, launcher, attempt):
    one, agent = await running_on(site, launcher)
    await agent.tell(Finished(calculation_id=one, attempt=attempt, status=State.SUCCESSFUL))
    await taken(site, agent)
    assert await is_running(site, one)


@pytest.mark.attack(20)
async def test_outputs_that_were_never_uploaded_are_not_taken(site, launcher):
    one, agent = await running_on(site, launcher)
    claimed = OutputFile(
        name="x", filename="x.cif", filetype="cif", sha256="0" * 64, size=1, upload_id="0" * 32
    )
    await agent.tell(Finished(calculation_id=one, attempt=1, status=State.SUCCESSFUL, outputs=[claimed]))
    (row,) = await site.ended([one])
    assert (row.state, row.output_dataset_id) == ("failed", None)
    assert "did not arrive completely" in row.error_msg


@pytest.mark.attack(24)
async def test_chunks_of_a_log_that_overlap_do_not_fill_the_database(site, launcher):
    one, agent = await running_on(site, launcher)
    text = "x" * 100_000
    for offset in range(60):
        await agent.tell(Log(calculation_id=one, attempt=1, stream="stdout", offset=offset, text=text))
    await taken(site, agent)
    total = sa.select(sa.func.sum(log_chunks.c.size)).where(log_chunks.c.calculation_id == one)
    assert await site.db.read(lambda conn: conn.execute(total).scalar_one()) <= 200_000


@pytest.mark.attack(24)
async def test_a_log_ends_at_its_limit(site, launcher):
    one, agent = await running_on(site, launcher)
    for offset in (0, logs.MOST_BYTES - 10, logs.MOST_BYTES, 10**15, -1):
        await agent.tell(Log(calculation_id=one, attempt=1, stream="stdout", offset=offset, text="y" * 100))
    await taken(site, agent)
    kept = sa.select(log_chunks.c.offset).where(log_chunks.c.calculation_id == one)
    assert await site.db.read(lambda conn: list(conn.execute(kept).scalars())) == [0]


@pytest.mark.attack(24)
async def test_metrics_without_end_are_cut(site, launcher):
    one, agent = await running_on(site, launcher)
    for number in range(5):
        metrics = {f"{number}-{k}" + "n" * 1000: float(k) for k in range(2000)}
        await agent.tell(Progress(calculation_id=one, attempt=1, text="t" * 10**6, metrics=metrics))
    await taken(site, agent)
    row = await site.db.read(lambda conn: conn.execute(sa.select(progress)).one())
    assert len(str(row.history)) + len(str(row.metrics)) + len(row.text) < 200_000


@pytest.mark.attack(24)
async def test_steps_told_again_and_again_do_not_fill_the_list_of_events(site, launcher):
    one, agent = await running_on(site, launcher)
    for number in range(600):
        step = (Step.FETCHING, Step.CONVERTING, Step.RUNNING)[number % 3]
        await agent.tell(StepChanged(calculation_id=one, attempt=1, step=step, text="z" * 10_000))
    await taken(site, agent)
    kept = sa.select(sa.func.count()).select_from(events_table).where(events_table.c.object_id == one)
    assert await site.db.read(lambda conn: conn.execute(kept).scalar_one()) < 300
