"""Signing in by a code at a hub, against a small hub on loopback that answers well, late or oddly."""

from __future__ import annotations

import json
import sys

import pytest
from qcrbox.client import signing_in
from qcrbox.contract.errors import NotSignedIn, Unreachable, UserInputError

from ..small_server import Drop, Raw, refusal, small_server

BEGUN = {"code": "ABCD-EFGH", "secret": "s", "expires_in_s": 600, "ask_again_s": 0.5}


def plain(value, status=200):
    return Raw(json.dumps(value), status)


@pytest.fixture
def hub():
    with small_server() as server:
        server["GET /services/qcrbox/api/healthz"] = plain({"status": "ok"})
        server["POST /hub/connect/begin"] = plain(BEGUN, 201)
        yield server


@pytest.fixture
def ask(hub):
    """Sign in; what was shown and slept is kept on the function."""

    def sign_in(**options):
        return signing_in.sign_in(
            f"{hub.url}/services/qcrbox",
            sleep=sign_in.slept.append,
            tell=lambda page, code: sign_in.told.append((page, code)),
            **options,
        )

    sign_in.slept, sign_in.told = [], []
    return sign_in


def test_the_address_of_a_hub_leads_to_its_registry(hub):
    assert signing_in.registry_address(f"{hub.url}/") == f"{hub.url}/services/qcrbox"
    assert signing_in.has_hub(f"{hub.url}/services/qcrbox")


def test_the_address_of_a_registry_is_its_own(hub):
    hub["GET /api/healthz"] = plain({"status": "ok"})
    assert signing_in.registry_address(hub.url) == hub.url
    assert not signing_in.has_hub(hub.url)


@pytest.mark.parametrize(
    "answer",
    [
        Raw("<html>", kind="text/html"),
        plain({"status": "up"}),
        plain([]),
        Raw(status=302, headers={"Location": "/x"}),
    ],
    ids=["page", "another service", "list", "elsewhere"],
)
def test_another_server_is_no_registry(hub, answer):
    hub["GET /api/healthz"] = hub["GET /services/qcrbox/api/healthz"] = answer
    with pytest.raises(
        UserInputError, match=r"There is no QCrBox at .*Give the address at which you sign in"
    ):
        signing_in.registry_address(hub.url)


def test_a_server_that_does_not_answer_is_said_to_be_away(hub):
    hub["GET /api/healthz"] = Drop()
    with pytest.raises(Unreachable, match="Is the address right"):
        signing_in.registry_address(hub.url)


def test_the_token_comes_once_the_code_is_typed(hub, ask):
    hub["POST /hub/connect/token"] = [plain({}, 202), plain({}, 202), plain({"token": "t"})]
    assert ask() == "t"
    assert ask.told == [(f"{hub.url}/hub/connect", "ABCD-EFGH")]
    assert ask.slept == [0.5, 0.5]
    assert {request.json["secret"] for request in hub.sent("POST /hub/connect/token")} == {"s"}


def test_a_refusal_is_said_with_what_to_do(hub, ask):
    hub["POST /hub/connect/token"] = plain({"message": "Refused by eva."}, 403)
    with pytest.raises(NotSignedIn, match=r"Refused by eva. Again: qc.connect"):
        ask()


def test_a_code_that_nobody_types_ends_in_time(hub, ask):
    hub["POST /hub/connect/token"] = plain({}, 202)
    with pytest.raises(NotSignedIn, match="not entered in time"):
        ask(timeout_s=0)


def test_a_hub_without_codes_says_where_tokens_are_made(hub, ask):
    hub["POST /hub/connect/begin"] = plain({"message": "No such page."}, 404)
    with pytest.raises(
        NotSignedIn, match=r"does not support sign-in by code. No such page. Make a token at .*/hub/token"
    ):
        ask()


@pytest.mark.parametrize(
    ("begin", "token"),
    [
        (Raw("<html>", 201, "text/html"), plain({"token": "t"})),
        (plain({"code": "A"}, 201), plain({"token": "t"})),
        (plain(BEGUN, 201), Raw("<html>", kind="text/html")),
        (plain(BEGUN, 201), plain({"other": 1})),
        (plain(BEGUN, 201), plain([])),
    ],
    ids=[
        "begin is a page",
        "begin lacks its secret",
        "token is a page",
        "token is missing",
        "token is a list",
    ],
)
def test_an_answer_that_is_none_of_a_hub_is_an_error_of_signing_in(hub, ask, begin, token):
    hub["POST /hub/connect/begin"], hub["POST /hub/connect/token"] = begin, token
    with pytest.raises(NotSignedIn, match=r"answered .* no answer of a hub.*Make a token at"):
        ask()


def test_a_hub_that_goes_away_meanwhile_is_said_to_be_away(hub, ask):
    hub["POST /hub/connect/token"] = Drop()
    with pytest.raises(Unreachable, match="Try again"):
        ask()


@pytest.mark.parametrize("status", [500, 502])
def test_a_refused_answer_without_words_names_its_status(hub, ask, status):
    hub["POST /hub/connect/token"] = refusal(status, "error", "x") if status == 500 else Raw("<html>", 502)
    with pytest.raises(NotSignedIn, match=r"x|It answered 502"):
        ask()


@pytest.mark.parametrize("url", ["ftp://a", "a.example", "", "http://", "http://[::1", "http://a:b"])
def test_what_is_no_address_is_refused_with_an_example(url):
    with pytest.raises(UserInputError, match=r"is no address. For example https://"):
        signing_in.require_safe(url)


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(UserInputError) as caught:
        signing_in.require_safe("http://eva:secret@box.example:8000")
    assert "secret" not in caught.value.message
    assert "https://box.example:8000" in caught.value.message


@pytest.mark.parametrize(
    ("modules", "kind"), [({"ipykernel": object()}, "a notebook on "), ({}, "Python on ")]
)
def test_the_program_is_described_to_the_hub(monkeypatch, modules, kind):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert signing_in.program_name().startswith(kind)
