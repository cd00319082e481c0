"""A newcomer behind a flood, and five equal people."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from qcrbox_registry.messaging.server import ServerPlan, start
from qcrbox_registry.testing.site import DummySite

from benchmarks.registry.rows import Row

SECONDS = 0.1
SLOTS = 2


async def _newcomer(site: DummySite, flood: int) -> float:
    """How many commands of another person's flood started between the newcomer's submission and start, per slot."""
    ids = await site.submit("sleep", flood, owner="ada", arguments={"seconds": SECONDS})
    await site.until(lambda: site.scheduler.state.counters.assigned > 10)
    before = site.scheduler.state.counters.finished
    (one,) = await site.submit("sleep", owner=f"bob{flood}", arguments={"seconds": SECONDS})
    async with asyncio.timeout(60):
        while (await site.rows([one]))[0].started_at is None:
            await asyncio.sleep(0.01)
    waited = (site.scheduler.state.counters.finished - before) / SLOTS
    await site.scheduler.cancel(ids)
    await site.ended([*ids, one], 120)
    return waited


async def _jain(site: DummySite, round_number: int) -> float:
    people = [f"p{number}-{round_number}" for number in range(5)]
    ids = {
        person: await site.submit("sleep", 40, owner=person, arguments={"seconds": SECONDS / 5})
        for person in people
    }
    start_at = site.scheduler.state.counters.finished
    await site.until(lambda: site.scheduler.state.counters.finished - start_at >= 100, 120)
    done = [sum(row.finished_at is not None for row in await site.rows(ids[person])) for person in people]
    everything = [one for mine in ids.values() for one in mine]
    await site.scheduler.cancel(everything)
    await site.ended(everything, 120)
    return sum(done) ** 2 / (len(done) * sum(one * one for one in done))


async def _measure(quick: bool) -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="bench-fair-"))
    server = start(ServerPlan(data=folder, power_loss_safe=True))
    try:
        async with DummySite(folder, server.url, reuse="any") as site:
            launcher = site.launcher(capacity=SLOTS)
            await launcher.start()
            flood = 500 if quick else 10_000
            waits = [await _newcomer(site, flood + number) for number in range(1 if quick else 5)]
            jain = [await _jain(site, number) for number in range(1 if quick else 5)]
            await launcher.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return [
        Row(
            f"one newcomer behind {flood:,}: slot times waited",
            "slot times",
            waits,
            goal="≤ 2",
            more_is_better=False,
        ),
        Row("five equal people: Jain's index", "", jain, goal="≥ 0.95"),
    ]


def measure(quick: bool) -> list[Row]:
    return asyncio.run(_measure(quick))
