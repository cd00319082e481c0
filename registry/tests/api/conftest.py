"""A whole registry over HTTP: real NATS, real database, agents that practise. The hub is a stand-in."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from qcrbox_registry.app import create_app
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.tokens import FilesToken, sign
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import transitions
from qcrbox_registry.testing.launcher import DummyLauncher


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stand_in_hub = _load("stand_in_hub")
SERVICE_TOKEN = "service-token-of-the-tests"
APPLICATION = """
name: "Practice"
slug: "practice"
version: "1"
older_versions: ["0.9"]
description: "Does no science."
commands:
  - name: "noop"
    implemented_as: "python_callable"
    import_path: "practice_glue"
    description: "Nothing at all."
    parameters:
      - {name: "x", dtype: "int", default_value: 0, valid_value: {numeric_range: [0, 10]}}
      - {name: "mode", dtype: "str", default_value: "gentle", valid_value: {choices: ["gentle", "hard"]}}
  - name: "sleep"
    implemented_as: "python_callable"
    import_path: "practice_glue"
    parameters: [{name: "seconds", dtype: "float", default_value: 1.0}]
  - name: "fail"
    implemented_as: "python_callable"
    import_path: "practice_glue"
    parameters: []
  - name: "read"
    implemented_as: "python_callable"
    import_path: "practice_glue"
    parameters:
      - {name: "structure", dtype: "QCrBox.cif_data_file", required_entries: ["_cell_length_a"]}
      - {name: "table", dtype: "QCrBox.data_file", required: false, companion: ["*.hkl"]}
    outputs:
      - {name: "written", dtype: "QCrBox.output_cif", filename: "new.cif", required_output: false}
  - name: "interactive_session"
    implemented_as: "interactive_session"
    parameters: [{name: "note", dtype: "str", default_value: "x"}]
    interactive_lifecycle:
      run: {implemented_as: "cli_command", call_pattern: "sleep 100", used_basecommand_parameters: []}
"""
EXAMPLES = """
datasets:
  - name: "an example"
    description: "One small CIF."
    files: [{path: "example.cif", filename: "example.cif"}]
  - name: "an example whose package has changed"
    files: [{path: "example.cif", filename: "x.cif", change: [{find: "a line of another version", put: ""}]}]
  - name: "a changed example"
    files: [{path: "example.cif", filename: "x.cif", change: [{find: "(?m)^(_cell_length_a) .*$", put: '\\g<1> 5'}]}]
"""
CIF = b"""data_quartz
_cell_length_a 4.9134
_cell_length_b 4.9134
_cell_length_c 5.4052
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_space_group_name_H-M_alt 'P 32 2 1'
_chemical_formula_sum 'O2 Si'
_refine_ls_R_factor_gt 0.021
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Si1 Si 0.4697 0 0
O1 O 0.4135 0.2669 0.1191
"""


class Serving:
    """An ASGI application on a loopback port, in a thread with its own event loop."""

    def __init__(self, app, port=None):
        # The protocol by name: without it asyncio leaves Nagle's algorithm on, 40 ms an answer.
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.listener.bind(("127.0.0.1", port or 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1, lifespan="on")
        )
        self.loop = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        async def serve():
            self.loop = asyncio.get_running_loop()
            await self.server.serve(sockets=[self.listener])

        asyncio.run(serve())

    def start(self):
        self.thread.start()
        deadline = time.monotonic() + 60
        while not self.server.started:
            if not self.thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        return self

    def do(self, coroutine, timeout_s=60):
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout_s)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(20)


class Registry:
    """What tests hold of a running registry."""

    def __init__(self, serving, hub, app, data):
        self.serving, self.hub, self.app, self.data = serving, hub, app, data
        self.url = serving.url

    @property
    def core(self):
        return self.app.state.core

    @property
    def context(self):
        return self.core.context

    def client(self, token=None, **more):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, **more)

    def person(self, *scopes, groups=(), name=None, **more):
        """The client of a new person."""
        name = name or f"p{uuid.uuid4().hex[:10]}"
        token = self.hub.add(
            name, *(f"custom:qcrbox:{scope}" for scope in scopes), groups=tuple(groups), **more
        )
        client = self.client(token)
        client.name, client.token = name, token
        return client

    def read(self, fn):
        return self.context.db.read_sync(fn)

    def write(self, fn):
        return self.context.db.write_sync(fn)


@pytest.fixture(scope="session")
def api_parts():
    """The classes of this file, for tests that serve a registry of their own."""

    class Parts:
        pass

    parts = Parts()
    parts.Serving, parts.Registry = Serving, Registry
    return parts


@pytest.fixture(scope="session")
def hub():
    return stand_in_hub.StandInHub(SERVICE_TOKEN)


@pytest.fixture(scope="session")
def hub_url(hub):
    serving = Serving(hub.app).start()
    yield serving.url
    serving.stop()


@pytest.fixture(scope="session")
def applications(tmp_path_factory):
    folder = tmp_path_factory.mktemp("applications") / "practice"
    folder.mkdir()
    (folder / "application.yaml").write_text(APPLICATION)
    (folder / "examples.yaml").write_text(EXAMPLES)
    (folder / "example.cif").write_bytes(CIF)
    (folder / "practice_glue.py").write_text("")
    return folder


@contextmanager
def _running(data, hub, hub_url, applications, database_url):
    secret = data / "hub-token"
    secret.write_text(SERVICE_TOKEN)
    settings = Settings(
        data=data,
        auth="hub",
        hub_api_url=f"{hub_url}/hub/api",
        hub_token_file=secret,
        prefix="/services/qcrbox",
        database_url=database_url,
        applications=[applications],
        nats_power_loss_safe=False,
        largest_file_bytes=64 * 1024 * 1024,
    )
    app = create_app(settings)
    serving = Serving(app).start()
    made = Registry(serving, hub, app, data)
    launcher = DummyLauncher(
        made.context.bus.url, Secrets(data).user("launcher-local"), applications=(("practice", "1"),)
    )
    serving.do(launcher.start())
    made.launcher = launcher
    yield made
    serving.do(launcher.close())
    serving.stop()


def _new_postgres_database(server):
    name = f"api_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(
        server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return f"{server.rpartition('/')[0]}/{name}"


@pytest.fixture(scope="session")
def sqlite_registry(tmp_path_factory, hub, hub_url, applications):
    with _running(tmp_path_factory.mktemp("data"), hub, hub_url, applications, "") as made:
        yield made


@pytest.fixture(scope="session")
def postgres_registry(tmp_path_factory, hub, hub_url, applications, postgres_url):
    url = _new_postgres_database(postgres_url)
    with _running(tmp_path_factory.mktemp("data"), hub, hub_url, applications, url) as made:
        yield made


@pytest.fixture(
    scope="session",
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])],
)
def registry(request):
    """The registry on either database; each is started once, though every file changes between them."""
    return request.getfixturevalue(f"{request.param}_registry")


@pytest.fixture
def person(registry):
    """`person("manage!group=crystals", groups=["crystals"])` is the client of a new person."""
    made = []

    def make(*scopes, **more):
        made.append(registry.person(*scopes, **more))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def ada(person):
    return person()


@pytest.fixture
def group():
    """The name of a group nobody is in yet."""
    return f"g{uuid.uuid4().hex[:8]}"


def payload(response, status=200):
    assert response.status_code == status, response.text
    return response.json()["payload"]


class Acts:
    """The common acts, with their success checked."""

    @staticmethod
    def upload(client, filename="quartz.cif", content=CIF, **fields):
        files = {"file": (filename, content)}
        return payload(client.post("/api/datasets", files=files, data=fields), 201)["datasets"][0]

    @staticmethod
    def file_id(dataset):
        return next(iter(dataset["data_files"].values()))["qcrbox_file_id"]

    @staticmethod
    def indexed(client, file_id):
        """The file once its index is written: on a busy machine that comes after the answer to the upload."""
        deadline = time.monotonic() + 60
        while True:
            file = payload(client.get(f"/api/data-files/{file_id}"))["data_files"][0]
            if file["index"] is not None:
                return file
            assert time.monotonic() < deadline, file
            time.sleep(0.05)

    @staticmethod
    def submit(client, command="noop", **arguments):
        body = {
            "application_slug": "practice",
            "application_version": "1",
            "command_name": command,
            "command_arguments": arguments,
        }
        return payload(client.post("/api/commands", json=body), 201)["calculation_id"]

    @staticmethod
    def ended(client, calculation_id, wait=60):
        found = payload(client.get(f"/api/calculations/{calculation_id}", params={"wait": wait}))
        return found["calculations"][0]


@pytest.fixture(scope="session")
def do():
    return Acts


@pytest.fixture
def cif():
    return CIF


@pytest.fixture
def file_token(registry):
    """The token that an agent of an attempt gets for the file routes."""

    def make(calculation_id, attempt, expires=None):
        claims = FilesToken(
            calculation_id=calculation_id, attempt=attempt, expires=expires or time.time() + 60
        )
        return sign(registry.context.signing_key, "files", claims)

    return make


@pytest.fixture
def taken(registry, person, do, file_token):
    """Submits `read` on the file of a dataset and takes it as its agent: id, attempt, and a client with its token."""
    clients = []

    def take(client, dataset):
        keeper = person("applications")
        application = payload(client.get("/api/applications"))["applications"][0]
        hold = f"/api/applications/{application['id']}/hold"
        keeper.post(hold, json={"mode": "hold", "reason": "test"})
        made = do.submit(client, "read", structure={"data_file_id": do.file_id(dataset)})

        def assign(conn):
            ledger = transitions.Ledger(conn, [made])
            number = ledger.assign(made, "agent-of-the-test")
            ledger.close()
            return number

        async def forget():
            registry.context.scheduler.state.backlog.remove(made)

        number = registry.write(assign)
        registry.serving.do(forget())  # so that the scheduler does not hand it out as well
        keeper.post(hold, json={"mode": None})
        clients.append(registry.client(file_token(made, number)))
        return {"id": made, "attempt": number, "client": clients[-1]}

    yield take
    for client in clients:
        client.close()
