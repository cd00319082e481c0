"""The machine that measures: its Chromium and its load."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")


def chromium_options(*further: str) -> dict[str, Any]:
    """Arguments for Playwright's `chromium.launch`; further: flags of the browser besides the usual ones."""
    usual = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
    ]
    return {
        "executable_path": str(CHROMIUM) if CHROMIUM.exists() else None,
        "args": [*usual, *further],
    }


def load() -> str:
    """Such as "1.3 on 2 processors", over the last minute."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
