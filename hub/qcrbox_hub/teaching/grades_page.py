"""Marks at the learning platform: what it has, and the button that sends what is new or changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from qcrbox.contract.errors import NotAllowed, UserInputError
from tornado import web

from qcrbox_hub.accounts import lti_launches
from qcrbox_hub.accounts.lti_launches import LtiCourse
from qcrbox_hub.admin.words import counted
from qcrbox_hub.teaching.exercises import ExercisePage
from qcrbox_hub.teaching.lti_scores import Access, ScoreService
from qcrbox_hub.teaching.send_marks import Exercise, MarkSender

LIMIT_S = 15.0


class Grades(ExercisePage):
    """For lecturers, where the site signs in by LTI 1.3 and names the platform's address for tokens."""

    # The registry is not asked to send: this act is the hub's.
    changes = "group"

    @web.authenticated
    async def get(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        found, course = await self._taught()
        courses = self._courses(course["group"])
        async with self._sender(courses) as sender:
            exercise = await self._marks(found)
            rows, waiting = sender.rows(exercise), sender.waiting(exercise)
        await self.show_page(
            "grades.html",
            exercise=found,
            most=exercise.most,
            rows=rows,
            waiting={row.name for row in waiting},
            courses=courses,
        )

    @web.authenticated
    async def post(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        self._found, course = await self._taught()
        self._group = self.name = course["group"]
        await self.act()

    async def do_send_marks(self) -> str | None:
        courses = [course for course in self._courses(self._group) if course.line_items]
        if not courses:
            raise UserInputError(
                "No course of the learning platform takes marks for this group.",
                why="None was launched, or the platform does not let this tool set marks.",
            )
        again = self.field("again") == "yes"
        exercise = await self._marks(self._found)
        async with self._sender(courses) as sender:
            sent, failed = await sender.send(exercise, again=again)
        self.noted = {"exercise": exercise.id, "sent": str(sent), "not_sent": str(len(failed))}
        if failed:
            names = ", ".join(sorted(failed)[:20])
            self.say(
                f"{_sent(sent)}, {len(failed)} not: {names}. The table says why; send again.", problem=True
            )
            self.redirect(self.request.uri, status=303)
            return None
        return f"{_sent(sent)}." if sent else "The platform has all marks already: nothing was sent."

    async def _taught(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The exercise and its course, for lecturers where marks can be sent; others get 404."""
        if not getattr(self.authenticator, "token_url", ""):
            raise web.HTTPError(404)
        found = await self.the_exercise()
        course = await self.ask(f"/api/courses/{found['course_id']}")
        if course["role"] != "lecturer":
            raise web.HTTPError(404)
        return found, course

    async def _marks(self, found: dict[str, Any]) -> Exercise:
        marks = await self.ask(f"{self.api}/marks")
        return Exercise(self.exercise_id, found["title"], float(marks["most"]), marks["students"])

    def _courses(self, group: str) -> list[LtiCourse]:
        contexts = lti_launches.contexts_of(group, self.authenticator.claim_rules)
        clients = set(self.authenticator.client_id)
        return [each for each in lti_launches.courses(self.db, contexts) if each.client_id in clients]

    def _sender(self, courses: list[LtiCourse]) -> _Sending:
        return _Sending(self, courses)


def _sent(number: int) -> str:
    return f"{counted(number, 'mark was', 'marks were')} sent"


class _Sending:
    """A sender with its connections: `async with`."""

    def __init__(self, page: Grades, courses: list[LtiCourse]) -> None:
        self._page, self._courses = page, courses
        self._http = httpx.AsyncClient(timeout=LIMIT_S)

    async def __aenter__(self) -> MarkSender:
        subjects = lti_launches.subjects(self._page.db, self._courses)
        return MarkSender(self._page.db, subjects, self._service)

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def _service(self, course: LtiCourse) -> ScoreService:
        # Here, because the libraries of signing in from outside are optional.
        from qcrbox_hub.accounts.lti_key import key_of

        if not course.line_items:
            raise NotAllowed(
                "The learning platform does not let this tool set marks in the course.",
                where=course.title,
                next="Its administrator allows that; then launch again.",
            )
        authenticator = self._page.authenticator
        key = key_of(Path(authenticator.data))
        audience = authenticator.token_audience or authenticator.token_url
        access = Access(authenticator.token_url, lambda: key.assertion(course.client_id, audience))
        return ScoreService(access, course.line_items, self._http)
