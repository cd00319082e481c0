"""The courses of a person, and one course with its exercises and people."""

from __future__ import annotations

import json
from urllib.parse import quote

from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.teaching import Task
from qcrbox.spec.exercise_tags import tasks_in, tasks_of_yaml
from tornado import web

from qcrbox_hub.teaching.page import TeachingPage
from qcrbox_hub.teaching.ready import ready_exercise, ready_exercises

LARGEST_UPLOAD = 64 * 1024 * 1024


class Courses(TeachingPage):
    """Every course of the person with its exercises; lecturers make a course of a group."""

    @web.authenticated
    async def get(self) -> None:
        courses = (await self.ask("/api/courses"))["courses"]
        for course in courses:
            course["exercises"] = (await self.ask(f"/api/courses/{course['id']}/exercises"))["exercises"]
        groups = await self.free_groups(courses)
        await self.show_page("courses.html", courses=courses, groups=groups)

    @web.authenticated
    async def post(self) -> None:
        await self.act()

    async def do_make(self) -> str:
        body = {"group": self.field("group"), "title": self.field("title")}
        made = await self.registry.call("POST", "/api/courses", body)
        return f"{made['title']} is a course now. Its members are the students of the group {made['group']}."


class Course(TeachingPage):
    """One course: exercises, people, and the form for a new exercise."""

    @web.authenticated
    async def get(self, course_id: str) -> None:
        course = await self.ask(f"/api/courses/{course_id}")
        exercises = (await self.ask(f"/api/courses/{course_id}/exercises"))["exercises"]
        people = []
        if course["role"] != "student":
            people = (await self.ask(f"/api/courses/{course_id}/people"))["people"]
        shelf = (await self.ask(f"/api/courses/{course_id}/shelf"))["items"]
        booked = (await self.ask(f"/api/courses/{course_id}/bookings"))["bookings"]
        applications = []
        if course["role"] == "lecturer":
            found = (await self.ask("/api/applications"))["applications"]
            applications = sorted({(each["slug"], each["name"]) for each in found})
        never = [person["name"] for person in people if not person["signed_in"]]
        await self.show_page(
            "course.html",
            course=course,
            exercises=exercises,
            people=people,
            never=never,
            ready=ready_exercises(),
            shelf=shelf,
            bookings=booked,
            applications=applications,
            groups=await self.free_groups((await self.ask("/api/courses"))["courses"]),
            students=sum(1 for person in people if person["role"] == "student"),
        )

    @web.authenticated
    async def post(self, course_id: str) -> None:
        self.course_id = course_id
        await self.act()

    async def do_rename(self) -> str:
        body = {"title": self.field("title")}
        await self.registry.call("PATCH", f"/api/courses/{self.course_id}", body)
        return "The course has its new title."

    async def do_archive(self) -> str:
        archived = self.field("archived") == "yes"
        await self.registry.call("PATCH", f"/api/courses/{self.course_id}", {"archived": archived})
        return (
            "The course is archived: it can be read and not changed."
            if archived
            else "The course is active again."
        )

    async def do_shelve(self) -> str:
        given = self.file("item")
        if given is None:
            raise UserInputError("Choose a file.")
        ((name, content),) = _small([given])
        body = {
            "data_file_id": await self.registry.store_file(name, content),
            "title": self.field("item_title"),
            "for_lecturers": self.field("for_lecturers") == "yes",
            "opens_at": self.moment("opens_at"),
            "closes_at": self.moment("closes_at"),
        }
        made = await self.registry.call("POST", f"/api/courses/{self.course_id}/shelf", body)
        return f"{made['title']} is on the shelf."

    async def do_take_down(self) -> str:
        item = self.field("item")
        if not item.isalnum():
            raise UserInputError("Choose an item.")
        await self.registry.call("DELETE", f"/api/courses/{self.course_id}/shelf/{item}")
        return "The item was taken down."

    async def do_copy(self) -> None:
        body = {"group": self.field("group"), "title": self.field("title")}
        made = await self.registry.call("POST", f"/api/courses/{self.course_id}/copy", body)
        self.say(f"{made['title']} has the exercises and the shelf of this course, hidden and without dates.")
        self.redirect(f"{self.root}/courses/{made['id']}", status=303)

    async def do_book(self) -> str:
        body = {
            "starts_at": self.moment("starts_at"),
            "ends_at": self.moment("ends_at"),
            "students": self.whole_number("students") or 0,
            "windows": self.whole_number("windows") or 0,
            "applications": self.get_body_arguments("applications"),
        }
        if places := self.whole_number("places"):
            body["places"] = places
        made = await self.registry.call("POST", f"/api/courses/{self.course_id}/bookings", body)
        return f"{made['places']} places are booked."

    async def do_unbook(self) -> str:
        await self.registry.call("DELETE", self._booking())
        return "The booking is cancelled."

    async def do_rehearse(self) -> str:
        await self.registry.call("POST", f"{self._booking()}/rehearsal")
        return "The rehearsal has begun. Load this page again in a minute or two."

    def _booking(self) -> str:
        booking = self.field("booking")
        if not booking.isalnum():
            raise UserInputError("Choose a booking.")
        return f"/api/courses/{self.course_id}/bookings/{booking}"

    async def do_ready(self) -> None:
        """Make a ready exercise with the data of its example."""
        chosen = ready_exercise(self.field("ready"))
        found = await self.registry.get("/api/datasets", kind="example", name=chosen.example)
        examples = [each for each in found["datasets"] if each["name"] == chosen.example]
        if not examples:
            raise NotFound(
                f"The example {chosen.example!r} is not here.",
                next="An administrator can install the application that brings it (Refine or HAR).",
            )
        files = [file["qcrbox_file_id"] for file in examples[0]["data_files"].values()]
        await self._make(chosen.body(files))

    async def do_exercise(self) -> None:
        await self._make(await version_body(self))

    async def _make(self, body: dict[str, object]) -> None:
        path = f"/api/courses/{self.course_id}/exercises"
        made = await self.registry.call("POST", path, body)
        self.say(
            f"{made['title']} has {len(body['tasks'])} tasks. Students see it once you publish it."  # type: ignore[arg-type]
        )
        self.redirect(f"{self.root}/exercises/{made['id']}", status=303)


class ShelfFile(TeachingPage):
    """A file of the shelf as a download; it runs nowhere."""

    @web.authenticated
    async def get(self, course_id: str, item_id: str) -> None:
        items = (await self.ask(f"/api/courses/{course_id}/shelf"))["items"]
        found = [item for item in items if item["id"] == item_id]
        if not found:
            raise web.HTTPError(404)
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("X-Content-Type-Options", "nosniff")
        name = quote(found[0]["filename"], safe="")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{name}")
        await self.send_file(f"/api/courses/{course_id}/shelf/{item_id}/content")


class ResearchExport(TeachingPage):
    """The anonymised export of a course as a JSON file."""

    @web.authenticated
    async def get(self, course_id: str) -> None:
        found = await self.ask(f"/api/courses/{course_id}/research-export")
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Disposition", 'attachment; filename="research.json"')
        self.finish(json.dumps(found, indent=1))


async def version_body(page: TeachingPage) -> dict[str, object]:
    """The body of a version from the form: notebook, data, tasks of the tags or of a file. Raises UserInputError."""
    body: dict[str, object] = {"title": page.field("title"), "text": page.field("text"), "tasks": []}
    if minutes := page.whole_number("minutes"):
        body["minutes"] = minutes
    tasks: list[Task] = []
    if given := page.file("notebook"):
        name = given[0]
        body |= notebook_body(*given)
        tasks = tasks_in(str(body["notebook"]), name)
    if given := page.file("tasks"):
        tasks = tasks_of_yaml(_utf8(given[1], given[0]))
    body["tasks"] = [task.model_dump(mode="json") for task in tasks]
    body["files"] = await stored_files(page)
    return body


def notebook_body(name: str, content: bytes) -> dict[str, object]:
    """The fields of a version's body for a notebook. Raises UserInputError."""
    return {"notebook": _utf8(content, name), "notebook_name": name}


async def stored_files(page: TeachingPage) -> list[dict[str, object]]:
    """The files of the form, stored, as a version's body names them. Raises UserInputError."""
    return [
        {"data_file_id": await page.registry.store_file(name, content), "for_lecturers": hidden}
        for field, hidden in (("data", False), ("answers", True))
        for name, content in _small(page.files(field))
    ]


def _small(files: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    for name, content in files:
        if len(content) > LARGEST_UPLOAD:
            raise UserInputError(
                f"{name} is larger than 64 MiB.", next="Store it in Lab and leave it out here."
            )
    return files


def _utf8(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserInputError(f"{name} is not UTF-8 text.") from None
