"""Accounts, as a browser meets them."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest
from qcrbox_hub.accounts.brake import Attempts
from qcrbox_hub.accounts.first_admin import LIFE_S, FirstAdminCode, has_administrator
from qcrbox_hub.platform.data_folder import DataFolder

if TYPE_CHECKING:
    from conftest import Browser, Hub


PASSWORD = "plum-Orchid-42-river"  # that of every account the fixtures make


@pytest.mark.attack(30)
def test_first_administrator_link_works_once(hub: Hub, admin: Browser) -> None:
    assert "People" in admin.get("/hub/administration/people").text
    again = hub.browser().get(f"/hub/first-admin?code={hub.code}")
    assert again.status_code == 404
    assert has_administrator(f"sqlite:///{hub.data.hub / 'jupyterhub.sqlite'}")


@pytest.mark.attack(30)
def test_first_administrator_code_is_not_stored(hub: Hub, admin: Browser) -> None:
    kept = [
        file for file in hub.data.path.rglob("*") if file.is_file() and hub.code.encode() in file.read_bytes()
    ]
    assert kept == []


def test_first_administrator_code_ends_after_a_day(data: DataFolder) -> None:
    code = data.new_first_admin_code()
    now = [0.0]
    check = FirstAdminCode(data.secrets / "first_admin.json", clock=lambda: now[0])
    assert check.is_valid(code)
    assert not check.is_valid(code + "x")
    now[0] = 1e10 + LIFE_S
    assert not check.is_valid(code)


def test_new_account_waits_for_approval_and_then_signs_in(hub: Hub, admin: Browser) -> None:
    browser = hub.browser()
    assert "waits for approval" in browser.sign_up("grace").text
    refused = browser.sign_in("grace")
    assert refused.status_code == 403
    assert "not approved this account yet" in refused.text
    admin.submit("/hub/administration/people", name="grace", action="approve")
    welcome = browser.sign_in("grace")
    assert welcome.status_code == 200
    assert welcome.url.path == "/hub/token"


def test_refused_account_may_ask_again(hub: Hub, admin: Browser) -> None:
    hub.browser().sign_up("heidi")
    admin.submit("/hub/administration/people", name="heidi", action="refuse", reason="a test")
    assert "waits for approval" in hub.browser().sign_up("heidi").text


@pytest.mark.attack(7)
def test_locked_member_is_out_at_once_and_can_be_unlocked(
    hub: Hub, admin: Browser, member: Callable[[str], Browser]
) -> None:
    ivan = member("ivan")
    admin.submit("/hub/administration/people/ivan", action="lock", typed_name="ivan", reason="test")
    assert ivan.get("/hub/token").url.path == "/hub/login"
    assert ivan.sign_in("ivan").status_code == 403
    # A locked account keeps its place: it can be unlocked, not refused away.
    admin.submit("/hub/administration/people", name="ivan", action="refuse", reason="a test")
    admin.submit("/hub/administration/people/ivan", action="unlock")
    assert ivan.sign_in("ivan").status_code == 200


def test_member_sees_no_people_page(member: Callable[[str], Browser]) -> None:
    judy = member("judy")
    assert judy.get("/hub/administration/people").status_code == 404
    assert "Administration" not in judy.get("/hub/token").text


def test_pages_of_the_hub_itself_have_the_links_and_words_of_ours(admin: Browser) -> None:
    for path in ("/hub/home", "/hub/token"):
        page = admin.get(path).text
        links = re.findall(r'<a class="nav-link"[^>]*>([^<]+)</a>', page)
        assert links == ["Home", "Token", "Password", "Administration", "Courses"], path
        assert "Sign out" in page
        assert "Logout" not in page
    page = admin.get("/hub/administration/people/nobody-of-this-name").text
    assert page.count("nobody-of-this-name") <= 1
    assert "<h1>404: Not Found</h1>" in page


@pytest.mark.attack(5)
@pytest.mark.attack(2)
@pytest.mark.parametrize("path", ["authorize", "authorize/mallory", "discard/mallory", "confirm/x"])
def test_pages_that_act_on_get_are_gone(admin: Browser, path: str) -> None:
    assert admin.get(f"/hub/{path}").status_code == 404


@pytest.mark.attack(2)
@pytest.mark.parametrize("path", ["people", "signup", "first-admin", "change-password", "login"])
def test_post_without_xsrf_token_is_refused(admin: Browser, path: str) -> None:
    answer = admin.http.post(f"/hub/{path}", data={"name": "ada", "action": "lock"})
    assert answer.status_code == 403
    assert admin.get("/hub/people").status_code == 200


@pytest.mark.parametrize(("old", "new"), [("people", "people"), ("group-members", "groups")])
def test_addresses_of_the_older_pages_lead_to_the_administration_and_change_nothing(
    hub: Hub, admin: Browser, member: Callable[[str], Browser], old: str, new: str
) -> None:
    assert admin.get(f"/hub/{old}").url.path == f"/hub/administration/{new}"
    posted = {"name": "ada", "action": "lock", "group": "x-by-post", "_xsrf": admin.xsrf()}
    assert admin.http.post(f"/hub/{old}", data=posted).status_code == 405
    assert member(f"plain-{old}").get(f"/hub/{old}").status_code == 404
    assert hub.browser().get(f"/hub/{old}").url.path == "/hub/login"


@pytest.mark.parametrize(
    ("name", "password", "again", "expected"),
    [
        ("a", PASSWORD, PASSWORD, "3 to 32"),
        ("../etc", PASSWORD, PASSWORD, "3 to 32"),
        ("commands.*", PASSWORD, PASSWORD, "3 to 32"),
        ("а" * 5, PASSWORD, PASSWORD, "3 to 32"),
        ("local", PASSWORD, PASSWORD, "reserved"),
        ("trent", PASSWORD, PASSWORD + "x", "differ"),
        ("trent", "short", "short", "at least 10"),
        ("trent", "x" * 80, "x" * 80, "at most 72"),
        ("trent", "aaaaaaaaaaaa", "aaaaaaaaaaaa", "easy to guess"),
        ("trent", "trent-trent-1", "trent-trent-1", "easy to guess"),
        ("trent", "1234567890", "1234567890", "common"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_unusable_sign_up_says_why(
    hub: Hub, admin: Browser, name: str, password: str, again: str, expected: str
) -> None:
    answer = hub.browser().submit(
        "/hub/signup", username=name, password=password, password_confirmation=again
    )
    assert answer.status_code == 400
    assert expected in answer.text


@pytest.mark.attack(8)
def test_unknown_name_and_wrong_password_get_the_same_answer(hub: Hub, admin: Browser) -> None:
    unknown = hub.browser().sign_in("nobody-here", "x" * 12)
    wrong = hub.browser().sign_in("ada", "x" * 12)
    expected = "User name or password is not right."
    assert (unknown.status_code, wrong.status_code) == (403, 403)
    assert expected in unknown.text
    assert expected in wrong.text


@pytest.mark.slow
@pytest.mark.attack(8)
def test_guesses_of_a_stranger_keep_nobody_out(hub: Hub, member: Callable[[str], Browser]) -> None:
    member("kim")
    guesser = hub.browser()
    begin = time.monotonic()
    for number in range(6):
        assert guesser.sign_in("kim", f"guess-{number}-of-many").status_code == 403
    # The sixth waited a second; the right password is let in all the same.
    assert time.monotonic() - begin > 1
    assert guesser.sign_in("kim").status_code == 200


@pytest.mark.attack(8)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-Ip"])
def test_guesses_under_claimed_addresses_are_slowed_all_the_same(
    hub: Hub, member: Callable[[str], Browser], header: str
) -> None:
    name = f"lena{len(header)}"
    member(name)
    for number in range(6):
        guesser = hub.browser()
        guesser.http.headers[header] = f"192.0.2.{number}"
        begin = time.monotonic()
        assert "is not right" in guesser.sign_in(name, f"guess-{number}-of-many").text
    assert time.monotonic() - begin > 1, "the sixth waits a second"


@pytest.mark.attack(6)
def test_nobody_shares_a_server(hub: Hub, admin: Browser, member: Callable[[str], Browser]) -> None:
    mallory = member("mallory")
    mallory.get("/hub/token")
    headers = {"X-XSRFToken": mallory.xsrf()}
    # Whoever opened it would hand its owner a token of theirs.
    for path in ("share-codes/mallory/", "shares/mallory/"):
        answer = mallory.http.post(f"/hub/api/{path}", json={"user": "ada"}, headers=headers)
        assert answer.status_code == 403, path
    assert admin.get("/hub/accept-share?code=guessed").status_code == 404
    begun = f"{hub.url}/hub/api/oauth2/authorize?client_id=jupyterhub-user-mallory&response_type=code"
    assert admin.http.get(begun).status_code in (400, 403), "an administrator gives their token away"


@pytest.mark.attack(10)
def test_present_password_cannot_be_guessed_on_the_page_that_changes_it(
    hub: Hub, member: Callable[[str], Browser]
) -> None:
    stolen = member("pauline")  # a browser that was left open
    new = {"password": "another-Good-pass-7", "password_confirmation": "another-Good-pass-7"}
    begin = time.monotonic()
    for number in range(6):
        answer = stolen.submit("/hub/change-password", old_password=f"guess-{number}", **new)
        assert "present password is not right" in answer.text
    assert time.monotonic() - begin > 1, "the sixth waits a second"


@pytest.mark.attack(8)
def test_sign_up_does_not_tell_which_names_exist(hub: Hub, admin: Browser) -> None:
    taken, free = hub.browser().sign_up("ada"), hub.browser().sign_up("quentin")
    assert (taken.status_code, free.status_code) == (200, 200)

    def without_name(page: str, name: str) -> str:
        return re.sub(r"[A-Za-z0-9+/=_-]{60,}", "", page).replace(name, "X")

    assert without_name(taken.text, "ada") == without_name(free.text, "quentin")
    # Nor does a sign-in with the password that was asked for.
    waiting = hub.browser().sign_in("quentin")
    assert "not approved this account yet" in waiting.text
    other = hub.browser().submit(
        "/hub/signup", username="ada", password="of-a-stranger-77", password_confirmation="of-a-stranger-77"
    )
    assert other.status_code == 200
    assert "not approved this account yet" in hub.browser().sign_in("ada", "of-a-stranger-77").text
    assert hub.browser().sign_in("ada").status_code == 200, "the account of that name is as it was"


def test_request_for_a_taken_name_is_approved_under_another(hub: Hub, admin: Browser) -> None:
    password = "quite-Another-one-8"
    hub.browser().submit("/hub/signup", username="ada", password=password, password_confirmation=password)
    page = admin.get("/hub/administration/people").text
    number = re.findall(r'name="request" value="(\d+)" id="p_ada"', page)[-1]
    assert "is taken" in page
    refused = admin.submit("/hub/administration/people", request=number, action="approve")
    assert "The name ada is taken" in refused.text
    admin.submit("/hub/administration/people", request=number, action="approve", **{f"as_{number}": "ada-l"})
    assert hub.browser().sign_in("ada-l", password).status_code == 200
    assert hub.browser().sign_in("ada", password).status_code == 403


def test_attempts_are_counted_in_a_sliding_window() -> None:
    now = [0.0]
    attempts = Attempts(limit=2, window_s=60, clock=lambda: now[0])
    attempts.count("a")
    now[0] = 30
    attempts.count("a")
    assert attempts.wait_s("a") == 30
    assert attempts.wait_s("b") == 0
    now[0] = 61
    assert attempts.wait_s("a") == 0
    attempts.count("a")
    assert attempts.wait_s("a") == 29
    attempts.forget("a")
    assert attempts.wait_s("a") == 0


def test_password_change_needs_the_present_one(member: Callable[[str], Browser]) -> None:
    leo = member("leo")
    new = "another-Good-pass-7"
    wrong = leo.submit(
        "/hub/change-password", old_password="not-it-at-all", password=new, password_confirmation=new
    )
    assert "present password is not right" in wrong.text
    right = leo.submit("/hub/change-password", old_password=PASSWORD, password=new, password_confirmation=new)
    assert "is changed" in right.text
    assert leo.sign_in("leo", new).status_code == 200


def new_token(browser: Browser, name: str) -> str:
    browser.get("/hub/token")
    answer = browser.http.post(
        f"/hub/api/users/{name}/tokens", json={"note": "mine"}, headers={"X-XSRFToken": browser.xsrf()}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


def works(hub: Hub, token: str) -> bool:
    answer = hub.browser().http.get("/hub/api/user", headers={"Authorization": f"token {token}"})
    return answer.status_code == 200


@pytest.mark.attack(7)
@pytest.mark.parametrize("tokens", [False, True], ids=["keeping tokens", "with tokens"])
def test_new_password_ends_every_other_sign_in(
    hub: Hub, member: Callable[[str], Browser], tokens: bool
) -> None:
    name = "ottilie" if tokens else "otto"
    own, stolen = member(name), hub.browser()
    assert stolen.sign_in(name).status_code == 200
    token = new_token(own, name)
    new = "another-Good-pass-7"
    choice = {"tokens": "1"} if tokens else {}
    own.submit(
        "/hub/change-password", old_password=PASSWORD, password=new, password_confirmation=new, **choice
    )
    assert stolen.get("/hub/token").url.path == "/hub/login"
    assert own.get("/hub/token").url.path == "/hub/token", "this browser stays signed in"
    assert works(hub, token) is not tokens


def test_password_made_by_an_administrator_has_to_be_changed(
    hub: Hub, admin: Browser, member: Callable[[str], Browser]
) -> None:
    uma = member("uma")
    page = admin.submit(
        "/hub/administration/people/uma", action="new_password", typed_name="uma", reason="a test"
    ).text
    password = re.search(r'id="password">([^<]+)<', page).group(1)
    assert uma.get("/hub/token").url.path == "/hub/login"
    assert uma.submit("/hub/login", username="uma", password=password).url.path == "/hub/change-password"
    started = uma.get("/hub/spawn")
    assert "Choose a password of your own first" in started.text
    new = "another-Good-pass-7"
    uma.submit("/hub/change-password", old_password=password, password=new, password_confirmation=new)
    assert uma.sign_in("uma", new).url.path == "/hub/token"


@pytest.mark.slow
@pytest.mark.attack(4)
def test_rights_are_given_only_after_a_recent_sign_in_and_the_own_token_of_a_member_without(
    hub: Hub, admin: Browser, member: Callable[[str], Browser]
) -> None:
    member("walt")
    nora = member("nora")
    admin.submit("/hub/administration/groups", action="make", name="lab-one")
    hub.restart()  # proofs are in memory: as if the sign-in were more than five minutes ago
    admin.password = ""

    def is_admin() -> bool:
        return admin.http.get("/hub/api/users/walt").json()["admin"] is True

    assert admin.get("/hub/administration/people").status_code == 200, "looking needs no proof"
    for path, fields in (
        (
            "/hub/administration/people/walt",
            {"typed_name": "walt", "reason": "a test", "action": "make_administrator"},
        ),
        (
            "/hub/administration/people/walt",
            {"action": "new_password", "typed_name": "walt", "reason": "a test"},
        ),
        ("/hub/administration/groups/lab-one", {"people": "walt", "action": "add"}),
    ):
        asked = admin.submit(path, **fields)
        assert asked.status_code == 403
        assert "Confirm that it is you" in asked.text
        wrong = admin.submit(path, **fields, confirm_password="not-the-password")
        assert "This is not your password" in wrong.text
    assert not is_admin()

    headers = {"X-XSRFToken": admin.xsrf()}
    for method, path, body in (
        ("PATCH", "/hub/api/users/walt", {"admin": True}),
        ("POST", "/hub/api/groups/lab-one/users", {"users": ["walt"]}),
        ("PUT", "/hub/api/groups/lab-one/properties", {"internet": True}),
        ("POST", "/hub/api/users/ada/tokens", {"note": "for ever"}),
        ("POST", "/hub/api/users/walt/tokens", {"note": "for ever"}),
    ):
        answer = admin.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == 403, path
        assert "at most five minutes old" in answer.text, path
    assert not is_admin()

    admin.password = PASSWORD
    admin.submit(
        "/hub/administration/people/walt", action="make_administrator", reason="a test", typed_name="walt"
    )
    assert is_admin(), "the form is repeated with the password"
    answer = admin.http.patch("/hub/api/users/walt", json={"admin": False}, headers=headers)
    assert answer.status_code == 200, "the proof holds for five minutes"
    assert works(hub, new_token(nora, "nora")), "a member gives no more than they have"


def test_scopes_follow_the_role(admin: Browser, member: Callable[[str], Browser]) -> None:
    def scopes(browser: Browser) -> set[str]:
        page = browser.get("/hub/token").text
        assert "Token" in page
        return set(browser.get("/hub/api/user").json()["scopes"])

    mia = member("mia")
    assert "custom:qcrbox:use" in scopes(mia)
    assert "access:services!service=qcrbox" in scopes(mia)
    assert "custom:qcrbox:admin" not in scopes(mia)
    assert "custom:qcrbox:admin" in scopes(admin)
    admin.submit(
        "/hub/administration/people/mia", action="make_administrator", reason="a test", typed_name="mia"
    )
    assert {"custom:qcrbox:admin", "custom:qcrbox:applications"} <= scopes(mia)
    admin.submit("/hub/administration/people/mia", action="make_member", reason="a test")
    assert "custom:qcrbox:admin" not in scopes(mia)


def test_application_administrator_has_that_scope_and_no_more(
    admin: Browser, member: Callable[[str], Browser]
) -> None:
    zoe = member("zoe")

    def scopes() -> set[str]:
        held = zoe.get("/hub/api/user").json()["scopes"]
        return {scope for scope in held if scope.startswith("custom:qcrbox")}

    admin.submit("/hub/administration/people/zoe", action="give_applications")
    assert scopes() == {"custom:qcrbox:use", "custom:qcrbox:applications"}
    admin.submit("/hub/administration/people/zoe", action="take_applications", reason="a test")
    assert scopes() == {"custom:qcrbox:use"}


def test_everybody_is_in_the_common_group(admin: Browser, member: Callable[[str], Browser]) -> None:
    assert member("nina").get("/hub/api/user").json()["groups"] == ["everyone"]


@pytest.mark.attack(11)
def test_what_a_stranger_types_is_shown_as_text(hub: Hub, admin: Browser) -> None:
    name = '"><script>alert(1)</script>'
    pages = [
        hub.browser().submit("/hub/signup", username=name, password="x", password_confirmation="x"),
        hub.browser().submit("/hub/login", username=name, password="x"),
        hub.browser().get(f"/hub/first-admin?code={name}"),
    ]
    for page in pages:
        assert "<script>alert" not in page.text


@pytest.mark.attack(8)
def test_sign_in_leads_to_no_other_site(hub: Hub, admin: Browser) -> None:
    browser = hub.browser()
    browser.http.follow_redirects = False
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example"):
        answer = browser.submit(f"/hub/login?next={target}", username="ada", password=PASSWORD)
        assert answer.status_code == 302
        # A browser takes a backslash for a slash.
        location = answer.headers["location"].replace("\\", "/")
        assert httpx.URL(hub.url).join(location).host == "hub.localhost"
        browser.http.cookies.clear()


def test_sign_up_page_says_which_walls_there_are(hub: Hub) -> None:
    settings = json.loads((hub.data.run / "hub.json").read_text())
    page = html.unescape(hub.browser().get("/hub/signup").text)
    assert settings["walls_what"] in page
    assert ('id="no_walls"' in page) is (settings["walls"] == "trusted")
    assert ('id="signup_walls"' in page) is (settings["walls"] != "trusted")


def test_a_renamed_account_keeps_its_password_and_frees_its_old_name(
    hub: Hub, admin: Browser, member: Callable[[str], Browser]
) -> None:
    member("maiden")
    member("other")
    admin.sign_in("ada")
    headers = {"X-XSRFToken": admin.xsrf()}

    def rename(old: str, new: str) -> httpx.Response:
        return admin.http.patch(f"/hub/api/users/{old}", json={"name": new}, headers=headers)

    created = admin.http.get("/hub/api/users/maiden").json()["created"]
    assert rename("maiden", "other").status_code in (400, 409)
    assert rename("maiden", "married").status_code == 200
    model = admin.http.get("/hub/api/users/married?include_stopped_servers").json()
    assert model["created"] == created
    # Its server starts under the new name, not where a new account of the old one starts.
    assert model["servers"][""]["url"].endswith("/user/married/")
    browser = hub.browser()
    assert browser.sign_in("married").status_code == 200
    assert browser.get("/hub/api/user").json()["name"] == "married"
    assert browser.sign_in("maiden").status_code == 403
