"""What the registry says about itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any


def told_by_registry(registry_url: str) -> dict[str, Any]:
    """Its answer to `/api/readyz`: what is `missing`, `notes` on applications, `uptime_s`. Raises OSError, ValueError."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{registry_url}/api/readyz", timeout=5) as answer:
            told: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        told = json.loads(error.read() or b"{}")
    return told


def faults_of_applications(registry_url: str) -> list[str]:
    """Applications that were given and cannot be used, or of which commands are left out, with the reason."""
    try:
        notes = told_by_registry(registry_url).get("notes") or {}
    except (OSError, ValueError):
        return []
    return [
        f"{part}: {why}" for part, why in notes.items() if part.startswith(("application ", "commands of "))
    ]
