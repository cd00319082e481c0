"""Windows of sessions through a bridge: as a plug-in, a web site and a VNC viewer open them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import websockets

from tests.rfb_viewer import StreamTransport, Viewer, WebSocketTransport

from .conftest import KINDS, Place
from .generated_client import Client
from .programs import PlugIn, WebSite, needed

# A registry opens no windows itself.
pytestmark = [pytest.mark.parametrize("place", KINDS[1:], indirect=True)]
RED, GREEN = (192, 16, 16), (16, 160, 16)


@pytest.fixture
def session(client: Client):
    started = needed(client.create_session("window", "1.0", {})).interactive_session_id
    yield started
    client.close_session(started)


async def shows(viewer: Viewer, colour: tuple[int, int, int]) -> None:
    async with asyncio.timeout(60):
        while tuple(int(part) for part in (await viewer.whole())[200, 320]) != colour:
            await asyncio.sleep(0.05)


async def page_viewer(address: str) -> Viewer:
    """What the page at this address does: its `path` is the websocket beside it."""
    parts = urlsplit(address)
    path = parse_qs(parts.query)["path"][0]
    connection = await websockets.connect(
        f"ws://{parts.netloc}/{path}",
        origin=f"http://{parts.netloc}",  # type: ignore[arg-type]
        subprotocols=["binary"],  # type: ignore[list-item]
        compression=None,
        max_size=None,
        proxy=None,
    )
    return await Viewer(WebSocketTransport(connection)).start()


async def test_the_plug_ins_window_shows_the_session_it_started(plug_in: PlugIn, session):
    viewer = await page_viewer(plug_in.window())  # opened at once, before the session is
    await shows(viewer, RED)


async def test_an_application_has_its_window_at_its_port(client, session):
    (window,) = [one for one in needed(client.list_applications()).applications if one.slug == "window"]
    viewer = await page_viewer(f"http://localhost:{window.gui_port}/vnc.html?path=vnc")
    await shows(viewer, RED)


async def test_a_vnc_viewer_sees_and_is_heard(place: Place, client, session):
    assert place.bridge
    reader, writer = await asyncio.open_connection("127.0.0.1", place.bridge.vnc_port)
    viewer = await Viewer(StreamTransport(reader, writer)).start()
    await shows(viewer, RED)
    await viewer.pointer(200, 320, 1)
    await shows(viewer, GREEN)
    await viewer.pointer(200, 320, 0)
    await shows(viewer, RED)
    closed = needed(client.close_session(session)).interactive_sessions[0]
    assert closed.status == "successful"
    assert b"button 1" in client.download_dataset(closed.output_dataset_id)
    assert await asyncio.wait_for(reader.read(), 60) is not None  # the end
    writer.close()


@pytest.mark.slow
async def test_the_web_sites_address_is_of_that_very_session(web_site: WebSite, client, session):
    other = needed(client.create_session("window", "1.0", {})).interactive_session_id
    viewer = await page_viewer(web_site.gui_url(session) or "")
    await shows(viewer, RED)  # a button that is pressed before the program has drawn meets nothing
    await viewer.pointer(200, 320, 1)
    await shows(viewer, GREEN)
    await viewer.pointer(200, 320, 0)
    await shows(viewer, RED)
    closed = needed(client.close_session(session)).interactive_sessions[0]
    assert b"button 1" in client.download_dataset(closed.output_dataset_id)
    assert needed(client.close_session(other)).interactive_sessions[0].output_dataset_id is None


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_in_a_browser(plug_in: PlugIn, session, tmp_path: Path):
    from PIL import Image
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(plug_in.window())
        expect(page.locator("#state")).to_have_text("Connected", timeout=60_000)
        page.mouse.move(500, 400)

        def colour() -> tuple[int, ...]:
            picture = tmp_path / "window.png"
            page.screenshot(path=picture)
            return Image.open(picture).convert("RGB").getpixel((300, 300))  # type: ignore[return-value]

        def wait_for(shown: tuple[int, int, int]) -> None:
            for _ in range(600):
                if colour() == shown:
                    return
                page.wait_for_timeout(100)
            raise AssertionError(f"the window shows {colour()} instead of {shown}")

        wait_for(RED)
        page.mouse.down()
        wait_for(GREEN)
        page.mouse.up()
        plug_in.client.close_session(session)
        expect(page.locator("#notice-title")).to_be_visible(timeout=60_000)
        assert errors == []
        browser.close()
