"""Names below localhost lead to this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from qcrbox.client import loopback


class SayHost(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = (self.headers["Host"] or "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), SayHost)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["hub.localhost", "lab-ada.localhost", "a.b.localhost"])
def test_name_is_found_and_sent_as_host(port: int, name: str) -> None:
    url = f"http://{name}:{port}"
    with httpx.Client(mounts=loopback.mounts(url), trust_env=False) as client:
        assert client.get(url).text == f"{name}:{port}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://hub.localhost:8000/x", True),
        ("http://localhost", True),
        ("http://127.0.0.2:1", True),
        ("http://[::1]:1", True),
        ("http://localhost.example.org", False),
        ("http://127.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://evillocalhost", False),
        ("https://hub.example.org", False),
    ],
)
def test_only_loopback_names_are_loopback(url: str, expected: bool) -> None:
    assert loopback.is_loopback(url) is expected


def test_other_addresses_cost_no_transport() -> None:
    assert loopback.mounts("https://hub.example.org") == {}
