"""What submit, claim, cancel and the first page of a list cost when a thousand or a million calculations wait."""

from __future__ import annotations

import asyncio
import gc
import resource
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from qcrbox_registry.messaging.server import ServerPlan, start
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.dispatch import MOST_PER_ROUND
from qcrbox_registry.scheduler.fleet import Agent
from qcrbox_registry.store import calculations, lists
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.paging import Page
from qcrbox_registry.store.tables import new_id
from qcrbox_registry.testing.site import DummySite

from benchmarks.registry.rows import Row


async def _at(count: int) -> dict[str, list[float]]:
    """Seconds (and bytes) at a backlog of `count`."""
    folder = Path(tempfile.mkdtemp(prefix="bench-growth-"))
    server = start(ServerPlan(data=folder, power_loss_safe=True))
    found: dict[str, list[float]] = {name: [] for name in ("submit", "claim", "cancel", "list")}
    try:
        site = DummySite(folder, server.url, reuse="any")
        await site.start()
        for number in range(50):
            await site.know(f"person{number}")
        await site.stop()
        _fill(folder, site, count)
        gc.collect()
        process = psutil.Process()
        before = process.memory_info().rss
        await site.start()
        found["memory per waiting one"] = [(process.memory_info().rss - before) / count]
        await _measure(site, found)
        await site.stop()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _fill(folder: Path, site: DummySite, count: int) -> None:
    people = list(site.people.values())
    with sqlite3.connect(folder / "qcrbox.sqlite", timeout=60) as connection:
        connection.executemany(
            "INSERT INTO calculations (id, owner_id, application_id, command_id, application_slug, application_version, "
            "command_name, arguments, correlation_id, state, step, submitted_at) "
            "VALUES (?, ?, ?, ?, 'practice', '1', 'noop', '{}', '', 'submitted', 'queued', ?)",
            (
                (
                    new_id(),
                    people[number % 50],
                    site.application_id,
                    site.command_ids["noop"],
                    time.time() - 1e5 + number,
                )
                for number in range(count)
            ),
        )


async def _measure(site: DummySite, found: dict[str, list[float]]) -> None:
    world, scheduler = site.scheduler.state, site.scheduler
    for _ in range(30):
        begun = time.perf_counter()
        (one,) = await site.submit("noop", owner="person3")
        found["submit"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        await scheduler.cancel([one])
        found["cancel"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        await site.db.read(_first_page)
        found["list"].append(time.perf_counter() - begun)
    # An agent that is there for the scheduler but takes nothing: claims are chosen, written and stored for it.
    for number in range(30):
        agent = Agent(
            id=f"claim-{number}", application_id=site.application_id, launcher="", state=AgentState.IDLE
        )
        agent.seen_mono = world.clock.monotonic()
        world.fleet.add(agent)
        begun = time.perf_counter()
        assert 0 < await scheduler.dispatcher.round() <= MOST_PER_ROUND
        found["claim"].append(time.perf_counter() - begun)


def _first_page(conn: Connection) -> list[calculations.Calculation]:
    found = lists.calculations_page(conn, None, lists.CalculationFilter(), Page(100), time.time())
    return calculations.by_ids(conn, found.ids)


def measure(quick: bool) -> list[Row]:
    counts = [1_000, 10_000] if quick else [1_000, 10_000, 100_000, 1_000_000]
    found = {count: asyncio.run(_at(count)) for count in counts}
    rows = []
    for name in ("submit", "claim", "cancel", "list"):
        first = [one * 1e3 for one in found[counts[0]][name]]
        for count in counts[1:]:
            these = [one * 1e3 for one in found[count][name]]
            rows.append(
                Row(
                    f"{name} with {count:,} waiting",
                    "ms",
                    these,
                    "with 1,000 waiting",
                    first,
                    "B",
                    "≤ 1.5",
                    False,
                )
            )
    per_one = found[counts[-1]]["memory per waiting one"]
    rows.append(
        Row(f"memory per waiting calculation at {counts[-1]:,}", "B", per_one, "", [], "", "< 2000", False)
    )
    assert statistics.median(per_one) > 0 or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
    return rows
