"""Limits that the kernel holds for everything inside a group."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from qcrbox.sandbox.cgroups import ControlGroup, Kind, Limits, kind

pytestmark = pytest.mark.attack(24)
MIB = 1024**2


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[ControlGroup, subprocess.Popen[str]]]]:
    """Starts Python code in a group of this test."""
    how = kind()
    if how is Kind.NONE:
        pytest.skip("this user may not make control groups here")
    made: list[tuple[ControlGroup, subprocess.Popen[str]]] = []

    def go(code: str, limits: Limits) -> tuple[ControlGroup, subprocess.Popen[str]]:
        group = ControlGroup(f"qcrbox-test-{uuid.uuid4().hex[:8]}", limits, how)
        group.make()
        process = subprocess.Popen(
            [*group.command_prefix(), sys.executable, "-I", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=group.enter,
        )
        made.append((group, process))
        return made[-1]

    yield go
    for group, process in made:
        group.kill()
        process.kill()
        process.communicate()
        group.remove()


def test_memory_bomb_is_ended(start) -> None:
    _, process = start("x = bytearray(400 * 1024 * 1024); print('taken')", Limits(memory_bytes=100 * MIB))
    out, _ = process.communicate(timeout=60)
    assert process.returncode in (-9, 137)
    assert "taken" not in out


def test_fork_bomb_stops_at_the_limit(start) -> None:
    code = """
import os, time
children = 0
try:
    for _ in range(200):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        children += 1
except OSError as error:
    print(children, error.errno, flush=True)
time.sleep(60)"""
    group, process = start(code, Limits(processes=20))
    children, number = process.stdout.readline().split()
    assert int(children) < 20
    assert number == "11"  # EAGAIN
    assert 0 < len(group.processes()) <= 20 or group.how is Kind.SYSTEMD


def test_processor_time_is_bounded(start) -> None:
    code = """
import time
begin, cpu = time.monotonic(), time.process_time()
while time.monotonic() - begin < 2:
    pass
print((time.process_time() - cpu) / (time.monotonic() - begin))"""
    _, process = start(code, Limits(cpus=0.2))
    out, _ = process.communicate(timeout=60)
    assert float(out) < 0.4


def test_kill_ends_all_and_the_group_can_be_removed(start) -> None:
    group, process = start("import os, time; [os.fork() for _ in range(3)]; time.sleep(60)", Limits())
    if group.how is Kind.SYSTEMD:
        pytest.skip("systemd ends its scopes itself")
    deadline = time.monotonic() + 60
    while len(group.processes()) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    group.kill()
    process.wait(10)
    deadline = time.monotonic() + 60
    while group.processes() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert group.processes() == set()
    group.remove()
    assert not any(folder.exists() for folder in group._folders())


def test_memory_that_is_used_is_told(start) -> None:
    # Touched again and again: the kernel may take pages away that lie idle.
    code = "x = bytearray(60 * 1024**2)\nwhile True: x[::4096] = x[1::4096]; print('there', flush=True)"
    group, process = start(code, Limits())
    for _ in range(20):
        process.stdout.readline()
        used = group.memory_bytes()
        if used is None or used > 50 * MIB:
            return
    pytest.fail(f"{used} bytes are told")


def test_version_2_is_written_as_the_kernel_wants_it(tmp_path) -> None:
    group = ControlGroup("g", Limits(memory_bytes=5, cpus=1.5, processes=7), Kind.V2, root=tmp_path)
    group.make()
    assert {file.name: file.read_text() for file in (tmp_path / "g").iterdir()} == {
        "memory.max": "5",
        "memory.swap.max": "0",
        "pids.max": "7",
        "cpu.max": "150000 100000",
    }


def test_systemd_is_asked_for_a_scope() -> None:
    prefix = ControlGroup("g", Limits(memory_bytes=5, cpus=1.5, processes=7), Kind.SYSTEMD).command_prefix()
    assert prefix[0] == "systemd-run"
    assert {
        "--scope",
        "--unit=g",
        "--property=MemoryMax=5",
        "--property=CPUQuota=150%",
        "--property=TasksMax=7",
    } <= set(prefix)
    assert prefix.count("--property=MemorySwapMax=0") == 1
