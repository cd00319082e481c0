"""Which marks go to the learning platform, which went, and what became of each. Nothing is sent twice unasked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qcrbox.contract.errors import QcError, UserInputError
from sqlalchemy.orm import Session

from qcrbox_hub.accounts.lti_launches import LtiCourse
from qcrbox_hub.accounts.tables import LtiScoreRow
from qcrbox_hub.teaching.lti_scores import Score, ScoreService

AT_ONCE = 4
# One sending of an exercise at a time: a second click finds what the first has sent.
_locks: dict[str, asyncio.Lock] = {}


@dataclass(frozen=True, slots=True)
class Row:
    """A student with the points of now and what the platform has. sent_at: Unix time, s."""

    name: str
    points: float | None
    known: bool  # has come from the platform
    sent_points: float | None = None
    sent_most: float | None = None
    sent_at: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Exercise:
    """The exercise whose marks are sent. students: rows of the registry's list of marks."""

    id: str
    title: str
    most: float
    students: Sequence[Mapping[str, Any]]


class MarkSender:
    """Sends the marks of an exercise. subjects: user name -> course and id at the platform."""

    def __init__(
        self,
        session: Session,
        subjects: Mapping[str, tuple[LtiCourse, str]],
        service: Callable[[LtiCourse], ScoreService],
    ) -> None:
        self._session, self._subjects, self._service = session, subjects, service

    def rows(self, exercise: Exercise) -> list[Row]:
        """All students with what the platform has of them."""
        found = []
        for student in exercise.students:
            name = student["name"]
            known = name in self._subjects
            row = self._row(exercise.id, name) if known else None
            decided = student["submitted"] is not None and not student["to_decide"]
            points = float(student["points"]) if decided else None
            if row is None:
                found.append(Row(name, points, known))
            else:
                found.append(Row(name, points, known, row.points, row.most, row.sent_at, row.problem))
        return found

    def waiting(self, exercise: Exercise, *, again: bool = False) -> list[Row]:
        """Those whose points the platform does not have; again: all that can be sent."""
        return [
            row
            for row in self.rows(exercise)
            if row.known
            and row.points is not None
            and (
                again
                or row.sent_at is None
                or (row.points, exercise.most) != (row.sent_points, row.sent_most)
            )
        ]

    async def send(self, exercise: Exercise, *, again: bool = False) -> tuple[int, dict[str, str]]:
        """Send what is new or changed (again: everything): how many were sent, and name -> why not.

        Raises UserInputError for an exercise without points.
        """
        if exercise.most <= 0:
            raise UserInputError("The exercise has no points: there is nothing to send.")
        async with _locks.setdefault(exercise.id, asyncio.Lock()):
            waiting = self.waiting(exercise, again=again)
            by_course: dict[LtiCourse, list[Row]] = {}
            for row in waiting:
                by_course.setdefault(self._subjects[row.name][0], []).append(row)
            failed: dict[str, str] = {}
            for course, rows in by_course.items():
                failed |= await self._to_course(exercise, course, rows)
            return len(waiting) - len(failed), failed

    async def _to_course(self, exercise: Exercise, course: LtiCourse, rows: list[Row]) -> dict[str, str]:
        try:
            service = self._service(course)
            column = await service.column(f"qcrbox-{exercise.id}", exercise.title, exercise.most)
        except QcError as error:
            words = error.message
            for row in rows:
                self._note(exercise, row.name, problem=words)
            return {row.name: words for row in rows}
        failed: dict[str, str] = {}
        places = asyncio.Semaphore(AT_ONCE)

        async def one(row: Row) -> None:
            assert row.points is not None
            at = time.time()
            score = Score(self._subjects[row.name][1], row.points, exercise.most, at)
            async with places:
                try:
                    await service.send(column, score)
                except QcError as error:
                    failed[row.name] = error.message
                    self._note(exercise, row.name, problem=failed[row.name])
                else:
                    self._note(exercise, row.name, sent=score)

        await asyncio.gather(*map(one, rows))
        return failed

    def _row(self, exercise_id: str, name: str) -> LtiScoreRow | None:
        course, _ = self._subjects[name]
        key = (course.client_id, course.context, exercise_id, name)
        found: LtiScoreRow | None = self._session.get(LtiScoreRow, key)
        return found

    def _note(self, exercise: Exercise, name: str, *, sent: Score | None = None, problem: str = "") -> None:
        """Written at once: a hub that stops in between knows what it has sent."""
        row = self._row(exercise.id, name)
        if row is None:
            course, _ = self._subjects[name]
            row = LtiScoreRow(
                client_id=course.client_id, context=course.context, exercise=exercise.id, name=name
            )
            self._session.add(row)
        if sent is not None:
            row.points, row.most, row.sent_at = sent.points, sent.most, sent.at
        row.problem = problem[:1000]
        self._session.commit()
