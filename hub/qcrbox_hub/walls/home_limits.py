"""When a home that has grown over its limit ends its owner's server, and when the server may start again.

The limit is not the file system's: files are written first and measured afterwards. So a server is ended as soon as
its home is seen over the limit. Its owner may start it again to remove files; a home that grows further ends it again,
and after `MOST_ENDS` such ends the server starts no more until the home is below its limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MIB = 1024**2
GIB = 1024**3
# Jupyter and the kernels write small files of their own while someone cleans up.
MARGIN_BYTES = 64 * MIB
MOST_ENDS = 3


@dataclass
class _OverLimit:
    """A home that is over its limit. lowest: the fewest bytes since then; ended_at: Unix time of the last end."""

    lowest: int
    ends: int = 0
    ended_at: float | None = None
    why: str = ""


class HomeLimits:
    """The homes that are, or were, over their limit; in memory, so a restart of the hub begins anew."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._over: dict[str, _OverLimit] = {}

    def must_end(self, label: str, used: int, limit: int) -> str:
        """A running server's home was measured. Returns why the server must end, "" while it may go on."""
        if used <= limit:
            self._below(label)
            return ""
        over = self._over.setdefault(label, _OverLimit(limit))
        if used > over.lowest + MARGIN_BYTES:
            return (
                f"The home holds {used / GIB:.2f} GiB, its limit is {limit / GIB:.2f} GiB. Start the server again to "
                "remove files; it is ended again when the home grows."
            )
        over.lowest = max(limit, min(over.lowest, used))
        return ""

    def ended(self, label: str, used: int, why: str) -> None:
        """The server was ended, by `must_end` or because the disk is nearly full."""
        over = self._over.setdefault(label, _OverLimit(used))
        over.lowest, over.why, over.ended_at = used, why, self.clock()
        over.ends += 1

    def refusal(self, label: str, used: int, limit: int) -> str:
        """A server is about to start. Returns why it may not, "" when it may."""
        if not limit or used <= limit:
            self._below(label)
            return ""
        over = self._over.setdefault(label, _OverLimit(used))
        over.lowest = min(over.lowest, used)
        if over.ends < MOST_ENDS:
            return ""
        return (
            f"Your home is full: {used / GIB:.2f} of {limit / GIB:.2f} GiB are used, and your server was ended "
            f"{over.ends} times because the home grew further. Ask an administrator for more room, or to remove files."
        )

    def notice(self, label: str) -> str:
        """Why the server of this home was ended, "" when it was not or the home is below its limit again."""
        over = self._over.get(label)
        return over.why if over else ""

    def _below(self, label: str) -> None:
        self._over.pop(label, None)


home_limits = HomeLimits()
