"""Groups, who is in them, and the roles that exist per group. JupyterHub keeps them; these are the changes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from jupyterhub import orm
from jupyterhub import roles as hub_roles
from qcrbox.contract.errors import Conflict, NotFound, UserInputError
from qcrbox.contract.previews import is_preview
from qcrbox.language import listed
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.orm import Session

from qcrbox_hub.accounts.names import StoredName
from qcrbox_hub.accounts.roles import ADMINISTRATOR_ROLE, APPLICATIONS_ROLE, group_roles, roles

# The same signs as in user names: it becomes part of role names and of scopes.
GROUP_PATTERN = r"[a-z][a-z0-9_-]{1,60}[a-z0-9]"
GROUP_ROLES = {"manager": "manager-of", "data_manager": "data-manager-of", "lecturer": "lecturer-of"}
MOST_NAMED = 20
SERVER_TOKEN_NOTE = "Server at "
_ADMINS = "SELECT name FROM users WHERE admin"
_HELD = (
    "SELECT roles.name, users.name FROM user_role_map JOIN users ON users.id = user_role_map.user_id"
    " JOIN roles ON roles.id = user_role_map.role_id"
)
_MEMBERS = (
    "SELECT groups.name, users.name FROM user_group_map JOIN users ON users.id = user_group_map.user_id"
    " JOIN groups ON groups.id = user_group_map.group_id"
)


def role_name(kind: str, group: str) -> str:
    """Name of the JupyterHub role of that kind for one group."""
    return f"{GROUP_ROLES[kind]}-{group}"


def group_exists(session: Session, name: str) -> bool:
    """Whether the hub has a group; `orm.Group.find` would load its members and their servers as well."""
    return session.query(orm.Group.id).filter(orm.Group.name == name).first() is not None


@dataclass(frozen=True)
class StoredRoles:
    """Groups, and who holds which role, as the hub's database has them."""

    groups: list[str] = field(default_factory=list)
    holders: dict[str, list[str]] = field(default_factory=dict)


def read_stored_roles(database_url: str) -> StoredRoles:
    """For the hub's configuration: at a start it deletes roles that are not named there, and takes them from
    everybody who is not named there. Empty before the first start.

    A role in a group counts only for members of that group, however a person was removed from it.
    """
    engine = create_engine(database_url)
    try:
        if not inspect(engine).has_table("user_role_map"):
            return StoredRoles()  # the hub has never been up
        with engine.connect() as connection:
            groups = [str(row[0]) for row in connection.execute(text("SELECT name FROM groups"))]
            held = {(str(row[0]), str(row[1])) for row in connection.execute(text(_HELD))}
            admins = {(ADMINISTRATOR_ROLE, str(row[0])) for row in connection.execute(text(_ADMINS))}
            members = {(str(row[0]), str(row[1])) for row in connection.execute(text(_MEMBERS))}
    finally:
        engine.dispose()
    of_group = {role_name(kind, group): group for group in groups for kind in GROUP_ROLES}
    holders: dict[str, list[str]] = {}
    for role, person in sorted(held | admins):
        if role not in of_group or (of_group[role], person) in members:
            holders.setdefault(role, []).append(StoredName(person))
    return StoredRoles([name for name in groups if re.fullmatch(GROUP_PATTERN, name)], holders)


def load_roles(database_url: str, common_group: str) -> list[dict[str, Any]]:
    """Every role of the hub's configuration, with those who hold it."""
    found = read_stored_roles(database_url)
    made = list(roles())
    for spec in made:
        if spec["name"] in (ADMINISTRATOR_ROLE, APPLICATIONS_ROLE):
            spec["users"] = found.holders.get(spec["name"], [])
    for group in sorted({common_group, *found.groups}):
        for spec in group_roles(group):
            made.append({**spec, "users": found.holders.get(spec["name"], [])})
    return made


def follow_groups(session: Session) -> None:
    """Before a flush: a group that comes or goes takes its roles along, whichever page did it."""
    for group in [each for each in session.new if isinstance(each, orm.Group)]:
        if re.fullmatch(GROUP_PATTERN, group.name):
            for spec in group_roles(group.name):
                if orm.Role.find(session, spec["name"]) is None:
                    session.add(orm.Role(**spec))
    for group in [each for each in session.deleted if isinstance(each, orm.Group)]:
        for kind in GROUP_ROLES:
            role = orm.Role.find(session, role_name(kind, group.name))
            if role is not None:
                session.delete(role)
    for group, person in _removed(session):
        for kind in GROUP_ROLES:
            role = orm.Role.find(session, role_name(kind, group.name))
            if role is not None and role in person.roles:
                person.roles.remove(role)


def _removed(session: Session) -> list[tuple[Any, Any]]:
    """(group, person) of everyone whom this flush takes out of a group: by our pages, REST, or a sign-in provider."""
    found = []
    for each in session.dirty:
        if isinstance(each, orm.Group):
            found += [(each, person) for person in inspect(each).attrs.users.history.deleted]
        elif isinstance(each, orm.User):
            found += [(group, each) for group in inspect(each).attrs.groups.history.deleted]
    return found


class Membership:
    """Changes of groups in one database session. Raises UserInputError, NotFound, Conflict."""

    def __init__(self, session: Session, common_group: str) -> None:
        self.session, self.common_group = session, common_group

    def groups(self) -> list[Any]:
        """All groups, by name."""
        return self.session.query(orm.Group).order_by(orm.Group.name).all()

    def group(self, name: str) -> Any:
        """The group of that name; raises NotFound."""
        found = orm.Group.find(self.session, name)
        if found is None:
            raise NotFound(f"There is no group {name[:60]}.")
        return found

    def person(self, name: str) -> Any:
        """The user of that name; raises NotFound, also for preview accounts, which stay in the group of their course."""
        found = None if is_preview(name) else orm.User.find(self.session, name)
        if found is None:
            raise NotFound(f"There is no member called {name[:32]}.", next="They have to be approved first.")
        return found

    def create(self, name: str) -> None:
        """Create a group with its roles; raises UserInputError for a bad or used name."""
        if not re.fullmatch(GROUP_PATTERN, name):
            raise UserInputError(
                "A group's name has 3 to 62 characters: small letters, digits, - and _; it starts with a letter."
            )
        if orm.Group.find(self.session, name) is not None:
            raise Conflict(f"There is a group {name} already.")
        self.session.add(orm.Group(name=name))
        self.session.commit()

    def delete(self, name: str) -> None:
        """Delete a group with its roles. Its data stay in the registry and wait for a decision."""
        if name == self.common_group:
            raise UserInputError(f"Every member belongs to {name}.", next="It cannot be deleted.")
        self.session.delete(self.group(name))
        self.session.commit()

    def set_switches(self, name: str, *, internet: bool, image: str) -> None:
        """What the servers of a group's members may use: the internet, and another image ("": that of everyone)."""
        group = self.group(name)
        properties = {
            key: value for key, value in (group.properties or {}).items() if key not in ("internet", "image")
        }
        # A new object: the database session does not see changes inside a dictionary.
        group.properties = (
            properties | ({"internet": True} if internet else {}) | ({"image": image} if image else {})
        )
        self.session.commit()

    def add(self, group: str, people: list[str]) -> None:
        """Add people to a group; raises NotFound with all unknown names before anything is changed."""
        found = self.group(group)
        known = {name: None if is_preview(name) else orm.User.find(self.session, name) for name in people}
        unknown = [name[:32] for name, person in known.items() if person is None]
        if unknown:
            raise NotFound(
                f"There is no member called {listed(unknown, MOST_NAMED)}.",
                next="Nobody was added. They have to be approved first.",
            )
        for person in known.values():
            if person not in found.users:
                found.users.append(person)
        self.session.commit()

    def remove(self, group: str, name: str) -> None:
        """Out of the group, and out of every role in it."""
        found, person = self.group(group), self.person(name)
        if group == self.common_group:
            raise UserInputError(f"Every member belongs to {group}.", next="Lock the account instead.")
        if person in found.users:
            found.users.remove(person)
        for kind in GROUP_ROLES:
            self._set_role(person, kind, group, given=False)
        self.session.commit()

    def set_role(self, group: str, name: str, kind: str, *, given: bool) -> None:
        """Give or take a role in the group; raises UserInputError for people outside it."""
        if kind not in GROUP_ROLES:
            raise UserInputError("There is no such role.")
        found, person = self.group(group), self.person(name)
        if person not in found.users:
            raise UserInputError(f"{name} is not in {group}.", next="Add them to the group first.")
        self._set_role(person, kind, group, given=given)
        self.session.commit()

    def roles_of(self, person: Any, group: str) -> list[str]:
        """Kinds of roles that the person has in the group."""
        held = {role.name for role in person.roles}
        return [kind for kind in GROUP_ROLES if role_name(kind, group) in held]

    def manages(self, person: Any, group: str) -> bool:
        """Whether the person is a manager or a lecturer of the group."""
        return bool({"manager", "lecturer"} & set(self.roles_of(person, group)))

    def _set_role(self, person: Any, kind: str, group: str, *, given: bool) -> None:
        role = orm.Role.find(self.session, role_name(kind, group))
        if role is None:
            raise NotFound(f"The group {group} has no such role.")
        give_or_take(person, role, given=given)


def give_or_take(person: Any, role: Any, *, given: bool) -> None:
    """Give a role of the hub to a person, running servers included, or take it. Nothing is committed."""
    if given and role not in person.roles:
        person.roles.append(role)
        extend_server_tokens(person, role.scopes)
    elif not given and role in person.roles:
        # The hub never lets a token do more than its owner may, so taking needs nothing else.
        person.roles.remove(role)


def extend_server_tokens(person: Any, scopes: list[str]) -> None:
    """Let a running server have a role that was given after it started: its token lists what it may carry."""
    ours = [scope for scope in scopes if scope.startswith("custom:qcrbox:")]
    for token in person.api_tokens:
        if token.note.startswith(SERVER_TOKEN_NOTE):
            token.scopes = sorted({*token.scopes, *ours})


def give_administrator(session: Session, user: Any, *, admin: bool) -> None:
    """Make `user` (the hub's User) an administrator, or a plain member again."""
    user.admin = admin
    hub_roles.assign_default_roles(session, entity=user.orm_user)
    session.commit()
