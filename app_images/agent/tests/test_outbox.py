"""Events on their way to the registry: none is lost, none overtakes another, whatever the connection does."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest
from nats.errors import ConnectionClosedError
from qcrbox.contract.messages import Log, subject_events
from qcrbox_agent import outbox as outbox_module
from qcrbox_agent.outbox import Outbox

AGENT = "agent-1"
WAIT_S = 30


class Connection:
    """JetStream as far as the outbox sees it. `fail_after`: publications until the connection breaks."""

    def __init__(self) -> None:
        self.published: list[SimpleNamespace] = []
        self.fail_after: int | None = None
        self.answered = None

    async def subscribe(self, subject, cb, **_):
        self.answers_at = subject
        self.answered = cb

    async def publish(self, subject, payload, reply, headers):
        if self.fail_after is not None and len(self.published) >= self.fail_after:
            raise ConnectionClosedError
        message = SimpleNamespace(
            subject=subject, text=json.loads(payload)["text"], reply=reply, headers=headers
        )
        self.published.append(message)

    async def store(self, message, data=b'{"stream": "EVENTS", "seq": 1}', headers=None):
        """JetStream's answer to one publication."""
        await self.answered(SimpleNamespace(subject=message.reply, data=data, headers=headers))

    @property
    def texts(self):
        return [message.text for message in self.published]


@pytest.fixture
def link(switched_link):
    return switched_link(Connection)


@pytest.fixture
async def outbox(link):
    made = Outbox(link, AGENT)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def event(text: str) -> Log:
    return Log(calculation_id="c1", attempt=1, stream="stdout", offset=0, text=text)


async def until(condition) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.001)


async def test_events_are_sent_in_order_without_waiting_for_an_answer(outbox, link):
    connection = await link.up()
    for text in "abc":
        outbox.post(event(text))
    await until(lambda: len(connection.published) == 3)
    assert connection.texts == ["a", "b", "c"]
    assert outbox.waiting == 3
    assert {message.subject for message in connection.published} == {subject_events(AGENT)}


async def test_an_event_is_done_when_it_is_stored(outbox, link):
    connection = await link.up()
    stored = outbox.post(event("a"))
    await until(lambda: connection.published)
    assert not stored.done()
    await connection.store(connection.published[0])
    assert stored.done()
    assert outbox.waiting == 0


async def test_events_wait_for_the_connection(outbox, link):
    outbox.post(event("a"))
    outbox.post(event("b"))
    await asyncio.sleep(0.01)
    assert outbox.waiting == 2
    connection = await link.up()
    await until(lambda: len(connection.published) == 2)
    assert connection.texts == ["a", "b"]


async def test_what_was_not_stored_is_sent_again_over_the_next_connection_in_order(outbox, link):
    first = await link.up()
    for text in "abc":
        outbox.post(event(text))
    await until(lambda: len(first.published) == 3)
    await first.store(first.published[0])
    second = await link.up()
    await until(lambda: len(second.published) == 2)
    assert second.texts == ["b", "c"]


async def test_the_rest_of_a_batch_is_sent_when_the_connection_broke_in_the_middle(outbox, link):
    first = await link.up()
    first.fail_after = 1
    for text in "abc":
        outbox.post(event(text))
    await until(lambda: len(first.published) == 1)
    second = await link.up()
    await until(lambda: len(second.published) == 3)
    assert second.texts == ["a", "b", "c"], "the one that may have arrived is sent again too"


async def test_an_event_sent_twice_has_one_message_id(outbox, link):
    """By it JetStream drops what it has."""
    first = await link.up()
    outbox.post(event("a"))
    await until(lambda: first.published)
    second = await link.up()
    await until(lambda: second.published)
    assert first.published[0].headers == second.published[0].headers


async def test_two_lives_of_an_agent_use_different_message_ids(link):
    """Else the events of the second life would be dropped as repetitions of the first."""
    ids = set()
    for _ in range(2):
        made = Outbox(link, AGENT)
        running = asyncio.create_task(made.run())
        connection = await link.up()
        made.post(event("a"))
        await until(lambda connection=connection: connection.published)
        ids.add(connection.published[-1].headers["Nats-Msg-Id"])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b'{"error": {"code": 503, "description": "no space"}}', None),
        (b"", {"Status": "503"}),
    ],
    ids=["the stream is full", "no server holds the stream"],
)
async def test_a_refused_event_is_kept_and_sent_again(outbox, link, monkeypatch, data, headers):
    monkeypatch.setattr(outbox_module, "PAUSE_S", 0.0)
    connection = await link.up()
    stored = outbox.post(event("a"))
    await until(lambda: connection.published)
    await connection.store(connection.published[0], data, headers)
    assert not stored.done()
    await until(lambda: len(connection.published) == 2)
    await connection.store(connection.published[1])
    assert stored.done()


async def test_the_word_error_in_an_answer_is_no_error(outbox, link):
    connection = await link.up()
    stored = outbox.post(event("a"))
    await until(lambda: connection.published)
    await connection.store(connection.published[0], b'{"stream": "EVENTS", "seq": 1, "error": null}')
    assert stored.done()


async def test_a_repeated_answer_is_harmless(outbox, link):
    connection = await link.up()
    stored = outbox.post(event("a"))
    await until(lambda: connection.published)
    await connection.store(connection.published[0])
    await connection.store(connection.published[0])
    assert stored.result() is None


async def test_answers_of_an_earlier_connection_still_count(outbox, link):
    first = await link.up()
    stored = outbox.post(event("a"))
    await until(lambda: first.published)
    second = await link.up()
    assert second.answers_at == first.answers_at
    await first.store(first.published[0])
    assert stored.done()


async def test_an_event_without_an_answer_is_sent_again_after_a_while(outbox, link):
    connection = await link.up()
    outbox.post(event("a"))
    await until(lambda: connection.published)
    next(iter(outbox._entries.values())).sent_at -= outbox_module.ACK_S + 1
    outbox.post(event("b"))
    await until(lambda: len(connection.published) == 3)
    assert connection.texts == ["a", "a", "b"], "in order, and each once more only"


async def test_leaving_waits_until_everything_is_stored(outbox, link):
    connection = await link.up()
    outbox.post(event("a"))
    await until(lambda: connection.published)
    leaving = asyncio.create_task(outbox.drained(WAIT_S))
    await asyncio.sleep(0)
    await connection.store(connection.published[0])
    assert await leaving is True


async def test_leaving_without_a_connection_takes_no_longer_than_its_patience(outbox):
    outbox.post(event("a"))
    assert await outbox.drained(0.01) is False
    assert outbox.waiting == 1


async def test_leaving_with_nothing_to_send_is_immediate(outbox):
    assert await outbox.drained(WAIT_S) is True
