"""What is stored, by whom, and the data of those who are gone."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from qcrbox.contract.errors import NotFound, QcError, UserInputError
from tornado import web

from qcrbox_hub.admin.acts import destructive, with_reason
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.tables import Asked, Column, portions
from qcrbox_hub.admin.words import counted
from qcrbox_hub.platform.whole_numbers import whole_number

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
SHORTEST_RULE_DAYS = 7


# Kinds of holders, for the filter of their table.
SUBJECTS = [("", "Everyone"), ("person", "People"), ("group", "Groups"), ("application", "Applications")]


class Storage(AdminPage):
    """Totals, the largest holders and files, leftovers with decisions, and emptying the trash with a dry run."""

    path = "/storage"

    @web.authenticated
    async def get(self) -> None:
        """Answer the page."""
        await self._show()

    async def _show(self, **values: Any) -> None:
        problem, found = "", None
        leftovers: list[dict[str, Any]] = []
        rules: list[dict[str, Any]] = []
        decisions: list[dict[str, Any]] = []
        try:
            found, left, stored, decided = await self.registry.get_all(
                "/api/storage?most=1", "/api/leftovers", "/api/retention/rules", "/api/leftovers/decisions"
            )
            leftovers, rules, decisions = left["leftovers"], stored["rules"], decided["decisions"]
        except QcError as error:
            problem = error.message
        await self.show_page(
            "storage.html",
            asked=self.asked(),
            found=found,
            leftovers=leftovers,
            rules=rules,
            decisions=decisions[:MOST],
            choices=DECISIONS,
            away=problem,
            **values,
        )

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act on stored data."""
        await self.act()

    @destructive()
    async def do_decide(self) -> str:
        """Decide what becomes of the data of a deleted group or account, whose name must be typed."""
        subject, decision, to = self.field("subject"), self.field("decision"), self.field("to")
        number = whole_number(self.field("id"))
        if decision not in DECISIONS.get(subject, {}) or number is None:
            raise UserInputError("Choose what becomes of the data.")
        # The name as the registry has it: a form could name another one.
        leftovers = (await self.registry.get("/api/leftovers", fresh="false"))["leftovers"]
        wanted = (subject, number)
        row = next((each for each in leftovers if (each["subject"], each["id"]) == wanted), None)
        if row is None:
            raise NotFound("These data no longer wait for a decision.", next="Load the page again.")
        self.require_typed(row["name"])
        body: dict[str, Any] = {
            "subject": subject,
            "id": number,
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
        return f"Decided for {row['name']}: {moved}."

    @with_reason
    async def do_undo(self) -> str:
        """Undo a decision about the data of a deleted group or account."""
        decision = self.field("decision")
        if not (decision.isascii() and decision.isalnum()):
            raise UserInputError("Choose a decision.")
        done = await self.registry.call("POST", f"/api/leftovers/decisions/{decision}/undo")
        return f"The decision is undone: {done['objects']} objects are as they were."

    async def do_dry_run(self) -> None:
        """Show what emptying would do."""
        days = self._days()
        counted = await self.registry.call(
            "POST", "/api/trash/empty", {"older_than_days": days, "dry_run": True}
        )
        await self._show(dry_run=counted | {"days": days})

    @destructive("trash")
    async def do_empty(self) -> str:
        """Delete files that have been in the trash for so many days; `trash` must be typed."""
        body = {"older_than_days": self._days(), "dry_run": False, "reason": self.reason}
        done = await self.registry.call("POST", "/api/trash/empty", body)
        return (
            f"{counted(done['number'], 'file')} left the trash for good; the space is free within the hour."
        )

    async def do_retention_dry_run(self) -> None:
        """Show which outputs a retention rule would put into the trash."""
        days, group = self._days(least=1), self.field("group")
        counted = await self.registry.call("POST", "/api/retention", _rule(days, group))
        await self._show(retained=counted | {"days": days, "group": group})

    @destructive("outputs")
    async def do_retention(self) -> str:
        """Put outputs that were not used for so many days into the trash; `outputs` must be typed."""
        body = _rule(self._days(least=1), self.field("group")) | {"dry_run": False, "reason": self.reason}
        done = await self.registry.call("POST", "/api/retention", body)
        return (
            f"{done['datasets']} outputs with {done['files']} files are in the trash. Their owners can bring them back"
            " until the trash lets go of them."
        )

    @with_reason
    async def do_add_rule(self) -> str:
        """A retention rule that runs every day, from tomorrow on."""
        body = {"unused_days": self._days(least=SHORTEST_RULE_DAYS), "reason": self.reason}
        group = self.field("group")
        await self.registry.call("POST", "/api/retention/rules", body | ({"group": group} if group else {}))
        return f"The rule for {group or 'everyone'} runs every day, from tomorrow on."

    @with_reason
    async def do_remove_rule(self) -> str:
        """End a retention rule. What it moved stays in the trash."""
        number = whole_number(self.field("rule"))
        if number is None:
            raise UserInputError("Choose a rule.")
        path = f"/api/retention/rules/{number}"
        await self.registry.call("DELETE", path, query={"reason": self.reason})
        return "The rule is removed."

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


class StorageTable(AdminPage):
    """A table of the registry's, by portions. `rows_key`: where the answer has the rows."""

    path = "/storage"
    source: ClassVar[str] = ""
    rows_key: ClassVar[str] = ""
    filters: ClassVar[tuple[str, ...]] = ()

    @web.authenticated
    async def get(self) -> None:
        """Answer the page of the table, or all of it as CSV."""
        asked, problem = self.asked(self.filters, sort="-bytes"), ""
        if self.wants_csv:
            await self.send_csv(self.rows_key, portions(partial(self._part, asked)))
            return
        rows: list[dict[str, Any]] = []
        total = 0
        try:
            rows, total = await self._part(asked, asked.size, asked.offset)
        except QcError as error:
            problem = error.message
        await self.show_page(
            f"storage_{self.rows_key}.html",
            asked=asked,
            rows=rows,
            total=total,
            subjects=SUBJECTS,
            away=problem,
        )

    async def _part(self, asked: Asked, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        query: dict[str, Any] = {"q": asked.text, "sort": asked.sort, **asked.filters}
        found = await self.registry.get(self.source, **query, limit=limit, offset=offset)
        return found[self.rows_key], found["total"]


class Holders(StorageTable):
    """Stored bytes by person, group and application."""

    source = "/api/storage/holders"
    rows_key = "holders"
    filters = ("subject", "gone")
    columns = (
        Column("subject", "Kind", sortable=True),
        Column("name", "Name", sortable=True),
        Column("bytes", "Stored", sortable=True, numeric=True),
        Column("gone_at", "Deleted", sortable=True),
    )


class Files(StorageTable):
    """Every present data file; names and sizes, never contents."""

    source = "/api/storage/files"
    rows_key = "files"
    filters = ("owner", "group")
    columns = (
        Column("name", "File", sortable=True),
        Column("owner", "Owner", sortable=True),
        Column("group", "Group", sortable=True),
        Column("bytes", "Size", sortable=True, numeric=True),
        Column("created_at", "Since", sortable=True),
    )

    async def _part(self, asked: Asked, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        rows, total = await super()._part(asked, limit, offset)
        return [row | {"name": row["filename"], "bytes": row["size"]} for row in rows], total
