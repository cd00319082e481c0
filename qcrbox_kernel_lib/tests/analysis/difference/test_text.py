"""Unified diffs of files as large as they come: whatever changed can be seen, and applied again."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest
from qcrbox.analysis.difference.text import MOST_LINES, text_difference

LARGE = [f"{n} {n * 7 % 1000}" for n in range(MOST_LINES)]


def shuffled(lines: list[str]) -> list[str]:
    mixed = list(lines)
    random.Random(1).shuffle(mixed)
    return mixed


def with_doubles(lines: list[str]) -> list[str]:
    return [line for line in lines for _ in range(2)]


def changed_here_and_there(lines: list[str]) -> list[str]:
    return [f"{line} changed" if n % 997 == 0 else line for n, line in enumerate(lines) if n % 1009]


CASES = {
    "first line": (["a", "b", "c"], ["z", "b", "c"]),
    "last line": (["a", "b", "c"], ["a", "b", "z"]),
    "nothing before": ([], ["a", "b"]),
    "nothing after": (["a", "b"], []),
    "in the middle of equal lines": (["x"] * 50 + ["a"] + ["x"] * 50, ["x"] * 50 + ["b"] + ["x"] * 50),
    "one equal line more": (["x"] * 50, ["x"] * 51),
    "large, here and there": (LARGE, changed_here_and_there(LARGE)),
    "large, another order": (LARGE, shuffled(LARGE)),
    "large, each line twice": (LARGE, with_doubles(LARGE)),
    "large, all other": (LARGE, [f"other {line}" for line in LARGE]),
    "large, one block moved": (LARGE, LARGE[5000:] + LARGE[:5000]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_difference_makes_the_second_text_of_the_first(case, tmp_path):
    """`patch` reads the diff: an independent reader of unified diffs."""
    if shutil.which("patch") is None:
        pytest.skip("needs the program patch")
    one, other = CASES[case]
    first, second = ("".join(f"{line}\n" for line in lines) for lines in (one, other))
    (tmp_path / "first").write_text(first)
    lines = text_difference(first.encode(), second.encode())
    assert lines
    (tmp_path / "diff").write_text("\n".join(lines) + "\n")
    command = ["patch", "--silent", "--force", "-i", "diff", "-o", "second", "first"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "second").read_text() == second


def test_a_large_file_in_another_order_is_another_text():
    data = ["\n".join(lines).encode() for lines in (LARGE, shuffled(LARGE))]
    assert text_difference(*data)
    assert not text_difference(data[0], data[0])


def test_few_changes_of_a_large_file_are_few_lines():
    lines = text_difference("\n".join(LARGE).encode(), "\n".join(changed_here_and_there(LARGE)).encode())
    changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("---", "+++")]
    # 21 lines with n % 997 == 0 (0 is removed below) are changed, 20 with n % 1009 == 0 are removed.
    assert len(changed) == 2 * 20 + 20


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\nb", b"a  \nb\t"),
        (b"a\rb", b"a\nb"),
        (b"\xef\xbb\xbfa\n", b"a\n"),
        ("ä\n".encode("utf-16"), "ä\n".encode()),
        (b"", b""),
    ],
    ids=["line ends", "trailing blanks", "old line ends", "byte-order mark", "UTF-16", "nothing"],
)
def test_the_same_words_are_the_same_text(one, other):
    assert text_difference(one, other) == []


def test_names_of_the_files_head_the_difference():
    assert text_difference(b"a", b"b", ("old.cif", "new.cif"))[:2] == ["--- old.cif", "+++ new.cif"]
