"""OpenID Connect, against a real provider: sign-in, groups and roles from claims, proof of identity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from qcrbox.contract.errors import Unreachable
from qcrbox_hub.platform.settings import PlatformSettings

if TYPE_CHECKING:
    from conftest import Browser, Hub


class Provider:
    """What an administrator of the provider does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def person(self, sub: str, **claims: Any) -> None:
        self.http.put(f"/users/{sub}", json=claims).raise_for_status()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    server = pytest.importorskip("oidc_provider_mock")
    with server.run_server_in_thread() as running:
        yield Provider(f"http://localhost:{running.server_port}")


@pytest.fixture(scope="module")
def hub(provider: Provider, start_hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("oidc")
    secret = folder / "secret"
    secret.write_text("our-secret-at-the-provider\n")
    settings = PlatformSettings.model_validate(
        {
            "sign_in": {
                "method": "oidc",
                "oidc": {
                    "issuer": provider.url,
                    "client_id": "qcrbox",
                    "client_secret_file": str(secret),
                },
                "claims": [
                    {"value": "it-staff", "role": "administrator"},
                    {"value": "xtal", "role": "member", "group": "crystallography"},
                    {"value": "xtal-heads", "role": "manager", "group": "crystallography"},
                ],
            }
        }
    )
    with start_hub(folder, settings) as made:
        yield made


def sign_in(hub: Hub, sub: str, *, again: bool = False, browser: Browser | None = None) -> Browser:
    """From the hub's page to the provider's form and back."""
    browser = browser or hub.browser()
    form = browser.get(f"/hub/oauth_login?next=/hub/token{'&again=1' if again else ''}")
    assert form.status_code == 200, form.text
    assert "oauth2/authorize" in str(form.url)
    answer = browser.http.post(form.url, data={"sub": sub})
    assert answer.status_code == 200, answer.text[-3000:]
    return browser


def groups(browser: Browser) -> set[str]:
    return set(browser.get("/hub/api/user").json()["groups"])


def scopes(browser: Browser) -> set[str]:
    return set(browser.get("/hub/api/user").json()["scopes"])


def test_person_of_the_provider_signs_in(hub: Hub, provider: Provider) -> None:
    provider.person("1", preferred_username="grace", groups=[])
    page = hub.browser().get("/hub/login").text
    assert "Sign in with your institution" in re.sub(r"\s+", " ", page)
    assert "Ask for one" not in page
    grace = sign_in(hub, "1")
    assert grace.get("/hub/api/user").json()["name"] == "grace"
    assert groups(grace) == {"everyone"}
    assert "custom:qcrbox:use" in scopes(grace)
    assert "custom:qcrbox:admin" not in scopes(grace)


def test_sign_up_and_password_pages_are_not_there(hub: Hub) -> None:
    for path in ("/hub/signup", "/hub/change-password"):
        assert hub.browser().get(path).status_code == 404
    answer = hub.browser().get(f"/hub/first-admin?code={hub.code}")
    assert answer.status_code == 404


def test_groups_and_roles_follow_the_claims(hub: Hub, provider: Provider) -> None:
    manage = "custom:qcrbox:manage!group=crystallography"
    provider.person("2", preferred_username="dorothy", groups=["xtal", "xtal-heads", "choir"])
    dorothy = sign_in(hub, "2")
    assert groups(dorothy) == {"everyone", "crystallography"}
    assert manage in scopes(dorothy)
    provider.person("2", preferred_username="dorothy", groups=["xtal"])
    dorothy = sign_in(hub, "2")
    assert groups(dorothy) == {"everyone", "crystallography"}
    assert manage not in scopes(dorothy)
    provider.person("2", preferred_username="dorothy", groups=[])
    assert groups(sign_in(hub, "2")) == {"everyone"}


@pytest.mark.slow
def test_administrators_follow_the_claims_and_other_groups_do_not(hub: Hub, provider: Provider) -> None:
    provider.person("3", preferred_username="ada", groups=["it-staff"])
    provider.person("4", preferred_username="emmy", groups=[])
    ada, emmy = sign_in(hub, "3"), sign_in(hub, "4")
    assert "custom:qcrbox:admin" in scopes(ada)
    ada.submit("/hub/administration/groups", action="make", name="by-hand")
    ada.submit("/hub/administration/groups/by-hand", action="add", people="emmy")
    assert groups(sign_in(hub, "4")) == {"everyone", "by-hand"}
    provider.person("3", preferred_username="ada", groups=[])
    assert "custom:qcrbox:admin" not in scopes(sign_in(hub, "3"))
    assert emmy.get("/hub/administration/people").status_code == 404


def test_locked_person_stays_out(hub: Hub, provider: Provider) -> None:
    provider.person("5", preferred_username="root2", groups=["it-staff"])
    provider.person("6", preferred_username="mallory", groups=[])
    admin, mallory = sign_in(hub, "5"), sign_in(hub, "6")
    admin.submit("/hub/administration/people/mallory", action="lock", typed_name="mallory", reason="test")
    assert mallory.get("/hub/token").url.path != "/hub/token"
    form = mallory.get("/hub/oauth_login?next=/hub/token")
    assert mallory.http.post(form.url, data={"sub": "6"}).status_code == 403
    admin.submit("/hub/administration/people/mallory", action="unlock")
    sign_in(hub, "6", browser=mallory)
    assert mallory.get("/hub/token").url.path == "/hub/token"


@pytest.mark.attack(5)
def test_names_of_the_provider_become_safe_and_stay_apart(hub: Hub, provider: Provider) -> None:
    names = {}
    for number, given in enumerate(
        ["Anna.Smith@uni.example", "anna-smith", "anna_smith@other.example", "../../etc"]
    ):
        provider.person(str(100 + number), preferred_username=given)
        names[given] = sign_in(hub, str(100 + number)).get("/hub/api/user").json()["name"]
    assert len(set(names.values())) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{1,30}[a-z0-9]", name) for name in names.values()), names
    assert names["anna-smith"] == "anna-smith"


@pytest.mark.slow
@pytest.mark.attack(4)
def test_proof_is_a_new_sign_in_at_the_provider(hub: Hub, provider: Provider) -> None:
    provider.person("7", preferred_username="lise", groups=["it-staff"])
    lise = sign_in(hub, "7")
    hub.restart()
    lise.password = ""
    asked = lise.submit("/hub/administration/groups", action="make", name="new-one")
    assert asked.status_code == 403
    link = re.search(r'id="sign_in_again"[^>]*href="([^"]+)"', asked.text)
    assert link
    address = link[1].replace("&amp;", "&")
    assert address.startswith("/hub/oauth_login?again=1&next=")
    lise.http.follow_redirects = False
    sent = lise.get(address).headers["location"]
    lise.http.follow_redirects = True
    assert "prompt=login" in sent
    assert "code_challenge" in sent
    sign_in(hub, "7", again=True, browser=lise)
    assert "is made" in lise.submit("/hub/administration/groups", action="make", name="new-one").text


def test_provider_that_is_away_is_named() -> None:
    from qcrbox_hub.accounts.providers import discover

    with pytest.raises(Unreachable, match="does not describe itself"):
        discover("http://127.0.0.1:9", limit_s=2)


def test_secret_of_the_provider_is_in_no_log(hub: Hub, provider: Provider) -> None:
    provider.person("8", preferred_username="maria")
    sign_in(hub, "8")
    for file in hub.data.path.rglob("*"):
        if file.is_file():
            assert b"our-secret-at-the-provider" not in file.read_bytes(), file
