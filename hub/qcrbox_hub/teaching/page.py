"""What the teaching pages share. The registry decides who may see and do what; these pages show its answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from qcrbox.contract.errors import NotAllowed, NotFound, QcError, UserInputError
from tornado import web

from qcrbox_hub.accounts.pages import Page
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.words import FILTERS
from qcrbox_hub.teaching.words import (
    STATES,
    ago,
    band_words,
    figure_words,
    number_of,
    passed_checks,
    what_counts,
)

ROOT = "teaching"
STATIC = Path(__file__).resolve().parent / "static"


class TeachingPage(AdminPage):
    """A page of a course. What a person may not see at the registry is not found here either."""

    # The registry audits what it is asked for.
    changes: ClassVar[str] = ""

    async def prepare(self) -> None:
        self.noted = {}
        # Not the powers of the administration: everybody of a course may come here.
        await super(AdminPage, self).prepare()

    @property
    def root(self) -> str:
        return f"{self.hub.base_url}{ROOT}"

    async def ask(self, path: str, **query: Any) -> dict[str, Any]:
        """An answer of the registry. What may not be seen is 404, a registry that is down 503."""
        with _answers():
            return await self.registry.get(path, **query)

    async def ask_of_student(self, exercise_id: str, name: str) -> dict[str, Any] | None:
        """What a student did in an exercise. Errors as of `ask`.

        None for a student who has never signed in; then this request is answered, by the board with that message.
        """
        api = f"/api/exercises/{exercise_id}"
        with _answers():
            try:
                return await self.registry.get(f"{api}/students/{quote(name, safe='')}")
            except NotFound:
                board = await self.registry.get(f"{api}/board")
                if all(row["name"] != name for row in board["students"]):
                    raise
        why = NotFound(f"{name} has never signed in.", next="There is nothing to see or to mark yet.")
        self.answer_refused(why, f"{self.root}/exercises/{exercise_id}/board")
        return None

    async def send_file(self, path: str) -> None:
        """Answer with a file of the registry, whole or not at all. Errors as of `ask`."""
        with _answers():
            async for chunk in self.registry.stream(path):
                self.write(chunk)
        self.finish()

    async def free_groups(self, courses: list[dict[str, Any]]) -> list[str]:
        """Groups that the person teaches and that are no course yet. courses: those that the person sees."""
        taught = (await self.ask("/api/me"))["roles"].get("lecturer", [])
        taken = {course["group"] for course in courses}
        return [group for group in taught if group != "*" and group not in taken]

    async def show_page(self, template: str, *, status: int = 200, **values: Any) -> None:
        kind, message = self._take_message()
        self.set_status(status)
        self.settings["jinja2_env"].filters.update(
            {
                **FILTERS,
                "ago": ago,
                "what_counts": what_counts,
                "band_words": band_words,
                "figure_words": figure_words,
                "passed_checks": passed_checks,
            }
        )
        shown = {"message": "", "problem": "", **values}
        if message:
            shown["problem" if kind == "problem" else "message"] = message
        self.finish(
            await self.render_template(
                f"teaching/{template}",
                root=self.root,
                me=self.current_user.name,
                banner=self.banner.read().get("text", ""),
                states=STATES,
                **shown,
            )
        )

    async def confirmed(self) -> bool:
        """Acts in a course need no recent sign-in: they change no rights at the hub."""
        return True

    def number(self, name: str) -> float | None:
        """A number of the form; None for an empty field. Raises UserInputError."""
        text = self.field(name)
        if not text:
            return None
        try:
            return number_of(text)
        except ValueError:
            raise UserInputError(f"{name.replace('_', ' ')} is not a number: {text[:40]}") from None

    def whole_number(self, name: str) -> int | None:
        """A whole number of the form; None for an empty field. Raises UserInputError."""
        number = self.number(name)
        if number is None:
            return None
        if number != int(number):
            raise UserInputError(f"{name.replace('_', ' ')} is not a whole number: {self.field(name)[:40]}")
        return int(number)

    def moment(self, name: str) -> str | None:
        """A date of the form as ISO 8601; None for an empty field.

        The script of the page sends the time in UTC; without it the fields are UTC themselves.
        """
        text = self.field(f"{name}_utc") or self.field(name)
        return (text if text.endswith("Z") else f"{text}Z") if text else None

    def file(self, name: str) -> tuple[str, bytes] | None:
        """(file name, bytes) of an uploaded file; None when none was chosen."""
        files = self.files(name)
        return files[0] if files else None

    def files(self, name: str) -> list[tuple[str, bytes]]:
        """The uploaded files of a field."""
        found = self.request.files.get(name, [])
        return [(file["filename"], file["body"]) for file in found if file["filename"]]


@contextmanager
def _answers() -> Iterator[None]:
    """Errors of the registry as answers of the hub."""
    try:
        yield
    except (NotFound, NotAllowed) as error:
        raise web.HTTPError(404, error.message) from None
    except QcError as error:
        raise web.HTTPError(503 if error.status >= 500 else error.status, error.message) from None


class ExerciseLink(Page):
    """`/hub/exercise/ID`: one click to an exercise, in the person's own server."""

    @web.authenticated
    async def get(self, exercise_id: str) -> None:
        self.redirect(f"{self.hub.base_url}user-redirect/lab?qcrbox-exercise={exercise_id}")
