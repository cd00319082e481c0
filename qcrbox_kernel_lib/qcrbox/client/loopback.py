"""Resolve names below `localhost` to this machine (RFC 6761, 6.3), as browsers do and many C libraries do not."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from qcrbox.contract.loopback import is_loopback_host

_PATTERN = "all://*.localhost"


def is_loopback(url: str) -> bool:
    """True for an address of this machine, whose requests must not be sent to a proxy of the environment."""
    host = _host(url).rstrip(".")
    return host.endswith(".localhost") or is_loopback_host(host)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""  # no address at all


def mounts(url: str) -> dict[str, httpx.BaseTransport | None]:
    """The `mounts` of an httpx client for `url`: it finds hub.localhost and its like without a name server."""
    if not _host(url).endswith(".localhost"):
        return {}  # a transport costs a TLS context
    return {_PATTERN: _ToLoopback()}


def async_mounts(url: str) -> dict[str, httpx.AsyncBaseTransport | None]:
    """The same for an asynchronous client."""
    if not _host(url).endswith(".localhost"):
        return {}
    return {_PATTERN: _ToLoopbackAsync()}


class _ToLoopback(httpx.HTTPTransport):
    """Sends requests for `*.localhost` to 127.0.0.1; the Host header and the server name of TLS keep the name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(_moved(request))


class _ToLoopbackAsync(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(_moved(request))


def _moved(request: httpx.Request) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host="127.0.0.1"),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
