"""What the chaos application does. `content` is also what the checker computes to compare with."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path


def content(number: int, kilobytes: int) -> bytes:
    return random.Random(number).randbytes(kilobytes * 1024)


def noop() -> None:
    return None


def rest(seconds: float) -> None:
    time.sleep(seconds)


def write(number: int, kilobytes: int) -> str:
    Path("written.bin").write_bytes(content(number, kilobytes))
    return "written.bin"


def fail() -> None:
    raise ValueError("this command always fails")


def die() -> None:
    # Commands run in a child of the agent, so the agent is its parent or, with one step between, above that.
    os.kill(_agent(), signal.SIGKILL)
    time.sleep(60)


def _agent() -> int:
    """The outermost ancestor that is an agent."""
    found, pid = 0, os.getppid()
    while pid > 1:
        if b"qcrbox_agent" in Path(f"/proc/{pid}/cmdline").read_bytes():
            found = pid
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return found or os.getppid()
