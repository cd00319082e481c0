"""The launcher process with a real NATS server, real agents and the registry's own bus."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest
import pytest_asyncio
from qcrbox.contract.errors import Unreachable
from qcrbox.contract.messages import LauncherAnswer, StartAgent, StopAgent
from qcrbox_registry.launcher.catalogue import Catalogue
from qcrbox_registry.launcher.launcher import Credential, Launcher
from qcrbox_registry.launcher.managers.base import Manager
from qcrbox_registry.messaging.auth_callout import AuthCallout
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.server import ServerPlan, start
from qcrbox_registry.messaging.tokens import Enrolment, sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Site:
    """NATS, the registry's side of it, and one launcher process."""

    def __init__(self, folder, server, secrets, bus, applications):
        self.folder, self.server, self.secrets, self.bus = folder, server, secrets, bus
        self.applications = applications
        self.arrived = []
        self.process = None

    async def take(self, batch):
        self.arrived += batch

    def start_launcher(self, *more: str) -> None:
        command = [
            sys.executable,
            "-m",
            "qcrbox_registry.launcher",
            "--data",
            str(self.folder),
            "--name",
            "local",
        ]
        log = (self.folder / "launcher.log").open("ab")
        self.process = subprocess.Popen(
            [*command, "--applications", str(self.applications), *more], stderr=log, stdout=log
        )

    def stop_launcher(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(20)

    async def until(self, holds, what: str, timeout_s: float = 60.0):
        deadline = time.monotonic() + timeout_s
        while True:
            if found := holds():
                return found
            if time.monotonic() > deadline:
                pytest.fail(f"waited for {what}\n{(self.folder / 'launcher.log').read_text()[-3000:]}")
            await asyncio.sleep(0.02)

    def of_kind(self, kind: str) -> list:
        return [one.event for one in self.arrived if one.event.kind == kind]

    async def launcher_ready(self):
        seen = len(self.of_kind("launcher_ready"))
        await self.until(lambda: len(self.of_kind("launcher_ready")) > seen, "the launcher")
        # The last word of a launcher that was stopped may arrive after the next one was started.
        async with asyncio.timeout(40.0):
            while not await self._launcher_answers():
                await asyncio.sleep(0.02)
        return self.of_kind("launcher_ready")[-1]

    async def _launcher_answers(self) -> bool:
        try:
            return (await self.bus.launcher("local").list()).ok
        except Unreachable:
            return False

    async def request(self, agent: str, version: str = "1.0") -> LauncherAnswer:
        await self.bus.add_agent(agent)
        claims = Enrolment(
            agent=agent,
            application_slug="sample",
            application_version=version,
            launcher="local",
            expires=time.time() + 3600,
        )
        return await self.bus.launcher("local").start(
            StartAgent(
                agent=agent,
                application_slug="sample",
                application_version=version,
                enrolment_token=sign(self.secrets.signing_key(), "enrol", claims),
            )
        )

    async def agent_ready(self, agent: str):
        ready = lambda: [e for e in self.of_kind("agent_ready") if e.agent == agent]  # noqa: E731
        return (await self.until(ready, f"agent {agent}"))[-1]

    async def gone(self, agent: str):
        gone = lambda: [e for e in self.of_kind("agent_gone") if e.agent == agent]  # noqa: E731
        return (await self.until(gone, f"the end of {agent}"))[-1]

    async def listed(self) -> dict:
        answer = await self.bus.launcher("local").list()
        return {one.agent: one for one in answer.agents if one.alive}

    async def stop_agent(self, agent: str) -> LauncherAnswer:
        return await self.bus.launcher("local").stop(StopAgent(agent=agent, grace_s=5.0))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory):
    from pathlib import Path

    folder = tmp_path_factory.mktemp("platform")
    server = start(ServerPlan(data=folder, power_loss_safe=False))
    secrets = Secrets(folder)
    bus = Bus(server.url, secrets.user("registry"))
    await bus.connect()

    async def is_wanted(enrolment):
        return True

    await AuthCallout(secrets.account(), secrets.signing_key(), is_wanted).serve(bus.connection)
    fixtures = Path(__file__).parents[3] / "app_images" / "agent" / "tests" / "fixtures"
    made = Site(folder, server, secrets, bus, fixtures)
    events = asyncio.create_task(bus.run_events(made.take))
    made.start_launcher()
    await made.launcher_ready()
    yield made
    for agent in await made.listed():
        await made.stop_agent(agent)
    made.stop_launcher()
    events.cancel()
    await asyncio.gather(events, return_exceptions=True)
    await bus.close()
    server.stop()


async def test_the_launcher_says_what_it_offers(site):
    ready = site.of_kind("launcher_ready")[-1]
    assert (ready.launcher, ready.manager) == ("local", "process")
    assert ready.applications == [{"slug": "sample", "version": "1.0"}]
    assert ready.capacity >= 4


async def test_a_start_is_answered_at_once_and_the_agent_comes(site):
    answer = await site.request("b1")
    assert (answer.ok, [one.agent for one in answer.agents if one.alive]) == (True, ["b1"])
    ready = await site.agent_ready("b1")
    assert ready.launcher == "local"
    assert (await site.listed())["b1"].handle.startswith(f"{ready.pid}.")
    await site.stop_agent("b1")
    assert "b1" not in await site.listed()


@pytest.mark.attack(28)
async def test_the_same_start_twice_starts_once(site):
    await site.request("b2")
    ready = await site.agent_ready("b2")
    assert (await site.request("b2")).ok
    assert (await site.listed())["b2"].handle.startswith(f"{ready.pid}.")
    await site.stop_agent("b2")


@pytest.mark.attack(16)
@pytest.mark.attack(17)
async def test_what_is_not_approved_is_refused(site):
    answer = await site.request("b3", version="9")
    assert not answer.ok
    assert answer.error == "This launcher has no approved application sample 9."


async def test_a_request_that_cannot_be_read_is_refused(site):
    reply = await site.bus.connection.request("launchers.local.start", b'{"agent": 1}', timeout=60)
    assert not LauncherAnswer.model_validate_json(reply.data).ok


async def test_an_agent_that_is_killed_is_told_with_its_exit_code(site):
    await site.request("b4")
    ready = await site.agent_ready("b4")
    os.kill(ready.pid, signal.SIGKILL)
    gone = await site.gone("b4")
    assert gone.exit_code == -signal.SIGKILL
    answer = await site.bus.launcher("local").list()
    (told,) = [one for one in answer.agents if one.agent == "b4"]
    assert (told.alive, told.exit_code) == (False, -signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_agents_live_on_and_are_adopted_when_the_launcher_restarts(site, number):
    agent = f"b5-{int(number)}"
    await site.request(agent)
    ready = await site.agent_ready(agent)
    site.stop_launcher(number)
    with pytest.raises(Unreachable):
        await site.bus.launcher("local").list(timeout_s=1.0)
    site.start_launcher()
    assert agent in (await site.launcher_ready()).running
    assert (await site.listed())[agent].handle.startswith(f"{ready.pid}.")
    os.kill(ready.pid, signal.SIGKILL)
    assert (await site.gone(agent)).agent == agent


async def test_agents_of_an_earlier_start_reach_nats_before_applications_are_approved(
    tmp_path, sample_folder
):
    """Containers reach NATS through the launcher: without it for long they count as lost."""
    catalogue = Catalogue(tmp_path / "store")
    approved = []

    class Doors(Manager):
        async def setup(self):
            approved.append(list(catalogue))

        async def list(self):
            return []

    manager = Doors(prepare_at_start=False)
    launcher = Launcher("local", "nats://127.0.0.1:9", Credential(), manager, catalogue, [sample_folder])
    running = asyncio.create_task(launcher.run())
    async with asyncio.timeout(60):
        while not list(catalogue):
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    assert approved == [[]]


async def test_stopping_what_is_not_there_is_no_error(site):
    assert (await site.stop_agent("nobody")).ok


@pytest.mark.slow
@pytest.mark.attack(19)
async def test_nothing_is_started_beyond_the_capacity(site, tmp_path):
    site.stop_launcher()
    config = tmp_path / "config.json"
    config.write_text('{"ProcessManager": {"most_agents": 1}}')
    site.start_launcher("--config", str(config))
    assert (await site.launcher_ready()).capacity == 1
    first = await site.request("b6")
    assert (first.ok, first.free) == (True, 0)
    second = await site.request("b7")
    assert (second.ok, second.error) == (False, "All places for agents are taken.")
    await site.stop_agent("b6")
    site.stop_launcher()
    site.start_launcher()
    await site.launcher_ready()


@pytest.mark.slow
async def test_an_environment_that_cannot_be_made_is_the_reason(site, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(site.applications / "sample", broken)
    (broken / "requirements.txt").write_text("./no-such-package-here\n")
    site.stop_launcher()
    site.applications, before = broken, site.applications
    site.start_launcher()
    try:
        await site.launcher_ready()
        assert (await site.request("b8")).ok
        gone = await site.gone("b8")
        assert gone.reason.startswith("The environment of sample 1.0 could not be made.")
        assert "no-such-package-here" in gone.reason
        told = [e.preparing for e in site.of_kind("launcher_ready") if e.preparing]
        assert told
        assert told[0][0]["text"].startswith("Preparing the environment of sample 1.0")
    finally:
        site.applications = before
        site.stop_launcher()
        site.start_launcher()
        await site.launcher_ready()
