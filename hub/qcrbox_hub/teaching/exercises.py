"""One exercise: dates, tasks, a new version; the board; a student; marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from qcrbox.contract.errors import NotAllowed, NotFound, QcError, UserInputError
from qcrbox.contract.teaching import QUANTITIES
from tornado import web
from tornado.iostream import StreamClosedError

from qcrbox_hub.admin.tables import csv_lines
from qcrbox_hub.admin.words import counted, moment
from qcrbox_hub.platform.whole_numbers import whole_number
from qcrbox_hub.teaching import notebook_text, task_form
from qcrbox_hub.teaching.courses import notebook_body, stored_files, version_body
from qcrbox_hub.teaching.page import TeachingPage
from qcrbox_hub.teaching.words import marks_columns, marks_rows, without_names


class ExercisePage(TeachingPage):
    """Base of the pages of one exercise."""

    exercise_id: str

    @property
    def api(self) -> str:
        return f"/api/exercises/{self.exercise_id}"

    async def the_exercise(self) -> dict[str, Any]:
        """The exercise, for its staff; others get 404."""
        found = await self.ask(self.api)
        if not found["staff"]:
            raise web.HTTPError(404)
        return found

    async def content(self, path: str, **query: object) -> bytes:
        """The bytes of a file; b"" when it cannot be had."""
        try:
            return b"".join([chunk async for chunk in self.registry.stream(path, **query)])
        except QcError:
            return b""


class Exercise(ExercisePage):
    """Dates and visibility, tasks, files, and what a student would see."""

    @web.authenticated
    async def get(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        found = await self.the_exercise()
        course = await self.ask(f"/api/courses/{found['course_id']}")
        link = f"{self.request.protocol}://{self.request.host}{self.hub.base_url}exercise/{exercise_id}"
        await self.show_page("exercise.html", exercise=found, role=course["role"], link=link)

    @web.authenticated
    async def post(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        await self.act()

    async def do_dates(self) -> str:
        body = {name: self.moment(name) for name in ("opens_at", "due_at", "late_until")}
        await self.registry.call("PATCH", self.api, body)
        return "The dates are set."

    async def do_same(self) -> str:
        allowed = self.field("answers_from_store") == "yes"
        await self.registry.call("PATCH", self.api, {"answers_from_store": allowed})
        return (
            "Identical calculations are answered from the store now."
            if allowed
            else "Every calculation is carried out."
        )

    async def do_publish(self) -> str:
        published = self.field("published") == "yes"
        await self.registry.call("PATCH", self.api, {"published": published})
        return "Students see the exercise now." if published else "The exercise is hidden from students."

    async def do_version(self) -> str:
        made = await self.registry.call("POST", f"{self.api}/versions", await version_body(self))
        return f"This is version {made['version']} now. Students get it merged when they open the exercise again."


class Tasks(ExercisePage):
    """The tasks as a form. Every button but Save answers with the form as it then is: nothing is kept in between."""

    @web.authenticated
    async def get(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        found = await self._taught()
        manifest = found["manifest"]
        forms = [task_form.of_task(task) for task in manifest["tasks"]] or [task_form.blank()]
        await self._show(found, forms, manifest["title"], manifest["text"])

    @web.authenticated
    async def post(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        found = await self._taught()
        forms = task_form.read(self.field)
        problems: list[str] = []
        if self.field("step") == "save":
            tasks, problems = task_form.tasks(forms)
            if not problems:
                try:
                    made = await self._save(found, [task.model_dump(mode="json") for task in tasks])
                except QcError as error:
                    problems = [error.message]
                else:
                    self.say(
                        f"This is version {made['version']} now, with {len(tasks)} tasks."
                        " Students get it merged when they open the exercise again."
                    )
                    self.redirect(f"{self.root}/exercises/{exercise_id}", status=303)
                    return
            if any(self.files(name) for name in ("notebook", "data", "answers")):
                problems.append("Choose the files again: a page cannot keep them.")
        else:
            forms = task_form.changed(forms, self.field("step"))
        await self._show(found, forms, self.field("title"), self.field("text"), problems)

    async def _taught(self) -> dict[str, Any]:
        """The exercise, for those who may change it; others get 404."""
        found = await self.the_exercise()
        course = await self.ask(f"/api/courses/{found['course_id']}")
        if course["role"] != "lecturer" or found["archived"]:
            raise web.HTTPError(404)
        return found

    async def _save(self, found: dict[str, Any], tasks: list[dict[str, Any]]) -> dict[str, Any]:
        body = {
            "title": self.field("title"),
            "text": self.field("text"),
            "minutes": found["manifest"]["minutes"],
            "tasks": tasks,
            "files": await stored_files(self),
            "keep_files_of": whole_number(self.field("version")) or 0,
        }
        if given := self.file("notebook"):
            body |= notebook_body(*given)
        return await self.registry.call("POST", f"{self.api}/versions", body)

    async def _show(
        self,
        found: dict[str, Any],
        forms: list[task_form.TaskForm],
        title: str,
        text: str,
        problems: Sequence[str] = (),
    ) -> None:
        applications = (await self.ask("/api/applications"))["applications"]
        commands = {
            f"{each['slug']}.{command['name']}" for each in applications for command in each["commands"]
        }
        await self.show_page(
            "tasks.html",
            status=400 if problems else 200,
            exercise=found,
            version=self.field("version") or found["version"],
            forms=forms,
            title=title,
            text=text,
            problems=problems,
            kinds=task_form.KINDS,
            checks=task_form.CHECKS,
            quantities=QUANTITIES,
            commands=sorted(commands),
        )


class Board(ExercisePage):
    """Students × tasks, live; without names for a projector."""

    @web.authenticated
    async def get(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        board = await self.ask(f"{self.api}/board")
        projector = self.get_query_argument("projector", "") == "yes"
        if projector:
            board["students"] = without_names(board["students"], exercise_id)
        counts = {
            "all": len(board["students"]),
            "begun": sum(1 for row in board["students"] if row["opened_at"]),
            "stuck": sum(1 for row in board["students"] if row["stuck"]),
            "submitted": sum(1 for row in board["students"] if row["submitted"]),
        }
        part = self.get_query_argument("part", "")
        template = "board-rows.html" if part == "rows" else "board.html"
        await self.show_page(
            template, board=board, exercise=board["exercise"], projector=projector, counts=counts
        )

    @web.authenticated
    async def post(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        await self.act()

    async def do_note(self) -> str:
        await self.registry.call("POST", f"{self.api}/notes", {"text": self.field("text")})
        return "The note was sent to everyone of the exercise."

    async def do_free(self) -> str:
        freed = await self.registry.call("POST", f"{self.api}/free-queue", {"reason": self.field("reason")})
        return f"Being cancelled: {counted(freed['number'], 'calculation')} of this exercise."


class BoardEvents(ExercisePage):
    """Server-sent events of the registry, passed on to the page of the board."""

    @web.authenticated
    async def get(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        self.set_header("Content-Type", "text/event-stream")
        try:
            async for chunk in self.registry.stream(f"{self.api}/board/events"):
                self.write(chunk)
                await self.flush()
        except StreamClosedError:
            return
        except (NotFound, NotAllowed):
            if not self._headers_written:
                raise web.HTTPError(404) from None
        except QcError:
            if not self._headers_written:
                raise web.HTTPError(503) from None
        self.finish()


class Student(ExercisePage):
    """One student: tasks, calculations, notebook as text, submissions; a note, more time."""

    @web.authenticated
    async def get(self, exercise_id: str, name: str) -> None:
        self.exercise_id, self.student = exercise_id, name
        api, notebook = f"{self.api}/students/{quote(name, safe='')}", None
        found = await self.ask_of_student(self.exercise_id, name)
        if found is None:
            return
        if found["has_draft"]:
            notebook = notebook_text.read(await self.content(f"{api}/notebook"))
        marks = await self.ask(f"{self.api}/marks")
        given: list[dict[str, Any]] = next(
            (row["tasks"] for row in marks["students"] if row["name"] == name), []
        )
        rubrics = [(task, mark) for task, mark in zip(marks["tasks"], given, strict=False) if task["rubric"]]
        await self.show_page(
            "student.html", row=found, exercise=found["exercise"], notebook=notebook, rubrics=rubrics
        )

    @web.authenticated
    async def post(self, exercise_id: str, name: str) -> None:
        self.exercise_id, self.student = exercise_id, name
        await self.act()

    async def do_note(self) -> str:
        body = {"text": self.field("text"), "student": self.student}
        await self.registry.call("POST", f"{self.api}/notes", body)
        return f"The note was sent to {self.student}."

    async def do_criteria(self) -> str:
        places = map(whole_number, self.get_body_arguments("criteria"))
        body = {
            "student": self.student,
            "task_id": self.field("task_id"),
            "criteria": [place for place in places if place is not None],
            "comment": self.field("comment"),
        }
        await self.registry.call("PUT", f"{self.api}/marks", body)
        return f"{self.student} is marked."

    async def do_extend(self) -> str:
        body = {"student": self.student, "until": self.moment("until"), "reason": self.field("reason")}
        given = await self.registry.call("PUT", f"{self.api}/extension", body)
        return f"The deadline of {self.student} is {moment(given['own_due_at']) or 'none'} UTC."

    async def do_cancel(self) -> str:
        calculation = self.field("calculation")
        if not calculation.isalnum():
            raise UserInputError("Choose a calculation.")
        body = {"reason": self.field("reason")}
        await self.registry.call("POST", f"/api/calculations/{calculation}/stop", body)
        return "The calculation is being cancelled."


class StudentCalculation(ExercisePage):
    """A calculation of a student with the end of its output."""

    @web.authenticated
    async def get(self, exercise_id: str, calculation_id: str) -> None:
        self.exercise_id = exercise_id
        exercise = await self.the_exercise()
        shown = (await self.ask(f"/api/calculations/{calculation_id}"))["calculations"][0]
        log = await self.ask(f"/api/calculations/{calculation_id}/log", most=64 * 1024)
        await self.show_page(
            "calculation.html",
            exercise=exercise,
            shown=shown,
            log=log["text"][-64 * 1024 :],
            written=await self.written_cif(shown),
        )

    async def written_cif(self, shown: dict[str, Any]) -> tuple[str, str] | None:
        """(name, id) of the CIF that the calculation wrote; None without one, and when it was deleted."""
        if not shown["output_dataset_id"]:
            return None
        try:
            found = await self.registry.get(f"/api/datasets/{shown['output_dataset_id']}")
        except QcError:
            return None
        files = found["datasets"][0]["data_files"]
        return next(
            ((name, file["qcrbox_file_id"]) for name, file in files.items() if name.lower().endswith(".cif")),
            None,
        )


class StudentPicture(StudentCalculation):
    """The structure that a calculation of a student wrote, as the registry draws it: a picture that runs nothing."""

    @web.authenticated
    async def get(self, exercise_id: str, calculation_id: str) -> None:
        self.exercise_id = exercise_id
        await self.the_exercise()
        shown = (await self.ask(f"/api/calculations/{calculation_id}"))["calculations"][0]
        written = await self.written_cif(shown)
        picture = await self.content(f"/api/data-files/{written[1]}/picture") if written else b""
        if not picture:
            raise web.HTTPError(404, "There is no structure to draw.")
        self.set_header("Content-Type", "image/svg+xml")
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
        self.finish(picture)


class Notebook(ExercisePage):
    """A notebook as a download: of a student's draft or of a snapshot. It runs nowhere."""

    @web.authenticated
    async def get(self, exercise_id: str, kind: str, name: str) -> None:
        path = (
            f"/api/snapshots/{quote(name, safe='')}/notebook"
            if kind == "snapshot"
            else f"/api/exercises/{exercise_id}/students/{quote(name, safe='')}/notebook"
        )
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", 'attachment; filename="notebook.ipynb"')
        await self.send_file(path)


class Marks(ExercisePage):
    """Points of every student and task, comments, CSV; collect, check again, release."""

    @web.authenticated
    async def get(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        exercise = await self.the_exercise()
        found = await self.ask(f"{self.api}/marks")
        if self.wants_csv:
            self.set_header("Content-Type", "text/csv; charset=utf-8")
            self.set_header("Content-Disposition", 'attachment; filename="marks.csv"')
            self.finish(csv_lines(marks_columns(found["tasks"]), marks_rows(found)))
            return
        course = await self.ask(f"/api/courses/{exercise['course_id']}")
        await self.show_page(
            "marks.html",
            exercise=exercise,
            marks=found,
            role=course["role"],
            takes_marks=bool(getattr(self.authenticator, "token_url", "")),
        )

    @web.authenticated
    async def post(self, exercise_id: str) -> None:
        self.exercise_id = exercise_id
        await self.act()

    async def do_collect(self) -> str:
        found = await self.registry.call("POST", f"{self.api}/collect")
        return f"The work of {counted(found['number'], 'student')} was collected."

    async def do_grade(self) -> str:
        found = await self.registry.call("POST", f"{self.api}/grade")
        problems = [f"{each['student']}: {each['problem']}" for each in found["problems"]]
        return " ".join([f"{counted(found['marked'], 'student is', 'students are')} marked.", *problems])

    async def do_release(self) -> str:
        released = self.field("released") == "yes"
        await self.registry.call("POST", f"{self.api}/release", {"released": released})
        return "Students see their marks now." if released else "The marks are hidden from students."

    async def do_mark(self) -> str:
        body: dict[str, object] = {
            "student": self.field("student"),
            "task_id": self.field("task_id"),
            "comment": self.field("comment"),
        }
        if self.field("task_id"):
            body["points"] = self.number("points")
        await self.registry.call("PUT", f"{self.api}/marks", body)
        return f"{self.field('student')} is marked."
