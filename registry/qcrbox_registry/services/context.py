"""What every service is made with: database, files, events, identity, quotas, scheduler."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from qcrbox.background import BackgroundTasks

from qcrbox_registry.access import audit
from qcrbox_registry.access.audit_heads import AuditHeads
from qcrbox_registry.access.identity import Identity
from qcrbox_registry.access.quota import Quotas
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.scheduler.rehearsing import Rehearsed
from qcrbox_registry.services.catalogue import Catalogue
from qcrbox_registry.services.event_hub import EventHub
from qcrbox_registry.services.indexing import Indexer
from qcrbox_registry.settings import Settings
from qcrbox_registry.store.audit import Entry, record_grouped
from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.objects import ObjectStore
from qcrbox_registry.store.work_queue import Waiting

Json = dict[str, Any]
log = structlog.get_logger(__name__)


class Scheduling(Protocol):
    """The scheduler as services use it."""

    @property
    def is_ready(self) -> bool:
        """Whether it has recovered and hands out work."""

    def submitted(self, new: Sequence[NewCalculation]) -> None:
        """Queue calculations that were written."""

    def requeue(self, waiting: Waiting) -> None:
        """Give a waiting calculation its new place after its priority was written."""

    async def cancel(self, calculation_ids: Sequence[str], *, reason: str, by: str) -> dict[str, str]:
        """Cancel calculations: waiting ones at once, running ones through their agents; ended ones are skipped."""

    async def end_session(self, calculation_id: str, *, keep: bool, reason: str) -> None:
        """Ask the agent of a session to end it. Raises NotFound when no agent has it."""

    async def open_tunnel(
        self, calculation_id: str, *, tunnel_id: str, url: str, token: str, view_only: bool
    ) -> None:
        """Ask the agent of a session to dial `url`. Raises NotFound when no agent has it."""

    def queue_info(self, calculation_ids: Sequence[str]) -> dict[str, Json]:
        """place, reason and estimated_start (Unix time, s) of those that wait."""

    async def stop_agent(self, agent_id: str, reason: str) -> None:
        """Stop an agent. Raises NotFound."""

    def status(self) -> Json:
        """Queue, agents, launchers, counters."""

    def bookable(self, slugs: Sequence[str]) -> int:
        """How many places of these applications can be booked for classes."""

    def expected_s(self, command_ids: Sequence[int]) -> float | None:
        """The longest of the usual durations of these commands, s; None when none ever ran."""

    async def rehearse(self, wanted: Mapping[str, int], seconds: float) -> Rehearsed:
        """Start agents (slug -> how many) and measure until they are ready, at most this long, s."""

    def missing(self, slug: str, version: str) -> dict[str, str]:
        """What of an application is not installed: command, "" for every one -> in words."""

    async def rules_changed(self) -> None:
        """Read applications, holds and quotas again."""


def _report(error: BaseException) -> None:
    log.error("background_failed", error=repr(error))


@dataclass
class Context:
    """The parts of a running registry that services share."""

    settings: Settings
    db: Database
    hub: EventHub
    objects: ObjectStore
    identity: Identity
    catalogue: Catalogue
    quotas: Quotas
    indexer: Indexer
    scheduler: Scheduling
    bus: Bus
    signing_key: bytes
    audit_heads: AuditHeads
    started_at: float = field(default_factory=time.time)
    # part -> what is wrong with it, beside what the readiness check finds itself
    faults: dict[str, str] = field(default_factory=dict)
    background: BackgroundTasks = field(default_factory=lambda: BackgroundTasks(_report))
    audits: BackgroundTasks = field(default_factory=lambda: BackgroundTasks(_report))  # entries on their way

    def publish(self, events: Sequence[Event]) -> None:
        """Send events to the subscribers, after the commit that wrote them."""
        if events:
            self.hub.publish(events)

    def audit_soon(
        self, actor: Actor, action: str, *, kind: str = "", object_id: str = "", **details: Any
    ) -> None:
        """Append to the audit trail without waiting for the disk."""
        self.record_soon(audit.entry(actor, action, time.time(), kind=kind, object_id=object_id, **details))

    def record_soon(self, entry: Entry) -> None:
        """Append an entry to the audit trail without waiting for the disk."""
        self.audits.spawn(self.db.write_grouped(record_grouped, entry))

    async def reload(self) -> None:
        """Read applications, holds and quotas again, everywhere."""
        await self.db.read(self.catalogue.load)
        await self.db.read(self.quotas.load)
        await self.scheduler.rules_changed()
