"""Preview accounts in the hub's database: who gets one, what it may be in, and when it has to go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, UserInputError
from qcrbox.contract.previews import is_preview
from qcrbox_hub.accounts.membership import Membership, follow_groups, load_roles
from qcrbox_hub.accounts.names import NAME_PATTERN, StoredName, safe_name
from qcrbox_hub.accounts.preview_keeping import PreviewKeeper
from qcrbox_hub.accounts.previews import UNUSED_S, Previews, follow_previews, role_specs
from qcrbox_hub.accounts.previews import load_roles as load_preview_roles
from qcrbox_hub.accounts.providers import (
    LdapAuthenticator,
    LtiAuthenticator,
    OidcAuthenticator,
    PamAuthenticator,
)
from qcrbox_hub.accounts.service import AccountService
from qcrbox_hub.accounts.tables import PreviewRow
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import Session

NOW = 1_800_000_000.0
MADE = datetime(2026, 11, 1)
pytestmark = pytest.mark.attack(1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hub.sqlite'}"


@pytest.fixture
def session(url: str) -> Iterator[Any]:
    engine = create_engine(url)
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
    orm.Base.metadata.create_all(engine)
    with Session(engine) as made:

        @event.listens_for(made, "before_flush")
        def follow(session: Any, *_: Any) -> None:
            with session.no_autoflush:
                follow_groups(session)
                touched = follow_previews(session, "everyone")
            session.info["touched"] = touched or session.info.get("touched", False)

        made.add_all(orm.Group(name=name) for name in ("everyone", "xrd", "other"))
        for name in ("lena", "tom", "stella", "eve"):
            made.add(orm.User(name=name, created=MADE))
        made.commit()
        membership = Membership(made, "everyone")
        membership.add("xrd", ["lena", "tom", "stella"])
        membership.add("other", ["eve", "stella"])
        membership.set_role("xrd", "lena", "lecturer", given=True)
        membership.set_role("xrd", "tom", "manager", given=True)
        membership.set_role("other", "eve", "lecturer", given=True)
        yield made


@pytest.fixture
def hub(session: Any) -> Any:
    """What `begin` needs of a handler of the hub."""

    def make(name: str) -> Any:
        user = orm.User(name=name, created=MADE)
        session.add(user)
        session.commit()
        return SimpleNamespace(orm_user=user)

    def join(user: Any) -> None:
        group = orm.Group.find(session, "everyone")
        group.users.append(user)
        session.commit()

    return SimpleNamespace(user_from_username=make, authenticator=SimpleNamespace(add_user=join))


@pytest.fixture
def begin(session: Any, hub: Any) -> Callable[..., PreviewRow]:
    def make(owner: str = "lena", group: str = "xrd") -> PreviewRow:
        return Previews(session, lambda: NOW).begin(hub, person(session, owner), group, "everyone")

    return make


def person(session: Any, name: str) -> Any:
    return orm.User.find(session, name)


def scopes(session: Any, name: str) -> set[str]:
    return {scope for role in person(session, name).roles for scope in role.scopes}


def test_lecturers_and_assistants_get_one_account_per_course(session: Any, begin: Any) -> None:
    row = begin()
    assert is_preview(row.name)
    assert begin().name == row.name
    assert begin("tom").name != row.name
    assert sorted(group.name for group in person(session, row.name).groups) == ["everyone", "xrd"]
    assert scopes(session, row.name) == {"custom:qcrbox:preview!user=lena", "custom:qcrbox:preview!group=xrd"}


@pytest.mark.parametrize(("owner", "group"), [("stella", "xrd"), ("eve", "xrd"), ("lena", "other")])
def test_students_and_lecturers_of_other_courses_get_none(
    session: Any, begin: Any, owner: str, group: str
) -> None:
    with pytest.raises(NotAllowed):
        begin(owner, group)
    assert session.scalars(select(PreviewRow)).all() == []


def test_a_preview_account_previews_nothing(session: Any, begin: Any, hub: Any) -> None:
    row = begin()
    with pytest.raises(NotAllowed):
        Previews(session).begin(hub, person(session, row.name), "xrd", "everyone")


def test_its_owner_alone_holds_the_two_scopes_that_open_it(session: Any, begin: Any) -> None:
    row = begin()
    wanted = {f"access:servers!user={row.name}", f"servers!user={row.name}"}
    assert {scope for scope in scopes(session, "lena") if row.name in scope} == wanted
    for name in ("tom", "stella", "eve"):
        assert not any(row.name in scope for scope in scopes(session, name))


def test_withdrawn_it_is_opened_by_nobody_at_once_and_not_made_again_before_it_is_gone(
    session: Any, begin: Any
) -> None:
    row = begin()
    Previews(session, lambda: NOW).withdraw(row)
    assert not any(row.name in scope for scope in scopes(session, "lena"))
    assert scopes(session, row.name) == set()
    with pytest.raises(Conflict):
        begin()
    Previews(session).forget(row)
    assert begin().name != row.name


def test_withdrawn_it_is_in_no_course_and_a_kept_token_opens_nothing(session: Any, begin: Any) -> None:
    row = begin()
    account = person(session, row.name)
    session.add(orm.OAuthClient(identifier="jupyterhub"))
    session.commit()
    kept, token = "k" * 40, orm.APIToken(user=account, client_id="jupyterhub", scopes=[])
    token.token = kept
    session.add(token)
    session.commit()
    assert orm.APIToken.find(session, kept) is not None
    Previews(session, lambda: NOW).withdraw(row)
    session.expire_all()
    assert [group.name for group in person(session, row.name).groups] == ["everyone"]
    assert orm.APIToken.find(session, kept) is None


def test_the_reason_of_the_end_stays_the_first_one(session: Any, begin: Any) -> None:
    row, previews = begin(), Previews(session, lambda: NOW)
    why = previews.ending(row, lambda name: name != "lena", None)
    previews.withdraw(row, why)
    assert previews.ending(row, lambda _: True, None) == why, "the audit trail would name another reason"
    ended = begin("tom")
    previews.withdraw(ended)
    assert previews.ending(ended, lambda _: False, None) == "its owner ended it"


class Slow:
    """The hub's application with a registry that does not answer and servers that stop when asked."""

    def __init__(self, session: Any, roots: Any) -> None:
        self.db, self.users = session, roots
        self.authenticator = SimpleNamespace(is_approved=lambda _: True)
        self.tornado_settings = {"qcrbox_registry_url": "http://127.0.0.1:9", "qcrbox_service_token": "x"}


def test_a_removal_that_takes_long_does_not_keep_others_from_being_withdrawn(
    session: Any, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = begin(), begin("tom")
    keeper = PreviewKeeper(Slow(session, {}))
    stopped, asked = asyncio.Event(), asyncio.Event()

    async def slowly(row: PreviewRow, why: str) -> None:
        asked.set()
        await stopped.wait()
        keeper.previews.forget(row)

    monkeypatch.setattr(keeper, "_remove", slowly)

    async def main() -> None:
        keeper.previews.withdraw(first)
        looking = asyncio.ensure_future(keeper.look())
        await asked.wait()
        Membership(session, "everyone").set_role("xrd", "tom", "manager", given=False)
        again = asyncio.ensure_future(keeper.look())
        await asyncio.sleep(0)
        assert not any(second.name in scope for scope in scopes(session, "tom"))
        stopped.set()
        await asyncio.gather(looking, again)

    asyncio.run(main())
    assert session.scalars(select(PreviewRow)).all() == []


def remove(session: Any, kind: type, name: str) -> None:
    session.delete(kind.find(session, name))
    session.commit()


def rename(session: Any) -> None:
    person(session, "lena").name = "lisa"
    session.commit()


def make_anew(session: Any) -> None:
    remove(session, orm.User, "lena")
    session.add(orm.User(name="lena", created=MADE + timedelta(days=1)))
    session.commit()


ENDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "role taken": (
        lambda s: Membership(s, "everyone").set_role("xrd", "lena", "lecturer", given=False),
        "neither",
    ),
    "out of the group": (lambda s: Membership(s, "everyone").remove("xrd", "lena"), "neither"),
    "group gone": (lambda s: remove(s, orm.Group, "xrd"), "neither"),
    "owner gone": (lambda s: remove(s, orm.User, "lena"), "gone or renamed"),
    "owner made anew": (make_anew, "gone or renamed"),
    "owner renamed": (rename, "gone or renamed"),
}


@pytest.mark.parametrize(("change", "why"), ENDS.values(), ids=ENDS)
def test_it_ends_with_the_role_of_its_owner(session: Any, begin: Any, change: Any, why: str) -> None:
    row = begin()
    previews = Previews(session, lambda: NOW)
    assert previews.ending(row, lambda _: True, frozenset({"xrd"})) == ""
    session.info["touched"] = False
    change(session)
    assert session.info["touched"], "the keeper is not woken"
    assert why in previews.ending(row, lambda _: True, frozenset({"xrd"}))


def test_it_ends_with_a_lock_with_the_course_and_when_it_is_moved_out_of_it(session: Any, begin: Any) -> None:
    row, previews = begin(), Previews(session, lambda: NOW)
    assert "locked" in previews.ending(row, lambda name: name != "lena", None)
    assert "archived" in previews.ending(row, lambda _: True, frozenset({"other"}))
    assert previews.ending(row, lambda _: True, None) == "", "a registry that does not answer ends nothing"
    group = orm.Group.find(session, "xrd")
    group.users.remove(person(session, row.name))
    session.commit()
    assert "not in the course" in previews.ending(row, lambda _: True, None)


def test_it_ends_a_day_after_its_last_use(session: Any, begin: Any) -> None:
    row = begin()

    def why(at: float) -> str:
        return Previews(session, lambda: at).ending(row, lambda _: True, None)

    assert why(NOW + UNUSED_S) == ""
    assert "a day" in why(NOW + UNUSED_S + 1)
    person(session, row.name).last_activity = datetime(1970, 1, 1) + timedelta(seconds=NOW + 7200)
    session.commit()
    assert why(NOW + UNUSED_S + 1) == ""
    assert "a day" in why(NOW + 7200 + UNUSED_S + 1)


def test_it_joins_no_other_group_by_either_side_and_becomes_no_administrator(
    session: Any, begin: Any
) -> None:
    row = begin()
    account, other = person(session, row.name), orm.Group.find(session, "other")
    other.users.append(account)
    session.commit()
    account.groups.append(orm.Group.find(session, "other"))
    session.commit()
    account.admin = True
    session.commit()
    session.expire_all()
    assert sorted(group.name for group in person(session, row.name).groups) == ["everyone", "xrd"]
    assert not person(session, row.name).admin
    with pytest.raises(NotFound):
        Membership(session, "everyone").add("other", [row.name])
    with pytest.raises(NotFound):
        Membership(session, "everyone").set_role("xrd", row.name, "lecturer", given=True)


def test_administrators_give_it_no_password_and_no_rights(session: Any, begin: Any) -> None:
    row = begin()
    authenticator = SimpleNamespace(own_passwords=True, is_approved=lambda _: True)
    service = AccountService(SimpleNamespace(db=session, authenticator=authenticator, users=None), by="ada")
    for act in (
        lambda: service.make_administrator(row.name),
        lambda: service.set_application_administrator(row.name, given=True),
        lambda: asyncio.run(service.new_password(row.name)),
    ):
        with pytest.raises(UserInputError, match="is a preview account"):
            act()


def test_a_restart_keeps_the_roles_of_those_that_stay(session: Any, begin: Any, url: str) -> None:
    stays, ends = begin(), begin("tom")
    Previews(session).withdraw(ends)
    wanted = role_specs(stays.name, "lena", "xrd")
    assert load_preview_roles(url) == wanted
    remove(session, orm.User, "lena")
    assert load_preview_roles(url) == [], "the hub would make an account of the name"


def test_a_new_account_under_the_owners_name_gets_no_role_at_a_restart(
    session: Any, begin: Any, url: str
) -> None:
    begin()
    make_anew(session)
    assert load_preview_roles(url) == []


@pytest.mark.parametrize("kind", [OidcAuthenticator, LdapAuthenticator, PamAuthenticator])
def test_names_that_were_made_keep_their_roles_at_a_restart(kind: Any, session: Any, url: str) -> None:
    made = safe_name("jane.doe@example.org")
    session.add(orm.User(name=made, created=MADE))
    session.commit()
    Membership(session, "everyone").add("xrd", [made])
    Membership(session, "everyone").set_role("xrd", made, "lecturer", given=True)
    authenticator = kind(_deprecated_db_session=session)
    (holders,) = [spec["users"] for spec in load_roles(url, "everyone") if spec["name"] == "lecturer-of-xrd"]
    assert sorted(map(authenticator.normalize_username, holders)) == sorted(["lena", made])
    # A person who signs in by the provider under that name gets another account.
    assert authenticator.normalize_username(str(made)) != made


@pytest.mark.parametrize("kind", [OidcAuthenticator, LdapAuthenticator, PamAuthenticator, LtiAuthenticator])
def test_no_identity_of_a_provider_becomes_a_preview_account(kind: Any, session: Any) -> None:
    authenticator = kind(_deprecated_db_session=session, username_pattern=".*")  # a site may widen it
    assert not authenticator.validate_username("0preview-abcdefghijklmnop")
    assert authenticator.validate_username("stella")
    assert not is_preview(authenticator.normalize_username("0preview-abcdefghijklmnop"))
    assert StoredName("x") == "x"
    assert NAME_PATTERN.startswith("[a-z]")
