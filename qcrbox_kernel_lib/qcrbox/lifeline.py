"""End a process when the platform that started it has ended, for whatever reason.

`qcrbox up` holds the write end of a pipe; everything it starts inherits the read end and its number in
`QCRBOX_LIFELINE_FD`. The kernel closes the write end when `up` dies, even by kill -9, so end-of-file is a
reliable sign that a reused process id cannot imitate.

`python -m qcrbox.lifeline -- COMMAND…` runs a program that is not aware of the lifeline.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

VARIABLE = "QCRBOX_LIFELINE_FD"
_PR_SET_PDEATHSIG = 1


def descriptor() -> int | None:
    """The inherited read end, or None when this process was started without a lifeline."""
    try:
        fd = int(os.environ[VARIABLE])
        os.fstat(fd)
    except (KeyError, ValueError, OSError):
        return None
    return fd


def pass_on() -> tuple[int, ...]:
    """The argument `pass_fds` of `subprocess.Popen` that gives a child the lifeline."""
    fd = descriptor()
    if fd is None:
        return ()
    os.set_inheritable(fd, True)
    return (fd,)


def watch(on_end: Callable[[], None]) -> threading.Thread | None:
    """Call `on_end` in a daemon thread when the platform has ended. Returns None without a lifeline."""
    fd = descriptor()
    if fd is None:
        return None

    def wait() -> None:
        while True:
            try:
                if os.read(fd, 1) == b"":
                    break
            except InterruptedError:
                continue
            except OSError:
                break
        on_end()

    thread = threading.Thread(target=wait, name="lifeline", daemon=True)
    thread.start()
    return thread


def terminate_self() -> None:
    """Send SIGTERM to this process: the usual `on_end` of a server that cleans up on SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


def die_with_parent() -> None:
    """For `preexec_fn`: kill this process when its parent thread dies. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _main(argv: list[str]) -> int:
    command = argv[1:] if argv[:1] == ["--"] else argv
    if not command:
        sys.stderr.write("usage: python -m qcrbox.lifeline -- COMMAND…\n")
        return 2
    # PDEATHSIG covers kill -9 of this small parent; the watch covers the end of the platform.
    child = subprocess.Popen(command, preexec_fn=die_with_parent)

    def end(grace_s: float = 3.0) -> None:
        child.terminate()
        try:
            child.wait(grace_s)
        except subprocess.TimeoutExpired:
            child.kill()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: child.terminate())
    watch(end)
    return child.wait()


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
