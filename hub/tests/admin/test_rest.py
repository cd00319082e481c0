"""The administration as REST, and `qcrbox admin`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from qcrbox_hub.admin.routes import PAGES

if TYPE_CHECKING:
    from conftest import Browser, Hub

API = "/hub/api/administration"
Run = Callable[..., subprocess.CompletedProcess[str]]


def token_of(browser: Browser, *scopes: str) -> str:
    """A token with everything its owner may do, or these scopes."""
    browser.get("/hub/token")
    xsrf = browser.xsrf()
    name = browser.get("/hub/api/user").json()["name"]
    made = browser.http.post(
        f"/hub/api/users/{name}/tokens",
        json={"note": "admin", "scopes": list(scopes) or ["inherit"], "expires_in": 600},
        headers={"X-XSRFToken": xsrf},
    )
    if made.status_code == 403:  # an administrator's token needs a recent proof
        browser.submit("/hub/confirm")
        return token_of(browser, *scopes)
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


@pytest.fixture(scope="module")
def token(ada: Browser) -> str:
    return token_of(ada)


@pytest.fixture
def run(platform: Hub, token: str, tmp_path: Path) -> Run:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text(token)

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qcrbox_hub", "admin", *words]
        variables = {"QCRBOX_URL": platform.url, "QCRBOX_TOKEN_FILE": str(file), "NO_COLOR": "1"}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | variables
        )

    return call


@pytest.mark.slow
def test_tables_and_acts_from_the_command_line(run: Run, make_person: Callable[..., Browser]) -> None:
    clara = make_person("clara-command")
    rows = json.loads(run("people", "-q", "q=clara-").stdout)["rows"]
    assert [row["name"] for row in rows] == ["clara-command"]
    assert run("people", "--csv", "-q", "q=clara-").stdout.splitlines()[1].startswith("clara-command,active")
    refused = run("people/clara-command", "lock", "reason=left")
    assert refused.returncode == 1
    assert "Type clara-command to confirm" in refused.stderr
    typed = "typed_name=clara-command"
    assert "A reason is needed" in run("people/clara-command", "lock", typed).stderr
    assert "clara-command is locked" in run("people/clara-command", "lock", typed, "reason=left").stdout
    assert clara.get("/hub/token").url.path == "/hub/login"
    assert json.loads(run("overview").stdout)["people"]["locked"] >= 1
    assert "no such action" in run("people/clara-command", "explode").stderr
    assert "is not of the form" in run("people/clara-command", "lock", "reason").stderr


def test_every_page_answers_json(platform: Hub, token: str) -> None:
    http = platform.browser().http
    for page in [path for path, _ in PAGES if path and "(" not in path and path != "/?"]:
        answer = http.get(API + page, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, (page, answer.text)
        assert isinstance(answer.json()["acts"], dict), page


def test_answer_names_what_each_act_asks_for(run: Run, make_person: Callable[..., Browser]) -> None:
    make_person("carl-asks")
    acts = json.loads(run("people/carl-asks").stdout)["acts"]
    assert acts["delete"] == {"reason": True, "typed_name": True}
    assert acts["take_role"] == {"reason": True, "typed_name": False}
    assert acts["unlock"] == {"reason": False, "typed_name": False}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"action": "sign_out"}, "Type stella to confirm"),
        ({"action": "sign_out", "typed_name": "stella"}, "A reason is needed"),
        ({"action": "delete", "typed_name": "Stella", "reason": "x", "data": "wait"}, "Type stella"),
        ({"action": "take_applications"}, "A reason is needed"),
    ],
)
def test_missing_name_or_reason_is_422(
    platform: Hub, token: str, student: Browser, body: dict[str, str], said: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    answer = platform.browser().http.post(f"{API}/people/stella", json=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["error"]["what"]
    assert student.get("/hub/token").url.path == "/hub/token", "nothing was done"


@pytest.mark.slow
def test_invitations_from_the_command_line(
    platform: Hub, run: Run, make_person: Callable[..., Browser]
) -> None:
    make_person("greta-group", "command-course")
    made = json.loads(run("invitations", "code", "group=command-course", "days=1", "uses=2").stdout)
    browser = platform.browser()
    code, password = made["secret"], "plum-Orchid-42-river"
    fields = {"username": "greta-joins", "password": password, "password_confirmation": password}
    browser.submit(f"/hub/join?code={code}", code=code, **fields)
    assert "command-course" in browser.get("/hub/api/user").json()["groups"]

    link = json.loads(
        run("invitations", "link", "name=greta-linked", "group=command-course", "role=manager").stdout
    )
    linked = platform.browser()
    linked.submit(f"/hub/join?code={link['secret']}", code=link["secret"], **fields)
    assert linked.get("/hub/api/user").json()["name"] == "greta-linked"
    assert linked.get("/hub/administration/groups/command-course").status_code == 200

    present = json.loads(run("invitations").stdout)["present"]
    (mine,) = [each for each in present if each["group"] == "command-course"]
    assert (mine["kind"], mine["uses_left"]) == ("code", 1)
    assert "hashed" not in mine
    assert "A reason is needed" in run("invitations", "withdraw", f"number={mine['id']}").stderr
    done = run("invitations", "withdraw", f"number={mine['id']}", "reason=course is full")
    assert "withdrawn" in done.stdout
    assert "does not hold" in platform.browser().get(f"/hub/join?code={code}").text
    assert "is taken" in run("invitations", "link", "name=ada").stderr


def test_answers_hold_no_password_of_those_who_wait(platform: Hub, run: Run) -> None:
    platform.browser().sign_up("paul-patient")
    requests = json.loads(run("people").stdout)["requests"]
    assert [set(each) for each in requests if each["name"] == "paul-patient"] == [
        {"id", "name", "asked_at", "address", "taken"}
    ]


def test_token_opens_no_more_than_its_owner_may_and_a_cookie_nothing(
    platform: Hub, ada: Browser, manager: Browser, student: Browser
) -> None:
    def status(token: str, path: str, **body: Any) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        http = platform.browser().http
        answer = (
            http.post(API + path, json=body, headers=headers)
            if body
            else http.get(API + path, headers=headers)
        )
        return answer.status_code

    of_manager, of_student = token_of(manager), token_of(student)
    assert status(of_manager, "/groups/physics") == 200
    assert status(of_manager, "/people") == 404
    assert status(of_student, "/groups/physics") == 404
    assert status("", "/people") == 401
    assert status("no-such-token", "/people") == 401
    assert status(of_manager, "/people/stella", action="lock", typed_name="stella", reason="x") == 404
    narrow = token_of(ada, "custom:qcrbox:use")
    assert status(narrow, "/people") == 404
    assert ada.http.get(f"{API}/people").status_code == 401
    assert ada.http.post(f"{API}/people/stella", json={"action": "lock", "reason": "x"}).status_code == 401


def test_broken_body_is_refused(platform: Hub, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    half = rb'{"action": "make", "name": "\ud800"}'
    for content in (b"{", b"[]", b'{"action": 1}', b"", b"[" * 100_000, half, b'{"action": "\xff"}'):
        answer = platform.browser().http.post(f"{API}/people", content=content, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["status"] == "error"
