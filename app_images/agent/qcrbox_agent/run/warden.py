"""A small process beside the agent: forks workers from imported modules, and kills what the agent leaves.

`python -m qcrbox_agent.run.warden FD SPEC [--no-import]` where FD is a socket to the agent. It imports the modules the
spec names once and checks the functions in them, then forks a worker for each `fork` frame (three descriptors come with it). When the socket ends (the agent
is gone, however it went), every process group it knows is killed: no program outlives its agent.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from qcrbox.lifeline import die_with_parent
from qcrbox.spec import load

from qcrbox_agent import check
from qcrbox_agent.run import callables, frames, worker


class Warden:
    """The warden's loop: messages of the agent, ends of workers, and the clean-up when the agent is gone."""

    def __init__(self, connection: socket.socket, spec: Path) -> None:
        self.connection, self.spec, self.folder = connection, spec, str(spec.parent)
        self.splitter = frames.Splitter()
        self.groups: set[int] = set()  # process groups to kill at the end
        self.workers: set[int] = set()
        self.descriptors: list[int] = []  # arrived, not yet given to a worker

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message to the agent."""
        self.connection.sendall(frames.pack(message))

    def import_modules(self, imports: bool) -> None:
        """Import what the commands need; a failure is reported now, and again by the worker that needs the module."""
        callables.add_folder(self.folder)
        report = check.Report()
        if imports:
            check.check_modules(load(self.spec), self.spec.parent, report, self.spec.name)
        self.tell({"ready": os.getpid(), "notes": report.problems + report.notes})

    def run(self) -> None:
        """Serve the agent until its connection closes."""
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            waiting: list[Any] = [self.connection, reader]
            ready, _, _ = select.select(waiting, [], [])
            if reader in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(reader, 4096)
                self._reap()
            if self.connection in ready and not self._read():
                break
        self.kill_all()

    def _read(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self.connection, 65536, 3)
        if not data:
            return False
        self.descriptors += descriptors
        for message in self.splitter.feed(data):
            if "fork" in message:
                self._fork(message["fork"])
            elif "guard" in message:
                self.groups.add(int(message["guard"]))
            elif "release" in message:
                self.groups.discard(int(message["release"]))
        return True

    def _fork(self, number: int) -> None:
        descriptors, self.descriptors = self.descriptors[:3], self.descriptors[3:]
        link, stdout, stderr = descriptors
        pid = os.fork()
        if pid == 0:
            try:
                die_with_parent()
                self.connection.close()
                worker.serve(socket.socket(fileno=link), stdout, stderr, self.folder)
            except (BrokenPipeError, ConnectionResetError):
                pass
            except BaseException:  # noqa: BLE001 - a forked child must never get back into the warden's loop
                worker.traceback.print_exc()
            finally:
                os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)
        self.workers.add(pid)
        self.groups.add(pid)
        self.tell({"forked": number, "pid": pid})

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait3(os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.workers:
                self.workers.discard(pid)
                # Its own children are in its group and have lost their parent.
                _kill_group(pid)
                self.groups.discard(pid)
                code = os.waitstatus_to_exitcode(status)
                self.tell({"ended": pid, "code": code, "peak_rss_bytes": usage.ru_maxrss * 1024})

    def kill_all(self) -> None:
        """Send SIGKILL to every process group that is still guarded."""
        for group in self.groups:
            _kill_group(group)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def main(argv: list[str]) -> int:
    """Run the warden on the socket whose file descriptor is the first argument; the second is the spec."""
    connection = socket.socket(fileno=int(argv[0]))
    # Ctrl-C in a terminal goes to every process; the agent decides what happens to its programs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(connection.fileno(), False)
    warden = Warden(connection, Path(argv[1]))
    try:
        warden.import_modules(imports="--no-import" not in argv[2:])
        warden.run()
    except (BrokenPipeError, ConnectionResetError):
        warden.kill_all()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
