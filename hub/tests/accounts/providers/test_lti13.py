"""Launches from a learning platform (LTI 1.3): signed by the platform's key, from another site."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from qcrbox_hub.platform.settings import PlatformSettings

if TYPE_CHECKING:
    from conftest import Browser, Hub

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
CLIENT = "qcrbox-at-the-platform"


def _number(value: int) -> str:
    return (
        base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
    )


class LearningPlatform:
    """Serves its public key and signs launches."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self.key.public_key().public_numbers()
        keys = {
            "keys": [
                {
                    "kty": "RSA",
                    "kid": "k1",
                    "alg": "RS256",
                    "use": "sig",
                    "n": _number(numbers.n),
                    "e": _number(numbers.e),
                }
            ]
        }

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(keys).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Keys)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def launch(self, nonce: str, key: rsa.RSAPrivateKey | None = None, **more: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "azp": CLIENT,
            "sub": "student-7",
            "email": "jane.doe@uni.example",
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            f"{CLAIM}/version": "1.3.0",
            f"{CLAIM}/message_type": "LtiResourceLinkRequest",
            f"{CLAIM}/deployment_id": "1",
            f"{CLAIM}/target_link_uri": "http://hub.localhost/hub/lti13",
            f"{CLAIM}/resource_link": {"id": "1"},
            f"{CLAIM}/roles": [INSTRUCTOR],
            f"{CLAIM}/context": {"id": "42"},
            **more,
        }
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": "k1"})


@pytest.fixture(scope="module")
def platform() -> Iterator[LearningPlatform]:
    made = LearningPlatform()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def hub(platform: LearningPlatform, start_hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    settings = PlatformSettings.model_validate(
        {
            "sign_in": {
                "method": "lti13",
                "administrators": ["ada"],
                "lti13": {
                    "issuer": platform.url,
                    "authorize_url": f"{platform.url}/authorize",
                    "jwks_url": f"{platform.url}/jwks",
                    "client_ids": [CLIENT],
                },
                "claims": [
                    {"value": "course:42", "group": "crystals-101"},
                    {"value": INSTRUCTOR, "role": "lecturer", "group": "crystals-101"},
                ],
            }
        }
    )
    with start_hub(tmp_path_factory.mktemp("lti"), settings) as made:
        yield made


def begin(hub: Hub, platform: LearningPlatform) -> tuple[Browser, dict[str, str]]:
    """The platform's page posts to the hub, which sends the browser back to the platform's authorisation."""
    browser = hub.browser()
    browser.http.follow_redirects = False
    answer = browser.http.post(
        "/hub/lti13/oauth_login",
        data={
            "iss": platform.url,
            "login_hint": "7",
            "target_link_uri": f"{hub.url}/hub/lti13/oauth_callback",
            "client_id": CLIENT,
            "lti_message_hint": "x",
        },
        headers={"Origin": platform.url, "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 302, answer.text[-1000:]
    assert answer.headers["location"].startswith(f"{platform.url}/authorize")
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    return browser, {name: values[0] for name, values in asked.items()}


def finish(browser: Browser, platform: LearningPlatform, token: str, state: str) -> httpx.Response:
    return browser.http.post(
        "/hub/lti13/oauth_callback",
        data={"id_token": token, "state": state},
        headers={"Origin": platform.url, "Sec-Fetch-Site": "cross-site"},
    )


def test_launch_signs_in_with_course_and_role(hub: Hub, platform: LearningPlatform) -> None:
    browser, asked = begin(hub, platform)
    answer = finish(browser, platform, platform.launch(asked["nonce"]), asked["state"])
    assert answer.status_code == 302, answer.text[-1500:]
    browser.http.follow_redirects = True
    about = browser.get("/hub/api/user").json()
    assert re.fullmatch(r"jane-doe--[a-z2-7]{16}", about["name"])
    assert set(about["groups"]) == {"everyone", "crystals-101"}
    assert "custom:qcrbox:teach!group=crystals-101" in about["scopes"]


@pytest.mark.attack(1)
@pytest.mark.parametrize(
    "fault", ["another key", "another audience", "another nonce", "too old", "another state"]
)
def test_forged_launches_open_nothing(hub: Hub, platform: LearningPlatform, fault: str) -> None:
    browser, asked = begin(hub, platform)
    nonce, state = asked["nonce"], asked["state"]
    match fault:
        case "another key":
            token = platform.launch(nonce, rsa.generate_private_key(public_exponent=65537, key_size=2048))
        case "another audience":
            token = platform.launch(nonce, aud="someone-else", azp="someone-else")
        case "another nonce":
            token = platform.launch("0" * len(nonce))
        case "too old":
            token = platform.launch(nonce, iat=1_000_000_000, exp=1_000_000_100)
        case _:
            token, state = platform.launch(nonce), "0" * len(state)
    assert finish(browser, platform, token, state).status_code in (400, 401, 403)
    assert browser.get("/hub/api/user").status_code in (401, 403)


def test_other_pages_are_closed_to_the_platform(hub: Hub, platform: LearningPlatform) -> None:
    answer = hub.browser().http.post(
        "/hub/administration/groups", data={"action": "make"}, headers={"Origin": platform.url}
    )
    assert (answer.status_code, answer.text.strip()) == (403, "Cross-origin request refused.")
