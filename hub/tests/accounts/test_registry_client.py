"""The registry in a person's name: addresses, errors, and a client that costs nothing to make."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from qcrbox.contract.errors import NotFound, QcError
from qcrbox_hub.accounts import registry as registry_module
from qcrbox_hub.accounts.registry import PersonalTokens, RegistryAway, RegistryClient

URL = "http://127.0.0.1:9"


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Requests that were made; each is answered with its own address."""
    made: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request)
        path = request.url.path
        if path == "/api/empty":
            return httpx.Response(204)
        if path == "/api/missing":
            return httpx.Response(404, json=NotFound("There is no such thing.").envelope())
        if path == "/api/html":
            return httpx.Response(502, text="<html>")
        return httpx.Response(200, json={"payload": {"asked": str(request.url.raw_path, "ascii")}})

    real = httpx.AsyncClient

    def client(**options: Any) -> httpx.AsyncClient:
        options.pop("verify")
        return real(**options, transport=httpx.MockTransport(answer))

    monkeypatch.setattr(registry_module.httpx, "AsyncClient", client)
    return made


def run(act: Any) -> Any:
    return asyncio.run(act)


def test_request_carries_the_token_and_the_address_of_the_person(answered: list[httpx.Request]) -> None:
    run(RegistryClient(URL, "t0ken", "10.0.0.7").get("/api/me"))
    (request,) = answered
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.headers["x-forwarded-for"] == "10.0.0.7"
    assert "x-forwarded-for" not in run_headers(answered)


def run_headers(answered: list[httpx.Request]) -> httpx.Headers:
    run(RegistryClient(URL, "t0ken").get("/api/me"))
    return answered[-1].headers


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, "/api/x"),
        ({"q": "", "after": None, "names": []}, "/api/x"),
        ({"q": "a b&c", "limit": 0}, "/api/x?q=a+b%26c&limit=0"),
        ({"person": ["ada", "bob"]}, "/api/x?person=ada&person=bob"),
        ({"fresh": "false"}, "/api/x?fresh=false"),
    ],
)
def test_empty_parameters_are_left_out(
    answered: list[httpx.Request], query: dict[str, Any], asked: str
) -> None:
    assert run(RegistryClient(URL, "t").get("/api/x", **query))["asked"] == asked


def test_query_in_the_path_is_kept_and_the_order_of_answers_is_that_of_the_paths(
    answered: list[httpx.Request],
) -> None:
    found = run(RegistryClient(URL, "t").get_all("/api/b?most=1", "/api/a", "/api/c?retired=true"))
    assert [each["asked"] for each in found] == ["/api/b?most=1", "/api/a", "/api/c?retired=true"]


def test_one_failure_of_several_is_raised(answered: list[httpx.Request]) -> None:
    with pytest.raises(NotFound, match="no such thing"):
        run(RegistryClient(URL, "t").get_all("/api/a", "/api/missing"))


def test_answer_without_a_body_is_empty_and_one_that_is_no_json_says_so(
    answered: list[httpx.Request],
) -> None:
    assert run(RegistryClient(URL, "t").call("DELETE", "/api/empty")) == {}
    with pytest.raises(RegistryAway, match="no JSON"):
        run(RegistryClient(URL, "t").get("/api/html"))


def test_registry_that_does_not_answer_says_where_to_look() -> None:
    with pytest.raises(QcError, match="does not answer") as away:
        run(RegistryClient(URL, "t").get("/api/me"))
    assert (away.value.status, away.value.next) == (503, "Look at its log with: qcrbox logs registry")


def test_certificates_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them for each call held the hub for longer than the call itself."""
    made = []
    real = registry_module.ssl.create_default_context
    registry_module._tls.cache_clear()
    monkeypatch.setattr(registry_module.ssl, "create_default_context", lambda: made.append(1) or real())
    for _ in range(3):
        with pytest.raises(RegistryAway):
            run(RegistryClient(URL, "t").get("/api/me"))
    assert made == [1]


class User:
    def __init__(self, number: int) -> None:
        self.id, self.made = number, []  # type: ignore[var-annotated]

    def new_api_token(self, **about: Any) -> str:
        self.made.append(about)
        return f"token-{self.id}-{len(self.made)}"


SCOPES = frozenset({"custom:qcrbox:admin", "access:services!service=qcrbox", "admin:users"})


def test_token_is_kept_for_a_session_and_replaced_before_it_ends() -> None:
    now = [0.0]
    tokens, ada = PersonalTokens(clock=lambda: now[0]), User(1)
    first = tokens.of(ada, "session", SCOPES)
    assert tokens.of(ada, "session", SCOPES) == first
    assert "admin:users" not in ada.made[0]["scopes"], "only what the registry knows"
    now[0] = 9 * 60 + 1
    assert tokens.of(ada, "session", SCOPES) != first
    assert json.dumps(ada.made[0]["scopes"])


def test_other_sessions_people_and_rights_have_tokens_of_their_own() -> None:
    tokens, ada, bob = PersonalTokens(clock=lambda: 0.0), User(1), User(2)
    found = {
        tokens.of(ada, "one", SCOPES),
        tokens.of(ada, "two", SCOPES),
        tokens.of(ada, "one", frozenset({"custom:qcrbox:use"})),
        tokens.of(bob, "one", SCOPES),
    }
    assert len(found) == 4
    tokens.forget(ada)
    assert tokens.of(bob, "one", SCOPES) == "token-2-1"
    assert tokens.of(ada, "one", SCOPES) == "token-1-4"


# ---------------------------------------------------------------- answers that are no answers of the registry


REAL = httpx.AsyncClient


def answering(monkeypatch: pytest.MonkeyPatch, status: int, content: bytes) -> None:
    """Every request gets this answer."""
    real = REAL

    def client(**options: Any) -> httpx.AsyncClient:
        options.pop("verify")
        transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
        return real(**options, transport=transport)

    monkeypatch.setattr(registry_module.httpx, "AsyncClient", client)


async def _read(client: RegistryClient) -> bytes:
    return b"".join([chunk async for chunk in client.stream("/api/x")])


CALLS = {
    "call": lambda client: client.call("POST", "/api/x", {}),
    "file": lambda client: client.store_file("a.cif", b"data_a"),
    "stream": _read,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("status", "content", "error", "words"),
    [
        (502, b"<html>", RegistryAway, "no JSON"),
        (404, b'{"detail": "Not Found"}', NotFound, "answered 404"),
        (405, b'{"detail": "Method Not Allowed"}', QcError, "answered 405"),
        (500, b"[]", RegistryAway, "no JSON"),
        (409, b'{"error": "no object"}', QcError, "answered 409"),
        (503, b'{"error": null}', QcError, "answered 503"),
        (404, NotFound("It is gone.").envelope(), NotFound, "It is gone"),
    ],
    ids=["page of a proxy", "no envelope", "method", "list", "error as text", "no error", "envelope"],
)
def test_refusal_is_an_error_whatever_its_body_is(
    monkeypatch: pytest.MonkeyPatch, call: Any, status: int, content: Any, error: type, words: str
) -> None:
    answering(monkeypatch, status, content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(error, match=words):
        run(call(RegistryClient(URL, "t")))


def test_readiness_is_read_from_an_answer_503_and_not_from_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 503, b'{"missing": {"nats": "away"}}')
    assert run(RegistryClient(URL, "t").readiness()) == {"missing": {"nats": "away"}}
    answering(monkeypatch, 502, b"<html>")
    with pytest.raises(RegistryAway, match="no JSON"):
        run(RegistryClient(URL, "t").readiness())


def test_file_is_known_by_its_id_and_a_stream_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 201, b'{"payload": {"data_files": [{"qcrbox_file_id": "f1"}]}}')
    assert run(CALLS["file"](RegistryClient(URL, "t"))) == "f1"
    answering(monkeypatch, 200, b"x" * 200_000)
    assert run(_read(RegistryClient(URL, "t"))) == b"x" * 200_000
