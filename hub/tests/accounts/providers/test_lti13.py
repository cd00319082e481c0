"""Launches from a learning platform (LTI 1.3): signed by the platform's key, from another site."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from qcrbox.contract.previews import PREFIX
from qcrbox_hub.platform.settings import PlatformSettings

if TYPE_CHECKING:
    from learning_platform import LearningPlatform

    from conftest import Browser, Hub

INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
CLIENT = "qcrbox-at-the-platform"
ROLES = "https://purl.imsglobal.org/spec/lti/claim/roles"


@pytest.fixture(scope="module")
def hub(
    learning_platform: LearningPlatform, start_hub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    settings = PlatformSettings.model_validate(
        {
            "sign_in": {
                "method": "lti13",
                "administrators": ["ada"],
                "lti13": {
                    "issuer": learning_platform.url,
                    "authorize_url": f"{learning_platform.url}/authorize",
                    "jwks_url": f"{learning_platform.url}/jwks",
                    "client_ids": [CLIENT],
                    "token_url": learning_platform.token_url,
                },
                "claims": [
                    {"value": "course:42", "group": "crystals-101"},
                    {"value": INSTRUCTOR, "role": "lecturer", "group": "crystals-101"},
                ],
            }
        }
    )
    parts = ("nats", "registry", "proxy", "hub")
    with start_hub(tmp_path_factory.mktemp("lti"), settings, parts=parts) as made:
        learning_platform.tool_keys = lambda: made.browser().get("/hub/lti13/keys").json()
        yield made


def begin(hub: Hub, learning_platform: LearningPlatform) -> tuple[Browser, dict[str, str]]:
    """The platform's page posts to the hub, which sends the browser back to the platform's authorisation."""
    browser = hub.browser()
    browser.http.follow_redirects = False
    answer = browser.http.post(
        "/hub/lti13/oauth_login",
        data={
            "iss": learning_platform.url,
            "login_hint": "7",
            "target_link_uri": f"{hub.url}/hub/lti13/oauth_callback",
            "client_id": CLIENT,
            "lti_message_hint": "x",
        },
        headers={"Origin": learning_platform.url, "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 302, answer.text[-1000:]
    assert answer.headers["location"].startswith(f"{learning_platform.url}/authorize")
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    return browser, {name: values[0] for name, values in asked.items()}


def finish(browser: Browser, learning_platform: LearningPlatform, token: str, state: str) -> httpx.Response:
    return browser.http.post(
        "/hub/lti13/oauth_callback",
        data={"id_token": token, "state": state},
        headers={"Origin": learning_platform.url, "Sec-Fetch-Site": "cross-site"},
    )


def test_launch_signs_in_with_course_and_role(hub: Hub, learning_platform: LearningPlatform) -> None:
    browser, asked = begin(hub, learning_platform)
    answer = finish(browser, learning_platform, learning_platform.launch(asked["nonce"]), asked["state"])
    assert answer.status_code == 302, answer.text[-1500:]
    browser.http.follow_redirects = True
    about = browser.get("/hub/api/user").json()
    assert re.fullmatch(r"jane-doe--[a-z2-7]{16}", about["name"])
    assert set(about["groups"]) == {"everyone", "crystals-101"}
    assert "custom:qcrbox:teach!group=crystals-101" in about["scopes"]


def test_a_platform_whose_tool_address_is_that_of_launches_leads_on_to_the_hub(
    hub: Hub, learning_platform: LearningPlatform
) -> None:
    """Launches go on to the tool address; `begin` names that of launches, where nothing but a launch was answered."""
    browser, asked = begin(hub, learning_platform)
    answer = finish(browser, learning_platform, learning_platform.launch(asked["nonce"]), asked["state"])
    assert answer.headers["location"] == "/hub/lti13/oauth_callback"
    assert browser.get(answer.headers["location"]).headers["location"] == "/hub/"
    assert hub.browser().get("/hub/lti13/oauth_callback").status_code == 405


@pytest.mark.attack(1)
@pytest.mark.parametrize(
    "fault", ["another key", "another audience", "another nonce", "too old", "another state"]
)
def test_forged_launches_open_nothing(hub: Hub, learning_platform: LearningPlatform, fault: str) -> None:
    browser, asked = begin(hub, learning_platform)
    nonce, state = asked["nonce"], asked["state"]
    match fault:
        case "another key":
            token = learning_platform.launch(
                nonce, rsa.generate_private_key(public_exponent=65537, key_size=2048)
            )
        case "another audience":
            token = learning_platform.launch(nonce, aud="someone-else", azp="someone-else")
        case "another nonce":
            token = learning_platform.launch("0" * len(nonce))
        case "too old":
            token = learning_platform.launch(nonce, iat=1_000_000_000, exp=1_000_000_100)
        case _:
            token, state = learning_platform.launch(nonce), "0" * len(state)
    assert finish(browser, learning_platform, token, state).status_code in (400, 401, 403)
    assert browser.get("/hub/api/user").status_code in (401, 403)


def test_other_pages_are_closed_to_the_platform(hub: Hub, learning_platform: LearningPlatform) -> None:
    answer = hub.browser().http.post(
        "/hub/administration/groups", data={"action": "make"}, headers={"Origin": learning_platform.url}
    )
    assert (answer.status_code, answer.text.strip()) == (403, "Cross-origin request refused.")


# ---------------------------------------------------------------- marks


LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
NOTEBOOK = {
    "nbformat": 4, "nbformat_minor": 5, "metadata": {},
    "cells": [{"id": "a", "cell_type": "markdown", "metadata": {"tags": ["task=which", "answer=N", "points=4"]}, "source": "Which?"}],
}  # fmt: skip


def launched(hub: Hub, learning_platform: LearningPlatform, **claims: Any) -> Browser:
    """The browser of somebody who came from the platform."""
    browser, asked = begin(hub, learning_platform)
    token = learning_platform.launch(asked["nonce"], **claims)
    assert finish(browser, learning_platform, token, asked["state"]).status_code == 302
    browser.http.follow_redirects = True
    return browser


def rest(browser: Browser, method: str, path: str, **more: Any) -> Any:
    """The registry's answer to a person, with a token of theirs."""
    browser.get("/hub/token")
    xsrf = browser.xsrf()
    me = browser.get("/hub/api/user").json()
    scopes = [scope for scope in me["scopes"] if scope.startswith(("custom:qcrbox", "access:services"))]
    body = {"note": "test", "scopes": scopes, "expires_in": 600}
    path_of_tokens = f"/hub/api/users/{me['name']}/tokens"
    made = browser.http.post(path_of_tokens, json=body, headers={"X-XSRFToken": xsrf})
    assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    answer = browser.http.request(method, f"/services/qcrbox{path}", headers=headers, **more)
    assert answer.is_success, answer.text
    return answer.json()["payload"]


def _preview(lecturer: Browser, page: str) -> None:
    """A preview account of the lecturer, without its server."""
    lecturer.http.follow_redirects = False
    assert lecturer.submit(page, action="student").status_code == 303
    lecturer.http.follow_redirects = True
    assert PREFIX in lecturer.get(page).text


@pytest.mark.slow
def test_a_lecturer_sends_marks_to_the_platform(hub: Hub, learning_platform: LearningPlatform) -> None:
    jane = launched(hub, learning_platform)
    sam = launched(hub, learning_platform, sub="student-8", email="sam@uni.example", **{ROLES: [LEARNER]})
    group = "crystals-101"
    course = rest(jane, "POST", "/api/courses", json={"group": group, "title": "XRD 101"})
    task = {"id": "which", "title": "Which?", "kind": "answer", "accepted": ["N"], "points": 4}
    body = {"title": "Which atom is it?", "notebook": json.dumps(NOTEBOOK), "tasks": [task]}
    exercise = rest(jane, "POST", f"/api/courses/{course['id']}/exercises", json=body)
    api, page = f"/api/exercises/{exercise['id']}", f"/hub/teaching/exercises/{exercise['id']}/grades"
    rest(jane, "PATCH", api, json={"published": True})
    rest(sam, "POST", f"{api}/open")
    rest(sam, "PUT", f"{api}/answers/which", json={"value": "N"})
    rest(sam, "POST", f"{api}/submit")
    rest(jane, "POST", f"{api}/grade")
    _preview(jane, f"/hub/teaching/exercises/{exercise['id']}/preview")

    assert "At the learning platform" in jane.get(page).text
    assert PREFIX not in jane.get(page).text
    assert "Send the marks (1 new or changed)" in jane.get(page).text
    assert sam.get(page).status_code == 404
    assert "1 mark was sent." in jane.submit(page, action="send_marks").text
    assert "nothing was sent" in jane.submit(page, action="send_marks").text
    assert [
        (each["userId"], each["scoreGiven"], each["scoreMaximum"]) for each in learning_platform.scores
    ] == [("student-8", 4.0, 4.0)]
    assert learning_platform.columns[0]["label"] == "Which atom is it?"
    learning_platform.refused = {"student-8"}
    refused = jane.submit(page, action="send_marks", again="yes").text
    assert re.search(r'id="problem">\s*0 marks were sent, 1 not: sam', refused)
    assert (
        refused.count("The learning platform refused. It answered 403: This person is not in the course.")
        == 1
    )
