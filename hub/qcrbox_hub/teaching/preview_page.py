"""An exercise as its students see it: what the registry sends them, the own copy, and a student's server to open it in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from qcrbox.contract.errors import Conflict, NotAllowed, NotFound
from tornado import web

from qcrbox_hub.accounts.membership import Membership
from qcrbox_hub.accounts.previews import Previews, shown_as
from qcrbox_hub.teaching import notebook_text
from qcrbox_hub.teaching.exercises import ExercisePage


class Preview(ExercisePage):
    """What a student gets, asked of the registry as a student would; the staff member's own copy in Lab."""

    @web.authenticated
    async def get(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        await self.the_exercise()
        seen = await self.ask(self.api, as_student=True)
        own = await self.ask(f"{self.api}/own")
        given, notebook = seen["manifest"]["notebook"], None
        if given:
            path = f"{self.api}/files/{quote(given['filename'], safe='')}"
            notebook = notebook_text.read(await self.content(path, as_student=True))
        row = Previews(self.db).of(self.current_user.orm_user, seen["group"])
        await self.show_page(
            "preview.html",
            exercise=seen,
            own=own,
            notebook=notebook,
            account=row if row and row.ended_at is None else None,
            ending=bool(row and row.ended_at is not None),
            # Administrators alone come in where there are no walls: there are no students.
            may_have_account=not self.authenticator.one_person and await self._on_staff(seen),
        )

    @web.authenticated
    async def post(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        await self.act()

    async def _on_staff(self, exercise: dict[str, Any]) -> bool:
        """Whether the person is lecturer or assistant of the course at the hub, and not only an administrator."""
        membership = Membership(self.db, self.authenticator.group)
        return membership.manages(self.current_user.orm_user, exercise["group"])

    async def do_discard(self) -> str:
        await self.registry.call("DELETE", f"{self.api}/own")
        return "Your copy is discarded."

    async def do_student(self) -> None:
        """Open the exercise in the server of the person's preview account, which is started for it."""
        exercise = await self.ask(self.api, as_student=True)
        if exercise["archived"]:
            raise Conflict(
                "The course is archived.", next="A lecturer can restore it on the page of the course."
            )
        if self.authenticator.one_person:
            raise NotAllowed("Without walls between people there are no students to preview.")
        row = Previews(self.db).begin(
            self, self.current_user.orm_user, exercise["group"], self.authenticator.group
        )
        await self.audit(
            "open preview", "person", row.name, {"account": shown_as(row), "exercise": self.exercise_id}
        )
        lab = f"{self.find_user(row.name).base_url}lab?qcrbox-exercise={self.exercise_id}"
        self.redirect(f"{self.hub.base_url}spawn/{row.name}?{urlencode({'next': lab})}", status=303)

    async def do_end(self) -> str:
        exercise = await self.ask(self.api, as_student=True)
        row = Previews(self.db).of(self.current_user.orm_user, exercise["group"])
        if row is None:
            raise NotFound("You have no preview account in this course.")
        Previews(self.db).withdraw(row)
        return (
            "Your preview account ends: its server stops, its files go to the archive, its data to the trash."
        )
