"""From the hub's scopes to what an actor holds."""

from __future__ import annotations

from qcrbox_registry.access.identity import actor_of
from qcrbox_registry.access.rights import EVERY_GROUP

GROUPS = {"crystals": 1, "powders": 2}


def actor(*scopes, groups=(), **more):
    return actor_of(7, "ada", set(scopes), list(groups), GROUPS, **more)


def test_a_plain_member_holds_nothing_but_their_groups():
    one = actor("custom:qcrbox:use", groups=["crystals"])
    assert one.groups == {"crystals": 1}
    assert [one.manages, one.curates, one.teaches] == [frozenset()] * 3
    assert not one.admin
    assert not one.application_admin


def test_a_filtered_scope_holds_for_its_group_only():
    one = actor("custom:qcrbox:manage!group=crystals", "custom:qcrbox:data!group=powders")
    assert (one.manages, one.curates) == ({1}, {2})


def test_a_scope_without_filter_holds_for_every_group():
    assert actor("custom:qcrbox:manage").manages == {EVERY_GROUP}


def test_a_lecturer_is_a_manager_of_the_course():
    one = actor("custom:qcrbox:teach!group=crystals")
    assert (one.teaches, one.manages) == ({1}, {1})


def test_a_filter_we_do_not_know_gives_nothing():
    assert actor("custom:qcrbox:manage!user=bob", "custom:qcrbox:manage!group=unknown").manages == frozenset()


def test_a_hub_administrator_without_our_scope_is_a_member():
    assert not actor("admin:users", "custom:qcrbox:use", hub_admin=True).admin


def test_scopes_that_only_look_like_ours_give_nothing():
    one = actor("custom:qcrbox:administrator", "custom:qcrbox2:admin", "xcustom:qcrbox:admin")
    assert not one.admin
