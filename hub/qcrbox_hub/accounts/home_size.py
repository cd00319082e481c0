"""How full a person's home is, for its owner."""

from __future__ import annotations

import asyncio
import json
import time

from tornado import web

from qcrbox_hub.accounts.numbers import Accounts
from qcrbox_hub.accounts.pages import Page

# Measuring walks through the whole home; a page that is loaded again and again must not do so each time.
KEEP_S = 60.0
_MOST_KEPT = 5_000
_measured: dict[str, tuple[float, int]] = {}


class HomeSize(Page):
    """Bytes used and allowed (0: no limit), of the signed-in person's own home."""

    @web.authenticated
    async def get(self) -> None:
        """Answer used and allowed bytes of the user's home as JSON."""
        label = Accounts(self.db).of(self.current_user.orm_user).label
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        limit = round(self.authenticator.home_gib * 1024**3)
        self.finish(json.dumps({"used_bytes": await self._used(label), "limit_bytes": limit}))

    async def _used(self, label: str) -> int:
        now = time.monotonic()
        at, used = _measured.get(label, (-KEEP_S, 0))
        if now - at >= KEEP_S:
            if len(_measured) >= _MOST_KEPT:
                _measured.clear()
            _measured[label] = (now, used)  # a second request meanwhile gets the last value
            used = await asyncio.to_thread(self.authenticator.homes.bytes_used, label)
            _measured[label] = (time.monotonic(), used)
        return used
