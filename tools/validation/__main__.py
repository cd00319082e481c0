"""`python -m tools.validation [--data-sets FOLDER] [--only WORD]`: run the sections and write docs/validation.md."""

from __future__ import annotations

import argparse
import re
from datetime import date
from pathlib import Path

from tools.validation.sections import R_TOLERANCE, ROOT, SECTIONS, SHIFT_TOLERANCE, SU_RATIO, Context

_HEAD = f"""# Validation of the refinement

Made by `make validate` (`DATA_SETS=/path` adds a folder of CIFs). Goals: the number of parameters of the file; R1 and wR2 within
{R_TOLERANCE:g}; coordinates and U(ij) within {SHIFT_TOLERANCE:g} s.u. of the file's; ratio of the s.u. {SU_RATIO[0]:g} to {SU_RATIO[1]:g}. A row that
misses a goal says no, and the reason stands below the table. Not comparable: the file's fit was one to other data than those at hand.
Parameters of a file that was not converged may differ by its own last shift/s.u. more, and its s.u. are not compared.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make validate", description=__doc__)
    parser.add_argument("--data-sets", type=Path, help="folder of CIFs to add")
    parser.add_argument(
        "--only",
        default="",
        help="run only sections with this word in their title; the others stay as they are",
    )
    parser.add_argument(
        "--seconds", type=float, default=900.0, help="most that a structure may take; aspherical: by estimate"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "validation.md")
    parser.add_argument("--runs", type=int, default=100, help="refinements of each calibration")
    parser.add_argument(
        "--rows",
        nargs="+",
        default=[],
        help="aspherical refinements to run anew, as patterns of data set and level ('thpp*'); the others stay",
    )
    given = parser.parse_args()
    folder = given.data_sets.resolve() if given.data_sets else None
    context = Context(folder, given.runs, given.seconds, tuple(given.rows))
    parts = _parts(given.output)
    for section in SECTIONS:
        if given.only.lower() in section.title.lower():
            stamp = f"Last run: {date.today().isoformat()}."
            parts[section.title] = f"{section.introduction}\n\n{section.body(context)}\n{stamp}\n"
            given.output.write_text(_page(parts), encoding="utf-8")
    return 0


def _parts(path: Path) -> dict[str, str]:
    """Bodies of the sections that an earlier run wrote, by title."""
    if not path.exists():
        return {}
    found = re.split(r"^## (.+)\n\n", path.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {title: body.rstrip("\n") + "\n" for title, body in zip(found[::2], found[1::2], strict=True)}


def _page(parts: dict[str, str]) -> str:
    """Sections in their order; each is written as soon as it is done, so that a long run loses nothing."""
    titles = [section.title for section in SECTIONS if section.title in parts]
    return "\n".join([_HEAD, *(f"## {title}\n\n{parts[title]}" for title in titles)])


if __name__ == "__main__":
    raise SystemExit(main())
