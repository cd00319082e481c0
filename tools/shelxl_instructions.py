"""`python -m tools.shelxl_instructions`: write docs/shelxl_instructions.md from the tables of the application `refine`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "app_images" / "refine"))

from qcrbox_refine.instruction_keywords import page  # noqa: E402

PAGE = ROOT / "docs" / "shelxl_instructions.md"


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
