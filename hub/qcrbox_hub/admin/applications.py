"""Applications: state, who may use them, agents kept ready, holds, retiring and rolling back."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import Conflict, NotFound, QcError, UserInputError
from tornado import web

from qcrbox_hub.admin.acts import destructive, with_reason
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.sections import Power
from qcrbox_hub.admin.tables import Column, arrange
from qcrbox_hub.platform.built_images import (
    BuiltImage,
    approve_image,
    approved_images,
    built_images,
    choose_image,
    connect,
    keep_image,
    let_go_of_image,
)
from qcrbox_hub.platform.whole_numbers import whole_number

REUSE = {
    "": "As its specification says",
    "never": "Never",
    "same-owner": "For the same person",
    "any": "For everyone",
}


LICENCE_STATES = {
    "unknown": "Not looked at",
    "free": "Free to use here",
    "granted": "Granted to this site",
    "needed": "Needed and not there",
}


async def read_applications(page: AdminPage) -> list[dict[str, Any]]:
    """Every application, retired and unapproved ones too, with its state, hold and image."""
    listed, approved, status, placed = await page.registry.get_all(
        "/api/applications?retired=true", "/api/applications", "/api/status", "/api/holds"
    )
    everything, holds = listed["applications"], placed["holds"]
    usable = {each["id"] for each in approved["applications"]}
    held = {each["object_id"]: each for each in holds if each["kind"] == "application"}
    images = approved_images(Path(page.authenticator.data))
    rows = []
    for each in everything:
        label = f"{each['slug']} {each['version']}"
        state = "retired" if each["retired"] else "ready" if each["id"] in usable else "not approved"
        agents = [agent for agent in status["agents"] if agent["application"] == label]
        rows.append(
            {
                **each,
                "label": label,
                "state": state,
                "hold": held.get(str(each["id"])),
                "approval": images.get((each["slug"], each["version"])),
                "image": images.get((each["slug"], each["version"]), {}).get("image_id", ""),
                "failed_start": status["failed_starts"].get(label, ""),
                "waits": status["waits"].get(label, ""),
                "waiting": status["waiting_by_application"].get(label, 0),
                "agents": len(agents),
            }
        )
    return rows


def missing_words(row: dict[str, Any]) -> str:
    """What is not installed for the application, each reason once."""
    return " ".join(dict.fromkeys(each["missing"] for each in row["commands"] if each["missing"]))


class Applications(AdminPage):
    """The table of applications."""

    path = "/applications"
    powers = frozenset({Power.ADMINISTRATOR, Power.APPLICATIONS})
    columns = (
        Column("name", "Name", sortable=True),
        Column("version", "Version"),
        Column("state", "State", sortable=True),
        Column("licence_state", "Licence", sortable=True),
        Column("allowed", "Who may use it"),
        Column("image", "Image"),
        Column("agents", "Agents", sortable=True, numeric=True),
        Column("waiting", "Waiting", sortable=True, numeric=True),
        Column("trouble", "Trouble", sortable=True),
    )

    @web.authenticated
    async def get(self) -> None:
        """Show every version of every application, or send the table as CSV."""
        asked = self.asked(sort="name")
        try:
            rows, problem = await read_applications(self), ""
        except QcError as error:
            rows, problem = [], error.message
        for row in rows:
            row["allowed"] = row["restricted_to"] if row["restricted_to"] is not None else "everyone"
            row["trouble"] = row["failed_start"] or row["waits"] or missing_words(row)
        rows = arrange(rows, asked, ("name", "slug", "state"))
        if self.wants_csv:
            await self.send_csv("applications", self.at_once(rows))
            return
        await self.show_page(
            "applications.html", asked=asked, rows=asked.cut(rows), total=len(rows), away=problem
        )


class Application(AdminPage):
    """One version of one application."""

    path = "/applications"
    powers = Applications.powers
    changes = "application"
    # Everything else is the registry's, which audits it.
    audited_here = frozenset({"approve_image", "let_go"})

    async def _found(self, number: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The application, and every version of it. Answers 404 for another number."""
        try:
            rows = await read_applications(self)
        except QcError as error:
            raise web.HTTPError(503, error.message) from None
        row = next((each for each in rows if each["id"] == int(number)), None)
        if row is None:
            raise web.HTTPError(404)
        return row, [each for each in rows if each["slug"] == row["slug"]]

    @web.authenticated
    async def get(self, number: str) -> None:
        """Show this version; with `?images=1` also the newest image built on this machine."""
        row, versions = await self._found(number)
        images: list[BuiltImage] = []
        problem, looked = "", bool(self.get_query_argument("images", ""))
        if looked:
            try:
                images = await self._images(row)
            except QcError as error:
                problem = str(error)
        await self.show_page(
            "application.html",
            row=row,
            versions=versions,
            reuse=list(REUSE.items()),
            licence_states=LICENCE_STATES,
            failed_starts=await self._failed_starts(row["id"]),
            looked=looked,
            images=images,
            built_problem=problem,
        )

    async def _failed_starts(self, application_id: int) -> list[dict[str, Any]]:
        """The newest starts that failed, with the agents' output; empty while the registry is away."""
        try:
            found = await self.registry.get(f"/api/applications/{application_id}/failed-starts", most=5)
        except QcError as error:
            self.log.warning("administration: no failed starts: %s", error.message)
            return []
        rows: list[dict[str, Any]] = found["failed_starts"]
        return rows

    async def _images(self, row: dict[str, Any]) -> list[BuiltImage]:
        """Images of this application on this machine, newest first. Raises Unreachable without a Docker daemon."""
        found = await asyncio.to_thread(lambda: built_images(connect()))
        return [each for each in found if (each.slug, each.version) == (row["slug"], row["version"])]

    @web.authenticated
    async def post(self, number: str) -> None:
        """Carry out an act on this version."""
        self.row, self.versions = await self._found(number)
        await self.act()

    async def _change(self, **values: Any) -> None:
        await self.registry.call("PATCH", f"/api/applications/{self.row['id']}", values)

    async def do_approve(self) -> str:
        """Let agents of this version start."""
        await self._change(approved=True)
        return f"{self.row['label']} is approved."

    @destructive(lambda page: page.row["label"])
    async def do_approve_image(self) -> str:
        """The image that is built now, by its digest, is what will run: as `qcrbox apps approve` does."""
        self.name, reason = self.row["label"], self.reason
        wanted = self.field("image")
        if not wanted and not self.field("newest"):
            raise UserInputError("Name the image by its digest.", next="Send newest=yes for the newest one.")
        image = choose_image(await self._images(self.row), self.row["slug"], self.row["version"], wanted)
        data = Path(self.authenticator.data)
        await asyncio.to_thread(lambda: keep_image(connect(), image.id, data))
        await approve_image(data, image, self.current_user.name)
        return f"{self.row['label']} runs as {image.id[:19]}… from its next agent on. Reason: {reason}"

    @destructive(lambda page: page.row["label"])
    async def do_let_go(self) -> str:
        """Keep an earlier image no longer: `docker image prune` may take it, and it cannot be rolled back to."""
        self.name = self.row["label"]
        wanted = self.field("image")
        image = choose_image(await self._images(self.row), self.row["slug"], self.row["version"], wanted)
        if not wanted or image.id == self.row["image"]:
            raise Conflict("This image is the approved one.", next="Approve another one first.")
        data = Path(self.authenticator.data)
        await asyncio.to_thread(lambda: let_go_of_image(connect(), image.id, data))
        return f"The image {image.id[:19]}… is not kept any more."

    async def do_licence(self) -> str:
        """What the site knows of the licence; people read the note."""
        state = self.field("licence_state")
        if state not in LICENCE_STATES:
            raise UserInputError("Choose a state of the licence.")
        await self._change(licence_state=state, licence_note=self.field("licence_note")[:1000])
        return f"Licence of {self.row['label']}: {LICENCE_STATES[state].lower()}."

    @with_reason
    async def do_disapprove(self) -> str:
        """Let no further agent of this version start."""
        await self._change(approved=False)
        return f"{self.row['label']} is not approved any more: nothing new of it starts."

    async def do_restrict(self) -> str:
        """The groups that may use it; an empty field lets everyone."""
        groups = [name for name in re.split(r"[\s,;]+", self.field("groups")) if name]
        await self._change(restricted_to=groups or None)
        return f"{self.row['label']} may be used by {', '.join(groups) or 'everyone'}."

    async def do_agents(self) -> str:
        """Set the number of agents kept ready, the largest number, and the reuse between people."""
        values: dict[str, Any] = {}
        for name in ("warm", "most_agents"):
            text = self.field(name)
            number = whole_number(text)
            if text and number is None:
                raise UserInputError(f"{text[:40]!r} is no number of agents.")
            if text or name == "most_agents":
                values[name] = number
        if reuse := self.field("reuse"):
            values["reuse"] = reuse
        await self._change(**values)
        return f"Agents of {self.row['label']}: changed."

    @with_reason
    async def do_hold(self) -> str:
        """Hold or drain the version, with a reason its users read."""
        mode = "drain" if self.field("mode") == "drain" else "hold"
        await self._hold(mode, self.reason)
        return f"{self.row['label']} is held. Its users read the reason."

    async def do_lift(self) -> str:
        """End the hold."""
        await self._hold(None, "")
        return f"{self.row['label']} starts again."

    async def _hold(self, mode: str | None, reason: str) -> None:
        body = {"mode": mode, "reason": reason}
        await self.registry.call("POST", f"/api/applications/{self.row['id']}/hold", body)

    @destructive(lambda page: page.row["label"])
    async def do_retire(self) -> str:
        """Retire the version; its label must be typed."""
        reason = self.reason
        await self._retire(self.row, reason)
        return f"{self.row['label']} is retired. Reason: {reason}"

    async def _retire(self, row: dict[str, Any], reason: str) -> None:
        await self.registry.call("DELETE", f"/api/applications/{row['id']}", query={"reason": reason})

    async def do_restore(self) -> str:
        """Bring a retired version back."""
        await self.registry.call("POST", f"/api/applications/{self.row['id']}/restore")
        return f"{self.row['label']} is back."

    @destructive(lambda page: page.row["label"])
    async def do_roll_back(self) -> str:
        """Bring this version back and retire the newer ones."""
        newer = [each for each in self.versions if each["id"] > self.row["id"] and not each["retired"]]
        if not newer:
            raise NotFound("There is no newer version to retire.")
        reason = f"rolled back to {self.row['version']}: {self.reason}"
        if self.row["retired"]:
            await self.do_restore()
        for each in newer:
            await self._retire(each, reason)
        return f"Rolled back to {self.row['label']}; retired: {', '.join(each['label'] for each in newer)}."
