"""What the house table promises for every room: no circle of imports, and documented public functions."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tools.house import ROOMS, Measured, measure

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = 0.95


@cache
def measured(room: str) -> Measured:
    package, tests = ROOMS[room]
    return measure(ROOT / package, ROOT / tests)


@pytest.mark.parametrize("room", ROOMS)
def test_files_of_a_room_import_no_circle(room):
    assert measured(room).circles() == []


@pytest.mark.parametrize("room", ROOMS)
def test_public_functions_and_classes_have_docstrings(room):
    found = measured(room)
    share = found.documented / found.public
    assert share >= DOCUMENTED, f"{share:.1%} of {room}; without: {', '.join(found.undocumented)}"
