"""A real NATS server with the registry's auth callout, a file server whose faults can be chosen, and real agents."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from qcrbox.contract import messages
from qcrbox.contract.messages import Command, Finished
from qcrbox.spec import Application, check, load, loads
from qcrbox_registry.messaging.auth_callout import AuthCallout
from qcrbox_registry.messaging.bus import Arrived, Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.server import NatsServer, ServerPlan, start
from qcrbox_registry.messaging.tokens import Enrolment, sign
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SAMPLE = Path(__file__).parent / "fixtures" / "sample" / "application.yaml"


@functools.cache
def sample_application() -> Application:
    return load(SAMPLE)


@pytest.fixture(scope="session")
def sample() -> Path:
    return SAMPLE


@pytest.fixture
def application_with() -> Callable[[str, str], Application]:
    """An application `a` with one command `c`; its parameters and outputs are given as YAML."""

    def make(parameters: str = "[]", outputs: str = "[]") -> Application:
        return loads(
            textwrap.dedent(
                f"""
                name: A
                slug: a
                version: "1"
                commands:
                  - name: c
                    implemented_as: python_callable
                    import_path: m
                    parameters: {parameters}
                    outputs: {outputs}
                """
            )
        )

    return make


class SwitchedLink:
    """A link to NATS whose connection is made when the test says so."""

    def __init__(self, connection: Callable[[], Any]) -> None:
        self.client: Any = None
        self._connection = connection
        self._on_up: list[Callable[[Any], Awaitable[None]]] = []

    def on_up(self, callback: Callable[[Any], Awaitable[None]]) -> None:
        self._on_up.append(callback)

    async def up(self) -> Any:
        self.client = self._connection()
        for callback in self._on_up:
            await callback(self.client)
        return self.client


@pytest.fixture
def switched_link() -> type[SwitchedLink]:
    return SwitchedLink


@dataclass
class FileStore:
    """The agents' file routes over HTTP. `refuse` answers to come first: status codes, taken from the left."""

    inputs: dict[str, bytes] = field(default_factory=dict)
    outputs: dict[str, bytes] = field(default_factory=dict)
    checkpoints: dict[str, bytes] = field(default_factory=dict)  # by calculation
    refuse: list[int] = field(default_factory=list)
    requests: int = 0
    url: str = ""

    def add(self, file_id: str, content: bytes, filename: str = "") -> messages.FileRef:
        self.inputs[file_id] = content
        digest = hashlib.sha256(content).hexdigest()
        return messages.FileRef(
            data_file_id=file_id, filename=filename or file_id, sha256=digest, size=len(content)
        )

    def application(self) -> Starlette:
        async def get_input(request: Request) -> Response:
            if refusal := self._refusal(request):
                return refusal
            content = self.inputs.get(request.path_params["file_id"])
            return Response(status_code=404) if content is None else Response(content)

        async def put_output(request: Request) -> Response:
            if refusal := self._refusal(request):
                return refusal
            content = await request.body()
            digest = hashlib.sha256(content).hexdigest()
            assert digest == request.query_params["sha256"]
            self.outputs[request.query_params["filename"]] = content
            if request.query_params["name"] == messages.CHECKPOINT:
                self.checkpoints[request.path_params["id"]] = content
            return JSONResponse({"upload_id": "u-" + digest[:8], "sha256": digest, "size": len(content)})

        async def get_checkpoint(request: Request) -> Response:
            content = self.checkpoints.get(request.path_params["id"])
            return Response(status_code=404) if content is None else Response(content)

        return Starlette(
            routes=[
                Route("/calculations/{id}/checkpoint", get_checkpoint),
                Route("/calculations/{id}/inputs/{file_id}", get_input),
                Route("/calculations/{id}/outputs", put_output, methods=["PUT"]),
            ]
        )

    def _refusal(self, request: Request) -> Response | None:
        self.requests += 1
        if request.headers.get("Authorization") != "Bearer file-token":
            return Response(status_code=401)
        return Response(status_code=self.refuse.pop(0)) if self.refuse else None


class RunningAgent:
    """An agent process; `events` are those it has told."""

    def __init__(self, platform: Platform, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.platform, self.name, self.process, self._log = platform, name, process, log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def events(self) -> list[Any]:
        return [one.event for one in self.platform.arrived if one.source == self.name]

    def of_kind(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.kind == kind]

    async def ready(self) -> messages.AgentReady:
        await self.platform.until(lambda: self.of_kind("agent_ready"), "the agent to register", self)
        return self.of_kind("agent_ready")[-1]

    async def send(self, command_name: str, *files: messages.FileRef, **arguments: Any) -> str:
        """Send a command; its calculation id. Keywords starting with `_` are fields of the message."""
        fields = {name[1:]: arguments.pop(name) for name in list(arguments) if name.startswith("_")}
        self.platform.sent += 1
        command = sample_application().command(command_name)
        # The registry sends complete arguments.
        arguments = check(command, arguments) if command else arguments
        calculation_id = fields.pop("id", f"c{self.platform.sent}")
        message = Command(
            calculation_id=calculation_id,
            attempt=fields.pop("attempt", 1),
            correlation_id=calculation_id,
            application_slug="sample",
            application_version="1.0",
            command_name=command_name,
            owner=fields.pop("owner", "anna"),
            arguments=arguments,
            files=list(files),
            files_url=f"{self.platform.files.url}/calculations/{calculation_id}",
            file_token="file-token",
            **fields,
        )
        assert await self.platform.bus.send_commands([(self.name, message)]) == [None]
        return calculation_id

    def ends(self, calculation_id: str) -> list[Finished]:
        return [event for event in self.of_kind("finished") if event.calculation_id == calculation_id]

    async def end_of(self, calculation_id: str, timeout_s: float = 60.0) -> Finished:
        await self.platform.until(
            lambda: self.ends(calculation_id), f"the end of {calculation_id}", self, timeout_s
        )
        return self.ends(calculation_id)[-1]

    async def run(self, command_name: str, *files: messages.FileRef, **arguments: Any) -> Finished:
        return await self.end_of(await self.send(command_name, *files, **arguments))

    async def control(self, message: messages.Control) -> None:
        await self.platform.bus.control(self.name, message)

    def steps(self, calculation_id: str) -> list[str]:
        return [e.step for e in self.of_kind("step") if e.calculation_id == calculation_id]

    def output(self, calculation_id: str, stream: str = "stdout") -> str:
        parts = [e for e in self.of_kind("log") if e.calculation_id == calculation_id and e.stream == stream]
        return "".join(part.text for part in sorted(parts, key=lambda part: part.offset))

    async def printed(self, calculation_id: str, text: str) -> None:
        await self.platform.until(lambda: text in self.output(calculation_id), f"the output {text!r}", self)

    def processes(self) -> list[int]:
        """Pids of everything that descends from this agent."""
        return descendants(self.process.pid)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def descendants(pid: int) -> list[int]:
    """Living processes below `pid`, itself not included."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


class Platform:
    """What an agent finds around it."""

    def __init__(
        self, folder: Path, server: NatsServer, secrets: Secrets, bus: Bus, files: FileStore
    ) -> None:
        self.folder, self.server, self.secrets, self.bus, self.files = folder, server, secrets, bus, files
        self.arrived: list[Arrived] = []
        self.heartbeats: list[Arrived] = []
        self.agents: list[RunningAgent] = []
        self.sent = 0

    async def take(self, batch: list[Arrived]) -> None:
        self.arrived += batch

    async def until(
        self,
        holds: Callable[[], Any],
        what: str = "it",
        agent: RunningAgent | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                log = agent.log[-3000:] if agent else ""
                pytest.fail(f"waited {timeout_s:g} s for {what}\n{log}")
            await asyncio.sleep(0.01)

    def token(self, name: str) -> str:
        claims = Enrolment(
            agent=name,
            application_slug="sample",
            application_version="1.0",
            launcher="local",
            expires=time.time() + 3600,
        )
        return sign(self.secrets.signing_key(), "enrol", claims)

    async def start_agent(self, name: str = "a1", spec: Path = SAMPLE, **environment: str) -> RunningAgent:
        await self.bus.add_agent(name)
        token_file = self.folder / f"{name}.token"
        token_file.write_text(self.token(name))
        log = self.folder / f"{name}.log"
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "qcrbox_agent"],
                env={
                    **os.environ,
                    "QCRBOX_AGENT_ID": name,
                    "QCRBOX_NATS_URL": self.server.url,
                    "QCRBOX_ENROLMENT_FILE": str(token_file),
                    "QCRBOX_SPEC": str(spec),
                    "QCRBOX_WORK_DIR": str(self.folder / name),
                    **environment,
                },
                stderr=stream,
                stdout=stream,
                start_new_session=True,
            )
        agent = RunningAgent(self, name, process, log)
        self.agents.append(agent)
        return agent


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    server = start(ServerPlan(data=tmp_path_factory.mktemp("platform"), power_loss_safe=False))
    yield server
    server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def files() -> AsyncIterator[FileStore]:
    store = FileStore()
    server = uvicorn.Server(uvicorn.Config(store.application(), port=0, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    store.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield store
    server.should_exit = True
    await running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(
    tmp_path_factory: pytest.TempPathFactory, nats_server: NatsServer, files: FileStore
) -> AsyncIterator[Platform]:
    secrets = Secrets(nats_server.plan.data)
    bus = Bus(nats_server.url, secrets.user("registry"))
    await bus.connect()

    async def is_wanted(enrolment: Enrolment) -> bool:
        return True

    await AuthCallout(secrets.account(), secrets.signing_key(), is_wanted).serve(bus.connection)
    made = Platform(tmp_path_factory.mktemp("agents"), nats_server, secrets, bus, files)
    task = asyncio.create_task(bus.run_events(made.take))
    await bus.run_heartbeats(made.heartbeats.append)
    yield made
    for agent in made.agents:
        agent.stop()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bus.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent(platform: Platform) -> RunningAgent:
    """One agent of the sample application, shared by the tests of a module."""
    made = await platform.start_agent()
    await made.ready()
    return made
