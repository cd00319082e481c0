"""A notebook kernel for tests: cells go in, what a front end would show comes out. No widget manager answers it."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Shown:
    """What one cell showed."""

    stream: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    traceback: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that a front end without HTML would show."""
        return "\n".join([self.stream, *(str(one.get("text/plain", "")) for one in self.data)])

    @property
    def html(self) -> str:
        return "\n".join(str(one.get("text/html", "")) for one in self.data)


class Kernel:
    """One running kernel."""

    def __init__(self, folder: Path, **environment: str) -> None:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("QCRBOX", "JUPYTERHUB"))
        }
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(
            cwd=str(folder),
            env={**kept, "IPYTHONDIR": str(folder / ".ipython"), "QCRBOX_LANGUAGE": "en", **environment},
        )
        self.client = self._manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)

    def run(self, code: str, *, timeout: float = 240, fails: bool = False) -> Shown:
        """Run a cell and return what it showed. An error fails the test unless it is wanted."""
        message = self.client.execute(code)
        shown = self.collect(message, timeout)
        assert bool(shown.error) == fails, "\n".join(shown.traceback) or f"no error in:\n{code}"
        return shown

    def collect(self, message: str, timeout: float = 240) -> Shown:
        shown, deadline = Shown(), time.monotonic() + timeout
        while True:
            try:
                said = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the cell did not end in {timeout} s; it showed {shown}") from None
            if said["parent_header"].get("msg_id") != message:
                continue
            kind, content = said["msg_type"], said["content"]
            if kind == "stream":
                shown.stream += content["text"]
            elif kind in ("display_data", "execute_result", "update_display_data"):
                shown.data.append(content["data"])
            elif kind == "error":
                shown.error = content["ename"]
                shown.traceback = [_ANSI.sub("", line) for line in content["traceback"]]
            elif kind == "status" and content["execution_state"] == "idle":
                self._finish(message, shown)
                return shown

    def _finish(self, message: str, shown: Shown) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                reply = self.client.get_shell_msg(timeout=60)
                if reply["parent_header"].get("msg_id") == message:
                    for one in reply["content"].get("payload", ()):  # `name?`
                        shown.data.append(one.get("data", {}))
                    return

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def complete(self, code: str) -> list[str]:
        """What Tab offers at the end of the code."""
        reply = self.client.complete(code, reply=True, timeout=60)
        return list(reply["content"]["matches"])

    def restart(self) -> None:
        self._manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=120)

    def stop(self) -> None:
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@contextlib.contextmanager
def running_kernel(folder: Path, **environment: str) -> Iterator[Kernel]:
    kernel = Kernel(folder, **environment)
    try:
        yield kernel
    finally:
        kernel.stop()
