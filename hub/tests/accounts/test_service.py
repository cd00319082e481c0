"""Accounts as an administrator changes them, on a hub's database in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import bcrypt
import pytest
from jupyterhub import orm
from qcrbox.contract.errors import Conflict, NotFound, QcError, UserInputError
from qcrbox.contract.previews import PREFIX
from qcrbox_hub.accounts.authenticator import QCrBoxAuthenticator
from qcrbox_hub.accounts.membership import SERVER_TOKEN_NOTE
from qcrbox_hub.accounts.recent_sign_in import recent
from qcrbox_hub.accounts.service import AccountService
from qcrbox_hub.accounts.tables import RequestRow, must_change_password
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

PREVIEW = f"{PREFIX}abcdefgh"


class HubUser:
    """As much of JupyterHub's user as accounts need."""

    def __init__(self, row: orm.User) -> None:
        self.orm_user, self.spawners = row, {"": SimpleNamespace(active=False)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.orm_user, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("orm_user", "spawners"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.orm_user, name, value)

    async def delete_spawners(self) -> None:
        self.spawners.clear()


class FakeHub:
    """The part of the hub that the service is given: users by name, servers that stop."""

    def __init__(self, session: Session) -> None:
        self.db, self.authenticator = session, QCrBoxAuthenticator(db=session)
        self.stopped: list[str] = []
        self.cached: dict[str, HubUser] = {}
        self.users = SimpleNamespace(delete=self._delete)

    def find_user(self, name: str) -> HubUser | None:
        row = orm.User.find(self.db, name)
        return None if row is None else self.cached.setdefault(name, HubUser(row))

    def user_from_username(self, name: str) -> HubUser:
        if orm.User.find(self.db, name) is None:
            self.db.add(orm.User(name=name))
            self.db.commit()
        found = self.find_user(name)
        assert found is not None
        return found

    async def stop_single_user(self, user: HubUser, server_name: str = "") -> None:
        user.spawners[server_name].active = False
        self.stopped.append(user.name)

    def _delete(self, user: HubUser) -> None:
        self.db.delete(user.orm_user)
        self.db.commit()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    salt = bcrypt.gensalt
    monkeypatch.setattr(bcrypt, "gensalt", lambda *_: salt(4))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    engine = create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    with Session(engine) as session:
        made = FakeHub(session)
        for name in ("everyone", "xrd"):
            session.add(orm.Group(name=name))
        session.add(orm.OAuthClient(identifier="jupyterhub"))  # that of tokens made by hand
        session.add(orm.Role(name="user", scopes=["self"]))
        session.add(orm.Role(name="admin", scopes=["admin:users"]))
        session.commit()
        yield made


@pytest.fixture
def service(hub: FakeHub) -> AccountService:
    return AccountService(hub, "ada")  # type: ignore[arg-type]


def run(act: Any) -> Any:
    return asyncio.run(act)


def account(hub: FakeHub, name: str, password: str = "plum-Orchid-42-river") -> HubUser:
    run(hub.authenticator.new_account(name, password, approved=True))
    return hub.user_from_username(name)


def asked(hub: FakeHub, name: str) -> int:
    run(hub.authenticator.ask(name, "plum-Orchid-42-river", "10.0.0.1"))
    return int(hub.db.query(RequestRow).order_by(RequestRow.id.desc()).first().id)


# ---------------------------------------------------------------- requests


def test_approved_request_is_a_member_with_the_password_that_was_chosen(
    hub: FakeHub, service: AccountService
) -> None:
    assert service.approve(asked(hub, "berta")) == "berta"
    assert run(hub.authenticator.password_is("berta", "plum-Orchid-42-river"))
    assert [group.name for group in orm.User.find(hub.db, "berta").groups] == ["everyone"]
    assert service.requests() == []


def test_of_two_requests_for_one_name_the_second_needs_another_name(
    hub: FakeHub, service: AccountService
) -> None:
    first, second = asked(hub, "berta"), asked(hub, "berta")
    service.approve(first)
    with pytest.raises(Conflict, match="berta is taken"):
        service.approve(second)
    assert service.approve(second, "Berta-2") == "berta-2"


@pytest.mark.parametrize("name", ["root", "x", "a b", "ber/ta", "hub", "../ada", PREVIEW])
def test_request_cannot_be_approved_under_a_name_that_nobody_may_have(
    hub: FakeHub, service: AccountService, name: str
) -> None:
    number = asked(hub, "berta")
    with pytest.raises(UserInputError):
        service.approve(number, name)
    assert [row.name for row in service.requests()] == ["berta"]


def test_request_that_is_gone_says_so(service: AccountService) -> None:
    for act in (service.approve, service.refuse):
        with pytest.raises(NotFound, match="no longer exists"):
            act(17)


# ---------------------------------------------------------------- making accounts, passwords


def test_made_account_has_a_start_password_that_must_be_changed(
    hub: FakeHub, service: AccountService
) -> None:
    password = run(service.make("carl", "xrd"))
    assert run(hub.authenticator.password_is("carl", password))
    assert must_change_password(hub.db, "carl")
    assert {group.name for group in orm.User.find(hub.db, "carl").groups} == {"everyone", "xrd"}


@pytest.mark.parametrize(
    ("name", "group", "words"),
    [
        ("ada", "", "taken"),
        ("root", "", "reserved"),
        ("c", "", "3 to 32"),
        ("carl", "nowhere", "no group nowhere"),
    ],
)
def test_account_that_cannot_be_made_leaves_nothing_behind(
    hub: FakeHub, service: AccountService, name: str, group: str, words: str
) -> None:
    account(hub, "ada")
    with pytest.raises(QcError, match=words):
        run(service.make(name, group))
    assert [each.username for each in hub.authenticator.accounts()] == ["ada"]


def test_new_password_ends_sign_ins_and_leaves_tokens_made_by_hand(
    hub: FakeHub, service: AccountService
) -> None:
    dora = account(hub, "dora")
    cookie = dora.cookie_id
    recent.note(dora, "session")
    token = orm.APIToken.new(user=dora.orm_user, note="my notebook", scopes=["inherit"])
    password = run(service.new_password("dora"))
    assert run(hub.authenticator.password_is("dora", password))
    assert not run(hub.authenticator.password_is("dora", "plum-Orchid-42-river"))
    assert must_change_password(hub.db, "dora")
    assert dora.cookie_id != cookie
    assert not recent.holds(dora, "session")
    assert orm.APIToken.find(hub.db, token) is not None


def test_account_without_a_password_says_how_it_gets_one(hub: FakeHub, service: AccountService) -> None:
    # Named in the settings as an administrator: the hub has the account, and nobody has chosen a password.
    hub.user_from_username("greta")
    with pytest.raises(UserInputError, match="greta has no password yet") as error:
        run(service.new_password("greta"))
    assert "under People" in error.value.next
    password = run(service.make("greta"))
    assert run(hub.authenticator.password_is("greta", password))


@pytest.mark.attack(4)
def test_preview_account_gets_neither_password_nor_rights(hub: FakeHub, service: AccountService) -> None:
    hub.user_from_username(PREVIEW)
    for act in (
        lambda: run(service.new_password(PREVIEW)),
        lambda: service.make_administrator(PREVIEW),
        lambda: service.set_application_administrator(PREVIEW, given=True),
    ):
        with pytest.raises(UserInputError, match="preview account"):
            act()


# ---------------------------------------------------------------- locks, sign-outs, rights


def test_locked_account_has_no_rights_server_sign_in_or_token(hub: FakeHub, service: AccountService) -> None:
    emil = account(hub, "emil")
    emil.admin = True
    emil.spawners[""].active = True
    tokens = [
        orm.APIToken.new(user=emil.orm_user, note=note, scopes=["inherit"])
        for note in ("mine", f"{SERVER_TOKEN_NOTE}/")
    ]
    run(service.lock("emil"))
    assert not hub.authenticator.is_approved("emil")
    assert not orm.User.find(hub.db, "emil").admin
    assert hub.stopped == ["emil"]
    assert [orm.APIToken.find(hub.db, token) for token in tokens] == [None, None]
    service.unlock("emil")
    assert hub.authenticator.is_approved("emil")
    assert not orm.User.find(hub.db, "emil").admin, "a lifted lock brings no rights back"


@pytest.mark.parametrize("tokens", [True, False])
def test_sign_out_ends_the_server_and_by_choice_tokens_made_by_hand(
    hub: FakeHub, service: AccountService, tokens: bool
) -> None:
    fred = account(hub, "fred")
    fred.spawners[""].active = True
    by_hand = orm.APIToken.new(user=fred.orm_user, note="mine", scopes=["inherit"])
    of_server = orm.APIToken.new(user=fred.orm_user, note=f"{SERVER_TOKEN_NOTE}/", scopes=["inherit"])
    run(service.sign_out("fred", tokens=tokens))
    assert hub.stopped == ["fred"]
    assert orm.APIToken.find(hub.db, of_server) is None
    assert (orm.APIToken.find(hub.db, by_hand) is None) is tokens


def test_own_new_password_keeps_the_running_server(hub: FakeHub, service: AccountService) -> None:
    ada = account(hub, "ada")
    of_server = orm.APIToken.new(user=ada.orm_user, note=f"{SERVER_TOKEN_NOTE}/", scopes=["inherit"])
    by_hand = orm.APIToken.new(user=ada.orm_user, note="mine", scopes=["inherit"])
    service.password_changed(ada, tokens=True)
    assert orm.APIToken.find(hub.db, of_server) is not None
    assert orm.APIToken.find(hub.db, by_hand) is None


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda service: run(service.lock("ada")), "lock yourself"),
        (lambda service: run(service.delete("ada")), "delete yourself"),
        (lambda service: service.make_member("ada"), "your own administrator"),
    ],
    ids=["lock", "delete", "make member"],
)
def test_administrator_cannot_shut_out_themselves(
    hub: FakeHub, service: AccountService, act: Any, words: str
) -> None:
    account(hub, "ada").admin = True
    with pytest.raises(UserInputError, match=words):
        act(service)
    assert hub.authenticator.is_approved("ada")


def test_locked_account_cannot_become_an_administrator(hub: FakeHub, service: AccountService) -> None:
    account(hub, "gina")
    hub.authenticator.set_approved("gina", approved=False)
    with pytest.raises(UserInputError, match="gina is locked"):
        service.make_administrator("gina")
    assert not orm.User.find(hub.db, "gina").admin


@pytest.mark.parametrize("act", ["sign_out", "delete"])
def test_unknown_person_is_named(service: AccountService, act: str) -> None:
    with pytest.raises(NotFound, match="no member called nobody-here"):
        run(getattr(service, act)("nobody-here", **({"tokens": True} if act == "sign_out" else {})))


def test_deleted_account_leaves_its_name_free_and_its_password_void(
    hub: FakeHub, service: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(hub, "hans")
    run(hub.authenticator.set_password("hans", "other-Pass-word-77", must_change=True))

    async def delete() -> None:
        # The home is looked after a second later, on the loop of the hub.
        monkeypatch.setattr(
            "qcrbox_hub.accounts.members.IOLoop",
            SimpleNamespace(current=lambda: SimpleNamespace(call_later=lambda *_: None)),
        )
        await service.delete("hans")

    run(delete())
    assert orm.User.find(hub.db, "hans") is None
    assert not hub.authenticator.is_taken("hans")
    account(hub, "hans")
    assert not must_change_password(hub.db, "hans")


# ---------------------------------------------------------------- roles in groups


def test_role_of_a_group_needs_membership_and_ends_with_it(hub: FakeHub, service: AccountService) -> None:
    hub.db.add(orm.Group(name="optics"))
    hub.db.commit()
    account(hub, "ines")
    service.enter("ines", "optics", "lecturer")
    ines = orm.User.find(hub.db, "ines")
    assert {role.name for role in ines.roles} >= {"lecturer-of-optics"}
    group = orm.Group.find(hub.db, "optics")
    group.users.remove(ines)
    hub.db.commit()
    assert not any(role.name.endswith("-of-optics") for role in ines.roles)
