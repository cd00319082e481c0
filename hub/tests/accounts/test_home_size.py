"""A person sees how full the own home is, and a full one keeps a new server from starting."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from qcrbox_hub.platform.settings import People, PlatformSettings

if TYPE_CHECKING:
    from conftest import Browser, Hub

pytestmark = pytest.mark.slow
PASSWORD = "plum-Orchid-42-river"


@pytest.mark.attack(12)
def test_home_over_its_quota_is_said_and_starts_no_server(
    start_hub: Callable[..., AbstractContextManager[Hub]], tmp_path: Path
) -> None:
    settings = PlatformSettings(people=People(home_gib=0.01))
    with start_hub(tmp_path, settings) as hub:
        browser: Browser = hub.browser()
        passwords = {"password": PASSWORD, "password_confirmation": PASSWORD}
        browser.submit(f"/hub/first-admin?code={hub.code}", code=hub.code, username="ada", **passwords)
        assert browser.get("/hub/home-size").json() == {"used_bytes": 0, "limit_bytes": 10737418}
        assert "home-size" in browser.get("/hub/home").text

        home = hub.data.homes / "1-ada"
        home.mkdir(exist_ok=True)
        (home / "big").write_bytes(b"x" * 12_000_000)
        assert "Your home is full" in browser.get("/hub/spawn").text
        assert hub.browser().get("/hub/home-size").url.path == "/hub/login"
