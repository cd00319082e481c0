"""Several launchers serve one registry."""

from __future__ import annotations

import pytest
from qcrbox_registry.launcher.__main__ import main
from qcrbox_registry.messaging.server import ServerPlan, start


@pytest.fixture
def nats_server(tmp_path):
    """One that was started after a second launcher had been given its seed."""
    data = tmp_path / "platform"
    assert main(["--data", str(data), "--name", "remote", "--make-seed"]) == 0
    server = start(ServerPlan(data=data, power_loss_safe=False))
    yield server
    server.stop()


def test_a_launcher_cannot_have_a_name_that_is_a_subject(tmp_path, capsys):
    for name in ("a.b", "*", ">", "", "../x", "x" * 80):
        assert main(["--data", str(tmp_path), "--name", name, "--make-seed"]) == 2
    assert "cannot be the name" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.nk"))


async def test_agents_are_shared_among_the_launchers_that_have_room(site, make_launcher):
    first = await make_launcher(site, name="local", capacity=1)
    second = await make_launcher(site, name="remote", capacity=1)
    ids = await site.submit("sleep", 2, arguments={"seconds": 600})

    async def both_run():
        return {row.state for row in await site.rows(ids)} == {"running"}

    await site.until(both_run)
    assert {row.agent_id for row in await site.rows(ids)} == {*first.kept, *second.kept}
    assert (len(first.kept), len(second.kept)) == (1, 1)


async def test_what_a_lost_launcher_ran_is_done_by_another(site, make_launcher):
    first = await make_launcher(site, name="local", capacity=1)
    (one,) = await site.submit("sleep", arguments={"seconds": 600})

    async def running():
        return (await site.rows([one]))[0].state == "running"

    await site.until(running)
    second = await make_launcher(site, name="remote", capacity=1)
    (agent_id,) = first.kept
    await first.close()
    for agent in [kept.practice for kept in [first.kept.get(agent_id)] if kept is not None]:
        await agent.connection.close()
    site.scheduler.state.fleet.agents[agent_id].seen_mono -= site.settings.lost_after_s + 1

    async def elsewhere():
        (row,) = await site.rows([one])
        return row.state == "running" and row.agent_id in second.kept

    await site.until(elsewhere)
    (row,) = await site.rows([one])
    assert row.losses == 1


async def test_a_launcher_gets_only_applications_it_knows(site, make_launcher):
    stranger = await make_launcher(site, name="local", capacity=4, applications=(("other", "1"),))
    knows = await make_launcher(site, name="remote", capacity=1)
    rows = await site.ended(await site.submit("noop", 3))
    assert {row.state for row in rows} == {"successful"}
    assert not stranger.kept
    assert {row.agent_id for row in rows} <= set(knows.kept)


async def test_a_launcher_where_the_program_is_installed_is_asked_first(site, make_launcher):
    lacks = await make_launcher(site, name="local", capacity=4)
    lacks.missing = [{"slug": "practice", "version": "1", "command": "noop", "text": "It is not installed."}]
    await lacks.tell_ready()
    has = await make_launcher(site, name="remote", capacity=1)

    async def reported():
        launchers = site.scheduler.state.fleet.launchers
        return "remote" in launchers and launchers["local"].missing

    await site.until(reported)
    assert site.scheduler.missing("practice", "1") == {}  # one launcher has it
    rows = await site.ended(await site.submit("noop", 3))
    assert {row.agent_id for row in rows} <= set(has.kept)
    assert not lacks.kept


async def test_what_no_launcher_has_is_missing_and_its_change_is_told(site, make_launcher):
    lacks = await make_launcher(site, name="local", capacity=1)
    heard = []
    site.scheduler.state.hub.publish, publish = (
        lambda new: (heard.extend(new), publish(new)),
        site.scheduler.state.hub.publish,
    )
    lacks.missing = [{"slug": "practice", "version": "1", "command": "noop", "text": "It is not installed."}]
    await lacks.tell_ready()

    async def missing():
        return site.scheduler.missing("practice", "1") == {"noop": "It is not installed."}

    await site.until(missing)

    async def told():
        return [event.status for event in heard if event.kind == "application"] == ["availability"]

    await site.until(told)
    await lacks.tell_ready()  # nothing has changed

    lacks.missing = []
    await lacks.tell_ready()

    async def told_again():
        return [event.status for event in heard if event.kind == "application"] == ["availability"] * 2

    await site.until(told_again)
    assert site.scheduler.missing("practice", "1") == {}
