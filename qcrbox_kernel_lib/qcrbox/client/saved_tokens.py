"""Tokens of this person for registries elsewhere, in one file that only they can read."""

from __future__ import annotations

import json
import os
from pathlib import Path

from qcrbox.client.writing import write_private


def get(url: str) -> str | None:
    """The token kept for a registry's address."""
    return _read().get(url)


def put(url: str, token: str) -> None:
    """Keep a token for a registry's address."""
    write_private(_store(), json.dumps(_read() | {url: token}))


def _store() -> Path:
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return config / "qcrbox" / "tokens.json"


def _read() -> dict[str, str]:
    try:
        stored = json.loads(_store().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    tokens = stored.items() if isinstance(stored, dict) else ()
    return {url: token for url, token in tokens if isinstance(token, str)}
