"""What every way of signing in shares: the common group, roles that stay true, our tables and pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jupyterhub import orm
from jupyterhub.spawner import SpawnException
from qcrbox.contract.previews import is_preview
from sqlalchemy import event
from sqlalchemy.orm import Session
from tornado.ioloop import IOLoop, PeriodicCallback
from traitlets import Bool, Dict, Float, List, Unicode

from qcrbox_hub.accounts import account_list, connect_page, home_size, invitation_pages, pages
from qcrbox_hub.accounts.claims import apply_claims
from qcrbox_hub.accounts.home_keeping import CHECK_EVERY_S, adopt_homes, keep_homes
from qcrbox_hub.accounts.membership import extend_server_tokens, follow_groups
from qcrbox_hub.accounts.names import StoredName
from qcrbox_hub.accounts.preview_keeping import PreviewKeeper
from qcrbox_hub.accounts.recent_sign_in import recent
from qcrbox_hub.accounts.renaming import follow_names
from qcrbox_hub.accounts.roles import ADMINISTRATOR_ROLE, ALL
from qcrbox_hub.accounts.tables import SignInStateRow, create_missing, must_change_password
from qcrbox_hub.platform.settings import ClaimRule
from qcrbox_hub.walls.homes import Homes

# JupyterHub's authenticators take mix-ins; for the type checker this is one of them.
if TYPE_CHECKING:
    from jupyterhub.auth import Authenticator as Base
else:
    from traitlets.config import LoggingConfigurable as Base


class Members(Base):
    """Mix-in of all authenticators. Put it before JupyterHub's class."""

    group = Unicode("everyone", help="The group that every member belongs to.").tag(config=True)
    first_admin_file = Unicode(help="Where the hash of the first administrator's code is.").tag(config=True)
    data = Unicode(help="The data folder.").tag(config=True)
    one_person = Bool(
        False, help="There are no walls: only administrators may sign in, and sign-up is closed."
    ).tag(config=True)
    trusted = Bool(
        False, help="There are no walls, and an administrator has confirmed that everyone is trusted."
    ).tag(config=True)
    walls_what = Unicode(help="One sentence about the walls between people.").tag(config=True)
    walls_stronger = Unicode(help="What would be stronger, and how to get it.").tag(config=True)

    claim_rules = List(
        Dict(), help="Groups and roles that the provider decides: dictionaries of ClaimRule."
    ).tag(config=True)
    home_gib = Float(0.0, help="Size of a home, GiB; 0: no limit.").tag(config=True)
    archive_days = Float(90.0, help="How long the home of a deleted account is kept, days.").tag(config=True)

    # Do passwords of this authenticator live in the hub's database?
    own_passwords = False
    # Does our sign-in page ask for a name and a password?
    asks_for_password = False
    # Where a person signs in again to prove who they are; "" where the password is asked for.
    sign_in_again_url = ""

    # Pages of the layers above; the hub's configuration sets them.
    more_pages: ClassVar[list[tuple[Any, ...]]] = []
    # Work of the layers above that goes on as long as the hub runs; each is given this object when it is made.
    more_work: ClassVar[list[Callable[[Members], None]]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        create_missing(self.db)
        keep_roles_true(self.db)
        if self.data:
            adopt_homes(self.db, self.homes)
            # On the hub's own loop, which starts after this object is made.
            PeriodicCallback(lambda: keep_homes(self.db, self.homes), CHECK_EVERY_S * 1000).start()
        if self.parent is not None:  # the hub's application
            # On its loop, which starts after this object is made.
            IOLoop.current().add_callback(self._keep_previews)
        for begin in self.more_work:
            begin(self)

    def _keep_previews(self) -> None:
        PreviewKeeper(self.parent).start(self.group)

    @property
    def homes(self) -> Homes:
        """The home folders of this platform."""
        data = Path(self.data)
        return Homes(data / "homes", data / "archive" / "homes", self.archive_days)

    def delete_user(self, user: Any) -> None:
        """The hub is about to delete an account: see to its home soon."""
        super().delete_user(user)
        IOLoop.current().call_later(1.0, keep_homes, self.db, self.homes)

    def add_user(self, user: Any) -> None:
        """The hub calls this for every account it has or gets: each belongs to the common group."""
        if not is_preview(user.name):  # the hub's own class refuses names that no person can have
            super().add_user(user)
        self.join_common_group(user)

    def normalize_username(self, username: str) -> str:
        """The user name for what a person or provider sent; names that the hub has stored stay as they are."""
        return (
            str(username) if isinstance(username, StoredName) else str(super().normalize_username(username))
        )

    def validate_username(self, username: str) -> bool:
        """Whether a person may have this name: the hub asks at each sign-in, and when an account is made or renamed."""
        return not is_preview(username) and bool(super().validate_username(username))

    def join_common_group(self, user: Any) -> None:
        """Add the user to the group that all members share."""
        group = orm.Group.find(self.db, self.group)
        if group is not None and user not in group.users:
            group.users.append(user)
            self.db.commit()

    def may_enter(self, name: str) -> bool:
        """Where there are no walls, may this person come in?"""
        if not self.one_person:
            return True
        user = orm.User.find(self.db, name)
        return user is not None and bool(user.admin)

    def is_approved(self, name: str) -> bool:
        """May this account be used? Providers decide who may sign in; administrators may still lock an account."""
        row = self.db.get(SignInStateRow, name)
        return not (row and row.locked)

    def set_approved(self, name: str, *, approved: bool) -> None:
        """Approve or lock an account."""
        row = self.db.get(SignInStateRow, name)
        if row is None:
            row = SignInStateRow(name=name)
            self.db.add(row)
        row.locked = not approved
        self.db.commit()

    def locked(self) -> list[str]:
        """Names of locked accounts."""
        return [row.name for row in self.db.query(SignInStateRow).filter(SignInStateRow.locked)]

    def check_blocked_users(self, username: str, auth_model: Any = None) -> bool:
        """Whether the account may sign in: not blocked by the configuration, and approved."""
        return bool(super().check_blocked_users(username, auth_model)) and self.is_approved(username)

    def claimed(self, auth_model: dict[str, Any]) -> list[str]:
        """What the provider says of a person: groups, roles."""
        return []

    async def run_post_auth_hook(self, handler: Any, auth_model: Any) -> Any:
        """Called by JupyterHub after each sign-in; brings roles and groups up to date."""
        auth_model = await super().run_post_auth_hook(handler, auth_model)
        if auth_model and handler is not None:
            self.entered(handler, auth_model)
        return auth_model

    def entered(self, handler: Any, auth_model: dict[str, Any]) -> None:
        """Someone has just shown who they are."""
        user = handler.user_from_username(auth_model["name"])
        self.join_common_group(user.orm_user)
        if self.claim_rules:
            rules = [ClaimRule.model_validate(each) for each in self.claim_rules]
            apply_claims(self.db, self.group, user, self.claimed(auth_model), rules)
            # The hub would set its own idea of who administers afterwards.
            auth_model["admin"] = bool(user.admin) or auth_model["name"] in self.admin_users
        if not handler.get_session_cookie():
            handler.set_session_cookie()
        recent.note(user, handler.get_session_cookie())

    async def password_is(self, name: str, password: str) -> bool:
        """Is this the account's password? False where passwords are kept elsewhere."""
        return False

    def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """No server with a password that someone else knows."""
        if self.own_passwords and must_change_password(self.db, user.name):
            raise SpawnException(
                "Choose a password of your own first: it is under Password in the menu.", reason="password"
            )

    def page_handlers(self) -> list[tuple[Any, ...]]:
        """Our pages that do not depend on how people sign in."""
        return [
            (r"/first-admin", pages.FirstAdmin),
            (r"/people", pages.Moved, {"to": "administration/people"}),
            (r"/trust", pages.Trust),
            (r"/confirm", pages.Confirm),
            (r"/host-name", pages.HostName),
            (r"/group-members", pages.Moved, {"to": "administration/groups"}),
            (r"/invitations", pages.Moved, {"to": "administration/invitations"}),
            (r"/join", invitation_pages.Join),
            (r"/home-size", home_size.HomeSize),
            (r"/api/qcrbox/accounts", account_list.AccountList),
            (r"/api/qcrbox/groups/([^/]+)/members", account_list.MemberList),
            (r"/connect", connect_page.Connect),
            (r"/connect/begin", connect_page.BeginConnecting),
            (r"/connect/token", connect_page.FinishConnecting),
            *self.more_pages,
        ]


def keep_roles_true(session: Session) -> None:
    """Let every hub administrator hold our administrator's role, and every group have its roles.

    Whichever page or program made the administrator or the group: this listens to the database session. The
    hub does not allow its own `admin` role to be extended.
    """

    @event.listens_for(session, "before_flush")
    def follow(session: Session, *_: Any) -> None:
        with session.no_autoflush:
            follow_groups(session)
        people = [each for each in {*session.new, *session.dirty} if isinstance(each, orm.User)]
        if not people:
            return
        with session.no_autoflush:
            follow_names(session, [each for each in people if each in session.dirty])
            role = orm.Role.find(session, ADMINISTRATOR_ROLE)
            for person in people:
                if role is not None and person.admin and role not in person.roles:
                    person.roles.append(role)
                    extend_server_tokens(person, ALL)
                elif role is not None and not person.admin and role in person.roles:
                    person.roles.remove(role)
