"""Every limit that is set, and the defaults."""

from __future__ import annotations

from qcrbox.contract.errors import QcError, UserInputError
from tornado import web

from qcrbox_hub.admin.limits import QUOTAS, read_limits, set_limits
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.tables import PAGE_SIZE, Column

SUBJECTS = {
    "default-person": "Everyone without a limit of their own",
    "default-group": "Every group without a limit of its own",
}


class Quotas(AdminPage):
    """Defaults of persons and groups, and the table of all limits."""

    path = "/quotas"
    columns = (
        Column("subject", "Of"),
        Column("name", "Name", sortable=True),
        Column("quota", "Quota", sortable=True),
        Column("limit", "Limit", sortable=True, numeric=True),
    )

    @web.authenticated
    async def get(self) -> None:
        """Show defaults and limits, or send the limits as CSV."""
        asked = self.asked(sort="name")
        try:
            rows, problem = (await self.registry.get("/api/quotas"))["quotas"], ""
        except QcError as error:
            rows, problem = [], error.message
        defaults = {
            subject: {row["quota"]: row["limit"] for row in rows if row["subject"] == subject}
            for subject in SUBJECTS
        }
        key, descends = asked.order
        text = asked.text.lower()
        own = [row for row in rows if row["subject"] in ("person", "group") and text in row["name"].lower()]
        own.sort(key=lambda row: (row[key], row["name"]), reverse=descends)
        if self.wants_csv:
            await self.send_csv("quotas", self.at_once(own))
            return
        await self.show_page(
            "quotas.html",
            asked=asked,
            rows=own[asked.offset : asked.offset + PAGE_SIZE],
            total=len(own),
            titles={quota.key: quota.title for quota in QUOTAS},
            quotas=QUOTAS,
            subjects=SUBJECTS,
            defaults=defaults,
            away=problem,
        )

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act on limits."""
        await self.act()

    async def do_limits(self) -> str:
        """Set the defaults of every person or of every group."""
        subject = self.field("subject")
        if subject not in SUBJECTS:
            raise UserInputError("These are no defaults.")
        return await set_limits(self.registry, subject, "", read_limits(self.field))

    async def do_set(self) -> str:
        """One limit of a person or group by name."""
        subject = "group" if self.field("subject") == "group" else "person"
        quota, text = self.field("quota"), self.field("limit")
        if quota not in {each.key for each in QUOTAS}:
            raise UserInputError("Choose a quota.")
        limits = read_limits(lambda name: text if name == f"limit_{quota}" else "")
        body = {"subject": subject, "name": self.field("name"), "quota": quota, "limit": limits[quota]}
        await self.registry.call("PUT", "/api/quotas", body)
        return f"The limit of {self.field('name')} is set."
