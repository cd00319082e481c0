"""The sections of the administration, and who sees which."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from qcrbox_hub.accounts import roles


class Power(StrEnum):
    """What a person may administer."""

    ADMINISTRATOR = "administrator"
    APPLICATIONS = "applications"
    GROUPS = "groups"


@dataclass(frozen=True)
class Section:
    """A page of the administration. `path` follows /hub/administration."""

    path: str
    title: str
    icon: str
    powers: frozenset[Power]


_ADMINISTRATOR = frozenset({Power.ADMINISTRATOR})
_APPLICATIONS = frozenset({Power.ADMINISTRATOR, Power.APPLICATIONS})
_GROUPS = frozenset({Power.ADMINISTRATOR, Power.GROUPS})
SECTIONS: tuple[Section, ...] = (
    Section("", "Overview", "gauge", _ADMINISTRATOR),
    Section("/people", "People", "user", _ADMINISTRATOR),
    Section("/groups", "Groups", "users", _GROUPS),
    Section("/invitations", "Invitations", "envelope-open-text", _GROUPS),
    Section("/calculations", "Calculations", "list-ol", _GROUPS),
    Section("/applications", "Applications", "cubes", _APPLICATIONS),
    Section("/launchers", "Launchers and agents", "server", _APPLICATIONS),
    Section("/storage", "Storage", "hard-drive", _ADMINISTRATOR),
    Section("/quotas", "Quotas", "scale-balanced", _ADMINISTRATOR),
    Section("/audit", "Audit", "clipboard-list", _ADMINISTRATOR),
    Section("/logs", "Logs", "file-lines", _ADMINISTRATOR),
    Section("/site", "Site", "gear", _ADMINISTRATOR),
)


def powers_of(scopes: AbstractSet[str]) -> frozenset[Power]:
    """What these scopes of the hub let a person administer."""
    found: set[Power] = set()
    if "admin:users" in scopes and roles.ADMIN in scopes:
        found.add(Power.ADMINISTRATOR)
    if roles.APPLICATIONS in scopes:
        found.add(Power.APPLICATIONS)
    if any(scope.partition("!")[0] == roles.MANAGE for scope in scopes):
        found.add(Power.GROUPS)
    return frozenset(found)


def sections_of(powers: frozenset[Power]) -> list[Section]:
    """The sections that these powers open, in the order of the menu."""
    return [section for section in SECTIONS if section.powers & powers]
