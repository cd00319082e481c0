"""A sentence of an administrator that every page of the hub shows: planned maintenance, for example."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from qcrbox_hub.platform.data_folder import write_private

LONGEST = 500


class Banner:
    """`file` holds the text, who set it, and when (Unix time)."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> dict[str, Any]:
        """text, by, at; {} without a banner."""
        try:
            found = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) and found.get("text") else {}

    def write(self, text: str, by: str, at: float) -> None:
        """Show this text from now on; "" shows none."""
        if not text:
            self.file.unlink(missing_ok=True)
            return
        write_private(self.file, json.dumps({"text": text[:LONGEST], "by": by, "at": at}))

    def as_html(self, _user: Any = None) -> str:
        """Escaped: the hub's own page shows its announcement as it is."""
        return html.escape(str(self.read().get("text", "")))
