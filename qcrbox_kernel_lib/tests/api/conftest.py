"""A box on spec JSON that fails the test when anything reaches for the network, and one on a real registry."""

from __future__ import annotations

import contextlib
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from qcrbox.api.applications import Application
from qcrbox.api.box import Box
from qcrbox.client.http import RegistryClient

REFINE = {
    "name": "Refine",
    "slug": "refine",
    "version": "1.0",
    "id": 1,
    "registered_at": "2026-11-24T06:00:00Z",
    "description": "Least squares refinement.",
    "url": None,
    "email": None,
    "doi": None,
    "yaml_file_path": None,
    "gui_port": None,
    "pyqcrbox_version": "0.1.0",
    "commands": [
        {
            "id": 1,
            "application_id": 1,
            "name": "refine_iam",
            "cmd_name": "refine_iam",
            "application": "refine",
            "version": "1.0",
            "description": "Refine an independent-atom model.",
            "implemented_as": "python_callable",
            "merge_cif_su": False,
            "doi": None,
            "parameters": {
                "input_cif": {
                    "name": "input_cif",
                    "dtype": "QCrBox.cif_data_file",
                    "description": "Structure to refine",
                    "default_value": None,
                    "required": True,
                    "valid_value": None,
                },
                "ls_cycles": {
                    "name": "ls_cycles",
                    "dtype": "int",
                    "description": "Most cycles to run",
                    "default_value": 10,
                    "required": False,
                    "valid_value": {"numeric_range": [0, None]},
                },
                "hydrogens": {
                    "name": "hydrogens",
                    "dtype": "str",
                    "description": "Treatment of hydrogen atoms",
                    "default_value": "riding",
                    "required": False,
                    "valid_value": {"choices": ["riding", "free", "none"]},
                },
                "gridspacing": {
                    "name": "gridspacing",
                    "dtype": "float",
                    "description": "Grid",
                    "default_value": 0.2,
                    "required": False,
                    "valid_value": {"numeric_range": [0.05, 0.5]},
                    "unit": "Å",
                },
                "anharmonic": {
                    "name": "anharmonic",
                    "dtype": "bool",
                    "default_value": False,
                    "required": False,
                },
                "hkl": {
                    "name": "hkl",
                    "dtype": "QCrBox.data_file",
                    "description": "Reflections",
                    "default_value": None,
                    "required": False,
                    "valid_value": None,
                },
            },
        },
        {
            "id": 2,
            "application_id": 1,
            "name": "solve-it",
            "cmd_name": "solve-it",
            "application": "refine",
            "version": "1.0",
            "description": "Solve <b>it</b>.",
            "implemented_as": "cli_command",
            "merge_cif_su": False,
            "doi": None,
            "parameters": {},
        },
    ],
}


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
    yield made
    made.close()


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
