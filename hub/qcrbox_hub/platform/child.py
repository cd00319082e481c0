"""One process of the platform: how it is started, how one knows that it is ready, how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from qcrbox import lifeline

Probe = Callable[[], bool]


@dataclass(frozen=True)
class ChildSpec:
    """What to start. `needs` are the names of children that must be ready before."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    ready: Probe = lambda: True
    needs: tuple[str, ...] = ()
    start_limit_s: float = 180.0
    # True: its descendants end with it.
    whole_group: bool = False
    log_name: str = ""
    # Where several want a processor, from -20 (first) to 19 (last).
    niceness: int = 0


class Child:
    """A running or ended process of a spec, with its log file."""

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, lifeline_fd: int) -> None:
        """Start in a new session, so that Ctrl-C in the terminal reaches the supervisor alone."""
        environment = {**os.environ, **self.spec.environment, lifeline.VARIABLE: str(lifeline_fd)}
        fd = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.process = subprocess.Popen(
                self.spec.command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=fd,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(lifeline_fd,),
            )
            weigh_session(self.process.pid, self.spec.niceness)
        finally:
            os.close(fd)

    @property
    def pid(self) -> int | None:
        """Process id; None before the start."""
        return self.process.pid if self.process else None

    def exit_code(self) -> int | None:
        """None while it runs or was never started."""
        return self.process.poll() if self.process else None

    def running(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """To the process itself; SIGKILL to its whole group, as there is nothing left to tidy up."""
        if not self.process or self.process.poll() is not None:
            return
        try:
            if number is signal.SIGKILL or self.spec.whole_group:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
        except ProcessLookupError:
            pass

    def end_leftovers(self) -> None:
        """After its end: kill what it left behind in its group, where nothing may stay."""
        if self.process and self.spec.whole_group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        return tail(self.log, lines)


def weigh_session(pid: int, niceness: int) -> None:
    """Let everything in the session of this process go before or after what other sessions run.

    Linux weighs sessions as wholes (`sched_autogroup_enabled`); children that begin a session of their own, as
    people's servers do, do not inherit it. Less than 0 needs root. Without all that nothing changes, nor in a service
    of systemd, whose unit has a weight of its own (`CPUWeight`).
    """
    if niceness:
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


def tail(file: Path, lines: int) -> str:
    """The last lines of a text file, read from its end."""
    try:
        with file.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 400 * lines))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def listening(host: str, port: int) -> Probe:
    """Ready when something accepts connections there."""

    def probe() -> bool:
        try:
            with socket.create_connection((host, port), timeout=0.5):
                return True
        except OSError:
            return False

    return probe


def accepting(path: Path) -> Probe:
    """Ready when something accepts connections at a Unix socket."""

    def probe() -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(0.5)
            try:
                client.connect(str(path))
            except OSError:
                return False
            return True

    return probe


def answering(url: str, headers: dict[str, str] | None = None) -> Probe:
    """Ready when a GET of `url` answers with a 2xx code."""
    request = urllib.request.Request(url, headers=headers or {})
    # No environment proxy may stand between us and a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def probe() -> bool:
        try:
            with opener.open(request, timeout=2) as answer:
                return 200 <= answer.status < 300
        except (urllib.error.URLError, OSError, ValueError):
            return False

    return probe
