"""How passwords are kept."""

from __future__ import annotations

import pytest
from qcrbox_hub.accounts.passwords import LONGEST_PASSWORD_BYTES, hash_password, matches

pytestmark = pytest.mark.attack(8)


async def test_the_hash_makes_guessing_slow_and_the_whole_password_counts() -> None:
    longest = "é" * (LONGEST_PASSWORD_BYTES // 2)
    stored = await hash_password(longest)
    assert stored.startswith(b"$2b$")
    assert int(stored.split(b"$")[2]) >= 12, "rounds, as a power of two"
    assert await matches(longest, stored)
    assert not await matches(longest + "x", stored), "bcrypt alone compares the first 72 bytes"
