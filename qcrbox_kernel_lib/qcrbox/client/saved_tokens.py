"""Tokens of this person for registries elsewhere, in one file that only they can read."""

from __future__ import annotations

import json
import os
from pathlib import Path


def get(url: str) -> str | None:
    """The token kept for a registry's address."""
    return _read().get(url)


def put(url: str, token: str) -> None:
    """Keep a token for a registry's address."""
    store = _store()
    store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    tokens = _read() | {url: token}
    # Never readable by others, not even for the moment between creation and chmod.
    handle = os.open(store, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        json.dump(tokens, file)


def _store() -> Path:
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return config / "qcrbox" / "tokens.json"


def _read() -> dict[str, str]:
    try:
        return dict(json.loads(_store().read_text()))
    except (OSError, ValueError):
        return {}
