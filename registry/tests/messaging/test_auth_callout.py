from __future__ import annotations

import asyncio
import time

import nats
import pytest
from nats.errors import Error as NatsError
from qcrbox_registry.messaging.auth_callout import AuthCallout
from qcrbox_registry.messaging.tokens import Enrolment, FilesToken, sign


@pytest.fixture
async def wanted(bus, platform_secrets):
    """Agents the registry wants; the callout asks it."""
    agents: set[str] = {"a1", "a2"}

    async def is_wanted(enrolment):
        return enrolment.agent in agents

    await AuthCallout(platform_secrets.account(), platform_secrets.signing_key(), is_wanted).serve(
        bus.connection
    )
    await bus.connection.flush()
    for agent in ("a1", "a2"):
        await bus.add_agent(agent)
    return agents


@pytest.fixture
def token_of(platform_secrets):
    def make(agent, expires_in_s=60.0):
        claims = Enrolment.model_construct(
            agent=agent,
            application_slug="x",
            application_version="1",
            launcher="local",
            expires=time.time() + expires_in_s,
        )
        return sign(platform_secrets.signing_key(), "enrol", claims)

    return make


async def connect(server, token, agent="a1", errors=None):
    async def failed(error):
        if errors is not None:
            errors.append(str(error))

    return await nats.connect(
        server.url,
        token=token,
        name=agent,
        inbox_prefix=f"_INBOX_{agent}".encode(),
        error_cb=failed,
        allow_reconnect=False,
        connect_timeout=30,
    )


async def test_an_agent_with_its_token_takes_its_commands(nats_server, bus, wanted, token_of, command):
    agent = await connect(nats_server, token_of("a1"))
    await bus.send_commands([("a1", command("c1"))])
    subscription = await agent.jetstream().pull_subscribe_bind(consumer="a1", stream="COMMANDS")
    (message,) = await subscription.fetch(1, timeout=30)
    assert b'"calculation_id":"c1"' in message.data
    await message.ack_sync(timeout=30)
    await agent.close()
    assert (await bus.pending())["COMMANDS"] == 0


@pytest.mark.attack(21)
@pytest.mark.parametrize("case", ["none", "forged", "expired", "file token", "gone"])
async def test_without_a_valid_token_there_is_no_connection(
    nats_server, wanted, token_of, platform_secrets, case
):
    files = FilesToken(calculation_id="c", attempt=1, expires=time.time() + 60)
    wanted.discard("a2")
    token = {
        "none": None,
        "forged": token_of("a1")[:-2] + "xx",
        "expired": token_of("a1", -1.0),
        "file token": sign(platform_secrets.signing_key(), "files", files),
        "gone": token_of("a2"),
    }[case]
    with pytest.raises(NatsError, match="Authorization Violation"):
        await connect(nats_server, token)


@pytest.mark.attack(20)
@pytest.mark.attack(21)
async def test_an_agent_is_refused_every_foreign_subject(nats_server, wanted, token_of):
    errors: list[str] = []
    agent = await connect(nats_server, token_of("a1"), errors=errors)
    hear = [
        ">",
        "_INBOX.>",
        "_INBOX_a2.>",
        "_INBOX_registry.>",
        "$JS.>",
        "$SYS.>",
        "$O.>",
        "control.a2",
        "commands.a1",
    ]
    say = [
        "events.a2",
        "heartbeats.a2",
        "commands.a2",
        "control.a2",
        "launchers.local.start",
        "$JS.API.STREAM.DELETE.EVENTS",
        "$JS.API.STREAM.PURGE.EVENTS",
        "$JS.API.CONSUMER.MSG.NEXT.COMMANDS.a2",
        "$JS.API.CONSUMER.CREATE.COMMANDS",
        "$JS.ACK.COMMANDS.a2.1.1.1.1.1",
        "$JS.ACK.EVENTS.registry.1.1.1.1.1",
        "$O.files.C.x",
        "$SYS.REQ.USER.AUTH",
    ]
    for subject in hear:
        await agent.subscribe(subject)
    for subject in say:
        await agent.publish(subject, b"{}")
    await agent.flush()
    await asyncio.sleep(0.1)
    await agent.close()
    assert len(errors) == len(hear) + len(say), errors


@pytest.mark.attack(21)
async def test_an_agent_named_like_a_wildcard_gets_no_wildcard(nats_server, wanted, token_of):
    for name in ("*", ">", "a.b", "a1 "):
        wanted.add(name)
        with pytest.raises(NatsError):
            await connect(nats_server, token_of(name))
