"""Queue and calculations. The registry decides what a person sees: managers, what belongs to their groups."""

from __future__ import annotations

from functools import partial
from typing import Any

from qcrbox.contract.errors import NotFound, QcError, UserInputError
from qcrbox.contract.states import State, state_word
from qcrbox.spec.titles import command_phrase
from tornado import web

from qcrbox_hub.admin.acts import destructive, with_reason
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.sections import Power
from qcrbox_hub.admin.tables import Asked, Column
from qcrbox_hub.admin.words import counted, doubt
from qcrbox_hub.platform.whole_numbers import whole_number

MOST_LOG_BYTES = 64 * 1024


class Calculations(AdminPage):
    """Newest first, with filters; cancelling several with a reason that their owners read."""

    path = "/calculations"
    powers = frozenset({Power.ADMINISTRATOR, Power.GROUPS})
    columns = (
        Column("title", "Calculation"),
        Column("calculation_id", "Id"),
        Column("command_name", "Command"),
        Column("application", "Application"),
        Column("owner", "Owner"),
        Column("group", "Group"),
        Column("status", "State"),
        Column("place", "Place", numeric=True),
        Column("submitted_at", "Submitted"),
        Column("finished_at", "Ended"),
    )

    @web.authenticated
    async def get(self) -> None:
        """Show a page of calculations, or send all that the filters leave as CSV."""
        asked = self.asked(("status", "owner", "group", "application"))
        states = [("", "Any"), *((str(state), state_word(state)) for state in State)]
        await self.show_table("calculations", asked, partial(self._page, asked), states=states)

    async def _page(self, asked: Asked, after: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        found = await self.registry.get(
            "/api/calculations", q=asked.text, after=after, limit=limit, **asked.filters
        )
        return [_row(each) for each in found["calculations"]], found.get("next")

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act on the chosen calculations."""
        await self.act()

    @destructive("cancel")
    async def do_cancel(self) -> str:
        """Cancel the chosen calculations with a reason that their owners read."""
        ids = self.get_body_arguments("calculation")
        if not ids:
            raise UserInputError("Choose at least one calculation.")
        body = {"calculation_ids": ids, "reason": self.reason}
        stopped = (await self.registry.call("POST", "/api/calculations/stop", body))["calculations"]
        ended = "; the others have ended" if len(stopped) < len(ids) else ""
        return f"Being cancelled: {len(stopped)} of {counted(len(ids), 'calculation')}{ended}."


class Calculation(AdminPage):
    """One calculation with its history and the end of its output."""

    path = "/calculations"
    powers = Calculations.powers

    @web.authenticated
    async def get(self, calculation_id: str) -> None:
        """Show one calculation, 404 for another id, 503 while the registry is away."""
        try:
            found = await self.registry.get(f"/api/calculations/{calculation_id}")
            shown = found["calculations"][0]
            log = await self.registry.get(f"/api/calculations/{calculation_id}/log", most=MOST_LOG_BYTES)
        except NotFound as error:
            raise web.HTTPError(404, error.message) from None
        except QcError as error:
            raise web.HTTPError(503, error.message) from None
        ended = shown["finished_at"] is not None
        await self.show_page(
            "calculation.html", row=_row(shown), shown=shown, log=log["text"][-MOST_LOG_BYTES:], ended=ended
        )

    @web.authenticated
    async def post(self, calculation_id: str) -> None:
        """Carry out an act on this calculation."""
        self.calculation_id = calculation_id
        await self.act()

    @destructive("cancel")
    async def do_cancel(self) -> str:
        """Cancel the calculation with a reason that its owner reads."""
        path = f"/api/calculations/{self.calculation_id}/stop"
        await self.registry.call("POST", path, {"reason": self.reason})
        return "The calculation is being cancelled."

    @with_reason
    async def do_end_session(self) -> str:
        """End an interactive session and keep what was saved in it."""
        path = f"/api/interactive-sessions/{self.calculation_id}/close"
        await self.registry.call("POST", path, {"keep": True, "reason": self.reason}, query={"wait": 1})
        return "The session ends; what was saved in it is kept."

    @with_reason
    async def do_priority(self) -> str:
        """Change the priority, a whole number from -100 to 100."""
        priority = whole_number(self.field("priority"), -100, 100)
        if priority is None:
            raise UserInputError("A priority is a whole number from -100 to 100.")
        path = f"/api/calculations/{self.calculation_id}/priority"
        await self.registry.call("POST", path, {"priority": priority, "reason": self.reason})
        return f"The priority is {priority}."


def _row(each: dict[str, Any]) -> dict[str, Any]:
    names = ("calculation_id", "command_name", "owner", "group", "status", "submitted_at", "finished_at")
    queue = each.get("queue") or {}
    title = each.get("title") or command_phrase(each["command_name"])
    return {
        **{name: each.get(name) for name in names},
        "title": title,
        "application": f"{each['application_slug']} {each['application_version']}",
        "doubt": doubt(each),
        "place": queue.get("place"),
        "waits_for": queue.get("reason", ""),
    }
