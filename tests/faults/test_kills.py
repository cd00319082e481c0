"""kill -9 of every process of a platform with five calculations and a program's window open, as processes and as containers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.supervisor import marked_processes

from tests.conftest import RunningRegistry
from tests.faults.agents_seen import Agents, AsProcesses, InContainers
from tests.faults.test_containers import SAMPLE, Platform, until
from tests.sessions.conftest import WINDOW, approve
from tests.sessions.test_sessions import RED, hold_until_heard, let_go, shows

pytestmark = pytest.mark.slow
SHORT_S, LONG_S = 15, 600
AGENT, WARDEN = r"^\S*python\S* -m qcrbox_agent *$", r"qcrbox_agent\.run\.warden"
PROGRAM, X_SERVER, WINDOW_MANAGER = r"window_program\.py", r"^\S*Xtigervnc", r"^\S*openbox"


class Scene(Platform):
    """The platform and what runs on it."""

    agents: Agents

    def state(self, calculation_id: str) -> str:
        return self.call("GET", f"/api/calculations/{calculation_id}")["calculations"][0]["status"]

    def agent_of(self, calculation_id: str) -> str:
        said = self.call("GET", f"/api/calculations/{calculation_id}")["calculations"][0]
        return said["client_private_inbox"].removeprefix("_INBOX_")

    def process(self, agent: str, pattern: str) -> int:
        found = [pid for pid, command in self.agents.inside(agent).items() if re.search(pattern, command)]
        assert found, (pattern, self.agents.inside(agent))
        return min(found)

    def kill_inside(self, calculation_id: str, pattern: str) -> None:
        agent = self.agent_of(calculation_id)
        self.agents.kill(agent, self.process(agent, pattern))

    def ends(self, calculation_id: str) -> list[str]:
        """Every end that the record tells."""
        events = self.call("GET", f"/api/calculations/{calculation_id}")["calculations"][0]["status_events"]
        return [one["status"] for one in events if one["status"] in ("successful", "failed", "cancelled")]


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    data = tmp_path / "data"
    if request.param == "docker":
        approve(data, SAMPLE, WINDOW)
    elif shutil.which("Xtigervnc") is None:
        pytest.skip("Xtigervnc is not installed")
    (data / "run").mkdir(parents=True, exist_ok=True)
    room = {"most_agents": 8}
    (data / "launcher.json").write_text(json.dumps({"ProcessManager": room, "DockerManager": room}))
    running = RunningRegistry(data, SAMPLE, WINDOW, manager=request.param).start()
    made = Scene(running)
    made.agents = AsProcesses(data) if request.param == "process" else InContainers(data)
    yield made
    running.stop()


async def test_whatever_is_killed_each_calculation_has_one_end_and_nothing_is_left(scene: Scene):
    short = [scene.run("sample", "sleep", seconds=SHORT_S, steps=5) for _ in range(3)]
    struck, left = (scene.run("sample", "sleep", seconds=LONG_S, steps=100) for _ in range(2))
    session_id = scene.open("window")
    until(lambda: all(scene.state(one) == "running" for one in (*short, struck, left)))
    viewer = await scene.viewer(session_id)
    await hold_until_heard(viewer)
    await let_go(viewer)
    everything = [*short, struck, left, session_id]
    at_work = {scene.agent_of(one) for one in everything}
    assert len(at_work) == 6, "one agent for each"

    for name in ("registry", "launcher", "nats"):
        scene.kill(name)
    assert {scene.agent_of(one) for one in everything} == at_work, "nothing was begun anew"
    assert at_work <= set(scene.agents.all()), "all of them were adopted"
    viewer = await until_seen(scene, session_id)
    await hold_until_heard(viewer, 0x61)
    await let_go(viewer, 0x61)

    # An agent that is killed loses its calculation, which begins anew with another one.
    lost = scene.agent_of(struck)
    scene.kill_inside(struck, AGENT)
    until(
        lambda: scene.agent_of(struck) not in (lost, f"queue.{struck}") and scene.state(struck) == "running"
    )
    # Without the process that forks its workers and ends what an agent leaves behind, it fails and says so.
    scene.kill_inside(struck, WARDEN)
    until(lambda: scene.state(struck) == "failed")

    # A program, its picture and its window manager may die; what was done in the session is kept.
    scene.kill_inside(session_id, WINDOW_MANAGER)
    scene.kill_inside(session_id, PROGRAM)
    assert "closed" not in scene.wait(session_id, "program_ended")["reason"]
    scene.kill_inside(session_id, X_SERVER)
    closed = scene.close(session_id)
    assert closed["status"] == "successful", closed
    assert scene.text_of(closed["output_dataset_id"], "notes.txt").split() == ["key", "50", "key", "38"]

    # A session whose agent dies has an end that says why.
    second = scene.open("window")
    agent = scene.agent_of(second)
    processes = scene.agents.inside(agent)
    assert any("Xtigervnc" in command for command in processes.values())
    scene.kill_inside(second, AGENT)
    assert scene.ended(second)["status"] == "failed"
    assert "The program of the session has ended" in scene.look(second)["reason"]
    until(lambda: not scene.agents.alive(agent, processes))

    assert [scene.ended(one)["status"] for one in short] == ["successful"] * 3
    scene.ended(struck)
    assert all(len(scene.ends(one)) == 1 for one in (*short, struck, session_id, second))
    assert scene.state(left) == "running"

    mark = DataFolder(scene.data).identity
    down = [sys.executable, "-m", "qcrbox_hub", "down", "--data", str(scene.data)]
    assert subprocess.run(down, capture_output=True, timeout=120, check=False).returncode == 0
    until(lambda: not scene.agents.all() and not marked_processes(mark), 60)


async def until_seen(scene: Scene, session_id: str):
    """The picture, as soon as it comes back."""
    for _ in range(100):
        try:
            viewer = await scene.viewer(session_id)
            await shows(viewer, RED)
            return viewer
        except (ConnectionError, OSError, TimeoutError):
            continue
    raise AssertionError("the picture does not come back")
