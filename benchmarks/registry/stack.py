"""Our side: NATS, registry, launcher and four real agents as processes, spoken to over REST."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from qcrbox import lifeline

from benchmarks.registry.hub import Hub
from benchmarks.registry.peers import WORKERS, _wait_port, free_port

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = ROOT / "tests" / "faults" / "application"


class Registry:
    """`power_loss_safe`: class B (SQLite synchronous=FULL, NATS sync_interval always); else NATS flushes later (class A)."""

    def __init__(
        self,
        *,
        power_loss_safe: bool = True,
        agents: int = WORKERS,
        data: Path | None = None,
        hub: Hub | None = None,
    ) -> None:
        self.data = data or Path(tempfile.mkdtemp(prefix="bench-registry-"))
        self.safe, self.agents = power_loss_safe, agents
        self.port, self.nats_port = free_port(), free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        self._read, self._write = os.pipe()
        (self.data / "run").mkdir(parents=True, exist_ok=True)
        config = self.data / "run" / "launcher.json"
        config.write_text(json.dumps({"ProcessManager": {"most_agents": agents}}))
        self._nats = [] if self.safe else ["--process-crash-safe-only"]
        self._launcher = ["--applications", str(APPLICATION), "--config", str(config)]
        self._auth = ["--no-auth"] if hub is None else hub.flags(self.data)
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = self.as_person(None if hub is None else hub.token("ada"))

    def as_person(self, token: str | None) -> httpx.Client:
        """A client with this person's token; without a hub everybody is one local person."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120, trust_env=False)

    def start(self) -> Registry:
        data = ["--data", str(self.data)]
        nats_url = ["--nats-url", f"nats://127.0.0.1:{self.nats_port}"]
        self._start("qcrbox_registry.messaging.server", *data, "--port", str(self.nats_port), *self._nats)
        _wait_port(self.nats_port)
        self.start_registry()
        if self.agents:
            self._start("qcrbox_registry.launcher", *data, *nats_url, *self._launcher)
        return self

    def start_registry(self) -> float:
        """Start the registry alone; seconds until it answers /api/healthz."""
        begun = time.perf_counter()
        self.registry = self._start(
            *("qcrbox_registry", "--data", str(self.data), "--port", str(self.port), *self._auth),
            *("--nats-url", f"nats://127.0.0.1:{self.nats_port}", "--applications", str(APPLICATION)),
        )
        while True:
            try:
                if self.client.get("/api/healthz").status_code == 200:
                    return time.perf_counter() - begun
            except httpx.HTTPError:
                if (code := self.registry.poll()) is not None:
                    log = (self.data / "qcrbox_registry.log").read_text(errors="replace")
                    raise RuntimeError(f"the registry ended with {code}:\n{log[-2000:]}") from None
                time.sleep(0.01)

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.data / f"{module}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=log,
                stderr=log,
                pass_fds=(self._read,),
                env={**os.environ, lifeline.VARIABLE: str(self._read)},
            )
        self.processes.append(process)
        return process

    def set_warm(self, agents: int) -> None:
        """Have agents kept ready, and wait until they are."""
        import sqlite3

        with sqlite3.connect(self.data / "qcrbox.sqlite", timeout=30) as connection:
            connection.execute("UPDATE applications SET warm = ? WHERE slug = 'chaos'", (agents,))
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with sqlite3.connect(self.data / "qcrbox.sqlite", timeout=30) as connection:
                ready = connection.execute(
                    "SELECT count(*) FROM agents WHERE state IN ('idle', 'busy')"
                ).fetchone()[0]
            if ready >= agents:
                return
            time.sleep(0.2)
        raise TimeoutError("the agents did not come up")

    # ------------------------------------------------------------ work

    def submit(self, count: int) -> str:
        body = {
            "application_slug": "chaos",
            "application_version": "1",
            "command_name": "noop",
            "command_arguments": {},
        }
        answer = self.client.post("/api/commands/batch", json={"commands": [body] * count})
        answer.raise_for_status()
        return str(answer.json()["payload"]["batch_id"])

    def run(self, count: int, batch: int = 1000) -> float:
        """Seconds to submit `count` no-ops over REST and see all of them ended in the registry's database."""
        begun = time.perf_counter()
        batches = [self.submit(min(batch, count - at)) for at in range(0, count, batch)]
        self.wait(batches, count)
        return time.perf_counter() - begun

    def wait(self, batches: list[str], count: int) -> None:
        import sqlite3

        query = f"SELECT count(*) FROM calculations WHERE batch_id IN ({','.join('?' * len(batches))}) AND finished_at IS NOT NULL"
        with sqlite3.connect(
            f"file:{self.data / 'qcrbox.sqlite'}?mode=ro", uri=True, timeout=30
        ) as connection:
            while connection.execute(query, batches).fetchone()[0] < count:
                time.sleep(0.02)

    def close(self) -> None:
        self.client.close()
        os.close(self._write)
        os.close(self._read)
        for process in reversed(self.processes):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.data, ignore_errors=True)
