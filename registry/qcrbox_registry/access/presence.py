"""The person at the other end of a request that lasts: uploads, downloads, event streams, displays.

After `CHECK_AGAIN_S` the identity is asked again; its own answer may be `identity.CACHE_S` old.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable

from qcrbox.contract.errors import Unreachable

from qcrbox_registry.access.rights import Actor

CHECK_AGAIN_S = 1.5


class Presence:
    """`actor` as they were at the last check; `now()` checks again when that was too long ago."""

    def __init__(
        self,
        actor: Actor,
        ask: Callable[[], Awaitable[Actor]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.actor = actor
        self._ask, self._clock = ask, clock
        self._checked = clock()

    @property
    def check_again_s(self) -> float:
        """How long a check holds, s."""
        return CHECK_AGAIN_S

    @property
    def is_due(self) -> bool:
        """Whether the last check was too long ago."""
        return self._clock() - self._checked >= self.check_again_s

    async def now(self) -> Actor:
        """The actor with the rights of now. Raises NotSignedIn or NotAllowed when they may not use the registry any more.

        While the hub does not answer, the last answer holds: a restart of the hub must not end transfers, and a hub
        that hangs must not hold up each of their pieces.
        """
        if self.is_due:
            with contextlib.suppress(Unreachable):
                self.actor = await self._ask()
            self._checked = self._clock()
        return self.actor
