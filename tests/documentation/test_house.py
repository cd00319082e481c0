"""What the house table promises for every room: no circle of imports, and documented public functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.house import ROOMS, measure

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = 0.95


@pytest.mark.parametrize("room", ROOMS)
def test_files_of_a_room_import_no_circle(room):
    package, tests = ROOMS[room]
    assert measure(ROOT / package, ROOT / tests).circles() == []


@pytest.mark.parametrize("room", ROOMS)
def test_public_functions_and_classes_have_docstrings(room):
    measured = measure(ROOT / ROOMS[room][0])
    share = measured.documented / measured.public
    assert share >= DOCUMENTED, f"{share:.1%} of {room}; without: {', '.join(measured.undocumented)}"
