"""Acts that give rights need a sign-in of this browser at most five minutes old.

For pages: `if not await self.confirmed(): return` at the start of a POST (see `pages.Page`); the form that was posted
is shown again with a password field, or a link to the sign-in provider. For the hub's REST interface see
`handler_changes`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LIFE_S = 300.0
_MOST = 50_000


class RecentSignIns:
    """When which browser session proved who it is; in memory, so a restart of the hub asks again."""

    def __init__(self, life_s: float = LIFE_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.life_s, self.clock = life_s, clock
        self._proofs: dict[tuple[int, str], float] = {}

    def note(self, user: Any, session_id: str | None) -> None:
        """This session's person has just shown a password, or come back from the provider."""
        if not session_id:
            return
        if len(self._proofs) >= _MOST:
            now = self.clock()
            self._proofs = {key: at for key, at in self._proofs.items() if now - at <= self.life_s}
        self._proofs[(user.id, session_id)] = self.clock()

    def holds(self, user: Any, session_id: str | None) -> bool:
        """Whether the user has proved who they are within `life_s` seconds in this browser session."""
        proved = self._proofs.get((user.id, session_id or ""))
        return proved is not None and self.clock() - proved <= self.life_s

    def forget(self, user: Any) -> None:
        """After a new password or a lock."""
        self._proofs = {key: at for key, at in self._proofs.items() if key[0] != user.id}


recent = RecentSignIns()
