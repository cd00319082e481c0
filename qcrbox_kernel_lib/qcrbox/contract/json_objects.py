"""JSON from a client: one whole object, or None for anything else."""

from __future__ import annotations

import json
from typing import Any


def read_object(content: bytes, most_bytes: int) -> dict[str, Any] | None:
    """The JSON object in the body of a request; None for everything else.

    That is also what is too long, nested deeper than Python reads, and text with half of a character (a lone surrogate,
    `"\\ud800"`), which no file or database takes.
    """
    if len(content) > most_bytes:
        return None
    try:
        text = content.decode("utf-8")
        found = json.loads(text)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
