"""The process in which Python callables run. Forked by the warden, so the modules are imported already.

It lives for many calls of one owner. One call at a time arrives as a frame; the answer goes back when the output
has been flushed. It is simply killed to cancel.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
import threading
import traceback
from typing import Any

from qcrbox_agent import progress
from qcrbox_agent.run import callables, frames

_libc = ctypes.CDLL(None)


def serve(connection: socket.socket, stdout: int, stderr: int, folder: str) -> None:
    """Answer calls until the agent closes its end. Never returns to the warden's loop."""
    _become_worker(stdout, stderr)
    splitter = frames.Splitter()
    environment = dict(os.environ)
    turn = threading.Lock()  # a program may report from several threads

    def send(message: dict[str, Any]) -> None:
        with turn:
            connection.sendall(frames.pack(message))

    progress.send_to(lambda report: send({"progress": report}))
    while (messages := frames.receive(connection, splitter)) is not None:
        for message in messages:
            answer = _answer(message, folder)
            with contextlib.suppress(ValueError, OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            _libc.fflush(None)  # what C and Fortran libraries printed
            send({"done": answer})
            os.environ.clear()
            os.environ.update(environment)
            os.chdir("/")


def _become_worker(stdout: int, stderr: int) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    for fd in (stdout, stderr):
        os.close(fd)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the life of the process
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)  # noqa: SIM115
    # What the modules hold stays shared with the warden instead of being copied at the first collection.
    gc.freeze()


def _answer(message: dict[str, Any], folder: str) -> dict[str, Any]:
    _forget_peak_rss()
    answer: dict[str, Any] = {"id": message.get("id")}
    try:
        os.environ.update(message["environment"])
        os.chdir(message["cwd"])
        function = callables.find_callable(message["import_path"], message["callable_name"], folder)
        value = callables.call(function, message["arguments"])
        answer["files"] = callables.returned_files(value)
    except SystemExit as end:
        if end.code not in (None, 0):
            answer["error"] = f"SystemExit: {end.code}"
            answer["returncode"] = end.code if isinstance(end.code, int) else 1
    except callables.BadReturn as error:
        answer["error"] = str(error)
    except BaseException as error:  # noqa: BLE001 - whatever a program raises is the result of its call
        answer["error"] = _one_line(error)
        _print_traceback(error)
    answer["peak_rss_bytes"] = _peak_rss()
    return answer


def _one_line(error: BaseException) -> str:
    text = str(error) or repr(error)
    return f"{type(error).__name__}: {text}" if str(error) else text


def _print_traceback(error: BaseException) -> None:
    """The whole traceback, without the frames of this file and of `callables.call`."""
    own = (__file__, callables.__file__)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in own:
        trace = trace.tb_next
    with contextlib.suppress(ValueError, OSError):
        traceback.print_exception(type(error), error, trace)


def _forget_peak_rss() -> None:
    with contextlib.suppress(OSError):
        fd = os.open("/proc/self/clear_refs", os.O_WRONLY)
        try:
            os.write(fd, b"5")
        finally:
            os.close(fd)


def _peak_rss() -> int:
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
