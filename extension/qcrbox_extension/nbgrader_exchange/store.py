"""Courses, exercises, submissions and feedback of the store, by the names that nbgrader uses. Knows no nbgrader.

A course of nbgrader is a course of the store: its group, title or id. An assignment is an exercise of this title.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import NotFound, UserInputError

FEEDBACK_TAG = "nbgrader-feedback"
# Files of a submission that nbgrader itself writes.
TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"


def is_plain(name: str) -> bool:
    """Whether a title can be the name of a folder and a part of nbgrader's names."""
    return bool(name) and not name.startswith(".") and not re.search(r"[/\\+*?\[\]\0]", name)


def plain_files(folder: Path, warn: Callable[[str], None]) -> dict[str, bytes]:
    """The files of a folder. Folders in it and links are left out and named to `warn`; hidden files are left out."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file() and not path.is_symlink():
            found[path.name] = path.read_bytes()
        else:
            warn(
                f"{path.name} is left out: the store keeps files without folders. Put its files beside the notebook."
            )
    return found


@dataclass(frozen=True)
class Assignment:
    """An exercise as the person may see it. notebooks and files: names; empty before it opens."""

    id: str
    title: str
    version: int
    notebooks: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The names of all files."""
        return [*self.notebooks, *self.files]


@dataclass(frozen=True)
class Submission:
    """A snapshot of the work of a student. at: ISO 8601."""

    id: str
    student: str
    at: str
    receipt: str
    notebook: bool
    files: list[str]
    problem: str
    submitted: bool


class Store:
    """What the exchange asks of the registry, in the person's name. Raises QcError."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client

    # ------------------------------------------------------------ courses and exercises

    def courses(self) -> list[dict[str, Any]]:
        """The courses of the person that are not archived."""
        found: list[dict[str, Any]] = self._client.get("/api/courses")["courses"]
        return [course for course in found if not course.get("archived_at")]

    def course(self, name: str) -> dict[str, Any]:
        """The course of this group, title or id. Raises NotFound, UserInputError for several of one title."""
        known = self.courses()
        for key in ("group", "id", "title"):
            found = [course for course in known if course[key] == name]
            if len(found) > 1:
                raise UserInputError(
                    f"{len(found)} courses are called {name!r}.", next="Use the group's name."
                )
            if found:
                return found[0]
        names = ", ".join(sorted(course["group"] for course in known)) or "none"
        raise NotFound(f"There is no course {name!r}.", next=f"Your courses are: {names}.")

    def titles(self, course: Mapping[str, Any], *, hidden: bool = False) -> dict[str, str]:
        """Title -> id of the published exercises, for the staff also of the others. Raises UserInputError for two of
        one title."""
        found: dict[str, str] = {}
        for exercise in self._client.get(f"/api/courses/{course['id']}/exercises")["exercises"]:
            if not exercise["published"] and not hidden:
                continue
            if exercise["title"] in found:
                raise UserInputError(
                    f"Two exercises of the course are called {exercise['title']!r}.",
                    next="Give one another title with a new version.",
                )
            found[exercise["title"]] = exercise["id"]
        return found

    def assignment(self, exercise_id: str) -> Assignment:
        """An exercise with the names of its files, without those for lecturers."""
        body = self._client.get(f"/api/exercises/{exercise_id}")
        manifest = body["manifest"] or {"notebook": None, "files": [], "tasks": []}
        first = [manifest["notebook"]["filename"]] if manifest["notebook"] else []
        others = [file["filename"] for file in manifest["files"] if not file.get("for_lecturers")]
        return Assignment(
            exercise_id,
            body["title"],
            body["version"],
            first + [name for name in others if name.endswith(".ipynb")],
            [name for name in others if not name.endswith(".ipynb")],
            manifest["tasks"],
        )

    def content(self, exercise_id: str, filename: str) -> bytes:
        """A file of an exercise as students get it."""
        return self._client.download(f"/api/exercises/{exercise_id}/files/{quote(filename, safe='')}")

    def open(self, exercise_id: str) -> None:
        """Begin an exercise, or take its newest version. Raises Conflict when it is not open or closed."""
        self._client.post(f"/api/exercises/{exercise_id}/open")

    def release(
        self,
        course: Mapping[str, Any],
        title: str,
        contents: Mapping[str, bytes],
        tasks: list[dict[str, Any]],
        exercise_id: str | None,
    ) -> str:
        """Write an exercise, or a new version of one, and publish it; its id.

        contents: at least one notebook; the first by name is the notebook of the exercise.
        """
        first = sorted(name for name in contents if name.endswith(".ipynb"))[0]
        body: dict[str, Any] = {"title": title, "tasks": tasks, "notebook_name": first}
        try:
            body["notebook"] = contents[first].decode("utf-8")
        except UnicodeDecodeError:
            raise UserInputError(f"{first} is not UTF-8 text.", next="Save it in Lab again.") from None
        others = [(name, content) for name, content in sorted(contents.items()) if name != first]
        uploaded: list[dict[str, Any]] = []
        try:
            for other in others:
                uploaded += self._client.upload("/api/data-files", [other])["data_files"]
            body["files"] = [{"data_file_id": file["qcrbox_file_id"]} for file in uploaded]
            if exercise_id is None:
                made = self._client.post(f"/api/courses/{course['id']}/exercises", body)
            else:
                made = self._client.post(f"/api/exercises/{exercise_id}/versions", body)
        finally:
            # The exercise has copies of its own.
            for file in uploaded:
                self._client.delete(f"/api/data-files/{file['qcrbox_file_id']}")
        self.publish(made["id"], True)
        return str(made["id"])

    def publish(self, exercise_id: str, published: bool) -> None:
        """Show an exercise to students, or hide it."""
        self._client.patch(f"/api/exercises/{exercise_id}", {"published": published})

    def take_deadline(self, exercise_id: str, due: datetime, now: datetime) -> str:
        """Make a due date of nbgrader the deadline of an exercise that has none; what to warn of, "" when it holds.

        A deadline that was set on the page of the exercise stays. One in the past would collect everyone's work at once.
        """
        there = self._client.get(f"/api/exercises/{exercise_id}")["due_at"]
        if there is not None:
            if datetime.fromisoformat(there) == due:
                return ""
            return f"The deadline of the exercise stays {there}; nbgrader's due date is {due:%Y-%m-%d %H:%M} UTC."
        if due <= now:
            return f"nbgrader's due date ({due:%Y-%m-%d %H:%M} UTC) is over: the exercise has no deadline."
        try:
            self._client.patch(f"/api/exercises/{exercise_id}", {"due_at": due.isoformat()})
        except UserInputError as error:
            return f"nbgrader's due date is not the deadline of the exercise: {error.message}"
        return ""

    # ------------------------------------------------------------ submissions

    def submit(self, assignment: Assignment, contents: Mapping[str, bytes]) -> dict[str, Any]:
        """Submit the files of a folder; the receipt. A notebook that is no text is handed in as a file."""
        body: dict[str, Any] = {}
        beside = dict(contents)
        notebook = beside.pop(assignment.notebooks[0], None) if assignment.notebooks else None
        if notebook is None:
            body["problem"] = "The notebook was not among the files that were submitted."
        else:
            try:
                body["notebook"] = notebook.decode("utf-8")
            except UnicodeDecodeError:
                beside[assignment.notebooks[0]] = notebook
                body["problem"] = "The notebook is not UTF-8 text; it is among the files."
        body["files"] = [
            {"filename": name, "content": base64.b64encode(content).decode()}
            for name, content in sorted(beside.items())
        ]
        return self._client.post(f"/api/exercises/{assignment.id}/submit", body)

    def own_submissions(self, exercise_id: str) -> list[Submission]:
        """The person's own, oldest first."""
        return _submissions(self._client.get(f"/api/exercises/{exercise_id}/own")["snapshots"])

    def students(self, exercise_id: str) -> list[str]:
        """The students of an exercise. For the staff."""
        return [row["name"] for row in self._client.get(f"/api/exercises/{exercise_id}/marks")["students"]]

    def submissions_of(self, exercise_id: str, student: str) -> list[Submission]:
        """Those of a student: what was submitted, else what was collected at the deadline. For the staff."""
        path = f"/api/exercises/{exercise_id}/students/{quote(student, safe='')}"
        found = _submissions(self._client.get(path)["snapshots"])
        return [each for each in found if each.submitted] or found

    def submitted(self, assignment: Assignment, submission: Submission) -> Iterator[tuple[str, bytes]]:
        """(name, contents) of the files of a submission."""
        if submission.notebook and assignment.notebooks:
            yield assignment.notebooks[0], self._client.download(f"/api/snapshots/{submission.id}/notebook")
        for name in submission.files:
            path = f"/api/snapshots/{submission.id}/files/{quote(name, safe='')}"
            yield name, self._client.download(path)

    def secret(self, submission: Submission) -> bytes:
        """What names the feedback of a submission: nbgrader's secret; without it what only student and staff know."""
        if SECRET in submission.files:
            return self._client.download(f"/api/snapshots/{submission.id}/files/{SECRET}")
        return f"{submission.id}{submission.receipt}".encode()

    # ------------------------------------------------------------ feedback

    def give_feedback(self, assignment: Assignment, student: str, pages: Mapping[str, bytes]) -> None:
        """Give a student pages of feedback; pages of the person for the same work are replaced."""
        name = f"Feedback {assignment.title}: {student}"[:200]
        tag = _feedback_tag(assignment.id)
        before = [each["qcrbox_dataset_id"] for each in self._datasets(tag) if each["name"] == name]
        made = self._client.upload("/api/datasets", list(pages.items()))["datasets"][0]
        dataset_id = made["qcrbox_dataset_id"]
        self._client.patch(f"/api/datasets/{dataset_id}", {"name": name, "tags": [FEEDBACK_TAG, tag]})
        share = {"kind": "dataset", "object_id": dataset_id, "person": student, "mode": "read"}
        self._client.post("/api/shares", share)
        for old in before:
            self._client.delete(f"/api/datasets/{old}")

    def feedback(self, exercise_id: str) -> Iterator[tuple[str, bytes]]:
        """(name, contents) of the pages that the person has been given."""
        for dataset in self._datasets(_feedback_tag(exercise_id)):
            for name, file in dataset["data_files"].items():
                if name.endswith(".html"):
                    yield name, self._client.download(f"/api/data-files/{file['qcrbox_file_id']}/download")

    def _datasets(self, tag: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = self._client.get("/api/datasets", tag=tag, after=after)
            found += page["datasets"]
            after = page.get("next")
            if not after:
                return found

    def give_points(self, exercise_id: str, student: str, task_id: str, points: float) -> None:
        """Set the points of a task by hand."""
        body = {"student": student, "task_id": task_id, "points": points}
        self._client.put(f"/api/exercises/{exercise_id}/marks", body)


def _submissions(records: list[dict[str, Any]]) -> list[Submission]:
    return [
        Submission(
            each["id"],
            each["student"],
            each["at"],
            each["receipt"],
            each["has_notebook"],
            list(each.get("files") or ()),
            each["problem"],
            each["reason"] == "submitted",
        )
        for each in records
    ]


def _feedback_tag(exercise_id: str) -> str:
    return f"{FEEDBACK_TAG}-{exercise_id}"


def task_ids(notebook_ids: list[str]) -> dict[str, str]:
    """Notebook id -> id of its task: small letters, digits, dash; different for different notebooks."""
    found: dict[str, str] = {}
    for notebook_id in notebook_ids:
        plain = re.sub(r"[^a-z0-9]+", "-", notebook_id.lower()).strip("-")[:34] or "notebook"
        free, number = plain, 2
        while free in found.values():
            free, number = f"{plain}-{number}", number + 1
        found[notebook_id] = free
    return found
