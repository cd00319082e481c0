"""One person submits a hundred thousand commands: how many are taken, and what another person feels of it."""

from __future__ import annotations

import threading
import time

import httpx

from benchmarks.registry.hub import Hub
from benchmarks.registry.rows import Row
from benchmarks.registry.stack import Registry

NOOP = {
    "application_slug": "chaos",
    "application_version": "1",
    "command_name": "noop",
    "command_arguments": {},
}
BATCH = 1000


def _one(client: httpx.Client) -> float:
    """Milliseconds from the submission of one command to its end."""
    begun = time.perf_counter()
    made = client.post("/api/commands", json=NOOP)
    made.raise_for_status()
    path = f"/api/calculations/{made.json()['payload']['calculation_id']}"
    while (
        client.get(path, params={"wait": 60}).json()["payload"]["calculations"][0]["status"] != "successful"
    ):
        continue
    return (time.perf_counter() - begun) * 1e3


def _flood(client: httpx.Client, count: int, taken: list[int], over: threading.Event) -> None:
    body = {"commands": [NOOP] * BATCH}
    for _ in range(0, count, BATCH):
        answer = client.post("/api/commands/batch", json=body)
        if answer.status_code == 429:
            break
        answer.raise_for_status()
        taken.append(BATCH)
    over.set()


def measure(quick: bool) -> list[Row]:
    count = 10_000 if quick else 100_000
    hub = Hub().start()
    registry = Registry(hub=hub).start()
    taken: list[int] = []
    over = threading.Event()
    try:
        registry.set_warm(registry.agents)
        ada, bob = registry.client, registry.as_person(hub.token("bob"))
        alone = [_one(bob) for _ in range(30)]
        flood = threading.Thread(target=_flood, args=(ada, count, taken, over))
        flood.start()
        beside = []
        while not over.is_set() or len(beside) < 30:
            beside.append(_one(bob))
            time.sleep(0.2)
        flood.join()
        looks = [_look(bob) for _ in range(30)]
        waiting = registry.client.get("/api/me").json()["payload"]["quotas"]
    finally:
        registry.close()
        hub.close()
    limit = next(one["limit"] for one in waiting if one["quota"] == "queued")
    note = f"(of {count:,}; the limit is {limit:,.0f} waiting)"
    return [
        Row("submissions of one person that are taken", "", [float(sum(taken))], "", [], "B", "", True, note),
        Row("another person's command beside them", "ms", beside, "alone", alone, "B", "", False),
        Row("another person's first page of a list beside them", "ms", looks, "", [], "B", "≤ 100", False),
    ]


def _look(client: httpx.Client) -> float:
    begun = time.perf_counter()
    client.get("/api/calculations", params={"limit": 100}).raise_for_status()
    return (time.perf_counter() - begun) * 1e3
