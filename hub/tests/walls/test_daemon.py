"""What is asked of the Docker daemon without Docker's library."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from qcrbox_hub.walls.daemon import PLATFORM_LABEL, Daemon, remove_people


class FakeDaemon(socketserver.ThreadingUnixStreamServer):
    """Knows one image, and what there is of one platform."""

    def __init__(self, socket: Path) -> None:
        super().__init__(str(socket), _Handler)
        self.asked: list[tuple[str, str]] = []
        self.filters: list[dict[str, list[str]]] = []
        self.refuses: list[int] = []  # answers to the next requests to remove a network
        self.things = {
            "services": [{"ID": "s1"}],
            "containers": [{"Id": "c1"}, {"Id": "c2"}],
            "networks": [{"Id": "n1"}],
        }
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FakeDaemon

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(("GET", parts.path))
        kind = parts.path.strip("/").split("/")[0]
        if kind == "images":
            found = unquote(parts.path.split("/")[2]) == "qcrbox/person:latest"
            self._answer(200 if found else 404, {"Id": "i1"})
        else:
            self.server.filters.append(json.loads(parse_qs(parts.query)["filters"][0]))
            # A daemon that is in no swarm refuses to list services.
            entries = self.server.things.get(kind)
            self._answer(503 if entries is None else 200, entries)

    def do_DELETE(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(("DELETE", path))
        refuses = self.server.refuses if path.startswith("/networks/") else []
        self.send_response(refuses.pop() if refuses else 204)
        self.end_headers()

    def _answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDaemon]:
    server = FakeDaemon(tmp_path / "d.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/d.sock")
    yield server
    server.shutdown()
    server.server_close()


def test_image_is_found_by_its_whole_name(fake: FakeDaemon) -> None:
    daemon = Daemon.found()
    assert daemon is not None
    assert daemon.image("qcrbox/person:latest") == {"Id": "i1"}
    assert daemon.image("qcrbox/person:other") is None
    assert daemon.image("../containers/json") is None, "a name is no path"


def test_what_an_ended_platform_left_is_removed_and_nothing_else(fake: FakeDaemon) -> None:
    assert remove_people("platform-1") == 4
    assert [path for method, path in fake.asked if method == "DELETE"] == [
        *("/services/s1", "/containers/c1", "/containers/c2", "/networks/n1")
    ]
    assert fake.filters == [{"label": [f"{PLATFORM_LABEL}=platform-1"]}] * 3


def test_network_is_removed_when_the_last_container_has_left_it(
    fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.refuses = [404, 403, 500]  # taken from the end
    assert remove_people("platform-1") == 4
    assert fake.asked.count(("DELETE", "/networks/n1")) == 3
    fake.refuses = [403]
    monkeypatch.setattr("qcrbox_hub.walls.daemon.NETWORK_WAIT_S", 0)
    assert remove_people("platform-1") == 4, "it does not wait for ever"


def test_daemon_without_a_swarm_has_its_containers_removed(fake: FakeDaemon) -> None:
    del fake.things["services"]
    assert remove_people("platform-1") == 3


def test_without_a_daemon_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert remove_people("platform-1") == 0
    (tmp_path / "none.sock").touch()
    assert remove_people("platform-1") == 0, "nor with one that does not answer"


@pytest.mark.parametrize("host", ["tcp://192.0.2.7:2375", "ssh://me@elsewhere", "http://192.0.2.7"])
def test_daemon_of_another_machine_is_none_of_ours(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    assert Daemon.found() is None
    assert remove_people("platform-1") == 0


def test_what_is_no_docker_daemon_is_an_error(tmp_path: Path) -> None:
    class Nonsense(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"220 mail.example.org\r\n\r\n")

    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "mail.sock"), Nonsense) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(OSError, match="HTTP"):
            Daemon(tmp_path / "mail.sock").image("x")
        server.shutdown()
