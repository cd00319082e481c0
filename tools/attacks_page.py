"""Keeps the table of docs/attacks.md: which tests carry which number. `python tools/attacks_page.py [--check]`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "attacks.md"
_MARK = re.compile(r"pytest\.mark\.attack\((\d+)\)")
_ROW = re.compile(r"^\| (\d+) \| (.*?) \| .* \|$", re.MULTILINE)


def marked() -> dict[int, list[str]]:
    """Number of an attack -> the files with tests that carry it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*test_*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found: dict[int, list[str]] = {}
    for name in sorted(listed):
        if (ROOT / name).is_file():
            for number in {int(each) for each in _MARK.findall((ROOT / name).read_text())}:
                found.setdefault(number, []).append(name)
    return found


def page(text: str) -> str:
    """The page with the files of today in its table."""
    files = marked()

    def row(match: re.Match[str]) -> str:
        names = ", ".join(f"`{name}`" for name in files.get(int(match[1]), []))
        return f"| {match[1]} | {match[2]} | {names} |"

    return _ROW.sub(row, text)


def main() -> int:
    before = PAGE.read_text()
    after = page(before)
    if "--check" in sys.argv:
        if after != before:
            sys.stderr.write("docs/attacks.md is not up to date: run python tools/attacks_page.py\n")
        return int(after != before)
    PAGE.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
