"""A swarm of one machine, on a Docker daemon of its own that is ended afterwards."""

from __future__ import annotations

import docker
import pytest
from qcrbox_registry.launcher.approvals import Approvals
from qcrbox_registry.launcher.conformance import ManagerConformance
from qcrbox_registry.launcher.managers.base import StartFailed
from qcrbox_registry.launcher.managers.docker import LABEL
from qcrbox_registry.launcher.managers.swarm import SwarmManager

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def swarm(start_daemon, sample_image):
    """Address of a second daemon as a swarm of one, with the sample's image."""
    own = start_daemon(image=sample_image)
    client = docker.DockerClient(base_url=own.url, timeout=300)
    client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:0")
    yield own.url
    client.swarm.leave(force=True)


@pytest.fixture
async def make_manager(tmp_path, swarm, sample_image):
    data = tmp_path / "data"
    Approvals(data).approve("sample", "1.0", sample_image)
    made: list[SwarmManager] = []

    async def make(**traits) -> SwarmManager:
        manager = SwarmManager(data=str(data), nats_url="nats://127.0.0.1:1", daemon_url=swarm, **traits)
        await manager.setup()
        made.append(manager)
        return manager

    yield make
    for manager in made:
        await manager.end_platform()
    client = docker.DockerClient(base_url=swarm)
    assert client.services.list(filters={"label": f"{LABEL}.platform"}) == []
    assert client.containers.list(all=True) == []
    assert client.networks.list(filters={"label": f"{LABEL}.platform"}) == []


class TestSwarmManager(ManagerConformance):
    """Every promise of a manager, kept by services."""


async def test_services_are_sandboxed(make_manager, plan, swarm):
    manager = await make_manager()
    await manager.start(plan("a1"))
    (container,) = docker.DockerClient(base_url=swarm).containers.list()
    host = container.attrs["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["Privileged"] is False
    assert host["PidsLimit"] == 512
    assert host["Memory"] == manager.memory_bytes
    assert container.attrs["Config"]["User"] == "10001:10001"
    code = """
import socket
for host in ("172.17.0.1", "169.254.169.254", "1.1.1.1"):
    try:
        socket.create_connection((host, 80), timeout=2)
        print("reached", host)
    except OSError:
        pass
"""
    assert container.exec_run(["python3", "-c", code]).output == b""
    routes = container.exec_run(["cat", "/proc/net/route"]).output.decode().splitlines()[1:]
    assert all(line.split()[1] != "00000000" for line in routes), "a way out"


async def test_a_daemon_outside_a_swarm_is_told(tmp_path, daemon):
    if daemon.info()["Swarm"]["LocalNodeState"] != "inactive":
        pytest.skip("this machine's daemon is in a swarm")
    with pytest.raises(StartFailed, match="not a manager of a swarm"):
        await SwarmManager(data=str(tmp_path), nats_url="nats://127.0.0.1:1").setup()
