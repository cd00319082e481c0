"""Whether the registry can work, and what is missing."""

from __future__ import annotations

import shutil
import time

import structlog
from qcrbox.background import again_and_again
from qcrbox.contract.models import iso

from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.store import events

WATCH_S = 15.0
# Bytes; with less free, writes of the database or of NATS may fail.
LEAST_FREE = 200 * 1024 * 1024
log = structlog.get_logger(__name__)


class ReadinessService:
    """Checks every part that work needs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._since: dict[str, float] = {}

    async def report(self) -> tuple[bool, Json]:
        """Whether everything is ready, and the report as the answer shows it."""
        missing = {name: fault for name, fault in (await self._faults()).items() if fault}
        known = self._context.faults
        report = {
            "status": "not ready" if missing else "ready",
            "missing": missing,
            "notes": {name: fault for name, fault in known.items() if name not in missing},
            "since": self._noticed({*missing, *known}),
            "uptime_s": round(time.time() - self._context.started_at, 1),
        }
        return not missing, report

    def _noticed(self, parts: set[str]) -> dict[str, str]:
        """When each present fault was first noticed; a fault that recurs gets a new time."""
        now = time.time()
        self._since = {part: self._since.get(part, now) for part in parts}
        return {part: str(iso(at)) for part, at in self._since.items()}

    async def watch(self) -> None:
        """Check periodically, so that a fault gets a date even without requests."""
        await again_and_again(
            self.report, WATCH_S, lambda error: log.error("readiness_unknown", error=repr(error))
        )

    async def _faults(self) -> dict[str, str]:
        return {
            "database": await self._database_fault(),
            "nats": "" if self._context.bus.is_connected else "The message system (NATS) is not connected.",
            "scheduler": ""
            if self._context.scheduler.is_ready
            else "The scheduler has not finished its recovery.",
            "launcher": self._launcher_fault(),
            "disk": self._disk_fault(),
        }

    async def _database_fault(self) -> str:
        try:
            await self._context.db.read(events.newest)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the database is the answer
            return str(error)[:300]
        return self._context.faults.get("database", "")

    def _disk_fault(self) -> str:
        free = shutil.disk_usage(self._context.settings.data).free
        if free >= LEAST_FREE:
            return ""
        return f"Only {free / 1024**2:.0f} MiB are free on the disk of the data folder."

    def _launcher_fault(self) -> str:
        launchers = self._context.scheduler.status().get("launchers", ())
        expected = self._context.settings.launcher or launchers
        if not expected or any(launcher.get("answers") for launcher in launchers):
            return ""
        names = ", ".join(str(launcher["launcher"]) for launcher in launchers)
        return f"No launcher answers{f' ({names})' if names else ''}, so no application can be started."
