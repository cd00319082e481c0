"""User names: what they may look like, and how a name from elsewhere becomes one."""

from __future__ import annotations

import base64
import hashlib
import re

# No dots, stars or greater-than signs (they mean something in NATS subjects), nothing that looks like
# another letter, nothing that a file system could take for a path.
NAME_PATTERN = r"[a-z][a-z0-9_-]{1,30}[a-z0-9]"
# `local` is the person of a registry without sign-in; the others would be misleading.
RESERVED = frozenset({"local", "everyone", "nobody", "root", "system", "qcrbox", "hub"})
_LONGEST = 32
_DIGEST = 16  # characters of five bits


class StoredName(str):
    """The name of an account in the hub's database. JupyterHub hands the names in its configuration to the authenticator
    as if they came from a provider; one that was made by `safe_name` would become another one.
    """

    __slots__ = ()


def safe_name(name: str) -> str:
    """A user name for an identity of a sign-in provider (an e-mail address, say). Two identities never share one,
    whatever people may call themselves there; only the case of ASCII letters makes no difference.
    """
    # Unicode's lower case makes a plain k of the Kelvin sign, and strip() takes away spaces of many kinds: each would
    # let a stranger who may choose a name at the provider take over an existing account here.
    plain = name.lower() if name.isascii() else name
    if re.fullmatch(NAME_PATTERN, plain) and plain not in RESERVED and not _looks_made(plain):
        return plain
    # 80 bits: with 40 a stranger finds, within minutes, an identity with the digest of another person's.
    digest = base64.b32encode(hashlib.sha256(plain.encode()).digest())[:_DIGEST].decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain.partition("@")[0].lower()).strip("-")
    readable = re.sub(r"^[^a-z]+", "", readable)[: _LONGEST - _DIGEST - 2].strip("-") or "user"
    return f"{readable}--{digest}"


def _looks_made(name: str) -> bool:
    """Could this be what `safe_name` makes of another identity?"""
    return re.fullmatch(rf".*--[a-z2-7]{{{_DIGEST}}}", name) is not None
