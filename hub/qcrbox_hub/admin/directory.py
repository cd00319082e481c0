"""People and groups of the hub, a page of a table at a time. The cost depends on the page, not on the number of people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jupyterhub import orm
from jupyterhub.utils import utcnow
from qcrbox.contract.errors import NotFound
from qcrbox.contract.previews import PREFIX
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from qcrbox_hub.accounts.membership import GROUP_ROLES, role_name
from qcrbox_hub.accounts.previews import Previews, shown_as
from qcrbox_hub.accounts.roles import APPLICATIONS_ROLE
from qcrbox_hub.accounts.tables import RequestRow
from qcrbox_hub.admin.tables import Asked

ONLINE = timedelta(minutes=10)
PORTION = 500
STATES = {
    "": "Everyone",
    "online": "On line",
    "administrators": "Administrators",
    "applications": "Application administrators",
    "locked": "Locked",
    "never": "Never active",
    "previews": "Preview accounts",
}

# Preview accounts of lecturers are shown only when they are asked for, and counted nowhere.
_NO_PREVIEW = orm.User.name.not_like(f"{PREFIX}%")


@dataclass(frozen=True)
class PersonRow:
    """A person in the table. `roles`: names for people, of the site and of groups."""

    name: str
    state: str
    roles: list[str]
    groups: list[str]
    created: Any
    last_activity: Any
    server: bool


@dataclass(frozen=True)
class GroupRow:
    """A group in the table. `switches`: what its members' servers may use beyond the settings."""

    name: str
    members: int
    managers: list[str]
    switches: list[str]


class Directory:
    """Reads the hub's database in one session. `authenticator` knows which accounts are locked."""

    def __init__(self, session: Session, authenticator: Any) -> None:
        self.session, self.authenticator = session, authenticator

    def figures(self) -> dict[str, int]:
        """How many people and servers there are."""
        return {
            "accounts": self._count(orm.User, _NO_PREVIEW),
            "online": self._count(orm.User, _NO_PREVIEW, *self._is_online()),
            "servers": self._count(orm.Spawner, orm.Spawner.server_id.is_not(None)),
            "locked": len(self.authenticator.locked()),
            "waiting": self._count(RequestRow),
        }

    def _count(self, table: type, *where: Any) -> int:
        return self.session.scalars(select(func.count()).select_from(table).where(*where)).one()

    def people(self, asked: Asked) -> tuple[list[PersonRow], int]:
        """A page of people, and how many there are in all."""
        where = self._where(asked)
        total = self._count(orm.User, *where)
        return self._rows(self._ordered(asked, where).limit(asked.size).offset(asked.offset)), total

    def all_people(self, asked: Asked) -> Iterator[list[PersonRow]]:
        """Everyone of the table in portions."""
        query, offset = self._ordered(asked, self._where(asked)), 0
        while rows := self._rows(query.limit(PORTION).offset(offset)):
            yield rows
            offset += PORTION

    def groups(self, asked: Asked, only: list[str] | None) -> tuple[list[GroupRow], int]:
        """A page of groups, and how many there are in all. `only`: names that may be seen; None: all."""
        where = self._groups_where(asked, only)
        total = self._count(orm.Group, *where)
        query = self._groups_ordered(asked, where)
        return self._group_rows(query.limit(asked.size).offset(asked.offset)), total

    def all_groups(self, asked: Asked, only: list[str] | None) -> Iterator[list[GroupRow]]:
        """Every group of the table in portions."""
        query, offset = self._groups_ordered(asked, self._groups_where(asked, only)), 0
        while rows := self._group_rows(query.limit(PORTION).offset(offset)):
            yield rows
            offset += PORTION

    @staticmethod
    def _groups_where(asked: Asked, only: list[str] | None) -> list[Any]:
        where: list[Any] = [] if only is None else [orm.Group.name.in_(only)]
        if asked.text:
            where.append(orm.Group.name.icontains(asked.text, autoescape=True))
        return where

    @staticmethod
    def _groups_ordered(asked: Asked, where: list[Any]) -> Any:
        key, descends = asked.order
        # Counted for all groups at once: the hub's table has no index by group, and one count each would read all of it.
        table = orm.Base.metadata.tables["user_group_map"]
        counted = (
            select(table.c.group_id, func.count().label("members"))
            .where(table.c.user_id.not_in(select(orm.User.id).where(~_NO_PREVIEW)))
            .group_by(table.c.group_id)
            .subquery()
        )
        members = func.coalesce(counted.c.members, 0)
        column = members if key == "members" else orm.Group.name
        order = column.desc() if descends else column.asc()
        return (
            select(orm.Group.id, orm.Group.name, orm.Group.properties, members)
            .outerjoin(counted, counted.c.group_id == orm.Group.id)
            .where(*where)
            .order_by(order, orm.Group.name)
        )

    def _group_rows(self, query: Any) -> list[GroupRow]:
        found = self.session.execute(query).all()
        names = {f"{GROUP_ROLES['manager']}-{row.name}": row.name for row in found}
        managers: dict[str, list[str]] = {}
        held = (
            select(orm.Role.name, orm.User.name)
            .join(orm.Role.users)
            .where(orm.Role.name.in_(list(names)))
            .order_by(orm.User.name)
        )
        for role, person in self.session.execute(held):
            managers.setdefault(names[role], []).append(person)
        return [
            GroupRow(row.name, row[3], managers.get(row.name, []), _switches(row.properties or {}))
            for row in found
        ]

    def person(self, name: str) -> PersonRow:
        """One person. Raises NotFound."""
        rows = self._rows(select(orm.User).where(orm.User.name == name))
        if not rows:
            raise NotFound(f"There is no person {name[:60]!r}.")
        return rows[0]

    def _is_online(self) -> list[Any]:
        return [orm.User.last_activity >= (utcnow(with_tz=False) - ONLINE)]

    def _where(self, asked: Asked) -> list[Any]:
        where: list[Any] = [~_NO_PREVIEW if asked.filters.get("state") == "previews" else _NO_PREVIEW]
        if asked.text:
            where.append(orm.User.name.icontains(asked.text, autoescape=True))
        if group := asked.filters.get("group"):
            where.append(orm.User.groups.any(orm.Group.name == group))
        match asked.filters.get("state"):
            case "administrators":
                where.append(orm.User.admin.is_(True))
            case "applications":
                where.append(orm.User.roles.any(orm.Role.name == APPLICATIONS_ROLE))
            case "locked":
                where.append(orm.User.name.in_(self.authenticator.locked()))
            case "never":
                where.append(orm.User.last_activity.is_(None))
            case "online":
                where += self._is_online()
        return where

    @staticmethod
    def _ordered(asked: Asked, where: list[Any]) -> Any:
        key, descends = asked.order
        column = {
            "created": orm.User.created,
            "last_activity": orm.User.last_activity,
        }.get(key, orm.User.name)
        order = [column.desc().nulls_last() if descends else column.asc().nulls_last()]
        if column is not orm.User.name:
            order.append(orm.User.name)
        return select(orm.User).where(*where).order_by(*order)

    def _rows(self, query: Any) -> list[PersonRow]:
        wanted = query.options(
            selectinload(orm.User.groups), selectinload(orm.User.roles), selectinload(orm.User._orm_spawners)
        )
        locked = set(self.authenticator.locked())
        owned = {row.name: row for row in Previews(self.session).all()}
        return [
            PersonRow(
                name=user.name,
                state="locked" if user.name in locked else "active",
                roles=[shown_as(owned[user.name])] if user.name in owned else _roles(user),
                groups=sorted(group.name for group in user.groups),
                created=user.created,
                last_activity=user.last_activity,
                server=any(spawner.server_id is not None for spawner in user._orm_spawners),
            )
            for user in self.session.scalars(wanted)
        ]


def _switches(properties: dict[str, Any]) -> list[str]:
    found = ["internet"] if properties.get("internet") is True else []
    return [*found, f"image {properties['image']}"] if properties.get("image") else found


def _roles(user: Any) -> list[str]:
    held = {role.name for role in user.roles}
    found = ["administrator"] if user.admin else []
    if APPLICATIONS_ROLE in held and not user.admin:
        found.append("application administrator")
    for group in sorted(each.name for each in user.groups):
        found += [
            f"{kind.replace('_', ' ')} of {group}" for kind in GROUP_ROLES if role_name(kind, group) in held
        ]
    return found
