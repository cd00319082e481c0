"""Every limit that is set, and the defaults."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from qcrbox.contract.errors import QcError, UserInputError
from tornado import web

from qcrbox_hub.admin.limits import QUOTAS, read_limits, set_limits
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.tables import Asked, Column, portions

SUBJECTS = {
    "default-person": "Everyone without a limit of their own",
    "default-group": "Every group without a limit of its own",
}

KINDS = [("", "People and groups"), ("person", "People"), ("group", "Groups")]


class Quotas(AdminPage):
    """Defaults of persons and groups, and the table of all limits."""

    path = "/quotas"
    columns = (
        Column("subject", "Of", sortable=True),
        Column("name", "Name", sortable=True),
        Column("quota", "Quota", sortable=True),
        Column("limit", "Limit", sortable=True, numeric=True),
    )

    @web.authenticated
    async def get(self) -> None:
        """Show defaults and limits, or send the limits as CSV."""
        asked, problem = self.asked(("subject", "quota"), sort="name"), ""
        if self.wants_csv:
            await self.send_csv("quotas", portions(partial(self._part, asked)))
            return
        rows: list[dict[str, Any]] = []
        total = 0
        defaults: dict[str, dict[str, float]] = {}
        try:
            (rows, total), *found = await asyncio.gather(
                self._part(asked, asked.size, asked.offset), *map(self._defaults, SUBJECTS)
            )
            defaults = dict(zip(SUBJECTS, found, strict=True))
        except QcError as error:
            problem = error.message
        await self.show_page(
            "quotas.html",
            asked=asked,
            rows=rows,
            total=total,
            titles={quota.key: quota.title for quota in QUOTAS},
            quotas=QUOTAS,
            subjects=SUBJECTS,
            kinds=KINDS,
            defaults=defaults,
            away=problem,
        )

    async def _part(self, asked: Asked, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        """Limits of persons and groups, and how many there are."""
        query: dict[str, Any] = {"subject": "own", **asked.filters, "q": asked.text, "sort": asked.sort}
        if query["subject"] not in ("person", "group"):
            query["subject"] = "own"
        found = await self.registry.get("/api/quotas", **query, limit=limit, offset=offset)
        return found["quotas"], found["total"]

    async def _defaults(self, subject: str) -> dict[str, float]:
        found = await self.registry.get("/api/quotas", subject=subject)
        return {row["quota"]: row["limit"] for row in found["quotas"]}

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
