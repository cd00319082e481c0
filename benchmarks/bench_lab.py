"""How Lab feels: from sign-in to Lab, from a submit to its row, from an end to its sign, from a click to a window.

    python benchmarks/bench_lab.py [--json out.json] [--repeat 5] [--quick]

A real Chromium in front of a whole platform, beside a bare JupyterLab (without our extensions, behind a bare JupyterHub
with the same kind of password hash) in the same run, ours and the peer's in turn. Times are medians. A cold browser is a fresh profile; a warm one
has opened this Lab before. Rows of the panel and windows of sessions have no peer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench_hub import PASSWORD, Hub, add_accounts, bare, ours
from machine import chromium_options, load
from playwright.sync_api import Browser, Page, sync_playwright

TESTS = Path(__file__).resolve().parents[1] / "tests"
APPLICATIONS = (TESTS / "applications" / "patience", TESTS / "applications" / "window")
PERSON = "ada"
LIMIT_MS = 120_000
# Lab's configuration without our extensions: nothing of ours in the page and in the server.
BARE_LAB = {
    "ServerApp": {"jpserver_extensions": {"qcrbox_extension": False}},
    "LabApp": {"labextensions_path": []},
}
# Lab extensions that the platform's own packages bring; the packages for tests bring others, which would be measured as ours.
OWN_EXTENSIONS = {"@qcrbox", "@jupyter-widgets", "anywidget", "jupyterlab_pygments"}
# Runs before the command is sent: notes when its row and its end are painted, by the clock of this machine.
WATCH = """() => {
    window.benchSeen = {};
    const look = () => {
        for (const row of document.querySelectorAll('#qcrbox-panel [data-calculation]')) {
            const seen = (window.benchSeen[row.dataset.calculation] ??= { row: Date.now() });
            if (!seen.end && row.querySelector('[data-state="successful"]')) seen.end = Date.now();
        }
    };
    look();
    new MutationObserver(look).observe(document.querySelector('#qcrbox-panel'),
        { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state'] });
}"""
ASK = """async ([path, body]) => {
    const base = JSON.parse(document.getElementById('jupyter-config-data').textContent).baseUrl;
    const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1];
    const begun = Date.now();
    const answer = await fetch(`${base}qcrbox/api/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { 'Content-Type': 'application/json', 'X-XSRFToken': xsrf },
        body: body ? JSON.stringify(body) : undefined
    });
    if (!answer.ok) throw new Error(await answer.text());
    return [begun, (await answer.json()).payload];
}"""
COUNT = {
    "application_slug": "patience",
    "application_version": "1.0",
    "command_name": "count",
    "command_arguments": {"seconds": 1},
}


@dataclass
class Row:
    """Times of a step in s; those of the bare JupyterLab where there is one."""

    step: str
    limit_s: float | None
    seconds: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    HEAD = "| step | ours, s (median) | from–to | bare JupyterLab, s | from–to | goal | |\n|---|---|---|---|---|---|---|"

    @property
    def met(self) -> bool:
        return self.limit_s is None or statistics.median(self.seconds) <= self.limit_s

    def line(self) -> str:
        """A line of the table."""
        limit = "" if self.limit_s is None else f"≤ {self.limit_s:g}"
        verdict = "" if self.limit_s is None else "met" if self.met else "MISSED"
        return f"| {self.step} | {_shown(self.seconds)} | {_shown(self.bare)} | {limit} | {verdict} |"


def _shown(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} | {min(times):.2f}–{max(times):.2f}" if times else "|"


@dataclass
class Visit:
    """A browser profile in front of a hub."""

    hub: Hub
    page: Page
    name: str = PERSON

    def sign_in(self) -> float:
        """Seconds from the click on *Sign in* until Lab can be used."""
        page = self.page
        page.goto(f"{self.hub.url}/hub/login")
        page.fill('input[name="username"]', self.name)
        page.fill('input[name="password"]', PASSWORD)
        begun = time.perf_counter()
        page.click('[type="submit"]', no_wait_after=True)
        self._wait_for_lab()
        return time.perf_counter() - begun

    def come_back(self) -> float:
        """Seconds until Lab can be used in a browser that has seen it: signed out and in again."""
        self.page.goto(f"{self.hub.url}/hub/logout")
        return self.sign_in()

    def _wait_for_lab(self) -> None:
        self.page.wait_for_url(f"**/user/{self.name}/lab**", wait_until="commit")
        self.page.wait_for_selector(".jp-LabShell")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")


@contextlib.contextmanager
def visit(browser: Browser, hub: Hub, name: str = PERSON) -> Iterator[Visit]:
    """A fresh profile."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(LIMIT_MS)
    yield Visit(hub, context.new_page(), name)
    context.close()


@contextlib.contextmanager
def without_foreign_extensions() -> Iterator[None]:
    """Lab extensions of other packages in this environment are disabled meanwhile."""
    prefix = Path(sys.prefix)
    found = {folder.name for folder in (prefix / "share/jupyter/labextensions").iterdir()} - OWN_EXTENSIONS
    config = prefix / "etc/jupyter/labconfig/page_config.json"
    if not found or config.exists():
        yield
        return
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps({"disabledExtensions": dict.fromkeys(sorted(found), True)}))
    try:
        yield
    finally:
        config.unlink()


def first_ever(browser: Browser, hub: Hub, name: str) -> float:
    """A person's first sign-in: no server, no home, nothing in the browser."""
    hub.make([name])
    with visit(browser, hub, name) as person:
        taken = person.sign_in()
    hub.stop(name)
    return taken


def running(browser: Browser, hub: Hub, repeat: int) -> tuple[list[float], list[float]]:
    """(cold, warm): sign-ins with a server that runs."""
    hub.start(PERSON)
    cold, warm = [], []
    for _ in range(repeat):
        with visit(browser, hub) as person:
            cold.append(person.sign_in())
            warm.append(person.come_back())
    return cold, warm


def in_turn(measure: Callable[[Hub, int], float], hubs: tuple[Hub, Hub], repeat: int) -> list[list[float]]:
    """The times of each hub, one after the other."""
    taken: list[list[float]] = [[], []]
    for number in range(repeat):
        for hub, times in zip(hubs, taken, strict=True):
            times.append(measure(hub, number))
    return taken


def rows_of_the_panel(page: Page, repeat: int) -> tuple[list[float], list[float]]:
    """(row, end): from the click to the row of a calculation; from its end, as the registry notes it, to its sign."""
    row, end = [], []
    page.evaluate(WATCH)
    for _ in range(repeat + 1):
        begun, answer = page.evaluate(ASK, ["commands", COUNT])
        identity = answer["calculation_id"]
        page.wait_for_function("id => window.benchSeen[id]?.end", arg=identity)
        seen = page.evaluate("id => window.benchSeen[id]", identity)
        row.append((seen["row"] - begun) / 1000)
        _, answer = page.evaluate(ASK, [f"calculations/{identity}", None])
        finished = datetime.fromisoformat(answer["calculations"][0]["finished_at"])
        end.append(seen["end"] / 1000 - finished.timestamp())
    # The first starts the agent.
    return row[1:], end[1:]


def windows(page: Page, repeat: int) -> tuple[list[float], list[float]]:
    """(said, shown): from the click on *Open* until the tab says what it does, and until the picture is there."""
    said, shown = [], []
    tab = ".jp-MainAreaWidget:not(.lm-mod-hidden) > .qcrbox-Session"
    for _ in range(repeat + 1):
        application = page.locator('#qcrbox-panel [data-application="window"]')
        button = application.get_by_role("button", name="Open ").first
        if not button.is_visible():
            application.locator(".qcrbox-Row-main").click()
        button.click()
        page.wait_for_selector(".qcrbox-StartForm")
        begun = time.perf_counter()
        page.locator(".jp-Dialog").get_by_role("button", name="Open").click(no_wait_after=True)
        page.wait_for_selector(f"{tab} .qcrbox-Phase")
        said.append(time.perf_counter() - begun)
        page.wait_for_selector(f'{tab} .qcrbox-Phase[data-phase="connected"]')
        page.wait_for_selector(f"{tab} .qcrbox-Screen canvas")
        shown.append(time.perf_counter() - begun)
        page.click(f'{tab} [data-act="discard"]')
        page.locator(".jp-Dialog").get_by_role("button", name="Discard").click()
        page.wait_for_selector(f'{tab} .qcrbox-Phase[data-phase="discarded"]')
    return said[1:], shown[1:]


def measure(options: argparse.Namespace) -> Iterator[Row]:
    """Rows of the table as they are known."""
    repeat = options.repeat
    arguments = [word for folder in APPLICATIONS for word in ("--applications", str(folder))]
    spawner = "sandbox" if shutil.which("bwrap") else "trusted"
    with (
        without_foreign_extensions(),
        bare(docker=False, lab=BARE_LAB) as peer,
        ours(spawner, *arguments) as mine,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**chromium_options())
        names = [f"new-{number:02d}" for number in range(repeat)]
        assert mine.data is not None
        add_accounts(mine.data, names)
        first = in_turn(lambda hub, number: first_ever(browser, hub, names[number]), (mine, peer), repeat)
        yield Row("first sign-in ever → Lab (server starts, cold browser)", 12.0, *first)
        cold, warm = zip(*(running(browser, hub, repeat) for hub in (mine, peer)), strict=True)
        yield Row("sign-in → Lab, running server, cold browser", 5.0, *cold)
        yield Row("sign-in → Lab, running server, browser that was here before", 5.0, *warm)
        with visit(browser, mine) as person:
            person.sign_in()
            yield from of_the_work(person.page, repeat)
        browser.close()


def of_the_work(page: Page, repeat: int) -> Iterator[Row]:
    """Rows that a bare JupyterLab does not have."""
    if not page.is_visible("#qcrbox-panel"):
        page.click('.lm-TabBar-tab[data-id="qcrbox-panel"]')
    page.wait_for_selector('#qcrbox-panel [data-connection="live"]')
    row, end = rows_of_the_panel(page, repeat)
    yield Row("submit → row in the panel", 0.2, row)
    yield Row("end of a calculation → its sign in the panel", 0.3, end)
    if shutil.which("Xtigervnc") is None:
        print("Xtigervnc is not installed: no windows.", file=sys.stderr)
        return
    said, shown = windows(page, repeat)
    yield Row("session: click → a line that says what happens", 0.5, said)
    yield Row("session: click → the program's window", 2.0, shown)


def main() -> int:
    """Print the table; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two repetitions")
    options = parser.parse_args()
    if options.quick:
        options.repeat = 2
    print(f"Load of the machine at the start: {load()}.\n\n{Row.HEAD}", flush=True)
    found: list[Row] = []
    for row in measure(options):
        found.append(row)
        print(row.line(), flush=True)
    print(f"\nLoad at the end: {load()}.", flush=True)
    if options.json:
        kept: list[Any] = [asdict(row) for row in found]
        options.json.write_text(json.dumps(kept, indent=1) + "\n")
    return 0 if all(row.met for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
