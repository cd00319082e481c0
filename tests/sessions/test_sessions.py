"""A program with a window, from its start to its end, as processes and as containers without a network."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import struct
import zipfile

import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.rfb_viewer import Viewer, WebSocketTransport
from tests.sessions.conftest import Sessions, colour_of, shows, until

pytestmark = pytest.mark.slow

RED, GREEN = (0xC0, 0x10, 0x10), (0x10, 0xA0, 0x10)


@pytest.fixture
def session_id(sessions: Sessions):
    made = sessions.open()
    yield made
    sessions.close(made, "discard")


async def close_code(sessions: Sessions, session_id: str, query: str = "", **options) -> int:
    websocket = await sessions.socket(session_id, query, **options)
    with contextlib.suppress(ConnectionClosed):
        await websocket.recv()
    return websocket.close_code


async def hold_until_heard(viewer: Viewer, keysym: int = 0xFFE1) -> None:
    """Hold a key (shift) until the window shows that it hears it; it has the focus a moment after it is seen."""
    async with asyncio.timeout(60):
        while True:
            await viewer._transport.send(struct.pack(">BBxxI", 4, 1, keysym))
            for _ in range(10):
                if await colour_of(viewer) == GREEN:
                    return
                await asyncio.sleep(0.05)
            await viewer._transport.send(struct.pack(">BBxxI", 4, 0, keysym))


async def let_go(viewer: Viewer, keysym: int = 0xFFE1) -> None:
    await viewer._transport.send(struct.pack(">BBxxI", 4, 0, keysym))
    await shows(viewer, RED)


async def until_gone(viewer: Viewer) -> None:
    async with asyncio.timeout(30):
        with contextlib.suppress(ConnectionError, ConnectionClosed):
            while True:
                await viewer.whole()


async def test_the_window_is_seen_and_hears_what_is_typed(sessions, session_id):
    viewer = await sessions.viewer(session_id)
    await shows(viewer, RED)
    await hold_until_heard(viewer)


async def test_what_was_done_is_kept_with_its_lineage(sessions):
    session_id = sessions.open()
    viewer = await sessions.viewer(session_id)
    await hold_until_heard(viewer)
    await let_go(viewer)
    await viewer.click(600, 400)
    await viewer.type("abc")
    await shows(viewer, RED)
    closed = sessions.close(session_id)
    assert closed["status"] == "successful"
    lines = sessions.text_of(closed["output_dataset_id"], "notes.txt").splitlines()
    # The window manager looks at a click before it hands it on, so a key may overtake it.
    assert sorted(lines[-4:]) == ["button 1", "key 38", "key 54", "key 56"]
    calculation = sessions.call("GET", f"/api/calculations/{session_id}")["calculations"][0]
    assert calculation["output_dataset_id"] == closed["output_dataset_id"]


async def test_what_was_discarded_is_not_stored(sessions):
    session_id = sessions.open()
    viewer = await sessions.viewer(session_id)
    await shows(viewer, RED)
    await viewer.type("abc")
    closed = sessions.close(session_id, "discard")
    assert closed["status"] == "cancelled"
    assert "output_dataset_id" not in closed


def test_that_nothing_was_changed_is_said(sessions):
    closed = sessions.close(sessions.open())
    assert closed["status"] == "successful"
    assert closed["warnings"] == ["Nothing was changed, so there is nothing new in the store."]


async def test_what_was_done_is_not_lost_when_the_end_fails(sessions):
    session_id = sessions.open(arguments={"title": "fail"})
    viewer = await sessions.viewer(session_id)
    await hold_until_heard(viewer)
    closed = sessions.close(session_id)
    assert closed["status"] == "failed"
    assert "the end fails" in closed["error_msg"]
    assert "session-files.zip" in closed["error_msg"]
    assert "the end fails" in sessions.look(session_id)["reason"], "not who ended it"
    files = sessions.call("GET", f"/api/datasets/{closed['output_dataset_id']}")["datasets"][0]["data_files"]
    kept = sessions.http.get(f"/api/data-files/{files['session-files.zip']['qcrbox_file_id']}/download")
    with zipfile.ZipFile(io.BytesIO(kept.content)) as archive:
        assert b"key 50" in archive.read("events.txt")


async def test_closing_the_tab_ends_nothing_and_the_list_leads_back(sessions, session_id):
    viewer = await sessions.viewer(session_id)
    await shows(viewer, RED)
    await viewer._transport._websocket.close()
    listed = sessions.call("GET", "/api/interactive-sessions")["interactive_sessions"]
    assert session_id in [one["session_id"] for one in listed]
    again = await sessions.viewer(session_id)
    await shows(again, RED)


async def test_two_tabs_show_one_session(sessions, session_id):
    first, second = await sessions.viewer(session_id), await sessions.viewer(session_id)
    await hold_until_heard(first)
    await shows(second, GREEN)


@pytest.mark.attack(27)
async def test_somebody_who_looks_on_sees_and_cannot_touch(sessions, session_id):
    looking, owner = await sessions.viewer(session_id, "?view=true"), await sessions.viewer(session_id)
    await hold_until_heard(owner)
    await let_go(owner)
    await looking.click(600, 400)
    await looking.type("never heard")
    await looking.cut_text("never pasted")
    await shows(looking, RED)
    await hold_until_heard(owner, 0x61)
    await shows(looking, GREEN)
    closed = sessions.close(session_id)
    lines = sessions.text_of(closed["output_dataset_id"], "notes.txt").splitlines()
    assert set(lines) == {"key 50", "key 38"}  # shift and a, both the owner's


@pytest.mark.attack(27)
async def test_a_page_of_another_site_is_refused(sessions, session_id):
    for origin in ("https://evil.example", sessions.running.url + ".evil.example", "null"):
        with pytest.raises(InvalidStatus):
            await sessions.socket(session_id, origin=origin)


async def test_a_page_of_our_own_is_let_in(sessions, session_id):
    websocket = await sessions.socket(session_id, origin=sessions.running.url)
    await shows(await Viewer(WebSocketTransport(websocket)).start(), RED)


@pytest.mark.attack(27)
async def test_a_session_that_is_not_there_is_not_there(sessions):
    assert await close_code(sessions, "0" * 32) == 4404


@pytest.mark.attack(27)
async def test_after_its_end_nobody_sees_a_session(sessions):
    session_id = sessions.open()
    viewer = await sessions.viewer(session_id)
    await shows(viewer, RED)
    sessions.close(session_id)
    assert await close_code(sessions, session_id) == 4409
    await until_gone(viewer)


@pytest.mark.attack(27)
async def test_what_is_not_rfb_ends_the_connection(sessions, session_id):
    websocket = await sessions.socket(session_id)
    await websocket.recv()
    await websocket.send(b"RFB 003.008\n\x01\x01" + b"\x63" * 20)
    with contextlib.suppress(ConnectionClosed):
        while True:
            await websocket.recv()
    assert websocket.close_code == 4400


@pytest.mark.attack(27)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer files.e30.x"}])
async def test_the_agents_end_of_a_tunnel_needs_its_token(sessions, session_id, headers):
    address = f"{sessions.running.url.replace('http', 'ws')}/internal/calculations/{session_id}/tunnel/guess"
    websocket = await websockets.connect(address, proxy=None, additional_headers=headers)
    with pytest.raises(ConnectionClosed):
        await websocket.recv()
    assert websocket.close_code == 4401


async def test_a_session_survives_a_killed_registry(sessions, session_id):
    viewer = await sessions.viewer(session_id)
    await shows(viewer, RED)
    platform = sessions.running.data / "run" / "platform.json"
    old = json.loads(platform.read_text())["children"]["registry"]["pid"]
    os.kill(old, signal.SIGKILL)

    def is_back() -> bool:
        try:
            return sessions.http.get("/api/readyz").is_success and (
                json.loads(platform.read_text())["children"]["registry"]["pid"] != old
            )
        except Exception:  # noqa: BLE001 - whatever goes wrong while it is away
            return False

    await until(is_back, 60)

    async def comes_back() -> Viewer:
        for _ in range(100):
            try:
                return await sessions.viewer(session_id)
            except (ConnectionError, ConnectionClosed, OSError):
                continue
        raise AssertionError("the session does not come back")

    await shows(await comes_back(), RED)
