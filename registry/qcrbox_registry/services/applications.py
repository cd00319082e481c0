"""Applications: register, list, change, hold, retire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import structlog
from qcrbox import spec
from qcrbox.contract.errors import SpecError
from qcrbox.contract.models import iso
from qcrbox.spec.folder import find_folders, nothing_found, required_spec_of

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor, allows, authorize, missing
from qcrbox_registry.services.catalogue import KnownApplication
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.examples import Examples
from qcrbox_registry.services.texts import needed_reason
from qcrbox_registry.store import agents, applications, events, holds, people
from qcrbox_registry.store.applications import Origin
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection

Mode = Literal["hold", "drain"]
log = structlog.get_logger(__name__)


class ApplicationService:
    """Applications as persons and administrators see them. `version`: of this product, noted with each registration."""

    def __init__(self, context: Context, examples: Examples, version: str) -> None:
        self._context, self._examples, self._version = context, examples, version

    # ------------------------------------------------------------ lists

    def _visible(self, actor: Actor, *, retired: bool = False) -> list[KnownApplication]:
        return [
            known
            for known in self._context.catalogue.all(retired=retired)
            if allows(actor, "read", known.resource)
        ]

    def applications(self, actor: Actor, *, retired: bool) -> list[Json]:
        """The applications the actor may use; `retired`: with retired ones, for application administrators."""
        shown = self._visible(actor, retired=retired and actor.application_admin)
        return [self._as_it_is_now(known) for known in shown]

    def commands(self, actor: Actor) -> list[Json]:
        """The commands of the applications the actor may use."""
        return [
            command for known in self._visible(actor) for command in self._as_it_is_now(known)["commands"]
        ]

    def command(self, actor: Actor, command_id: int) -> Json:
        """A command. Raises NotFound."""
        found = self._context.catalogue.command_by_id(command_id)
        if found is None or not allows(actor, "read", found[0].resource):
            raise missing("command", command_id)
        known, command = found
        absent = self._context.scheduler.missing(known.slug, known.version)
        return command.rest | {"missing": absent.get("") or absent.get(command.spec.name, "")}

    def _as_it_is_now(self, known: KnownApplication) -> Json:
        """The record with what is not installed on any machine that could run it."""
        absent = self._context.scheduler.missing(known.slug, known.version)
        if not absent:
            return known.rest
        commands = [
            command | {"missing": absent.get("") or absent.get(command["name"], "")}
            for command in known.rest["commands"]
        ]
        texts = [command["missing"] for command in commands]
        return known.rest | {"commands": commands, "missing": texts[0] if texts and all(texts) else ""}

    async def failed_starts(self, actor: Actor, application_id: int, most: int) -> list[Json]:
        """The newest agents of an application that did not come up, with their output. Raises NotFound, NotAllowed."""
        known = self._managed(actor, application_id)
        rows = await self._context.db.read(lambda conn: agents.failed_starts(conn, known.id, most))
        return [
            {
                "agent": row.id,
                "launcher": row.launcher,
                "requested_at": iso(row.requested_at),
                "ended_at": iso(row.gone_at),
                "reason": row.reason,
                "exit_code": row.exit_code,
                "log": row.log,
            }
            for row in rows
        ]

    # ------------------------------------------------------------ changes

    def _managed(self, actor: Actor, application_id: int) -> KnownApplication:
        known = self._context.catalogue.by_id(application_id)
        if known is None:
            raise missing("application", application_id)
        authorize(actor, "manage", known.resource)
        return known

    def require_manager(self, actor: Actor, application_id: int) -> None:
        """Raises NotFound or NotAllowed unless the actor administers applications."""
        self._managed(actor, application_id)

    async def change(self, actor: Actor, application_id: int, values: Mapping[str, Any]) -> list[Json]:
        """Set restricted_to (names of groups, None: everybody), reuse, warm, most_agents or approved."""
        known = self._managed(actor, application_id)
        now = time.time()

        def write(conn: Connection) -> None:
            # Groups that no member has come from yet are written, so that their first member may use it.
            people.ensure_groups(conn, values.get("restricted_to") or (), now)
            applications.change(conn, known.id, values, now)
            entry = audit.entry(
                actor, "change", now, kind="application", object_id=str(known.id), fields=sorted(values)
            )
            record(conn, [entry])

        await self._context.db.write(write)
        return await self._reloaded(known.id)

    async def hold(self, actor: Actor, application_id: int, mode: Mode | None, reason: str) -> list[Json]:
        """Start nothing new (hold), end warm agents too (drain), or (None) lift the hold."""
        known = self._managed(actor, application_id)
        change = HoldChange(
            "application", str(known.id), mode, reason if mode is None else needed_reason(reason)
        )
        await self._context.db.write(lambda conn: put_hold(conn, actor, change, time.time()))
        return await self._reloaded(known.id)

    async def retire(self, actor: Actor, application_id: int, reason: str = "") -> None:
        """Take an application out of the lists; its calculations and files stay. The audit trail keeps the reason.

        Raises ReasonNeeded.
        """
        self._managed(actor, application_id)
        reason = needed_reason(reason)
        await self._retire(actor, application_id, time.time(), "retire", reason=reason)

    async def restore(self, actor: Actor, application_id: int) -> list[Json]:
        """Bring back a retired application."""
        return await self._retire(actor, application_id, None, "bring back")

    async def _retire(
        self, actor: Actor, application_id: int, at: float | None, action: str, **details: str
    ) -> list[Json]:
        known = self._managed(actor, application_id)

        def write(conn: Connection) -> None:
            applications.retire(conn, known.id, at)
            record(
                conn,
                [
                    audit.entry(
                        actor, action, time.time(), kind="application", object_id=str(known.id), **details
                    )
                ],
            )

        await self._context.db.write(write)
        return await self._reloaded(known.id)

    async def _reloaded(self, application_id: int) -> list[Json]:
        await self._context.reload()
        known = self._context.catalogue.by_id(application_id)
        return [self._as_it_is_now(known)] if known else []

    # ------------------------------------------------------------ registration

    async def register_folders(self, roots: Sequence[Path]) -> None:
        """Register the applications in these folders; a faulty one is skipped and reported as a fault of the site."""
        for root in roots:
            found = [root] if root.is_file() else find_folders([root])
            if not found:
                self._report(f"applications in {root}", nothing_found(root))
            for folder in found:
                await self._register_folder(folder)
        await self._context.db.read(self._context.catalogue.load)

    async def _register_folder(self, folder: Path) -> None:
        """Register the application of a folder, or of a spec file."""
        try:
            path = folder if folder.is_file() else required_spec_of(folder)
            loaded = await asyncio.to_thread(spec.load, path)
            await self.register(loaded, path)
        except SpecError as error:
            self._report(f"application {folder.name}", error.message)
            return
        if loaded.left_out:
            self._report(f"commands of {loaded.slug} {loaded.version}", "; ".join(loaded.left_out))

    def _report(self, part: str, fault: str) -> None:
        self._context.faults[part] = fault
        log.error("application_fault", part=part, error=fault)

    async def register(self, loaded: spec.Application, path: Path) -> int:
        """Write an application; its id. An event is published when it is new or changed."""

        def write(conn: Connection) -> tuple[int, list[events.Event]]:
            now = time.time()
            application_id, changed = applications.register(
                conn, loaded, Origin(str(path), self._version), now
            )
            if not changed:
                return application_id, []
            registered = events.Event("application", str(application_id), now, status="registered")
            return application_id, list(events.write(conn, [registered]))

        application_id, made = await self._context.db.write(write)
        self._context.publish(made)
        self._examples.announce(application_id, path.parent)
        return application_id


@dataclass(frozen=True, slots=True)
class HoldChange:
    """A hold to set, or (mode None) to lift, of an application (id as text), launcher (name) or the site ("")."""

    kind: Literal["application", "launcher", "site"]
    object_id: str
    mode: Mode | None
    reason: str = ""


def put_hold(conn: Connection, actor: Actor, change: HoldChange, now: float) -> None:
    """Set or lift a hold, with its audit entry."""
    kind, object_id = change.kind, change.object_id
    if change.mode is None:
        holds.lift(conn, kind, object_id)
    else:
        holds.put(conn, holds.Hold(kind, object_id, change.mode, change.reason), actor.person_id, now)
    entry = audit.entry(
        actor, "hold", now, kind=kind, object_id=object_id, mode=change.mode, reason=change.reason
    )
    record(conn, [entry])
