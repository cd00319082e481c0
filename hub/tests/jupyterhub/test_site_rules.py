"""What the proxy does with a request, by host name, path and where the page comes from."""

from __future__ import annotations

import pytest
from qcrbox_hub.jupyterhub.site_rules import Forward, Redirect, Refuse, SiteRules
from qcrbox_hub.platform.addresses import Addresses
from tornado.httputil import HTTPHeaders

HUB, ADA, MALLORY = "hub.localhost:8000", "lab-ada.localhost:8000", "lab-mallory.localhost:8000"
RULES = SiteRules(Addresses.make(f"http://{HUB}"), cross_site_posts=("/hub/lti13/oauth_callback",))
PAGE = {"Accept": "text/html"}
FETCH = {"Sec-Fetch-Mode": "cors"}
WEBSOCKET = {"Upgrade": "websocket", "Sec-Fetch-Mode": "websocket"}

pytestmark = [pytest.mark.attack(2), pytest.mark.attack(3)]


def judge(method: str, host: str, uri: str, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RULES.judge(method, uri, HTTPHeaders({"Host": host, **named}))


@pytest.mark.parametrize(
    ("host", "uri", "looked_up"),
    [
        (HUB, "/hub/login", "hub.localhost"),
        (HUB, "/services/qcrbox/api/datasets", "hub.localhost"),
        (HUB, "/user/ada/lab", "hub.localhost"),
        (ADA, "/user/ada/lab", "lab-ada.localhost"),
        ("127.0.0.1:8000", "/services/qcrbox/api/datasets", "hub.localhost"),
        ("localhost:8000", "/hub/api", "hub.localhost"),
    ],
)
def test_own_hosts_are_looked_up(host: str, uri: str, looked_up: str) -> None:
    assert judge("GET", host, uri) == Forward(looked_up)


@pytest.mark.parametrize("host", ["evil.example", "hub.localhost.evil.example", "", "[", "hub.localhost:x"])
@pytest.mark.parametrize("uri", ["/hub/login", "/user/ada/lab", "/"])
def test_foreign_host_names_are_not_served(host: str, uri: str) -> None:
    verdict = judge("GET", host, uri, **PAGE)
    assert isinstance(verdict, Refuse)
    assert verdict.status == 404


@pytest.mark.parametrize("uri", ["/hub/login?next=%2Fhub%2Fpeople", "/services/qcrbox/docs", "/"])
def test_pages_of_the_hub_are_shown_under_its_own_name_only(uri: str) -> None:
    for host in (ADA, "127.0.0.1:8000"):
        assert judge("GET", host, uri, **PAGE) == Redirect(f"http://{HUB}{uri}")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_nothing_but_the_server_answers_to_programs_under_a_persons_name(method: str) -> None:
    assert judge(method, ADA, "/hub/api/users", Accept="application/json") == Refuse(
        404, "People's servers answer below /user/."
    )


@pytest.mark.parametrize(
    "uri", ["/user/ada/../../hub/people", "/user/ada/%2e%2e/x", "http://x/", "*", "/./hub"]
)
def test_paths_that_could_be_read_in_two_ways_are_refused(uri: str) -> None:
    assert isinstance(judge("GET", ADA, uri), Refuse)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": f"http://{MALLORY}"},
        {"Origin": "null"},
        {"Origin": "http://hub.localhost:8000.evil.example"},
        {"Origin": "http://hub.localhost:8001"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate"},
        {"Origin": f"http://{HUB}", "Sec_Fetch_Site": "cross-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_changes_that_a_foreign_page_asks_for_are_refused(method: str, headers: dict[str, str]) -> None:
    assert judge(method, HUB, "/hub/people", **headers) == Refuse(403, "Cross-origin request refused.")


@pytest.mark.parametrize("host", [HUB, ADA])
def test_fetches_and_websockets_of_a_foreign_page_are_refused(host: str) -> None:
    uri = "/user/ada/api/contents"
    assert isinstance(judge("GET", host, uri, Sec_Fetch_Site="cross-site", **FETCH), Refuse)
    assert isinstance(judge("GET", host, uri, Sec_Fetch_Site="same-site", Sec_Fetch_Mode="no-cors"), Refuse)
    assert isinstance(judge("GET", host, uri, Origin=f"http://{MALLORY}", **WEBSOCKET), Refuse)


def test_own_pages_may_do_what_they_do() -> None:
    own = {"Origin": f"http://{HUB}", "Sec_Fetch_Site": "same-origin"}
    assert judge("POST", HUB, "/hub/people", **own) == Forward("hub.localhost")
    assert judge("GET", HUB, "/hub/api/user", Sec_Fetch_Site="same-origin", **FETCH) == Forward(
        "hub.localhost"
    )
    own = {"Origin": f"http://{ADA}", "Sec_Fetch_Site": "same-origin"}
    assert judge("GET", ADA, "/user/ada/api/kernels/1/channels", **own, **WEBSOCKET) == Forward(
        "lab-ada.localhost"
    )


def test_links_from_other_sites_open_pages() -> None:
    assert judge("GET", HUB, "/hub/home", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate") == Forward(
        "hub.localhost"
    )


def test_pictures_of_the_hub_may_be_shown_elsewhere() -> None:
    assert judge("GET", HUB, "/hub/logo", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors") == Forward(
        "hub.localhost"
    )


def test_programs_with_a_token_may_say_any_origin() -> None:
    assert judge(
        "POST", HUB, "/hub/api/users", Authorization="token x", Origin="https://tool.example"
    ) == Forward("hub.localhost")


def test_launch_from_a_learning_platform_is_let_through() -> None:
    foreign = {"Origin": "https://moodle.example", "Sec_Fetch_Site": "cross-site"}
    assert judge("POST", HUB, "/hub/lti13/oauth_callback", **foreign) == Forward("hub.localhost")
    assert isinstance(judge("POST", HUB, "/hub/lti13/oauth_callback/x", **foreign), Refuse)


def test_tls_in_front_leaves_the_origin_ours() -> None:
    rules = SiteRules(Addresses.make("https://hub.example.org"))
    headers = HTTPHeaders({"Host": "hub.example.org", "Origin": "https://hub.example.org"})
    assert rules.judge("POST", "/hub/login", headers) == Forward("hub.example.org")


def test_one_name_for_all_still_refuses_foreign_hosts_and_origins() -> None:
    rules = SiteRules(Addresses.make("https://hub.example.org", "same"))
    assert rules.judge("GET", "/user/ada/lab", HTTPHeaders({"Host": "hub.example.org"})) == Forward("")
    assert isinstance(rules.judge("GET", "/", HTTPHeaders({"Host": "evil.example"})), Refuse)


@pytest.mark.parametrize(
    ("authorization", "is_program"),
    [
        ("token x", True),
        ("Bearer x", True),
        ("bearer x", True),
        ("Basic YWRhOnBsdW0=", False),
        ("Negotiate YII=", False),
        ("Digest username=ada", False),
        ("token", False),
        ("tokens x", False),
        ("", False),
    ],
)
def test_only_a_token_shows_that_no_browser_asks(authorization: str, is_program: bool) -> None:
    verdict = judge("POST", HUB, "/hub/api/users", Authorization=authorization, Origin=f"http://{MALLORY}")
    assert isinstance(verdict, Forward) is is_program
