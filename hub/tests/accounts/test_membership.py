"""Groups and roles in the hub's database: what a change takes along, and what it refuses whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm
from qcrbox.contract.errors import Conflict, NotFound, UserInputError
from qcrbox.contract.previews import PREFIX
from qcrbox_hub.accounts.membership import (
    GROUP_ROLES,
    Membership,
    follow_groups,
    load_roles,
    read_stored_roles,
)
from qcrbox_hub.accounts.names import StoredName
from qcrbox_hub.accounts.roles import ADMINISTRATOR_ROLE, roles
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

COMMON, PREVIEW = "everyone", f"{PREFIX}abcdefgh"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hub.sqlite'}"


@pytest.fixture
def session(url: str) -> Iterator[Session]:
    engine = create_engine(url)
    orm.Base.metadata.create_all(engine)
    with Session(engine) as made:
        event.listen(made, "before_flush", lambda session, *_: follow_groups(session))
        made.add_all([orm.User(name=name) for name in ("ada", "ben", PREVIEW)])
        made.add(orm.Group(name=COMMON))
        made.commit()
        yield made
    engine.dispose()


@pytest.fixture
def groups(session: Session) -> Membership:
    made = Membership(session, COMMON)
    made.create("xrd")
    made.add("xrd", ["ada", "ben"])
    return made


def roles_of(session: Session, name: str) -> set[str]:
    return {role.name for role in orm.User.find(session, name).roles}


# ---------------------------------------------------------------- groups


@pytest.mark.parametrize("name", ["xrd", "x-r_d", "a1b", "x" * 62])
def test_group_of_a_good_name_is_made_with_its_three_roles(session: Session, name: str) -> None:
    Membership(session, COMMON).create(name)
    made = {role.name for role in session.query(orm.Role) if role.name.endswith(f"-of-{name}")}
    assert made == {f"{prefix}-{name}" for prefix in GROUP_ROLES.values()}


@pytest.mark.attack(4)
@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "x" * 63,
        "Xrd",
        "1rd",
        "xr d",
        "xrd-",
        "x,rd",
        "x!group=y",
        "x\nd",
        "xrd\n",
        "größe",
        "*",
        "../x",
    ],
    ids=repr,
)
def test_name_that_could_be_read_as_a_scope_path_or_list_is_refused(session: Session, name: str) -> None:
    with pytest.raises(UserInputError, match="3 to 62 characters"):
        Membership(session, COMMON).create(name)


def test_group_is_made_once(groups: Membership) -> None:
    with pytest.raises(Conflict, match="There is a group xrd already"):
        groups.create("xrd")


def test_deleted_group_takes_its_roles_along_and_the_common_one_stays(
    session: Session, groups: Membership
) -> None:
    groups.set_role("xrd", "ada", "manager", given=True)
    groups.delete("xrd")
    assert roles_of(session, "ada") == set()
    assert not [role for role in session.query(orm.Role) if role.name.endswith("-of-xrd")]
    with pytest.raises(UserInputError, match="cannot be deleted"):
        groups.delete(COMMON)
    with pytest.raises(NotFound, match="no group xrd"):
        groups.delete("xrd")


# ---------------------------------------------------------------- members


def test_of_a_list_with_an_unknown_name_nobody_is_added(session: Session, groups: Membership) -> None:
    groups.create("new")
    with pytest.raises(NotFound, match="nobody-here") as error:
        groups.add("new", ["ada", "nobody-here", PREVIEW])
    assert PREVIEW in error.value.message
    assert "Nobody was added" in error.value.next
    assert groups.group("new").users == []


def test_long_list_of_unknown_names_is_shortened(groups: Membership) -> None:
    with pytest.raises(NotFound) as error:
        groups.add("xrd", [f"unknown-{number}" for number in range(500)])
    assert len(error.value.message) < 1000


def test_member_is_added_once(groups: Membership) -> None:
    groups.add("xrd", ["ada", "ada"])
    assert sorted(user.name for user in groups.group("xrd").users) == ["ada", "ben"]


def test_removed_member_loses_every_role_of_that_group_and_none_of_others(
    session: Session, groups: Membership
) -> None:
    groups.create("optics")
    groups.add("optics", ["ada"])
    for kind in GROUP_ROLES:
        groups.set_role("xrd", "ada", kind, given=True)
    groups.set_role("optics", "ada", "manager", given=True)
    groups.remove("xrd", "ada")
    assert roles_of(session, "ada") == {"manager-of-optics"}
    groups.remove("xrd", "ada")


def test_nobody_leaves_the_common_group(groups: Membership) -> None:
    groups.add(COMMON, ["ada"])
    with pytest.raises(UserInputError, match="Every member belongs to everyone"):
        groups.remove(COMMON, "ada")


@pytest.mark.attack(4)
def test_role_needs_membership_a_known_kind_and_a_person(groups: Membership) -> None:
    groups.create("optics")
    for group, name, kind, error in (
        ("optics", "ada", "manager", UserInputError),
        ("xrd", "ada", "king", UserInputError),
        ("xrd", "ada", "administrator", UserInputError),
        ("xrd", PREVIEW, "lecturer", NotFound),
        ("xrd", "nobody-here", "lecturer", NotFound),
        ("nowhere", "ada", "lecturer", NotFound),
    ):
        with pytest.raises(error):
            groups.set_role(group, name, kind, given=True)


@pytest.mark.parametrize(
    ("kind", "manages"), [("manager", True), ("lecturer", True), ("data_manager", False)]
)
def test_managers_and_lecturers_manage(
    session: Session, groups: Membership, kind: str, manages: bool
) -> None:
    groups.set_role("xrd", "ada", kind, given=True)
    ada = orm.User.find(session, "ada")
    assert groups.roles_of(ada, "xrd") == [kind]
    assert groups.manages(ada, "xrd") is manages
    assert not groups.manages(ada, COMMON)


def test_switches_that_are_off_leave_nothing_and_other_properties_stay(
    session: Session, groups: Membership
) -> None:
    groups.group("xrd").properties = {"site": "x", "internet": True, "image": "old"}
    session.commit()
    groups.set_switches("xrd", internet=False, image="")
    assert groups.group("xrd").properties == {"site": "x"}
    groups.set_switches("xrd", internet=True, image="qcrbox/person:gpu")
    session.expire_all()
    assert groups.group("xrd").properties == {"site": "x", "internet": True, "image": "qcrbox/person:gpu"}


# ---------------------------------------------------------------- what the hub's next start keeps


def roles_at_start(url: str) -> dict[str, list[str]]:
    return {spec["name"]: spec.get("users", []) for spec in load_roles(url, COMMON)}


def test_roles_and_their_holders_are_there_at_the_next_start(
    url: str, session: Session, groups: Membership
) -> None:
    groups.set_role("xrd", "ada", "lecturer", given=True)
    found = roles_at_start(url)
    assert found["lecturer-of-xrd"] == ["ada"]
    assert found["manager-of-xrd"] == []
    assert {f"{prefix}-{COMMON}" for prefix in GROUP_ROLES.values()} <= set(found)
    assert {spec["name"] for spec in roles()} <= set(found)


@pytest.mark.attack(4)
def test_role_of_a_person_who_is_not_in_the_group_is_not_kept(
    url: str, session: Session, groups: Membership
) -> None:
    groups.set_role("xrd", "ada", "manager", given=True)
    # Removed by something that knows nothing of our roles.
    with session.bind.connect() as connection:  # type: ignore[union-attr]
        connection.exec_driver_sql("DELETE FROM user_group_map")
        connection.commit()
    assert roles_at_start(url)["manager-of-xrd"] == []


def test_administrators_of_the_hub_are_ours_and_names_stay_as_they_are_stored(
    url: str, session: Session
) -> None:
    session.add(orm.User(name="jane--abcdefghijklmnop", admin=True))
    session.commit()
    found: Any = read_stored_roles(url).holders[ADMINISTRATOR_ROLE]
    assert found == ["jane--abcdefghijklmnop"]
    assert isinstance(found[0], StoredName)


def test_group_that_jupyterhub_made_under_another_kind_of_name_has_no_roles(
    url: str, session: Session
) -> None:
    session.add(orm.Group(name="Group of Bob!"))
    session.commit()
    assert not [name for name in roles_at_start(url) if "Bob" in name]


def test_hub_that_was_never_up_has_the_roles_of_the_common_group(tmp_path: Path) -> None:
    found = roles_at_start(f"sqlite:///{tmp_path / 'none.sqlite'}")
    assert f"manager-of-{COMMON}" in found
    assert all(holders == [] for holders in found.values())
