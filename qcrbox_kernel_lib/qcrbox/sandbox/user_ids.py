"""User ids for those who run inside the walls, far from the ids that the machine's own users have."""

from __future__ import annotations

import os
from pathlib import Path

# Above what systemd gives to containers (up to 1879048191), below 2^31.
PREFERRED_FIRST = 1_890_000_000
# In a container whose ids are limited: above the usual users and service accounts.
FALLBACK_FIRST = 20_000


def first_user_id(uid_map: str | None = None) -> int | None:
    """The first of a range of ids that this process may give out; None when it is not root.

    uid_map: text of /proc/self/uid_map, which limits the ids of a container.
    """
    if uid_map is None:
        if os.geteuid() != 0:
            return None
        uid_map = Path("/proc/self/uid_map").read_text()
    ranges = [(int(line.split()[0]), int(line.split()[2])) for line in uid_map.splitlines() if line.split()]
    for first in (PREFERRED_FIRST, FALLBACK_FIRST):
        for start, count in ranges:
            if start <= first and first + 1000 <= start + count:
                return first
    return None
