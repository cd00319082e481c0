"""The whole platform as `qcrbox` starts it: real processes, real ports, real signals."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from qcrbox.api.connection import connect
from qcrbox.contract.errors import NotSignedIn
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.supervisor import marked_processes

if TYPE_CHECKING:
    from conftest import Browser

PASSWORD = "plum-Orchid-42-river"
START_LIMIT_S = 90
# Five seconds are promised; the rest is for a machine that is busy with other tests.
STOP_LIMIT_S = 15


class Started:
    """A `qcrbox up` or `qcrbox registry` of this test, and what it says."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = DataFolder(data)
        self.port = ports.choose(1)[0]
        # Programs use the numeric address, browsers the name.
        self.url, self.hub = f"http://127.0.0.1:{self.port}", f"http://hub.localhost:{self.port}"
        self.out, self.err = data.parent / "stdout", data.parent / "stderr"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qcrbox_hub", *arguments, "--data", str(data), "--port", str(self.port)],
            stdout=self.out.open("w"),
            stderr=self.err.open("w"),
        )

    def wait_for(self, word: str) -> str:
        deadline = time.monotonic() + START_LIMIT_S
        while word not in (output := self.out.read_text()):
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < deadline, self.err.read_text()
            time.sleep(0.05)
        return output

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_LIMIT_S)

    def child_pid(self, name: str) -> int:
        return json.loads(self.data.platform_file.read_text())["children"][name]["pid"]


def until(condition: Callable[[], object], limit_s: float = STOP_LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Starts `qcrbox …` on a folder of this test; nothing of it is left after the test."""
    made: list[Started] = []

    def go(*arguments: str, data: Path | None = None) -> Started:
        made.append(Started(data or tmp_path / "data", *arguments))
        return made[-1]

    yield go
    end(*made)


def end(*made: Started) -> None:
    """Nothing of them is left."""
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
    for each in made:
        until(lambda each=each: not marked_processes(each.data.identity))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A registry that runs, for tests that leave it running."""
    registry = Started(tmp_path_factory.mktemp("running") / "data", "registry", "--no-auth")
    registry.wait_for("ready")
    yield registry
    end(registry)


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a `qcrbox` command on a data folder to its end."""
    return subprocess.run(
        [sys.executable, "-m", "qcrbox_hub", *arguments, "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def qcrbox(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a `qcrbox` command to its end, on the folder of this test."""
    return partial(command, tmp_path / "data")


@pytest.mark.slow
def test_registry_alone_says_one_line_and_answers(start, qcrbox) -> None:
    registry = start("registry", "--no-auth")
    assert registry.wait_for("\n") == f"qcrbox registry ready at {registry.url}\n"
    assert httpx.get(f"{registry.url}/api/healthz", trust_env=False).json() == {"status": "ok"}
    status = json.loads(qcrbox("status", "--json").stdout)
    assert (status["state"], status["pid"]) == ("running", registry.process.pid)
    assert registry.data.platform_file.stat().st_mode & 0o777 == 0o600
    assert qcrbox("down").returncode == 0
    assert registry.process.wait(1) == 0
    assert qcrbox("status").returncode == 3
    assert marked_processes(registry.data.identity) == []
    assert registry.out.read_text().count("\n") == 1


@pytest.mark.slow
def test_applications_that_cannot_be_used_are_named_where_the_start_is_watched(start, tmp_path) -> None:
    several, faulty = tmp_path / "several", tmp_path / "faulty"
    for folder in (several, faulty):
        folder.mkdir()
    for slug in ("one", "two"):
        (several / f"config_{slug}.yaml").write_text(
            f"name: {slug}\nslug: {slug}\nversion: 1\ncommands: []\n"
        )
    parameter = "{name: b, type: QCrBox.nonsense}"
    command = "{name: a, implemented_as: CLI, call_pattern: 'echo {b}', parameters: [" + parameter + "]}"
    (faulty / "config_x.yaml").write_text(f"name: X\nslug: x\nversion: 1\ncommands: [{command}]\n")
    registry = start("registry", "--no-auth", "--applications", str(several), "--applications", str(faulty))
    registry.wait_for("ready at")
    until(lambda: "QCrBox.nonsense" in registry.err.read_text(), START_LIMIT_S)
    assert "several applications in one folder" in registry.err.read_text()


@pytest.mark.slow
@pytest.mark.attack(30)
@pytest.mark.parametrize("name", ["registry", "nats", "launcher"])
def test_crashed_part_is_started_again(running: Started, name: str) -> None:
    first = running.child_pid(name)
    os.kill(first, signal.SIGKILL)
    until(lambda: f"{name} is back" in running.err.read_text(), START_LIMIT_S)
    assert f"{name} ended (killed by SIGKILL)" in running.err.read_text()
    assert running.child_pid(name) != first
    until(lambda: command(running.data.path, "status").returncode == 0, START_LIMIT_S)


def test_second_start_on_one_folder_names_the_first(running: Started) -> None:
    second = command(running.data.path, "registry", "--no-auth", "--port", "0")
    assert second.returncode == 1
    assert f"process {running.process.pid}" in second.stderr
    assert "qcrbox down" in second.stderr
    assert "Traceback" not in second.stderr


def test_port_in_use_is_said(qcrbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = qcrbox("up", "--port", str(port))
    assert answer.returncode == 1
    assert f"Port {port} is in use" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("registry", "--no-auth", "--host", "0.0.0.0"), "refuses to listen on 0.0.0.0"),
        (("registry",), "Add --no-auth"),
        (("up", "--solo", "--host", "0.0.0.0"), "this machine only"),
    ],
    ids=["no-auth", "no way in", "solo"],
)
def test_open_doors_are_refused(qcrbox, arguments: tuple[str, ...], expected: str) -> None:
    answer = qcrbox(*arguments)
    assert answer.returncode == 1
    assert expected in answer.stderr


def test_down_without_anything_running_is_no_error(qcrbox) -> None:
    answer = qcrbox("down")
    assert answer.returncode == 0
    assert "nothing runs" in answer.stderr


def sign_in_and_start_kernel(url: str, link: str, make_browser: Callable[[str], Browser]) -> Browser:
    """The first administrator, with a Jupyter server and a kernel that runs."""
    browser = make_browser(url)
    browser.submit(
        link.removeprefix(url),
        code=link.partition("code=")[2],
        username="ada",
        password=PASSWORD,
        password_confirmation=PASSWORD,
    )
    browser.get("/hub/spawn")
    server = browser.server("ada")

    def lab_is_there() -> bool:
        page = browser.get(f"{server}/lab")
        return page.status_code == 200 and str(page.url) == f"{server}/lab"

    until(lab_is_there, START_LIMIT_S)
    xsrf = browser.xsrf("/user/ada/")
    answer = browser.http.post(
        f"{server}/api/kernels", headers={"X-XSRFToken": xsrf or ""}, json={"name": "python3"}
    )
    assert answer.status_code == 201, answer.text
    return browser


@pytest.mark.slow
def test_everything_ends_with_kill_9_and_starts_again_and_ends_with_ctrl_c(start, make_browser) -> None:
    platform = start("up")
    output = platform.wait_for("Ctrl-C")
    link = next(word for word in output.split() if "first-admin?code=" in word)
    browser = sign_in_and_start_kernel(platform.hub, link, make_browser)
    mark = platform.data.identity
    answer = browser.get(f"{browser.server('ada')}/qcrbox/api/applications")
    assert answer.status_code == 200, answer.text
    names = {" ".join(process.cmdline()) for process in marked_processes(mark)}
    for part in ("nats-server", "qcrbox_registry ", "launcher", "proxy", "serve", "singleuser", "ipykernel"):
        assert any(part in f"{name} " for name in names), f"{part} not among {names}"

    # A hub that crashes comes back and finds the Jupyter servers it had started, kernels included.
    server = next(process.pid for process in marked_processes(mark) if "singleuser" in str(process.cmdline()))
    os.kill(platform.child_pid("hub"), signal.SIGKILL)
    until(lambda: "hub is back" in platform.err.read_text(), START_LIMIT_S)
    assert browser.get(f"{browser.server('ada')}/api/status").json()["kernels"] == 1
    assert psutil.pid_exists(server)

    platform.process.kill()
    platform.process.wait()
    until(lambda: not marked_processes(mark))

    again = start("up")
    output = again.wait_for("Ctrl-C")
    assert "first-admin" not in output, "there is an administrator already"
    assert "ended without cleaning up" in again.err.read_text()
    browser = make_browser(again.hub)
    assert browser.sign_in("ada").status_code == 200

    assert again.stop(signal.SIGINT) == 0
    assert marked_processes(mark) == []
    assert again.data.read_platform() is None


@pytest.mark.slow
@pytest.mark.attack(30)
def test_solo_opens_with_the_printed_token_only(start, tmp_path, monkeypatch) -> None:
    platform = start("up", "--solo")
    address = next(word for word in platform.wait_for("Ctrl-C").split() if "token=" in word)
    with httpx.Client(base_url=platform.url, trust_env=False, follow_redirects=True) as person:
        assert person.get("/qcrbox/api/applications").status_code in (401, 403)
        assert person.get(address).status_code == 200
        answer = person.get("/qcrbox/api/applications")
        assert answer.status_code == 200
        assert {each["slug"] for each in answer.json()["payload"]["applications"]} >= {"refine"}
    registry = json.loads(platform.data.platform_file.read_text())["registry_url"]
    assert httpx.get(f"{registry}/api/datasets", trust_env=False).status_code == 401
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(NotSignedIn, match=r'Get its token .*qc.connect\(".*", token="…"\)'):
        connect(registry)
    token = address.partition("token=")[2]
    for process in marked_processes(platform.data.identity):
        with contextlib.suppress(psutil.Error):
            assert token not in " ".join(process.cmdline())
    assert platform.stop() == 0


@pytest.mark.attack(30)
@pytest.mark.slow
def test_backup_of_a_running_platform_is_restored_with_data_accounts_and_homes(
    start, qcrbox, make_browser, tmp_path: Path
) -> None:
    platform = start("up")
    link = next(word for word in platform.wait_for("Ctrl-C").split() if "first-admin?code=" in word)
    ada = make_browser(platform.hub)
    account = {"username": "ada", "password": PASSWORD, "password_confirmation": PASSWORD}
    ada.submit(link.removeprefix(platform.hub), code=link.partition("code=")[2], **account)
    token = new_token(ada)
    stored = httpx.post(
        f"{platform.url}/services/qcrbox/api/datasets",
        files={"file": ("kept.cif", b"data_kept\n_cell_length_a 10\n")},
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    assert stored.status_code == 201, stored.text
    home = platform.data.homes / "1-ada"
    home.mkdir(exist_ok=True)
    (home / "thesis.ipynb").write_text("work of years")

    backup = qcrbox("backup", str(tmp_path / "backups"))
    assert backup.returncode == 0, backup.stderr
    folder = Path(backup.stdout.strip())
    assert folder.stat().st_mode & 0o077 == 0
    for secret in platform.data.secrets.iterdir():
        text = secret.read_bytes().strip()
        assert not any(text in file.read_bytes() for file in folder.iterdir()), f"{secret.name} is in it"
    assert platform.stop() == 0

    target = tmp_path / "second" / "data"
    done = subprocess.run(
        [sys.executable, "-m", "qcrbox_hub", "restore", str(folder), "--data", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (target / "homes" / "1-ada" / "thesis.ipynb").read_text() == "work of years"

    again = start("up", data=target)
    assert "first-admin" not in again.wait_for("Ctrl-C")
    old = {"Authorization": f"Bearer {token}"}
    listed = httpx.get(f"{again.url}/services/qcrbox/api/datasets", headers=old, trust_env=False)
    assert listed.status_code in (401, 403), "a token of before the backup still works"
    ada = make_browser(again.hub)
    assert ada.sign_in("ada").status_code == 200
    fresh = {"Authorization": f"Bearer {new_token(ada)}"}
    listed = httpx.get(f"{again.url}/services/qcrbox/api/datasets", headers=fresh, trust_env=False)
    names = [name for each in listed.json()["payload"]["datasets"] for name in each["data_files"]]
    assert "kept.cif" in names


def new_token(browser: Browser) -> str:
    browser.get("/hub/token")
    xsrf = browser.xsrf()
    answer = browser.http.post(
        "/hub/api/users/ada/tokens", json={"note": "test"}, headers={"X-XSRFToken": xsrf or ""}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


@pytest.mark.slow
@pytest.mark.attack(30)
@pytest.mark.parametrize("part", ["registry.tar", "manifest.json"])
def test_damaged_backup_is_refused(qcrbox, tmp_path: Path, part: str) -> None:
    folder = tmp_path / "backup"
    folder.mkdir()
    (folder / "registry.tar").write_bytes(b"whole")
    sha256 = hashlib.sha256(b"whole").hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "parts": {"registry.tar": sha256}}))
    (folder / part).write_text("damaged")
    answer = qcrbox("restore", str(folder))
    assert answer.returncode == 1
    assert part in answer.stderr
    assert not (tmp_path / "data" / "qcrbox.sqlite").exists()
