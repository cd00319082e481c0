"""Who is in a course."""

from __future__ import annotations

from qcrbox_registry.access.identity import GroupMember
from qcrbox_registry.services.teaching.roster import Person, people_of

MEMBERS = [
    GroupMember("Zoe"),
    GroupMember("ann", frozenset({"lecturer", "manager"})),
    GroupMember("bob", frozenset({"manager"})),
    GroupMember("carl", frozenset({"data_manager"})),
]


def test_roles_follow_those_of_the_group():
    found = people_of(MEMBERS, {"ann": 1, "bob": 2, "Zoe": 3}, [])
    assert [(each.name, each.role, each.person_id) for each in found] == [
        ("ann", "lecturer", 1),
        ("bob", "assistant", 2),
        ("carl", "student", None),
        ("Zoe", "student", 3),
    ]


def test_a_student_who_left_stays_with_their_work():
    found = people_of(MEMBERS, {}, [(9, "gone")])
    assert Person("gone", "student", 9, left=True) in found


def test_a_new_account_of_an_old_name_does_not_get_the_old_work():
    found = people_of([GroupMember("sam")], {"sam": 5}, [(4, "sam"), (5, "sam")])
    assert [(each.name, each.person_id, each.left) for each in found] == [
        ("sam", 5, False),
        ("sam (earlier account)", 4, True),
    ]


def test_without_a_hub_those_with_work_are_the_class():
    assert people_of(None, {}, [(1, "local")]) == [Person("local", "student", 1)]
