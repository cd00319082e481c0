"""The audit trail of the registry: search, verify, export."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from qcrbox.contract.errors import QcError
from tornado import web

from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.tables import Asked, Column

ANSWERS = [("", "Allowed and refused"), ("true", "Allowed"), ("false", "Refused")]


class Audit(AdminPage):
    """Newest first. Looking at it is audited too."""

    path = "/audit"
    columns = (
        Column("seq", "No.", numeric=True),
        Column("at", "When"),
        Column("who", "Who"),
        Column("address", "From"),
        Column("action", "Did"),
        Column("kind", "To"),
        Column("object_id", "Which"),
        Column("allowed", "Allowed"),
        Column("details", "Details"),
    )

    @web.authenticated
    async def get(self) -> None:
        """Show a page of the audit trail, or send it as CSV or, with its hashes, as NDJSON."""
        asked = self.asked(("who", "action", "object_id", "allowed"))
        if self.get_query_argument("format", "") == "ndjson":
            await self._export()
            return
        await self.show_table("audit", asked, partial(self._page, asked), answers=ANSWERS)

    async def _page(self, asked: Asked, after: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        found = await self.registry.get("/api/audit", after=after, limit=limit, **asked.filters)
        rows = [row | {"details": json.dumps(row["details"], ensure_ascii=False)} for row in found["audit"]]
        return rows, found.get("next")

    async def _export(self) -> None:
        """The whole trail with what its hashes are made of, as the registry gives it."""
        self.set_header("Content-Type", "application/x-ndjson")
        self.set_header("Content-Disposition", 'attachment; filename="qcrbox-audit.ndjson"')
        async for chunk in self.registry.stream("/api/audit/export"):
            self.write(chunk)
            await self.flush()
        self.finish()

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act on the audit trail."""
        await self.act()

    async def do_verify(self) -> str:
        """Let the registry check the hash chain. Raises QcError where it is broken."""
        found = await self.registry.get("/api/audit/check")
        if found["sound"]:
            return "The chain of the audit trail holds, and agrees with its signed heads."
        places = ", ".join(str(seq) for seq in found["broken_at"])
        raise QcError(
            f"The audit trail was changed. Broken at: {places or 'none'}. {' '.join(found['faults'])}"
        )
