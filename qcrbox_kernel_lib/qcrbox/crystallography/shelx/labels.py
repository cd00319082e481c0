"""Names of atoms that SHELX reads as names of atoms."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from qcrbox.crystallography.shelx.instructions import INSTRUCTIONS

_FITS = re.compile(r"[A-Za-z][A-Za-z0-9']{0,3}\Z")
_ENDINGS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def is_shelx_label(label: str) -> bool:
    """Whether SHELX reads a line that begins so as an atom: a letter, up to three more letters and digits, no instruction."""
    return bool(_FITS.match(label)) and label.upper() not in INSTRUCTIONS


def shelx_labels(labels: Sequence[str]) -> list[str]:
    """A label of SHELX for each label, none used twice in either case. Those that fit stay as they are.

    Others lose forbidden characters and what is too long; `1C` becomes `C1`. Raises ValueError for more atoms than there
    are labels (over a million of one letter).
    """
    result: dict[int, str] = {}
    used: set[str] = set()
    for row, label in enumerate(labels):
        if is_shelx_label(label) and label.upper() not in used:
            result[row] = label
            used.add(label.upper())
    for row, label in enumerate(labels):
        if row not in result:
            chosen = next((name for name in _candidates(label) if name.upper() not in used), None)
            if chosen is None:
                raise ValueError(f"SHELX has no label left for atom {label}")
            result[row] = chosen
            used.add(chosen.upper())
    return [result[row] for row in range(len(labels))]


def _candidates(label: str) -> Iterator[str]:
    plain = re.sub(r"[^A-Za-z0-9']", "", label)
    first = re.search(r"[A-Za-z]", plain)
    # `1C` is C1: what stands before the first letter follows it.
    at = first.start() if first else 0
    plain = (plain[at:] + plain[:at] if first else f"X{plain}")[:4]
    ends = (end for count in range(4) for end in itertools.product(_ENDINGS, repeat=count))
    names = (plain[: 4 - len(end)] + "".join(end) for end in ends)
    return (name for name in names if is_shelx_label(name))
