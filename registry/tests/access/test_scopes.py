"""From the hub's scopes to what an actor holds."""

from __future__ import annotations

from qcrbox_registry.access.hub_roles import HubAccount, actor_of
from qcrbox_registry.access.rights import EVERY_GROUP

GROUPS = {"crystals": 1, "powders": 2}


def actor(*scopes, groups=("crystals", "powders"), is_person=True):
    return actor_of(7, HubAccount("ada", is_person, tuple(groups), frozenset(scopes)), GROUPS)


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
    assert not actor("admin:users", "custom:qcrbox:use").admin


def test_a_role_ends_with_the_membership_although_the_hub_keeps_its_scope():
    scopes = [f"custom:qcrbox:{scope}!group=crystals" for scope in ("manage", "data", "teach")]
    before, after = actor(*scopes), actor(*scopes, groups=["powders"])
    assert (before.manages, before.curates, before.teaches) == ({1}, {1}, {1})
    assert (after.manages, after.curates, after.teaches) == (frozenset(), frozenset(), frozenset())


def test_a_service_holds_its_scopes_without_being_in_a_group():
    assert actor("custom:qcrbox:teach!group=crystals", groups=(), is_person=False).teaches == {1}


def test_a_filter_of_another_kind_is_no_group():
    groups = {"bob": 1, "user=bob": 2}
    account = HubAccount("ada", True, tuple(groups), frozenset({"custom:qcrbox:manage!user=bob"}))
    assert actor_of(7, account, groups).manages == frozenset()


def test_scopes_that_only_look_like_ours_give_nothing():
    one = actor("custom:qcrbox:administrator", "custom:qcrbox2:admin", "xcustom:qcrbox:admin")
    assert not one.admin
