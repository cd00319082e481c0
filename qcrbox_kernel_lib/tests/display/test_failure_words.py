"""Words of a failure: paths shortened, classes dropped, tracebacks hidden but kept."""

from __future__ import annotations

import pytest
from qcrbox.display.failure_words import NO_WORDS, failure_of

TRACE = (
    'Traceback (most recent call last):\n  File "/app/run.py", line 3, in main\n    f()\nValueError: no cell'
)


@pytest.mark.parametrize(
    ("text", "words", "hides"),
    [
        ("The cell is missing.", "The cell is missing.", False),
        ("ValueError: no cell", "no cell", False),
        ("qcrbox.contract.errors.CifError: no cell", "no cell", False),
        ("cannot read /work/tmp/in.cif", "cannot read in.cif", True),
        ("cannot read C:\\tmp\\in put\\in.cif", "cannot read in.cif", True),
        ("file:///a/b/c.cif is odd", "c.cif is odd", True),
        ("cannot list /a/b/", "cannot list …", True),
        ("ρ is 3 e/Å³ at R/S", "ρ is 3 e/Å³ at R/S", False),
        ("see https://example.org/a/b", "see https://example.org/a/b", False),
        (TRACE, "no cell", True),
        (f"Refining.\n{TRACE}", "Refining.\nno cell", True),
        (f"{TRACE}\n\nDuring handling:\n\n{TRACE.replace('no cell', 'no atoms')}", "no atoms", True),
        ("\x1b[31mred\x1b[0m words", "red words", False),
        ("", NO_WORDS, False),
        ("ValueError: ", NO_WORDS, False),
        ("Traceback (most recent call last):\n  File x", NO_WORDS, True),
    ],
)
def test_a_person_reads_what_and_the_rest_is_kept(text, words, hides):
    found, whole = failure_of(text)
    assert found == words
    assert whole == (text if hides else "")


def test_a_megabyte_of_slashes_is_read_in_no_time():
    """A pattern that backtracks would take minutes."""
    assert failure_of("/" * 200_000 + "a" * 200_000)[0]
    assert failure_of("C:\\" + "a " * 100_000)[0]
