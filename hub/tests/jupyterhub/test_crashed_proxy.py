"""A proxy that crashes knows its routes when it is back: ready means routed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Browser, Hub

pytestmark = [pytest.mark.attack(24), pytest.mark.slow]


def test_people_are_back_as_soon_as_the_proxy_is(
    hub: Hub, admin: Browser, member: Callable[[str], Browser]
) -> None:
    tess = member("tess")
    page = f"{tess.server('tess')}/lab"
    tess.get("/hub/spawn")
    deadline = time.monotonic() + 120
    while str(tess.http.get(page).url) != page:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.3)

    for part in ("proxy", "hub", "proxy"):
        hub.restart(part)
        answer = tess.http.get(f"{tess.server('tess')}/api/status")
        assert answer.status_code == 200, f"after a crash of the {part}: {answer.status_code}"
        assert "kernels" in answer.json()
        assert tess.get("/hub/api/user").json()["name"] == "tess"
