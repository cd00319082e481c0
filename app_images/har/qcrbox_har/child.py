"""The other end of `processes.Child`."""

from __future__ import annotations

import ctypes
import importlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from qcrbox.contract.errors import CalculationFailed, QcError

from qcrbox_har.processes import receive, send

_report: Callable[[dict[str, Any]], None] | None = None
_busy_s = 0.0
_call_began: float | None = None


def report(**values: Any) -> None:
    """From inside a call: tell the parent how far it is."""
    if _report is not None:
        _report(values)


def processor_seconds() -> float:
    """Seconds of all processors that this process has used."""
    return time.process_time()


def slowness() -> float:
    """Seconds of wall clock for one of the processor while this process had something to do, from 1 on.

    1 where no other program wants this processor. The longer the process has worked, the better it is known.
    """
    running = 0.0 if _call_began is None else time.perf_counter() - _call_began
    return max((_busy_s + running) / max(time.process_time(), 1e-3), 1.0)


def main() -> None:
    """Serve calls from the parent process until it closes the pipe."""
    global _report, _busy_s, _call_began
    _end_with_parent(int(sys.argv[3]))
    requests, answers = os.fdopen(int(sys.argv[1]), "rb"), os.fdopen(int(sys.argv[2]), "wb")
    module = sys.modules["qcrbox_har.child"] = sys.modules[__name__]
    module._report = _report = lambda values: send(answers, ("progress", values))
    while True:
        try:
            name, arguments, keywords = receive(requests)
        except EOFError:
            return
        _call_began = time.perf_counter()
        try:
            module_name, _, function_name = name.partition(":")
            function = getattr(importlib.import_module(module_name), function_name)
            value = function(*arguments, **keywords)
            answer = ("value", (value, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
        except Exception as error:  # noqa: BLE001 - whatever a call raises is its answer
            answer = ("error", _transferable(error))
        _busy_s, _call_began = _busy_s + time.perf_counter() - _call_began, None
        send(answers, answer)


def _end_with_parent(parent: int) -> None:
    """An iteration in flight does not read the pipe: the kernel ends this process when its parent dies.

    parent: the process that started this one, which may be gone already.
    """
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _transferable(error: Exception) -> Exception:
    """Our own errors as they are; others as CalculationFailed, with their traceback in the log."""
    if isinstance(error, QcError):
        return error
    traceback.print_exception(error)
    if isinstance(error, MemoryError):
        return CalculationFailed(
            "there is not enough memory.", why=str(error), next="Choose a smaller basis set or fragments.",
            reason="out of memory",
        )  # fmt: skip
    return CalculationFailed(f"{type(error).__name__}: {error}", reason="unexpected error")


if __name__ == "__main__":
    main()
