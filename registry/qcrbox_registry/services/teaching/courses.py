"""Courses: made for a group, listed, archived; who is in them."""

from __future__ import annotations

import time

from qcrbox.contract.errors import NotFound, Unreachable, UserInputError
from qcrbox.contract.models import iso
from qcrbox.contract.previews import is_preview

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import EVERY_GROUP, Actor, Resource, authorize
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.groups import named_group
from qcrbox_registry.services.hub_accounts import introduce
from qcrbox_registry.services.teaching import access
from qcrbox_registry.services.teaching.roster import Accounts, Person, people_of
from qcrbox_registry.services.texts import checked_text
from qcrbox_registry.store import people
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import courses, work
from qcrbox_registry.store.teaching.courses import Course

LONGEST_TITLE = 200


def role_in(actor: Actor, group_id: int) -> str:
    """The actor's role in the course of a group: lecturer, assistant or student."""
    if actor.admin or {group_id, EVERY_GROUP} & actor.teaches:
        return "lecturer"
    return "assistant" if {group_id, EVERY_GROUP} & actor.manages else "student"


def shown(course: Course, actor: Actor) -> Json:
    """A course as answers show it."""
    return {
        "id": course.id,
        "title": course.title,
        "group": course.group,
        "role": role_in(actor, course.group_id),
        "created_at": iso(course.created_at),
        "archived_at": iso(course.archived_at),
    }


class CourseService:
    """Courses that a person may see or change."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def listed(self, actor: Actor) -> list[Json]:
        """The courses of the actor's groups; administrators: all."""
        everywhere = actor.admin or EVERY_GROUP in actor.manages
        ids = None if everywhere else actor.group_ids | actor.manages
        found = await self._context.db.read(lambda conn: courses.of_groups(conn, ids))
        return [shown(course, actor) for course in found]

    async def active_groups(self) -> list[str]:
        """Names of the groups with a course that is not archived; the route checks that the hub asks."""
        found = await self._context.db.read(lambda conn: courses.of_groups(conn, None))
        return sorted(course.group for course in found if course.archived_at is None)

    async def create(self, actor: Actor, group: str, title: str) -> Json:
        """Make a group a course. Raises UserInputError, NotAllowed, NotFound, Conflict."""
        name = checked_text(title, "title", LONGEST_TITLE)
        if not name:
            raise UserInputError("A course needs a title.")
        if actor.admin:
            await introduce(self._context, "group", group)
        now = time.time()

        def write(conn: Connection) -> Course:
            group_id = any_group(conn, group) if actor.admin else named_group(actor, group)
            if group_id is None:
                raise UserInputError("A course needs a group.", next="Make the group first, then the course.")
            authorize(actor, "teach", Resource("course", group[:64], None, group_id))
            course_id = courses.create(conn, group_id, name, actor.person_id, now)
            entry = audit.entry(actor, "create", now, kind="course", object_id=course_id, group=group)
            record(conn, [entry])
            return courses.get(conn, course_id)

        return shown(await self._context.db.write(write), actor)

    async def get(self, actor: Actor, course_id: str) -> Json:
        """A course. Raises NotFound."""
        found = await self._context.db.read(lambda conn: access.course(conn, actor, "read", course_id))
        return shown(found, actor)

    async def change(self, actor: Actor, course_id: str, title: str | None, archived: bool | None) -> Json:
        """Rename, archive or restore a course. Raises NotFound, NotAllowed, UserInputError."""
        now = time.time()

        def write(conn: Connection) -> Course:
            access.course(conn, actor, "teach", course_id)
            values: dict[str, object] = {}
            if title is not None:
                values["title"] = checked_text(title, "title", LONGEST_TITLE)
                if not values["title"]:
                    raise UserInputError("A course needs a title.")
            if archived is not None:
                values["archived_at"] = now if archived else None
            if values:
                courses.change(conn, course_id, **values)
                entry = audit.entry(
                    actor, "change", now, kind="course", object_id=course_id, fields=sorted(values)
                )
                record(conn, [entry])
            return courses.get(conn, course_id)

        return shown(await self._context.db.write(write), actor)

    async def people(self, actor: Actor, course_id: str) -> list[Json]:
        """Everyone of the course with role, and when they were last there. Raises NotFound, NotAllowed."""
        course = await self._context.db.read(lambda conn: access.course(conn, actor, "supervise", course_id))
        found = await self.roster(course.group, ())
        ids = [person.person_id for person in found if person.person_id is not None]
        seen = await self._context.db.read(lambda conn: people.last_seen(conn, ids))
        return [
            {
                "name": person.name,
                "role": person.role,
                "signed_in": person.signed_in,
                "last_seen_at": iso(_last_of(seen.get(person.person_id or 0), person.last_activity)),
            }
            for person in found
        ]

    async def roster(self, group: str, known: tuple[work.Student, ...]) -> list[Person]:
        """The people of a group at the hub, and students with work who are not in it."""
        members = await self._context.identity.members(group)
        names = [member.name for member in members or ()]
        times = [member.created for member in members or ()]

        def read(conn: Connection) -> Accounts:
            return Accounts(people.present_accounts(conn, names), people.by_creation(conn, times))

        accounts = await self._context.db.read(read)
        return people_of(members, accounts, [(student.person_id, student.name) for student in known])

    async def ids_by_name(self, actor: Actor, exercise_id: str) -> dict[str, int]:
        """Ids of members of the course who have signed in, and of students with work in the exercise, by name.

        The names are those of the board, where two accounts of one name have different ones. Other accounts are left out: a
        note would reach them, and a mark would put them on the board. While the hub does not answer, only students with
        work are found. Raises NotFound, NotAllowed.
        """

        def read(conn: Connection) -> tuple[str, list[work.Student]]:
            found = access.exercise(conn, actor, "supervise", exercise_id)
            return found.group, work.students(conn, found.id)

        group, students = await self._context.db.read(read)
        try:
            roster = await self.roster(group, tuple(students))
        except Unreachable:
            return {student.name: student.person_id for student in students}
        return {
            person.name: person.person_id
            for person in roster
            if person.person_id is not None and not is_preview(person.name)
        }


def _last_of(*moments: float | None) -> float | None:
    return max((moment for moment in moments if moment is not None), default=None)


def any_group(conn: Connection, name: str) -> int | None:
    """The id of a group of the hub; None when there is none of this name."""
    try:
        return people.find_group(conn, name)
    except NotFound:
        return None
