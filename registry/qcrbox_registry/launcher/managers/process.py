"""Agents as processes of this machine, each application in its own virtual environment. The embedded default.

There is no sandbox: programs run with the rights of the person who started the platform. Limits that the
kernel can hold for a process are set; use containers where people do not trust each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from qcrbox import lifeline
from qcrbox.contract.messages import Limits
from traitlets import Float, Int

from qcrbox_registry.launcher import programs
from qcrbox_registry.launcher.catalogue import ApprovedApplication
from qcrbox_registry.launcher.environments import EnvironmentFailed, Environments
from qcrbox_registry.launcher.managers.base import (
    LOG_BYTES,
    AgentPlan,
    Ended,
    FoundAgent,
    Manager,
    Progress,
    StartFailed,
)
from qcrbox_registry.launcher.stale_displays import sweep_displays

# Of our own environment an agent gets these; the rest (tokens, addresses of the hub) is none of its business.
_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "QCRBOX_LIFELINE_FD",
    "QCRBOX_LOG_LEVEL",
    "QCRBOX_GPAW_PYTHON",
)


@dataclass(frozen=True)
class _Record:
    """The file run/agents/<agent>.json: enough to know the very process again."""

    agent: str
    launcher: str
    application_slug: str
    application_version: str
    pid: int
    start_ticks: int  # field 22 of /proc/<pid>/stat: a reused pid has another
    started_at: float


class ProcessManager(Manager):
    """A subprocess for each agent."""

    name: ClassVar[str] = "process"

    kept_logs = Int(200, help="How many log files of ended agents are kept in logs/agents.").tag(config=True)

    keep_failed_s = Float(
        0.0,
        help="How long the folders of failed calculations stay in work/kept for an administrator to look at, s.",
    ).tag(config=True)

    async def setup(self) -> None:
        """Make the folders for agents, logs and work."""
        data = Path(self.data)
        self._run, self._logs, self._work = data / "run" / "agents", data / "logs" / "agents", data / "work"
        for folder in (self._run, self._logs, self._work):
            folder.mkdir(parents=True, exist_ok=True)
        self._run.chmod(0o700)
        self.environments = Environments(data / "environments")
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._forget_ended()
        for folder in await asyncio.to_thread(sweep_displays):
            self.log.info("%s was left by an agent that was killed", folder)

    async def prepare(self, application: ApprovedApplication, progress: Progress) -> None:
        """Make the virtual environment of the application."""
        await self._python(application, progress)

    async def missing(self, application: ApprovedApplication) -> dict[str, str]:
        """Programs that no shell of an agent would find. Before its environment is made, nothing is known."""
        return await asyncio.to_thread(self._missing, application)

    def _missing(self, application: ApprovedApplication) -> dict[str, str]:
        try:
            python = self.environments.ready_python(application.requirements)
        except OSError:
            python = None
        if python is None:
            return {}
        # The same folders, in the same order, as the agent's start_warden.
        path = os.pathsep.join(
            (str(python.parent), os.environ.get("PATH", os.defpath), str(application.folder))
        )
        return {
            command: _not_installed(absent)
            for command, names in programs.of_commands(application.spec).items()
            if (absent := [name for name in names if not programs.is_found(name, path)])
        }

    async def _python(self, application: ApprovedApplication, progress: Progress) -> Path:
        name = f"{application.slug} {application.version}"
        try:
            return await self.environments.python_for(application.requirements, name, progress)
        except EnvironmentFailed as error:
            raise StartFailed(error.what, why=error.why, next=error.next, details=error.details) from error
        except OSError as error:
            raise StartFailed(f"The environment of {name} could not be made.", why=str(error)) from error

    async def start(self, plan: AgentPlan) -> str:
        """Start the agent as a process; returns its pid and start time as the handle."""
        python = await self._python(plan.application, lambda _: None)
        token = self._run / f"{plan.agent}.token"
        home = self._work / plan.agent
        try:
            _write_private(token, plan.token)
            home.mkdir(exist_ok=True)
            with (self._logs / f"{plan.agent}.log").open("ab") as log:
                child = subprocess.Popen(
                    [str(python), "-m", "qcrbox_agent"],
                    cwd=home,
                    env=self._environment(plan, token, home),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=lifeline.pass_on(),
                )
        except OSError as error:
            token.unlink(missing_ok=True)
            raise StartFailed(f"The agent's process could not be started: {error}.") from error
        self._children[child.pid] = child
        set_limits(child.pid, plan.limits)
        record = _Record(
            agent=plan.agent,
            launcher=self.launcher,
            application_slug=plan.application.slug,
            application_version=plan.application.version,
            pid=child.pid,
            start_ticks=_start_ticks(child.pid) or 0,
            started_at=time.time(),
        )
        handle = f"{record.pid}.{record.start_ticks}"
        try:
            _write_private(self._run / f"{plan.agent}.json", json.dumps(asdict(record)))
        except OSError as error:
            await self.stop(handle, 0.0)  # without its file it could not be found again
            token.unlink(missing_ok=True)
            raise StartFailed(f"The agent's process could not be started: {error}.") from error
        return handle

    def _environment(self, plan: AgentPlan, token: Path, home: Path) -> dict[str, str]:
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        threads = max(1, round(plan.limits.cpus or 1))
        return {
            **passed,
            "HOME": str(home),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
            "QCRBOX_AGENT_ID": plan.agent,
            "QCRBOX_NATS_URL": plan.nats_url,
            "QCRBOX_ENROLMENT_FILE": str(token),
            "QCRBOX_SPEC": str(plan.application.spec),
            "QCRBOX_WORK_DIR": str(self._work / "kept" if self.keep_failed_s else home / "calculations"),
            "QCRBOX_KEEP_FAILED_S": str(self.keep_failed_s),
            "QCRBOX_LAUNCHER": plan.launcher,
        }

    async def poll(self, handle: str) -> Ended | None:
        """None while the process runs, otherwise how it ended."""
        pid, ticks = _parts(handle)
        child = self._children.get(pid)
        if child is not None:
            code = child.poll()
            if code is None:
                return None
            del self._children[pid]
            log = self._log_of(pid)
            self._forget_ended()
            return Ended(exit_code=code, reason=_words(code), log=log)
        return None if _is_process(pid, ticks) else Ended(reason="its process ended")

    async def stop(self, handle: str, grace_s: float) -> None:
        """Terminate the process and kill its group after `grace_s` seconds."""
        pid, ticks = _parts(handle)
        if _is_process(pid, ticks):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                os.kill(pid, signal.SIGCONT)  # a stopped process handles SIGTERM only after SIGCONT
            deadline = time.monotonic() + grace_s
            while self._runs(pid, ticks) and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
        # The whole session: its warden kills programs in other sessions.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._runs(pid, ticks):
                os.killpg(pid, signal.SIGKILL)
        while self._runs(pid, ticks):
            await asyncio.sleep(0.01)
        self._children.pop(pid, None)
        self._forget_ended()

    def _log_of(self, pid: int) -> str:
        """The end of an agent's own output; "" when its file is gone."""
        agent = next((record.agent for record in _records(self._run, self.launcher) if record.pid == pid), "")
        try:
            with (self._logs / f"{agent}.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def _runs(self, pid: int, ticks: int) -> bool:
        child = self._children.get(pid)
        if child is not None and child.poll() is not None:
            return False
        return _is_process(pid, ticks)

    async def list(self) -> list[FoundAgent]:
        """Agents of this data folder whose process is alive."""
        return [
            FoundAgent(
                agent=record.agent,
                application_slug=record.application_slug,
                application_version=record.application_version,
                handle=f"{record.pid}.{record.start_ticks}",
                started_at=record.started_at,
            )
            for record in _records(self._run, self.launcher)
            if self._runs(record.pid, record.start_ticks)
        ]

    def _forget_ended(self) -> None:
        """Remove files and folders of agents that run no more, and the oldest logs."""
        for record in _records(self._run, self.launcher):
            if not self._runs(record.pid, record.start_ticks):
                for ending in ("json", "token"):
                    (self._run / f"{record.agent}.{ending}").unlink(missing_ok=True)
                shutil.rmtree(self._work / record.agent, ignore_errors=True)
        logs = sorted(self._logs.glob("*.log*"), key=lambda path: path.stat().st_mtime)
        for path in logs[: -self.kept_logs or None]:
            path.unlink(missing_ok=True)


def _records(folder: Path, launcher: str) -> list[_Record]:
    """What was written about the agents of one launcher; a file that cannot be read is left alone."""
    found = []
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, TypeError):
            record = _Record(**json.loads(path.read_text()))
            if record.launcher == launcher:
                found.append(record)
    return found


def set_limits(pid: int, limits: Limits) -> None:
    """Limits the kernel holds for the agent and all it starts. Memory counts private memory of each process alone."""
    wanted = {resource.RLIMIT_CORE: 0}
    if limits.memory_bytes:
        # RLIMIT_AS would count reserved address space too, of which numerical libraries take gigabytes.
        wanted[resource.RLIMIT_DATA] = limits.memory_bytes
    if limits.disk_bytes:
        wanted[resource.RLIMIT_FSIZE] = limits.disk_bytes
    for kind, value in wanted.items():
        with contextlib.suppress(ProcessLookupError, ValueError, OSError):
            resource.prlimit(pid, kind, (value, value))


def _parts(handle: str) -> tuple[int, int]:
    pid, _, ticks = handle.partition(".")
    return int(pid), int(ticks or 0)


def _start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when it does not run (a zombie does not)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])


def _is_process(pid: int, ticks: int) -> bool:
    return pid > 0 and _start_ticks(pid) == ticks


def _words(code: int) -> str:
    if code >= 0:
        return "its process ended" if code == 0 else f"its process ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process was ended by signal {-code}"


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(text)
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _not_installed(names: list[str]) -> str:
    """What a person reads of programs that are not found."""
    what = " and ".join(names)
    are, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return (
        f"{what} {are} not installed on this machine. "
        f"An administrator can install {them}, or let the platform use containers that have {them}."
    )
