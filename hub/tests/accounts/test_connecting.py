"""Letting a program outside the hub in: its secret, the code a person types, the token it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from qcrbox.client import loopback
from qcrbox_hub.accounts.connect_page import scopes_outside
from qcrbox_hub.accounts.roles import ACCESS, ADMIN, APPLICATIONS, DATA, MANAGE, TEACH, USE

if TYPE_CHECKING:
    from conftest import Browser, Hub


class Program:
    """What `qc.connect` asks the hub."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=30, mounts=loopback.mounts(url))

    def begin(self, program: str = "a notebook on my-laptop") -> dict[str, str]:
        answer = self.http.post("/hub/connect/begin", json={"program": program})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def ask(self, secret: str) -> httpx.Response:
        return self.http.post("/hub/connect/token", json={"secret": secret})

    def who(self, token: str) -> httpx.Response:
        return self.http.get("/hub/api/user", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture(scope="module")
def program(hub: Hub) -> Program:
    return Program(hub.url)


def test_person_lets_a_program_in_and_it_acts_for_them_once(hub: Hub, program: Program, member) -> None:
    ivan = member("ivan")
    begun = program.begin()
    assert program.ask(begun["secret"]).status_code == 202
    asked = ivan.submit("/hub/connect", code=begun["code"].lower())
    assert "a notebook on my-laptop" in asked.text
    assert begun["code"] in asked.text
    assert program.ask(begun["secret"]).status_code == 202, "looking at it allows nothing"
    assert "Done." in ivan.submit("/hub/connect", code=begun["code"], action="allow").text
    given = program.ask(begun["secret"])
    assert (given.status_code, given.json()["person"]) == (200, "ivan")
    about = program.who(given.json()["token"]).json()
    assert about["name"] == "ivan"
    assert {USE, ACCESS} <= set(about["scopes"])
    assert program.ask(begun["secret"]).status_code == 404, "a token is given once"
    assert ivan.submit("/hub/connect", code=begun["code"]).status_code == 404, "a code works once"


def test_token_stands_on_the_token_page_and_can_be_taken_back(hub: Hub, program: Program, member) -> None:
    judy = member("judy")
    begun = program.begin("Python on judys-desk")
    judy.submit("/hub/connect", code=begun["code"], action="allow")
    token = program.ask(begun["secret"]).json()["token"]
    assert "qc.connect: Python on judys-desk" in judy.get("/hub/token").text
    own = {"Authorization": f"Bearer {token}"}
    listed = judy.http.get("/hub/api/users/judy/tokens", headers={"X-XSRFToken": judy.xsrf()}).json()
    mine = next(one for one in listed["api_tokens"] if one["note"].startswith("qc.connect"))
    assert mine["expires_at"]
    gone = judy.http.delete(f"/hub/api/users/judy/tokens/{mine['id']}", headers={"X-XSRFToken": judy.xsrf()})
    assert gone.status_code == 204
    assert program.http.get("/hub/api/user", headers=own).status_code in (401, 403)


def test_refusal_reaches_the_program(hub: Hub, program: Program, member) -> None:
    begun = program.begin()
    member("karl").submit("/hub/connect", code=begun["code"], action="refuse")
    answer = program.ask(begun["secret"])
    assert (answer.status_code, answer.json()["message"]) == (403, "The sign-in was refused.")


def test_page_needs_a_person_and_its_form_the_hubs_token(hub: Hub, program: Program, member) -> None:
    code = program.begin()["code"]
    assert hub.browser().get("/hub/connect").url.path == "/hub/login"
    liam = member("liam")
    forged = liam.http.post("/hub/connect", data={"code": code, "action": "allow"})
    assert forged.status_code == 403
    page = liam.get("/hub/connect")
    assert page.headers["x-frame-options"] == "DENY"


def test_name_of_a_program_is_shown_as_text(hub: Hub, program: Program, member) -> None:
    begun = program.begin("<script>alert(1)</script>" + "x" * 500)
    page = member("mona").submit("/hub/connect", code=begun["code"]).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page
    assert "x" * 200 not in page


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"not json",
        b'{"secret": 5}',
        b'{"secret": "' + b"a" * 5000 + b'"}',
        rb'{"secret": "\ud800"}',
        b"[" * 1999,
        b'{"secret": "\xff"}',
    ],
    ids=["empty", "list", "text", "number", "long", "half a character", "deep", "no UTF-8"],
)
def test_damaged_questions_open_nothing(hub: Hub, program: Program, body: bytes) -> None:
    answer = program.http.post("/hub/connect/token", content=body)
    assert answer.status_code in (400, 404)


def test_codes_cannot_be_tried_out(hub: Hub, program: Program, member) -> None:
    nina = member("nina")
    answers = [
        nina.submit("/hub/connect", code=f"BBBB-BBB{letter}").status_code for letter in "BCDFGHJKLMNPQRSTVWXZ"
    ]
    assert set(answers) == {404}
    begun = program.begin()
    assert nina.submit("/hub/connect", code=begun["code"], action="allow").status_code == 429
    assert program.ask(begun["secret"]).status_code == 202


def test_locked_account_gives_no_token(hub: Hub, admin: Browser, program: Program, member) -> None:
    begun = program.begin()
    member("oscar").submit("/hub/connect", code=begun["code"], action="allow")
    admin.submit("/hub/administration/people/oscar", action="lock", typed_name="oscar", reason="test")
    assert program.ask(begun["secret"]).status_code == 403


# ---------------------------------------------------------------- without a hub


def test_token_for_outside_has_what_a_person_has_in_groups_and_nothing_of_an_administrator() -> None:
    held = {
        ACCESS,
        USE,
        ADMIN,
        APPLICATIONS,
        MANAGE,
        f"{MANAGE}!group=g1",
        f"{DATA}!group=g1",
        f"{TEACH}!group=g2",
    }
    assert set(scopes_outside(held)) == {
        ACCESS,
        USE,
        f"{MANAGE}!group=g1",
        f"{DATA}!group=g1",
        f"{TEACH}!group=g2",
    }
