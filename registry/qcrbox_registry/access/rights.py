"""Who may do what: the table of rights. Pure policy: no store, no HTTP.

`RULES` says for every kind of object and action which relations to the object allow the action. `authorize` raises
NotFound where the person may not read the object (the same answer as for an object that does not exist) and
NotAllowed where they see it but may not act on it. Lists follow the same table through `access.reach`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from qcrbox.contract.errors import NotAllowed, NotFound

EVERY_GROUP = 0  # in a set of group ids: the scope came without a group filter
MOST_NOTICED = 100


@dataclass(frozen=True, slots=True)
class PreviewOf:
    """Whose preview account the caller is, and of which course."""

    owner: str
    group: str
    group_id: int


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller with the groups and roles that the hub gives at this moment."""

    person_id: int
    name: str
    groups: dict[str, int] = field(default_factory=dict)  # name -> id
    manages: frozenset[int] = frozenset()
    curates: frozenset[int] = frozenset()  # data manager of
    teaches: frozenset[int] = frozenset()
    admin: bool = False
    application_admin: bool = False
    address: str = ""
    preview: PreviewOf | None = None  # a preview account of a lecturer or assistant; None: a person
    # What only the administrator's right allowed in this request: (action, kind, id). Audited with the answer.
    noticed: list[tuple[str, str, str]] | None = field(default=None, compare=False)

    @property
    def group_ids(self) -> frozenset[int]:
        """Ids of the groups the person is in."""
        return frozenset(self.groups.values())

    def roles(self) -> dict[str, list[str]]:
        """Role -> names of groups, or ["*"] for every group."""
        names = {group_id: name for name, group_id in self.groups.items()}

        def shown(ids: frozenset[int]) -> list[str]:
            if EVERY_GROUP in ids:
                return ["*"]
            return sorted(names.get(group_id, str(group_id)) for group_id in ids)

        roles = {
            "manager": shown(self.manages),
            "data_manager": shown(self.curates),
            "lecturer": shown(self.teaches),
        }
        if self.application_admin:
            roles["application_admin"] = ["*"]
        if self.admin:
            roles["administrator"] = ["*"]
        return {role: groups for role, groups in roles.items() if groups}


@dataclass(frozen=True, slots=True)
class Grant:
    """A share of the object that holds at this moment."""

    mode: str  # read | write
    person_id: int | None = None
    group_id: int | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """What the rights need to know of an object."""

    kind: str  # a key of RULES
    id: str
    owner_id: int | None = None
    group_id: int | None = None
    grants: tuple[Grant, ...] = ()
    restricted_to: frozenset[int] | None = None  # of an application: groups; None = everybody
    view_only_allowed: bool = False
    taught_in: frozenset[int] = frozenset()  # groups whose courses the object belongs to


SITE = Resource("site", "registry")

# What each relation means. The order is that of the columns in docs/permissions.md.
RELATIONS: dict[str, str] = {
    "everybody": "every signed-in person",
    "owner": "the person who made the object",
    "present_owner": "the owner, while they are in the home group of the object (or it has none)",
    "member": "a member of the home group",
    "manager": "a manager or lecturer of the home group",
    "curator": "a data manager of the home group",
    "reader": "a person the object is shared with",
    "writer": "a person the object is shared with for writing",
    "viewer": "a manager of the home group, while the owner allows viewing",
    "lecturer": "a lecturer of the home group",
    "teacher": "a lecturer or assistant of a course that the object belongs to",
    "allowed_group": "a member of a group the application is restricted to; everybody, when it is not restricted",
    "application_admin": "an application administrator",
    "admin": "an administrator; always audited",
}
_DATA = {
    "read": {"owner", "member", "manager", "curator", "reader", "writer", "teacher", "admin"},
    "append": {"owner", "writer", "admin"},
    "change": {"owner", "admin"},  # name, description, home group
    "tag": {"owner", "writer", "admin"},
    "share": {"owner", "admin"},
    "delete": {"owner", "curator", "admin"},
    "restore": {"owner", "curator", "admin"},
}
RULES: dict[str, dict[str, set[str]]] = {
    "dataset": _DATA,
    "data_file": _DATA,
    "example": {"read": {"everybody", "admin"}},
    "calculation": {
        "read": {"owner", "member", "manager", "reader", "teacher", "admin"},
        "cancel": {"owner", "manager", "teacher", "admin"},
        "tag": {"owner", "admin"},
        "rename": {"owner", "admin"},  # its title
        "share": {"owner", "admin"},
        "change": set(),  # the record is never changed
        "delete": set(),
    },
    "session": {
        "read": {"owner", "manager", "teacher", "admin"},  # that it exists, and its state
        "open": {"present_owner"},
        "view": {"present_owner", "viewer"},
        "end": {"owner", "manager", "admin"},
        "discard": {"owner", "admin"},
        "allow_view": {"present_owner"},
    },
    "application": {
        "read": {"allowed_group", "application_admin", "admin"},
        "run": {"allowed_group", "application_admin", "admin"},
        "manage": {"application_admin", "admin"},
    },
    "upload": {"read": {"owner"}, "send": {"owner"}, "complete": {"present_owner"}, "delete": {"owner"}},
    # A course is a group; its managers assist the lecturers.
    "course": {
        "read": {"member", "manager", "admin"},
        "supervise": {"manager", "admin"},
        "teach": {"lecturer", "admin"},
    },
    "exercise": {
        "read": {"member", "manager", "admin"},
        "do": {"member", "manager", "admin"},
        "supervise": {"manager", "admin"},  # board, notes, marks, more time
        "teach": {"lecturer", "admin"},  # change, collect, release
    },
    "hidden_exercise": {
        "read": {"manager", "admin"},
        "do": {"manager", "admin"},
        "supervise": {"manager", "admin"},
        "teach": {"lecturer", "admin"},
    },
    "snapshot": {"read": {"owner", "manager", "admin"}, "supervise": {"manager", "admin"}},
    "launcher": {"read": {"application_admin", "admin"}, "manage": {"application_admin", "admin"}},
    "site": {
        "read": {"admin"},
        "manage": {"admin"},
        "audit": {"admin"},
        "monitor": {"application_admin", "admin"},
    },
}
_NAMES = {
    "example": "dataset",
    "data_file": "data file",
    "session": "interactive session",
    "site": "page",
    "hidden_exercise": "exercise",
}
_WHO = {
    "owner": "its owner",
    "present_owner": "its owner, while in its group",
    "manager": "the managers of its group",
    "curator": "the data managers of its group",
    "writer": "people it is shared with for writing",
    "viewer": "the managers of its group, if its owner lets them view it",
    "lecturer": "the lecturers of the course",
    "teacher": "the lecturers and assistants of its course",
    "application_admin": "application administrators",
}


def relations(actor: Actor, resource: Resource) -> set[str]:
    """How the actor relates to the object, in the terms of RULES."""
    found = {"everybody"}
    groups = actor.group_ids
    if resource.owner_id is not None and resource.owner_id == actor.person_id:
        found.add("owner")
        if resource.group_id is None or resource.group_id in groups:
            found.add("present_owner")
    if resource.group_id is not None:
        if resource.group_id in groups:
            found.add("member")
        if {resource.group_id, EVERY_GROUP} & actor.manages:
            found.add("manager")
        if {resource.group_id, EVERY_GROUP} & actor.curates:
            found.add("curator")
        if {resource.group_id, EVERY_GROUP} & actor.teaches:
            found.add("lecturer")
    if resource.taught_in and ({EVERY_GROUP} | resource.taught_in) & actor.manages:
        found.add("teacher")
    for grant in resource.grants:
        if grant.person_id == actor.person_id or (grant.group_id is not None and grant.group_id in groups):
            found.add("writer" if grant.mode == "write" else "reader")
    if resource.kind == "session" and resource.view_only_allowed and "manager" in found:
        found.add("viewer")
    if resource.restricted_to is None or resource.restricted_to & groups:
        found.add("allowed_group")
    if actor.application_admin:
        found.add("application_admin")
    if actor.admin:
        found.add("admin")
    return found


def allows(actor: Actor, action: str, resource: Resource) -> bool:
    """Whether the table allows this action. Unknown actions are denied."""
    return bool(RULES[resource.kind].get(action, set()) & relations(actor, resource))


def notice(actor: Actor, action: str, kind: str, object_id: str = "") -> None:
    """Remember that only the administrator's right allowed this, for the audit trail."""
    if actor.admin and actor.noticed is not None and len(actor.noticed) < MOST_NOTICED:
        actor.noticed.append((action, kind, object_id))


def missing(kind: str, object_id: object) -> NotFound:
    """The answer for an object that does not exist and for one that is hidden."""
    return NotFound(f"There is no {_NAMES.get(kind, kind)} {str(object_id)[:200]!r}.")


def authorize(actor: Actor, action: str, resource: Resource) -> None:
    """Raises NotFound when the actor may not read the object, NotAllowed when they may read it but not do this."""
    rules, held = RULES[resource.kind], relations(actor, resource)
    allowing = rules.get(action, set()) & held
    if allowing:
        if allowing == {"admin"} and resource.owner_id is not None:
            notice(actor, action, resource.kind, resource.id)
        return
    if not rules["read"] & held:
        raise missing(resource.kind, resource.id)
    raise _not_allowed(action, resource, sorted(rules.get(action, set()) - {"admin"}))


def _not_allowed(action: str, resource: Resource, who: Sequence[str]) -> NotAllowed:
    allowed = ", ".join(_WHO.get(relation, relation) for relation in who)
    return NotAllowed(
        f"You may see this {_NAMES.get(resource.kind, resource.kind)} but not {action.replace('_', ' ')} it.",
        why=f"Allowed to do so: {allowed}." if allowed else "The record is never changed.",
        action=action,
    )


class OwnedEvent(Protocol):
    """An event about an object; without an owner everybody may see it."""

    @property
    def kind(self) -> str:
        """Kind of the object that changed."""

    @property
    def object_id(self) -> str:
        """Id of the object that changed."""

    @property
    def owner_id(self) -> int | None:
        """Person who owns the object; None for objects of the site."""

    @property
    def group_id(self) -> int | None:
        """Group that the object belongs to; None for a private object."""

    @property
    def payload(self) -> Mapping[str, Any]:
        """What else the event says; of a share, to whom under `to`."""


# Which table row decides who sees an event; events of other kinds follow the calculation.
_EVENT_RULES = {"dataset": "dataset", "data_file": "data_file", "session": "session"}


def _is_receiver(actor: Actor, to: Mapping[str, int | None]) -> bool:
    """Whether something was just shared with the actor, or is not any more. to: person_id or group_id."""
    return to.get("person_id") == actor.person_id or to.get("group_id") in actor.group_ids


def sees_event(actor: Actor, event: OwnedEvent, shared: frozenset[str] = frozenset()) -> bool:
    """Whether an event may be sent to the actor. `shared`: ids of objects shared with them."""
    if actor.admin or event.owner_id in (None, actor.person_id) or event.object_id in shared:
        return True
    if event.kind == "share" and _is_receiver(actor, event.payload.get("to") or {}):
        return True
    if event.group_id is None:
        return False  # asked for every event and every stream, so the common cases come first
    kind = _EVENT_RULES.get(event.kind, "calculation")
    return allows(actor, "read", Resource(kind, event.object_id, event.owner_id, event.group_id))
