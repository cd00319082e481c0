"""What the tests of calls into a child process call."""

from __future__ import annotations

import os
import time

from qcrbox.contract.errors import UserInputError
from qcrbox_har.child import report

_count = 0


def count() -> int:
    """How often this process was asked."""
    global _count
    _count += 1
    return _count


def echo(*values, **keywords):
    return values, keywords


def count_down(start: int) -> str:
    for number in range(start, 0, -1):
        report(left=number)
    return "done"


def refuse() -> None:
    raise UserInputError("the charge is odd.", where="charges", next="Give another one.")


def fail(kind: str) -> None:
    raise {"memory": MemoryError("no room"), "value": ValueError("bad value")}[kind]


def leave(code: int) -> None:
    os._exit(code)


def print_much() -> int:
    """More on stdout than a pipe holds: it must not disturb the answers."""
    print("x" * 200_000)
    return 7


def pid() -> int:
    return os.getpid()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def environment(name: str) -> str | None:
    return os.environ.get(name)
