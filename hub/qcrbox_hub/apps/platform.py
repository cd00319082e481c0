"""A private platform on a temporary data folder: registry, NATS and launcher for the length of a block."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from qcrbox.contract.errors import Unreachable

STOP_S = 20.0


@contextlib.contextmanager
def private_platform(
    application: Path, manager: str, prepare: Callable[[Path], None] = lambda _: None
) -> Iterator[httpx.Client]:
    """A client of a registry that offers `application` beside ours. `prepare(data)` is called before it starts."""
    with tempfile.TemporaryDirectory(prefix="qcrbox-apps-test-") as folder:
        data = Path(folder) / "data"
        (data / "run").mkdir(parents=True)
        prepare(data)
        log = Path(folder) / "platform.log"
        command = [sys.executable, "-m", "qcrbox_hub", "registry", "--no-auth", "--port", "0"]
        command += ["--data", str(data), "--manager", manager, "--applications", str(application)]
        with log.open("w") as stderr:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=os.environ | {"NO_COLOR": "1"},
            )
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is None:
                raise Unreachable("The private platform did not start.", why=log.read_text()[-2000:])
            with httpx.Client(base_url=found.group(0), timeout=60, trust_env=False) as client:
                yield client
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
