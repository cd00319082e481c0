"""Limits of memory, processors and processes for everything inside one sandbox, by control groups.

Three ways lead there: systemd makes a scope (as root, or for a user with a session of systemd), or root writes the
files of version 2 or version 1 of the kernel's interface itself. An ordinary user without systemd has none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from qcrbox.sandbox.subordinate import machine_uid, root_of_machine

ROOT = Path("/sys/fs/cgroup")
_V1 = ("memory", "pids", "cpu")
_PERIOD_US = 100_000


class Kind(StrEnum):
    """How limits are set on this machine."""

    SYSTEMD = "systemd"
    V2 = "cgroup v2"
    V1 = "cgroup v1"
    NONE = "none"


@dataclass(frozen=True)
class Limits:
    """0: no limit. memory_bytes without swap, cpus as a number of processors."""

    memory_bytes: int = 0
    cpus: float = 0.0
    processes: int = 0


def kind(root: Path = ROOT) -> Kind:
    """What this process may use."""
    if Path("/run/systemd/system").is_dir() and shutil.which("systemd-run") and _systemd_reachable():
        return Kind.SYSTEMD
    if not root_of_machine():
        return Kind.NONE
    if (root / "cgroup.controllers").is_file():
        enabled = _read(root / "cgroup.subtree_control").split()
        return Kind.V2 if set(_V1) <= set(enabled) and os.access(root, os.W_OK) else Kind.NONE
    if all(os.access(root / controller, os.W_OK) for controller in _V1):
        return Kind.V1
    return Kind.NONE


def _systemd_reachable() -> bool:
    if root_of_machine():
        return True
    return Path(
        os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{machine_uid()}"), "systemd", "private"
    ).exists()


@dataclass(frozen=True)
class ControlGroup:
    """The limits of one sandbox. `name` is used once per machine and again after `remove`."""

    name: str
    limits: Limits
    how: Kind
    root: Path = ROOT

    def command_prefix(self) -> list[str]:
        """What goes before the command line; only systemd needs it."""
        if self.how is not Kind.SYSTEMD:
            return []
        properties = {
            "MemoryMax": self.limits.memory_bytes,
            "TasksMax": self.limits.processes,
            "CPUQuota": f"{self.limits.cpus:.0%}" if self.limits.cpus else None,
        }
        set_ = [f"--property={key}={value}" for key, value in properties.items() if value not in (None, 0)]
        if self.limits.memory_bytes:
            set_.append("--property=MemorySwapMax=0")
        user = [] if root_of_machine() else ["--user"]
        return ["systemd-run", *user, "--scope", "--quiet", "--collect", f"--unit={self.name}", *set_, "--"]

    def make(self) -> None:
        """Make the group with its limits. Raises OSError where the kernel refuses."""
        if self.how is Kind.V2:
            folder = self.root / self.name
            folder.mkdir(exist_ok=True)
            limits = self.limits
            if limits.memory_bytes:
                _write(folder / "memory.max", limits.memory_bytes)
                with contextlib.suppress(OSError):  # a kernel without swap accounting
                    _write(folder / "memory.swap.max", 0)
            if limits.processes:
                _write(folder / "pids.max", limits.processes)
            if limits.cpus:
                _write(folder / "cpu.max", f"{int(limits.cpus * _PERIOD_US)} {_PERIOD_US}")
        elif self.how is Kind.V1:
            self._make_v1()

    def _make_v1(self) -> None:
        for controller in _V1:
            (self.root / controller / self.name).mkdir(exist_ok=True)
        memory, pids, cpu = (self.root / controller / self.name for controller in _V1)
        if self.limits.memory_bytes:
            _write(memory / "memory.limit_in_bytes", self.limits.memory_bytes)
            with contextlib.suppress(OSError):  # a kernel without swap accounting
                _write(memory / "memory.memsw.limit_in_bytes", self.limits.memory_bytes)
        if self.limits.processes:
            _write(pids / "pids.max", self.limits.processes)
        if self.limits.cpus:
            _write(cpu / "cpu.cfs_period_us", _PERIOD_US)
            _write(cpu / "cpu.cfs_quota_us", int(self.limits.cpus * _PERIOD_US))

    def enter(self) -> None:
        """Put the calling process into the group: for `preexec_fn`, between fork and exec."""
        for folder in self._folders():
            _write(folder / "cgroup.procs", os.getpid())

    def processes(self) -> set[int]:
        """Process ids in the group, as this machine counts them."""
        found: set[int] = set()
        for folder in self._folders():
            found |= {int(line) for line in _read(folder / "cgroup.procs").split()}
        return found

    def kill(self) -> None:
        """End everything in the group; a process that forks faster than it is killed included."""
        for folder in self._folders():
            if (folder / "cgroup.kill").exists():
                with contextlib.suppress(OSError):
                    _write(folder / "cgroup.kill", 1)
        for _ in range(50):
            left = self.processes()
            if not left:
                return
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def remove(self) -> None:
        """Forget the group; what still runs in it keeps it until the next call."""
        for folder in self._folders():
            with contextlib.suppress(OSError):
                folder.rmdir()

    def memory_bytes(self) -> int | None:
        """What the group uses now; None where the kernel does not tell."""
        if self.how is Kind.V2:
            text = _read(self.root / self.name / "memory.current")
        elif self.how is Kind.V1:
            text = _read(self.root / "memory" / self.name / "memory.usage_in_bytes")
        else:
            return None
        return int(text) if text.strip().isdigit() else None

    def _folders(self) -> list[Path]:
        if self.how is Kind.V2:
            return [self.root / self.name]
        if self.how is Kind.V1:
            return [self.root / controller / self.name for controller in _V1]
        return []


def _write(file: Path, value: object) -> None:
    file.write_text(str(value))


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
