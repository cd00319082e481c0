"""The proxy streams both ways and passes on unchanged what browser and server exchange."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from qcrbox_hub.jupyterhub.proxy import StreamingProxy
from qcrbox_hub.jupyterhub.site_rules import SiteRules
from qcrbox_hub.platform.addresses import Addresses
from tornado import web, websocket
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.testing import bind_unused_port
from tornado.websocket import websocket_connect

# Loopback names are the hub's: these tests are about streams, not names.
RULES = SiteRules(Addresses.make("http://hub.localhost:8000"))


@dataclass
class Target:
    """A server behind the proxy that remembers what it was asked."""

    port: int = 0
    seen: list[dict[str, object]] = field(default_factory=list)
    open_streams: int = 0
    may_end: asyncio.Event = field(default_factory=asyncio.Event)


class Echo(web.RequestHandler):
    def initialize(self, target: Target) -> None:
        self.target = target

    async def get(self) -> None:
        self.target.seen.append({"uri": self.request.uri, "headers": dict(self.request.headers)})
        self.add_header("Set-Cookie", "a=1")
        self.add_header("Set-Cookie", "b=2")
        self.write({"uri": self.request.uri})

    head = get

    async def delete(self) -> None:
        self.set_status(204)


class Stream(web.RequestHandler):
    """Says one thing, and the next only when it is told to."""

    def initialize(self, target: Target) -> None:
        self.target = target

    async def get(self) -> None:
        self.target.open_streams += 1
        self.set_header("Content-Type", "text/event-stream")
        self.write("data: first\n\n")
        await self.flush()
        await self.target.may_end.wait()
        self.write("data: last\n\n")

    def on_connection_close(self) -> None:
        self.target.open_streams -= 1


@web.stream_request_body
class Upload(web.RequestHandler):
    def initialize(self, target: Target) -> None:
        self.size = 0

    def prepare(self) -> None:
        self.request.connection.set_max_body_size(10**9)  # type: ignore[union-attr]

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def post(self) -> None:
        self.write({"size": self.size})


class Refuse(web.RequestHandler):
    def initialize(self, target: Target) -> None:
        pass

    def post(self) -> None:
        self.set_status(413)
        self.write("too large")


class Talk(websocket.WebSocketHandler):
    def initialize(self, target: Target) -> None:
        pass

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[-1] if subprotocols else None

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    made = Target()
    routes = [("/stream", Stream), ("/upload", Upload), ("/refuse", Refuse), ("/talk", Talk), ("/.*", Echo)]
    application = web.Application(
        [(path, handler, {"target": made}) for path, handler in routes],
        websocket_max_message_size=64 * 1024**2,
    )
    server = HTTPServer(application)
    socket, made.port = bind_unused_port()
    server.add_socket(socket)
    yield made
    made.may_end.set()
    server.stop()
    await server.close_all_connections()


@pytest.fixture
async def door(target: Target) -> AsyncIterator[str]:
    """Address of a proxy in front of the target."""
    log = logging.getLogger("test.proxy")
    proxy = StreamingProxy(
        {"auth_token": "t", "default_target": f"http://127.0.0.1:{target.port}", "log": log}, RULES
    )
    await proxy.open()
    server = HTTPServer(proxy.proxy_app, max_body_size=10**9)
    socket, port = bind_unused_port()
    server.add_socket(socket)
    yield f"http://127.0.0.1:{port}"
    server.stop()
    await server.close_all_connections()
    await proxy.session.close()


@pytest.fixture
async def client(door: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door, trust_env=False, timeout=20) as made:
        yield made


async def test_event_arrives_before_the_stream_ends(client: httpx.AsyncClient, target: Target) -> None:
    async with client.stream("GET", "/stream") as answer:
        pieces = answer.aiter_text()
        assert await anext(pieces) == "data: first\n\n"
        assert not target.may_end.is_set()
        target.may_end.set()
        assert await anext(pieces) == "data: last\n\n"


async def test_more_streams_than_a_small_pool_are_open_at_once(
    client: httpx.AsyncClient, target: Target
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(30):
            await stack.enter_async_context(client.stream("GET", "/stream"))
        assert (await client.get("/still-there")).status_code == 200
        assert target.open_streams == 30


async def test_closed_tab_lets_go_of_the_target(client: httpx.AsyncClient, target: Target) -> None:
    async with client.stream("GET", "/stream") as answer:
        await anext(answer.aiter_text())
    async with asyncio.timeout(60):
        while target.open_streams:
            await asyncio.sleep(0.01)


async def test_large_upload_passes_whole(client: httpx.AsyncClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b"x" * 1024 * 1024

    answer = await client.post("/upload", content=body())
    assert answer.json() == {"size": 160 * 1024**2}


async def test_early_refusal_of_an_upload_reaches_the_sender(client: httpx.AsyncClient) -> None:
    answer = await client.post("/refuse", content=b"x" * 100_000)
    assert (answer.status_code, answer.text) == (413, "too large")


async def test_a_refused_request_says_that_its_connection_ends(client: httpx.AsyncClient) -> None:
    """Otherwise the next request is sent into a connection that is about to be closed, and is lost."""
    for _ in range(20):
        refused = await client.get("/hub/home", headers={"Host": "stranger.example"})
        assert (refused.status_code, refused.headers.get("Connection")) == (404, "close")
        taken = await client.get("/echo")
        assert (taken.status_code, taken.headers.get("Connection")) == (200, None)


@pytest.mark.parametrize(
    "uri",
    ["/a%2Fb?x=%26&y=1", "/user/ada/files/%C3%84%20b.cif", "/a//b", "/?next=%2Fhub%2F%3Fa%3Db"],
)
async def test_address_passes_unchanged(client: httpx.AsyncClient, target: Target, uri: str) -> None:
    raw = httpx.URL(str(client.base_url)).copy_with(raw_path=uri.encode())
    assert (await client.get(raw)).json() == {"uri": uri}


async def test_repeated_headers_stay_separate(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_claimed_forwarding_is_not_believed(client: httpx.AsyncClient, target: Target) -> None:
    await client.get("/", headers={"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"})
    headers = target.seen[-1]["headers"]
    assert headers["X-Forwarded-For"] == "127.0.0.1"  # type: ignore[index]
    assert headers["X-Forwarded-Proto"] == "http"  # type: ignore[index]


@pytest.mark.attack(8)
async def test_no_header_of_a_client_says_who_it_is(client: httpx.AsyncClient, target: Target) -> None:
    claims = {
        "X-Real-Ip": "10.1.2.3",
        "x-real-IP": "10.1.2.3",
        "X-Scheme": "https",
        "Forwarded": "for=10.1.2.3",
        "X-Forwarded-Host": "evil.example",
        "Connection": "X-Forwarded-For",
    }
    await client.get("/", headers=claims)
    headers: dict[str, str] = target.seen[-1]["headers"]  # type: ignore[assignment]
    assert not {"X-Real-Ip", "X-Scheme", "Forwarded"} & set(headers)
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert "evil.example" not in headers["X-Forwarded-Host"]


async def test_web_server_in_front_is_believed_for_its_own_word_only(target: Target) -> None:
    proxy = StreamingProxy(
        {"auth_token": "t", "default_target": f"http://127.0.0.1:{target.port}"}, RULES, tls_in_front=True
    )
    await proxy.open()
    server = HTTPServer(proxy.proxy_app)
    socket, own = bind_unused_port()
    server.add_socket(socket)
    async with httpx.AsyncClient(trust_env=False) as client:
        # The first address is what the client claims; the last is what the web server saw.
        await client.get(f"http://127.0.0.1:{own}/", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.7"})
    server.stop()
    await proxy.session.close()
    headers = target.seen[-1]["headers"]
    assert headers["X-Forwarded-For"] == "192.0.2.7"  # type: ignore[index]
    assert headers["X-Forwarded-Proto"] == "https"  # type: ignore[index]


async def test_head_and_empty_answers_end_at_once(client: httpx.AsyncClient) -> None:
    assert (await client.head("/")).status_code == 200
    assert (await client.delete("/x")).status_code == 204


async def test_dead_target_is_503(door: str, client: httpx.AsyncClient, target: Target) -> None:
    free, port = bind_unused_port()
    free.close()
    target.port = port
    proxy = StreamingProxy(
        {"auth_token": "t", "default_target": f"http://127.0.0.1:{port}", "log": logging.getLogger("test")},
        RULES,
    )
    await proxy.open()
    server = HTTPServer(proxy.proxy_app)
    socket, own = bind_unused_port()
    server.add_socket(socket)
    try:
        assert (await client.get(f"http://127.0.0.1:{own}/")).status_code == 503
    finally:
        server.stop()
        await proxy.session.close()


@pytest.mark.parametrize(
    "message", ["hello", b"\x00\xff" * 8, b"x" * 20 * 1024**2], ids=["text", "bytes", "20 MiB"]
)
async def test_websocket_message_comes_back(door: str, message: str | bytes) -> None:
    request = HTTPRequest(door.replace("http", "ws") + "/talk")
    connection = await websocket_connect(request, max_message_size=64 * 1024**2)
    await connection.write_message(message, binary=isinstance(message, bytes))
    assert await connection.read_message() == message
    connection.close()


async def test_both_ends_of_a_websocket_send_small_messages_at_once(
    door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: dict[int, bool] = {}
    plain = IOStream.set_nodelay

    def recorded(stream: IOStream, value: bool) -> None:
        at_once[id(stream)] = value
        plain(stream, value)

    monkeypatch.setattr(IOStream, "set_nodelay", recorded)
    connection = await websocket_connect(door.replace("http", "ws") + "/talk")
    await connection.write_message("a")
    await connection.read_message()
    # Of the four ends in this process two are the proxy's; those of the browser and of the target are tornado's own.
    assert sorted(at_once.values()) == [False, False, True, True]
    connection.close()


async def test_websocket_subprotocol_is_the_targets_choice(door: str) -> None:
    connection = await websocket_connect(door.replace("http", "ws") + "/talk", subprotocols=["a", "b"])
    assert connection.selected_subprotocol == "b"
    connection.close()


async def test_refused_websocket_gets_the_targets_answer(door: str) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await websocket_connect(door.replace("http", "ws") + "/refuse")
    assert caught.value.code == 405
