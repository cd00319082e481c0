"""What the house table promises for every room: no circle of imports but those written down here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.house import ROOMS, measure

ROOT = Path(__file__).resolve().parents[2]
# The pages of accounts need the class of the authenticator, which names the pages among its handlers.
KNOWN = {
    "qcrbox_hub": {
        "authenticator",
        "connect_page",
        "group_page",
        "invitation_pages",
        "members",
        "pages",
    }
}


@pytest.mark.parametrize("room", ROOMS)
def test_files_of_a_room_import_no_circle(room):
    package, tests = ROOMS[room]
    found = {
        name.rpartition(".")[2]
        for circle in measure(ROOT / package, ROOT / tests).circles()
        for name in circle
    }
    assert found <= KNOWN.get(room, set())
