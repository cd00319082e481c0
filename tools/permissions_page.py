"""Writes docs/permissions.md from the table of rights and the routes: `python tools/permissions_page.py [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path

from qcrbox_registry.api.permissions import page

PAGE = Path(__file__).parent.parent / "docs" / "permissions.md"


def main() -> int:
    """With --check, exit code 1 when the page is not up to date; else write it."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text)
        return 0
    if PAGE.read_text() != text:
        sys.stderr.write("docs/permissions.md is not up to date: run python tools/permissions_page.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
