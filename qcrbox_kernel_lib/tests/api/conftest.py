"""A box on spec JSON that fails the test when anything reaches for the network, and one on a real registry."""

from __future__ import annotations

import contextlib
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from qcrbox.api.applications import Application
from qcrbox.api.box import Box
from qcrbox.client.http import RegistryClient

from tests.conftest import PATIENCE

from .records import REFINE, Store


class NoNetwork:
    """In the place of a client: whatever is asked, the test has failed."""

    url = "http://127.0.0.1:9"

    def __getattr__(self, name):
        raise AssertionError(f"the network was used: {name}")


@pytest.fixture
def box():
    made = Box(NoNetwork())
    made.apps._known = [Application(made, REFINE)]
    made.apps._read_at = float("inf")
    return made


@pytest.fixture
def refine_iam(box):
    return box.refine.refine_iam


_READY_S = 120.0


@contextlib.contextmanager
def running_registry(data: Path) -> Iterator[str]:
    """The address of `qcrbox registry --no-auth`, which ends with the block."""
    command = [
        sys.executable,
        "-m",
        "qcrbox_hub",
        "registry",
        "--data",
        str(data),
        "--port",
        "0",
        "--no-auth",
        *["--applications", str(PATIENCE)],
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield _address(process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[str]) -> str:
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said = []
    while (line := lines.get(timeout=_READY_S)) is not None:
        said.append(line)
        if "registry ready at http" in line:
            return line.rsplit(" ", 1)[1].strip()
    raise RuntimeError("the registry did not start:\n" + "".join(said[-30:]))


@pytest.fixture(scope="session")
def registry_url(tmp_path_factory):
    with running_registry(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest.fixture(scope="session")
def live_box(registry_url):
    made = Box(RegistryClient(registry_url))
    # Examples are stored after the applications have registered, some seconds after the registry is ready.
    end = time.monotonic() + _READY_S
    while "thpp" not in made.examples and time.monotonic() < end:
        time.sleep(0.1)
    yield made
    made.close()


@pytest.fixture
def start_endless(tmp_path):
    """A function of a box: a calculation that runs until it is cancelled."""
    return lambda box: box.patience.count_until(file=str(tmp_path / "never made"))


@pytest.fixture(scope="session")
def refined(live_box):
    """thpp, refined as it is shipped: a few cycles, no hydrogen atoms."""
    return live_box.refine.refine_iam(live_box.examples["thpp"], cycles=3, weighting="keep").result(120)


class BreakableLine:
    """Passes bytes to a server on loopback until it is cut: then every connection ends and no new one comes about."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        self._target, self._whole = 0, True
        threading.Thread(target=self._accept, daemon=True).start()

    def url_for(self, url: str) -> str:
        self._target = int(url.rpartition(":")[2])
        return f"http://127.0.0.1:{self._port}"

    def cut(self) -> None:
        self._whole = False
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._server.accept()
                if not self._whole:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._move, args=(source, sink), daemon=True).start()

    @staticmethod
    def _move(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def breakable_line():
    line = BreakableLine()
    yield line
    line.close()


@pytest.fixture
def store(server):
    """Records that the server has."""
    return Store(server)


@pytest.fixture
def stored(server, store):
    """A box on that server."""
    made = Box(RegistryClient(server.url))
    yield made
    made.close()
