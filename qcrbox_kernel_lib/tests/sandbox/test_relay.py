"""Relays lead where they should and nowhere else."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from qcrbox.sandbox.relay import Relay, Target


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: a socket's path may have 107 bytes."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
async def service() -> AsyncIterator[int]:
    """A TCP service that says who calls."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(writer.get_extra_info("peername")[0].encode())
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def said(socket: Path | None = None, port: int = 0) -> str:
    if socket is not None:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    text = (await reader.read()).decode()
    writer.close()
    return text


async def test_service_sees_the_source_address(short: Path, service: int) -> None:
    relay = Relay(target=Target(host="127.0.0.1", port=service, source="127.64.0.7"), socket=short / "s")
    await relay.open()
    assert await said(short / "s") == "127.64.0.7"
    await relay.close()
    assert not (short / "s").exists()


async def test_port_leads_to_a_socket(short: Path, service: int) -> None:
    to_service = Relay(target=Target(host="127.0.0.1", port=service), socket=short / "s")
    await to_service.open()
    relay = Relay(target=Target(path=short / "s"))
    assert await said(port=await relay.open()) == "127.0.0.1"
    for each in (relay, to_service):
        await each.close()


@pytest.mark.attack(26)
@pytest.mark.parametrize("kind", ["link to a socket", "file", "folder", "nothing"])
async def test_only_a_socket_itself_is_connected_to(short: Path, service: int, kind: str) -> None:
    forbidden = Relay(target=Target(host="127.0.0.1", port=service), socket=short / "forbidden")
    await forbidden.open()
    place = short / "server.sock"
    if kind == "link to a socket":
        place.symlink_to(short / "forbidden")
    elif kind == "file":
        place.write_text("x")
    elif kind == "folder":
        place.mkdir()
    relay = Relay(target=Target(path=place, untrusted=True))
    assert await said(port=await relay.open()) == ""
    trusting = Relay(target=Target(path=place))
    # The test would show nothing if the link led nowhere.
    assert await said(port=await trusting.open()) == ("127.0.0.1" if kind == "link to a socket" else "")
    for each in (relay, trusting, forbidden):
        await each.close()


async def test_real_socket_of_an_untrusted_folder_works(short: Path, service: int) -> None:
    server = Relay(target=Target(host="127.0.0.1", port=service), socket=short / "server.sock")
    await server.open()
    relay = Relay(target=Target(path=short / "server.sock", untrusted=True))
    assert await said(port=await relay.open()) == "127.0.0.1"
    for each in (relay, server):
        await each.close()


@pytest.mark.attack(24)
async def test_connections_of_one_caller_are_bounded(short: Path) -> None:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    relay = Relay(
        target=Target(host="127.0.0.1", port=server.sockets[0].getsockname()[1]), socket=short / "s", most=3
    )
    await relay.open()
    ends = [await asyncio.open_unix_connection(str(short / "s")) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert await said(short / "s") == "", "the fourth is closed at once"
    for _, writer in ends:
        writer.close()
    await relay.close()
    server.close()
