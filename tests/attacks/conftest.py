"""A platform with containers and three people, one of whom (or whose program) wants to do harm."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from docker.models.containers import Container
from qcrbox import lifeline

from tests.conftest import INTRUDER
from tests.faults.stand_in_hub import StandInHub
from tests.sessions.conftest import WINDOW, approve

LIMITS = {"DockerManager": {"memory_bytes": 512_000_000, "pids": 256, "most_agents": 8}}


class Person:
    """What one person of the stand-in hub does."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.ground, self.name = ground, name
        headers = {"Authorization": f"Bearer token-of-{name}"} if name else {}
        self.http = httpx.Client(base_url=ground.url, headers=headers, timeout=90, trust_env=False)

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self.http.request(method, path, **options)
        assert answer.is_success, answer.text
        return answer.json()["payload"]

    def start(
        self, command: str, slug: str = "intruder", more: dict[str, Any] | None = None, **arguments: Any
    ) -> str:
        """Submit; the calculation's id. `more`: further fields of the request."""
        body = {"application_slug": slug, "application_version": "1.0", "command_name": command, "command_arguments": arguments}  # fmt: skip
        return self.call("POST", "/api/commands", json=body | (more or {}))["calculation_id"]

    def look(self, calculation_id: str, wait: float = 0) -> dict[str, Any]:
        found = self.call("GET", f"/api/calculations/{calculation_id}", params={"wait": wait})
        return found["calculations"][0]

    def ended(self, calculation_id: str, seconds: float = 180) -> dict[str, Any]:
        return until(lambda: (one := self.look(calculation_id, 10))["status"] in FINAL and one, seconds)

    def run(self, command: str, **arguments: Any) -> dict[str, Any]:
        return self.ended(self.start(command, **arguments))

    def running(self, command: str = "wait", **arguments: Any) -> str:
        """A calculation that runs until it is stopped."""
        made = self.start(command, **arguments)
        until(lambda: self.look(made)["status"] == "running")
        return made

    def stop(self, calculation_id: str) -> None:
        self.http.post(f"/api/calculations/{calculation_id}/stop")
        self.ended(calculation_id)

    def output(self, calculation_id: str) -> str:
        path = f"/api/calculations/{calculation_id}/log"
        return self.call("GET", path, params={"stream": "stdout", "most": 30_000_000})["text"]

    def text_of(self, dataset_id: str) -> str:
        files = self.call("GET", f"/api/datasets/{dataset_id}")["datasets"][0]["data_files"]
        (one,) = files.values()
        return self.http.get(f"/api/data-files/{one['qcrbox_file_id']}/download").text

    def attempts(self, what: str, **about: Any) -> list[dict[str, Any]]:
        """What the intruder tried in this person's container; each with `try`, `harm` and `said`."""
        made = self.start("attempt", what=what, about=json.dumps(about))
        done = self.ended(made)
        text = self.output(made)
        assert done["status"] == "successful", (done["error_msg"], text[-2000:])
        return [json.loads(line) for line in text.splitlines()]


FINAL = ("successful", "failed", "cancelled")


def until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def harm_of(tries: list[dict[str, Any]], at_least: int) -> list[str]:
    """What worked of the tries; fails when the intruder did not even try so much."""
    assert len(tries) >= at_least, tries
    return [f"{one['try']}: {one['said']}" for one in tries if one["harm"]]


class Ground:
    """Registry, NATS and a launcher with containers on one data folder, with a hub that knows ada, bob and cyd."""

    def __init__(self, data: Path) -> None:
        self.data, self.hub = data, StandInHub()
        self.daemon = docker.from_env()
        (data / "run").mkdir(parents=True, exist_ok=True)
        config = data.parent / "limits.json"
        config.write_text(json.dumps(LIMITS))
        self._read, self._write = os.pipe()
        where = ["--data", str(data), "--applications", str(INTRUDER), "--applications", str(WINDOW)]
        hub = ["--port", "0", "--auth", "hub", "--hub-api-url", self.hub.api_url]
        self.registry = self._start("qcrbox_registry", *where, *hub)
        assert self.registry.stdout is not None
        line = self.registry.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"the registry did not start: {line!r} {self.log('qcrbox_registry')[-2000:]}"
        self.url = found.group(0)
        more = ["--manager", "docker", "--config", str(config)]
        self.launcher = self._start("qcrbox_registry.launcher", *where, *more)
        self.ada, self.bob, self.cyd, self.nobody = (Person(self, name) for name in ("ada", "bob", "cyd", ""))

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        with self._log_file(module).open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if module == "qcrbox_registry" else log,
                stderr=log,
                text=True,
                pass_fds=(self._read,),
                env={**os.environ, lifeline.VARIABLE: str(self._read)},
            )

    def _log_file(self, module: str) -> Path:
        return self.data.parent / f"{module}.log"

    def log(self, module: str) -> str:
        return self._log_file(module).read_text(errors="replace")

    def port(self, name: str) -> int:
        if name == "registry":
            return int(self.url.rpartition(":")[2])
        return int(json.loads((self.data / "run" / "nats.json").read_text())["port"])

    def containers(self) -> list[Container]:
        mine = {"label": f"org.qcrbox.data={os.path.realpath(self.data)}"}
        return self.daemon.containers.list(filters=mine, ignore_removed=True)

    def agent_of(self, person: Person, calculation_id: str) -> str:
        """The agent that works on a calculation."""
        return person.look(calculation_id)["client_private_inbox"].removeprefix("_INBOX_")

    def container_of(self, agent: str) -> Container:
        (found,) = (one for one in self.containers() if one.labels["org.qcrbox.agent"] == agent)
        return found

    def stop(self) -> None:
        os.close(self._write)
        os.close(self._read)
        for process in (self.launcher, self.registry):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
        self.hub.close()


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    data = tmp_path_factory.mktemp("ground") / "data"
    approve(data, INTRUDER, WINDOW)
    made = Ground(data)
    yield made
    made.stop()
    until(lambda: not made.containers(), 60)
