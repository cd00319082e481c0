"""Courses: those of your groups, with their exercises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.api.exercises import Exercise, exercises_in, one_of
from qcrbox.api.names import has_name, offered, quoted, require_name
from qcrbox.display.exercise import exercises_table
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.api.box import Box


class Course:
    """A course. `course["title"]` is an exercise of it."""

    def __init__(self, box: Box, record: dict[str, Any]) -> None:
        self.box, self.record = box, record
        self.id, self.title = str(record["id"]), str(record["title"])

    @property
    def role(self) -> str:
        """Your role: lecturer, assistant or student."""
        return str(self.record["role"])

    @property
    def exercises(self) -> list[Exercise]:
        """The exercises as they are now."""
        return exercises_in(self.box, [self.record])

    def __getitem__(self, name: str) -> Exercise:
        """The exercise of this title or id. Raises NotFound, UserInputError for several."""
        return one_of(self.exercises, require_name(name, f"qc.courses[{quoted(self.title)}]"), "exercise")

    def __contains__(self, name: object) -> bool:
        return has_name(self, name)

    def __iter__(self) -> Iterator[Exercise]:
        return iter(self.exercises)

    def _table(self) -> Table:
        return exercises_table([each.record for each in self.exercises], self.title)

    def __repr__(self) -> str:
        return f"<course {self.title!r}: {self.role}>"

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self._table()._repr_mimebundle_(**more)


class Courses:
    """`qc.courses`: your courses. Shown as the list of all their exercises; `qc.courses["XRD 101"]` is one course."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def all(self) -> list[Course]:
        """Your courses; archived ones come last."""
        records = self._box.client.get("/api/courses")["courses"]
        return [Course(self._box, each) for each in sorted(records, key=lambda r: bool(r.get("archived_at")))]

    @property
    def exercises(self) -> list[Exercise]:
        """The exercises of all courses that are not archived, those that can be worked on first."""
        active = [course.record for course in self.all() if not course.record.get("archived_at")]
        return exercises_in(self._box, active)

    def __getitem__(self, name: str) -> Course:
        """The course of this title or id. Raises NotFound, UserInputError for several."""
        return one_of(self.all(), require_name(name, "qc.courses"), "course")

    def __contains__(self, name: object) -> bool:
        return has_name(self, name)

    def __iter__(self) -> Iterator[Course]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def _ipython_key_completions_(self) -> list[str]:
        return offered(lambda: [course.title for course in self.all()])

    def _table(self) -> Table:
        return exercises_table([each.record for each in self.exercises], "Exercises of your courses")

    def __repr__(self) -> str:
        return self._table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self._table()._repr_mimebundle_(**more)
