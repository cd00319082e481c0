"""nbgrader's Exchange classes over the store.

nbgrader copies files between a course or a home and an *exchange directory*. Here this directory is a temporary folder
of one command: filled from the store before nbgrader's own class copies, and read into the store afterwards. So options,
messages and rules of nbgrader stay its own; who may do what is decided by the registry.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dateutil.tz import gettz
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange import default
from nbgrader.utils import notebook_hash
from qcrbox.api import connection
from qcrbox.client.exercise_mark import MARK
from qcrbox.contract.errors import QcError
from traitlets import Bool, Unicode

from qcrbox_extension.nbgrader_exchange.store import (
    SECRET,
    TIMESTAMP,
    Assignment,
    Store,
    Submission,
    is_plain,
    plain_files,
    task_ids,
)


class Exchange(default.Exchange):
    """Base: the exchange directory of one command."""

    root = Unicode("the QCrBox store", help="Set for each command; a configured folder is not used.")

    def start(self) -> Any:
        """Run the command in a temporary exchange directory. Raises ExchangeError."""
        with tempfile.TemporaryDirectory(prefix="qcrbox-nbgrader-") as folder:
            self.root = folder
            try:
                return super().start()
            except QcError as error:
                self.fail(str(error))

    @property
    def store(self) -> Store:
        """The store in the person's name."""
        return Store(connection.current().client)

    @property
    def chosen_assignment(self) -> str | None:
        """The assignment that was named; None: all."""
        return self.coursedir.assignment_id or None

    def course(self) -> dict[str, Any]:
        """The course that was named. Raises ExchangeError without one."""
        name = self.coursedir.course_id
        if not name:
            self.fail("No course id specified. Re-run with --course flag.")
        if not is_plain(name):
            self.fail(f"The course {name!r} cannot be a folder's name. Use the name of its group.")
        return self.store.course(name)

    def part(self, *parts: str) -> Path:
        """A folder of the named course in the exchange directory, made when it is missing."""
        found = Path(self.root, self.coursedir.course_id, *parts)
        found.mkdir(parents=True, exist_ok=True)
        return found

    def released_assignment(self) -> Assignment:
        """The assignment of the command line, with the names of its files in the exchange directory. Ends without one."""
        found = self.fill_released(self.course(), self.coursedir.assignment_id, contents=False)
        if not found:
            self.fail(f"Assignment not found: {self.coursedir.assignment_id}")
        return found[0]

    def fill_released(self, course: dict[str, Any], title: str | None, *, contents: bool) -> list[Assignment]:
        """Put released assignments into the exchange directory; without contents as empty files."""
        found = []
        self.part("outbound"), self.part("inbound"), self.part("feedback")
        for name, exercise_id in self.store.titles(course).items():
            if title is not None and name != title:
                continue
            if not is_plain(name):
                self.log.warning("The exercise %r cannot be a folder's name and is left out.", name)
                continue
            assignment = self.store.assignment(exercise_id)
            if not assignment.notebooks:
                continue
            found.append(assignment)
            folder = self.part("outbound", name)
            for filename in assignment.names:
                content = self.store.content(exercise_id, filename) if contents else b""
                (folder / filename).write_bytes(content)
        return found

    def fill_submission(
        self, folder: Path, assignment: Assignment, submission: Submission, *, contents: bool
    ) -> None:
        """Write a submission as nbgrader lays it out, with the registry's time."""
        folder.mkdir(parents=True)
        if contents:
            for name, content in self.store.submitted(assignment, submission):
                (folder / name).write_bytes(content)
        else:
            for name in [*assignment.notebooks[: submission.notebook], *submission.files]:
                (folder / name).touch()
        (folder / TIMESTAMP).write_text(self.time_of(submission))
        (folder / SECRET).write_bytes(self.store.secret(submission))

    def time_of(self, submission: Submission) -> str:
        """The time of a submission as nbgrader is configured to write it."""
        zone = gettz(self.timezone)
        if zone is None:
            self.fail(f"Invalid timezone: {self.timezone}")
        return datetime.fromisoformat(submission.at).astimezone(zone).strftime(self.timestamp_format)

    def fill_feedback(self, assignments: Iterable[Assignment]) -> None:
        """Put the feedback that the person has been given into the exchange directory."""
        for assignment in assignments:
            for name, content in self.store.feedback(assignment.id):
                # notebook.CHECKSUM.html: only the secret of a submission gives the checksum.
                (self.part("feedback") / ".".join(name.rsplit(".", 2)[-2:])).write_bytes(content)


class ExchangeList(Exchange, default.ExchangeList):
    """`nbgrader list`."""

    def init_dest(self) -> None:
        """Show the names of what is in the store. Without a course: of all courses, by their groups."""
        named = self.coursedir.course_id
        courses = [self.course()] if named else self.store.courses()
        try:
            for course in courses:
                self.coursedir.course_id = named or course["group"]
                if is_plain(self.coursedir.course_id):
                    self._fill(course)
        finally:
            self.coursedir.course_id = named
        super().init_dest()

    def _fill(self, course: dict[str, Any]) -> None:
        found = self.fill_released(course, self.chosen_assignment, contents=False)
        if self.inbound or self.cached:
            self.fill_feedback(found)
        if self.inbound:
            for assignment in found:
                for each in self._submissions(course, assignment):
                    name = f"{each.student}+{assignment.title}+{self.time_of(each)}+{each.id}"
                    self.fill_submission(self.part("inbound") / name, assignment, each, contents=False)

    def _submissions(self, course: dict[str, Any], assignment: Assignment) -> list[Submission]:
        if course["role"] == "student":
            return [each for each in self.store.own_submissions(assignment.id) if each.submitted]
        students = self.store.students(assignment.id)
        return [each for name in students for each in self.store.submissions_of(assignment.id, name)]

    def remove_files(self) -> Any:
        """Hide the listed exercises from students; the copy of a submission in the home is removed."""
        if self.inbound:
            self.fail("Submissions in the store are kept: they cannot be removed.")
        if not self.cached:
            for path in map(Path, self.assignments):
                course = self.store.course(path.parents[1].name)
                self.store.publish(self.store.titles(course)[path.name], False)
        return super().remove_files()


class ExchangeReleaseAssignment(Exchange, default.ExchangeReleaseAssignment):
    """`nbgrader release_assignment`: an exercise of the course, published; with --force a new version of it."""

    def init_dest(self) -> None:
        """An exercise that is there already makes nbgrader ask for --force."""
        self._course = self.course()
        self._exercise_id = self.store.titles(self._course, hidden=True).get(self.coursedir.assignment_id)
        if self._exercise_id is not None:
            self.part("outbound", self.coursedir.assignment_id)
        super().init_dest()

    def copy_files(self) -> None:
        """Copy as nbgrader does, then write the exercise."""
        super().copy_files()
        contents = plain_files(Path(self.dest_path), self.log.warning)
        if not any(name.endswith(".ipynb") for name in contents):
            self.fail(f"The assignment has no notebook: {self.src_path}")
        title = self.coursedir.assignment_id
        made = self.store.release(self._course, title, contents, self._tasks(contents), self._exercise_id)
        self.log.info("The exercise %r is in the store and published.", title)
        due = self._due_date()
        if due is None:
            return
        if warning := self.store.take_deadline(made, due, datetime.now(UTC)):
            self.log.warning("%s Set it on the page of the exercise.", warning)
        else:
            # nbgrader 0.9.6 reads "+0200" as 200 seconds: the time is named, so that a wrong one is seen.
            self.log.info("The deadline is %s UTC.", f"{due:%Y-%m-%d %H:%M}")

    def _tasks(self, contents: dict[str, bytes]) -> list[dict[str, Any]]:
        """A task for each notebook with points, to be marked by nbgrader."""
        names = sorted(name.removesuffix(".ipynb") for name in contents if name.endswith(".ipynb"))
        tasks = []
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            for notebook_id, task_id in task_ids(names).items():
                try:
                    most = book.find_notebook(notebook_id, self.coursedir.assignment_id).max_score
                except MissingEntry:
                    self.log.warning(
                        "nbgrader knows no points of the notebook %s: it gets no task.", notebook_id
                    )
                    continue
                text = "Marked by nbgrader from your notebook; there is nothing to type here."
                task = {"id": task_id, "title": notebook_id, "kind": "answer", "text": text, "points": most}
                tasks.append(task)
        return tasks

    def _due_date(self) -> datetime | None:
        """The due date of the assignment; nbgrader keeps it in UTC, without saying so."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            try:
                due: datetime | None = book.find_assignment(self.coursedir.assignment_id).duedate
            except MissingEntry:
                return None
        return None if due is None else due.replace(tzinfo=UTC)


class ExchangeFetchAssignment(Exchange, default.ExchangeFetchAssignment):
    """`nbgrader fetch_assignment`: begin the exercise and copy its files."""

    def init_src(self) -> None:
        """Fill the exchange directory with the assignment."""
        found = self.fill_released(self.course(), self.coursedir.assignment_id, contents=True)
        self._assignment = found[0] if found else None
        super().init_src()

    def copy_files(self) -> None:
        """Begin the exercise, so that saved notebooks are kept and collected, and copy."""
        assert self._assignment is not None
        self.store.open(self._assignment.id)
        super().copy_files()
        # A saved notebook is the draft of an exercise, which has one.
        if len(self._assignment.notebooks) == 1:
            mark = {"id": self._assignment.id, "version": self._assignment.version, "files": {}}
            Path(self.dest_path, MARK).write_text(json.dumps(mark))


class ExchangeSubmit(Exchange, default.ExchangeSubmit):
    """`nbgrader submit`: a submission with a receipt."""

    def init_dest(self) -> None:
        """Fill the exchange directory with the names of the released files, which nbgrader compares."""
        self._assignment = self.released_assignment()
        super().init_dest()

    def copy_files(self) -> None:
        """Copy as nbgrader does and send what was copied; after a refusal nothing stays in the cache."""
        super().copy_files()
        name = self.assignment_filename
        try:
            sent = self.store.submit(
                self._assignment, plain_files(Path(self.inbound_path, name), self.log.warning)
            )
        except BaseException:
            cached = name.rsplit("+", 1)[0] if self.add_random_string else name
            shutil.rmtree(os.path.join(self.cache_path, cached), ignore_errors=True)
            raise
        self.log.info("Receipt of the store: %s%s", sent["receipt"], " (late)" if sent["late"] else "")
        if sent["problem"]:
            self.log.warning("The store says of the submission: %s", sent["problem"])


class ExchangeCollect(Exchange, default.ExchangeCollect):
    """`nbgrader collect`: what was submitted; of those who did not submit, what was collected at the deadline."""

    check_owner = Bool(
        False, help="The registry knows who submitted; files have the owner of who collects."
    ).tag(config=True)

    def init_src(self) -> None:
        """Fill the exchange directory with all submissions."""
        assignment = self.released_assignment()
        one = self.coursedir.student_id
        students = self.store.students(assignment.id) if one in ("", "*") else [one]
        for student in students:
            for each in self.store.submissions_of(assignment.id, student):
                if not each.notebook and not each.files:
                    self.log.warning("%s handed in no notebook.", student)
                    continue
                if each.problem:
                    self.log.warning("%s: %s", student, each.problem)
                name = f"{student}+{assignment.title}+{self.time_of(each)}+{each.id}"
                self.fill_submission(self.part("inbound") / name, assignment, each, contents=True)
        super().init_src()


class ExchangeReleaseFeedback(Exchange, default.ExchangeReleaseFeedback):
    """`nbgrader release_feedback`: pages for each student, and the points as marks of the exercise."""

    def init_dest(self) -> None:
        """Find the exercise."""
        self._assignment = self.released_assignment()
        super().init_dest()

    def copy_files(self) -> None:
        """Send the pages of each student. A failure is reported with the student's name, and the other students still get theirs."""
        left_out = set(filter(None, self.coursedir.student_id_exclude.split(",")))
        one = self.coursedir.student_id
        failed = []
        for student in self.store.students(self._assignment.id) if one in ("", "*") else [one]:
            if student in left_out:
                continue
            folder = Path(
                self.coursedir.format_path(
                    self.coursedir.feedback_directory, student, self.coursedir.assignment_id
                )
            )
            pages = sorted(folder.glob("*.html"))
            if not pages:
                continue
            try:
                secret = (folder / SECRET).read_text()
                named = {
                    f"{page.stem}.{notebook_hash(secret=secret, notebook_id=page.stem)}.html": page.read_bytes()
                    for page in pages
                }
                self.store.give_feedback(self._assignment, student, named)
                self._give_points(student)
            except (QcError, OSError) as error:
                self.log.error("No feedback for %s: %s", student, error)
                failed.append(student)
            else:
                self.log.info("Feedback given to %s.", student)
        if failed:
            self.fail(f"Feedback was not given to: {', '.join(failed)}. Release it again.")
        self.log.info(
            "Students see points in the store after 'Release the marks' on the page of the exercise."
        )

    def _give_points(self, student: str) -> None:
        ids = task_ids(sorted(name.removesuffix(".ipynb") for name in self._assignment.notebooks))
        most = {task["id"]: task["points"] for task in self._assignment.tasks}
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            for notebook_id, task_id in ids.items():
                if task_id not in most:
                    continue
                try:
                    graded = book.find_submission_notebook(notebook_id, self.coursedir.assignment_id, student)
                except MissingEntry:
                    continue
                points = max(0.0, graded.score - (graded.late_submission_penalty or 0.0))
                if graded.needs_manual_grade:
                    self.log.warning("%s, %s: to be marked by hand; no points sent.", student, notebook_id)
                elif points > most[task_id]:
                    self.log.warning(
                        "%s, %s: %g points are more than the task has (%g); none sent.",
                        student,
                        notebook_id,
                        points,
                        most[task_id],
                    )
                else:
                    self.store.give_points(self._assignment.id, student, task_id, points)


class ExchangeFetchFeedback(Exchange, default.ExchangeFetchFeedback):
    """`nbgrader fetch_feedback`."""

    def init_src(self) -> None:
        """Fill the exchange directory with the pages; work that was collected without being submitted joins the cache."""
        found = self.fill_released(self.course(), self.chosen_assignment, contents=False)
        self.fill_feedback(found)
        cache = Path(self.cache, self.coursedir.course_id)
        for assignment in found:
            for each in self.store.own_submissions(assignment.id):
                folder = cache / f"{each.student}+{assignment.title}+{self.time_of(each)}"
                if not each.submitted and each.notebook and not folder.exists():
                    self.fill_submission(folder, assignment, each, contents=True)
        super().init_src()
