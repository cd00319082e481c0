"""Every teaching route by the least role of the course that may use it, and nothing of it for other courses.

The table is the one of docs/teaching.md, written by hand. `test_permissions.py` sends the request of every route for the
roles in the course; here are those of the lecturers, assistants and students of another course.
"""

from __future__ import annotations

import uuid

import pytest
from qcrbox_registry.api.permissions import PERMISSIONS, WEBSOCKET, answer
from qcrbox_registry.api.routes import ROUTERS

from .test_permissions import Site

pytestmark = [pytest.mark.attack(1), pytest.mark.parametrize("registry", ["sqlite"], indirect=True)]
STUDENT, ASSISTANT, LECTURER = "student", "assistant", "lecturer"
# The callers of the permissions page that have this role in the course.
CALLER = {STUDENT: "same group", ASSISTANT: "manager", LECTURER: "lecturer"}
COURSE, EXERCISE, SNAPSHOT = (
    "/api/courses/{course_id}",
    "/api/exercises/{exercise_id}",
    "/api/snapshots/{snapshot_id}",
)
LEAST = {
    ("GET", COURSE): STUDENT,
    ("PATCH", COURSE): LECTURER,
    ("GET", f"{COURSE}/people"): ASSISTANT,
    ("POST", f"{COURSE}/copy"): LECTURER,
    ("GET", f"{COURSE}/research-export"): LECTURER,
    ("GET", f"{COURSE}/bookings"): STUDENT,
    ("POST", f"{COURSE}/bookings"): LECTURER,
    ("DELETE", f"{COURSE}/bookings/{{booking_id}}"): LECTURER,
    ("POST", f"{COURSE}/bookings/{{booking_id}}/rehearsal"): LECTURER,
    ("GET", f"{COURSE}/shelf"): STUDENT,
    ("POST", f"{COURSE}/shelf"): LECTURER,
    ("DELETE", f"{COURSE}/shelf/{{item_id}}"): LECTURER,
    ("GET", f"{COURSE}/shelf/{{item_id}}/content"): STUDENT,
    ("GET", f"{COURSE}/exercises"): STUDENT,
    ("POST", f"{COURSE}/exercises"): LECTURER,
    ("GET", EXERCISE): STUDENT,
    ("PATCH", EXERCISE): LECTURER,
    ("POST", f"{EXERCISE}/versions"): LECTURER,
    ("GET", f"{EXERCISE}/files/{{filename}}"): STUDENT,
    ("POST", f"{EXERCISE}/open"): STUDENT,
    ("GET", f"{EXERCISE}/own"): STUDENT,
    ("DELETE", f"{EXERCISE}/own"): ASSISTANT,  # their preview
    ("PUT", f"{EXERCISE}/answers/{{task_id}}"): STUDENT,
    ("PUT", f"{EXERCISE}/draft"): STUDENT,
    ("POST", f"{EXERCISE}/submit"): STUDENT,
    ("GET", f"{EXERCISE}/board"): ASSISTANT,
    ("GET", f"{EXERCISE}/board/events"): ASSISTANT,
    ("GET", f"{EXERCISE}/students/{{student}}"): ASSISTANT,
    ("GET", f"{EXERCISE}/students/{{student}}/notebook"): ASSISTANT,
    ("POST", f"{EXERCISE}/notes"): ASSISTANT,
    ("PUT", f"{EXERCISE}/extension"): ASSISTANT,
    ("POST", f"{EXERCISE}/free-queue"): ASSISTANT,
    ("POST", f"{EXERCISE}/collect"): LECTURER,
    ("POST", f"{EXERCISE}/grade"): ASSISTANT,
    ("GET", f"{EXERCISE}/marks"): ASSISTANT,
    ("PUT", f"{EXERCISE}/marks"): ASSISTANT,
    ("POST", f"{EXERCISE}/release"): LECTURER,
    # Of another student: their own snapshots students read.
    ("GET", f"{SNAPSHOT}/notebook"): ASSISTANT,
    ("GET", f"{SNAPSHOT}/files/{{filename}}"): ASSISTANT,
}
# About no course yet: `test_a_group_becomes_a_course_of_its_lecturer_only` and the list of the own ones.
OF_NO_COURSE = {("GET", "/api/courses"), ("POST", "/api/courses")}
ROUTES = [pytest.param(*route, id=" ".join(route)) for route in LEAST]


def test_every_teaching_route_has_a_row(registry):
    teaching = {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if "teaching" in getattr(route, "tags", ())
        for method in getattr(route, "methods", {WEBSOCKET}) - {"HEAD"}
    }
    assert teaching == set(LEAST) | OF_NO_COURSE


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_roles_in_the_course_may_what_the_handbook_says(registry, method, path):
    order = list(CALLER)
    allowed = order[order.index(LEAST[method, path]) :]
    permission = PERMISSIONS[method, path]
    found = [role for role, caller in CALLER.items() if answer(permission, caller) == "yes"]
    assert found == allowed


class OtherCourse(Site):
    """A course with work of its owner, and people of another one who guess ids."""

    def __init__(self, registry, do):
        super().__init__(registry, do)
        other = f"o{uuid.uuid4().hex[:8]}"
        scopes = {STUDENT: [], ASSISTANT: ["manage", "data"], LECTURER: ["teach"]}
        for role, kinds in scopes.items():
            named = [f"custom:qcrbox:{kind}!group={other}" for kind in kinds]
            self.tokens[f"{role} elsewhere"] = registry.hub.add(f"{role} {other}", *named, groups=(other,))
        made = self.client("lecturer elsewhere").post("/api/courses", json={"group": other, "title": "Other"})
        assert made.status_code == 201, made.text


@pytest.fixture(scope="module")
def other_course(registry, do):
    made = OtherCourse(registry, do)
    yield made
    made.close()


@pytest.mark.parametrize("role", [STUDENT, ASSISTANT, LECTURER])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_people_of_another_course_find_nothing(other_course, role, method, path):
    # Objects are made once: a refused request leaves them as they are.
    assert other_course.send(f"{role} elsewhere", method, path, fresh=False) == "404"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_sign_in_nothing_is_answered(other_course, method, path):
    assert other_course.send("anonymous", method, path, fresh=False) == "401"
