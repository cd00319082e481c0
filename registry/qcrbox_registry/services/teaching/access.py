"""Reads a course, an exercise or a snapshot and checks the right to it. Raises NotFound or NotAllowed."""

from __future__ import annotations

from collections.abc import Mapping

from qcrbox.contract.errors import Conflict, NotFound

from qcrbox_registry.access.rights import Actor, Resource, allows, authorize, missing
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import courses, exercises, snapshots
from qcrbox_registry.store.teaching.courses import Course
from qcrbox_registry.store.teaching.exercises import Exercise
from qcrbox_registry.store.teaching.snapshots import Snapshot


def course(conn: Connection, actor: Actor, action: str, course_id: str) -> Course:
    """The course, when the actor may do this with it."""
    try:
        found = courses.get(conn, course_id)
    except NotFound:
        raise missing("course", course_id) from None
    authorize(actor, action, Resource("course", found.id, None, found.group_id))
    return found


def exercise(conn: Connection, actor: Actor, action: str, exercise_id: str) -> Exercise:
    """The exercise, when the actor may do this with it. One that is not published is hidden from students,
    but not from the preview accounts of its course.
    """
    try:
        found = exercises.get(conn, exercise_id)
    except NotFound:
        raise missing("exercise", exercise_id) from None
    kind = "exercise" if found.published or is_preview_in(actor, found.group_id) else "hidden_exercise"
    authorize(actor, action, Resource(kind, found.id, None, found.group_id))
    return found


def student_id(ids: Mapping[str, int], name: str) -> int:
    """The id of someone of the course by the name that its lists show (`CourseService.ids_by_name`). Raises NotFound."""
    if name not in ids:
        raise NotFound(
            f"There is no student {name[:200]!r} in this exercise.",
            next="Those of the course who have signed in once can be chosen.",
        )
    return ids[name]


def snapshot(conn: Connection, actor: Actor, action: str, snapshot_id: str) -> Snapshot:
    """The snapshot, when the actor may do this with it."""
    try:
        found = snapshots.get(conn, snapshot_id)
    except NotFound:
        raise missing("snapshot", snapshot_id) from None
    group_id = exercises.get(conn, found.exercise_id).group_id
    authorize(actor, action, Resource("snapshot", found.id, found.person_id, group_id))
    return found


def require_active(found: Exercise | Course) -> None:
    """Raises Conflict for an archived course: it can only be read."""
    if found.archived_at is not None:
        raise Conflict("The course is archived.", next="A lecturer can restore it on the page of the course.")


def is_staff(actor: Actor, group_id: int) -> bool:
    """Whether the actor is lecturer or assistant of the course of this group, or an administrator."""
    return allows(actor, "supervise", Resource("course", "", None, group_id))


def is_preview_in(actor: Actor, group_id: int) -> bool:
    """Whether the actor is a preview account of the course of this group: a student who counts nowhere."""
    return actor.preview is not None and actor.preview.group_id == group_id and group_id in actor.group_ids


def tries(actor: Actor, group_id: int) -> bool:
    """Whether the actor may try exercises of the course before they are published or open, and after they are closed."""
    return is_staff(actor, group_id) or is_preview_in(actor, group_id)
