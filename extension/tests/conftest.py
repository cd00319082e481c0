"""A real Jupyter server with the extension, in front of an upstream that remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

TOKEN = secrets.token_hex(16)
REGISTRY_TOKEN = secrets.token_hex(16)


@dataclass
class Upstream:
    """Stands where the registry stands."""

    port: int = 0
    seen: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    may_go_on: threading.Event = field(default_factory=threading.Event)
    wrote: threading.Event = field(default_factory=threading.Event)  # a piece of a stream of events
    gone: threading.Event = field(default_factory=threading.Event)


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self) -> None:
            size = self._body_size()
            upstream.seen.append(
                {
                    "method": self.command,
                    "path": self.path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "size": size,
                }
            )
            if self.path.startswith("/api/events"):
                self._events()
            elif self.path.startswith("/api/page"):
                self._send(b"<script>alert(1)</script>", "text/html; charset=utf-8")
            elif self.path in upstream.refusals:
                status, body = upstream.refusals[self.path]
                self._send(body, status=status)
            elif self.path in upstream.files:
                self._send(upstream.files[self.path], "application/octet-stream")
            elif self.path.startswith("/api/missing"):
                self._send(b'{"status": "error", "error": {"code": 404, "message": "gone"}}', status=404)
            elif self.command == "DELETE":
                self.send_response(204)
                self.end_headers()
            else:
                self._send(json.dumps({"payload": {"size": size}}).encode())

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

        def _body_size(self) -> int:
            if self.headers.get("Transfer-Encoding") == "chunked":
                total = 0
                while size := int(self.rfile.readline(), 16):
                    total += len(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return total
            left = total = int(self.headers.get("Content-Length", 0))
            while left:
                left -= len(self.rfile.read(min(left, 65536)))
            return total

        def _send(self, body: bytes, kind: str = "application/json", status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Set-Cookie", "registry=1")
            self.end_headers()
            self.wfile.write(body)

        def _events(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"id: 7\ndata: {}\n\n")
            self.wfile.flush()
            try:
                while not upstream.may_go_on.wait(0.05):
                    self.wfile.write(b": still here\n\n")
                    self.wfile.flush()
                    upstream.wrote.set()
                self.wfile.write(b"id: 8\ndata: {}\n\n")
            except OSError:
                upstream.gone.set()

    return Handler


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[Upstream]:
    made = Upstream()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    made.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    made.may_go_on.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def upstream(upstream_server: Upstream) -> Upstream:
    upstream_server.seen.clear()
    upstream_server.may_go_on.clear()
    upstream_server.gone.clear()
    upstream_server.wrote.clear()
    return upstream_server


# People's servers start in the same way.
_SERVER = """
from qcrbox.quick_imports import quick_imports
with quick_imports():
    from jupyter_server.serverapp import main
main()
"""


def start_jupyter(home: Path, **environment: str) -> tuple[subprocess.Popen[str], str]:
    """A Jupyter server with nothing of this account's configuration; answers its address."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _SERVER),
            "--ServerApp.port=0",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.open_browser=False",
            "--ServerApp.jpserver_extensions={'qcrbox_extension': True}",
            f"--ServerApp.root_dir={home}",
            "--allow-root",
        ],
        env={**keep, "HOME": str(home), "JUPYTER_TOKEN": TOKEN, **environment},
        stderr=(home / "log").open("w"),
        text=True,
    )
    folder = home / ".local" / "share" / "jupyter" / "runtime"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, (home / "log").read_text()
        for file in folder.glob("jpserver-*.json"):
            # Jupyter writes the file before it listens.
            with contextlib.suppress(ValueError, httpx.TransportError):
                url = json.loads(file.read_text())["url"]
                httpx.get(f"{url}login", trust_env=False)
                return process, url
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"The server did not start:\n{(home / 'log').read_text()}")


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, upstream_server: Upstream
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of a Jupyter server in front of the upstream, and its address."""
    home = tmp_path_factory.mktemp("home")
    file = home / "token"
    file.write_text(REGISTRY_TOKEN + "\n")
    process, url = start_jupyter(
        home, QCRBOX_URL=f"http://127.0.0.1:{upstream_server.port}", QCRBOX_TOKEN_FILE=str(file)
    )
    yield process, url
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def server_url(server: tuple[subprocess.Popen[str], str]) -> str:
    return server[1]


@pytest.fixture
def browser(server_url: str) -> Iterator[httpx.Client]:
    """Signed in by cookie, as a page is."""
    with httpx.Client(base_url=server_url, trust_env=False, timeout=20) as client:
        client.get(f"/tree?token={TOKEN}")
        client.get("/login")
        yield client


@pytest.fixture
def xsrf(browser: httpx.Client) -> dict[str, str]:
    return {"X-XSRFToken": browser.cookies["_xsrf"]}


@pytest.fixture(scope="module")
def signed_in_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., httpx.Client]]:
    """As `signed_in`, for a server that a whole file of tests uses."""
    processes = []

    def start(**environment: str) -> httpx.Client:
        process, url = start_jupyter(tmp_path_factory.mktemp("home"), **environment)
        processes.append(process)
        client = httpx.Client(base_url=url, trust_env=False, timeout=60)
        client.get(f"/tree?token={TOKEN}")
        return client

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def signed_in(tmp_path: Path) -> Iterator[Callable[..., httpx.Client]]:
    """Starts a server of one's own with this environment; answers a signed-in client."""
    processes = []

    def start(**environment: str) -> httpx.Client:
        process, url = start_jupyter(tmp_path, **environment)
        processes.append(process)
        client = httpx.Client(base_url=url, trust_env=False, timeout=20)
        client.get(f"/tree?token={TOKEN}")
        return client

    yield start
    for process in processes:
        process.kill()
        process.wait()
