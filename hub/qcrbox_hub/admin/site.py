"""The site: banner, maintenance mode, backups, and the settings it runs with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import QcError, UserInputError
from tornado import web

from qcrbox_hub.admin.acts import destructive, with_reason
from qcrbox_hub.admin.backups import Backups
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.platform.banner import LONGEST
from qcrbox_hub.platform.setting_changes import change, changeable, waiting
from qcrbox_hub.platform.settings import FILE, PlatformSettings


class Site(AdminPage):
    """Maintenance mode drains the whole site in the registry and says why on every page."""

    path = "/site"
    changes = "site"

    @property
    def backups(self) -> Backups:
        """The backups of the platform's data folder."""
        return Backups.of(Path(self.authenticator.data))

    @web.authenticated
    async def get(self) -> None:
        """Show banner, maintenance mode, backups and settings."""
        problem, hold = "", None
        try:
            holds = (await self.registry.get("/api/holds"))["holds"]
            hold = next((each for each in holds if each["kind"] == "site"), None)
        except QcError as error:
            problem = error.message
        in_file = PlatformSettings.load(Path(self.authenticator.data))
        await self.show_page(
            "site.html",
            away=problem,
            hold=hold,
            set_banner=self.banner.read(),
            longest=LONGEST,
            backups=self.backups.listed()[:20],
            backup_runs=self.backups.is_running,
            backup_problem=self.backups.problem,
            settings_file=FILE,
            settings=flat(in_file.model_dump(mode="json")),
            changeable=changeable(in_file),
            restart_for=waiting(in_file, self.settings["qcrbox_running_settings"]),
        )

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act on the site."""
        await self.act()

    async def do_banner(self) -> str:
        """Set the banner; an empty text removes it."""
        text = self.field("text")
        if len(text) > LONGEST:
            raise UserInputError(f"A banner has at most {LONGEST} characters.")
        self.banner.write(text, self.current_user.name, time.time())
        return "The banner is set." if text else "There is no banner any more."

    @destructive("maintenance")
    async def do_maintenance(self) -> str:
        """Nothing new starts, idle agents end; what runs goes on to its end."""
        reason = self.reason
        await self._hold("drain", reason)
        self.banner.write(f"Maintenance: {reason}", self.current_user.name, time.time())
        return "Maintenance mode is on: running calculations end, and nothing new starts."

    async def do_end_maintenance(self) -> str:
        """End maintenance mode and remove the banner."""
        await self._hold(None, "")
        self.banner.write("", self.current_user.name, time.time())
        return "Maintenance mode is off."

    async def _hold(self, mode: str | None, reason: str) -> None:
        body = {"kind": "site", "name": "", "mode": mode, "reason": reason}
        await self.registry.call("PUT", "/api/holds", body)

    @with_reason
    async def do_settings(self) -> str:
        """Change those settings whose fields were sent; the others stay."""
        reason = self.reason
        known = [each.name for each in changeable(PlatformSettings())]
        sent = {name: self.get_body_arguments(name) for name in known}
        wanted = {name: " ".join(values) for name, values in sent.items() if values}
        changed = change(Path(self.authenticator.data), wanted)
        self.noted = {
            name: f"{before or 'empty'} -> {after or 'empty'}" for name, (before, after) in changed.items()
        }
        if not changed:
            return "No setting was changed."
        self.log.info("%s: settings changed: %s. Reason: %s", self.current_user.name, self.noted, reason)
        return (
            f"Changed: {', '.join(changed)}. The platform uses {'it' if len(changed) == 1 else 'them'} after its next"
            " start: qcrbox down, then qcrbox up."
        )

    async def do_backup(self) -> str:
        """Begin a backup."""
        self.backups.start()
        return "A backup is being written."


def flat(values: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Nested settings as (dotted key, text). Secrets are files, so the values hold none."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, dict):
            rows += flat(value, name)
        else:
            rows.append((name, "" if value is None else str(value)))
    return rows
