"""What an agent's connection bears of a registry and a server that take their time."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from nats.errors import TimeoutError as NatsTimeout
from qcrbox.nats_client import NatsClient, connect
from qcrbox_registry.messaging.auth_callout import AuthCallout
from qcrbox_registry.messaging.tokens import Enrolment, sign


def is_stopped(pid: int) -> bool:
    """All its threads."""
    states = [
        path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return set(states) == {"T"}


@pytest.mark.slow
async def test_a_connection_that_is_let_in_late_works_at_once(nats_server, platform_secrets, bus):
    """The server's first PING comes after two seconds, here before it has answered."""

    async def slowly(enrolment):
        await asyncio.sleep(3.0)
        return True

    callout = AuthCallout(platform_secrets.account(), platform_secrets.signing_key(), slowly)
    await callout.serve(bus.connection)
    claims = Enrolment(
        agent="a1", application_slug="x", application_version="1", launcher="local", expires=time.time() + 600
    )
    agent = await connect(
        nats_server.url,
        token=sign(platform_secrets.signing_key(), "enrol", claims),
        inbox_prefix=b"_INBOX_a1",
        allow_reconnect=False,
        connect_timeout=20,
    )
    assert agent.is_connected
    heard = await agent.subscribe("control.a1")
    await agent.flush(10)
    await bus.connection.publish("control.a1", b"hello")
    assert (await heard.next_msg(10)).data == b"hello"
    await agent.close()


async def test_what_was_asked_before_a_flush_is_sent_before_its_ping(
    nats_server, platform_secrets, monkeypatch
):
    """Else the answer to the PING says nothing about it: a subscription missed what was published after a flush."""
    seed = platform_secrets.user("registry").seed.decode()
    client = await connect(nats_server.url, nkeys_seed_str=seed, inbox_prefix=b"_INBOX_registry")
    sent: list[bytes] = []
    transport = client._transport
    write, writelines = transport.write, transport.writelines
    monkeypatch.setattr(transport, "write", lambda data: (sent.append(bytes(data)), write(data)))
    monkeypatch.setattr(
        transport, "writelines", lambda lines: (sent.append(b"".join(lines)), writelines(lines))
    )
    await client.subscribe("control.a1")
    await client.flush(10)
    stream = b"".join(sent)
    assert stream.count(b"SUB control.a1") == 1
    assert stream.index(b"SUB control.a1") < stream.index(b"PING")
    await client.close()


async def test_an_answer_nobody_waits_for_any_more_does_not_make_it_deaf(nats_server, platform_secrets):
    seed = platform_secrets.user("registry").seed.decode()
    client = await connect(nats_server.url, nkeys_seed_str=seed, inbox_prefix=b"_INBOX_registry")
    os.kill(nats_server.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(60):
            while not is_stopped(nats_server.pid):
                await asyncio.sleep(0.01)
        with pytest.raises(NatsTimeout):
            await client.flush(0.2)
    finally:
        os.kill(nats_server.pid, signal.SIGCONT)
    for _ in range(2):  # the answer to the first one comes before
        await client.flush(10)
    assert client.is_connected
    await client.close()


async def test_a_connection_that_was_cut_comes_back_more_than_once(nats_server, platform_secrets):
    seed = platform_secrets.user("registry").seed.decode()
    back = asyncio.Event()

    async def reconnected() -> None:
        back.set()

    client = NatsClient()
    await client.connect(
        nats_server.url,
        nkeys_seed_str=seed,
        inbox_prefix=b"_INBOX_registry",
        reconnect_time_wait=0.1,  # type: ignore[arg-type]  # seconds, any number
        max_reconnect_attempts=-1,
        reconnected_cb=reconnected,
    )
    for _ in range(2):
        back.clear()
        client._transport._io_writer.transport.abort()
        await asyncio.wait_for(back.wait(), 60)
        await client.flush(10)
    await client.close()
