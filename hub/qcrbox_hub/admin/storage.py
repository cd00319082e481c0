"""What is stored, by whom, and the data of those who are gone."""

from __future__ import annotations

from typing import Any

from qcrbox.contract.errors import QcError, UserInputError
from tornado import web

from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.tables import Column

# What may be decided for the data of a deleted group, and for the private data of a deleted account.
DECISIONS = {
    "group": {
        "owners": "give it to its owners",
        "group": "hand over to a group",
        "archive": "archive",
        "delete": "delete",
    },
    "person": {
        "person": "hand over to a person",
        "group": "hand over to a group",
        "archive": "archive",
        "delete": "delete",
    },
}
MOST = 100


class Storage(AdminPage):
    """Totals, the largest holders and files, leftovers with decisions, and emptying the trash with a dry run."""

    path = "/storage"
    columns = (
        Column("subject", "Kind"),
        Column("name", "Name"),
        Column("bytes", "Stored", numeric=True),
        Column("gone_at", "Deleted (UTC)"),
    )

    @web.authenticated
    async def get(self) -> None:
        """Show what is stored, or send the largest holders as CSV."""
        if self.wants_csv:
            found = await self.registry.get("/api/storage", most=1000)
            await self.send_csv("storage", self.at_once(found["holders"]))
            return
        await self._show()

    async def _show(self, **values: Any) -> None:
        problem, found = "", None
        leftovers: list[dict[str, Any]] = []
        decisions: list[dict[str, Any]] = []
        try:
            found = await self.registry.get("/api/storage", most=MOST)
            leftovers = (await self.registry.get("/api/leftovers"))["leftovers"]
            decisions = (await self.registry.get("/api/leftovers/decisions"))["decisions"]
        except QcError as error:
            problem = error.message
        await self.show_page(
            "storage.html",
            asked=self.asked(),
            found=found,
            leftovers=leftovers,
            decisions=decisions[:MOST],
            choices=DECISIONS,
            away=problem,
            **values,
        )

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act on stored data."""
        await self.act()

    async def do_decide(self) -> str:
        """Decide what happens to the data of a deleted group or account."""
        subject, decision, to = self.field("subject"), self.field("decision"), self.field("to")
        if decision not in DECISIONS.get(subject, {}) or not self.field("id").isdigit():
            raise UserInputError("Choose what becomes of the data.")
        if decision == "delete":
            self.require_typed(self.field("name"))
        body: dict[str, Any] = {
            "subject": subject,
            "id": int(self.field("id")),
            "decision": decision,
            "reason": self.reason,
        }
        if decision in ("person", "group"):
            body["to"] = to
        done = await self.registry.call("POST", "/api/leftovers", body)
        moved = ", ".join(
            f"{number} {kind.replace('_', ' ')}s"
            for kind, number in done["objects"].items()
            if kind != "bytes"
        )
        return f"Decided for {self.field('name')}: {moved}."

    async def do_undo(self) -> str:
        """Undo a decision about the data of a deleted group or account."""
        done = await self.registry.call("POST", f"/api/leftovers/decisions/{self.field('decision')}/undo")
        return f"The decision is undone: {done['objects']} objects are as they were."

    async def do_dry_run(self) -> None:
        """Show what emptying would do."""
        days = self._days()
        counted = await self.registry.call(
            "POST", "/api/trash/empty", {"older_than_days": days, "dry_run": True}
        )
        await self._show(dry_run=counted | {"days": days})

    async def do_empty(self) -> str:
        """Delete files that have been in the trash for so many days; `trash` must be typed."""
        self.require_typed("trash")
        body = {"older_than_days": self._days(), "dry_run": False, "reason": self.reason}
        done = await self.registry.call("POST", "/api/trash/empty", body)
        return f"{done['number']} files left the trash for good; their bytes are freed within the hour."

    async def do_retention_dry_run(self) -> None:
        """Show which outputs a retention rule would put into the trash."""
        days, group = self._days(least=1), self.field("group")
        counted = await self.registry.call("POST", "/api/retention", _rule(days, group))
        await self._show(retained=counted | {"days": days, "group": group})

    async def do_retention(self) -> str:
        """Put outputs that were not used for so many days into the trash; `outputs` must be typed."""
        self.require_typed("outputs")
        body = _rule(self._days(least=1), self.field("group")) | {"dry_run": False, "reason": self.reason}
        done = await self.registry.call("POST", "/api/retention", body)
        return (
            f"{done['datasets']} outputs with {done['files']} files are in the trash. Their owners can bring them back"
            " until the trash lets go of them."
        )

    def _days(self, least: float = 0) -> float:
        try:
            days = float(self.field("days"))
        except ValueError:
            days = -1.0
        if not least <= days <= 36500:
            raise UserInputError("Type a number of days.")
        return days


def _rule(days: float, group: str) -> dict[str, Any]:
    """Outputs that were not used for so many days, of one group or of everyone; counted only."""
    return {"unused_days": days, "dry_run": True} | ({"group": group} if group else {})
