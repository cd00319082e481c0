"""What the house table promises for every room: no circle of imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.house import ROOMS, measure

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("room", ROOMS)
def test_files_of_a_room_import_no_circle(room):
    package, tests = ROOMS[room]
    assert measure(ROOT / package, ROOT / tests).circles() == []
