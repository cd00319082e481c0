"""Calls into a child process that keeps its state between them.

The child is `python -m qcrbox_har.child`. Requests and answers are pickled frames on a private pair of pipes, so
that whatever a library prints on stdout and stderr goes to the log of the calculation. The child ends with
its parent: it reads end-of-file.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from qcrbox.contract.errors import CalculationFailed

Progress = Callable[[dict[str, Any]], None]
_LENGTH = struct.Struct("<Q")


def send(stream: BinaryIO, message: Any) -> None:
    """Write a pickled message with its length in front. Only for pipes between processes of this program."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """The next message. Raises EOFError when the other side is gone."""
    head = _exactly(stream, _LENGTH.size)
    return pickle.loads(_exactly(stream, _LENGTH.unpack(head)[0]))  # our own child, never a file


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def died(name: str, code: int, less: str) -> CalculationFailed:
    """The error of a process that ended by itself. code: as `wait` gives it; less: what needs less memory."""
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    memory = code == -signal.SIGKILL
    return CalculationFailed(
        f"{name} {how}.",
        why="The machine ran out of memory, most likely."
        if memory
        else "Its last lines in the log say more.",
        next=less if memory else "",
        reason="child process died",
    )


class Child:
    """A process for calls of functions by name, `module:function`, one after the other.

    name: for messages ("the wavefunction program"); threads: of OpenMP.
    """

    def __init__(self, name: str, threads: int | None = None) -> None:
        self.name = name
        self.peak_bytes = 0
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._to: BinaryIO
        self._from: BinaryIO

    def call(self, function: str, *arguments: Any, progress: Progress | None = None, **keywords: Any) -> Any:
        """Call a function in the child and return its value.

        progress: called with the reports of the running function. Raises what the function raises; a child
        that dies raises CalculationFailed with the signal's name. After that, and after a call that was interrupted
        (also by `progress`), the next call starts a new child.
        """
        if self._process is None:
            self._start()
        try:
            kind, value = self._asked((function, arguments, keywords))
            while kind == "progress":
                if progress is not None:
                    progress(value)
                kind, value = self._asked()
        except BaseException:
            # Interrupted in between: what it still answers would be taken for the value of the next call.
            self._end_at_once()
            raise
        if kind == "error":
            raise value
        value, self.peak_bytes = value
        return value

    def close(self) -> None:
        """End the child; nothing is lost that a call has returned."""
        if self._process is None:
            return
        with suppress(BrokenPipeError):  # the rest of a request to a child that is gone
            self._to.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._from.close()
        self._process = None

    def _asked(self, request: Any = None) -> tuple[str, Any]:
        """The next message, after this request where there is one."""
        try:
            if request is not None:
                send(self._to, request)
            answer: tuple[str, Any] = receive(self._from)
        except (EOFError, BrokenPipeError) as end:
            raise self._died() from end
        return answer

    def _end_at_once(self) -> None:
        if self._process is not None:
            self._process.kill()
        self.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        environment = dict(os.environ)
        # In a checkout the least squares lie in the folder beside; in an application they are included.
        package = Path(__file__).parents[1]
        paths = [str(package), str(package.parent / "refine"), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        # Threads that spin while they wait take the processor from those that work.
        environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # PySCF and finufft run their own OpenMP threads. Those of NumPy's BLAS spin between products beside them: on
        # two processors that doubled the processor time, and tripled the wall clock beside other programs.
        environment["OPENBLAS_NUM_THREADS"] = "1"
        if self._threads:
            environment["OMP_NUM_THREADS"] = str(self._threads)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qcrbox_har.child", str(to_read), str(from_write), str(os.getpid())],
            pass_fds=(to_read, from_write),
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        self._to, self._from = os.fdopen(to_write, "wb"), os.fdopen(from_read, "rb")

    def _died(self) -> CalculationFailed:
        assert self._process is not None
        code = self._process.wait()
        self.close()
        return died(self.name, code, "Choose a smaller basis set or fragments.")
