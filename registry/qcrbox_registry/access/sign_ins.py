"""Browser sign-ins by the hub's code flow: the cookie holds only a random number, the hub's token stays here."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable


class SignIns:
    """Browser sign-ins: cookie -> hub token, in memory; a restart asks the hub again without a word."""

    LIFE_S = 12 * 3600.0
    STATE_LIFE_S = 600.0
    MOST_STATES = 10_000  # anybody can begin a sign-in: the oldest one is dropped

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[float, str]] = {}
        self._states: dict[str, tuple[float, str]] = {}

    def begin(self, next_path: str) -> str:
        """A state for the code flow, bound to where the person wanted to go."""
        now = self._clock()
        _drop_old(self._states, now - self.STATE_LIFE_S, self.MOST_STATES - 1)
        state = secrets.token_urlsafe(24)
        self._states[state] = (now, next_path)
        return state

    def finish(self, state: str) -> str | None:
        """Where the person wanted to go; None for a state that is unknown, used or old."""
        began = self._states.pop(state, None)
        if began is None or self._clock() - began[0] > self.STATE_LIFE_S:
            return None
        return began[1]

    def keep(self, token: str) -> str:
        """Store the hub's token; returns the random value for the cookie."""
        now = self._clock()
        _drop_old(self._tokens, now - self.LIFE_S)
        cookie = secrets.token_urlsafe(32)
        self._tokens[cookie] = (now, token)
        return cookie

    def token(self, cookie: str) -> str | None:
        """The hub's token for a cookie; None if the cookie is unknown or too old."""
        kept = self._tokens.get(cookie)
        if kept is None:
            return None
        if self._clock() - kept[0] > self.LIFE_S:
            del self._tokens[cookie]
            return None
        return kept[1]

    def forget(self, cookie: str) -> None:
        """Sign out: the cookie is worth nothing from now on."""
        self._tokens.pop(cookie, None)


def _drop_old(entries: dict[str, tuple[float, str]], before: float, most: int | None = None) -> None:
    """Drop the entries made before this time, and the oldest beyond `most`. They are in the order of their times."""
    while entries:
        oldest = next(iter(entries))
        if entries[oldest][0] >= before and (most is None or len(entries) <= most):
            return
        del entries[oldest]
