"""The public proxy: configurable-http-proxy (the pure-Python one) with streaming and rules for origins.

The routing table and its REST interface, which JupyterHub steers, are that package's own. Its handler reads
whole answers into memory, gives up after 20 s and allows ten requests at a time; event streams and large
downloads need the handler below. `site_rules` decides first what becomes of a request.
`python -m qcrbox_hub.jupyterhub.proxy` takes its settings from the environment and the token from a file, so
that it is in no argument list.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from asyncio import Future
from collections.abc import AsyncIterator, Iterator

import aiohttp
from configurable_http_proxy.configproxy import PythonProxy
from configurable_http_proxy.handlers import ProxyHandler
from multidict import CIMultiDict
from qcrbox import lifeline
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, websocket_connect
from yarl import URL

from qcrbox_hub.jupyterhub.route_store import RouteStore
from qcrbox_hub.jupyterhub.settings import ProxySettings
from qcrbox_hub.jupyterhub.site_rules import Redirect, Refuse, SiteRules

LARGEST_UPLOAD_BYTES = 64 * 1024**3
LARGEST_MESSAGE_BYTES = 256 * 1024**2
CONNECT_TIMEOUT_S = 10

# RFC 9110 section 7.6.1: they belong to one connection and are never passed on.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# What only this proxy, or the web server in front of it, may say about a request. Tornado believes X-Real-Ip and
# X-Scheme before the X-Forwarded headers, so a client that sends them would choose the address it is known by.
ABOUT_THE_CLIENT = frozenset(
    {"forwarded", "x-real-ip", "x-scheme", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"}
)


@web.stream_request_body
class StreamingHandler(ProxyHandler):
    """Passes bodies on as they come, in both directions."""

    def initialize(self, proxy: StreamingProxy) -> None:
        """Called by tornado with the proxy."""
        super().initialize(proxy=proxy)
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=8)
        self._forwarding: asyncio.Task[None] | None = None
        self._complete = False
        self.routing_host = ""

    def set_default_headers(self) -> None:
        """Remove tornado's headers: the answer is that of the target."""
        # What the target says is the whole answer; tornado's own Server and Content-Type stay out of it.
        self.clear_header("Server")

    def flush(self, include_footers: bool = False) -> Future[None]:
        """Send what was written; announce a close after an early answer."""
        if not self._complete and not self._headers_written and self.get_status() != 101:
            # Answered before the request was read to its end: tornado will close, so the client should know.
            self.set_header("Connection", "close")
        return super().flush(include_footers)

    def compute_etag(self) -> None:
        """The target's own tag counts."""

    async def prepare(self) -> None:
        """Start to pass the request on when its headers are there; the body follows piece by piece."""
        if self.request.path == "/_chp_healthz":
            return
        verdict = self.proxy.rules.judge(self.request.method, self.request.uri, self.request.headers)
        if isinstance(verdict, Redirect):
            self.redirect(verdict.url, status=302)
            return
        if isinstance(verdict, Refuse):
            self._refuse(verdict)
            return
        self.routing_host = verdict.host
        if self._is_websocket():
            return
        self._forwarding = asyncio.ensure_future(self._forward())

    def _refuse(self, verdict: Refuse) -> None:
        self.set_status(verdict.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(verdict.reason + "\n")

    async def data_received(self, chunk: bytes) -> None:
        """Pass a piece of the body on; dropped if the target has answered already."""
        if self._forwarding is None or self._forwarding.done():
            return  # the target has answered already, for instance to refuse the upload
        await self._feed(chunk)

    async def call_proxy(self, path: str | None = None) -> None:
        """The body is complete. Every method ends here, by the base class."""
        self._complete = True
        if self._forwarding is None:
            return
        await self._feed(None)
        await asyncio.wait({self._forwarding})
        if not self._forwarding.cancelled():
            self._forwarding.result()

    async def _feed(self, chunk: bytes | None) -> None:
        """Hand on a piece, waiting for the target to take it, but not for one that is done with us."""
        assert self._forwarding is not None
        put = asyncio.ensure_future(self._chunks.put(chunk))
        await asyncio.wait({put, self._forwarding}, return_when=asyncio.FIRST_COMPLETED)
        put.cancel()

    def on_connection_close(self) -> None:
        """Close the connection to the target when the browser has closed its own."""
        # The browser went away: let go of the target too, or every reloaded page would leave a stream open.
        if self._forwarding is not None:
            self._forwarding.cancel()
        if self._is_websocket():
            super().on_connection_close()

    def _is_websocket(self) -> bool:
        return self.request.headers.get("Upgrade", "").lower() == "websocket"

    async def _forward(self) -> None:
        target = await self._target()
        if target is None:
            return
        try:
            async with self.proxy.session.request(
                self.request.method,
                target,
                headers=self._request_headers(),
                data=self._body(),
                allow_redirects=False,
            ) as answer:
                await self._answer(answer)
        except StreamClosedError:
            return
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if self._headers_written:
                # Too late for an error page: a cut connection is the only honest sign left.
                self.request.connection.stream.close()
                return
            await self.handle_proxy_error(503, error)

    async def _target(self) -> URL | None:
        # The raw path: decoding and encoding again would turn %2F into a slash.
        raw_path, _, query = self.request.uri.partition("?")
        self.target = self.proxy.target_for_req(self.routing_host, raw_path)
        if self.target is None:
            await self.handle_proxy_error(404, err=None)
            return None
        base = self.target["target"].rstrip("/")
        return URL(base + raw_path + (f"?{query}" if query else ""), encoded=True)

    def _request_headers(self) -> CIMultiDict[str]:
        named = {name.strip().lower() for name in self.request.headers.get("Connection", "").split(",")}
        headers: CIMultiDict[str] = CIMultiDict()
        for name, value in self.request.headers.get_all():
            if name.lower() not in HOP_BY_HOP | ABOUT_THE_CLIENT | named:
                headers.add(name, value)
        address = self.request.remote_ip or ""
        if self.proxy.tls_in_front:
            # A web server on this machine ends TLS and says who is really asking; its word is the last.
            claimed = headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            headers["X-Forwarded-For"] = claimed or address
            headers["X-Forwarded-Proto"] = "https"
        else:
            # This proxy is the outermost one, so what a client claims to have forwarded is not believed.
            headers["X-Forwarded-For"] = address
            headers["X-Forwarded-Proto"] = self.request.protocol
        headers["X-Forwarded-Host"] = self.request.host
        _, colon, port = self.request.host.rpartition(":")
        headers["X-Forwarded-Port"] = port if colon else ("443" if self.proxy.tls_in_front else "80")
        return headers

    def _body(self) -> AsyncIterator[bytes] | None:
        headers = self.request.headers
        if headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in headers:
            return None
        return self._chunk_iterator()

    async def _chunk_iterator(self) -> AsyncIterator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            yield chunk

    async def _answer(self, answer: aiohttp.ClientResponse) -> None:
        self.set_status(answer.status, answer.reason)
        for name in list(dict(self._headers.get_all())):
            self.clear_header(name)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.add_header(name, value)
        bodiless = self.request.method == "HEAD" or answer.status in (204, 304)
        if bodiless:
            await self.finish()
            return
        await self.flush()
        async for chunk in answer.content.iter_any():
            self.write(chunk)
            await self.flush()
        await self.finish()

    async def start_ws_client(self, path: str | None = None) -> None:
        """Connect to the target first, so that a refusal reaches the browser as the answer it is."""
        self.closed = False
        target = await self._target()
        if target is None:
            return
        request = HTTPRequest(
            str(target.with_scheme("ws")),
            headers=HTTPHeaders(dict(self._websocket_headers())),
            connect_timeout=CONNECT_TIMEOUT_S,
        )
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        try:
            self.ws_client = await websocket_connect(
                request,
                on_message_callback=self._pass_to_browser,
                max_message_size=LARGEST_MESSAGE_BYTES,
                subprotocols=[each.strip() for each in offered.split(",")] if offered else None,
            )
        except HTTPClientError as error:
            self.set_status(error.code if error.code >= 400 else 502)
            await self.finish()
        except OSError as error:
            await self.handle_proxy_error(503, error)

    def open(self, *_path: str) -> None:
        """Both ends send small messages at once: tornado keeps Nagle's algorithm on, 40 ms a message of a display."""
        self.set_nodelay(True)
        if self.ws_client and self.ws_client.protocol:
            self.ws_client.protocol.set_nodelay(True)

    def _websocket_headers(self) -> Iterator[tuple[str, str]]:
        for name, value in self._request_headers().items():
            if not name.lower().startswith("sec-websocket-"):
                yield name, value

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """The websocket subprotocol that the target has chosen."""
        return self.ws_client.selected_subprotocol if self.ws_client else None

    async def on_message(self, message: str | bytes) -> None:
        """From the browser. Awaited, so a slow target slows the browser instead of filling the memory."""
        if not self.ws_client:
            return
        if self.target:
            self.proxy.update_last_activity(self.target["prefix"])
        with contextlib.suppress(WebSocketClosedError):
            await self.ws_client.write_message(message, binary=isinstance(message, bytes))

    def _pass_to_browser(self, message: str | bytes | None) -> None:
        if message is None or self.closed:
            self.on_close()
            self.close()
            return
        if self.target:
            self.proxy.update_last_activity(self.target["prefix"])
        if self.ws_connection:
            with contextlib.suppress(WebSocketClosedError):
                sent = self.write_message(message, binary=isinstance(message, bytes))
                # A browser that is gone in the middle of a message is no error of ours.
                sent.add_done_callback(lambda done: done.cancelled() or done.exception())


class StreamingProxy(PythonProxy):
    """The package's routing table with our handler."""

    def __init__(
        self,
        options: dict[str, object],
        rules: SiteRules,
        *,
        tls_in_front: bool = False,
        routes: RouteStore | None = None,
    ) -> None:
        super().__init__({**options, "host_routing": rules.by_host})
        self.rules = rules
        if routes is not None:
            self._restore(routes)
        self.tls_in_front = tls_in_front
        self.proxy_app = web.Application(
            [(r"/(.*)", StreamingHandler, {"proxy": self})],
            websocket_max_message_size=LARGEST_MESSAGE_BYTES,
            # One line per request would fill the disk and repeat what the hub and the servers log.
            log_function=lambda handler: None,
        )
        self.session: aiohttp.ClientSession

    def _restore(self, routes: RouteStore) -> None:
        """Use a stored routing table. Activity is reset; the default target is the configured one."""
        routes.load()
        self._routes = routes
        for path in list(routes.routes):
            self.update_last_activity(path)
        if self.default_target:
            self.add_route("/", {"target": self.default_target})

    async def open(self) -> None:
        """Open the HTTP client towards the targets."""
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            # Cookies and encodings are between browser and target.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )


async def serve(settings: ProxySettings, token: str) -> None:
    """Listen until SIGTERM."""
    log = logging.getLogger("qcrbox.proxy")
    proxy = StreamingProxy(
        {
            "auth_token": token,
            # The sign-in page is there as soon as the hub listens, before it has given its orders.
            "default_target": settings.hub_target,
            "error_target": f"{settings.hub_target}/hub/error",
            "log": log,
        },
        SiteRules(settings.addresses, settings.cross_site_posts),
        tls_in_front=settings.tls_in_front,
        routes=RouteStore(settings.routes_file),
    )
    await proxy.open()
    server = HTTPServer(proxy.proxy_app, max_body_size=LARGEST_UPLOAD_BYTES)
    server.listen(settings.port, settings.host)
    steering_server = HTTPServer(proxy.api_app)
    steering_server.listen(settings.api_port, "127.0.0.1")
    log.info("proxy at %s:%d for %s", settings.host, settings.port, settings.addresses.hub)
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    lifeline.watch(lifeline.terminate_self)
    await end.wait()
    server.stop()
    steering_server.stop()
    await proxy.session.close()


def main() -> int:
    """Run the proxy until it is terminated; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("qcrbox.proxy").setLevel(logging.INFO)
    settings = ProxySettings.load()
    asyncio.run(serve(settings, settings.token_file.read_text().strip()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
