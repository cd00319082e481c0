"""Images that ask for more than they get, and names that are taken between a look and an act."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from qcrbox.contract.messages import Limits
from qcrbox_registry.launcher.approvals import Approvals
from qcrbox_registry.launcher.conformance import agents_of
from qcrbox_registry.launcher.managers.base import StartFailed
from qcrbox_registry.launcher.managers.docker import MB

pytestmark = pytest.mark.docker

GREEDY = """\
FROM {image}
USER root
ENV LD_LIBRARY_PATH=/tmp QCRBOX_NATS_SOCKET=/tmp/elsewhere QCRBOX_ENROLMENT_FILE=/etc/passwd
EXPOSE 22 80
VOLUME /data /var/lib/fill
HEALTHCHECK --interval=1s CMD touch /tmp/healthy
STOPSIGNAL SIGKILL
LABEL org.qcrbox.agent=somebody-else
"""


@pytest.fixture(scope="module")
def greedy_image(daemon, sample_image):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        content = GREEDY.format(image=sample_image).encode()
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    image, _ = daemon.images.build(fileobj=buffer, custom_context=True, rm=True)
    yield image.id
    daemon.images.remove(image.id, force=True)


@pytest.mark.attack(17)
@pytest.mark.attack(24)
async def test_an_image_decides_neither_user_volumes_health_checks_nor_what_the_launcher_says(
    make_manager, plan, daemon, greedy_image
):
    manager = await make_manager()
    Approvals(Path(manager.data)).approve("sample", "1.0", greedy_image)
    volumes = {one.id for one in daemon.volumes.list()}
    container = daemon.containers.get(await manager.start(plan("greedy", Limits(memory_bytes=512 * MB))))
    assert container.attrs["Config"]["User"] == "10001:10001"
    assert container.attrs["Config"]["StopSignal"] == "SIGTERM"
    assert container.labels["org.qcrbox.agent"] == "greedy"
    assert "QCRBOX_NATS_SOCKET=/run/qcrbox/nats.sock" in container.attrs["Config"]["Env"]
    assert "QCRBOX_NATS_SOCKET=/tmp/elsewhere" not in container.attrs["Config"]["Env"]
    assert "Health" not in container.attrs["State"]
    assert not [mount for mount in container.attrs["Mounts"] if mount["Type"] == "volume"]
    assert {one.id for one in daemon.volumes.list()} <= volumes
    code = "import os\ntry:\n    open('/data/x', 'wb').write(bytes(64 * 10**6))\nexcept OSError as error: print(error)"
    assert b"No space left" in container.exec_run(["python3", "-c", code]).output


@pytest.mark.attack(28)
async def test_a_container_that_took_the_name_is_left_alone_and_the_start_is_refused_in_words(
    make_manager, plan, daemon, sample_image
):
    manager = await make_manager()
    name = f"qcrbox-{manager.platform[:6]}-a1"
    squatter = daemon.containers.create(sample_image, name=name)
    try:
        with pytest.raises(StartFailed, match="Docker refused the container"):
            await manager.start(plan("a1"))
        assert daemon.containers.get(squatter.id).name == name
        assert not manager.mounts.folder("a1").exists()
    finally:
        squatter.remove(force=True)
    await manager.start(plan("a1"))


@pytest.mark.attack(28)
async def test_of_two_managers_that_start_the_same_agent_one_does(make_manager, plan):
    first, second = await make_manager(), await make_manager()
    handle = await first.start(plan("a1"))
    with pytest.raises(StartFailed, match="started already"):
        await second.start(plan("a1"))
    assert await first.poll(handle) is None
    assert (first.mounts.folder("a1") / "nats.sock").is_socket()
    assert await agents_of(first) == ["a1"]


async def test_doors_of_a_container_that_somebody_removed_by_hand_are_closed(make_manager, plan, daemon):
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    daemon.containers.get(handle).remove(force=True)
    end = await manager.poll(handle)
    assert end is not None
    assert end.reason == "its container is gone"
    assert not manager.mounts.folder("a1").exists()
