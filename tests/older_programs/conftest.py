"""Where older programs look: a registry on this machine, and a bridge in front of one and of a hub."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from qcrbox.client import signing_in

from tests.conftest import ROOT, RunningRegistry
from tests.end_to_end.hub_site import Person, Site, running_site

from .generated_client import Client
from .programs import PlugIn, Tester, WebSite

APPLICATIONS = [ROOT / "tests" / "applications" / name for name in ("older", "window")]


class RunningBridge:
    """`qcrbox bridge` as a person types it, on ports that are free."""

    def __init__(self, url: str, *options: str) -> None:
        words = [sys.executable, "-m", "qcrbox_hub", "bridge", url, *options]
        for flag in ("--port", "--window-port", "--vnc-port"):
            words += [flag, "0"]
        self.process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
        assert self.process.stdout
        assert self.process.stderr
        line = self.process.stdout.readline()
        assert "ready at" in line, line + self.process.stderr.read()
        self.url = line.split()[-1]
        said = "".join(self.process.stderr.readline() for _ in range(3))
        self.window_port = int(re.findall(r"127\.0\.0\.1:(\d+)/vnc\.html", said)[0])
        self.vnc_port = int(re.findall(r"VNC viewers: 127\.0\.0\.1:(\d+)", said)[0])

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@dataclass
class Place:
    """What a program is given: an address, and where it looks for windows."""

    kind: str
    url: str
    bridge: RunningBridge | None = None
    site: Site | None = None

    def client(self) -> Client:
        return Client(self.url)


@pytest.fixture(scope="package")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    data = tmp_path_factory.mktemp("older") / "data"
    running = RunningRegistry(data, ROOT / "app_images", *APPLICATIONS).start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    options = [word for folder in APPLICATIONS for word in ("--applications", str(folder))]
    with running_site(tmp_path_factory.mktemp("site"), *options) as made:
        yield made


@pytest.fixture(scope="package")
def bea(site: Site) -> Person:
    return site.member("bea")


@pytest.fixture(scope="package")
def token_file(bea: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    address = signing_in.registry_address(bea.site.url)
    path = tmp_path_factory.mktemp("secrets") / "token"
    path.touch(0o600)
    path.write_text(signing_in.sign_in(address, tell=bea.let_in, timeout_s=90))
    return path


@pytest.fixture
def bridge(bea: Person, token_file: Path) -> Iterator[RunningBridge]:
    made = RunningBridge(bea.site.url, "--token-file", str(token_file))
    yield made
    assert made.stop() == 0


KINDS = ["registry", "bridge to a registry", pytest.param("bridge to a hub", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "registry":
        yield Place("registry", request.getfixturevalue("registry").url)
        return
    if request.param == "bridge to a registry":
        bridge = RunningBridge(request.getfixturevalue("registry").url)
        yield Place(request.param, bridge.url, bridge)
    else:
        site = request.getfixturevalue("site")
        bridge = RunningBridge(site.url, "--token-file", str(request.getfixturevalue("token_file")))
        yield Place(request.param, bridge.url, bridge, site)
    bridge.stop()


@pytest.fixture
def client(place: Place) -> Iterator[Client]:
    made = place.client()
    yield made
    made.close()


@pytest.fixture
def tester(client: Client) -> Tester:
    return Tester(client)


@pytest.fixture
def plug_in(client: Client, place: Place) -> PlugIn:
    made = PlugIn(client, place.bridge.window_port if place.bridge else 12004)
    made.load()
    return made


@pytest.fixture
def web_site(client: Client) -> WebSite:
    return WebSite(client)


@pytest.fixture(scope="session", autouse=True)
def _windows_can_open() -> None:
    if shutil.which("Xtigervnc") is None:
        pytest.skip("Xtigervnc is not installed")
