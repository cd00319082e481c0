"""Who may do what, as JupyterHub scopes and roles. What each scope opens is decided in the registry."""

from __future__ import annotations

from typing import Any

SERVICE = "qcrbox"
ADMINISTRATOR_ROLE = "qcrbox-administrator"
APPLICATIONS_ROLE = "qcrbox-application-admin"

USE = "custom:qcrbox:use"
MANAGE = "custom:qcrbox:manage"
DATA = "custom:qcrbox:data"
TEACH = "custom:qcrbox:teach"
APPLICATIONS = "custom:qcrbox:applications"
ADMIN = "custom:qcrbox:admin"
# Held by preview accounts alone, with whose (`!user=`) and of which course (`!group=`) they are.
PREVIEW = "custom:qcrbox:preview"
ALL = [USE, MANAGE, DATA, TEACH, APPLICATIONS, ADMIN]

ACCESS = f"access:services!service={SERVICE}"

SCOPES: dict[str, dict[str, Any]] = {
    USE: {"description": "Use QCrBox: own data, and what is shared with own groups"},
    MANAGE: {"description": "Manage a group: its members, calculations and sessions"},
    DATA: {"description": "Delete and restore a group's data"},
    TEACH: {"description": "Run a course: shelf, exercises, board, collection"},
    APPLICATIONS: {"description": "Approve, pin and retire applications; see launchers"},
    PREVIEW: {
        "description": "Is the preview account of a lecturer: a student of one course who counts nowhere"
    },
    ADMIN: {
        "description": "Administer QCrBox: everything, always audited",
        "subscopes": [USE, MANAGE, DATA, TEACH, APPLICATIONS],
    },
}


def roles() -> list[dict[str, Any]]:
    """The roles that exist from the start; those of a group come with `group_roles`."""
    return [
        {
            # Without JupyterHub's `shares!user`: a person who opens another person's server gives that server a token of
            # their own, with which its owner could act for them in the registry.
            "name": "user",
            "description": "A member: own things, and what is shared with own groups",
            "scopes": ["self", ACCESS, USE],
        },
        {
            # The token of a user's Jupyter server, which kernels use. A scope that its owner does not hold
            # is left out by the hub, and a group filter of the owner's is kept.
            "name": "server",
            "description": "A user's Jupyter server and its kernels",
            "scopes": ["users:activity!user", "access:servers!server", ACCESS, *ALL, PREVIEW],
        },
        {
            "name": ADMINISTRATOR_ROLE,
            "description": "Administrator of QCrBox; every hub administrator has it",
            "scopes": [ADMIN],
        },
        {
            "name": APPLICATIONS_ROLE,
            "description": "Approves, pins and retires applications",
            "scopes": [APPLICATIONS],
        },
        {
            "name": "qcrbox-registry",
            "description": "What the registry may ask the hub: persons and groups",
            "services": [SERVICE],
            # read:users and not its narrower parts: only it includes when an account was made, and without that
            # a new account under an old name would get the old one's data.
            "scopes": ["list:users", "read:users", "read:roles:users", "list:groups"],
        },
    ]


def group_roles(group: str) -> list[dict[str, Any]]:
    """The three roles of a group that a member of it may be given."""
    return [
        {
            "name": f"manager-of-{group}",
            "description": f"Manages the group {group}",
            "scopes": [f"{MANAGE}!group={group}", f"groups!group={group}"],
        },
        {
            "name": f"data-manager-of-{group}",
            "description": f"Deletes and restores data of the group {group}",
            "scopes": [f"{DATA}!group={group}"],
        },
        {
            "name": f"lecturer-of-{group}",
            "description": f"Teaches the group {group} as a course",
            "scopes": [f"{TEACH}!group={group}", f"{MANAGE}!group={group}", f"groups!group={group}"],
        },
    ]
