"""The table of rights, cell by cell: yes, 403 (seen but not allowed) or 404 (not there for this person)."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound
from qcrbox_registry.access.rights import EVERY_GROUP, RULES, Actor, Grant, Resource, authorize, missing

OWNER, OTHER, GROUP, FOREIGN = 1, 2, 10, 11

ACTORS = {
    "owner": Actor(OWNER, "ada", {"g": GROUP}),
    "owner who left the group": Actor(OWNER, "ada"),
    "member": Actor(OTHER, "bob", {"g": GROUP}),
    "manager": Actor(OTHER, "bob", manages=frozenset({GROUP})),
    "data manager": Actor(OTHER, "bob", curates=frozenset({GROUP})),
    "lecturer": Actor(OTHER, "bob", manages=frozenset({GROUP}), teaches=frozenset({GROUP})),
    "reader": Actor(3, "rea"),
    "writer": Actor(4, "wri"),
    "group reader": Actor(OTHER, "bob", {"f": FOREIGN}),
    "manager elsewhere": Actor(OTHER, "bob", {"x": 99}, manages=frozenset({99}), curates=frozenset({99})),
    "stranger": Actor(OTHER, "bob"),
    "application admin": Actor(OTHER, "bob", application_admin=True),
    "manager of every group": Actor(OTHER, "bob", manages=frozenset({EVERY_GROUP})),
    "administrator": Actor(OTHER, "root", admin=True),
}
GRANTS = (Grant("read", person_id=3), Grant("write", person_id=4), Grant("read", group_id=FOREIGN))
RESOURCES = {
    "dataset": Resource("dataset", "d", OWNER, GROUP, GRANTS),
    "data_file": Resource("data_file", "f", OWNER, GROUP, GRANTS),
    "example": Resource("example", "e"),
    "calculation": Resource("calculation", "c", OWNER, GROUP, (GRANTS[0], GRANTS[2])),
    "session": Resource("session", "s", OWNER, GROUP),
    "session to look at": Resource("session", "s", OWNER, GROUP, view_only_allowed=True),
    "application": Resource("application", "a"),
    "restricted application": Resource("application", "a", restricted_to=frozenset({GROUP})),
    "launcher": Resource("launcher", "l"),
    "site": Resource("site", "x"),
    "upload": Resource("upload", "u", OWNER, GROUP),
    "private upload": Resource("upload", "u", OWNER),
    "course": Resource("course", "c", None, GROUP),
    "exercise": Resource("exercise", "e", None, GROUP),
    "hidden_exercise": Resource("hidden_exercise", "e", None, GROUP),
    "snapshot": Resource("snapshot", "s", OWNER, GROUP),
    "private calculation of a course": Resource("calculation", "c", OWNER, taught_in=frozenset({GROUP})),
    "private session of a course": Resource("session", "s", OWNER, taught_in=frozenset({GROUP})),
    "private file of a course": Resource("data_file", "f", OWNER, taught_in=frozenset({GROUP})),
}
# resource, action: who may, who sees it without being allowed. Everybody else gets 404.
_OWNERS = {"owner", "owner who left the group"}
_DATA_SEEN = {*_OWNERS, "member", "manager", "lecturer", "data manager", "reader", "writer", "group reader",
              "manager of every group", "administrator"}  # fmt: skip
_RUN_SEEN = {*_OWNERS, "member", "manager", "lecturer", "reader", "group reader", "manager of every group",
             "administrator"}  # fmt: skip
_SESSION_SEEN = {*_OWNERS, "manager", "lecturer", "manager of every group", "administrator"}
_STAFF = {"manager", "lecturer", "manager of every group", "administrator"}
_COURSE = {"owner", "member", *_STAFF}
_ALL = set(ACTORS)
EXPECTED: dict[tuple[str, str], tuple[set[str], set[str]]] = {
    **{
        (kind, action): (allowed, _DATA_SEEN)
        for kind in ("dataset", "data_file")
        for action, allowed in {
            "read": _DATA_SEEN,
            "append": {*_OWNERS, "writer", "administrator"},
            "change": {*_OWNERS, "administrator"},
            "tag": {*_OWNERS, "writer", "administrator"},
            "share": {*_OWNERS, "administrator"},
            "delete": {*_OWNERS, "data manager", "administrator"},
            "restore": {*_OWNERS, "data manager", "administrator"},
        }.items()
    },
    ("example", "read"): (_ALL, _ALL),
    **{
        ("example", action): (set(), _ALL)
        for action in ("append", "change", "tag", "share", "delete", "restore")
    },
    ("calculation", "read"): (_RUN_SEEN, _RUN_SEEN),
    ("calculation", "cancel"): (
        {*_OWNERS, "manager", "lecturer", "manager of every group", "administrator"},
        _RUN_SEEN,
    ),
    ("calculation", "tag"): ({*_OWNERS, "administrator"}, _RUN_SEEN),
    ("calculation", "rename"): ({*_OWNERS, "administrator"}, _RUN_SEEN),
    ("calculation", "share"): ({*_OWNERS, "administrator"}, _RUN_SEEN),
    ("calculation", "change"): (set(), _RUN_SEEN),
    ("calculation", "delete"): (set(), _RUN_SEEN),
    ("session", "read"): (_SESSION_SEEN, _SESSION_SEEN),
    ("session", "open"): ({"owner"}, _SESSION_SEEN),
    ("session", "view"): ({"owner"}, _SESSION_SEEN),
    ("session", "end"): (_SESSION_SEEN, _SESSION_SEEN),
    ("session", "discard"): ({*_OWNERS, "administrator"}, _SESSION_SEEN),
    ("session", "allow_view"): ({"owner"}, _SESSION_SEEN),
    ("session to look at", "view"): (
        {"owner", "manager", "lecturer", "manager of every group"},
        _SESSION_SEEN,
    ),
    ("session to look at", "open"): ({"owner"}, _SESSION_SEEN),
    ("application", "read"): (_ALL, _ALL),
    ("application", "run"): (_ALL, _ALL),
    ("application", "manage"): ({"application admin", "administrator"}, _ALL),
    **{
        ("restricted application", action): (
            {"owner", "member", "application admin", "administrator"},
            {"owner", "member", "application admin", "administrator"},
        )
        for action in ("read", "run")
    },
    ("restricted application", "manage"): (
        {"application admin", "administrator"},
        {"owner", "member", "application admin", "administrator"},
    ),
    **{
        ("launcher", action): ({"application admin", "administrator"}, {"application admin", "administrator"})
        for action in ("read", "manage")
    },
    **{("upload", action): (_OWNERS, _OWNERS) for action in ("read", "send", "delete")},
    ("upload", "complete"): ({"owner"}, _OWNERS),
    ("private upload", "complete"): (_OWNERS, _OWNERS),
    **{(kind, "read"): (_COURSE, _COURSE) for kind in ("course", "exercise")},
    ("exercise", "do"): (_COURSE, _COURSE),
    **{(kind, "supervise"): (_STAFF, _COURSE) for kind in ("course", "exercise")},
    **{(kind, "teach"): ({"lecturer", "administrator"}, _COURSE) for kind in ("course", "exercise")},
    **{("hidden_exercise", action): (_STAFF, _STAFF) for action in ("read", "do", "supervise")},
    ("hidden_exercise", "teach"): ({"lecturer", "administrator"}, _STAFF),
    ("snapshot", "read"): ({*_OWNERS, *_STAFF}, {*_OWNERS, *_STAFF}),
    ("snapshot", "supervise"): (_STAFF, {*_OWNERS, *_STAFF}),
    **{
        ("private calculation of a course", action): ({*_OWNERS, *_STAFF}, {*_OWNERS, *_STAFF})
        for action in ("read", "cancel")
    },
    ("private calculation of a course", "rename"): ({*_OWNERS, "administrator"}, {*_OWNERS, *_STAFF}),
    ("private session of a course", "read"): ({*_OWNERS, *_STAFF}, {*_OWNERS, *_STAFF}),
    ("private session of a course", "open"): (_OWNERS, {*_OWNERS, *_STAFF}),
    ("private file of a course", "read"): ({*_OWNERS, *_STAFF}, {*_OWNERS, *_STAFF}),
    ("private file of a course", "delete"): ({*_OWNERS, "administrator"}, {*_OWNERS, *_STAFF}),
    ("site", "monitor"): ({"application admin", "administrator"}, {"administrator"}),
    **{("site", action): ({"administrator"}, {"administrator"}) for action in ("read", "manage", "audit")},
}
CELLS = [
    (resource, action, who, "yes" if who in allowed else "403" if who in seen else "404")
    for (resource, action), (allowed, seen) in EXPECTED.items()
    for who in ACTORS
]


@pytest.mark.parametrize(("resource", "action", "who", "answer"), CELLS, ids=lambda value: str(value))
def test_cell(resource, action, who, answer):
    def ask():
        authorize(ACTORS[who], action, RESOURCES[resource])

    if answer == "yes":
        ask()
    else:
        with pytest.raises(NotAllowed if answer == "403" else NotFound):
            ask()


def test_every_rule_of_the_code_is_in_this_table():
    kinds = {name: RESOURCES[name].kind for name in RESOURCES}
    covered = {(kinds[resource], action) for resource, action in EXPECTED}
    assert {(kind, action) for kind, rules in RULES.items() for action in rules} <= covered


def test_an_action_nobody_wrote_down_is_nobodys():
    with pytest.raises(NotAllowed):
        authorize(ACTORS["owner"], "frobnicate", RESOURCES["dataset"])


def test_hidden_and_missing_are_the_same_answer():
    with pytest.raises(NotFound) as hidden:
        authorize(ACTORS["stranger"], "read", RESOURCES["dataset"])
    assert hidden.value.envelope() == missing("dataset", "d").envelope()
