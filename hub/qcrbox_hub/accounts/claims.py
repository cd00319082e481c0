"""Groups and roles that a sign-in provider decides: what it says of a person, mapped by the site's rules.

Only groups and roles that a rule names follow the provider. Everything else stays what administrators made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jupyterhub import orm
from sqlalchemy.orm import Session

from qcrbox_hub.accounts.membership import Membership, give_administrator, give_or_take
from qcrbox_hub.accounts.roles import APPLICATIONS_ROLE
from qcrbox_hub.platform.settings import ClaimRule


def apply_claims(
    session: Session, common_group: str, user: Any, values: Iterable[str], rules: list[ClaimRule]
) -> None:
    """Give and take what the rules name. user: the hub's User. Raises UserInputError for an unusable group name."""
    held = set(values)
    membership = Membership(session, common_group)
    groups = {rule.group for rule in rules if rule.group}
    for group in sorted(groups):
        if orm.Group.find(session, group) is None:
            membership.create(group)
        of_group = [rule for rule in rules if rule.group == group]
        granted = {str(rule.role) for rule in of_group if rule.value in held}
        _set_group(membership, user, group, granted, {str(rule.role) for rule in of_group})
    named = {rule.role for rule in rules if not rule.group}
    granted = {rule.role for rule in rules if not rule.group and rule.value in held}
    if "administrator" in named and bool(user.admin) is not ("administrator" in granted):
        give_administrator(session, user, admin="administrator" in granted)
    if "applications" in named:
        _set_applications(session, user.orm_user, given="applications" in granted)


def _set_group(membership: Membership, user: Any, group: str, granted: set[str], named: set[str]) -> None:
    inside = any(each.name == group for each in user.orm_user.groups)
    if granted and not inside:
        membership.add(group, [user.name])
    elif not granted and inside:
        membership.remove(group, user.name)
        return
    if granted:
        for role in named - {"member"}:
            membership.set_role(group, user.name, role, given=role in granted)


def _set_applications(session: Session, person: Any, *, given: bool) -> None:
    role = orm.Role.find(session, APPLICATIONS_ROLE)
    give_or_take(person, role, given=given)
    session.commit()
