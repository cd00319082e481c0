"""What an agent does with commands and control messages, without a NATS server: the rules alone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from qcrbox.contract import messages
from qcrbox.contract.states import State
from qcrbox_agent import agent as agent_module
from qcrbox_agent.agent import Agent
from qcrbox_agent.receive import Delivery
from qcrbox_agent.settings import Settings

WAIT_S = 30


@pytest.fixture
async def agent(sample, tmp_path):
    settings = Settings(
        agent="agent-1",
        nats_url="nats://127.0.0.1:9",
        enrolment_file=tmp_path / "enrolment",
        spec=sample,
        work_dir=tmp_path / "work",
    )
    made = Agent(settings, "token")
    made.posted = []

    def post(event):
        made.posted.append(event)
        stored = asyncio.get_running_loop().create_future()
        stored.set_result(None)
        return stored

    made.outbox.post = post
    made.acknowledged = []

    async def acknowledge(delivery):
        made.acknowledged.append(delivery)

    made.receiver.acknowledge = acknowledge
    return made


def command(calculation: str = "c1", attempt: int = 1, **more) -> messages.Command:
    known = {
        "application_slug": "sample",
        "application_version": "1.0",
        "command_name": "no_op",
        "correlation_id": "k",
    }
    return messages.Command(calculation_id=calculation, attempt=attempt, **(known | more))


def delivery(*about, **more) -> Delivery:
    return Delivery(command(*about, **more), "ack")


class Running:
    """An attempt that runs now."""

    def __init__(self, calculation: str = "c1", attempt: int = 1) -> None:
        self.key = (calculation, attempt)
        self.stops = []
        self.end_session = asyncio.get_running_loop().create_future()

    def stop(self, stop) -> None:
        self.stops.append(stop)


async def tell(agent: Agent, control) -> None:
    await agent._control(SimpleNamespace(data=control.model_dump_json().encode()))


# ------------------------------------------------------------ commands


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"application_slug": "refine"}, "This agent runs sample 1.0."),
        ({"application_version": "2.0"}, "This agent runs sample 1.0."),
        ({"command_name": "format_disk"}, "Sample has no command 'format_disk'."),
    ],
    ids=["another application", "another version", "an unknown command"],
)
async def test_what_this_agent_does_not_run_is_refused(agent, about, words):
    finished = await agent._attempt(delivery(**about))
    assert finished.status is State.FAILED
    assert words in finished.error_msg
    assert agent.current is None


async def test_a_cancel_that_came_before_its_command_ends_it_unrun(agent):
    await tell(agent, messages.Cancel(calculation_id="c1", attempt=1, reason="too expensive"))
    finished = await agent._attempt(delivery())
    assert finished.status is State.CANCELLED
    assert finished.error_msg == "too expensive"


async def test_a_cancel_without_a_reason_gets_one(agent):
    await tell(agent, messages.Cancel(calculation_id="c1", attempt=1))
    assert (await agent._attempt(delivery())).error_msg == "Cancelled."


async def test_a_cancel_ends_the_attempt_it_names_only(agent):
    agent.current = Running("c1", 2)
    await tell(agent, messages.Cancel(calculation_id="c1", attempt=1))
    await tell(agent, messages.Cancel(calculation_id="c2", attempt=2))
    assert agent.current.stops == []
    await tell(agent, messages.Cancel(calculation_id="c1", attempt=2, grace_s=1.5))
    (stop,) = agent.current.stops
    assert (stop.state, stop.grace_s) == (State.CANCELLED, 1.5)


async def test_only_so_many_early_cancels_are_remembered(agent, monkeypatch):
    monkeypatch.setattr(agent_module, "REMEMBERED_CANCELS", 2)
    for number in range(3):
        await tell(agent, messages.Cancel(calculation_id=f"c{number}", attempt=1))
    assert list(agent._cancelled) == [("c1", 1), ("c2", 1)]


@pytest.mark.parametrize("data", [b"", b"{", b'{"kind": "explode"}', b'{"kind": "cancel"}', b"[]"], ids=repr)
async def test_a_control_message_that_cannot_be_read_changes_nothing(agent, data):
    agent.current = Running()
    await agent._control(SimpleNamespace(data=data))
    assert agent.current.stops == []


# ------------------------------------------------------------ ends


async def test_an_end_is_told_again_as_it_was(agent):
    finished = await agent._attempt(delivery(command_name="format_disk"))
    agent._remember(finished)
    agent._tell_again(delivery())
    assert agent.posted[-1] == finished


async def test_an_end_that_is_forgotten_is_told_as_a_failure(agent):
    """Running it once more would be worse: an attempt runs once."""
    agent._tell_again(delivery())
    assert agent.posted[-1].status is State.FAILED
    assert "not remembered" in agent.posted[-1].error_msg


async def test_a_command_is_acknowledged_when_its_end_is_stored_and_not_before(agent):
    stored = asyncio.get_running_loop().create_future()
    acknowledging = asyncio.create_task(agent._acknowledge(delivery(), stored))
    await asyncio.sleep(0)
    assert agent.acknowledged == []
    stored.set_result(None)
    await acknowledging
    assert len(agent.acknowledged) == 1


async def test_only_so_many_ends_are_remembered(agent, monkeypatch):
    monkeypatch.setattr(agent_module, "REMEMBERED_ENDS", 2)
    for number in range(3):
        agent._remember(await agent._attempt(delivery(f"c{number}", command_name="format_disk")))
    assert list(agent._ended) == [("c1", 1), ("c2", 1)]


# ------------------------------------------------------------ sessions


async def test_a_session_ends_as_its_person_wished_first(agent):
    agent.current = Running()
    await tell(agent, messages.EndSession(calculation_id="c1", attempt=1, keep=False))
    await tell(agent, messages.EndSession(calculation_id="c1", attempt=1, keep=True))
    assert agent.current.end_session.result().keep is False


async def test_the_end_of_another_session_ends_none(agent):
    agent.current = Running()
    await tell(agent, messages.EndSession(calculation_id="c2", attempt=1))
    assert not agent.current.end_session.done()


async def test_a_tunnel_is_opened_for_the_session_it_names_only(agent, monkeypatch):
    opened = []

    async def open_tunnel(control, _attempt):
        opened.append(control.tunnel_id)

    monkeypatch.setattr(
        agent_module.importlib, "import_module", lambda _: SimpleNamespace(open_tunnel=open_tunnel)
    )
    about = {"tunnel_id": "t1", "url": "http://registry/t1", "token": "t"}
    await tell(agent, messages.OpenTunnel(calculation_id="c1", attempt=1, **about))
    agent.current = Running()
    await tell(agent, messages.OpenTunnel(calculation_id="c1", attempt=2, **about))
    await tell(agent, messages.OpenTunnel(calculation_id="c1", attempt=1, **about))
    await asyncio.sleep(0.01)
    assert opened == ["t1"]


# ------------------------------------------------------------ registering and leaving


async def test_an_agent_registers_with_what_it_runs(agent):
    agent.notes = [f"note {number}" for number in range(200)]
    agent._register()
    (ready,) = agent.posted
    assert (ready.application_slug, ready.application_version) == ("sample", "1.0")
    assert "no_op" in ready.commands
    assert len(ready.notes) == 100
    assert ready.busy_with is None


async def test_an_agent_that_reconnects_says_what_it_is_busy_with(agent):
    agent.current = Running("c7", 3)
    agent._register()
    assert (agent.posted[-1].busy_with, agent.posted[-1].attempt) == ("c7", 3)


async def test_an_agent_registers_only_when_its_modules_are_there(agent):
    """The first command need not wait for an import."""

    class Client:
        async def subscribe(self, subject, cb):
            self.subject = subject

    client = Client()
    await agent._connected(client)
    assert client.subject == messages.subject_control("agent-1")
    assert agent.posted == []
    agent._is_ready = True
    await agent._connected(client)
    assert [event.kind for event in agent.posted] == ["agent_ready"]


async def test_an_idle_agent_that_is_drained_leaves_at_once(agent):
    await tell(agent, messages.Drain())
    assert agent._leave.is_set()
    assert agent._reason == "drained"


async def test_a_drained_agent_finishes_what_runs(agent):
    agent.current = Running()
    await tell(agent, messages.Drain())
    assert not agent._leave.is_set()
    assert agent.current.stops == []


async def test_a_drained_agent_takes_no_further_command(agent):
    agent._draining = True
    working = asyncio.create_task(agent._work())
    async with asyncio.timeout(WAIT_S):
        await agent._leave.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert agent.posted == []


async def test_an_orphaned_idle_agent_leaves(agent, monkeypatch):
    object.__setattr__(agent.settings, "orphaned_after_s", 0.02)
    watching = asyncio.create_task(agent._leave_when_orphaned())
    async with asyncio.timeout(WAIT_S):
        await agent._leave.wait()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert "NATS was away" in agent._reason


async def test_an_orphaned_agent_finishes_what_runs(agent):
    object.__setattr__(agent.settings, "orphaned_after_s", 0.02)
    agent.current = Running()
    watching = asyncio.create_task(agent._leave_when_orphaned())
    await asyncio.sleep(0.2)
    assert not agent._leave.is_set()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_leaving_says_why(agent):
    agent.leave("stopped")

    async def drained(_):
        return True

    agent.outbox.drained = drained
    await agent._say_goodbye()
    assert [(event.kind, event.reason) for event in agent.posted] == [("agent_gone", "stopped")]


def test_the_memory_of_the_agent_is_measured():
    assert agent_module._own_rss() > 1_000_000
