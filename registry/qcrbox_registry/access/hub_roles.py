"""What the scopes of an account at the hub allow here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qcrbox.contract.previews import is_preview

from qcrbox_registry.access.rights import EVERY_GROUP, Actor, PreviewOf

NO_GROUP = -1


@dataclass(frozen=True, slots=True)
class HubAccount:
    """What the hub answers about the holder of a token."""

    name: str
    is_person: bool
    groups: tuple[str, ...]
    scopes: frozenset[str]


def actor_of(person_id: int, account: HubAccount, group_ids: Mapping[str, int]) -> Actor:
    """The actor with the roles of the account's scopes.

    A role for a group holds only while the person is in the group, whatever the scope says: the hub keeps roles of
    people who were removed from a group. A hub administrator without our scope is a plain member here.
    """

    def groups_with(scope: str) -> frozenset[int]:
        found: set[int] = set()
        for held in account.scopes:
            base, _, filtered = held.partition("!")
            if base != f"custom:qcrbox:{scope}":
                continue
            if not filtered:
                found.add(EVERY_GROUP)
                continue
            kind, _, group = filtered.partition("=")
            if kind == "group" and group in group_ids and (group in account.groups or not account.is_person):
                found.add(group_ids[group])
        return frozenset(found)

    teaches = groups_with("teach")
    return Actor(
        person_id=person_id,
        name=account.name,
        groups={group: group_ids[group] for group in account.groups if group in group_ids},
        manages=groups_with("manage") | teaches,  # a lecturer is a group manager and more
        curates=groups_with("data"),
        teaches=teaches,
        admin="custom:qcrbox:admin" in account.scopes,
        application_admin="custom:qcrbox:applications" in account.scopes,
        preview=_preview_of(account, group_ids),
    )


def _preview_of(account: HubAccount, group_ids: Mapping[str, int]) -> PreviewOf | None:
    """Whose preview account this is: by its name, which no person can have, and by scopes that the hub gives it alone."""
    if not (account.is_person and is_preview(account.name)):
        return None
    filters = [each.partition("!")[2] for each in account.scopes if each.startswith("custom:qcrbox:preview!")]
    found = {kind: value for kind, _, value in (each.partition("=") for each in filters)}
    group = found.get("group", "")
    # Outside its course it is the preview of no course, but still no student.
    group_id = group_ids[group] if group in account.groups and group in group_ids else NO_GROUP
    return PreviewOf(found.get("user", "?"), group, group_id)


def filtered_groups(scopes: Iterable[str]) -> set[str]:
    """Names of the groups that scopes of ours are limited to."""
    marked = (scope.partition("!group=") for scope in scopes if scope.startswith("custom:qcrbox:"))
    return {group for _, mark, group in marked if mark and group}
