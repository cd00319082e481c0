"""The real stack for tests that cross rooms: one registry with NATS and launcher per test session."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# An application whose command `count_until` runs until a file exists or it is cancelled, however fast the machine is.
PATIENCE = ROOT / "tests" / "applications" / "patience"
# What a harmful program would do, and what a command line made of it.
INTRUDER = ROOT / "tests" / "applications" / "intruder"


class RunningRegistry:
    """`qcrbox registry --no-auth` as a user would type it."""

    def __init__(
        self,
        data: Path,
        *applications: Path,
        port: int = 0,
        manager: str = "process",
        settings: dict[str, str] | None = None,
    ) -> None:
        self.data, self.applications, self.port = data, applications, port
        self.manager, self.settings = manager, settings or {}
        self.url = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> RunningRegistry:
        command = [
            sys.executable,
            "-m",
            "qcrbox_hub",
            "registry",
            "--data",
            str(self.data),
            "--port",
            str(self.port),
            "--no-auth",
        ]
        for folder in self.applications:
            command += ["--applications", str(folder)]
        self.errors = (self.data.parent / f"{self.data.name}.stderr").open("a+")
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
            env=os.environ | {"NO_COLOR": "1", "QCRBOX_MANAGER": self.manager} | self.settings,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)\S*", line)
        if not found:
            self.stop()
            self.errors.seek(0)
            raise RuntimeError(f"the registry did not start: {line!r}\n{self.errors.read()[-3000:]}")
        self.url = found.group(0).rstrip("/")
        self.port = int(found.group(1))
        return self

    def stop(self) -> int:
        """Ctrl-C, then what it answers within ten seconds."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """All applications of this repository, PATIENCE and INTRUDER; one person called `local`."""
    data = tmp_path_factory.mktemp("platform") / "data"
    running = RunningRegistry(data, ROOT / "app_images", PATIENCE, INTRUDER).start()
    yield running
    running.stop()
