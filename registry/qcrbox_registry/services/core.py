"""What a running registry is made of; every part is handed what it needs from here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from sqlalchemy.engine import Connection

from qcrbox_registry.access import audit
from qcrbox_registry.access.identity import Identity
from qcrbox_registry.access.quota import Quotas
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.event_hub import EventHub
from qcrbox_registry.services.indexing import Indexer
from qcrbox_registry.settings import Settings
from qcrbox_registry.store.applications import Catalogue
from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.examples import Examples
from qcrbox_registry.store.objects import ObjectStore

log = structlog.get_logger(__name__)


class Scheduling(Protocol):
    """What the REST side asks of the scheduler."""

    def submitted(self, new: Sequence[NewCalculation]) -> None:
        """Calculations were written and wait now."""

    async def cancel(self, calculation_ids: Sequence[str], *, reason: str, by: str) -> Any:
        """End them: waiting ones at once, running ones through their agents. Ended ones are left alone."""

    async def end_session(self, calculation_id: str, *, keep: bool, reason: str) -> None:
        """Ask the agent of a session to end it."""

    def queue_info(self, calculation_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """place, reason and estimated_start (Unix s) of those that wait."""

    async def open_tunnel(
        self, calculation_id: str, *, tunnel_id: str, url: str, token: str, view_only: bool = False
    ) -> None:
        """Ask the agent of a session to dial `url`."""

    async def stop_agent(self, agent_id: str, reason: str) -> None:
        """End an agent."""

    def status(self) -> dict[str, Any]:
        """Queue, agents, launchers, counters."""

    async def rules_changed(self) -> None:
        """Applications, holds or quotas were changed in the database."""


@dataclass
class Core:
    settings: Settings
    db: Database
    hub: EventHub
    objects: ObjectStore
    identity: Identity
    catalogue: Catalogue
    quotas: Quotas
    indexer: Indexer
    scheduler: Scheduling
    signing_key: bytes
    examples: Examples
    bus: Any = None
    started_at: float = field(default_factory=time.time)
    missing: dict[str, str] = field(
        default_factory=dict
    )  # part -> what is wrong, beside what readyz finds out
    _audits: set[asyncio.Future[Any]] = field(default_factory=set)

    def publish(self, events: Sequence[Event]) -> None:
        if events:
            self.hub.publish(events)

    def audit_soon(self, actor: Actor, action: str, *, allowed: bool = True, **about: Any) -> None:
        """Append to the audit trail without letting the caller wait for the disk."""
        entry = audit.entry(actor, action, time.time(), allowed=allowed, **about)
        self.spawn(self.db.write_grouped(_record, entry))

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Do something beside; a failure is logged."""
        task = asyncio.ensure_future(coroutine)
        self._audits.add(task)
        task.add_done_callback(self._audited)

    def _audited(self, task: asyncio.Future[Any]) -> None:
        self._audits.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background_failed", error=repr(task.exception()))

    async def audits_written(self) -> None:
        """Until every entry given to `audit_soon` is on the disk."""
        if self._audits:
            await asyncio.wait(set(self._audits))

    async def reload(self) -> None:
        """Applications, holds or quotas were changed: read them again everywhere."""
        await self.db.read(self.catalogue.load)
        await self.db.read(self.quotas.load)
        await self.scheduler.rules_changed()


def _record(conn: Connection, entries: list[audit.Entry]) -> list[None]:
    audit.record(conn, entries)
    return [None] * len(entries)
