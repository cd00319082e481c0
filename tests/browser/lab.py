"""`qcrbox up --solo` in a browser, with a network that can be cut, and what a person does with sessions."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.breakable_network import BreakableNetwork

START_LIMIT_S = 120
LIMIT_MS = 90_000
# Of the picture's width and height; and how much of it a structure covers at least.
MODEL_REGION = (0.05, 0.25, 0.42, 0.85)
DRAWN = 0.02
TAB = ".jp-MainAreaWidget:not(.lm-mod-hidden) > .qcrbox-Session"


class SoloLab:
    """One person's platform."""

    def __init__(self, data: Path, *applications: Path, manager: str = "process", **settings: str) -> None:
        from qcrbox_hub.platform import ports

        port = ports.choose(1)[0]
        self.manager = manager
        self.home = data.parent / "home"
        command = [sys.executable, "-m", "qcrbox_hub", "up", "--solo", "--data", str(data)]
        command += ["--port", str(port), "--manager", manager, "--folder", str(self.home)]
        for folder in applications:
            command += ["--applications", str(folder)]
        errors = (data.parent / "stderr").open("w+")
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"NO_COLOR": "1"} | settings,
        )
        assert self.process.stdout
        said, deadline = "", time.monotonic() + START_LIMIT_S
        while "Ctrl-C" not in said:
            line = self.process.stdout.readline()
            if not line or time.monotonic() > deadline:
                errors.seek(0)
                raise AssertionError(said + errors.read()[-3000:])
            said += line
        link = re.search(r"http://127\.0\.0\.1:(\d+)(\S*token=\S+)", said)
        assert link, said
        self.network = BreakableNetwork(int(link.group(1)))
        self.url = f"http://127.0.0.1:{self.network.port}{link.group(2)}"

    def stop(self) -> None:
        self.network.close()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def new_context(chromium: Browser) -> BrowserContext:
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(LIMIT_MS)
    return context


def part_drawn(picture: Image.Image) -> float:
    """Of MODEL_REGION; a background changes from row to row only."""
    region = np.asarray(picture, np.int16)
    height, width = region.shape[:2]
    left, top, right, bottom = MODEL_REGION
    region = region[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
    background = np.median(region, axis=1, keepdims=True)
    return float((np.abs(region - background).max(axis=2) > 30).mean())


class Desk:
    """A person in front of Lab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def tab(self) -> Locator:
        return self.page.locator(TAB)

    @property
    def canvas(self) -> Locator:
        return self.tab.locator(".qcrbox-Screen canvas").first

    def wait_for_lab(self) -> None:
        self.page.wait_for_selector(".jp-LabShell")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def open_panel(self) -> Locator:
        panel = self.page.locator("#qcrbox-panel")
        if not panel.is_visible():
            self.page.click('.lm-TabBar-tab[data-id="qcrbox-panel"]')
        panel.locator('[data-connection="live"]').wait_for()
        return panel

    def start(self, slug: str, **fields: str) -> None:
        """Open a program from the panel; `fields` are chosen by a part of their label."""
        application = self.open_panel().locator(f'[data-application="{slug}"]')
        button = application.get_by_role("button", name=re.compile("^Open "))
        if not button.is_visible():
            application.locator(".qcrbox-Row-main").click()
        button.click()
        form = self.page.locator(".qcrbox-StartForm")
        form.wait_for()
        for name, label in fields.items():
            select = form.locator(f'select[name="{name}"]')
            select.select_option(select.locator("option", has_text=label).first.get_attribute("value"))
        self.page.locator(".jp-Dialog").get_by_role("button", name="Open").click()

    def expect_phase(self, *phases: str) -> None:
        name = re.compile("|".join(phases))
        expect(self.tab.locator(".qcrbox-Phase").first).to_have_attribute(
            "data-phase", name, timeout=LIMIT_MS
        )

    def act(self, name: str) -> None:
        self.tab.locator(f'[data-act="{name}"]').click()

    def close_tab(self) -> None:
        head = self.page.locator("#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current")
        name = head.get_attribute("data-id")
        head.locator(".lm-TabBar-tabCloseIcon").click()
        expect(self.page.locator(f'#jp-main-dock-panel [data-id="{name}"]')).to_have_count(0)

    def close_dialogs(self) -> None:
        """Lab may have said that its server is away."""
        for dialog in self.page.locator(".jp-Dialog").all():
            dialog.locator("button").last.click()

    def open_from_list(self) -> None:
        self.open_panel().locator("[data-session]").first.get_by_role("button").click()

    def click_picture(self, x: float, y: float) -> None:
        """Into the window, at fractions of its width and height."""
        box = self.canvas.bounding_box()
        assert box
        self.canvas.click(position={"x": box["width"] * x, "y": box["height"] * y})
        expect(self.tab.locator(".qcrbox-Keyboard")).to_have_attribute("data-captured", "true")

    def width(self) -> int:
        """Of the picture on the screen, in pixels."""
        box = self.canvas.bounding_box()
        return round(box["width"]) if box else 0

    def until(self, holds: Callable[[], object]) -> None:
        for _ in range(LIMIT_MS // 100):
            if holds():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("it does not come to hold")

    def chord(self) -> None:
        for key in ("Control", "Alt", "Shift"):
            self.page.keyboard.down(key)
        for key in ("Shift", "Alt", "Control"):
            self.page.keyboard.up(key)

    def picture(self) -> Image.Image:
        return Image.open(io.BytesIO(self.canvas.screenshot())).convert("RGB")

    def drawn(self) -> float:
        """The part of the model's region, left in ShelXle's window, that is not background; 0 for a blank one."""
        return part_drawn(self.picture())

    def wait_until_still(self) -> None:
        """Until the program has drawn what it had to draw."""
        before = self.picture()
        for _ in range(30):
            self.page.wait_for_timeout(700)
            now = self.picture()
            if now.size == before.size and ImageChops.difference(now, before).getbbox() is None:
                return
            before = now
        raise AssertionError("the picture does not come to rest")

    def wait_for_structure(self) -> None:
        """Until a drawing is there and complete. A window without one has its background there."""
        for _ in range(200):
            if self.drawn() > DRAWN:
                break
            self.page.wait_for_timeout(300)
        else:
            raise AssertionError(
                f"no structure is drawn: {self.drawn():.1%} of its region differ from a blank one"
            )
        self.wait_until_still()

    def colour_is(self, colour: tuple[int, int, int], seconds: float = 15) -> bool:
        """Whether the picture gets this colour, at a place where no pointer is."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            picture = self.picture()
            found = picture.getpixel((picture.width // 4, picture.height // 4))
            if isinstance(found, tuple) and max(abs(a - b) for a, b in zip(found, colour, strict=True)) < 12:
                return True
            self.page.wait_for_timeout(100)
        return False

    def wait_for_colour(self, colour: tuple[int, int, int]) -> None:
        assert self.colour_is(colour), f"the picture is not {colour}"

    def hold(self, key: str, seen: Callable[[], bool]) -> None:
        """Press a key until it is heard: a window that was just clicked may not have the keyboard yet."""
        for _ in range(5):
            self.page.keyboard.down(key)
            if seen():
                return
            self.page.keyboard.up(key)
        raise AssertionError(f"the program does not hear {key}")

    def ask(self, path: str) -> dict[str, Any]:
        """The registry's answer, through Lab."""
        answer = self.page.evaluate(
            "path => fetch(path).then(answer => answer.json())", f"/qcrbox/api/{path}"
        )
        return answer["payload"]

    def text(self, path: str) -> str:
        return self.page.evaluate("path => fetch(path).then(answer => answer.text())", f"/qcrbox/api/{path}")
