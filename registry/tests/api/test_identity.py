"""Who may come in at all: tokens, scopes, cookies, origins."""

from __future__ import annotations

import re
import time
import uuid

import httpx
import pytest

OPEN = {
    "/api/healthz",
    "/api/readyz",
    "/openapi.json",
    "/",
    "/docs",
    "/docs/{name}",
    "/login",
    "/oauth_callback",
    "/api/launchers/join",  # by a join code
}


def protected(registry):
    with registry.client() as anybody:
        paths = anybody.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), re.sub(r"\{[^}]*\}", "1", path))
        for path, methods in paths.items()
        for method in methods
        if path not in OPEN
    ]


def tried(client, method, path, headers=None):
    if "events" in path:
        with client.stream(method, path, headers=headers) as answer:
            return answer.status_code
    return client.request(method, path, headers=headers).status_code


@pytest.mark.attack(8)
@pytest.mark.attack(1)
@pytest.mark.parametrize("token", [None, "wrong", "x" * 5000])
def test_no_route_answers_without_a_good_token(registry, token):
    routes = protected(registry)
    assert len(routes) > 40
    with registry.client() as anybody:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        answers = {route: tried(anybody, *route, headers) for route in [*routes, ("GET", "/metrics")]}
    assert {route: status for route, status in answers.items() if status != 401} == {}


@pytest.mark.attack(1)
def test_agents_routes_need_their_own_token(registry, ada):
    assert ada.get("/internal/calculations/x/inputs/y").status_code == 401
    assert (
        ada.put("/internal/calculations/x/outputs", params={"filename": "a", "sha256": "0" * 64}).status_code
        == 401
    )


@pytest.mark.attack(1)
def test_a_token_without_our_scopes_is_told_which_is_missing(person):
    one = person(access=False)
    answer = one.get("/api/applications")
    assert answer.status_code == 403
    assert "access:services!service=qcrbox" in answer.json()["error"]["message"]


@pytest.mark.attack(1)
def test_a_revoked_token_is_out_within_five_seconds(registry, person):
    one = person()
    assert one.get("/api/me").status_code == 200
    del registry.hub.users[one.token]
    _expire(registry)
    assert one.get("/api/me").status_code == 401


@pytest.mark.attack(7)
def test_a_role_that_is_taken_is_gone_within_five_seconds(registry, person):
    one = person("admin")
    assert one.get("/api/quotas").status_code == 200
    registry.hub.users[one.token]["scopes"].remove("custom:qcrbox:admin")
    _expire(registry)
    assert one.get("/api/quotas").status_code == 404


def _expire(registry):
    """Five seconds later, as far as the cache of tokens knows."""
    for cached in registry.context.identity._cache.values():
        cached.at -= 5.1


def test_many_calls_with_one_token_ask_the_hub_once(registry, person):
    one = person()
    for _ in range(10):
        one.get("/api/me")
    assert registry.hub.asked_about[one.token] == 1


def test_a_wrong_token_sent_again_and_again_asks_the_hub_once(registry):
    with registry.client("a-wrong-token") as anybody:
        anybody.get("/api/me")
        before = registry.hub.asked
        assert {anybody.get("/api/me").status_code for _ in range(5)} == {401}
    assert registry.hub.asked - before <= 1


def test_a_hub_that_is_down_is_said_and_not_taken_for_a_refusal(registry, person):
    registry.hub.is_down = True
    try:
        answer = person().get("/api/me")
    finally:
        registry.hub.is_down = False
    assert answer.status_code == 503
    assert "hub" in answer.json()["error"]["message"]


@pytest.mark.attack(4)
def test_a_recreated_account_of_the_same_name_gets_nothing_of_the_old_one(registry, person, do):
    name = f"mary-{uuid.uuid4().hex[:8]}"
    first = person(name=name)
    dataset = do.upload(first)["qcrbox_dataset_id"]
    assert first.get(f"/api/datasets/{dataset}").status_code == 200
    del registry.hub.users[first.token]  # its tokens end with an account
    again = person(name=name, created="2026-06-06T00:00:00Z", token=f"another-token-of-{name}")
    assert again.get(f"/api/datasets/{dataset}").status_code == 404
    assert again.get("/api/datasets", params={"kind": "data"}).json()["payload"]["datasets"] == []


def test_me_says_who_and_with_which_roles(person, group):
    one = person(f"manage!group={group}", "applications", groups=[group])
    me = one.get("/api/me").json()["payload"]
    assert (me["name"], me["groups"]) == (one.name, [group])
    assert me["roles"] == {"manager": [group], "application_admin": ["*"]}


# ---------------------------------------------------------------- browser


@pytest.fixture
def browser(registry, person):
    """A browser that signed in by the hub's code flow."""
    one = person()
    client = httpx.Client(base_url=registry.url, timeout=30, trust_env=False)
    off = client.get("/services/qcrbox/login", params={"next": "/docs"})
    assert off.status_code == 307
    sent = httpx.URL(off.headers["location"])
    assert sent.path == "/hub/api/oauth2/authorize"
    registry.hub.codes["a-code"] = one.token
    back = client.get(
        "/services/qcrbox/oauth_callback", params={"code": "a-code", "state": sent.params["state"]}
    )
    assert (back.status_code, back.headers["location"]) == (303, "/services/qcrbox/docs")
    client.person = one
    yield client
    client.close()


def test_the_docs_page_sends_strangers_to_the_hub_and_loads_nothing_from_elsewhere(registry, browser):
    with registry.client() as anybody:
        assert anybody.get("/docs").headers["location"].startswith("/login")
    page = browser.get("/services/qcrbox/docs")
    assert page.status_code == 200
    assert not re.search(r"https?://", page.text)
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert browser.get(f"/services/qcrbox/docs/{name}").status_code == 200


def test_the_cookie_holds_no_token_and_no_script_reads_it(browser):
    cookie = browser.cookies.get("qcrbox-registry", path="/services/qcrbox")
    assert cookie
    assert browser.person.token not in cookie
    page = browser.get("/services/qcrbox/login")  # the state cookie is set alike
    assert "HttpOnly" in page.headers["set-cookie"]
    assert "SameSite=lax" in page.headers["set-cookie"]


@pytest.mark.attack(2)
def test_a_cookie_reads_but_changes_something_only_from_our_own_page(registry, browser):
    path = "/services/qcrbox/api/uploads"
    body = {"filename": "a", "size": 1}
    assert browser.get("/services/qcrbox/api/me").status_code == 200
    assert browser.post(path, json=body).status_code == 403
    host = httpx.URL(registry.url)
    own = {"origin": f"http://{host.host}:{host.port}"}
    assert browser.post(path, json=body, headers=own).status_code == 201
    for foreign in ("https://evil.example", f"{own['origin']}.evil.example", "null", f"http://{host.host}"):
        assert browser.post(path, json=body, headers={"origin": foreign}).status_code == 403


@pytest.mark.attack(2)
def test_a_sign_in_that_was_begun_elsewhere_is_refused(registry, browser):
    state = registry.context.identity.sign_ins.begin("/docs")
    registry.hub.codes["other"] = browser.person.token
    with registry.client() as stranger:
        answer = stranger.get("/oauth_callback", params={"code": "other", "state": state})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/a\nb"],
)
def test_sign_in_leads_to_our_own_pages_only(registry, wanted):
    with registry.client() as anybody:
        answer = anybody.get("/login", params={"next": wanted})
    state = httpx.URL(answer.headers["location"]).params["state"]
    assert registry.context.identity.sign_ins.finish(state) == "/docs"


def test_a_sign_out_ends_the_cookie(registry, browser):
    host = httpx.URL(registry.url)
    own = {"origin": f"http://{host.host}:{host.port}"}
    kept = browser.cookies.get("qcrbox-registry", path="/services/qcrbox")
    assert browser.post("/services/qcrbox/logout", headers=own).status_code == 204
    again = httpx.get(f"{registry.url}/api/me", cookies={"qcrbox-registry": kept}, trust_env=False)
    assert again.status_code == 401


def test_old_sign_ins_end():
    from qcrbox_registry.access.sign_ins import SignIns

    now = time.monotonic()
    sign_ins = SignIns(lambda: now)
    cookie, state = sign_ins.keep("token"), sign_ins.begin("/docs")
    now += SignIns.LIFE_S + 1
    assert sign_ins.token(cookie) is None
    assert sign_ins.finish(state) is None
