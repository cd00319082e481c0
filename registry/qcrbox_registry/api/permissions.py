"""What every route needs: the table behind docs/permissions.md and its tests.

The rights themselves are `access.rights.RULES`; here each route names the object and the action it asks about. A route
without a row, or a row without a route, fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fastapi.routing import APIRoute, APIWebSocketRoute
from qcrbox.contract.errors import NotAllowed, NotFound

from qcrbox_registry.access.rights import RELATIONS, RULES, SITE, Actor, Grant, Resource, authorize
from qcrbox_registry.api.routes import ROUTERS

Door = Literal["open", "sign-in", "object", "agent", "hub"]
Answer = Literal["yes", "401", "403", "404"]
WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True, slots=True)
class Permission:
    """What a route needs.

    door: open (no sign-in), sign-in (every signed-in person, limited to their own reach), object (the right `action`
    on an object of `kind`), agent (the file token of an attempt), hub (the service token, which no person has).
    """

    door: Door
    kind: str = ""
    action: str = ""
    note: str = ""


def _object(kind: str, action: str, note: str = "") -> Permission:
    return Permission("object", kind, action, note)


OPEN = Permission("open")
AGENT = Permission("agent", note="the token opens this calculation and attempt only")
READABLE = Permission("sign-in", note="shows only what the person may read")
PERMISSIONS: dict[tuple[str, str], Permission] = {
    # applications and commands
    ("GET", "/api/applications"): READABLE,
    ("GET", "/api/commands"): READABLE,
    ("GET", "/api/commands/{command_id}"): _object("application", "read"),
    ("PATCH", "/api/applications/{application_id}"): _object("application", "manage"),
    ("DELETE", "/api/applications/{application_id}"): _object("application", "manage"),
    ("POST", "/api/applications/{application_id}/hold"): _object("application", "manage"),
    ("POST", "/api/applications/{application_id}/restore"): _object("application", "manage"),
    ("GET", "/api/applications/{application_id}/failed-starts"): _object("application", "manage"),
    # calculations
    ("POST", "/api/commands"): _object("application", "run", "and `read` on every input file"),
    ("POST", "/api/commands/batch"): _object("application", "run", "and `read` on every input file"),
    ("GET", "/api/calculations"): READABLE,
    ("GET", "/api/calculations/{calculation_id}"): _object("calculation", "read"),
    ("GET", "/api/calculations/{calculation_id}/log"): _object("calculation", "read"),
    ("GET", "/api/calculations/{calculation_id}/events"): _object("calculation", "read"),
    ("PATCH", "/api/calculations/{calculation_id}"): _object("calculation", "tag", "`rename` for a title"),
    ("POST", "/api/calculations/{calculation_id}/stop"): _object("calculation", "cancel"),
    ("POST", "/api/calculations/{calculation_id}/priority"): _object("site", "manage"),
    ("POST", "/api/calculations/stop"): _object("calculation", "cancel", "of every calculation named"),
    # datasets and data files
    ("POST", "/api/datasets"): Permission("sign-in", note="owned by the person, in a group they are in"),
    ("GET", "/api/datasets"): READABLE,
    ("GET", "/api/datasets/{dataset_id}"): _object("dataset", "read"),
    ("GET", "/api/datasets/{dataset_id}/download"): _object("dataset", "read"),
    ("PATCH", "/api/datasets/{dataset_id}"): _object("dataset", "change", "`tag` for tags alone"),
    ("POST", "/api/datasets/{dataset_id}/append"): _object("dataset", "append"),
    ("POST", "/api/datasets/{dataset_id}/attach"): _object(
        "dataset", "append", "and `change` on the data file"
    ),
    ("DELETE", "/api/datasets/{dataset_id}"): _object("dataset", "delete"),
    ("POST", "/api/datasets/{dataset_id}/restore"): _object("dataset", "restore"),
    ("POST", "/api/data-files"): Permission("sign-in", note="owned by the person, in a group they are in"),
    ("GET", "/api/data-files"): READABLE,
    ("GET", "/api/data-files/{file_id}"): _object("data_file", "read"),
    ("GET", "/api/data-files/{file_id}/download"): _object("data_file", "read"),
    ("GET", "/api/data-files/{file_id}/verify"): _object("data_file", "read"),
    ("PATCH", "/api/data-files/{file_id}"): _object("data_file", "change", "`tag` for tags alone"),
    ("DELETE", "/api/data-files/{file_id}"): _object("data_file", "delete"),
    ("GET", "/api/data-files/{file_id}/picture"): _object("data_file", "read"),
    ("POST", "/api/data-files/{file_id}/restore"): _object("data_file", "restore"),
    ("POST", "/api/trash/empty"): _object("site", "manage"),
    ("POST", "/api/retention"): _object("site", "manage"),
    ("GET", "/api/retention/rules"): _object("site", "read"),
    ("POST", "/api/retention/rules"): _object("site", "manage"),
    ("DELETE", "/api/retention/rules/{rule_id}"): _object("site", "manage"),
    # uploads that survive a cut connection
    ("POST", "/api/uploads"): Permission("sign-in", note="`append` needs that right on the dataset"),
    ("HEAD", "/api/uploads/{upload_id}"): _object("upload", "read"),
    ("GET", "/api/uploads/{upload_id}"): _object("upload", "read"),
    ("PATCH", "/api/uploads/{upload_id}"): _object("upload", "send", "the last piece needs `complete`"),
    ("DELETE", "/api/uploads/{upload_id}"): _object("upload", "delete"),
    # shares, search, lineage
    ("POST", "/api/shares"): _object("dataset", "share", "or of the data file or calculation named"),
    ("GET", "/api/shares"): Permission("sign-in", note="the shares they gave; of one object: `share` on it"),
    ("DELETE", "/api/shares/{share_id}"): _object("dataset", "share", "of the object; hidden shares are 404"),
    ("GET", "/api/search"): READABLE,
    ("GET", "/api/lineage/{kind}/{object_id}"): _object("dataset", "read", "of the object named"),
    # projects
    ("GET", "/api/projects"): READABLE,
    ("GET", "/api/projects/{project_id}"): READABLE,
    ("PATCH", "/api/annotations/{kind}/{object_id}"): _object("dataset", "tag", "of the object named"),
    # interactive sessions
    ("POST", "/api/interactive-sessions"): _object("application", "run", "and `read` on every input file"),
    ("GET", "/api/interactive-sessions"): READABLE,
    ("GET", "/api/interactive-sessions/{session_id}"): _object("session", "read"),
    ("POST", "/api/interactive-sessions/{session_id}/close"): _object(
        "session", "end", "`discard` with keep: false"
    ),
    ("POST", "/api/interactive-sessions/{session_id}/discard"): _object("session", "discard"),
    ("POST", "/api/interactive-sessions/{session_id}/stay"): _object("session", "open"),
    ("PATCH", "/api/interactive-sessions/{session_id}"): _object("session", "allow_view"),
    (WEBSOCKET, "/api/interactive-sessions/{session_id}/display"): _object(
        "session", "open", "or `view`, without input"
    ),
    # events
    ("GET", "/api/events"): READABLE,
    # teaching
    ("GET", "/api/courses"): READABLE,
    ("POST", "/api/courses"): Permission("sign-in", note="`teach` on the course of the group named"),
    ("GET", "/api/courses/{course_id}"): _object("course", "read"),
    ("PATCH", "/api/courses/{course_id}"): _object("course", "teach"),
    ("GET", "/api/courses/{course_id}/bookings"): _object("course", "read", "rehearsals: `supervise`"),
    ("POST", "/api/courses/{course_id}/bookings"): _object(
        "course", "teach", "and `run` on every application"
    ),
    ("DELETE", "/api/courses/{course_id}/bookings/{booking_id}"): _object("course", "teach"),
    ("POST", "/api/courses/{course_id}/bookings/{booking_id}/rehearsal"): _object("course", "teach"),
    ("POST", "/api/courses/{course_id}/copy"): _object(
        "course", "teach", "and `teach` on the course of the group named"
    ),
    ("GET", "/api/courses/{course_id}/research-export"): _object("course", "teach"),
    ("GET", "/api/courses/{course_id}/shelf"): _object("course", "read", "closed items: `supervise`"),
    ("POST", "/api/courses/{course_id}/shelf"): _object("course", "teach", "and `read` on the file"),
    ("DELETE", "/api/courses/{course_id}/shelf/{item_id}"): _object("course", "teach"),
    ("GET", "/api/courses/{course_id}/shelf/{item_id}/content"): _object(
        "course", "read", "closed items: `supervise`"
    ),
    ("GET", "/api/courses/{course_id}/people"): _object("course", "supervise"),
    ("GET", "/api/courses/{course_id}/exercises"): _object("course", "read", "hidden ones: `supervise`"),
    ("POST", "/api/courses/{course_id}/exercises"): _object("course", "teach", "and `read` on every file"),
    ("GET", "/api/exercises/{exercise_id}"): _object("exercise", "read", "`as_student`: `supervise`"),
    ("PATCH", "/api/exercises/{exercise_id}"): _object("exercise", "teach"),
    ("POST", "/api/exercises/{exercise_id}/versions"): _object(
        "exercise", "teach", "and `read` on every file"
    ),
    ("GET", "/api/exercises/{exercise_id}/files/{filename}"): _object(
        "exercise", "do", "files for lecturers and `as_student`: `supervise`"
    ),
    ("POST", "/api/exercises/{exercise_id}/open"): _object("exercise", "do"),
    ("GET", "/api/exercises/{exercise_id}/own"): _object("exercise", "do"),
    ("DELETE", "/api/exercises/{exercise_id}/own"): _object("exercise", "supervise", "previews only"),
    ("PUT", "/api/exercises/{exercise_id}/answers/{task_id}"): _object("exercise", "do"),
    ("PUT", "/api/exercises/{exercise_id}/draft"): _object("exercise", "do"),
    ("POST", "/api/exercises/{exercise_id}/submit"): _object("exercise", "do"),
    ("GET", "/api/exercises/{exercise_id}/board"): _object("exercise", "supervise"),
    ("GET", "/api/exercises/{exercise_id}/board/events"): _object("exercise", "supervise"),
    ("GET", "/api/exercises/{exercise_id}/students/{student}"): _object("exercise", "supervise"),
    ("GET", "/api/exercises/{exercise_id}/students/{student}/notebook"): _object("exercise", "supervise"),
    ("GET", "/api/snapshots/{snapshot_id}/notebook"): _object("snapshot", "read"),
    ("GET", "/api/snapshots/{snapshot_id}/files/{filename}"): _object("snapshot", "read"),
    ("POST", "/api/exercises/{exercise_id}/notes"): _object("exercise", "supervise"),
    ("PUT", "/api/exercises/{exercise_id}/extension"): _object("exercise", "supervise"),
    ("POST", "/api/exercises/{exercise_id}/free-queue"): _object("exercise", "supervise"),
    ("POST", "/api/exercises/{exercise_id}/collect"): _object("exercise", "teach"),
    ("POST", "/api/exercises/{exercise_id}/grade"): _object("exercise", "supervise"),
    ("GET", "/api/exercises/{exercise_id}/marks"): _object("exercise", "supervise"),
    ("PUT", "/api/exercises/{exercise_id}/marks"): _object("exercise", "supervise"),
    ("POST", "/api/exercises/{exercise_id}/release"): _object("exercise", "teach"),
    # the site
    ("GET", "/api/healthz"): OPEN,
    ("GET", "/api/readyz"): OPEN,
    ("GET", "/api/me"): Permission("sign-in", note="about the person"),
    ("GET", "/api/status"): _object("site", "monitor"),
    ("GET", "/metrics"): _object("site", "monitor"),
    ("GET", "/api/usage"): Permission(
        "sign-in", note="of themselves and of groups they manage; administrators: of everyone"
    ),
    ("GET", "/api/storage"): _object("site", "read"),
    ("GET", "/api/storage/holders"): _object("site", "read"),
    ("GET", "/api/storage/files"): _object("site", "read"),
    ("GET", "/api/holds"): _object("site", "monitor"),
    ("GET", "/api/quotas"): _object("site", "read"),
    ("PUT", "/api/quotas"): _object("site", "manage"),
    ("PUT", "/api/holds"): _object("site", "manage", "of a launcher: `manage` on the launcher"),
    ("DELETE", "/api/agents/{agent_id}"): _object("site", "manage"),
    ("GET", "/api/launchers/passes"): _object("launcher", "read"),
    ("POST", "/api/launchers/passes"): _object("launcher", "manage"),
    ("DELETE", "/api/launchers/passes/{pass_id}"): _object("launcher", "manage"),
    ("POST", "/api/launchers/join"): Permission("open", note="the join code is the permission"),
    ("POST", "/api/check"): _object("site", "manage"),
    ("GET", "/api/audit"): _object("site", "audit"),
    ("GET", "/api/audit/export"): _object("site", "audit"),
    ("GET", "/api/audit/check"): _object("site", "audit"),
    ("GET", "/api/leftovers"): _object("site", "read"),
    ("POST", "/api/leftovers"): _object("site", "manage"),
    ("GET", "/api/leftovers/decisions"): _object("site", "read"),
    ("POST", "/api/leftovers/decisions/{decision_id}/undo"): _object("site", "manage"),
    # pages and sign-in
    ("GET", "/"): Permission("open", note="leads to /docs"),
    ("GET", "/docs"): Permission("open", note="with a hub: leads to the sign-in"),
    ("GET", "/docs/{name}"): OPEN,
    ("GET", "/login"): OPEN,
    ("GET", "/oauth_callback"): OPEN,
    ("POST", "/logout"): Permission("sign-in", note="ends the sign-in of this browser"),
    # agents
    ("GET", "/internal/calculations/{calculation_id}/inputs/{file_id}"): AGENT,
    ("GET", "/internal/calculations/{calculation_id}/checkpoint"): AGENT,
    ("PUT", "/internal/calculations/{calculation_id}/outputs"): AGENT,
    (WEBSOCKET, "/internal/calculations/{calculation_id}/tunnel/{tunnel_id}"): Permission(
        "agent", note="the token of this tunnel"
    ),
    # the hub
    ("POST", "/internal/hub/audit"): Permission("hub", note="no caller of this table has it"),
    ("GET", "/internal/hub/ended"): Permission("hub", note="no caller of this table has it"),
    ("GET", "/internal/hub/courses"): Permission("hub", note="no caller of this table has it"),
}


def routes() -> Iterator[tuple[str, str]]:
    """(method, path) of every route; HEAD of a GET route is not listed."""
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIWebSocketRoute):
                yield WEBSOCKET, route.path
            elif isinstance(route, APIRoute):
                yield from ((method, route.path) for method in sorted(route.methods or ()))


# ---------------------------------------------------------------- who gets which answer

_OWNER, _OTHER, _GROUP, _FOREIGN = 1, 2, 10, 11
# The callers of the table. Without an actor: how they fail to be one.
CALLERS: dict[str, Actor | None] = {
    "anonymous": None,
    "owner": Actor(_OWNER, "owner", {"g": _GROUP}),
    "same group": Actor(_OTHER, "other", {"g": _GROUP}),
    "other group": Actor(_OTHER, "other", {"f": _FOREIGN}),
    "manager": Actor(_OTHER, "other", {"g": _GROUP}, manages=frozenset({_GROUP})),
    "data manager": Actor(_OTHER, "other", {"g": _GROUP}, curates=frozenset({_GROUP})),
    "lecturer": Actor(
        _OTHER, "other", {"g": _GROUP}, manages=frozenset({_GROUP}), teaches=frozenset({_GROUP})
    ),
    "application admin": Actor(_OTHER, "other", application_admin=True),
    "administrator": Actor(_OTHER, "root", admin=True),
    "shared with": Actor(_OTHER, "other", {"f": _FOREIGN}),
    "narrow token": None,
    "expired token": None,
    "revoked token": None,
    "agent": None,
}
_REFUSED: dict[str, Answer] = {
    "anonymous": "401",
    "narrow token": "403",
    "expired token": "401",
    "revoked token": "401",
    "agent": "401",
}


def resource_of(kind: str, caller: str) -> Resource:
    """The object that the table is about: of the owner, in their group."""
    if kind == "site":
        return SITE
    if kind in ("application", "launcher", "example"):
        return Resource(kind, "x")
    grants = (Grant("read", person_id=_OTHER),) if caller == "shared with" else ()
    return Resource(kind, "x", _OWNER, _GROUP, grants)


def answer(permission: Permission, caller: str) -> Answer:
    """What a caller gets: yes, or the status of the refusal."""
    if permission.door == "open":
        return "yes"
    if permission.door == "hub":
        return "401"
    if permission.door == "agent":
        return "yes" if caller == "agent" else "401"
    actor = CALLERS[caller]
    if actor is None:
        return _REFUSED[caller]
    return (
        "yes" if permission.door == "sign-in" else decide(actor, permission.kind, permission.action, caller)
    )


def decide(actor: Actor, kind: str, action: str, caller: str) -> Answer:
    """What the table of rights answers."""
    try:
        authorize(actor, action, resource_of(kind, caller))
    except NotAllowed:
        return "403"
    except NotFound:
        return "404"
    return "yes"


# ---------------------------------------------------------------- the page

_INTRO = """# Who may do what

This page is made from the code by `tools/permissions_page.py`; do not edit it. The tests compare it with the code, and
send the request of every cell of the last table to a running registry.

The registry decides on every call, from the person, the action and the object. An object that a person may not read
gives the same answer as one that does not exist (404). 403 is the answer where the person sees the object but may not do
this with it, and for a token that does not open the registry at all.
"""
_RELATIONS = """
## Relations

A right is given to a *relation* between the person and the object. A role for a group holds only while its holder is in
the group.

| relation | who that is |
|---|---|
"""
_RULES = """
## Rights on objects

For an object of a person, in their group. Data files of a dataset follow its shares.

"""
_ROUTES = """
## Routes

`yes`, or the status of the refusal. In the columns: a caller without a token; the owner of the object; a member of its
group; a member of another group only; manager, data manager and lecturer of its group; an application administrator; an
administrator of the site; a person the object is shared with for reading; a token without a scope of the registry; a
token that has expired; one that was revoked; the file token of an agent.

"""


def page() -> str:
    """docs/permissions.md."""
    people = [caller for caller, actor in CALLERS.items() if actor is not None]
    parts = [_INTRO, _RELATIONS]
    parts += [f"| {relation.replace('_', ' ')} | {text} |\n" for relation, text in RELATIONS.items()]
    parts += [_RULES, *_table(["object", "action", "given to", *people], _rule_rows(people))]
    parts += [_ROUTES, *_table(["route", "needs", *CALLERS], _route_rows())]
    return "".join(parts)


def _table(head: list[str], rows: Iterator[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


def _rule_rows(people: list[str]) -> Iterator[list[str]]:
    order = list(RELATIONS)
    for kind, rules in RULES.items():
        for action, relations in rules.items():
            given = ", ".join(sorted(relations, key=order.index)).replace("_", " ") or "nobody"
            cells = [
                decide(actor, kind, action, caller)
                for caller, actor in CALLERS.items()
                if actor is not None and caller in people
            ]
            yield [kind.replace("_", " "), action.replace("_", " "), given, *cells]


def _route_rows() -> Iterator[list[str]]:
    for (method, path), permission in PERMISSIONS.items():
        needs = {
            "open": "nothing",
            "sign-in": "a sign-in",
            "agent": "a file token",
            "hub": "the hub's service token",
        }.get(permission.door, f"`{permission.action}` on the {permission.kind.replace('_', ' ')}")
        text = f"{needs}; {permission.note}" if permission.note else needs
        yield [f"{method} `{path}`", text, *(answer(permission, caller) for caller in CALLERS)]
