"""The proxy to the internet leads to the internet only."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from qcrbox_hub.walls import internet
from qcrbox_hub.walls.internet import InternetProxy, Refused, Request, is_public, own_addresses

pytestmark = pytest.mark.attack(23)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.0", "10.0.0.1", "172.17.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *(
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
        ),
        *("64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "ff02::1", "not-an-address", "fe80::1%lo"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)
    assert not is_public(address, own=frozenset({address})), (
        "this machine's own services are not the internet"
    )


def test_own_addresses_hold_the_loopback() -> None:
    assert "127.0.0.1" in own_addresses()


def test_tunnel_is_understood() -> None:
    assert Request.parse(b"CONNECT pypi.example:443 HTTP/1.1\r\nHost: x\r\n\r\n") == Request(
        "pypi.example", 443, tunnel=True
    )


def test_plain_request_goes_on_without_what_is_for_the_proxy() -> None:
    head = b"GET http://a.example/x?y=1 HTTP/1.1\r\nHost: a.example\r\nProxy-Connection: k\r\nAccept: */*\r\n\r\n"
    request = Request.parse(head)
    assert (request.host, request.port, request.tunnel) == ("a.example", 80, False)
    assert request.for_origin == (
        b"GET /x?y=1 HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"CONNECT x HTTP/1.1\r\n\r\n",
        b"GET ftp://a/ HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_proxy_request_is_refused(head: bytes) -> None:
    with pytest.raises(Refused):
        Request.parse(head)


@pytest.fixture
async def proxy() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        made = InternetProxy(Path(folder) / "s", ports=frozenset({80, 443, *range(1024, 65536)}))
        await made.open()
        yield made.socket
        await made.close()


@pytest.fixture
async def service() -> AsyncIterator[int]:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere" if head else b"")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def ask(socket: Path, text: str) -> str:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    writer.write(text.encode())
    answer = (await asyncio.wait_for(reader.read(200), 60)).decode()
    if "Connection established" in answer:
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answer += (await asyncio.wait_for(reader.read(200), 60)).decode()
    writer.close()
    return answer


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"])
async def test_services_of_this_machine_are_out_of_reach(proxy: Path, service: int, host: str) -> None:
    assert "403" in await ask(proxy, f"CONNECT {host}:{service} HTTP/1.1\r\n\r\n")
    assert "403" in await ask(proxy, f"GET http://{host}:{service}/ HTTP/1.1\r\nHost: x\r\n\r\n")


async def test_closed_port_is_named(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = InternetProxy(Path(folder) / "s")
        await made.open()
        assert "Port 22 is closed" in await ask(made.socket, "CONNECT 93.184.216.34:22 HTTP/1.1\r\n\r\n")
        await made.close()


async def test_public_address_is_reached(proxy: Path, service: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # A machine without the internet: the service here stands for a public one.
    monkeypatch.setattr(internet, "is_public", lambda address, own: address == "127.0.0.1")
    assert (await ask(proxy, f"CONNECT 127.0.0.1:{service} HTTP/1.1\r\n\r\n")).endswith("there")
    assert (await ask(proxy, f"GET http://127.0.0.1:{service}/ HTTP/1.1\r\nHost: x\r\n\r\n")).endswith(
        "there"
    )


async def test_unknown_name_is_refused(proxy: Path) -> None:
    assert "is not known" in await ask(proxy, "CONNECT no-such-name.invalid:443 HTTP/1.1\r\n\r\n")
