"""Commands from the queue: each is run once, kept from others while it runs, and gone when its end is stored."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest
from nats.errors import ConnectionClosedError
from qcrbox.contract.messages import Command
from qcrbox_agent import receive
from qcrbox_agent.receive import STREAM, WINDOW, Receiver

AGENT = "agent-1"
WAIT_S = 30
NEXT = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{AGENT}"


class Subscription:
    def __init__(self, subject, deliver):
        self.subject, self.deliver, self.is_open = subject, deliver, True

    async def unsubscribe(self):
        self.is_open = False


class Connection:
    def __init__(self) -> None:
        self.published: list[tuple[str, bytes, str]] = []
        self.subscriptions: list[Subscription] = []
        self.broken = False

    async def subscribe(self, subject, cb, **_):
        if self.broken:
            raise ConnectionClosedError
        self.subscriptions.append(Subscription(subject, cb))
        return self.subscriptions[-1]

    async def publish(self, subject, payload, reply=""):
        if self.broken:
            raise ConnectionClosedError
        self.published.append((subject, payload, reply))

    @property
    def requests(self):
        return [(json.loads(payload), reply) for subject, payload, reply in self.published if subject == NEXT]

    def sent_to(self, subject):
        return [payload for to, payload, _ in self.published if to == subject]

    def inbox(self) -> Subscription:
        return [each for each in self.subscriptions if ".in." in each.subject][-1]

    async def deliver(self, command: Command | bytes, reply: str) -> None:
        data = command if isinstance(command, bytes) else command.model_dump_json().encode()
        await self.inbox().deliver(SimpleNamespace(data=data, reply=reply, headers=None))

    async def say(self, status: str) -> None:
        """A message of the consumer itself."""
        await self.inbox().deliver(SimpleNamespace(data=b"", reply="", headers={"Status": status}))

    async def confirm(self, place: int = -1) -> None:
        """The server has taken the acknowledgement."""
        confirmations = next(each for each in self.subscriptions if ".ack." in each.subject)
        replies = [reply for _, payload, reply in self.published if payload == b"+ACK"]
        await confirmations.deliver(SimpleNamespace(subject=replies[place]))


@pytest.fixture
def link(switched_link):
    return switched_link(Connection)


@pytest.fixture
async def receiver(link):
    made = Receiver(link, AGENT)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def command(calculation: str = "c1", attempt: int = 1) -> Command:
    return Command(
        calculation_id=calculation,
        attempt=attempt,
        correlation_id="k",
        application_slug="sample",
        application_version="1.0",
        command_name="echo",
    )


async def until(condition) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.001)


async def listening(link) -> Connection:
    connection = await link.up()
    await until(lambda: connection.requests)
    return connection


async def test_a_window_of_commands_is_asked_for(receiver, link):
    connection = await listening(link)
    ((asked, reply),) = connection.requests
    assert asked["batch"] == WINDOW
    assert reply == connection.inbox().subject


async def test_a_command_is_given_once(receiver, link):
    connection = await listening(link)
    await connection.deliver(command(), "ack.1")
    delivery = await receiver.next()
    assert delivery.key == ("c1", 1)
    assert receiver.waiting == 0


async def test_commands_come_in_the_order_of_the_queue(receiver, link):
    connection = await listening(link)
    for number in range(3):
        await connection.deliver(command(f"c{number}"), f"ack.{number}")
    assert [(await receiver.next()).command.calculation_id for _ in range(3)] == ["c0", "c1", "c2"]


async def test_a_redelivery_of_a_held_command_does_not_run_it_twice(receiver, link):
    """Its newest delivery is the one that is acknowledged."""
    connection = await listening(link)
    await connection.deliver(command(), "ack.old")
    delivery = await receiver.next()
    await connection.deliver(command(), "ack.new")
    assert receiver.waiting == 0
    await receiver.acknowledge(delivery)
    assert connection.sent_to("ack.new") == [b"+ACK"]
    assert connection.sent_to("ack.old") == []


async def test_another_attempt_of_a_calculation_is_another_command(receiver, link):
    connection = await listening(link)
    await connection.deliver(command(attempt=1), "ack.1")
    await connection.deliver(command(attempt=2), "ack.2")
    assert receiver.waiting == 2


async def test_a_command_that_has_ended_is_not_run_again_but_its_end_is_told_again(receiver, link):
    repeated = []
    receiver.on_repeat = repeated.append
    connection = await listening(link)
    await connection.deliver(command(), "ack.1")
    await receiver.acknowledge(await receiver.next())
    await connection.deliver(command(), "ack.2")
    assert receiver.waiting == 0
    assert [delivery.reply for delivery in repeated] == ["ack.2"]


async def test_only_so_many_ends_are_remembered(receiver, link, monkeypatch):
    monkeypatch.setattr(receive, "REMEMBERED", 2)
    connection = await listening(link)
    for number in range(3):
        await connection.deliver(command(f"c{number}"), f"ack.{number}")
        await receiver.acknowledge(await receiver.next())
    await connection.deliver(command("c0"), "ack.again")
    assert receiver.waiting == 1, "the oldest is forgotten"
    await connection.deliver(command("c2"), "ack.again")
    assert receiver.waiting == 1


async def test_a_held_command_is_kept_alive(receiver, link, monkeypatch):
    monkeypatch.setattr(receive, "IN_PROGRESS_S", 0.0)
    connection = await listening(link)
    await connection.deliver(command(), "ack.1")
    receiver._wake.set()
    await until(lambda: b"+WPI" in connection.sent_to("ack.1"))
    await receiver.acknowledge(await receiver.next())
    kept = connection.sent_to("ack.1").count(b"+WPI")
    receiver._wake.set()
    await asyncio.sleep(0.01)
    assert connection.sent_to("ack.1").count(b"+WPI") == kept, "an ended one is not"


async def test_an_acknowledgement_is_repeated_until_it_is_confirmed(receiver, link, monkeypatch):
    monkeypatch.setattr(receive, "CONFIRM_S", -1.0)
    connection = await listening(link)
    await connection.deliver(command(), "ack.1")
    await receiver.acknowledge(await receiver.next())
    receiver._wake.set()
    await until(lambda: len(connection.sent_to("ack.1")) >= 2)
    monkeypatch.setattr(receive, "CONFIRM_S", 1e9)
    await connection.confirm()
    sent = len(connection.sent_to("ack.1"))
    receiver._wake.set()
    await asyncio.sleep(0.01)
    assert len(connection.sent_to("ack.1")) == sent


async def test_an_acknowledgement_without_a_connection_is_sent_over_the_next_one(receiver, link, monkeypatch):
    first = await listening(link)
    await first.deliver(command(), "ack.1")
    first.broken = True
    await receiver.acknowledge(await receiver.next())
    monkeypatch.setattr(receive, "CONFIRM_S", -1.0)
    second = await link.up()
    await until(lambda: second.sent_to("ack.1"))
    assert second.sent_to("ack.1")[0] == b"+ACK"


async def test_what_cannot_be_read_is_taken_off_the_queue(receiver, link):
    """Delivering it again would not make it readable."""
    connection = await listening(link)
    await connection.deliver(b'{"calculation_id": 7', "ack.1")
    assert connection.sent_to("ack.1") == [b"+TERM"]
    assert receiver.waiting == 0


async def test_more_is_asked_for_when_the_window_is_used_up(receiver, link):
    connection = await listening(link)
    for number in range(WINDOW):
        await connection.deliver(command(f"c{number}"), f"ack.{number}")
    await until(lambda: len(connection.requests) == 2)


@pytest.mark.parametrize("status", ["404", "408", "409"])
async def test_an_expired_request_is_made_anew(receiver, link, status):
    connection = await listening(link)
    await connection.say(status)
    await until(lambda: len(connection.requests) == 2)


async def test_a_heartbeat_of_the_consumer_asks_for_nothing(receiver, link):
    connection = await listening(link)
    await connection.say("100")
    receiver._wake.set()
    await asyncio.sleep(0.01)
    assert len(connection.requests) == 1


async def test_a_consumer_that_is_being_made_again_is_asked_after_a_pause(receiver, link):
    connection = await listening(link)
    await connection.say("503")
    await asyncio.sleep(0.01)
    assert len(connection.requests) == 1
    await until(lambda: len(connection.requests) == 2)


async def test_a_consumer_that_fell_silent_is_subscribed_to_anew(receiver, link, monkeypatch):
    connection = await listening(link)
    silent = connection.inbox()
    monkeypatch.setattr(receive, "SILENCE_S", -1.0)
    receiver._wake.set()
    await until(lambda: receiver.rebuilt)
    monkeypatch.undo()
    assert not silent.is_open
    await until(lambda: connection.inbox() is not silent)


async def test_a_new_connection_is_subscribed_and_asked(receiver, link):
    await listening(link)
    second = await listening(link)
    assert second.inbox().is_open


async def test_a_connection_that_breaks_while_asking_is_no_end(receiver, link):
    link.client = Connection()
    link.client.broken = True
    receiver._wake.set()
    await asyncio.sleep(0.01)
    assert (await listening(link)).requests


async def test_a_stopped_receiver_asks_for_no_more(receiver, link):
    receiver.stop()
    connection = await link.up()
    await asyncio.sleep(0.01)
    assert connection.requests == []
