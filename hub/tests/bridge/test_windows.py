"""Windows of sessions: which session a port shows, and how its bytes flow."""

from __future__ import annotations

import asyncio

import pytest
import websockets
from qcrbox_hub.bridge import windows
from websockets.exceptions import ConnectionClosed

from .conftest import SESSION


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(windows, "ASK_AGAIN_S", 0.02)


async def opened(bridge, path="/vnc", port=None, **options):
    host = f"127.0.0.1:{port or bridge.newest.port}"
    options = {"origin": f"http://{host}", "subprotocols": ["binary"], "proxy": None} | options
    return await websockets.connect(f"ws://{host}{path}", **options)


async def vnc(bridge, port=None):
    return await asyncio.open_connection("127.0.0.1", port or bridge.newest.vnc_port)


@pytest.mark.parametrize("path", ["/vnc", "/websockify", "/vnc/s1"])
async def test_a_page_sees_the_display_and_is_heard(bridge, path, token):
    bridge.stand_in.sessions = [SESSION]
    async with await opened(bridge, path) as window:
        assert window.subprotocol == "binary"
        assert await window.recv() == b"RFB 003.008\n"
        await window.send(b"abc")
        assert await window.recv() == b"<abc>"
    (display,) = [seen for seen in bridge.stand_in.seen if seen[0] == "DISPLAY"]
    assert display[1] == "/api/interactive-sessions/s1/display"
    assert display[2]["authorization"] == f"Bearer {token}"
    assert "origin" not in display[2]


async def test_a_vnc_viewer_sees_the_display_and_is_heard(bridge):
    bridge.stand_in.sessions = [SESSION]
    reader, writer = await vnc(bridge)
    assert await reader.readexactly(12) == b"RFB 003.008\n"
    writer.write(b"abc")
    assert await reader.readexactly(5) == b"<abc>"
    writer.write(b"end")
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


async def test_the_end_of_the_session_is_told_with_its_reason(bridge):
    bridge.stand_in.sessions = [SESSION]
    async with await opened(bridge) as window:
        await window.recv()
        await window.send(b"end")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(window.recv(), 60)
        assert (window.close_code, window.close_reason) == (1000, "The session has ended.")


async def test_an_applications_port_shows_its_own_newest_session(bridge):
    bridge.stand_in.sessions = [
        SESSION | {"session_id": "newest", "application_slug": "other"},
        SESSION | {"session_id": "theirs", "owner": "bob"},
        SESSION | {"session_id": "mine"},
        SESSION | {"session_id": "older"},
    ]
    async with bridge.client() as program:
        window = (await program.get("/api/applications")).json()["payload"]["applications"][0]
    for port, expected in ((None, "newest"), (int(window["gui_port"]), "mine")):
        async with await opened(bridge, port=port) as connection:
            await connection.recv()
        shown = [seen[1] for seen in bridge.stand_in.seen if seen[0] == "DISPLAY"][-1]
        assert shown == f"/api/interactive-sessions/{expected}/display"


@pytest.mark.attack(27)
async def test_somebody_elses_session_is_never_shown(bridge):
    """Managers of a group see in lists that sessions of its members exist."""
    bridge.stand_in.sessions = [SESSION | {"session_id": "theirs", "owner": "bob"}]
    for path in ("/vnc", "/vnc/theirs"):
        async with await opened(bridge, path) as window:
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(window.recv(), 60)
            assert window.close_code == 4404
    assert not [seen for seen in bridge.stand_in.seen if seen[0] == "DISPLAY"]


async def test_a_window_waits_for_its_session_to_open(bridge):
    bridge.stand_in.sessions = [SESSION | {"state": "starting", "session_id": "s2"}, SESSION]
    async with await opened(bridge) as window:
        first = asyncio.create_task(window.recv())
        await asyncio.sleep(0.2)
        assert not first.done()  # not the older one that is open
        bridge.stand_in.sessions[0]["state"] = "open"
        assert await asyncio.wait_for(first, 60) == b"RFB 003.008\n"
    assert [seen[1] for seen in bridge.stand_in.seen if seen[0] == "DISPLAY"] == [
        "/api/interactive-sessions/s2/display"
    ]


async def test_a_session_that_never_opens_is_given_up(bridge, monkeypatch):
    monkeypatch.setattr(windows, "STARTING_S", 0.1)
    bridge.stand_in.sessions = [SESSION | {"state": "starting", "reason": "The image is being built."}]
    async with await opened(bridge) as window:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(window.recv(), 60)
        assert window.close_code == 4404
        assert "still starting. The image is being built." in window.close_reason


async def test_without_a_session_both_kinds_of_viewers_are_told_why(bridge):
    async with await opened(bridge) as window:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(window.recv(), 60)
        assert (window.close_code, window.close_reason[:19]) == (4404, "No session is open.")
    reader, writer = await vnc(bridge)
    assert await reader.readexactly(12) == b"RFB 003.008\n"
    writer.write(b"RFB 003.008\n")
    answer = await asyncio.wait_for(reader.read(), 60)
    assert answer[0] == 0  # no security type
    assert int.from_bytes(answer[1:5], "big") == len(answer) - 5
    assert answer[5:].startswith(b"No session is open.")
    writer.close()


@pytest.mark.attack(27)
@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null"])
async def test_a_page_of_others_opens_no_window(bridge, origin):
    bridge.stand_in.sessions = [SESSION]
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        await opened(bridge, origin=origin)
    assert refused.value.response.status_code == 403
    assert bridge.stand_in.seen == []


async def test_the_page_loads_nothing_from_elsewhere_and_holds_no_token(bridge, token):
    async with bridge.client() as browser:
        base = f"http://127.0.0.1:{bridge.newest.port}"
        page = await browser.get(f"{base}/vnc.html?path=vnc")
        front = await browser.get(f"{base}/")
        parts = [await browser.get(f"{base}/static/{name}") for name in ("vnc.js", "vnc.css")]
    assert (front.status_code, front.headers["location"].split("?")[0]) == (307, "/vnc.html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for answer in (page, *parts):
        assert answer.status_code == 200
        assert token not in answer.text
    assert "http://" not in page.text


async def test_a_name_with_markup_is_shown_as_text(bridge):
    window = windows.Window("x", "<script>alert(1)</script>")
    app = bridge.bridge.windows.app(window)
    import httpx

    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:80") as browser:
        # Not through a port, so nothing tells which account asks.
        text = (await browser.get("/vnc.html")).text
    assert "<script>alert" not in text
