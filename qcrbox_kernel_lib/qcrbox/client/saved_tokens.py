"""Tokens of this person for registries elsewhere, in one file that only they can read."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path


def get(url: str) -> str | None:
    """The token kept for a registry's address."""
    return _read().get(url)


def put(url: str, token: str) -> None:
    """Keep a token for a registry's address."""
    store = _store()
    store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    tokens = _read() | {url: token}
    # Atomic: another kernel may be reading. Temporary files are readable by their owner alone from the beginning.
    with tempfile.NamedTemporaryFile(
        "w", dir=store.parent, suffix=".new", delete=False, encoding="utf-8"
    ) as file:
        json.dump(tokens, file)
    Path(file.name).replace(store)


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
