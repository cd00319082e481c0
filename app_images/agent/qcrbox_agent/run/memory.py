"""What the kernel says about the memory of the container this agent lives in (control groups, version 1 or 2)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

_V1, _V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60


@dataclass(frozen=True)
class Memory:
    """Of a container."""

    limit_bytes: int
    kills: int  # processes the kernel has ended for using more than the limit


def look(v1: Path = _V1, v2: Path = _V2) -> Memory | None:
    """None where no limit is set, as for an agent that is a process of the machine."""
    for folder, limit_name, events_name in (
        (v1, "memory.limit_in_bytes", "memory.oom_control"),
        (v2, "memory.max", "memory.events"),
    ):
        with contextlib.suppress(OSError, ValueError):
            limit = int((folder / limit_name).read_text())
            pairs = (line.split() for line in (folder / events_name).read_text().splitlines())
            kills = int(dict(pairs).get("oom_kill", "0"))
            return Memory(limit, kills) if limit < _UNLIMITED else None
    return None


def explains(before: Memory | None, after: Memory | None) -> str:
    """`used more than the 512 MB of memory that were allowed` when the kernel ended a process in between, else empty."""
    if before is None or after is None or after.kills <= before.kills:
        return ""
    return f"used more than the {after.limit_bytes / 10**6:.0f} MB of memory that were allowed"
