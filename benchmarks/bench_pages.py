"""First contentful paint of the administration pages with many people, beside JupyterHub's own admin page.

    python benchmarks/bench_pages.py [--json FILE] [--quick]

A platform is filled with people, groups, limits and files (rows written into its databases), and each page is opened in a
fresh Chromium context. Times are the browser's own: from the navigation to the first text or picture.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from machine import chromium_options
from playwright.sync_api import Browser, Page, sync_playwright
from qcrbox_hub.platform import ports

PASSWORD = "plum-Orchid-42-river"
START_S = 180.0
EACH_IN = 3  # groups of a person
FIRST = 1000  # ids below are those of the platform itself
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
ROOT = "/hub/administration"
PAGES = [
    "",
    "/people",
    "/people?sort=-last_activity&page=9",
    "/people/person-00500",
    "/groups",
    "/groups?sort=-members",
    "/groups/group-0100",
    "/invitations",
    "/calculations",
    "/applications",
    "/launchers",
    "/storage",
    "/storage/holders",
    "/storage/files?sort=-created_at",
    "/quotas",
    "/audit",
    "/logs",
    "/site",
]
PEER = "/hub/admin"


@dataclass(frozen=True)
class Size:
    """How many people and groups, and the limit of a first paint, ms."""

    people: int
    groups: int
    limit_ms: float


SIZES = (Size(1_000, 200, 1000.0), Size(10_000, 1_000, 1500.0))


@dataclass
class Row:
    """First paints of a page, ms."""

    page: str
    people: int
    groups: int
    limit_ms: float
    paints_ms: list[float] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The median, ms."""
        return statistics.median(self.paints_ms)

    def line(self) -> str:
        """A line of the table."""
        verdict = "" if self.page == PEER else "yes" if self.middle <= self.limit_ms else "NO"
        limit = "" if self.page == PEER else f"{self.limit_ms:.0f}"
        return (
            f"| `{self.page}` | {self.people:,} / {self.groups:,} | {self.middle:.0f} | "
            f"{min(self.paints_ms):.0f}–{max(self.paints_ms):.0f} | {limit} | {verdict} |"
        )

    HEAD = "| page | people / groups | first paint, ms (median) | from–to | goal | met |\n|---|---|---|---|---|---|"


@contextlib.contextmanager
def platform() -> Iterator[tuple[Path, str, str]]:
    """(data folder, address, link of the first administrator) of a platform that runs."""
    with tempfile.TemporaryDirectory(prefix="qb") as root:
        data, port = Path(root) / "data", ports.choose(1)[0]
        command = [sys.executable, "-m", "qcrbox_hub", "up", "--data", str(data), "--port", str(port)]
        log = Path(root) / "log"
        with log.open("w") as out:
            running = subprocess.Popen([*command, "--spawner", "trusted"], stdout=out, stderr=out)
        try:
            deadline = time.monotonic() + START_S
            while "Ctrl-C" not in log.read_text():
                if running.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(log.read_text()[-3000:])
                time.sleep(0.1)
            link = re.search(r"http\S+first-admin\?code=\S+", log.read_text())
            assert link
            yield data, f"http://hub.localhost:{port}", link.group(0)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def fill(data: Path, size: Size, already: Size | None) -> None:
    """Make people and groups up to this size, beyond those that an earlier call made."""
    before = already or Size(0, 0, 0)
    people, groups = range(before.people, size.people), range(before.groups, size.groups)
    memberships = [
        (FIRST + number, FIRST + (number * EACH_IN + turn) % size.groups)
        for number in people
        for turn in range(EACH_IN)
    ]
    with contextlib.closing(sqlite3.connect(data / "hub/jupyterhub.sqlite", timeout=60)) as hub, hub:
        many = hub.executemany
        many(
            "INSERT INTO groups (id, name, properties) VALUES (?, ?, '{}')",
            ((FIRST + number, f"group-{number:04}") for number in groups),
        )
        many(
            "INSERT INTO users (id, name, admin, created, last_activity, cookie_id)"
            " VALUES (?, ?, 0, '2026-01-01 00:00:00', ?, ?)",
            (
                (FIRST + number, f"person-{number:05}", f"2026-02-01 {number % 24:02}:00:00", f"c{number}")
                for number in people
            ),
        )
        many("INSERT INTO user_group_map (user_id, group_id) VALUES (?, ?)", memberships)
    with contextlib.closing(sqlite3.connect(data / "qcrbox.sqlite", timeout=60)) as registry, registry:
        _fill_registry(registry, people, groups)


def _fill_registry(registry: sqlite3.Connection, people: range, groups: range) -> None:
    """Each person with stored bytes, two limits and a file; each group with stored bytes and a limit."""
    many, now = registry.executemany, time.time()
    digest = "0" * 64
    registry.execute(
        "INSERT OR IGNORE INTO file_contents (sha256, size, refcount, state, created_at) VALUES (?, 10, 1, 'stored', ?)",
        (digest, now),
    )
    many(
        "INSERT INTO people (id, name, stable_id, created_at) VALUES (?, ?, '2026-01-01T00:00:00Z', ?)",
        ((FIRST + number, f"person-{number:05}", now) for number in people),
    )
    many(
        "INSERT INTO groups (id, name, created_at) VALUES (?, ?, ?)",
        ((FIRST + number, f"group-{number:04}", now) for number in groups),
    )
    many(
        "INSERT INTO storage (subject, subject_id, bytes) VALUES (?, ?, ?)",
        [("person", FIRST + number, 1000 * number + 1) for number in people]
        + [("group", FIRST + number, 5000 * number + 1) for number in groups],
    )
    many(
        'INSERT INTO quotas (subject, subject_id, quota, "limit", at) VALUES (?, ?, ?, ?, ?)',
        [("person", FIRST + number, quota, 5.0, now) for number in people for quota in ("gib", "queued")]
        + [("group", FIRST + number, "gib", 50.0, now) for number in groups],
    )
    many(
        "INSERT INTO data_files (id, owner_id, filename, sha256, size, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (f"{FIRST + number:032x}", FIRST + number, f"structure-{number}.cif", digest, 10 + number, now)
            for number in people
        ),
    )


def sign_in(browser: Browser, url: str, link: str) -> dict[str, Any]:
    """Make the first administrator; the state of the browser that is signed in."""
    context = browser.new_context(bypass_csp=True, base_url=url)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(link)
    page.fill("#username_input", "ada")
    page.fill("#password_input", PASSWORD)
    page.fill("#password_confirmation_input", PASSWORD)
    page.click("#first_admin_submit")
    page.wait_for_url("**/hub/administration/people")
    state = context.storage_state()
    context.close()
    return dict(state)


def paint(browser: Browser, url: str, state: Any, path: str) -> float:
    """First contentful paint of a page in a fresh context, ms."""
    context = browser.new_context(bypass_csp=True, base_url=url, storage_state=state)
    context.set_default_timeout(60_000)
    page: Page = context.new_page()
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, (path, answer.status)
    page.wait_for_function(f"({PAINT}) !== null")
    found = page.evaluate(PAINT)
    context.close()
    return float(found)


def measure(options: argparse.Namespace) -> Iterator[Row]:
    """Rows of the table, page by page, for each size."""
    with platform() as (data, url, link), sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_options())
        state, before = sign_in(browser, url, link), None
        for size in SIZES[: 1 if options.quick else None]:
            fill(data, size, before)
            before = size
            for path in [*(ROOT + each for each in PAGES), PEER]:
                row = Row(path, size.people, size.groups, size.limit_ms)
                row.paints_ms = [paint(browser, url, state, path) for _ in range(options.repeat)]
                yield row
        browser.close()


def main() -> int:
    """Print the table; exit code 1 when a page misses its goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="the smaller size alone, twice")
    options = parser.parse_args()
    if options.quick:
        options.repeat = 2
    print(Row.HEAD, flush=True)
    found = []
    for row in measure(options):
        found.append(row)
        print(row.line(), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in found], indent=1) + "\n")
    missed = [row.page for row in found if row.page != PEER and row.middle > row.limit_ms]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
