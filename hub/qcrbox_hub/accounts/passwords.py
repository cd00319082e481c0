"""Passwords of accounts and of workshops are kept as bcrypt hashes."""

from __future__ import annotations

import asyncio

import bcrypt

# bcrypt looks at no more than this.
LONGEST_PASSWORD_BYTES = 72


async def hash_password(password: str) -> bytes:
    """bcrypt hash of a password, computed in a thread because it takes about 0.25 s."""
    return await asyncio.to_thread(bcrypt.hashpw, password.encode(), bcrypt.gensalt())


async def matches(password: str, stored: bytes) -> bool:
    """Whether a password has this bcrypt hash, computed in a thread; passwords longer than bcrypt reads never match."""
    given = password.encode()
    return len(given) <= LONGEST_PASSWORD_BYTES and await asyncio.to_thread(bcrypt.checkpw, given, stored)
