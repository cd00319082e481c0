"""One command at a time, and how fast its status reaches a listener, beside raw nats-py on the same kind of server."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from pathlib import Path

import httpx
import nats
from nats.js import api
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.server import ServerPlan, start

from benchmarks.registry.rows import Row
from benchmarks.registry.stack import Registry


class RawNats:
    """Publish to a work queue, pull, acknowledge, reply: the least that any queue on NATS must do."""

    def __init__(self, *, power_loss_safe: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-nats-"))
        self.server = start(ServerPlan(data=self.folder, power_loss_safe=power_loss_safe))
        self.seed = Secrets(self.folder).user("registry").seed.decode()

    async def open(self) -> None:
        self.here = await nats.connect(self.server.url, nkeys_seed_str=self.seed)
        self.there = await nats.connect(self.server.url, nkeys_seed_str=self.seed)
        self.js = self.here.jetstream()
        await self.js.add_stream(name="RAW", subjects=["raw"], retention=api.RetentionPolicy.WORK_QUEUE)
        subscription = await self.there.jetstream().pull_subscribe("raw", durable="one", stream="RAW")
        self.inbox = await self.here.subscribe("raw.reply")
        self.serving = asyncio.create_task(self._serve(subscription))

    async def _serve(self, subscription) -> None:
        while True:
            try:
                (message,) = await subscription.fetch(1, timeout=5)
            except TimeoutError:
                continue
            await message.ack_sync()
            await self.there.publish("raw.reply", b"{}")

    async def one(self) -> float:
        begun = time.perf_counter()
        await self.js.publish("raw", b'{"command": "noop"}')
        await self.inbox.next_msg(timeout=5)
        return time.perf_counter() - begun

    async def close(self) -> None:
        self.serving.cancel()
        await asyncio.gather(self.serving, return_exceptions=True)
        await self.here.close()
        await self.there.close()
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


async def _ours_once(client: httpx.AsyncClient, stream) -> tuple[float, float]:
    """Seconds from the POST to the event of its end, and from the event's own time to its arrival here."""
    body = {
        "application_slug": "chaos",
        "application_version": "1",
        "command_name": "noop",
        "command_arguments": {},
    }
    begun = time.perf_counter()
    answer = await client.post("/api/commands", json=body)
    calculation_id = answer.json()["payload"]["calculation_id"]
    async for event in stream:
        if event.get("id") == calculation_id and event.get("status") == "successful":
            return time.perf_counter() - begun, time.time() - event["at"]
    raise RuntimeError("the event stream ended")


async def _events(client: httpx.AsyncClient):
    async with client.stream("GET", "/api/events", timeout=None) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                yield json.loads(line[5:])


async def _measure(quick: bool, *, safe: bool) -> tuple[list[float], list[float], list[float]]:
    count = 30 if quick else 300
    registry = await asyncio.to_thread(Registry(power_loss_safe=safe, agents=1).start)
    raw = RawNats(power_loss_safe=safe)
    ours: list[float] = []
    status: list[float] = []
    theirs: list[float] = []
    try:
        await asyncio.to_thread(registry.set_warm, 1)
        await raw.open()
        async with httpx.AsyncClient(
            base_url=str(registry.client.base_url), timeout=60, trust_env=False
        ) as client:
            stream = _events(client)
            first = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(registry.run, 20)
            await first
            for _ in range(count):
                took, lag = await _ours_once(client, stream)
                ours.append(took * 1e3)
                status.append(lag * 1e3)
                theirs.append(await raw.one() * 1e3)
            await stream.aclose()
    finally:
        await raw.close()
        await asyncio.to_thread(registry.close)
    return ours, status, theirs


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99) - 1]


def measure_commands(quick: bool) -> list[Row]:
    rows = []
    for durability, safe in (("A", False), ("B", True)):
        ours, status, theirs = asyncio.run(_measure(quick, safe=safe))
        peer = "raw nats-py: publish, pull, ack, reply"
        goal = "p50 ≤ 10, ≤ 1.5 × raw"
        name = "one no-op command, idle agent, REST to event"
        rows.append(Row(name, "ms", ours, peer, theirs, durability, goal, False))
        rows.append(
            Row(
                f"{name}, 99th percentile",
                "ms",
                [_p99(ours)],
                peer,
                [_p99(theirs)],
                durability,
                "≤ 50",
                False,
            )
        )
        rows.append(
            Row("status: registry's commit to listener", "ms", status, "", [], durability, "p50 ≤ 50", False)
        )
    return rows


def measure_status(quick: bool) -> list[Row]:
    """Progress of a running command: from the agent's word to a listener's event stream."""
    del quick  # measured with the commands above; here beside core NATS publish and subscribe
    return [asyncio.run(_status_row())]


async def _status_row() -> Row:
    folder = Path(tempfile.mkdtemp(prefix="bench-status-"))
    server = start(ServerPlan(data=folder, power_loss_safe=True))
    try:
        from qcrbox.contract.messages import Progress
        from qcrbox_registry.testing.site import DummySite

        async with DummySite(folder, server.url) as site:
            launcher = site.launcher(capacity=1)
            await launcher.start()
            (one,) = await site.submit("sleep", arguments={"seconds": 60})
            await site.until(lambda: _is_running(site, one))
            (row,) = await site.rows([one])
            agent = launcher.kept[row.agent_id].practice
            subscription = site.hub.subscribe(lambda event: event.kind == "progress", one)
            raw = await nats.connect(
                server.url, nkeys_seed_str=Secrets(folder).user("registry").seed.decode()
            )
            inbox = await raw.subscribe("raw.status")
            ours, theirs = [], []
            for number in range(200):
                begun = time.perf_counter()
                await agent.tell(Progress(calculation_id=one, attempt=row.attempt, fraction=number / 200))
                while not await subscription.get(5.0):
                    pass
                ours.append((time.perf_counter() - begun) * 1e3)
                begun = time.perf_counter()
                await raw.publish("raw.status", b"{}")
                await inbox.next_msg(timeout=5)
                theirs.append((time.perf_counter() - begun) * 1e3)
            await raw.close()
            await launcher.close()
        peer = "core NATS publish → subscribe (not stored)"
        return Row(
            "status: agent's word to the registry's event stream",
            "ms",
            ours,
            peer,
            theirs,
            "B",
            "p50 ≤ 50",
            False,
        )
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _is_running(site, one: str) -> bool:
    return (await site.rows([one]))[0].state == "running"
