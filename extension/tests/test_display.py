"""The picture of a session on its way through this server: bytes, rights, and what is said at the end."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

SESSION = "0123456789abcdef" * 2
PERSON = "token-of-the-person"


class Registry:
    """A registry's end of pictures: sends every byte back, and ends as it is told."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.texts: list[str] = []
        self.gone = threading.Event()
        self._server = serve(self._answer, "127.0.0.1", 0, compression=None, max_size=None)
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, connection: ServerConnection) -> None:
        self.asked.append(connection.request)
        try:
            for message in connection:
                if isinstance(message, str):
                    self.texts.append(message)
                elif message == b"end":
                    connection.close(4409, "This session has ended.")
                else:
                    connection.send(message)
        except ConnectionClosed:
            pass
        self.gone.set()

    def close(self) -> None:
        self._server.shutdown()

    def forget(self) -> None:
        self.asked.clear()
        self.texts.clear()
        self.gone.clear()


@pytest.fixture(scope="module")
def served(
    signed_in_once: Callable[..., httpx.Client], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Registry, httpx.Client]]:
    """One registry and a page that is signed in at a server in front of it."""
    file = tmp_path_factory.mktemp("token") / "person"
    file.write_text(PERSON)
    registry = Registry()
    yield registry, signed_in_once(QCRBOX_URL=registry.url, QCRBOX_TOKEN_FILE=str(file))
    registry.close()


@pytest.fixture
def registry(served: tuple[Registry, httpx.Client]) -> Registry:
    served[0].forget()
    return served[0]


@pytest.fixture
def page(served: tuple[Registry, httpx.Client], registry: Registry) -> httpx.Client:
    return served[1]


def look(page: httpx.Client, query: str = "", *, cookies: bool = True, **options: Any) -> ClientConnection:
    address = str(page.base_url).replace("http", "ws", 1).rstrip("/")
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in page.cookies.items())}
    return connect(
        f"{address}/qcrbox/api/interactive-sessions/{SESSION}/display{query}",
        additional_headers=headers if cookies else {},
        compression=None,
        proxy=None,
        max_size=None,
        **options,
    )


def last_words(connection: ClientConnection) -> dict[str, Any]:
    """What this server said before it closed."""
    said: dict[str, Any] = {}
    with contextlib.suppress(ConnectionClosed):
        for message in connection:
            said = json.loads(message) if isinstance(message, str) else said
    return said


def test_bytes_go_both_ways_with_the_persons_token_and_nothing_else(
    page: httpx.Client, registry: Registry
) -> None:
    with look(page, "?view=true&token=stolen&x=1") as connection:
        for data in (b"RFB 003.008\n", b"\x00" * 3_000_000):
            connection.send(data)
            assert connection.recv(20) == data
    (asked,) = registry.asked
    assert asked.path == f"/api/interactive-sessions/{SESSION}/display?view=true"
    assert asked.headers["Authorization"] == f"Bearer {PERSON}"
    assert "Cookie" not in asked.headers
    assert "Origin" not in asked.headers


def test_text_of_the_page_goes_nowhere(page: httpx.Client, registry: Registry) -> None:
    with look(page) as connection:
        connection.send("hello")
        connection.send(b"x")
        assert connection.recv(20) == b"x"
    assert registry.texts == []


def test_stranger_is_refused_before_the_registry_is_asked(page: httpx.Client, registry: Registry) -> None:
    with pytest.raises(InvalidStatus) as refused:
        look(page, cookies=False)
    assert refused.value.response.status_code in (302, 403)
    assert registry.asked == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_page_of_another_site_is_refused(page: httpx.Client, registry: Registry, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        look(page, origin=origin)  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    assert registry.asked == []


def test_the_registrys_last_words_reach_the_page(page: httpx.Client, registry: Registry) -> None:
    with look(page) as connection:
        connection.send(b"end")
        assert last_words(connection) == {"end": 4409, "reason": "This session has ended."}
        assert connection.protocol.close_code == 4409


def test_closed_tab_lets_the_registry_go(page: httpx.Client, registry: Registry) -> None:
    with look(page) as connection:
        connection.send(b"x")
        connection.recv(20)
    assert registry.gone.wait(10)


@pytest.mark.slow
def test_page_hears_that_the_connection_lives(page: httpx.Client, registry: Registry) -> None:
    with look(page) as connection:
        assert json.loads(connection.recv(20)) == {"alive": True}


def test_message_that_is_too_large_ends_the_connection(page: httpx.Client, registry: Registry) -> None:
    with look(page) as connection:
        with contextlib.suppress(ConnectionClosed):
            connection.send(b"x" * (9 * 1024**2))
        assert last_words(connection) == {}
        assert connection.protocol.close_code in (1006, 1009)
    assert registry.gone.wait(10)


@pytest.mark.slow
def test_registry_that_does_not_answer_is_a_reason_to_try_again(
    signed_in: Callable[..., httpx.Client],
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        page = signed_in(QCRBOX_URL=f"http://127.0.0.1:{unused.getsockname()[1]}")
        with look(page) as connection:
            assert last_words(connection)["end"] == 4503
