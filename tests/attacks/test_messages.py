"""20 and 21: NATS, from a container with its own credentials, with somebody else's, and with none."""

from __future__ import annotations

import asyncio
import time

import nats
import psutil
import pytest
from nats.errors import Error as NatsError
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.tokens import Enrolment, sign

from tests.attacks.conftest import Ground, harm_of

pytestmark = pytest.mark.docker


def streams_of(ground: Ground) -> dict[str, tuple[int, int, tuple[str, ...]]]:
    """Of each stream: messages ever stored, consumers, subjects; by the registry's own user."""

    async def look() -> dict[str, tuple[int, int, tuple[str, ...]]]:
        key = Secrets(ground.data).user("registry")
        connection = await nats.connect(
            f"nats://127.0.0.1:{ground.port('nats')}",
            nkeys_seed_str=key.seed.decode(),
            inbox_prefix=b"_INBOX_registry",
        )
        infos = await connection.jetstream().streams_info()
        await connection.close()
        return {
            one.config.name: (one.state.last_seq, one.state.consumer_count, tuple(one.config.subjects))
            for one in infos
        }

    return asyncio.run(look())


def token_of_an_agent_that_is_gone(ground: Ground) -> str:
    claims = Enrolment(
        agent="intruder-0000000000",
        application_slug="intruder",
        application_version="1.0",
        launcher="local",
        expires=time.time() + 3600,
    )
    return sign(Secrets(ground.data).signing_key(), "enrol", claims)


@pytest.mark.attack(20)
@pytest.mark.attack(21)
def test_21_a_container_hears_and_says_nothing_but_its_own(ground: Ground) -> None:
    victim = ground.bob.running()
    other = ground.agent_of(ground.bob, victim)
    foreign = token_of_an_agent_that_is_gone(ground)
    before = streams_of(ground)
    tries = ground.ada.attempts("nats", other=other, foreign=foreign)
    assert harm_of(tries, at_least=45) == []
    after = streams_of(ground)
    assert {name: one[2] for name, one in after.items()} == {name: one[2] for name, one in before.items()}
    assert all(after[name][0] >= before[name][0] for name in before), "nothing was purged"
    assert ground.bob.look(victim)["status"] == "running"
    ground.bob.stop(victim)


@pytest.mark.attack(21)
@pytest.mark.parametrize(
    "options", [{}, {"user": "registry", "password": ""}, {"token": "token-of-ada"}], ids=str
)
def test_21_a_notebook_without_credentials_does_not_get_in(ground: Ground, options: dict[str, str]) -> None:
    async def connect() -> None:
        url = f"nats://127.0.0.1:{ground.port('nats')}"
        await nats.connect(url, allow_reconnect=False, connect_timeout=5, error_cb=_quiet, **options)

    with pytest.raises(NatsError, match=r"(?i)authorization violation"):
        asyncio.run(connect())


async def _quiet(_: Exception) -> None:
    """What is refused is raised as well."""


@pytest.mark.attack(21)
def test_21_a_launcher_hears_and_says_nothing_but_its_own(ground: Ground) -> None:
    async def try_all() -> list[str]:
        errors: list[str] = []

        async def failed(error: Exception) -> None:
            errors.append(str(error))

        connection = await nats.connect(
            f"nats://127.0.0.1:{ground.port('nats')}",
            nkeys_seed_str=Secrets(ground.data).user("launcher-local").seed.decode(),
            inbox_prefix=b"_INBOX_launcher-local",
            allow_reconnect=False,
            error_cb=failed,
        )
        for subject in HEAR:
            await connection.subscribe(subject)
        for subject in SAY:
            await connection.publish(subject, b"{}")
        await connection.flush()
        await asyncio.sleep(0.2)
        await connection.close()
        return errors

    errors = asyncio.run(try_all())
    for subject in HEAR + SAY:
        assert any(f'"{subject.lower()}"' in one.lower() for one in errors), (subject, errors)


HEAR = [
    ">",
    "_INBOX.>",
    "_INBOX_registry.>",
    "$JS.>",
    "$SYS.>",
    "$O.>",
    "$KV.>",
    "events.>",
    "commands.>",
    "control.>",
]
SAY = [
    "$JS.API.STREAM.DELETE.EVENTS",
    "$JS.API.STREAM.PURGE.COMMANDS",
    "$JS.API.CONSUMER.MSG.NEXT.COMMANDS.x",
    "$JS.ACK.COMMANDS.x.1.1.1.1.1",
    "commands.x",
    "control.x",
    "events.x",
    "launchers.other.start",
    "$O.files.C.x",
    "$KV.x.y",
    "$SYS.REQ.USER.AUTH",
]


@pytest.mark.attack(20)
def test_20_an_agent_cannot_tell_the_end_of_what_another_one_holds(ground: Ground) -> None:
    victim = ground.bob.running()
    other = ground.agent_of(ground.bob, victim)
    own = ground.ada.running("wait")
    agent = ground.agent_of(ground.ada, own)
    ground.ada.stop(own)
    tries = ground.ada.attempts("forge", victim=victim, other=other, agent=agent)
    assert "sent" in tries[-1]["said"], "NATS lets an agent speak under its own name"
    # What was forged lies before this in the stream, so by now it has been looked at.
    assert ground.ada.run("say_words", bare="a", single="b", double="c", joined="d")["status"] == "successful"
    seen = ground.bob.look(victim)
    assert seen["status"] == "running"
    assert "forged" not in str(seen)
    assert "forged" not in ground.bob.output(victim)
    assert ground.container_of(other).status == "running"
    ground.bob.stop(victim)


@pytest.mark.attack(22)
def test_22_nats_has_no_monitoring_port(ground: Ground) -> None:
    server = psutil.Process(int((ground.data / "run" / "nats.pid").read_text()))
    listening = {one.laddr for one in server.net_connections() if one.status == psutil.CONN_LISTEN}
    assert {(one.ip, one.port) for one in listening} == {("127.0.0.1", ground.port("nats"))}
