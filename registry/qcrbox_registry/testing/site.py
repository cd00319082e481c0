"""The inside of a registry without HTTP, on a data folder: database, NATS, scheduler, a practice application.

For tests, faults and benchmarks. Everything is real but the science.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.sqlite_urls import url_of
from qcrbox.waiting import within

from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.scheduler.clock import Clock
from qcrbox_registry.scheduler.scheduler import Scheduler
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.services.event_hub import EventHub
from qcrbox_registry.store import calculations
from qcrbox_registry.store.engine import Database, upsert
from qcrbox_registry.store.people import ensure_groups, ensure_person
from qcrbox_registry.store.schema import migrate
from qcrbox_registry.store.tables import applications, commands
from qcrbox_registry.store.tables import calculations as calculations_table
from qcrbox_registry.store.tables import events as events_table
from qcrbox_registry.testing.launcher import DummyLauncher

SLUG = "practice"
COMMANDS = ("noop", "sleep", "stubborn", "fail", "die")


class DummySite:
    """`async with DummySite(folder, nats_url) as site`: then `submit`, `ended`, `rows`."""

    def __init__(
        self,
        data: Path,
        nats_url: str,
        *,
        settings: SchedulerSettings | None = None,
        clock: Clock | None = None,
        reuse: str = "same-owner",
        warm: int = 0,
    ) -> None:
        self.data, self.nats_url = data, nats_url
        self.settings = settings or SchedulerSettings()
        self.clock, self.reuse, self.warm = clock, reuse, warm
        self.secrets = Secrets(data)
        self.hub = EventHub()
        self._ended = asyncio.Event()
        self.people: dict[str, int] = {}
        self.groups: dict[str, int] = {}

    async def __aenter__(self) -> DummySite:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Create the database, connect to NATS and start the scheduler."""
        self.db = Database(url_of(self.data / "qcrbox.sqlite"))
        migrate(self.db)
        await self.db.write(self._register)
        self.bus = Bus(self.nats_url, self.secrets.user("registry"))
        await self.bus.connect()
        self.scheduler = Scheduler(
            self.db,
            self.bus,
            self.settings,
            self.hub,
            secrets=self.secrets,
            files_base="http://127.0.0.1:9/internal/calculations",
            clock=self.clock,
        )
        self.hub.listen(lambda event: self._ended.set())
        await self.scheduler.start()

    async def stop(self) -> None:
        """Stop the scheduler and close the connections."""
        await self.scheduler.stop()
        await self.bus.close()
        self.db.close()

    def launcher(self, **options: Any) -> DummyLauncher:
        """A launcher for this site that is not started yet."""
        name = options.get("name", "local")
        options.setdefault("applications", ((SLUG, "1"),))
        return DummyLauncher(self.nats_url, self.secrets.user(f"launcher-{name}"), **options)

    # ------------------------------------------------------------ rows

    def _register(self, conn: sa.Connection) -> None:
        row = {
            "slug": SLUG,
            "version": "1",
            "name": "Practice",
            "spec": {},
            "spec_hash": "",
            "reuse": self.reuse,
            "warm": self.warm,
            "registered_at": time.time(),
            "updated_at": time.time(),
        }
        conn.execute(upsert(conn, applications).values(row).on_conflict_do_nothing())
        query = sa.select(applications.c.id).where(applications.c.slug == SLUG)
        self.application_id = conn.execute(query).scalar_one()
        for name in COMMANDS:
            command = {
                "application_id": self.application_id,
                "name": name,
                "implemented_as": "python_callable",
                "parameters": {},
            }
            conn.execute(upsert(conn, commands).values(command).on_conflict_do_nothing())
        found = sa.select(commands.c.name, commands.c.id).where(
            commands.c.application_id == self.application_id
        )
        self.command_ids = {row.name: row.id for row in conn.execute(found)}

    def new(
        self, command: str, owner: str, group: str | None = None, **more: Any
    ) -> calculations.NewCalculation:
        """A calculation of the practice application, not yet stored."""
        return calculations.NewCalculation(
            owner_id=self.people[owner],
            group_id=self.groups[group] if group else None,
            application_id=self.application_id,
            command_id=self.command_ids[command],
            application_slug=SLUG,
            application_version="1",
            command_name=command,
            arguments=more.pop("arguments", {}),
            **more,
        )

    async def know(self, owner: str, group: str | None = None) -> None:
        """Create a person, and the group if one is given."""

        def write(conn: sa.Connection) -> None:
            now = time.time()
            self.people[owner] = ensure_person(conn, owner, owner, now)
            if group:
                self.groups |= ensure_groups(conn, [group], now)

        if owner not in self.people or (group and group not in self.groups):
            await self.db.write(write)

    async def submit(
        self, command: str, count: int = 1, *, owner: str = "ada", group: str | None = None, **more: Any
    ) -> list[str]:
        """Submit the same command `count` times; the ids."""
        await self.know(owner, group)
        new = [self.new(command, owner, group, **more) for _ in range(count)]
        self.hub.publish(await self.db.write(lambda conn: calculations.create_many(conn, new)))
        self.scheduler.submitted(new)
        return [calculation.id for calculation in new]

    async def rows(self, ids: Sequence[str]) -> list[Any]:
        """Rows of the calculations in the order of the ids; raises KeyError for an unknown id."""

        def read(conn: sa.Connection) -> list[Any]:
            found: dict[str, Any] = {}
            for start in range(0, len(ids), 500):
                part = list(ids[start : start + 500])
                query = sa.select(calculations_table).where(calculations_table.c.id.in_(part))
                found |= {row.id: row for row in conn.execute(query)}
            return [found[calculation_id] for calculation_id in ids]

        return await self.db.read(read)

    async def events(self, calculation_id: str) -> list[Any]:
        """Events of a calculation in their order."""
        query = (
            sa.select(events_table)
            .where(events_table.c.object_id == calculation_id)
            .order_by(events_table.c.seq)
        )
        return await self.db.read(lambda conn: list(conn.execute(query)))

    async def until(self, holds: Any, timeout_s: float = 60.0, what: str = "it") -> None:
        """Wait until `await holds()` or `holds()` is true; TimeoutError says what did not come."""
        async with asyncio.timeout(timeout_s):
            while True:
                self._ended.clear()
                value = holds()
                if asyncio.iscoroutine(value):
                    value = await value
                if value:
                    return
                try:
                    await within(self._ended.wait(), 0.1)
                except TimeoutError:
                    continue

    async def ended(self, ids: Sequence[str], timeout_s: float = 60.0) -> list[Any]:
        """Wait until all have ended; their rows."""
        left = set(ids)

        async def all_ended() -> bool:
            nonlocal left
            sample = list(left)[:500]
            left -= {row.id for row in await self.rows(sample) if row.finished_at is not None}
            return not left

        await self.until(all_ended, timeout_s)
        return await self.rows(ids)
