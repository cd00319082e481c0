"""Programs outside the hub that ask to act for a person: a code to type here, a token for them to fetch.

The device flow of RFC 8628: the program keeps a long secret and shows a short code; a person who is signed in
types that code; the program, asking with its secret, then gets the token. In memory: a restart of the hub lets
those who wait begin again.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

LIFE_S = 600.0
MOST_WAITING = 1000
# No vowels, so that no words arise, and nothing that looks like a digit.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


class Answer(StrEnum):
    """What a person made of the question."""

    WAITING = "waiting"
    ALLOWED = "allowed"
    REFUSED = "refused"


@dataclass
class PendingSignIn:
    """One program that waits. `program` is what it calls itself: not to be believed, only shown."""

    program: str
    address: str
    code: str
    began: float
    answer: Answer = Answer.WAITING
    person: str = ""


class PendingSignIns:
    """Those that wait, by the hash of their secret."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, PendingSignIn] = {}

    def begin(self, program: str, address: str) -> tuple[str, PendingSignIn] | None:
        """The program's secret and its pending sign-in; None when too many wait."""
        self._forget_old()
        if len(self._waiting) >= MOST_WAITING:
            return None
        secret = secrets.token_urlsafe(32)
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        made = PendingSignIn(program, address, f"{letters[:4]}-{letters[4:]}", self._clock())
        self._waiting[_hash(secret)] = made
        return secret, made

    def find(self, code: str) -> PendingSignIn | None:
        """By the code that a person typed, however they typed it."""
        self._forget_old()
        wanted = "".join(letter for letter in code.upper() if letter.isalpha())
        for each in self._waiting.values():
            same = secrets.compare_digest(each.code.replace("-", "").encode(), wanted.encode())
            if same and each.answer is Answer.WAITING:
                return each
        return None

    def take(self, secret: str) -> PendingSignIn | None:
        """What became of the program's question; None when it is unknown or too old. An answer is given once."""
        self._forget_old()
        found = self._waiting.get(_hash(secret))
        if found is not None and found.answer is not Answer.WAITING:
            del self._waiting[_hash(secret)]
        return found

    def _forget_old(self) -> None:
        oldest = self._clock() - LIFE_S
        self._waiting = {key: each for key, each in self._waiting.items() if each.began > oldest}


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
