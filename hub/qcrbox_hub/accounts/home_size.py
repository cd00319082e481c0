"""How full a person's home is, for its owner."""

from __future__ import annotations

import json
import time

from tornado import web

from qcrbox_hub.accounts.numbers import Accounts
from qcrbox_hub.accounts.pages import Page
from qcrbox_hub.walls import home_sizes
from qcrbox_hub.walls.home_limits import home_limits

# Measuring walks through the whole home; a page that is loaded again and again must not do so each time.
KEEP_S = 60.0
_MOST_KEPT = 5_000
_measured: dict[str, tuple[float, int]] = {}


class HomeSize(Page):
    """Bytes used and allowed (0: no limit) of the signed-in person's own home, and why the server was ended."""

    @web.authenticated
    async def get(self) -> None:
        """Answer used and allowed bytes of the user's home as JSON."""
        label = Accounts(self.db).of(self.current_user.orm_user).label
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        limit = round(self.authenticator.home_gib * 1024**3)
        found = {"used_bytes": await self._used(label), "limit_bytes": limit}
        self.finish(json.dumps({**found, "notice": home_limits.notice(label)}))

    async def _used(self, label: str) -> int:
        now = time.monotonic()
        at, used = _measured.get(label, (-KEEP_S, 0))
        if now - at >= KEEP_S:
            if len(_measured) >= _MOST_KEPT:
                _measured.clear()
            _measured[label] = (now, used)  # a second request meanwhile gets the last value
            used = (await home_sizes.measure(self.authenticator.homes.root, [label])).get(label, used)
            _measured[label] = (time.monotonic(), used)
        return used
