from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from qcrbox.contract.messages import Limits
from qcrbox_registry.launcher.conformance import ManagerConformance, agents_of, ended
from qcrbox_registry.launcher.managers.base import StartFailed
from qcrbox_registry.launcher.managers.process import ProcessManager


@pytest.fixture
async def make_manager(tmp_path):
    made = []

    async def make(**traits):
        manager = ProcessManager(data=str(tmp_path / "data"), nats_url="nats://127.0.0.1:1", **traits)
        await manager.setup()
        made.append(manager)
        return manager

    yield make
    for manager in made:
        for found in await manager.list():
            await manager.stop(found.handle, 0.0)


class TestProcessManager(ManagerConformance):
    """Every promise of a manager, kept by processes."""


async def test_the_exit_code_of_an_agent_that_dies_is_told(make_manager, plan):
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    os.kill(int(handle.split(".")[0]), signal.SIGKILL)
    end = await ended(manager, handle)
    assert end.exit_code == -signal.SIGKILL
    assert end.reason == "its process was ended by SIGKILL"


async def test_an_adopted_agent_that_dies_is_seen(make_manager, plan):
    handle = await (await make_manager()).start(plan("a1"))
    second = await make_manager()
    os.kill(int(handle.split(".")[0]), signal.SIGKILL)
    assert (await ended(second, handle)).exit_code is None


async def test_a_reused_process_number_is_not_taken_for_the_agent(make_manager):
    manager = await make_manager()
    assert await manager.poll(f"{os.getpid()}.1") is not None
    await manager.stop(f"{os.getpid()}.1", 0.0)  # and this process still runs


async def test_a_stopped_process_can_be_ended(make_manager, plan):
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    os.kill(int(handle.split(".")[0]), signal.SIGSTOP)
    await manager.stop(handle, 0.5)
    assert await manager.poll(handle) is not None


async def environment_of(handle: str) -> bytes:
    """The variables of an agent's process: the kernel shows none for the moment between the end of `exec` and its stack."""
    file = Path(f"/proc/{handle.split('.')[0]}/environ")
    async with asyncio.timeout(60):
        while not (found := file.read_bytes()):
            await asyncio.sleep(0.01)
    return found


async def test_agents_of_another_launcher_are_not_ours(make_manager, plan):
    ours, theirs = await make_manager(), await make_manager(launcher="other")
    handle = await theirs.start(plan("a1"))
    assert await agents_of(ours) == []
    await theirs.stop(handle, 0.0)


@pytest.mark.attack(22)
async def test_the_token_is_in_a_private_file_and_nowhere_else(make_manager, plan, tmp_path):
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    process = Path(f"/proc/{handle.split('.')[0]}")
    token = tmp_path / "data" / "run" / "agents" / "a1.token"
    assert token.read_text() == "secret-token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert b"secret-token" not in (process / "cmdline").read_bytes()
    assert b"secret-token" not in await environment_of(handle)
    assert "secret-token" not in repr(plan("a1"))
    await manager.stop(handle, 5.0)
    assert not token.exists()


@pytest.mark.attack(22)
async def test_an_agent_gets_nothing_of_our_environment_that_is_none_of_its_business(
    make_manager, plan, monkeypatch
):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-secret")
    monkeypatch.setenv("QCRBOX_TOKEN_FILE", "/somewhere")
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    environment = await environment_of(handle)
    assert b"hub-secret" not in environment
    assert b"QCRBOX_TOKEN_FILE" not in environment


async def test_an_agent_is_told_which_python_has_gpaw(make_manager, plan, monkeypatch):
    monkeypatch.setenv("QCRBOX_GPAW_PYTHON", "/opt/gpaw/bin/python")
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    environment = await environment_of(handle)
    assert b"QCRBOX_GPAW_PYTHON=/opt/gpaw/bin/python\0" in environment


async def test_limits_are_those_of_the_kernel(make_manager, plan):
    manager = await make_manager()
    handle = await manager.start(plan("a1", Limits(memory_bytes=512 * 2**20, disk_bytes=10**9, cpus=2)))
    process = Path(f"/proc/{handle.split('.')[0]}")
    limits = (process / "limits").read_text()
    assert f"{512 * 2**20}" in next(line for line in limits.splitlines() if "data size" in line)
    assert f"{10**9}" in next(line for line in limits.splitlines() if "file size" in line)
    assert b"OMP_NUM_THREADS=2\0" in await environment_of(handle)


async def test_nothing_is_left_of_an_agent(make_manager, plan, tmp_path):
    manager = await make_manager()
    handle = await manager.start(plan("a1"))
    await asyncio.sleep(0)
    await manager.stop(handle, 5.0)
    assert list((tmp_path / "data" / "run" / "agents").iterdir()) == []
    assert list((tmp_path / "data" / "work").iterdir()) == []


async def test_failed_calculations_can_be_kept_beyond_the_agent(make_manager, plan, tmp_path):
    manager = await make_manager(keep_failed_s=3600.0)
    handle = await manager.start(plan("a1"))
    environment = await environment_of(handle)
    kept = tmp_path / "data" / "work" / "kept"
    assert f"QCRBOX_WORK_DIR={kept}\0".encode() in environment
    kept.mkdir(exist_ok=True)
    (kept / "log").touch()
    await manager.stop(handle, 5.0)
    assert (kept / "log").exists()


async def test_an_agent_that_cannot_be_written_down_does_not_run(make_manager, plan, tmp_path):
    """As on a full disk: nobody would know it again."""
    manager = await make_manager()
    run = tmp_path / "data" / "run" / "agents"
    (run / f".a1.json.{os.getpid()}").mkdir()  # where its record is drafted
    with pytest.raises(StartFailed, match="could not be started"):
        await manager.start(plan("a1"))
    assert manager._children == {}
    assert not (run / "a1.token").exists()
    assert [child for child in Path("/proc").glob("[0-9]*/environ") if speaks_of(child, run)] == []


def speaks_of(environ: Path, folder: Path) -> bool:
    try:
        return f"QCRBOX_ENROLMENT_FILE={folder}".encode() in environ.read_bytes()
    except OSError:
        return False
