"""What the browser asks of this server and what the registry gets to see."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from conftest import Upstream


def test_call_reaches_the_registry_with_the_persons_token(browser: httpx.Client, upstream: Upstream) -> None:
    answer = browser.get("/qcrbox/api/calculations/3f?limit=5&text=a%26b")
    assert answer.json() == {"payload": {"size": 0}}
    (seen,) = upstream.seen
    assert seen["path"] == "/api/calculations/3f?limit=5&text=a%26b"
    assert seen["headers"]["authorization"].startswith("Bearer ")


def test_nothing_of_the_browsers_own_sign_in_is_passed_on(browser: httpx.Client, upstream: Upstream) -> None:
    answer = browser.get("/qcrbox/api/calculations", headers={"X-Forwarded-For": "10.0.0.1"})
    assert "cookie" not in upstream.seen[0]["headers"]
    assert "x-forwarded-for" not in upstream.seen[0]["headers"]
    assert "set-cookie" not in answer.headers


def test_the_token_never_reaches_the_browser(browser: httpx.Client, upstream: Upstream) -> None:
    answers = [browser.get(path) for path in ("/qcrbox/info", "/qcrbox/api/calculations")]
    token = upstream.seen[0]["headers"]["authorization"].removeprefix("Bearer ")
    assert len(token) == 32
    assert not any(token in answer.text or token in str(answer.headers) for answer in answers)


def test_stranger_is_refused_before_the_registry_is_asked(server_url: str, upstream: Upstream) -> None:
    stranger = httpx.Client(base_url=server_url, trust_env=False)
    assert stranger.get("/qcrbox/api/calculations").status_code in (401, 403)
    assert stranger.post("/qcrbox/api/datasets").status_code in (401, 403)
    assert stranger.get("/qcrbox/info").status_code in (302, 401, 403)
    assert upstream.seen == []


def test_change_without_xsrf_token_is_refused(browser: httpx.Client, upstream: Upstream) -> None:
    assert browser.post("/qcrbox/api/commands").status_code == 403
    assert browser.delete("/qcrbox/api/datasets/1").status_code == 403
    assert upstream.seen == []


def test_page_of_another_origin_is_refused(
    browser: httpx.Client, xsrf: dict[str, str], upstream: Upstream
) -> None:
    foreign = {**xsrf, "Origin": "https://evil.example", "Referer": "https://evil.example/"}
    assert browser.post("/qcrbox/api/commands", headers=foreign).status_code in (403, 404)
    assert upstream.seen == []


@pytest.mark.parametrize(
    "tail",
    [
        "../internal/calculations/1/inputs/2",
        "..%2finternal",
        "%2e%2e/internal",
        "a/%2e%2e/%2e%2e/internal",
        "a/../../internal",
        "a%5c..%5cb",
        "%00",
        "a//b",
        "/evil.example/x",
        "a%0d%0aHost:%20evil",
    ],
)
def test_no_address_leads_out_of_the_api(browser: httpx.Client, upstream: Upstream, tail: str) -> None:
    url = httpx.URL(str(browser.base_url)).copy_with(raw_path=f"/qcrbox/api/{tail}".encode())
    assert browser.get(url).status_code == 404
    assert upstream.seen == []


def test_upload_streams_through_whole(
    browser: httpx.Client, xsrf: dict[str, str], upstream: Upstream
) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 1024 * 1024

    size = 64 * 1024**2
    answer = browser.post(
        "/qcrbox/api/datasets", content=body(), headers={**xsrf, "Content-Length": str(size)}
    )
    assert answer.json() == {"payload": {"size": size}}


def test_event_arrives_while_the_stream_is_open(browser: httpx.Client, upstream: Upstream) -> None:
    with browser.stream("GET", "/qcrbox/api/events", headers={"Last-Event-ID": "6"}) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert next(answer.iter_text()).startswith("id: 7")
        assert not upstream.may_go_on.is_set()
    assert upstream.seen[0]["headers"]["last-event-id"] == "6"
    assert upstream.gone.wait(10), "the stream at the registry was not closed"


def test_tab_that_closes_as_an_event_arrives_lets_go_of_the_registry(
    browser: httpx.Client, upstream: Upstream, server: tuple[subprocess.Popen[str], str]
) -> None:
    """A busy server finds both at once: it fails to send the event, closes the stream, and sees that the tab was closed."""
    process, _ = server
    for _ in range(5):
        upstream.gone.clear()
        with browser.stream("GET", "/qcrbox/api/events") as answer:
            text = answer.iter_text()  # the connection is open as long as this is kept
            assert next(text)
            process.send_signal(signal.SIGSTOP)
            upstream.wrote.clear()
            assert upstream.wrote.wait(10)
        process.send_signal(signal.SIGCONT)
        assert upstream.gone.wait(5), "the stream at the registry was not closed"


def test_stored_page_is_never_shown_as_a_page(browser: httpx.Client) -> None:
    answer = browser.get("/qcrbox/api/page")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_answers_of_the_registry_keep_their_code_and_words(
    browser: httpx.Client, xsrf: dict[str, str]
) -> None:
    missing = browser.get("/qcrbox/api/missing")
    assert (missing.status_code, missing.json()["error"]["message"]) == (404, "gone")
    assert browser.delete("/qcrbox/api/datasets/1", headers=xsrf).status_code == 204


@pytest.mark.slow
def test_unreachable_registry_is_said_in_the_contracts_envelope(
    signed_in: Callable[..., httpx.Client],
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = signed_in(QCRBOX_URL=f"http://127.0.0.1:{unused.getsockname()[1]}")
        answer = client.get("/qcrbox/api/calculations")
    assert answer.status_code == 503
    assert answer.json()["error"]["kind"] == "unreachable"
    assert client.get("/qcrbox/info").json()["configured"] is True


def test_server_of_no_platform_says_so(signed_in: Callable[..., httpx.Client]) -> None:
    client = signed_in()
    assert client.get("/qcrbox/info").json()["configured"] is False
    assert "belongs to no QCrBox platform" in client.get("/qcrbox/api/calculations").text
