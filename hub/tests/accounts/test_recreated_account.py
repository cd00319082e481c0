"""A new account under the name of a deleted one is another account: it gets nothing of the old one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Browser, Hub

pytestmark = [pytest.mark.attack(4), pytest.mark.slow]


def start_server(browser: Browser, name: str) -> None:
    page = f"{browser.server(name)}/lab"
    browser.get("/hub/spawn")
    wait(lambda: str(browser.http.get(page).url) == page, "the server did not start")


def wait(what: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.3)


def test_new_account_of_an_old_name_gets_another_home_and_no_token(
    hub: Hub, admin: Browser, member: Callable[[str], Browser]
) -> None:
    gus = member("gus")
    start_server(gus, "gus")
    (old,) = hub.data.homes.glob("*-gus")
    (old / "diary").write_text("of the first gus")
    gus.get("/hub/token")
    xsrf = gus.xsrf()
    made = gus.http.post("/hub/api/users/gus/tokens", json={"note": "old"}, headers={"X-XSRFToken": xsrf})
    token = {"Authorization": f"token {made.json()['token']}"}

    admin.get("/hub/token")
    xsrf = admin.xsrf()
    headers = {"X-XSRFToken": xsrf}
    stopped = admin.http.delete("/hub/api/users/gus/server", headers=headers)
    assert stopped.status_code in (202, 204), stopped.text
    wait(lambda: admin.http.delete("/hub/api/users/gus", headers=headers).status_code == 204, "not deleted")
    wait(lambda: not old.exists(), "the home was not archived")
    assert (hub.data.path / "archive" / "homes" / old.name / "diary").exists()
    assert hub.browser().sign_in("gus").status_code == 403, "the old password opens nothing"

    again = member("gus")
    start_server(again, "gus")
    (new,) = hub.data.homes.glob("*-gus")
    assert new.name != old.name
    assert not (new / "diary").exists()
    assert hub.browser().http.get("/hub/api/user", headers=token).status_code in (401, 403)
    assert gus.get("/hub/token").url.path == "/hub/login", "an old cookie signs in to the new account"
    numbers = [int(re.match(r"\d+", Path(each).name)[0]) for each in (old, new)]  # type: ignore[index]
    assert numbers[1] > numbers[0]
