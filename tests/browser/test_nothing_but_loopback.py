"""The browser of these tests reaches this machine alone, and each try to go elsewhere is noted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Error

from .conftest import Visits, watch

pytestmark = pytest.mark.slow

ELSEWHERE = ["http://192.0.2.1/", "https://example.org/"]
SOCKET = "ws://192.0.2.1/"


def test_no_other_machine_is_reached_and_each_try_is_noted(chromium: Browser) -> None:
    visits = Visits()
    context = chromium.new_context()
    watch(context, visits)
    page = context.new_page()
    page.evaluate(
        "address => new Promise(done => { new WebSocket(address).onclose = () => done(); })", SOCKET
    )
    for address in ELSEWHERE:
        with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
            page.goto(address)
    context.close()
    assert visits.elsewhere == [SOCKET, *ELSEWHERE]
    assert any("ERR_NAME_NOT_RESOLVED" in line for line in visits.console), visits.console
