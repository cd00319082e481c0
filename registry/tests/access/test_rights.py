"""What the table of cells cannot show: roles as text, notices, refusals, events."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound
from qcrbox_registry.access.audit import LONGEST_ID, entry, refusal
from qcrbox_registry.access.rights import (
    EVERY_GROUP,
    MOST_NOTICED,
    RULES,
    Actor,
    Grant,
    Resource,
    allows,
    authorize,
    missing,
    notice,
    relations,
    sees_event,
)

ADA, BOB, GROUP, OTHER = 1, 2, 10, 11


@pytest.mark.parametrize(
    ("actor", "roles"),
    [
        (Actor(1, "a"), {}),
        (Actor(1, "a", {"b": 2, "a": 1}, manages=frozenset({1, 2})), {"manager": ["a", "b"]}),
        (Actor(1, "a", manages=frozenset({EVERY_GROUP, 5})), {"manager": ["*"]}),
        (Actor(1, "a", curates=frozenset({7})), {"data_manager": ["7"]}),
        (
            Actor(1, "a", {"g": 1}, manages=frozenset({1}), teaches=frozenset({1}), admin=True),
            {"manager": ["g"], "lecturer": ["g"], "administrator": ["*"]},
        ),
        (Actor(1, "a", application_admin=True), {"application_admin": ["*"]}),
    ],
    ids=["none", "two groups", "every group", "not a member", "lecturer and administrator", "applications"],
)
def test_roles_are_named_with_their_groups(actor, roles):
    assert actor.roles() == roles


@pytest.mark.parametrize(
    ("grant", "actor", "relation"),
    [
        (Grant("read", person_id=BOB), Actor(BOB, "bob"), "reader"),
        (Grant("write", person_id=BOB), Actor(BOB, "bob"), "writer"),
        (Grant("write", group_id=GROUP), Actor(BOB, "bob", {"g": GROUP}), "writer"),
        (Grant("read", group_id=OTHER), Actor(BOB, "bob", {"g": GROUP}), None),
        (Grant("read", person_id=3), Actor(BOB, "bob"), None),
        (Grant("read"), Actor(BOB, "bob"), None),
    ],
)
def test_a_share_is_a_relation_to_those_it_names(grant, actor, relation):
    held = relations(actor, Resource("dataset", "d", ADA, None, (grant,)))
    assert held & {"reader", "writer"} == ({relation} if relation else set())


def test_managing_every_group_is_no_right_over_private_things():
    everywhere = Actor(BOB, "bob", manages=frozenset({EVERY_GROUP}), curates=frozenset({EVERY_GROUP}))
    assert not allows(everywhere, "read", Resource("calculation", "c", ADA, None))
    assert allows(everywhere, "read", Resource("calculation", "c", ADA, GROUP))


@pytest.mark.parametrize("kind", ["dataset", "calculation", "data_file"])
def test_viewing_is_for_sessions_only(kind):
    manager = Actor(BOB, "bob", manages=frozenset({GROUP}))
    assert "viewer" not in relations(manager, Resource(kind, "x", ADA, GROUP, view_only_allowed=True))


@pytest.mark.parametrize("groups", [{}, {"x": OTHER}])
def test_an_application_restricted_to_no_group_is_for_administrators_alone(groups):
    resource = Resource("application", "a", restricted_to=frozenset())
    assert not allows(Actor(BOB, "bob", groups), "run", resource)
    assert allows(Actor(BOB, "bob", application_admin=True), "run", resource)


# ------------------------------------------------------------ notices


def test_what_only_the_administrators_right_allows_is_noticed():
    root = Actor(9, "root", admin=True, noticed=[])
    authorize(root, "delete", Resource("dataset", "d", ADA))
    assert root.noticed == [("delete", "dataset", "d")]


@pytest.mark.parametrize(
    "resource",
    [Resource("dataset", "d", 9), Resource("example", "e"), Resource("site", "registry")],
    ids=["own", "for everybody", "of the site"],
)
def test_what_they_could_do_anyway_is_not_noticed(resource):
    root = Actor(9, "root", admin=True, noticed=[])
    authorize(root, "read", resource)
    assert root.noticed == []


def test_notices_have_an_end():
    root = Actor(9, "root", admin=True, noticed=[])
    for number in range(MOST_NOTICED + 50):
        notice(root, "read", "dataset", str(number))
    assert len(root.noticed) == MOST_NOTICED


@pytest.mark.parametrize(
    "actor", [Actor(1, "a", noticed=[]), Actor(1, "a", admin=True)], ids=["person", "no list"]
)
def test_nothing_is_noticed_of_others(actor):
    notice(actor, "read", "dataset", "d")
    assert not actor.noticed


# ------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("kind", "action", "what", "why"),
    [
        ("data_file", "share", "this data file but not share it", "Allowed to do so: its owner."),
        ("dataset", "delete", "this dataset but not delete it", "the data managers of its group, its owner."),
        ("calculation", "change", "this calculation but not change it", "The record is never changed."),
        ("calculation", "delete", "this calculation but not delete it", "The record is never changed."),
        (
            "session",
            "allow_view",
            "this interactive session but not allow view it",
            "its owner, while in its group",
        ),
    ],
)
def test_a_refusal_says_who_may(kind, action, what, why):
    manager = Actor(BOB, "bob", {"g": GROUP}, manages=frozenset({GROUP}))
    with pytest.raises(NotAllowed) as refused:
        authorize(manager, action, Resource(kind, "x", ADA, GROUP))
    assert what in refused.value.what
    assert why in refused.value.why
    assert refused.value.fields["action"] == action


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("dataset", "There is no dataset 'x'."),
        ("example", "There is no dataset 'x'."),
        ("data_file", "There is no data file 'x'."),
        ("site", "There is no page 'x'."),
        ("upload", "There is no upload 'x'."),
    ],
)
def test_what_is_hidden_is_called_by_its_name(kind, text):
    assert missing(kind, "x").what == text


def test_a_long_id_is_cut():
    assert len(missing("dataset", "x" * 10_000).what) < 250


@pytest.mark.parametrize("kind", RULES)
def test_an_action_that_is_not_in_the_table_is_denied_even_to_administrators(kind):
    root = Actor(ADA, "root", {"g": GROUP}, admin=True, application_admin=True)
    assert not allows(root, "frobnicate", Resource(kind, "x", ADA, GROUP))


def test_who_may_do_something_may_also_read():
    """Else a 404 would tell of an object that can be changed."""
    for kind, rules in RULES.items():
        for action, allowed in rules.items():
            weaker = {"present_owner": "owner", "viewer": "manager", "lecturer": "manager"}
            needed = {weaker.get(relation, relation) for relation in allowed}
            if kind == "site":
                needed -= {"application_admin"}  # the page of the monitor, not the site
            assert needed <= rules["read"], (kind, action)


# ------------------------------------------------------------ events


def event(kind="calculation", owner=ADA, group=None, object_id="x", **payload):
    return SimpleNamespace(kind=kind, object_id=object_id, owner_id=owner, group_id=group, payload=payload)


MEMBER = Actor(BOB, "bob", {"g": GROUP})
MANAGER = Actor(BOB, "bob", manages=frozenset({GROUP}))
CURATOR = Actor(BOB, "bob", curates=frozenset({GROUP}))


@pytest.mark.parametrize(
    ("actor", "of", "sees"),
    [
        (Actor(ADA, "ada"), event(), True),
        (Actor(BOB, "bob"), event(), False),
        (Actor(BOB, "bob", admin=True), event(), True),
        (Actor(BOB, "bob"), event("application", owner=None), True),
        (MEMBER, event(), False),
        (MEMBER, event(group=GROUP), True),
        (MEMBER, event(group=OTHER), False),
        (MEMBER, event("session", group=GROUP), False),
        (MANAGER, event("session", group=GROUP), True),
        (CURATOR, event("dataset", group=GROUP), True),
        (CURATOR, event("calculation", group=GROUP), False),
        (MEMBER, event("data_file", group=GROUP), True),
        (MEMBER, event("log", group=GROUP), True),
        (CURATOR, event("log", group=GROUP), False),
        (Actor(BOB, "bob"), event("share", to={"person_id": BOB, "group_id": None}), True),
        (Actor(BOB, "bob"), event("share", to={"person_id": None, "group_id": GROUP}), False),
        (MEMBER, event("share", to={"person_id": None, "group_id": GROUP}), True),
        (MEMBER, event("share", to={"person_id": None, "group_id": OTHER}), False),
        (MEMBER, event("share", to={}), False),
        (MEMBER, event("dataset", to={"person_id": BOB}), False),
    ],
)
def test_events_follow_the_rights_to_read(actor, of, sees):
    assert sees_event(actor, of) is sees


def test_events_of_what_is_shared_reach_those_it_is_shared_with():
    assert sees_event(Actor(BOB, "bob"), event(object_id="x"), frozenset({"x"}))
    assert not sees_event(Actor(BOB, "bob"), event(object_id="y"), frozenset({"x"}))


# ------------------------------------------------------------ entries of the audit trail


def test_an_entry_says_who_did_what_from_where():
    ada = Actor(ADA, "ada", address="10.0.0.7")
    made = entry(ada, "delete", 5.0, kind="dataset", object_id="d", files=3)
    assert (made.at, made.who, made.who_id, made.address) == (5.0, "ada", ADA, "10.0.0.7")
    assert (made.action, made.kind, made.object_id, made.details) == ("delete", "dataset", "d", {"files": 3})
    assert made.allowed is True


def test_a_refusal_is_an_entry_too_and_its_id_is_cut():
    made = refusal(Actor(ADA, "ada"), "read", 5.0, kind="dataset", object_id="x" * 500)
    assert made.allowed is False
    assert len(made.object_id) == LONGEST_ID


def test_hidden_and_missing_are_one_text():
    with pytest.raises(NotFound) as hidden:
        authorize(Actor(BOB, "bob"), "delete", Resource("dataset", "x", ADA))
    assert hidden.value.what == missing("dataset", "x").what
