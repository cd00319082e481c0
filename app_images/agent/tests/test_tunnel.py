"""The way of a session's picture to the registry: bytes both ways, and a reason when there is nothing to see."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from qcrbox.contract.messages import OpenTunnel
from qcrbox_agent.run.tunnel import ENDED, NO_PICTURE, open_tunnel
from websockets.asyncio.server import serve, unix_serve

WAIT_S = 30


class Registry:
    """The registry's end of a tunnel: what arrives, and how it was closed."""

    def __init__(self) -> None:
        self.connected: asyncio.Queue = asyncio.Queue()

    async def __call__(self, websocket) -> None:
        self.connected.put_nowait(websocket)
        await websocket.wait_closed()

    async def next(self):
        return await asyncio.wait_for(self.connected.get(), WAIT_S)


@pytest.fixture
async def registry():
    made = Registry()
    async with serve(made, "127.0.0.1", 0) as server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/internal/calculations/c1/tunnel/t1"
        yield made


@pytest.fixture
async def display():
    """An X server that says who it is, then sends back what it gets."""

    async def accept(reader, writer):
        writer.write(b"RFB 003.008\n")
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    with tempfile.TemporaryDirectory(prefix="qt-") as folder:
        socket = Path(folder) / "rfb"
        server = await asyncio.start_unix_server(accept, str(socket))
        yield SimpleNamespace(socket_path=socket, server=server)
        server.close()


def attempt(display, registry_socket: str = ""):
    session = SimpleNamespace(display=display)
    return SimpleNamespace(session=session, tools=SimpleNamespace(registry_socket=registry_socket))


def control(url: str) -> OpenTunnel:
    return OpenTunnel(calculation_id="c1", attempt=1, tunnel_id="t1", url=url, token="a-minute")


async def closed_with(websocket) -> tuple[int | None, str]:
    await asyncio.wait_for(websocket.wait_closed(), WAIT_S)
    return websocket.close_code, websocket.close_reason


@pytest.fixture
async def opened(registry, display):
    task = asyncio.create_task(open_tunnel(control(registry.url), attempt(display)))
    yield await registry.next()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_picture_arrives_and_input_reaches_the_program(opened):
    assert await opened.recv() == b"RFB 003.008\n"
    await opened.send(b"\x04\x01")
    assert await opened.recv() == b"\x04\x01"


async def test_a_large_picture_arrives_whole(opened):
    await opened.recv()
    sent = bytes(range(256)) * 4096
    for start in range(0, len(sent), 65536):
        await opened.send(sent[start : start + 65536])
    got = b""
    while len(got) < len(sent):
        got += await asyncio.wait_for(opened.recv(), WAIT_S)
    assert got == sent


async def test_the_token_is_in_the_header_and_not_in_the_address(opened):
    assert opened.request.headers["Authorization"] == "Bearer a-minute"
    assert "a-minute" not in opened.request.path


async def test_a_viewer_who_leaves_ends_the_tunnel(opened):
    await opened.recv()
    await opened.close()
    assert (await closed_with(opened))[0] == ENDED


async def test_a_display_that_hangs_up_is_reported(registry):
    async def hang_up(_reader, writer):
        writer.close()

    with tempfile.TemporaryDirectory(prefix="qt-") as folder:
        socket = Path(folder) / "rfb"
        async with await asyncio.start_unix_server(hang_up, str(socket)):
            task = asyncio.create_task(
                open_tunnel(control(registry.url), attempt(SimpleNamespace(socket_path=socket)))
            )
            websocket = await registry.next()
            assert await closed_with(websocket) == (ENDED, "The session's picture ended.")
            await asyncio.wait_for(task, WAIT_S)


async def test_a_session_without_a_display_says_what_is_missing(registry):
    task = asyncio.create_task(open_tunnel(control(registry.url), attempt(None)))
    code, reason = await closed_with(await registry.next())
    assert code == NO_PICTURE
    assert "Xtigervnc" in reason
    await asyncio.wait_for(task, WAIT_S)


async def test_an_attempt_that_is_no_session_has_no_picture(registry):
    plain = SimpleNamespace(session=None, tools=SimpleNamespace(registry_socket=""))
    task = asyncio.create_task(open_tunnel(control(registry.url), plain))
    assert (await closed_with(await registry.next()))[0] == NO_PICTURE
    await asyncio.wait_for(task, WAIT_S)


async def test_a_display_that_has_ended_says_so(registry, tmp_path):
    gone = SimpleNamespace(socket_path=tmp_path / "rfb")
    task = asyncio.create_task(open_tunnel(control(registry.url), attempt(gone)))
    assert await closed_with(await registry.next()) == (NO_PICTURE, "The session's display has ended.")
    await asyncio.wait_for(task, WAIT_S)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/tunnel/t1", "nonsense", "ws://127.0.0.1:9/"])
async def test_a_registry_that_does_not_answer_is_no_fault_of_the_session(display, url):
    await asyncio.wait_for(open_tunnel(control(url), attempt(display)), WAIT_S)


async def test_a_refused_tunnel_is_no_fault_of_the_session(display):
    async def refuse(connection, _request):
        return connection.respond(403, "no")

    async with serve(lambda _: None, "127.0.0.1", 0, process_request=refuse) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/tunnel/t1"
        await asyncio.wait_for(open_tunnel(control(url), attempt(display)), WAIT_S)


async def test_in_a_container_the_tunnel_goes_through_the_registrys_socket(display):
    registry = Registry()
    with tempfile.TemporaryDirectory(prefix="qt-") as folder:
        socket = str(Path(folder) / "registry.sock")
        async with unix_serve(registry, socket):
            task = asyncio.create_task(open_tunnel(control("http://registry/t1"), attempt(display, socket)))
            websocket = await registry.next()
            assert await websocket.recv() == b"RFB 003.008\n"
            await websocket.close()
            await asyncio.wait_for(task, WAIT_S)


async def test_two_viewers_have_tunnels_of_their_own(registry, display):
    tasks = [asyncio.create_task(open_tunnel(control(registry.url), attempt(display))) for _ in range(2)]
    first, second = await registry.next(), await registry.next()
    await first.close()
    await second.recv()
    await second.send(b"still here")
    assert await second.recv() == b"still here"
    await second.close()
    await asyncio.wait_for(asyncio.gather(*tasks), WAIT_S)
