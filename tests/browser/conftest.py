"""A real Chromium in front of a whole platform. Nothing but loopback can be reached, and every try is noted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from qcrbox.client import loopback
from qcrbox_hub.platform.addresses import Addresses

from tests.conftest import PATIENCE

PASSWORD = "plum-Orchid-42-river"
START_LIMIT_S = 120
LIMIT_MS = 60_000
# On a slow machine five seconds, what Playwright waits by itself, are soon over.
expect.set_options(timeout=LIMIT_MS / 2)
FAILED = pytest.StashKey[bool]()
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pictures are drawn with WebGL; a test machine has no graphics card.
    "--enable-unsafe-swiftshader",
    # Only loopback addresses are resolved; numeric addresses are blocked as well. A route that aborts requests has the
    # same effect but disables the cache, so that each load of Lab fetches and compiles everything again.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE *.localhost , EXCLUDE 127.0.0.1",
]


@dataclass
class Platform:
    """`qcrbox up` as a person types it."""

    data: Path
    url: str
    link: str
    process: subprocess.Popen[str]

    def home(self, name: str) -> Path:
        return next((self.data / "homes").glob(f"*-{name}"))


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(tmp_path_factory.mktemp("browser")) as made:
        assert made.link
        yield made


@contextmanager
def started(folder: Path) -> Iterator[Platform]:
    """A platform whose data folder is `folder/data`; link: "" where people sign in elsewhere."""
    data, errors = folder / "data", folder / "stderr"
    # Port 0 is not a person's choice: take one that is free now.
    from qcrbox_hub.platform import ports

    port = ports.choose(1)[0]
    process = subprocess.Popen(
        [
            *[sys.executable, "-m", "qcrbox_hub", "up", "--data", str(data), "--port", str(port)],
            *["--applications", str(Path(__file__).with_name("applications"))],
            *["--applications", str(PATIENCE)],
        ],
        stdout=subprocess.PIPE,
        stderr=errors.open("w"),
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert process.stdout
    said, deadline = "", time.monotonic() + START_LIMIT_S
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, errors.read_text()
        assert time.monotonic() < deadline, errors.read_text()
        said += line
    link = re.search(r"http\S+first-admin\?code=\S+", said)
    try:
        yield Platform(data, f"http://hub.localhost:{port}", link.group(0) if link else "", process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM) if CHROMIUM.exists() else None, args=ARGUMENTS
        )
        yield browser
        browser.close()


@dataclass
class Visits:
    """Where pages tried to go."""

    elsewhere: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)  # errors and warnings


@pytest.fixture(scope="package")
def visits() -> Visits:
    return Visits()


@contextmanager
def fresh_profiles(chromium: Browser, platform: Platform, visits: Visits) -> Iterator[Callable[[], Page]]:
    """Opens pages with a separate browser profile each, and closes them: open pages of Lab poll their servers."""
    contexts: list[BrowserContext] = []

    def make() -> Page:
        context = chromium.new_context(
            base_url=platform.url, viewport={"width": 1400, "height": 900}, accept_downloads=True
        )
        context.set_default_timeout(LIMIT_MS)
        watch(context, visits)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def new_person(chromium: Browser, platform: Platform, visits: Visits) -> Iterator[Callable[[], Page]]:
    """Opens a page of a person who is there for the tests of one file."""
    with fresh_profiles(chromium, platform, visits) as make:
        yield make


@pytest.fixture(scope="package")
def new_resident(chromium: Browser, platform: Platform, visits: Visits) -> Iterator[Callable[[], Page]]:
    """Opens a page of a person who is there for all tests of this folder."""
    with fresh_profiles(chromium, platform, visits) as make:
        yield make


# Errors in the console that are not ours, each with its reason.
NOT_OURS = (
    # Chromium's own line for every answer of 400 or more: what the page does with a refusal is tested where it is one.
    re.compile(r"error: Failed to load resource: the server responded with a status of 4\d\d "),
    # Lab asks for the workspace, settings and translations of a server while that one is replaced or goes away.
    re.compile(r"error: (Failed to load resource: net::ERR_|WebSocket connection to .* failed)"),
    # The Jupyter server fails to list kernels while one starts and has no time of last activity; Lab repeats the request.
    re.compile(
        r"error: Failed to load resource: the server responded with a status of 500 .*/api/kernels\?\d+\)$"
    ),
    # axe, which these tests put into a page, writes a style that the page's policy stops. What a file of ours does has its address.
    re.compile(r"error: Applying inline style violates .* \(\)$", re.DOTALL),
    # noVNC logs the end of a connection, and data that arrives after it, as errors; the tab shows the end in words.
    re.compile(
        r"error: (Failed when connecting: Connection closed \(code: 4\d{3},|Disconnection timed out\.|"
        r"Got data while disconnected )"
    ),
)


def of_ours(lines: list[str]) -> list[str]:
    """The errors among lines of consoles that nothing but our pages can be the cause of."""
    return [
        line
        for line in lines
        if line.startswith("error") and not any(pattern.match(line) for pattern in NOT_OURS)
    ]


@pytest.fixture(autouse=True)
def no_errors_in_the_console(visits: Visits) -> Iterator[None]:
    """Every test of this folder: nothing is thrown in a page, and no error stands in a console but those of NOT_OURS."""
    yield
    thrown, written = list(visits.errors), of_ours(visits.console)
    visits.errors.clear()
    visits.console.clear()
    assert thrown == []
    assert written == []


def watch(context: BrowserContext, visits: Visits) -> None:
    """Record the requests, exceptions and console messages of all pages of a context."""
    context.on("request", lambda request: _note(visits, request.url))
    context.on("page", lambda page: page.on("websocket", lambda socket: _note(visits, socket.url)))
    context.on("weberror", lambda thrown: visits.errors.append(f"{thrown.error.stack or thrown.error}"))
    context.on("console", lambda message: _note_console(visits, message))


def _note_console(visits: Visits, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        visits.console.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


def _note(visits: Visits, url: str) -> None:
    if urlsplit(url).scheme not in ("data", "blob") and not loopback.is_loopback(url):
        visits.elsewhere.append(url)


class Person:
    """What a person does in the pages."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name

    def fill_account(self) -> None:
        self.page.fill("#username_input", self.name)
        self.page.fill("#password_input", PASSWORD)
        self.page.fill("#password_confirmation_input", PASSWORD)

    def sign_up(self) -> None:
        self.page.goto("/hub/login")
        self.page.click("#signup_link")
        self.fill_account()
        self.page.click("#signup_submit")
        self.page.wait_for_selector("#signup_done")

    def sign_in(self) -> None:
        self.page.goto("/hub/login")
        self.page.fill("#username_input", self.name)
        self.page.fill("#password_input", PASSWORD)
        self.page.click("#login_submit")

    def approve(self, name: str) -> None:
        """As an administrator: let someone in who asked for an account."""
        self.page.goto("/hub/administration/people")
        self.page.check(f"#p_{name}")
        self.page.click("#approve")
        self.page.wait_for_selector("#message, #confirm_form")
        if self.page.is_visible("#confirm_form"):
            self.page.fill("#confirm_password_input", PASSWORD)
            self.page.click("#confirm_submit")
        self.page.wait_for_selector("#message")

    def wait_for_lab(self) -> None:
        self.page.wait_for_url(f"**/user/{self.name}/lab**")
        self.page.wait_for_selector(".jp-LabShell")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def open_lab(self, address: str = "lab?reset") -> None:
        """An address of the own Jupyter server. Not by the hub's user-redirect, which drops `reset`."""
        hub = f"http://hub.localhost:{urlsplit(self.page.url).port}"
        self.page.goto(f"{Addresses.make(hub).person_url(self.name)}/user/{self.name}/{address}")

    def open_notebook(self, path: str) -> None:
        self.open_lab(f"lab/tree/{path}?reset")
        self.wait_for_lab()
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        # In the status bar: the toolbar's sign is idle also while there is no kernel yet.
        self.page.wait_for_selector("#jp-bottom-panel >> text=/\\) \\| Idle/")

    def run_all(self) -> None:
        self.page.click('.lm-MenuBar-item:has-text("Run")')
        self.page.click('.lm-Menu-item[data-command="runmenu:run-all"]')

    def open_panel(self) -> None:
        if not self.page.is_visible("#qcrbox-panel"):
            self.page.click('.lm-TabBar-tab[data-id="qcrbox-panel"]')
        self.page.wait_for_selector('#qcrbox-panel [data-connection="live"]')

    def choose_theme(self, name: str) -> None:
        """Lab's own "light" or "dark" theme, from its menu."""
        label = self.page.locator(".lm-Menu-itemLabel")
        self.page.click('.lm-MenuBar-item:has-text("Settings")')
        label.get_by_text("Theme", exact=True).hover()
        label.get_by_text(f"JupyterLab {name.capitalize()}", exact=True).click()
        is_light = str(name == "light").lower()
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)

    def outputs(self) -> str:
        return "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())


@pytest.fixture(scope="package")
def admin(platform: Platform, new_resident: Callable[[], Page]) -> Person:
    """Made with the link that `qcrbox up` printed."""
    person = Person(new_resident(), "ada")
    person.page.goto(platform.link)
    person.fill_account()
    person.page.click("#first_admin_submit")
    person.page.wait_for_url("**/hub/administration/people")
    return person


@pytest.fixture(scope="package")
def student(platform: Platform, admin: Person, new_resident: Callable[[], Page]) -> Person:
    """Signed up, approved and signed in, with a Jupyter server that runs."""
    person = Person(new_resident(), "rosalind")
    person.sign_up()
    admin.approve(person.name)
    person.sign_in()
    person.wait_for_lab()
    return person


@pytest.fixture(autouse=True)
def nothing_but_loopback(visits: Visits) -> Iterator[None]:
    """Every test of this folder: no request may leave this machine."""
    yield
    assert visits.elsewhere == []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any) -> Iterator[None]:
    outcome = yield
    item.stash.setdefault(FAILED, False)
    item.stash[FAILED] = item.stash[FAILED] or outcome.get_result().failed  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def picture_of_a_failure(request: pytest.FixtureRequest, student: Person) -> Iterator[None]:
    """A failed test leaves what the page showed in test-results/."""
    yield
    if request.node.stash.get(FAILED, False):
        folder = request.config.rootpath / "test-results"
        folder.mkdir(exist_ok=True)
        student.page.screenshot(path=folder / f"{request.node.name}.png")


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)


def grave(page: Page, within: str | None = None) -> list[tuple[str, str]]:
    """What axe finds serious or critical in the page, or in the element of a selector: rule and element."""
    found = Axe().run(page, context=within).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"][:200])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
