"""`qcrbox status` hears from the registry itself what is missing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from qcrbox_hub.cli.status import STARTING_S, missing_parts

NO_LAUNCHER = {"launcher": "No launcher answers, so no application can be started."}


@pytest.fixture
def answering() -> Iterator[Callable[[int, object], str]]:
    """`answering(503, {...})` is the address of a registry that says this of its readiness."""
    servers = []

    def make(code: int, body: object) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = json.dumps(body).encode()
                self.send_response(code if self.path == "/api/readyz" else 404)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_nothing_is_missing_when_the_registry_is_ready(answering) -> None:
    assert missing_parts(answering(200, {"status": "ready", "missing": {}, "uptime_s": 5})) == {}


def test_what_the_registry_lacks_is_named(answering) -> None:
    body = {"status": "not ready", "missing": {**NO_LAUNCHER, "disk": "full"}, "uptime_s": STARTING_S + 1}
    assert missing_parts(answering(503, body)) == body["missing"]


def test_a_launcher_may_still_be_on_its_way_just_after_a_start(answering) -> None:
    body = {"status": "not ready", "missing": NO_LAUNCHER, "uptime_s": 1.0}
    assert missing_parts(answering(503, body)) == {}


def test_a_registry_that_does_not_say_is_not_ready(answering) -> None:
    assert "registry" in missing_parts("http://127.0.0.1:9")
