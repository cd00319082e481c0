"""A platform without walls serves administrators alone, until one of them says on a page that everyone is trusted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from qcrbox_hub.lifecycle import plan
from qcrbox_hub.walls.choice import Choice, Walls, everyone_is_trusted

if TYPE_CHECKING:
    from conftest import Hub

pytestmark = [pytest.mark.slow, pytest.mark.attack(30)]
PASSWORD = "plum-Orchid-42-river"
PASSWORDS = {"password": PASSWORD, "password_confirmation": PASSWORD}


def test_sign_up_stays_closed_until_an_administrator_trusts_everyone(
    start_hub: Callable[..., AbstractContextManager[Hub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine without containers and sandboxes.
    alone = Choice(Walls.ONE_PERSON, "There are no walls between people.", "Install bubblewrap.")
    monkeypatch.setattr(plan, "choose", lambda *_, **__: alone)
    with start_hub(tmp_path) as hub:
        ada = hub.browser()
        ada.submit(f"/hub/first-admin?code={hub.code}", code=hub.code, username="ada", **PASSWORDS)
        assert "no walls" in ada.get("/hub/administration/people").text
        ada.submit("/hub/administration/groups", action="make", name="lab-one")
        text = "name,group,role,password\nbob,lab-one,member,start-Pass-word-7\n"
        assert (
            "1 of 1 lines" in ada.submit("/hub/administration/invitations", action="import", people=text).text
        )

        stranger = hub.browser()
        assert "Sign-up is closed" in stranger.get("/hub/signup").text
        assert "administrators alone may sign in" in hub.browser().sign_in("bob", "start-Pass-word-7").text

        refused = ada.submit("/hub/trust", words="yes")
        assert refused.status_code == 400
        assert not everyone_is_trusted(hub.data.path)
        assert stranger.submit("/hub/login", username="bob", password="start-Pass-word-7").status_code == 403

        ada.submit("/hub/trust", words="Everyone is trusted")
        assert everyone_is_trusted(hub.data.path)
        page = stranger.get("/hub/signup").text
        assert 'id="no_walls"' in page, "the sign-up page says what is missing"
        assert hub.browser().sign_in("bob", "start-Pass-word-7").url.path == "/hub/change-password"
