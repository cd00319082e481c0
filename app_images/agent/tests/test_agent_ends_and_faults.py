from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from qcrbox.contract.messages import Cancel, Drain, EndSession
from qcrbox.contract.states import State
from qcrbox_registry.messaging.server import start

pytestmark = pytest.mark.asyncio(loop_scope="module")


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def fresh(platform, request):
    """A new agent under a name of its own, for tests that end it."""
    numbers = iter(range(100))

    async def make(**environment):
        name = f"f{abs(hash(request.node.name)) % 10**8}-{next(numbers)}"
        agent = await platform.start_agent(name, **environment)
        await agent.ready()
        return agent

    return make


# ---------------------------------------------------------------- cancel


async def test_cancel_ends_a_callable_and_the_next_command_works(agent):
    calculation = await agent.send("sleep", seconds=60)
    await agent.platform.until(lambda: "running" in agent.steps(calculation), agent=agent)
    await agent.control(Cancel(calculation_id=calculation, attempt=1, reason="Not needed."))
    end = await agent.end_of(calculation)
    assert (end.status, end.error_msg) == (State.CANCELLED, "Not needed.")
    assert agent.steps(calculation)[-1] == "cancelling"
    assert (await agent.run("no_op")).status is State.SUCCESSFUL


async def test_cancel_ends_a_program_with_all_its_children(agent):
    before = set(agent.processes())
    calculation = await agent.send("sleep_cli", seconds=60)
    await agent.printed(calculation, "started")
    started = set(agent.processes()) - before
    assert len(started) >= 3
    await agent.control(Cancel(calculation_id=calculation, attempt=1))
    assert (await agent.end_of(calculation)).status is State.CANCELLED
    assert not [pid for pid in started if runs(pid)]


def progress_text(agent, calculation) -> str:
    told = [event.text for event in agent.of_kind("progress") if event.calculation_id == calculation]
    return told[-1] if told else ""


async def test_a_cancelled_command_keeps_its_checkpoint_and_what_it_had_written(agent, platform):
    calculation = await agent.send("count", to=100, pause_s=0.2)
    await agent.platform.until(lambda: progress_text(agent, calculation).startswith("3 of"), agent=agent)
    await agent.control(Cancel(calculation_id=calculation, attempt=1))
    end = await agent.end_of(calculation)
    assert end.status is State.CANCELLED
    assert {output.filename for output in end.outputs} == {"counted.txt", "count.txt"}
    assert platform.files.outputs["counted.txt"].startswith(b"1\n2\n")
    assert int(platform.files.checkpoints[calculation]) >= 2


@pytest.mark.parametrize("attempt", [1, 2], ids=["same call again", "next attempt"])
async def test_an_attempt_goes_on_from_the_checkpoint_that_it_gets(agent, platform, attempt):
    platform.files.checkpoints["resumed"] = b"2"
    end = await agent.run("count", to=4, _id="resumed", _attempt=attempt)
    assert end.status is State.SUCCESSFUL
    assert platform.files.outputs["counted.txt"] == b"3\n4\n"


async def test_a_first_attempt_without_a_checkpoint_begins_at_the_beginning(agent, platform):
    end = await agent.run("count", to=2)
    assert [output.filename for output in end.outputs] == ["counted.txt"]
    assert platform.files.outputs["counted.txt"] == b"1\n2\n"


async def test_a_program_that_ignores_sigterm_is_killed_after_the_grace_time(agent):
    calculation = await agent.send("stubborn")
    await agent.printed(calculation, "started")
    await agent.control(Cancel(calculation_id=calculation, attempt=1, grace_s=0.2))
    assert (await agent.end_of(calculation)).status is State.CANCELLED


async def test_a_command_cancelled_before_its_turn_never_runs(agent):
    first = await agent.send("sleep", seconds=60)
    second = await agent.send("echo", text="no", times=1)
    await agent.platform.until(lambda: "running" in agent.steps(first), agent=agent)
    await agent.control(Cancel(calculation_id=second, attempt=1))
    await agent.control(Cancel(calculation_id=first, attempt=1))
    assert (await agent.end_of(second)).status is State.CANCELLED
    assert "running" not in agent.steps(second)


async def test_a_cancel_that_overtakes_its_command_is_remembered(agent):
    await agent.control(Cancel(calculation_id="overtaken", attempt=1))
    await agent.run("no_op")
    end = await agent.run("echo", text="no", times=1, _id="overtaken")
    assert end.status is State.CANCELLED


async def test_a_cancel_of_another_attempt_changes_nothing(agent):
    calculation = await agent.send("sleep", seconds=0.3, steps=3, _attempt=2)
    await agent.control(Cancel(calculation_id=calculation, attempt=1))
    assert (await agent.end_of(calculation)).status is State.SUCCESSFUL


async def test_wall_time_ends_a_command_as_failed(agent):
    end = await agent.run("sleep_cli", seconds=60, _wall_time_s=0.3)
    assert end.status is State.FAILED
    assert end.error_msg.startswith("It ran longer than the 0.3 s allowed.")


async def test_an_upload_can_be_cancelled_while_the_registry_is_down(agent, platform):
    platform.files.refuse += [503] * 1000
    try:
        calculation = await agent.send("echo", text="x", times=1)
        await platform.until(lambda: "uploading" in agent.steps(calculation), agent=agent)
        await agent.control(Cancel(calculation_id=calculation, attempt=1))
        assert (await agent.end_of(calculation)).status is State.CANCELLED
    finally:
        platform.files.refuse.clear()


# ---------------------------------------------------------------- sessions


async def open_session(agent) -> str:
    calculation = await agent.send("interactive_session", title="my notes", _interactive=True)
    await agent.printed(calculation, "open")
    return calculation


def states(agent, calculation: str) -> list[str]:
    return [e.state for e in agent.of_kind("session") if e.calculation_id == calculation]


async def test_a_session_that_is_kept_runs_finalise_and_stores_its_output(agent, platform):
    calculation = await open_session(agent)
    await agent.control(EndSession(calculation_id=calculation, attempt=1, keep=True))
    end = await agent.end_of(calculation)
    assert end.status is State.SUCCESSFUL, end.error_msg
    assert platform.files.outputs["notes.txt"] == b"# my notes\nline\n"
    assert states(agent, calculation) == ["starting", "open", "finalising"]
    assert agent.steps(calculation) == ["preparing", "open", "finalising", "uploading"]


async def test_a_session_that_is_discarded_stores_nothing(agent, platform):
    platform.files.outputs.pop("notes.txt", None)
    calculation = await open_session(agent)
    await agent.control(EndSession(calculation_id=calculation, attempt=1, keep=False))
    end = await agent.end_of(calculation)
    assert (end.status, end.outputs) == (State.CANCELLED, [])
    assert "notes.txt" not in platform.files.outputs


async def test_a_session_stays_open_when_its_program_is_closed(agent, platform):
    before = set(agent.processes())
    calculation = await open_session(agent)
    for pid in set(agent.processes()) - before:
        if b"sleep\x003600" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
    await platform.until(lambda: "program_ended" in states(agent, calculation), agent=agent)
    assert agent.ends(calculation) == []
    await agent.control(EndSession(calculation_id=calculation, attempt=1, keep=True))
    assert (await agent.end_of(calculation)).status is State.SUCCESSFUL


async def test_a_session_can_be_cancelled(agent):
    calculation = await open_session(agent)
    await agent.control(Cancel(calculation_id=calculation, attempt=1))
    assert (await agent.end_of(calculation)).status is State.CANCELLED
    assert (await agent.run("no_op")).status is State.SUCCESSFUL


# ---------------------------------------------------------------- the agent's own end


async def test_an_agent_leaves_in_order_on_sigterm(fresh):
    agent = await fresh()
    agent.process.terminate()
    assert agent.process.wait(10) == 0
    await agent.platform.until(lambda: agent.of_kind("agent_gone"), agent=agent)
    assert agent.of_kind("agent_gone")[0].reason == "stopped"


async def test_a_drained_agent_finishes_what_runs_and_leaves(fresh):
    agent = await fresh()
    calculation = await agent.send("sleep", seconds=0.5, steps=2)
    await agent.platform.until(lambda: "running" in agent.steps(calculation), agent=agent)
    await agent.control(Drain(reason="retired"))
    assert (await agent.end_of(calculation)).status is State.SUCCESSFUL
    assert await asyncio.to_thread(agent.process.wait, 10) == 0
    assert agent.of_kind("agent_gone")[0].reason == "drained"


@pytest.mark.parametrize("command", ["sleep", "sleep_cli"])
async def test_no_program_outlives_a_killed_agent(fresh, command):
    agent = await fresh()
    calculation = await agent.send(command, seconds=60)
    await agent.platform.until(lambda: "running" in agent.steps(calculation), agent=agent)
    if command == "sleep_cli":
        await agent.printed(calculation, "started")
    below = agent.processes()
    assert below
    agent.process.kill()
    agent.process.wait(10)
    await agent.platform.until(lambda: not any(runs(pid) for pid in below), "the programs to end", agent)


async def test_an_agent_and_its_programs_end_with_the_platform(platform):
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    process = None
    try:
        agent = await start_with_lifeline(platform, read_end)
        process = agent.process
        calculation = await agent.send("sleep_cli", seconds=60)
        await agent.printed(calculation, "started")
        below = agent.processes()
        os.close(write_end)
        write_end = -1
        await platform.until(lambda: process.poll() is not None, "the agent to end", agent)
        await platform.until(lambda: not any(runs(pid) for pid in below), "the programs to end", agent)
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)


async def start_with_lifeline(platform, read_end: int):
    import subprocess

    from qcrbox import lifeline

    popen = subprocess.Popen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", lambda *a, **k: popen(*a, pass_fds=(read_end,), **k))
        agent = await platform.start_agent("lifeline", **{lifeline.VARIABLE: str(read_end)})
    await agent.ready()
    return agent


# ---------------------------------------------------------------- NATS


@pytest.mark.slow
async def test_a_calculation_that_ends_while_nats_is_away_is_told_afterwards(fresh, platform):
    agent = await fresh()
    calculation = await agent.send("sleep", seconds=1.0, steps=4)
    await platform.until(lambda: "running" in agent.steps(calculation), agent=agent)
    platform.server.stop()
    await asyncio.sleep(1.5)  # the command ends meanwhile
    again = start(platform.server.plan)
    platform.server.process = again.process
    end = await agent.end_of(calculation, timeout_s=60)
    assert end.status is State.SUCCESSFUL
    assert len(agent.ends(calculation)) == 1
    assert (await agent.run("no_op")).status is State.SUCCESSFUL
    assert len(agent.of_kind("agent_ready")) >= 2


async def test_a_stopped_agent_goes_on_where_it_was(fresh, platform):
    agent = await fresh()
    calculation = await agent.send("sleep", seconds=0.4, steps=4)
    await platform.until(lambda: "running" in agent.steps(calculation), agent=agent)
    agent.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1.0)
    agent.process.send_signal(signal.SIGCONT)
    assert (await agent.end_of(calculation)).status is State.SUCCESSFUL


async def test_an_end_is_told_again_when_its_attempt_is_sent_again(agent, platform):
    await agent.run("no_op", _id="asked-again")
    await platform.until(lambda: agent.ends("asked-again"))
    # Another message id than the first, as after the two minutes in which JetStream knows duplicates.
    message = (await sent_again(agent, "asked-again")).encode()
    await platform.bus.publisher.publish(f"commands.{agent.name}", message)
    await platform.until(lambda: len(agent.ends("asked-again")) == 2, "the end again", agent)


async def sent_again(agent, calculation_id: str) -> str:
    from qcrbox.contract.messages import Command

    return Command(
        calculation_id=calculation_id,
        attempt=1,
        correlation_id="",
        application_slug="sample",
        application_version="1.0",
        command_name="no_op",
    ).model_dump_json()


async def test_the_token_is_in_no_command_line_and_no_environment_of_programs(agent, platform):
    token = platform.token(agent.name)[:40].encode()
    await agent.run("no_op")
    for pid in [agent.process.pid, *agent.processes()]:
        assert token not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert token not in Path(f"/proc/{pid}/environ").read_bytes()
    below = {
        Path(f"/proc/{pid}/cmdline").read_bytes(): Path(f"/proc/{pid}/environ").read_bytes()
        for pid in agent.processes()
    }
    assert [line for line, environment in below.items() if b"QCRBOX_ENROLMENT_FILE" in environment] == []
