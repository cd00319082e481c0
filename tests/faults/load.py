"""People who submit, cancel and read while everything around them dies. What was accepted is written down."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.stand_in_hub import PEOPLE

# (command, arguments, weight)
MIX = (
    ("rest", {"seconds": 0.1}, 10),
    ("noop", {}, 6),
    ("write", {}, 6),
    ("fail", {}, 2),
    ("die", {}, 0.4),
)


@dataclass
class Accepted:
    calculation_id: str
    owner: str
    command: str
    arguments: dict[str, Any]
    at: float
    cancelled: bool = False


@dataclass
class Ledger:
    accepted: dict[str, Accepted] = field(default_factory=dict)
    tried: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)


class Person(threading.Thread):
    """Submits at random moments with an idempotency key, and tries the same key again until it has an answer."""

    def __init__(
        self, url: str, owner: str, seed: int, ledger: Ledger, stop: threading.Event, pause_s: float
    ) -> None:
        super().__init__(daemon=True, name=owner)
        self.owner, self._ledger, self._stop_event, self._pause_s = owner, ledger, stop, pause_s
        self._random = random.Random(f"{seed}-{owner}")
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer token-of-{owner}"}, timeout=10, trust_env=False
        )
        self.mine: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._stop_event.is_set():
            number += 1
            self._submit(f"{self.owner}-{number}")
            if number % 10 == 0:
                self._let_it_drain()
            if self.mine and self._random.random() < 0.05:
                self._cancel(self._random.choice(self.mine[-20:]))
            self._stop_event.wait(self._random.expovariate(1 / self._pause_s))
        self._client.close()

    def _let_it_drain(self, most: int = 60) -> None:
        """Nobody submits more than a slow machine can do in the time that is left at the end."""
        while not self._stop_event.is_set():
            try:
                answer = self._client.get("/api/calculations?status=submitted&limit=1000")
                if answer.status_code == 200 and len(answer.json()["payload"]["calculations"]) < most:
                    return
            except httpx.HTTPError:
                pass  # it is down; ask again
            self._stop_event.wait(0.5)

    def _submit(self, key: str) -> None:
        names = [name for name, _, _ in MIX]
        name = self._random.choices(names, [weight for _, _, weight in MIX])[0]
        arguments = dict(next(args for command, args, _ in MIX if command == name))
        if name == "write":
            arguments = {
                "number": self._random.randrange(1 << 30),
                "kilobytes": self._random.choice([1, 64, 700]),
            }
        body = {
            "application_slug": "chaos",
            "application_version": "1",
            "command_name": name,
            "command_arguments": arguments,
        }
        self._ledger.tried += 1
        # Sent twice now and then although it was answered: the same key must give the same calculation.
        again = self._random.random() < 0.05
        first = self._send(body, key)
        if first is None:
            return
        if again and (second := self._send(body, key)) is not None and second != first:
            self._ledger.doubled.append(key)
        self._ledger.accepted[first] = Accepted(first, self.owner, name, arguments, time.time())
        self.mine.append(first)

    def _send(self, body: dict[str, Any], key: str) -> str | None:
        """The calculation's id; None when it was refused for good or we are to stop without an answer."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                answer = self._client.post("/api/commands", json=body, headers={"Idempotency-Key": key})
            except httpx.HTTPError:
                time.sleep(0.2)
                continue
            if answer.status_code == 201:
                return str(answer.json()["payload"]["calculation_id"])
            reason = f"{answer.status_code} {answer.text[:200]}"
            self._ledger.refused[reason] = self._ledger.refused.get(reason, 0) + 1
            if answer.status_code < 500:
                return None
            time.sleep(0.2)
        return None

    def _cancel(self, calculation_id: str) -> None:
        with contextlib.suppress(httpx.HTTPError):
            answer = self._client.post(f"/api/calculations/{calculation_id}/stop")
            if answer.status_code == 200:
                self._ledger.accepted[calculation_id].cancelled = True
            else:
                # Whether it was carried out is not known: either end is right.
                self._ledger.accepted[calculation_id].cancelled = True


def crowd(url: str, seed: int, ledger: Ledger, stop: threading.Event, pause_s: float) -> list[Person]:
    return [Person(url, owner, seed, ledger, stop, pause_s) for owner in PEOPLE]
