from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import nats
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.server import ServerPlan, configuration, start


def test_secrets_and_configuration_are_readable_by_their_owner_only(nats_server):
    data = nats_server.plan.data
    files = [data / "run" / "nats.conf", *(data / "secrets").iterdir()]
    assert len(files) > 4
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert stat.S_IMODE((data / "secrets").stat().st_mode) == 0o700


def test_no_seed_is_in_the_configuration_or_on_the_command_line(nats_server):
    seeds = [path.read_text().strip() for path in (nats_server.plan.data / "secrets").iterdir()]
    written = (nats_server.plan.data / "run" / "nats.conf").read_text()
    line = Path(f"/proc/{nats_server.pid}/cmdline").read_text()
    assert not any(seed in written or seed in line for seed in seeds)


def test_a_second_start_keeps_secrets_and_port(nats_server):
    key = Secrets(nats_server.plan.data).user("registry").public
    nats_server.stop()
    again = start(nats_server.plan)
    try:
        assert again.port == nats_server.port
        assert Secrets(nats_server.plan.data).user("registry").public == key
    finally:
        again.stop()


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserInputError, match="in use"):
            start(ServerPlan(data=tmp_path, port=taken.getsockname()[1]))


def test_stop_leaves_no_process(nats_server):
    pid = nats_server.pid
    nats_server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(("safe", "words"), [(True, "sync_interval: always"), (False, 'sync_interval: "2m"')])
def test_the_durability_class_is_the_sync_interval(tmp_path, safe, words):
    assert words in configuration(ServerPlan(data=tmp_path, power_loss_safe=safe), 4222, Secrets(tmp_path))


def test_it_listens_on_loopback_and_has_no_monitoring_port(tmp_path):
    text = configuration(ServerPlan(data=tmp_path), 4222, Secrets(tmp_path))
    assert 'listen: "127.0.0.1:4222"' in text
    assert "http" not in text


async def _refusals(nats_server, options, subjects_to_hear, subjects_to_say):
    """The permission violations of one connection."""
    seen: list[str] = []

    async def failed(error):
        seen.append(str(error))

    connection = await nats.connect(nats_server.url, error_cb=failed, **options)
    for subject in subjects_to_hear:
        await connection.subscribe(subject)
    for subject in subjects_to_say:
        await connection.publish(subject, b"{}")
    await connection.flush()
    await asyncio.sleep(0.1)
    await connection.close()
    return seen


async def test_a_launcher_hears_and_says_its_own_subjects_only(nats_server, platform_secrets):
    seed = platform_secrets.user("launcher-local").seed.decode()
    options = {"nkeys_seed_str": seed, "inbox_prefix": b"_INBOX_launcher-local"}
    own = await _refusals(nats_server, options, ["launchers.local.start"], ["events.launcher-local"])
    assert own == []
    hear = ["launchers.other.start", ">", "_INBOX_registry.>", "commands.a", "$SYS.>"]
    say = [
        "commands.a",
        "events.a",
        "launchers.local.start",
        "$JS.API.STREAM.DELETE.EVENTS",
        "$SYS.REQ.USER.AUTH",
    ]
    assert len(await _refusals(nats_server, options, hear, say)) == len(hear) + len(say)
