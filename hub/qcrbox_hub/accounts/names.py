"""User names: what they may look like, and how a name from elsewhere becomes one."""

from __future__ import annotations

import hashlib
import re

# No dots, stars or greater-than signs (they mean something in NATS subjects), nothing that looks like
# another letter, nothing that a file system could take for a path.
NAME_PATTERN = r"[a-z][a-z0-9_-]{1,30}[a-z0-9]"
# `local` is the person of a registry without sign-in; the others would be misleading.
RESERVED = frozenset({"local", "everyone", "nobody", "root", "system", "qcrbox", "hub"})
_LONGEST = 32


def safe_name(name: str) -> str:
    """A user name for an identity of a sign-in provider (an e-mail address, say). Two identities never share one."""
    plain = name.strip()
    if re.fullmatch(NAME_PATTERN, plain) and plain not in RESERVED and not _looks_made(plain):
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:10]
    readable = re.sub(r"[^a-z0-9]+", "-", plain.partition("@")[0].lower()).strip("-")
    readable = re.sub(r"^[^a-z]+", "", readable)[: _LONGEST - len(digest) - 2].strip("-") or "user"
    return f"{readable}--{digest}"


def _looks_made(name: str) -> bool:
    """Could this be what `safe_name` makes of another identity?"""
    return re.fullmatch(r".*--[0-9a-f]{10}", name) is not None
