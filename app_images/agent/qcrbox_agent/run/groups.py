"""Process groups of the programs that run now, so that the end of the agent can end them from any thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

_groups: set[int] = set()


def add(group: int) -> None:
    """Register a process group to be killed when the agent ends."""
    _groups.add(group)


def remove(group: int) -> None:
    """Forget a process group whose processes have all ended."""
    _groups.discard(group)


def send(group: int, number: signal.Signals) -> None:
    """Send a signal to every process of a group; a group that has ended is ignored."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def exists(group: int) -> bool:
    """Whether a process of the group that we may signal is left."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def kill_all() -> None:
    """Send SIGKILL to every registered group."""
    for group in list(_groups):
        send(group, signal.SIGKILL)


async def terminate(group: int, grace_s: float) -> None:
    """SIGTERM, and SIGKILL for whatever of the group is left after `grace_s`."""
    send(group, signal.SIGTERM)
    # A stopped process does not act on SIGTERM before it continues.
    send(group, signal.SIGCONT)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s
    while exists(group) and loop.time() < deadline:
        await asyncio.sleep(0.02)
    send(group, signal.SIGKILL)
