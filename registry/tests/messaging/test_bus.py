from __future__ import annotations

import asyncio
import contextlib

import pytest
from nats.errors import TimeoutError as NatsTimeout
from qcrbox.contract.errors import QueueFull, Unreachable
from qcrbox.contract.messages import AgentGone, Heartbeat
from qcrbox_registry.messaging.bus import EVENTS, Bus, StreamLimits
from qcrbox_registry.messaging.server import start


def gone(number):
    return AgentGone(agent="a1", reason=str(number)).model_dump_json().encode()


@pytest.fixture
async def events_of(bus):
    """Collects events; the running consumer is stopped with the bus."""
    tasks = []

    def collect(bus, refuse_first=0):
        seen: list = []
        refused = []

        async def take(batch):
            if len(refused) < refuse_first:
                refused.append(batch)
                raise RuntimeError("the database is away")
            seen.extend(batch)

        tasks.append(asyncio.create_task(bus.run_events(take)))
        return seen

    yield collect
    bus.stop_events()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds, timeout_s=60.0):
    async with asyncio.timeout(timeout_s):
        while not holds():
            await asyncio.sleep(0.02)


async def test_events_say_who_spoke(bus, events_of):
    seen = events_of(bus)
    await bus.publisher.publish("events.a1", gone(1))
    await bus.publisher.publish("events.launcher-local", gone(2))
    await until(lambda: len(seen) == 2)
    assert [(one.source, one.launcher) for one in seen] == [("a1", None), ("launcher-local", "local")]


async def test_an_unreadable_event_stops_nothing(bus, events_of):
    seen = events_of(bus)
    for payload in (b"", b"{", b'{"kind":"nonsense"}', b"\xff\xfe", gone(1)):
        await bus.publisher.publish("events.a1", payload)
    await until(lambda: len(seen) == 1)
    await until_empty(bus, EVENTS)


async def until_empty(bus, stream):
    async with asyncio.timeout(60):
        while (await bus.pending())[stream]:
            await asyncio.sleep(0.02)


async def test_events_are_given_again_until_the_handler_takes_them(bus, events_of):
    seen = events_of(bus, refuse_first=2)
    await bus.publisher.publish("events.a1", gone(1))
    await until(lambda: len(seen) == 1)
    await until_empty(bus, EVENTS)


async def test_what_was_taken_and_not_acknowledged_comes_at_once_to_the_next_life(bus, events_of):
    held = asyncio.Event()

    async def take_and_hold(batch):
        held.set()
        await asyncio.Event().wait()

    first = asyncio.create_task(bus.run_events(take_and_hold))
    await bus.publisher.publish("events.a1", gone(1))
    await asyncio.wait_for(held.wait(), 60)
    bus.stop_events()
    first.cancel()
    await asyncio.wait({first})
    seen = events_of(bus)
    await until(lambda: len(seen) == 1)  # its acknowledgement would be overdue after a minute


async def test_a_consumer_that_cannot_be_made_yet_is_made_later(bus, events_of):
    renew, tries = bus._renew_events_consumer, []

    async def not_yet():
        tries.append(1)
        if len(tries) < 3:
            raise NatsTimeout  # as while JetStream recovers its files
        await renew()

    bus._renew_events_consumer = not_yet
    seen = events_of(bus)
    await bus.publisher.publish("events.a1", gone(1))
    await until(lambda: len(seen) == 1)
    assert len(tries) == 3


async def test_the_same_attempt_sent_twice_is_stored_once(bus, command):
    await bus.add_agent("a1")
    for attempt in (1, 1, 2):
        assert await bus.send_commands([("a1", command("c1", attempt=attempt))]) == [None]
    assert (await bus.pending())["COMMANDS"] == 2


async def test_a_full_queue_refuses_and_keeps_what_it_has(nats_server, platform_secrets, bus, command):
    await bus.close()
    small = Bus(nats_server.url, platform_secrets.user("registry"), limits=StreamLimits(commands_bytes=4000))
    await small.connect()
    outcomes = await small.send_commands([("a1", command(f"c{number}")) for number in range(40)])
    kept = (await small.pending())["COMMANDS"]
    assert 0 < kept < 40
    assert [type(one) for one in outcomes] == [type(None)] * kept + [QueueFull] * (40 - kept)
    assert "full" in str(outcomes[-1])
    await small.close()


async def test_removing_an_agent_removes_its_commands(bus, command):
    await bus.add_agent("a1")
    await bus.add_agent("a2")
    await bus.send_commands([("a1", command("c1")), ("a2", command("c2"))])
    await bus.remove_agent("a1")
    await bus.remove_agent("a1")
    assert (await bus.pending())["COMMANDS"] == 1
    assert await bus.agents_with_consumers() == {"a2"}


async def test_a_rebuilt_consumer_delivers_what_was_not_acknowledged(bus, command):
    await bus.add_agent("a1")
    await bus.send_commands([("a1", command("c1"))])
    first = await bus.js.pull_subscribe_bind(consumer="a1", stream="COMMANDS")
    await first.fetch(1, timeout=30)
    await bus.rebuild_agent("a1")
    again = await bus.js.pull_subscribe_bind(consumer="a1", stream="COMMANDS")
    (message,) = await again.fetch(1, timeout=30)
    assert b'"calculation_id":"c1"' in message.data


async def test_a_deleted_events_consumer_is_made_again(bus, events_of):
    seen = events_of(bus)
    await bus.publisher.publish("events.a1", gone(1))
    await until(lambda: len(seen) == 1)
    await bus.js.delete_consumer(EVENTS, "registry")
    await bus.publisher.publish("events.a1", gone(2))
    await until(lambda: len(seen) == 2)


async def test_nats_restarted_under_load_loses_no_event(nats_server, bus, events_of):
    seen = events_of(bus)
    total = 600

    async def speak(start_number):
        for number in range(start_number, start_number + 150):
            await bus.publisher.publish("events.a1", gone(number), message_id=str(number), patience_s=30)

    speakers = [asyncio.create_task(speak(number)) for number in range(0, total, 150)]
    servers = [nats_server]
    for _ in range(2):
        await asyncio.sleep(0.15)
        servers[-1].stop()
        servers.append(start(servers[-1].plan))
    try:
        await asyncio.gather(*speakers)
        await until(lambda: len({one.event.reason for one in seen}) == total, 30)
        assert bus.reconnects >= 1
        # Doubled delivery after a restart is allowed, loss is not.
        assert {int(one.event.reason) for one in seen} == set(range(total))
    finally:
        await bus.close()
        servers[-1].stop()


async def test_a_launcher_that_is_not_there_is_unreachable(bus):
    with pytest.raises(Unreachable, match="Launcher 'local' does not answer"):
        await bus.launcher("local").list(timeout_s=0.5)


async def test_a_closed_connection_is_not_waited_for(bus, command):
    await bus.connection.close()
    async with asyncio.timeout(20):  # its patience, with a connection that may come back, is longer
        with pytest.raises(Unreachable):
            await bus.publisher.publish("events.a1", gone(1))
        (outcome,) = await bus.send_commands([("agent-1", command("c1"))])
    assert isinstance(outcome, Unreachable)


async def test_heartbeats_are_not_kept(bus, events_of):
    beats = []
    await bus.run_heartbeats(beats.append)
    await bus.connection.publish("heartbeats.a1", Heartbeat(agent="a1").model_dump_json().encode())
    await until(lambda: len(beats) == 1)
    assert (await bus.pending())[EVENTS] == 0


async def test_without_nats_connecting_says_so(nats_server, platform_secrets):
    nats_server.stop()
    lonely = Bus(nats_server.url, platform_secrets.user("registry"))
    with pytest.raises(Unreachable, match="NATS"):
        await lonely.connect(patience_s=0.5)
    with contextlib.suppress(Exception):
        await lonely.close()
