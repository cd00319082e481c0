"""compose/: valid for Compose, fits the page that describes it, and its platform makes sandboxes in its container.

The image is not built: its base and the package come from registries. The platform of this checkout runs in the
container instead, with everything else of the file: rights, limits, health, volumes.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from qcrbox.client import loopback
from qcrbox_hub.apps.images import ImageBuilder
from qcrbox_hub.platform import paths, ports
from qcrbox_hub.platform.built_images import connect

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "compose"
COMPOSE = next(
    (
        words
        for words in (["docker", "compose"], ["docker-compose"])
        if shutil.which(words[0])
        and subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0
    ),
    None,
)
needs_compose = pytest.mark.skipif(COMPOSE is None, reason="needs Docker Compose")
LIMIT_S = 180.0


def compose(folder: Path, *words: str) -> str:
    """What Compose says about the file in `folder`."""
    assert COMPOSE
    done = subprocess.run(
        [*COMPOSE, "--project-name", f"qcrbox-test-{folder.name}".lower(), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def described() -> Any:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


@pytest.mark.slow
@needs_compose
def test_compose_accepts_the_file(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "compose")
    for name in ("database.sql", "superuser-password"):
        (tmp_path / "compose" / name).touch()
    compose(tmp_path / "compose", "config", "--quiet")
    wrong = (tmp_path / "compose/compose.yaml").read_text().replace("cap_add: [", "cap_added: [")
    (tmp_path / "compose/compose.yaml").write_text(wrong)
    with pytest.raises(AssertionError, match="cap_added"):
        compose(tmp_path / "compose", "config", "--quiet")


def test_file_image_and_page_fit_together() -> None:
    services, page = described()["services"], (ROOT / "docs/group_server.md").read_text()
    image = (FOLDER / "Dockerfile").read_text()
    data = services["platform"]["volumes"][0].partition(":")[2]
    command = json.loads(re.search(r"^CMD (.*)$", image, re.MULTILINE)[1])  # type: ignore[index]
    assert command == ["up", "--data", data]
    assert f"VOLUME {data}" in image
    assert services["platform"]["healthcheck"]["test"][-1] == data
    assert "@database:5432" in page, "the address of the database service"
    assert "docker.sock" not in (FOLDER / "compose.yaml").read_text(), "it would be the whole machine"
    assert "ports" not in services["database"], "reachable from the platform alone"
    assert not services["platform"].get("privileged")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """The platform in its container: (folder of the Compose file, its port on this machine)."""
    builder = ImageBuilder(
        connect(), sources=paths.applications_folder(), constraints=paths.agent_pins(), say=print
    )
    builder.ensure_debian()
    file, port = described(), ports.choose(1)[0]
    platform = file["services"] = {"platform": file["services"]["platform"]}
    one = platform["platform"]
    for key in ("build", "depends_on"):
        del one[key]
    # The interpreter and the packages of this checkout, where they are. Not /usr whole: Docker puts its init there.
    places = {f"/usr/{name}" for name in ("bin", "lib", "local", "share")}
    places |= {str(ROOT), str(Path(sys.base_prefix)), str(Path(sys.prefix))}
    one |= {
        "image": "debian:bookworm-slim",
        "entrypoint": [sys.executable, "-m", "qcrbox_hub"],
        "command": ["up", "--data", "/srv/qcrbox/data"],
        "ports": [f"127.0.0.1:{port}:{port}"],
        "volumes": [*one["volumes"], *(f"{place}:{place}:ro" for place in sorted(places))],
    }
    one["healthcheck"] |= {
        "test": ["CMD", sys.executable, "-m", "qcrbox_hub", *one["healthcheck"]["test"][2:]],
        "interval": "2s",
    }
    for key in ("volumes", "secrets"):
        del file[key]
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(file))
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data/platform.toml").write_text(
        f'[public]\nurl = "http://hub.localhost:{port}"\nhost = "0.0.0.0"\nport = {port}\n'
    )
    try:
        compose(tmp_path, "up", "--detach")
        yield tmp_path, port
    finally:
        compose(tmp_path, "down", "--timeout", "10")


@needs_compose
@pytest.mark.docker
@pytest.mark.slow
def test_platform_in_its_container_gives_each_person_a_sandbox(running: tuple[Path, int]) -> None:
    folder, port = running
    container = compose(folder, "ps", "--quiet", "platform").strip()
    deadline = time.monotonic() + LIMIT_S
    while (health := connect().containers.get(container).attrs["State"]["Health"]["Status"]) != "healthy":
        assert time.monotonic() < deadline, (health, compose(folder, "logs", "platform"))
        time.sleep(1)
    url = f"http://hub.localhost:{port}"
    with httpx.Client(trust_env=False, mounts=loopback.mounts(url), timeout=30) as browser:
        assert "Sign in" in browser.get(f"{url}/hub/login").text
    assert f"{url}/hub/first-admin?code=" in compose(folder, "logs", "platform")
    status = compose(
        folder,
        "exec",
        "-T",
        "platform",
        sys.executable,
        "-m",
        "qcrbox_hub",
        "status",
        "--json",
        "--data",
        "/srv/qcrbox/data",
    )
    walls = json.loads(status)["walls"]
    assert walls["walls"] == "sandbox"
    assert "user id" not in walls["what"], "each person has one"
