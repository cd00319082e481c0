"""Launchers and agents, and the hold of the whole site."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from qcrbox.contract.errors import NotFound, QcError, UserInputError
from tornado import web

from qcrbox_hub.admin.acts import destructive, with_reason
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.sections import Power
from qcrbox_hub.admin.tables import Column, arrange
from qcrbox_hub.platform.whole_numbers import whole_number

MODES = {"hold": "hold: nothing new starts", "drain": "drain: idle agents end too"}

MOST_PASSES = 50
LONGEST_CODE_MIN = 1440


class Launchers(AdminPage):
    """Hold, drain, stop with a reason that people read."""

    path = "/launchers"
    powers = frozenset({Power.ADMINISTRATOR, Power.APPLICATIONS})
    columns = (
        Column("agent", "Agent", sortable=True),
        Column("application", "Application", sortable=True),
        Column("launcher", "Launcher", sortable=True),
        Column("state", "State", sortable=True),
        Column("calculations", "Calculations"),
        Column("rss_bytes", "Memory", sortable=True, numeric=True),
        Column("seen_s_ago", "Heard, s ago", sortable=True, numeric=True),
    )

    @web.authenticated
    async def get(self) -> None:
        """Show launchers and agents, or send the table of agents as CSV."""
        problem, asked = "", self.asked(sort="application")
        launchers: list[dict[str, Any]] = []
        agents: list[dict[str, Any]] = []
        passes: list[dict[str, Any]] = []
        holds: dict[tuple[str, str], dict[str, Any]] = {}
        try:
            status, found, joined = await self.registry.get_all(
                "/api/status", "/api/holds", "/api/launchers/passes"
            )
            launchers, agents, passes = status["launchers"], status["agents"], joined["passes"]
            holds = {(each["kind"], each["object_id"]): each for each in found["holds"]}
        except QcError as error:
            problem = error.message
        agents = arrange(agents, asked, ("agent", "application", "launcher", "state"))
        if self.wants_csv:
            await self.send_csv("agents", self.at_once(agents))
            return
        await self.show_page(
            "launchers.html",
            asked=asked,
            launchers=[row | {"hold": holds.get(("launcher", row["launcher"]))} for row in launchers],
            passes=passes[:MOST_PASSES],
            agents=asked.cut(agents),
            total=len(agents),
            site_hold=holds.get(("site", "")),
            modes=MODES,
            away=problem,
        )

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act on a launcher, an agent or the site."""
        await self.act()

    @with_reason
    async def do_hold(self) -> str:
        """Hold or drain a launcher or the whole site."""
        if self.field("mode") not in MODES:
            raise UserInputError("Choose hold or drain.")
        await self._put(self.field("mode"), self.reason)
        return f"{self._what()} is held. Who waits reads the reason."

    async def do_lift(self) -> str:
        """End the hold of a launcher or of the whole site."""
        await self._put(None, "")
        return f"{self._what()} starts again."

    def _what(self) -> str:
        return f"The launcher {self.field('name')}" if self.field("kind") == "launcher" else "The whole site"

    async def _put(self, mode: str | None, reason: str) -> None:
        kind = "launcher" if self.field("kind") == "launcher" else "site"
        name = self.field("name") if kind == "launcher" else ""
        body: dict[str, Any] = {"kind": kind, "name": name, "mode": mode, "reason": reason}
        await self.registry.call("PUT", "/api/holds", body)

    async def do_invite(self) -> None:
        """A join code for a launcher, shown this once."""
        minutes = whole_number(self.field("minutes") or "15", 1, LONGEST_CODE_MIN)
        if minutes is None:
            raise UserInputError(f"A code holds for 1 to {LONGEST_CODE_MIN} minutes.")
        body = {"launcher": self.field("launcher"), "minutes": minutes}
        made = await self.registry.call("POST", "/api/launchers/passes", body)
        self.log.info("%s: administration: a join code for a launcher", self.current_user.name)
        await self.show_page(
            "launcher_code.html",
            launcher=made["launcher_pass"]["launcher"],
            code=made["code"],
            minutes=minutes,
            registry_address=f"{self.settings['qcrbox_addresses'].hub}/services/qcrbox",
        )

    @destructive()
    async def do_revoke(self) -> str:
        """Let a launcher in no more: its token opens nothing from its next connection on."""
        passes = (await self.registry.get("/api/launchers/passes"))["passes"]
        wanted = next((each for each in passes if each["id"] == self.field("pass")), None)
        if wanted is None:
            raise NotFound("There is no such launcher.", next="Load the page again.")
        self.require_typed(wanted["launcher"])
        path = f"/api/launchers/passes/{wanted['id']}"
        await self.registry.call("DELETE", path, query={"reason": self.reason})
        return (
            f"The launcher {wanted['launcher']} is let in no more; its connection ends within five minutes."
        )

    @destructive(lambda page: page.field("agent"))
    async def do_stop(self) -> str:
        """Stop an agent; its calculations are given to another."""
        agent = self.field("agent")
        await self.registry.call(
            "DELETE", f"/api/agents/{quote(agent, safe='')}", query={"reason": self.reason}
        )
        return f"The agent {agent} is being stopped; its calculations get another one."
