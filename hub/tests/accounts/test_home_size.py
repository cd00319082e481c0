"""A person sees how full the own home is, and a home over its limit ends the server that fills it."""

from __future__ import annotations

import time
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
MB = 1_000_000


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


@pytest.mark.attack(12)
def test_home_over_its_limit_ends_the_server_and_starts_again_to_clean_up(
    start_hub: Callable[..., AbstractContextManager[Hub]], tmp_path: Path
) -> None:
    settings = PlatformSettings(people=People(home_gib=0.1))
    with start_hub(tmp_path, settings) as hub:
        browser: Browser = hub.browser()
        passwords = {"password": PASSWORD, "password_confirmation": PASSWORD}
        browser.submit(f"/hub/first-admin?code={hub.code}", code=hub.code, username="ada", **passwords)
        assert browser.get("/hub/home-size").json() == {
            "used_bytes": 0,
            "limit_bytes": 107374182,
            "notice": "",
        }
        assert "home-size" in browser.get("/hub/home").text
        assert hub.browser().get("/hub/home-size").url.path == "/hub/login"

        def running() -> bool:
            return browser.get(browser.server("ada") + "/api").status_code == 200

        def started() -> bool:
            browser.get("/hub/spawn")  # one that is still stopping has to be asked for again
            return running()

        home = hub.data.homes / "1-ada"
        until(started, "the server starts")
        (home / "big").write_bytes(b"x" * 250 * MB)
        until(lambda: not running(), "a home that grows over its limit ends the server")
        assert "its limit is 0.10 GiB" in browser.get("/hub/home-size").json()["notice"]
        assert "home_notice" in browser.get("/hub/home").text

        until(started, "it starts over the limit too: files can be removed")
        (home / "big").unlink()
