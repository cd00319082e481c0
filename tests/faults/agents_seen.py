"""The agents of a platform and the processes in them, as processes of this machine or in containers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import psutil

_LIST = """
import os, pathlib
for entry in pathlib.Path('/proc').iterdir():
    if entry.name.isdigit() and entry.name != str(os.getpid()):
        try:
            print(entry.name, ' '.join((entry / 'cmdline').read_text().replace(chr(0), ' ').split()))
        except OSError:
            pass
"""
_KILL = "import os, sys; os.kill(int(sys.argv[1]), 9)"
PYTHON = "/opt/qcrbox/bin/python"


class Agents(Protocol):
    def all(self) -> dict[str, str]:
        """agent -> slug of its application, of those that run."""

    def inside(self, agent: str) -> dict[int, str]:
        """Process id -> command line, the agent's own among them."""

    def kill(self, agent: str, pid: int) -> None:
        """kill -9."""

    def alive(self, agent: str, pids: Iterable[int]) -> list[int]:
        """Which of an agent's processes still run, also when the agent itself is gone."""


class AsProcesses:
    def __init__(self, data: Path) -> None:
        self._folder = data / "run" / "agents"

    def _found(self) -> dict[str, tuple[str, psutil.Process]]:
        found = {}
        for file in self._folder.glob("*.json"):
            with contextlib.suppress(OSError, ValueError, psutil.Error):
                about = json.loads(file.read_text())
                process = psutil.Process(about["pid"])
                if process.status() != psutil.STATUS_ZOMBIE and about["agent"] in str(process.environ()):
                    found[about["agent"]] = (about["application_slug"], process)
        return found

    def all(self) -> dict[str, str]:
        return {agent: slug for agent, (slug, _) in self._found().items()}

    def inside(self, agent: str) -> dict[int, str]:
        process = self._found()[agent][1]
        found = {}
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                found[one.pid] = " ".join(one.cmdline())
        return found

    def kill(self, agent: str, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def alive(self, agent: str, pids: Iterable[int]) -> list[int]:
        found = []
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                    found.append(pid)
        return found


class InContainers:
    def __init__(self, data: Path) -> None:
        import docker

        self._client = docker.from_env()
        self._data = str(data.resolve())

    def _found(self):
        mine = {"label": f"org.qcrbox.data={self._data}"}
        found = self._client.containers.list(filters=mine, ignore_removed=True)
        return {one.labels["org.qcrbox.agent"]: one for one in found}

    def all(self) -> dict[str, str]:
        return {agent: one.labels["org.qcrbox.slug"] for agent, one in self._found().items()}

    def inside(self, agent: str) -> dict[int, str]:
        said = self._found()[agent].exec_run([PYTHON, "-c", _LIST]).output.decode()
        lines = (line.partition(" ") for line in said.splitlines())
        return {int(pid): command for pid, _, command in lines}

    def kill(self, agent: str, pid: int) -> None:
        self._found()[agent].exec_run([PYTHON, "-c", _KILL, str(pid)])

    def alive(self, agent: str, pids: Iterable[int]) -> list[int]:
        return sorted(set(pids) & set(self.inside(agent))) if agent in self.all() else []
