"""Brakes: on guessing passwords, and on flooding pages that anyone may post to.

Guessing is slowed down, never locked: a lock would let anyone keep anyone out. The delay follows name and address
together, so strangers slow themselves down and not the person whose name they try.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

LARGEST_NUMBER_OF_KEYS = 10_000


class Attempts:
    """Counts per key in a sliding window, in memory."""

    def __init__(self, limit: int, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit, self.window_s, self.clock = limit, window_s, clock
        self._times: dict[str, deque[float]] = {}

    def wait_s(self, key: str) -> float:
        """Seconds until `key` may try again; 0 when it may now."""
        times = self._recent(key)
        if len(times) < self.limit:
            return 0.0
        return max(0.0, times[0] + self.window_s - self.clock())

    def number(self, key: str) -> int:
        """How many attempts of `key` are in the window, `limit` at most."""
        return len(self._recent(key))

    def count(self, key: str) -> None:
        """One more attempt of `key`."""
        if key not in self._times and len(self._times) >= LARGEST_NUMBER_OF_KEYS:
            self._forget_oldest()
        times = self._times.setdefault(key, deque(maxlen=self.limit))
        times.append(self.clock())

    def forget(self, key: str) -> None:
        """After a success."""
        self._times.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        times = self._times.get(key, deque())
        while times and times[0] <= self.clock() - self.window_s:
            times.popleft()
        if not times:
            self._times.pop(key, None)
        return times

    def _forget_oldest(self) -> None:
        oldest = min(self._times, key=lambda key: self._times[key][-1])
        del self._times[oldest]


class TooMany(Exception):
    """More attempts wait than may wait. The text is for the person."""


@dataclass
class SignInBrake:
    """Delays before a password is looked at.

    A name from one address: free_attempts without delay, then 1 s doubling to longest_s. A name from addresses that it
    never signed in from: distributed_s once many addresses have tried it. An address with very many failures, whatever
    the names: address_s.
    """

    free_attempts: int = 5
    longest_s: float = 30.0
    distributed_after: int = 30
    distributed_s: float = 5.0
    address_after: int = 200
    address_s: float = 5.0
    most_waiting: int = 3
    most_checks_per_address: int = 4
    most_waiting_per_address: int = 60
    window_s: float = 900.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _pairs: Attempts = field(init=False)
    _names: Attempts = field(init=False)
    _addresses: Attempts = field(init=False)
    _known: dict[str, dict[str, None]] = field(default_factory=dict)
    _waiting: dict[str, int] = field(default_factory=dict)
    _checks: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pairs = Attempts(64, self.window_s, self.clock)
        self._names = Attempts(self.distributed_after, self.window_s, self.clock)
        self._addresses = Attempts(self.address_after, self.window_s, self.clock)

    def delay_s(self, name: str, address: str) -> float:
        """How long the next attempt has to wait."""
        excess = self._pairs.number(f"{name} {address}") - self.free_attempts
        delays = [0.0 if excess < 0 else min(2.0**excess, self.longest_s)]
        if self._names.number(name) >= self.distributed_after and address not in self._known.get(name, {}):
            delays.append(self.distributed_s)
        if self._addresses.number(address) >= self.address_after:
            delays.append(self.address_s)
        return max(delays)

    @asynccontextmanager
    async def attempt(self, name: str, address: str) -> AsyncIterator[None]:
        """Wait for the turn of this attempt. Raises TooMany where others of the same kind wait already."""
        pair = f"{name} {address}"
        delay = self.delay_s(name, address)
        too_many = self._waiting.get(address, 0) >= self.most_waiting_per_address or (
            delay and self._waiting.get(pair, 0) >= self.most_waiting
        )
        if too_many:
            raise TooMany("Other sign-ins from your address are still being checked. Try again in a minute.")
        keys = (pair, address)
        for key in keys:
            self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            if delay:
                await self.sleep(delay)
            # Checking takes a quarter of a second of a processor by design; one address gets a share of them.
            checks = self._checks.setdefault(address, asyncio.Semaphore(self.most_checks_per_address))
            async with checks:
                yield
        finally:
            for key in keys:
                self._waiting[key] -= 1
                if not self._waiting[key]:
                    del self._waiting[key]
            if address not in self._waiting:
                self._checks.pop(address, None)

    def failed(self, name: str, address: str) -> None:
        """Count a wrong password of `name` from `address`."""
        self._pairs.count(f"{name} {address}")
        self._names.count(name)
        self._addresses.count(address)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of `name` from `address`, which is a known address from now on."""
        self._pairs.forget(f"{name} {address}")
        known = self._known.setdefault(name, {})
        known.pop(address, None)
        known[address] = None
        if len(known) > 10:
            del known[next(iter(known))]
        if len(self._known) > LARGEST_NUMBER_OF_KEYS:
            del self._known[next(iter(self._known))]


# Of this hub: sign-in, confirmation of a password, and sign-up count together, whatever page they came by.
BRAKE = SignInBrake()
# A class of sixty behind one address must be able to sign up in one go.
SIGN_UPS_PER_ADDRESS = Attempts(limit=200, window_s=3600)
REQUESTS_LIMIT = 500
