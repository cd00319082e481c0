"""NATS, registry and launcher as processes that can be killed, stopped and started; and their agents."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from qcrbox import lifeline

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = Path(__file__).parent / "application"
PARTS = ("nats", "registry", "launcher")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """The three processes on one data folder, on one lifeline, as `qcrbox registry` would start them."""

    def __init__(
        self, data: Path, hub_api_url: str, *, most_agents: int = 3, power_loss_safe: bool = True
    ) -> None:
        self.data, self.hub_api_url = data, hub_api_url
        self.power_loss_safe = power_loss_safe
        self.ports = {"nats": free_port(), "registry": free_port()}
        self.url = f"http://127.0.0.1:{self.ports['registry']}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.clock_file = data.parent / f"{data.name}.clock"
        self.clock_file.write_text("0")
        self.turns_file = data.parent / f"{data.name}.turns"
        (data / "run").mkdir(parents=True, exist_ok=True)
        (data / "logs").mkdir(parents=True, exist_ok=True)
        self._config = data / "run" / "launcher.json"
        self._config.write_text(json.dumps({"ProcessManager": {"most_agents": most_agents}}))
        self._read, self._write = os.pipe()

    def start(self) -> None:
        self.start_part("nats")
        self._wait(lambda: (self.data / "run" / "nats.json").exists(), "NATS")
        self.start_part("registry")
        self._wait(lambda: _answers(self.ports["registry"]), "the registry")
        self.start_part("launcher")

    def _command(self, part: str) -> list[str]:
        data = ["--data", str(self.data)]
        if part == "nats":
            safe = [] if self.power_loss_safe else ["--process-crash-safe-only"]
            return ["-m", "qcrbox_registry.messaging.server", *data, "--port", str(self.ports["nats"]), *safe]
        nats_url = ["--nats-url", f"nats://127.0.0.1:{self.ports['nats']}"]
        folder = ["--applications", str(APPLICATION)]
        if part == "launcher":
            return [
                "-m",
                "qcrbox_registry.launcher",
                *data,
                *nats_url,
                *folder,
                "--config",
                str(self._config),
            ]
        hub = ["--auth", "hub", "--hub-api-url", self.hub_api_url]
        return [
            *("-m", "tests.faults.watched_registry", str(self.clock_file), str(self.turns_file)),
            *(*data, "--port", str(self.ports["registry"]), *nats_url, *folder, *hub),
        ]

    def start_part(self, part: str) -> None:
        with (self.data.parent / f"{self.data.name}.{part}.log").open("ab") as log:
            self.processes[part] = subprocess.Popen(
                [sys.executable, *self._command(part)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._read,),
                env={**os.environ, lifeline.VARIABLE: str(self._read), "PYTHONUNBUFFERED": "1"},
            )

    def restart_dead(self) -> list[str]:
        """What the supervisor does: a part that ended is started again."""
        dead = [part for part in PARTS if self.processes[part].poll() is not None]
        for part in dead:
            self.start_part(part)
        return dead

    # ------------------------------------------------------------ pids

    def pid(self, part: str) -> int | None:
        """Of the part itself: of NATS the server, not its keeper."""
        if part == "nats":
            with contextlib.suppress(OSError, ValueError):
                return int((self.data / "run" / "nats.pid").read_text())
            return None
        return self.processes[part].pid

    def agent_pids(self) -> list[int]:
        """Outermost agent processes that work for this data folder."""
        mark = str(self.data).encode()
        found: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError, ValueError, IndexError):
                if b"qcrbox_agent" not in (entry / "cmdline").read_bytes():
                    continue
                if (
                    mark not in (entry / "environ").read_bytes()
                    and mark not in (entry / "cmdline").read_bytes()
                ):
                    continue
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if fields[0] != "Z":
                    found[int(entry.name)] = int(fields[1])
        return [pid for pid, parent in found.items() if parent not in found]

    def signal(self, pid: int | None, number: signal.Signals) -> bool:
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    # ------------------------------------------------------------ end

    def stop(self, within_s: float = 15.0) -> list[int]:
        """End everything as kill -9 of the platform would: close the lifeline. Returns agents that are left."""
        for process in self.processes.values():
            self.signal(process.pid, signal.SIGCONT)
        os.close(self._write)
        os.close(self._read)
        deadline = time.monotonic() + within_s
        for part in ("launcher", "registry", "nats"):
            process = self.processes.get(part)
            if process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(deadline - time.monotonic(), 0.1))
                if process.poll() is None:
                    process.kill()
                    process.wait()
        while self.agent_pids() and time.monotonic() < deadline:
            time.sleep(0.1)
        left = self.agent_pids()
        for pid in left:
            self.signal(pid, signal.SIGKILL)
        return left

    @staticmethod
    def _wait(holds, what: str, timeout_s: float = 60.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not start")
            time.sleep(0.05)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.3):
        return True
    return False
