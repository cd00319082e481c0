"""The pages of people: table, CSV, and acts on an account."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Browser, Hub

ROOT = "/hub/administration"
PEOPLE = f"{ROOT}/people"


def names(page: str) -> list[str]:
    """The people of the table, in its order."""
    return re.findall(r'<th scope="row"><a href="[^"]*/people/([^"]+)"', page)


def test_table_is_searched_sorted_and_filtered(ada: Browser, make_person: Callable[..., Browser]) -> None:
    for name in ("zoe-table", "abe-table"):
        make_person(name, "tablers")
    assert names(ada.get(f"{PEOPLE}?q=-TABLE").text) == ["abe-table", "zoe-table"]
    assert names(ada.get(f"{PEOPLE}?q=-table&sort=-name").text) == ["zoe-table", "abe-table"]
    assert names(ada.get(f"{PEOPLE}?group=tablers&q=zoe").text) == ["zoe-table"]
    assert names(ada.get(f"{PEOPLE}?state=administrators").text) == ["ada"]
    # A sign that means something in SQL means itself.
    assert names(ada.get(f"{PEOPLE}?q=%25").text) == []


def test_text_of_an_address_is_escaped(ada: Browser) -> None:
    page = ada.get(
        PEOPLE,
    ).text
    assert "<script>" not in ada.get(f'{PEOPLE}?q="><script>alert(1)</script>').text
    assert "<h1>People</h1>" in page


def test_csv_has_every_row(ada: Browser, make_person: Callable[..., Browser]) -> None:
    make_person("carl-csv")
    answer = ada.get(f"{PEOPLE}?format=csv&q=-csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["name"] for row in rows] == ["carl-csv"]
    assert rows[0]["groups"] == "everyone"


def test_account_is_made_with_a_password_that_must_be_changed(platform: Hub, ada: Browser) -> None:
    page = ada.submit(PEOPLE, action="make", name="nina-new", group="").text
    password = re.search(r'id="password">([^<]+)<', page)
    assert password
    nina = platform.browser()
    assert nina.sign_in("nina-new", password.group(1)).url.path == "/hub/change-password"
    assert "is taken" in ada.submit(PEOPLE, action="make", name="nina-new", group="").text


def test_requests_are_approved_on_the_page(platform: Hub, ada: Browser) -> None:
    browser = platform.browser()
    browser.sign_up("wanda-waits")
    number = re.search(r'name="request" value="(\d+)" id="p_wanda-waits"', ada.get(PEOPLE).text)
    assert number
    assert "Approved: wanda-waits" in ada.submit(PEOPLE, action="approve", request=number.group(1)).text
    assert browser.sign_in("wanda-waits").status_code == 200


def test_locked_person_is_out_until_unlocked(ada: Browser, make_person: Callable[..., Browser]) -> None:
    leo = make_person("leo-lock")
    page = f"{PEOPLE}/leo-lock"
    assert "A reason is needed" in ada.submit(page, action="lock", typed_name="leo-lock").text
    assert "nothing was changed" in ada.submit(page, action="lock", typed_name="leo", reason="left").text
    assert "is locked" in ada.submit(page, action="lock", typed_name="leo-lock", reason="left").text
    assert leo.get("/hub/token").url.path == "/hub/login"
    assert "leo-lock" in names(ada.get(f"{PEOPLE}?state=locked").text)
    assert "is unlocked" in ada.submit(page, action="unlock").text
    assert leo.sign_in("leo-lock").status_code == 200


def test_signed_out_everywhere(ada: Browser, make_person: Callable[..., Browser]) -> None:
    olaf = make_person("olaf-out")
    assert (
        "signed out everywhere"
        in ada.submit(
            f"{PEOPLE}/olaf-out", action="sign_out", typed_name="olaf-out", reason="a test", tokens="yes"
        ).text
    )
    assert olaf.get("/hub/token").url.path == "/hub/login"


def test_roles_and_groups_are_given_and_taken(ada: Browser, make_person: Callable[..., Browser]) -> None:
    rosa = make_person("rosa-roles", "roles-group")
    page = f"{PEOPLE}/rosa-roles"

    def scopes() -> set[str]:
        return set(rosa.get("/hub/api/user").json()["scopes"])

    ada.submit(page, action="give_role", group="roles-group", role="manager")
    assert "custom:qcrbox:manage!group=roles-group" in scopes()
    ada.submit(page, action="take_role", reason="a test", group="roles-group", role="manager")
    assert "custom:qcrbox:manage!group=roles-group" not in scopes()
    ada.submit(page, action="remove_from_group", reason="a test", group="roles-group")
    assert "roles-group" not in rosa.get("/hub/api/user").json()["groups"]
    assert (
        "not in roles-group" in ada.submit(page, action="give_role", group="roles-group", role="manager").text
    )
    ada.submit(page, action="give_applications")
    assert "custom:qcrbox:applications" in scopes()
    ada.submit(page, action="take_applications", reason="a test")
    assert "custom:qcrbox:applications" not in scopes()


def test_making_an_administrator_asks_for_the_typed_name(
    ada: Browser, make_person: Callable[..., Browser]
) -> None:
    tess = make_person("tess-admin")
    page = f"{PEOPLE}/tess-admin"
    refused = ada.submit(page, action="make_administrator", reason="a test", typed_name="tess")
    assert "nothing was changed" in refused.text
    assert tess.get(PEOPLE).status_code == 404
    ada.submit(page, action="make_administrator", reason="a test", typed_name="tess-admin")
    assert tess.get(PEOPLE).status_code == 200
    ada.submit(page, action="make_member", reason="a test")
    assert tess.get(PEOPLE).status_code == 404


def test_deleted_account_is_gone_and_its_data_goes_where_it_was_said(
    platform: Hub, ada: Browser, make_person: Callable[..., Browser], rest: Callable[..., object]
) -> None:
    dora, heir = make_person("dora-deleted"), make_person("heir-of-dora")
    assert rest(heir, "GET", "/api/me").status_code == 200  # type: ignore[attr-defined]
    stored = rest(
        dora, "POST", "/api/datasets", files={"file": ("left.txt", b"left behind")}, data={"group": ""}
    )
    assert stored.status_code == 201, stored.text  # type: ignore[attr-defined]
    dataset = stored.json()["payload"]["datasets"][0]["qcrbox_dataset_id"]  # type: ignore[attr-defined]
    with closing(sqlite3.connect(platform.data.path / "qcrbox.sqlite")) as database, database:
        # The registry waits a minute before it believes that a new account is gone.
        database.execute("UPDATE people SET created_at = created_at - 120 WHERE name = 'dora-deleted'")
    page = f"{PEOPLE}/dora-deleted"
    wrong = ada.submit(page, action="delete", typed_name="dora", reason="left", data="wait")
    assert "nothing was changed" in wrong.text
    answer = ada.submit(
        page, action="delete", typed_name="dora-deleted", reason="left", data="person", to="heir-of-dora"
    )
    assert "is deleted" in answer.text
    assert "hand it over to a person" in answer.text, re.findall(r"alert[^>]*>([^<]*)<", answer.text)
    assert ada.get(page).status_code == 404
    assert dora.get("/hub/token").url.path == "/hub/login"
    read = rest(heir, "GET", f"/api/datasets/{dataset}")
    assert read.status_code == 200  # type: ignore[attr-defined]


def test_nobody_deletes_or_locks_themselves(ada: Browser) -> None:
    answer = ada.submit(f"{PEOPLE}/ada", action="delete", typed_name="ada", reason="x", data="wait")
    assert "You cannot delete yourself" in answer.text
    assert (
        "You cannot lock yourself"
        in ada.submit(f"{PEOPLE}/ada", action="lock", typed_name="ada", reason="x").text
    )


def test_limits_of_a_person_hold_in_the_registry(
    ada: Browser, make_person: Callable[..., Browser], rest: Callable[..., object]
) -> None:
    lisa = make_person("lisa-limits")
    rest(lisa, "GET", "/api/me")
    page = f"{PEOPLE}/lisa-limits"
    assert "Changed: Running calculations" in ada.submit(page, action="limits", limit_running="2").text
    assert "is no limit" in ada.submit(page, action="limits", limit_running="many").text
    quotas = rest(lisa, "GET", "/api/me").json()["payload"]["quotas"]  # type: ignore[attr-defined]
    assert {each["quota"]: each["limit"] for each in quotas if each["subject"] == "person"}["running"] == 2


def test_unknown_person_is_not_found(ada: Browser) -> None:
    assert ada.get(f"{PEOPLE}/nobody-here").status_code == 404


@pytest.mark.parametrize("action", ["_set_role", "get", "no-such-act", ""])
def test_unknown_action_is_refused(ada: Browser, action: str) -> None:
    assert ada.submit(f"{PEOPLE}/ada", action=action).status_code == 400
