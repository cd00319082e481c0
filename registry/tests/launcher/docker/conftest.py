"""A real Docker daemon, and the sample application as an approved image on it."""

from __future__ import annotations

import contextlib
import importlib.util
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.apps.images import ImageBuilder
from qcrbox_registry.launcher.approvals import Approvals
from qcrbox_registry.launcher.managers.docker import LABEL, DockerManager

ROOT = Path(__file__).parents[4]
SAMPLE = ROOT / "app_images" / "agent" / "tests" / "fixtures" / "sample"


@pytest.fixture(scope="session")
def daemon() -> Iterator[docker.DockerClient]:
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as problem:
        pytest.skip(f"no Docker daemon answers: {problem}")
    yield client
    client.close()


def _second_daemon():
    """The module beside this one: test folders are no packages."""
    spec = importlib.util.spec_from_file_location(
        "second_daemon", Path(__file__).with_name("second_daemon.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SecondDaemon


@pytest.fixture(scope="module")
def start_daemon(daemon):
    """Starts Docker daemons of the module's own: `start_daemon("--live-restore", image=…)`, with an image of the machine's."""
    with contextlib.ExitStack() as stack:

        def start(*options: str, image: str = ""):
            own = _second_daemon()(*options)
            stack.callback(own.end)
            if image:
                own.load(daemon, image)
            return own.start()

        yield start


@pytest.fixture(scope="session")
def sample_image(daemon: docker.DockerClient) -> Iterator[str]:
    """Id of the sample application's image, built by our own builder.

    It has a name of this run's own as well: whoever builds the application meanwhile takes the common name away, and an
    image without a name goes with the first image made on top of it that is removed.
    """
    builder = ImageBuilder(
        daemon, sources=ROOT / "app_images", constraints=ROOT / "constraints" / "agent.txt", say=print
    )
    try:
        image = builder.build_application(SAMPLE)[1]
    except UserInputError as problem:
        pytest.skip(problem.message)
    name = f"qcrbox/test-sample:{uuid.uuid4().hex}"
    daemon.images.get(image).tag(name)
    yield image
    daemon.images.remove(name)


@pytest.fixture
async def make_manager(tmp_path, sample_image, daemon):
    data = tmp_path / "data"
    Approvals(data).approve("sample", "1.0", sample_image, by="test")
    made: list[DockerManager] = []

    async def make(**traits) -> DockerManager:
        traits.setdefault("nats_url", "nats://127.0.0.1:1")
        manager = DockerManager(data=str(data), **traits)
        await manager.setup()
        made.append(manager)
        return manager

    yield make
    platforms = {manager.platform for manager in made}
    for manager in made:
        with contextlib.suppress(Exception):
            await manager.end_platform()
    for platform in platforms:
        left = daemon.containers.list(all=True, filters={"label": f"{LABEL}.platform={platform}"})
        assert not left, f"containers left behind: {left}"
