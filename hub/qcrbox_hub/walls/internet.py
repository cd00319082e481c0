"""A forward proxy to the public internet, for groups whose members may use it.

People's servers have no network. With this switch they get a Unix socket on which HTTP(S) requests may go out to
public addresses; this machine, its neighbours and cloud metadata stay out of reach. Names are resolved here and the
connection goes to the address that was checked, so a name cannot change its mind in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil
from qcrbox.byte_pump import CHUNK, End, join
from qcrbox.sandbox.relay import Listener

PORTS = frozenset({80, 443})
MOST_CONNECTIONS = 128
LONGEST_HEAD = 16 * 1024
CONNECT_LIMIT_S = 15.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Between a client and a proxy only (RFC 9110, 7.6.1).
_HOP_HEADERS = frozenset(
    {"connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "upgrade"}
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(Exception):
    """The proxy's own answer: status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass
class InternetProxy(Listener):
    """Connects each caller to the public address that its first request names."""

    ports: frozenset[int] = PORTS
    most: int = MOST_CONNECTIONS

    async def serve(self, caller: End) -> None:
        """Read the head of the request, connect, and join both; a refusal is answered with its reason."""
        reader, writer = caller
        try:
            head = await _read_head(reader)
            request = Request.parse(head)
            if request.port not in self.ports:
                raise Refused(403, f"Port {request.port} is closed; open are {sorted(self.ports)}.")
            there = await _dial(request.host, request.port)
        except Refused as refused:
            text = refused.reason.encode()
            writer.write(
                b"HTTP/1.1 %d Refused\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
                b"Connection: close\r\n\r\n%s" % (refused.status, len(text), text)
            )
            await writer.drain()
            return
        if request.tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            there[1].write(request.for_origin)
        await join(caller, there)


@dataclass(frozen=True)
class Request:
    """The head of a proxy request. for_origin: the head as the server gets it; empty for a tunnel."""

    host: str
    port: int
    tunnel: bool
    for_origin: bytes = b""

    @staticmethod
    def parse(head: bytes) -> Request:
        """Raises Refused for what is no request to a proxy."""
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            raise Refused(400, "This is not HTTP.")
        method, target, _ = words
        try:
            parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise Refused(400, "This is not an address.") from None
        if method == "CONNECT":
            if not host or not port:
                raise Refused(400, "CONNECT needs host and port.")
            return Request(host, port, tunnel=True)
        if parts.scheme != "http" or not host:
            raise Refused(400, "Only http:// addresses, and CONNECT for https://.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [line for line in lines if line and line.partition(":")[0].strip().lower() not in _HOP_HEADERS]
        text = "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""])
        return Request(host, port or 80, tunnel=False, for_origin=text.encode("latin-1"))


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        raise Refused(400, "The request has no end.") from None
    if len(head) > LONGEST_HEAD:
        raise Refused(431, "The request's head is too long.")
    return head


async def _dial(host: str, port: int) -> End:
    """Connect to a public address of `host`. Raises Refused."""
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise Refused(502, f"{host} is not known.") from None
    own = own_addresses()
    public = [info[4][0] for info in found if is_public(str(info[4][0]), own)]
    if not public:
        raise Refused(403, f"{host} is not on the public internet.")
    for address in public:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_LIMIT_S):
                return await asyncio.open_connection(str(address), port, limit=CHUNK)
    raise Refused(502, f"{host} does not answer.")


def is_public(address: str, own: frozenset[str] = frozenset()) -> bool:
    """Is this an address of the public internet, and none of this machine's own?"""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    for each in (parsed, *_inside(parsed)):
        if not each.is_global or each.is_multicast or each.is_reserved or str(each) in own:
            return False
    return True


def _inside(address: Address) -> list[Address]:
    """IPv4 addresses that an IPv6 address stands for."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if address.teredo:
        found += address.teredo
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]


def own_addresses() -> frozenset[str]:
    """Addresses of this machine's interfaces: services that listen everywhere answer there too."""
    return frozenset(
        entry.address.partition("%")[0]
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    )
