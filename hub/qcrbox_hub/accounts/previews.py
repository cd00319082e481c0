"""Preview accounts: a lecturer or assistant opens an exercise in a real student's server.

One account per member of the staff and course. It is an account of the hub like any student's (home, user id, limits,
groups), but no one can sign in to it: it has no password, and no name that a person can get (`qcrbox.contract.previews`).
Two roles belong to each: one lets its owner, and no one else, open and start its server; the other tells the registry
whose preview it is and of which course. `ending` says when both end; `PreviewKeeper` carries that out.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from qcrbox.contract.errors import Conflict, NotAllowed
from qcrbox.contract.previews import PREFIX, is_preview
from sqlalchemy import create_engine, exists, inspect, select
from sqlalchemy.orm import Session

from qcrbox_hub.accounts.membership import Membership, role_name
from qcrbox_hub.accounts.names import StoredName
from qcrbox_hub.accounts.roles import PREVIEW
from qcrbox_hub.accounts.tables import PreviewRow, SignInStateRow
from qcrbox_hub.walls.homes import DAY_S

UNUSED_S = 1 * DAY_S
ENDED_BY_OWNER = "its owner ended it"


def role_specs(name: str, owner: str, group: str) -> list[dict[str, Any]]:
    """The two roles of a preview account, with who holds them."""
    mark = name.removeprefix(PREFIX)
    return [
        {
            # `servers` also reads the progress of a start. The server's own token and the owner's other tokens do not hold it.
            "name": f"opens-preview-{mark}",
            "description": f"Opens the preview account of {owner} in {group}",
            "scopes": [f"access:servers!user={name}", f"servers!user={name}"],
            "users": [owner],
        },
        {
            "name": f"is-preview-{mark}",
            "description": f"Is the preview of {owner} in {group}",
            "scopes": [f"{PREVIEW}!user={owner}", f"{PREVIEW}!group={group}"],
            "users": [name],
        },
    ]


def load_roles(database_url: str) -> list[dict[str, Any]]:
    """For the hub's configuration, which deletes roles that it does not name: those of the preview accounts that stay."""
    engine = create_engine(database_url)
    try:
        if not inspect(engine).has_table(PreviewRow.__tablename__):
            return []
        row, user = PreviewRow.__table__.c, orm.User.__table__.c
        # A name without its account would be made an account by the hub. A new account under the owner's name is not theirs.
        is_owner = (user.id == row.owner_id) & (user.name == row.owner) & (user.created == row.owner_created)
        query = select(row.name, row.owner, row.group).where(row.ended_at.is_(None), exists().where(is_owner))
        query = query.where(row.name.in_(select(user.name)))
        with engine.connect() as connection:
            found = connection.execute(query).all()
    finally:
        engine.dispose()
    return [spec for each in found for spec in role_specs(*map(StoredName, each))]


class Previews:
    """The preview accounts in one database session. clock: Unix time, s."""

    def __init__(self, session: Session, clock: Callable[[], float] = time.time) -> None:
        self.session, self.clock = session, clock

    def all(self) -> list[PreviewRow]:
        """Every preview account, also those that end."""
        return list(self.session.scalars(select(PreviewRow).order_by(PreviewRow.made_at)))

    def named(self, name: str) -> PreviewRow | None:
        """The preview account of this name."""
        return self.session.get(PreviewRow, name) if is_preview(name) else None

    def shown(self, name: str) -> str:
        """What lists say of an account: its name, of a preview account also whose it is. The row of an ended one is gone."""
        row = self.named(name)
        return name if row is None else f"{name} ({shown_as(row)})"

    def of(self, owner: Any, group: str) -> PreviewRow | None:
        """The preview account of this user of the hub (ORM) in the course of this group."""
        found = self.session.scalars(
            select(PreviewRow).where(PreviewRow.owner_id == owner.id, PreviewRow.group == group)
        )
        return next((row for row in found if row.owner_created == owner.created), None)

    def begin(self, hub: Any, owner: Any, group: str, common_group: str) -> PreviewRow:
        """The preview account of the owner in a course; made when there is none. hub: a handler of the hub.

        Raises NotAllowed for who neither teaches nor assists in the group, Conflict while an earlier account ends.
        """
        membership = Membership(self.session, common_group)
        course = membership.group(group)
        if is_preview(owner.name) or owner not in course.users or not membership.manages(owner, group):
            raise NotAllowed("Only lecturers and assistants of a course open its exercises as a student.")
        if (known := self.of(owner, group)) is not None:
            if known.ended_at is not None:
                raise Conflict(
                    "Your earlier preview account is being removed.", next="Try again in a minute."
                )
            return known
        name = PREFIX + base64.b32encode(secrets.token_bytes(10)).decode().lower()
        row = PreviewRow(
            name=name,
            owner=owner.name,
            owner_id=owner.id,
            owner_created=owner.created,
            group=group,
            made_at=self.clock(),
        )
        # Before the account is in a group: `follow_previews` keeps it out of groups that are not in its row.
        self.session.add(row)
        self.session.commit()
        user = hub.user_from_username(name)
        hub.authenticator.add_user(user.orm_user)
        course.users.append(user.orm_user)
        self._give(role_specs(name, owner.name, group))
        return row

    def _give(self, specs: Iterable[dict[str, Any]]) -> None:
        for spec in specs:
            holders = [orm.User.find(self.session, holder) for holder in spec["users"]]
            self.session.add(orm.Role(**{**spec, "users": holders}))
        self.session.commit()

    def withdraw(self, row: PreviewRow, why: str = ENDED_BY_OWNER) -> None:
        """Close the account: it leaves its course and its tokens open nothing. Its removal follows.

        Its server may start or stop just now, so that the removal has to wait: until then a former assistant who has kept
        its token would read on as a student.
        """
        for spec in role_specs(row.name, row.owner, row.group):
            role = orm.Role.find(self.session, spec["name"])
            if role is not None:
                self.session.delete(role)
        account = orm.User.find(self.session, row.name)
        if account is not None:
            for token in list(account.api_tokens):
                self.session.delete(token)
            account.groups = [group for group in account.groups if group.name != row.group]
        if row.ended_at is None:
            row.ended_at, row.why = self.clock(), why
        self.session.commit()

    def forget(self, row: PreviewRow) -> None:
        """The account is gone."""
        self.session.delete(row)
        self.session.commit()

    def ending(
        self, row: PreviewRow, is_approved: Callable[[str], bool], courses: frozenset[str] | None
    ) -> str:
        """Why this preview account has to go, "" while it may stay.

        courses: groups whose courses are not archived; None where the registry did not say.
        """
        owner = self.session.get(orm.User, row.owner_id)
        account = orm.User.find(self.session, row.name)
        group = orm.Group.find(self.session, row.group)
        if row.ended_at is not None:
            return row.why
        if owner is None or owner.created != row.owner_created or owner.name != row.owner:
            return "the account of its owner is gone or renamed"
        if not is_approved(row.owner):
            return "the account of its owner is locked"
        if group is None or owner not in group.users or not _teaches(owner, row.group):
            return "its owner neither teaches nor assists in the course"
        if account is None or account not in group.users:
            return "it is not in the course"
        if courses is not None and row.group not in courses:
            return "the course is archived or gone"
        if self.clock() - last_use(row, account) > UNUSED_S:
            return "it was not used for a day"
        return ""


def _teaches(person: Any, group: str) -> bool:
    return bool(
        {role_name("lecturer", group), role_name("manager", group)} & {role.name for role in person.roles}
    )


def last_use(row: PreviewRow, account: Any) -> float:
    """When the preview account was last used, Unix time, s. account: the hub's user (ORM)."""
    active: datetime | None = account.last_activity
    return max(row.made_at, active.replace(tzinfo=UTC).timestamp() if active else 0.0)


def shown_as(row: PreviewRow) -> str:
    """What people read in place of the name."""
    return f"preview of {row.owner} in {row.group}"


# What of a user, a group, or a role may end a preview account when it changes.
_WATCHED: tuple[tuple[type, tuple[str, ...]], ...] = (
    (orm.User, ("groups", "roles", "name")),
    (orm.Group, ("users",)),
    (orm.Role, ("users",)),
)


def follow_previews(session: Session, common_group: str) -> bool:
    """Before a flush: keep preview accounts out of every group but their course's and the common one, and without rights.

    Returns whether something changed that may end a preview account: groups, roles, names, locks, deletions.
    """
    for each in [*session.new, *session.dirty]:
        if isinstance(each, orm.User) and is_preview(each.name):
            each.admin = False
            for group in _added(each, "groups"):
                if not _belongs(session, each.name, group.name, common_group) and group in each.groups:
                    each.groups.remove(group)
        elif isinstance(each, orm.Group):
            for person in [user for user in _added(each, "users") if is_preview(user.name)]:
                if not _belongs(session, person.name, each.name, common_group):
                    each.users.remove(person)
    return _may_end_previews(session)


def _may_end_previews(session: Session) -> bool:
    if any(isinstance(each, orm.User | orm.Group | orm.Role) for each in session.deleted):
        return True
    if any(isinstance(each, SignInStateRow | UserInfo) for each in session.dirty | session.new):  # locks
        return True
    return any(
        inspect(each).attrs[name].history.has_changes()
        for kind, names in _WATCHED
        for each in session.dirty
        if isinstance(each, kind)
        for name in names
    )


def _added(changed: Any, name: str) -> list[Any]:
    return list(inspect(changed).attrs[name].history.added or ())


def _belongs(session: Session, name: str, group: str, common_group: str) -> bool:
    row = session.get(PreviewRow, name)
    return group == common_group or (row is not None and row.group == group)
