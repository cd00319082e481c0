"""22. Credentials in environment, command lines, image layers, logs, `docker inspect` and tracebacks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from qcrbox_registry.launcher.approvals import Approvals

from tests.attacks.conftest import Ground, harm_of, until
from tests.conftest import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.attack(22)]


def secrets_of(ground: Ground) -> dict[str, str]:
    """Every secret of the platform by what it is: files of DATA/secrets, tokens of the agents that run now."""
    found = {
        path.name: path.read_text().strip() for path in (ground.data / "secrets").iterdir() if path.is_file()
    }
    (mounts,) = {
        Path(bind.split(":")[0]).parent
        for one in ground.containers()
        for bind in one.attrs["HostConfig"]["Binds"]
    }
    found |= {f"token of {path.parent.name}": path.read_text() for path in mounts.glob("*/token")}
    assert all(len(value) >= 16 for value in found.values())
    return found


def processes(data: Path) -> Iterator[Path]:
    """/proc of everything that belongs to the platform, inside containers too."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if str(data).encode() in command or b"qcrbox_agent" in command or b"intruder.py" in command:
            yield folder


def told(secrets: dict[str, str], text: str) -> list[str]:
    return [name for name, value in secrets.items() if value in text]


@pytest.fixture
def running(ground: Ground) -> Iterator[str]:
    """A calculation that runs in a container."""
    made = ground.ada.running()
    yield made
    ground.ada.stop(made)


def test_22_no_secret_is_in_an_environment_or_a_command_line(ground: Ground, running: str) -> None:
    secrets, seen = secrets_of(ground), 0
    for folder in processes(ground.data):
        try:
            text = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        seen += 1
        assert told(secrets, text.decode(errors="replace")) == [], folder
    assert seen >= 5


def test_22_no_secret_is_in_what_docker_tells_of_a_container(ground: Ground, running: str) -> None:
    secrets = secrets_of(ground)
    container = ground.container_of(ground.agent_of(ground.ada, running))
    container.reload()
    shown = json.dumps(container.attrs) + container.logs().decode() + str(container.top())
    assert "QCRBOX_AGENT_ID" in shown
    assert told(secrets, shown) == []


def test_22_no_secret_is_in_an_image(ground: Ground, running: str) -> None:
    secrets = secrets_of(ground)
    approval = Approvals(ground.data).image("intruder", "1.0")
    assert approval is not None
    image = ground.daemon.images.get(approval.image_id)
    shown = json.dumps(image.attrs) + json.dumps(image.history())
    assert "qcrbox_agent" in shown
    assert told(secrets, shown) == []
    assert not re.search(r"(?i)(password|secret|token|api_?key)=", shown)


def test_22_no_secret_is_in_a_log_of_the_platform(ground: Ground, running: str) -> None:
    secrets = secrets_of(ground)
    files = [*ground.data.parent.glob("*.log"), *(ground.data / "logs").rglob("*")]
    text = "".join(path.read_text(errors="replace") for path in files if path.is_file())
    assert "launcher_ready" in text
    assert told(secrets, text) == []
    assert "token-of-ada" not in text
    assert not re.search(r"\b(enrol|files)\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}", text)


def test_22_secrets_are_for_their_user_alone(ground: Ground, running: str) -> None:
    for path in (ground.data / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert (ground.data / "secrets").stat().st_mode & 0o077 == 0
    assert (ground.data / "run" / "nats.conf").stat().st_mode & 0o077 == 0
    assert (ground.data / "run" / "internal.sock").stat().st_mode & 0o077 == 0


def test_22_a_program_finds_no_credentials_but_its_own_agents(ground: Ground) -> None:
    tries = ground.ada.attempts("credentials")
    assert harm_of(tries, at_least=10) == []
    assert any("read the agent's memory" in one["try"] for one in tries), "the agent was found and tried"


def test_22_a_token_of_an_agent_that_is_gone_opens_nothing_and_its_file_is_gone(
    ground: Ground, running: str
) -> None:
    agent = ground.agent_of(ground.ada, running)
    container = ground.container_of(agent)
    (bind,) = container.attrs["HostConfig"]["Binds"]
    folder = Path(bind.split(":")[0])
    assert (folder / "token").exists()
    assert subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout.strip() == "tmpfs"  # fmt: skip
    container.kill()
    until(lambda: not folder.exists())


@pytest.mark.parametrize("fault", ["a wrong address", "a spec that is not there", "a fault of its own"])
def test_22_no_token_is_in_what_a_failing_agent_prints(tmp_path: Path, fault: str) -> None:
    token = "enrol." + "s" * 60 + "." + "t" * 43
    (tmp_path / "token").write_text(token)
    sample = ROOT / "app_images" / "agent" / "tests" / "fixtures" / "sample" / "application.yaml"
    environment = {
        **os.environ,
        "QCRBOX_AGENT_ID": "a1",
        "QCRBOX_NATS_URL": "nats://127.0.0.1:1" if fault != "a fault of its own" else "nats://[bad",
        "QCRBOX_ENROLMENT_FILE": str(tmp_path / "token"),
        "QCRBOX_SPEC": str(sample if fault != "a spec that is not there" else tmp_path / "nothing.yaml"),
        "QCRBOX_WORK_DIR": str(tmp_path / "work"),
        "QCRBOX_ORPHANED_AFTER_S": "0.5",
        "QCRBOX_LOG_LEVEL": "DEBUG",
    }
    done = subprocess.run(
        [sys.executable, "-m", "qcrbox_agent"], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stderr
    assert "sssss" not in done.stdout + done.stderr
    assert "ttttt" not in done.stdout + done.stderr
