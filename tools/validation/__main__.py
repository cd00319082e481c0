"""`python -m tools.validation [--data-sets FOLDER] [--only WORD]`: run the sections and write docs/validation.md."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from tools.validation.sections import R_TOLERANCE, ROOT, SECTIONS, SHIFT_TOLERANCE, SU_RATIO, Context

_HEAD = f"""# Validation of the refinement

Made by `make validate` (`DATA_SETS=/path` adds a folder of CIFs). Goals: the number of parameters of the file; R1 and wR2 within
{R_TOLERANCE:g}; coordinates and U(ij) within {SHIFT_TOLERANCE:g} s.u. of the file's; ratio of the s.u. {SU_RATIO[0]:g} to {SU_RATIO[1]:g}. A row that
misses a goal says no, and the reason stands below the table.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make validate", description=__doc__)
    parser.add_argument("--data-sets", type=Path, help="folder of CIFs to add")
    parser.add_argument(
        "--only", default="", help="run only sections with this word in their title, print, write nothing"
    )
    parser.add_argument("--seconds", type=float, default=900.0, help="most that one structure may take")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "validation.md")
    parser.add_argument("--runs", type=int, default=100, help="refinements of each calibration")
    given = parser.parse_args()
    context = Context(given.data_sets.resolve() if given.data_sets else None, given.runs, given.seconds)
    chosen = [section for section in SECTIONS if given.only.lower() in section.title.lower()]
    parts = [f"## {section.title}\n\n{section.introduction}\n\n{section.body(context)}" for section in chosen]
    text = "\n".join([_HEAD, f"Last run: {date.today().isoformat()}.\n", *parts])
    if given.only:
        sys.stdout.write(text)
    else:
        given.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
