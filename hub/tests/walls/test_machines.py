"""Which walls every kind of machine gives, and who says so. Only what a probe asks of the machine is replaced:
the user id, which programs there are, what bubblewrap answers, and the Docker daemon's socket.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import qcrbox
from qcrbox.sandbox import probe as probe_module
from qcrbox.sandbox import seccomp
from qcrbox_hub.cli.doctor import check_walls
from qcrbox_hub.cli.status import _show
from qcrbox_hub.cli.up import _announce
from qcrbox_hub.lifecycle import plan as plans
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.settings import PlatformSettings
from qcrbox_hub.walls.choice import IMAGE, VERSION_LABEL, Choice, Walls, choose, trust_everyone

DAEMONS = ("none", "silent", "no image", "old image", "image")
NO_USERNS = "bwrap: No permissions to create new namespace, likely because the kernel does not allow it"


class _Daemon(http.server.BaseHTTPRequestHandler):
    version = ""

    def do_GET(self) -> None:
        body = b"{}"
        if self.version:
            body = json.dumps({"Config": {"Labels": {VERSION_LABEL: self.version}}}).encode()
        self.send_response(200 if self.version else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        return


@dataclass
class Machine:
    """root: who starts the platform; daemon: one of DAEMONS; bwrap: installed; namespaces: may be made."""

    root: bool = True
    daemon: str = "none"
    bwrap: bool = True
    namespaces: bool = True
    seccomp: bool = True
    uid_map: str = "0 0 4294967295"
    # Of a namespace that an ordinary user may make; "": no program for that, or no range of ids.
    subordinate: str = ""


@pytest.fixture
def on(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Machine], None]]:
    """`on(machine)` makes the probes find this machine."""
    servers: list[socketserver.BaseServer] = []

    def become(machine: Machine) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0 if machine.root else 1000)
        which = shutil.which
        programs = {"bwrap": machine.bwrap, "setpriv": True, "systemd-run": False}
        programs |= dict.fromkeys(("unshare", "newuidmap", "newgidmap"), bool(machine.subordinate))
        monkeypatch.setattr(
            shutil,
            "which",
            lambda name, *a, **k: (
                (f"/usr/bin/{name}" if programs[name] else None) if name in programs else which(name, *a, **k)
            ),
        )
        good = subprocess.CompletedProcess([], 0, "walls\n", "")
        bad = subprocess.CompletedProcess([], 1, "", NO_USERNS)
        # Root's bubblewrap needs no right of ordinary users, but its second one makes a user namespace as a person.
        mapped = subprocess.CompletedProcess([], 0, machine.subordinate, "")

        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            return mapped if command[-1] == "/proc/self/uid_map" else good if machine.namespaces else bad

        monkeypatch.setattr(probe_module.subprocess, "run", run)
        read = Path.read_text
        monkeypatch.setattr(
            Path,
            "read_text",
            lambda self, *a, **k: (
                machine.uid_map if str(self) == "/proc/self/uid_map" else read(self, *a, **k)
            ),
        )
        if not machine.seccomp:
            monkeypatch.setattr(seccomp, "_LIBRARY", "libseccomp-that-is-not-there.so")
        seccomp.bpf.cache_clear()
        _serve(machine.daemon)

    def _serve(daemon: str) -> None:
        socket = tmp_path_factory.mktemp("d") / "docker.sock"
        monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
        if daemon == "silent":
            socket.touch()
        elif daemon != "none":
            version = {"no image": "", "old image": "0.0.1", "image": qcrbox.__version__}[daemon]
            handler = type("Handler", (_Daemon,), {"version": version})
            server = socketserver.ThreadingUnixStreamServer(str(socket), handler)
            servers.append(server)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    yield become
    for server in servers:
        server.shutdown()
        server.server_close()
    seccomp.bpf.cache_clear()


def expected(machine: Machine) -> Walls:
    if machine.daemon == "image":
        return Walls.DOCKER
    return Walls.SANDBOX if machine.bwrap and machine.namespaces else Walls.ONE_PERSON


COMBINATIONS = [
    Machine(root, daemon, bwrap, namespaces)
    for root in (True, False)
    for daemon in DAEMONS
    for bwrap in (True, False)
    for namespaces in ((True, False) if bwrap else (True,))
]


@pytest.mark.parametrize("machine", COMBINATIONS, ids=str)
def test_strongest_walls_of_every_machine(machine: Machine, on: Callable[[Machine], None]) -> None:
    on(machine)
    chosen = choose()
    assert chosen.walls is expected(machine)
    if machine.daemon != "image":
        assert chosen.stronger, "what would be stronger is always said"
        wanted = {
            "none": "Docker is not installed",
            "silent": "does not answer",
            "no image": f"no image {IMAGE}",
            "old image": "is of QCrBox 0.0.1",
        }[machine.daemon]
        assert wanted in chosen.stronger
    if chosen.walls is Walls.ONE_PERSON:
        assert ("not installed" if not machine.bwrap else NO_USERNS) in chosen.stronger
        assert "sign-up is closed" in chosen.what
    if chosen.walls is Walls.SANDBOX:
        assert ("user id" in chosen.what) is not machine.root


@pytest.mark.parametrize("machine", COMBINATIONS, ids=str)
def test_no_machine_is_trusted_unless_someone_says_so(
    machine: Machine, on: Callable[[Machine], None]
) -> None:
    on(machine)
    wanted = expected(machine)
    assert choose(everyone_trusted=True).walls is (Walls.TRUSTED if wanted is Walls.ONE_PERSON else wanted)


def test_without_the_filter_of_system_calls_there_is_no_sandbox(on: Callable[[Machine], None]) -> None:
    on(Machine(seccomp=False))
    chosen = choose()
    assert chosen.walls is Walls.ONE_PERSON
    assert "apt-get install libseccomp2" in chosen.stronger


def test_root_of_a_container_with_few_user_ids_makes_no_sandboxes(on: Callable[[Machine], None]) -> None:
    on(Machine(uid_map="0 100000 1000"))
    chosen = choose()
    assert chosen.walls is Walls.ONE_PERSON
    assert "too few user ids" in chosen.stronger


def test_root_of_a_container_gives_ids_of_its_own_range(on: Callable[[Machine], None]) -> None:
    on(Machine(uid_map="0 100000 65536"))
    found = choose()
    assert found.walls is Walls.SANDBOX
    assert found.sandboxes is not None
    assert found.sandboxes.own_user_ids


SUBORDINATE = "0 1000 1\n1 100000 65535\n"


def test_ordinary_user_with_subordinate_ids_gives_one_to_each(on: Callable[[Machine], None]) -> None:
    on(Machine(root=False, subordinate=SUBORDINATE))
    found = choose()
    assert found.walls is Walls.SANDBOX
    assert found.sandboxes is not None
    assert found.sandboxes.subordinate_ids
    assert "user id" not in found.what
    # Programs in containers have the machine's ids, which a namespace would hide.
    other = choose(subordinate_ids=False)
    assert other.sandboxes is not None
    assert not other.sandboxes.own_user_ids
    assert "/etc/subuid" in other.what


@pytest.mark.parametrize("uid_map", ["", "0 1000 1\n", "0 1000 1\n1 100000 500\n"])
def test_without_a_range_of_ids_everyone_has_the_platforms(
    uid_map: str, on: Callable[[Machine], None]
) -> None:
    on(Machine(root=False, subordinate=uid_map))
    found = choose()
    assert found.walls is Walls.SANDBOX
    assert found.sandboxes is not None
    assert not found.sandboxes.own_user_ids


# ---------------------------------------------------------------- who says so


PLACES = [
    Machine(),
    Machine(root=False),
    Machine(root=False, subordinate=SUBORDINATE),
    Machine(bwrap=False),
    Machine(daemon="image"),
]


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("machine", PLACES, ids=str)
def test_up_status_doctor_and_pages_say_the_same(
    machine: Machine,
    trusted: bool,
    on: Callable[[Machine], None],
    data: DataFolder,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if trusted:
        trust_everyone(data.path, "ada")
    on(machine)
    chosen = choose(everyone_trusted=trusted)

    options = plans.Options(mode="hub", settings=PlatformSettings())
    run: Any = SimpleNamespace(
        plan=SimpleNamespace(url="http://hub.localhost:8000", choice=chosen, lab_token=""),
        first_admin_link="",
        options=options,
        started_in_s=1.0,
    )
    _announce(run, False)
    state: dict[str, Any] = {
        "state": "running",
        "qcrbox": "1",
        "mode": "hub",
        "url": "x",
        "pid": 1,
        "children": {},
        "missing": {},
        "registry_answers": True,
        "walls": chosen.as_dict(),
    }
    _show(data, state)
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count(chosen.what) == 2, "up and status"
    assert all(words in shown for words in filter(None, [chosen.stronger]))

    found = [(good, what) for good, what, _ in check_walls(data)]
    assert (chosen.walls.separate, f"walls between people: {chosen.what}") in found

    plan: Any = SimpleNamespace(choice=chosen, sockets=None)
    for_pages = plans._walls(plan)
    assert (for_pages["walls"], for_pages["walls_what"]) == (chosen.walls, chosen.what)
    assert for_pages["walls_stronger"] == chosen.stronger


def test_one_sentence_for_every_kind_of_walls() -> None:
    for walls in Walls:
        assert Choice(walls, "x").walls.separate is (walls not in (Walls.TRUSTED, Walls.ONE_PERSON))
