"""Closes this process's memory to the programs it runs.

In a container, agent and programs are one user, so a program could read the agent's memory through /proc, and with it
the tokens of the calculation's files; a filter of system calls does not see that, since it is an ordinary `open`.
"""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def seal() -> None:
    """From now on only root may look into this process; programs it starts are as open as ever (Linux; else nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
