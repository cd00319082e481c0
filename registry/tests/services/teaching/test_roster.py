"""Who is in a course."""

from __future__ import annotations

import pytest
from qcrbox_registry.access.identity import GroupMember
from qcrbox_registry.services.teaching.roster import Accounts, Person, people_of

MEMBERS = [
    GroupMember("Zoe"),
    GroupMember("ann", frozenset({"lecturer", "manager"})),
    GroupMember("bob", frozenset({"manager"})),
    GroupMember("carl", frozenset({"data_manager"})),
]

NOBODY = Accounts({}, {})
MADE = "2026-11-01T10:00:00.000001Z"


def test_roles_follow_those_of_the_group():
    found = people_of(MEMBERS, Accounts({"ann": 1, "bob": 2, "Zoe": 3}, {}), [])
    assert [(each.name, each.role, each.person_id) for each in found] == [
        ("ann", "lecturer", 1),
        ("bob", "assistant", 2),
        ("carl", "student", None),
        ("Zoe", "student", 3),
    ]


def test_a_student_who_left_stays_with_their_work():
    found = people_of(MEMBERS, NOBODY, [(9, "gone")])
    assert Person("gone", "student", 9, left=True) in found


def test_a_new_account_of_an_old_name_does_not_get_the_old_work():
    found = people_of([GroupMember("sam")], Accounts({"sam": 5}, {}), [(4, "sam"), (5, "sam")])
    assert [(each.name, each.person_id, each.left) for each in found] == [
        ("sam", 5, False),
        ("sam (earlier account)", 4, True),
    ]


def test_without_a_hub_those_with_work_are_the_class():
    assert people_of(None, NOBODY, [(1, "local")]) == [Person("local", "student", 1)]


@pytest.mark.parametrize(
    ("at_the_hub", "here"), [("old", "new"), ("new", "old")], ids=["seen here", "seen there"]
)
def test_a_renamed_student_is_one_person_whichever_side_knows_the_new_name(at_the_hub, here):
    found = people_of([GroupMember(at_the_hub, created=MADE)], Accounts({}, {MADE: (7, here)}), [(7, here)])
    assert found == [Person(here, "student", 7)]


def test_a_new_account_of_a_renamed_ones_old_name_is_another_person():
    members = [GroupMember("sam", created="later"), GroupMember("samuel", created=MADE)]
    found = people_of(members, Accounts({"sam": 7}, {MADE: (7, "sam")}), [(7, "sam")])
    assert [(each.name, each.person_id) for each in found] == [("sam", None), ("samuel", 7)]
