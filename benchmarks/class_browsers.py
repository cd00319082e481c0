"""Students of the class with real browsers: sign in, follow the link, run cells, answer, open a window, submit.

One Chromium with a profile for each; a step's time is from the click to what the student waits for.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench_hub import PASSWORD
from machine import chromium_options
from playwright.async_api import Browser, Locator, Page, Request, Response, async_playwright
from playwright.async_api import TimeoutError as TooLate

if TYPE_CHECKING:
    from bench_hub import Crowd

STEPS = ("sign in and see the notebook", "run a refinement in it", "answer", "open a window", "submit")

AGAIN_S = 10.0
_RUN = re.compile(r"\[(\*|\d+)\]")
# Answers that stay open while something goes on.
_STREAMS = frozenset({"eventsource", "websocket"})
# No Content and Not Modified have no body.
_EMPTY = (204, 304)


@dataclass
class Seen:
    """What the students with browsers waited for: step -> seconds of each. done: who has a receipt."""

    steps: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    pressed_again: int = 0  # cells whose first Shift+Enter did nothing

    def lines(self, people: int) -> list[str]:
        """Rows of the table."""
        rows = [
            f"| in a browser: {step}, s | median {statistics.median(times):.1f}, last {max(times):.1f} | | |"
            for step, times in self.steps.items()
            if times
        ]
        if self.pressed_again:
            rows.append(f"| in a browser: cells to be run once more | {self.pressed_again} | | |")
        lost = people - len(self.done)
        why = f" ({self.failed[0]})" if self.failed else ""
        verdict = "MISSED" if lost else "met"
        return [
            *rows,
            f"| students with browsers without receipt{why} | {lost} of {people} | 0 | {verdict} |",
        ]


@dataclass
class Place:
    """Where the class is held. until: when it is over (time.perf_counter)."""

    url: str
    exercise: str
    windows: bool
    until: float


class Student:
    """One student at one browser."""

    def __init__(self, page: Page, name: str, place: Place, seen: Seen) -> None:
        self.page, self.name, self.place, self.seen = page, name, place, seen
        page.set_default_timeout(max(1.0, place.until - time.perf_counter()) * 1000)

    async def learn(self) -> None:
        """From the sign-in to the receipt."""
        page = self.page
        await page.goto(f"{self.place.url}/hub/login?next=/hub/exercise/{self.place.exercise}")
        await page.fill('input[name="username"]', self.name)
        await page.fill('input[name="password"]', PASSWORD)
        begun = time.perf_counter()
        await page.click('[type="submit"]', no_wait_after=True)
        await page.wait_for_selector(".jp-Notebook .jp-Cell")
        await page.wait_for_selector("#jupyterlab-splash", state="detached")
        self._note(STEPS[0], begun)
        await self._run()
        await self._answer()
        if self.place.windows:
            await self._window()
        await self._submit()

    def _note(self, step: str, begun: float) -> None:
        self.seen.steps[step].append(time.perf_counter() - begun)

    async def _run(self) -> None:
        """The first two cells with code: the import and a refinement."""
        page = self.page
        # The status bar names the kernel once the notebook has one; the mark in the tool bar says idle before.
        await page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
        begun = time.perf_counter()
        for number in (0, 1):
            await self._press_run(page.locator(".jp-Notebook .jp-CodeCell").nth(number))
        await page.locator(".jp-OutputArea-output").get_by_text("R1 = 0.").first.wait_for()
        self._note(STEPS[1], begun)

    async def _press_run(self, cell: Locator) -> None:
        """Shift+Enter, again when the cell neither runs nor has run: JupyterLab drops what comes before the kernel."""
        while True:
            await cell.locator(".cm-content").click()
            await self.page.keyboard.press("Shift+Enter")
            begun = cell.locator(".jp-InputPrompt").get_by_text(_RUN)
            try:
                await begun.wait_for(timeout=AGAIN_S * 1000)
                return
            except TooLate:
                self.seen.pressed_again += 1

    async def _answer(self) -> None:
        page = self.page
        if not await page.is_visible("#qcrbox-panel"):
            await page.click('.lm-TabBar-tab[data-id="qcrbox-panel"]')
        shown = page.locator("#qcrbox-panel .qcrbox-Exercise")
        go_on = page.locator("#qcrbox-panel").get_by_role("button", name="Go on")
        await shown.or_(go_on).first.wait_for()
        if not await shown.count():
            await go_on.first.click()
        task = shown.locator('li[data-task="count"]')
        await task.get_by_role("textbox").fill("10")
        begun = time.perf_counter()
        await task.get_by_role("button", name="Answer").click()
        await page.locator('#qcrbox-panel li[data-task="count"][data-state="done"]').wait_for()
        self._note(STEPS[2], begun)

    async def _window(self) -> None:
        page, tab = self.page, ".jp-MainAreaWidget:not(.lm-mod-hidden) > .qcrbox-Session"
        application = page.locator('#qcrbox-panel [data-application="window"]')
        button = application.get_by_role("button", name="Open ").first
        if not await button.is_visible():
            await application.locator(".qcrbox-Row-main").click()
        await button.click()
        await page.wait_for_selector(".qcrbox-StartForm")
        begun = time.perf_counter()
        await page.locator(".jp-Dialog").get_by_role("button", name="Open").click(no_wait_after=True)
        await page.wait_for_selector(f'{tab} .qcrbox-Phase[data-phase="connected"]')
        await page.wait_for_selector(f"{tab} .qcrbox-Screen canvas")
        self._note(STEPS[3], begun)
        await page.click(f'{tab} [data-act="discard"]')
        await page.locator(".jp-Dialog").get_by_role("button", name="Discard").click()
        await page.wait_for_selector(f'{tab} .qcrbox-Phase[data-phase="discarded"]')

    async def _submit(self) -> None:
        shown = self.page.locator("#qcrbox-panel .qcrbox-Exercise")
        begun = time.perf_counter()
        await shown.get_by_role("button", name="Submit", exact=True).click()
        await shown.locator(".qcrbox-Exercise-receipt").get_by_text("receipt").wait_for()
        self._note(STEPS[4], begun)
        self.seen.done.append(self.name)


def attend(names: list[str], place: Place, crowd: Crowd) -> Seen:
    """The students of these names, all at once. Their answers are noted in the crowd's."""
    seen = Seen()

    async def all_of_them() -> None:
        async with _chromium() as browser:
            await asyncio.gather(*(_one(browser, name, place, crowd, seen) for name in names))

    asyncio.run(all_of_them())
    return seen


def answered_after_ms(timing: Mapping[str, float], is_empty: bool) -> float:
    """When an answer had come, ms after the request was made; below 0 when the browser does not say.

    With a body it is the last byte. An answer without one has come with its head: Chromium notes its end only when the
    page has time for it. A page that a script kept busy for 3 s made 3.0 s of a PUT that was answered within 9 ms.
    """
    return timing["responseStart" if is_empty else "responseEnd"]


async def _one(browser: Browser, name: str, place: Place, crowd: Crowd, seen: Seen) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()

    empty: set[Request] = set()

    def answered(response: Response) -> None:
        if response.status in _EMPTY:
            empty.add(response.request)

    def finished(request: Request) -> None:
        end = answered_after_ms(request.timing, request in empty)
        if request.resource_type not in _STREAMS and end > 0:
            path = request.url.partition("?")[0].partition("://")[2].partition("/")[2]
            crowd.note(end / 1000, f"browser: {request.method} /{path}".replace(name, "NAME"))

    page.on("response", answered)
    page.on("requestfinished", finished)
    try:
        await Student(page, name, place, seen).learn()
    except Exception as problem:  # noqa: BLE001 - whatever fails for one student, the others go on
        seen.failed.append(f"{name}: {problem!r}"[:400])
    finally:
        await context.close()


@asynccontextmanager
async def _chromium() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**chromium_options("--enable-unsafe-swiftshader"))
        yield browser
        await browser.close()
