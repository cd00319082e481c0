"""Groups and roles that follow a sign-in provider: what a rule names is brought up to date, everything else stays."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.accounts.claims import apply_claims
from qcrbox_hub.accounts.membership import Membership, follow_groups
from qcrbox_hub.accounts.roles import APPLICATIONS, APPLICATIONS_ROLE
from qcrbox_hub.platform.settings import ClaimRule
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

COMMON = "everyone"


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    with Session(engine) as made:
        event.listen(made, "before_flush", lambda session, *_: follow_groups(session))
        made.add_all([orm.User(name="jane"), orm.Group(name=COMMON), orm.Group(name="by-hand")])
        made.add(orm.OAuthClient(identifier="jupyterhub"))  # that of tokens made by hand
        made.add(orm.Role(name=APPLICATIONS_ROLE, scopes=[APPLICATIONS]))
        made.add_all([orm.Role(name=name, scopes=["self"]) for name in ("user", "admin")])
        made.commit()
        Membership(made, COMMON).add("by-hand", ["jane"])
        yield made


def jane(session: Session) -> Any:
    row = orm.User.find(session, "jane")

    class HubUser(SimpleNamespace):
        """The hub's user: `admin` is its row's."""

        admin = property(lambda self: row.admin, lambda self, value: setattr(row, "admin", value))

    return HubUser(name="jane", orm_user=row)


def signed_in(session: Session, values: list[str], *rules: dict[str, str]) -> tuple[set[str], set[str], bool]:
    """jane signs in: her groups, roles, and whether she administers."""
    user = jane(session)
    apply_claims(session, COMMON, user, values, [ClaimRule.model_validate(rule) for rule in rules])
    row = user.orm_user
    return (
        {group.name for group in row.groups},
        {role.name for role in row.roles} - {"user", "admin"},
        bool(row.admin),
    )


XRD = {"value": "course:42", "group": "xrd"}
TEACHES = {"value": "Instructor", "group": "xrd", "role": "lecturer"}


def test_value_puts_into_its_group_which_is_made_and_its_absence_takes_out(session: Session) -> None:
    assert signed_in(session, ["course:42"], XRD)[0] == {"by-hand", "xrd"}
    assert signed_in(session, [], XRD)[0] == {"by-hand"}


@pytest.mark.parametrize(
    ("values", "roles"),
    [
        (["course:42"], set()),
        (["Instructor"], {"lecturer-of-xrd"}),
        (["course:42", "Instructor"], {"lecturer-of-xrd"}),
    ],
)
def test_any_rule_of_a_group_makes_a_member_its_role_is_given_by_its_own_value(
    session: Session, values: list[str], roles: set[str]
) -> None:
    groups, granted, _ = signed_in(session, values, XRD, TEACHES)
    assert (groups, granted) == ({"by-hand", "xrd"}, roles)


def test_role_that_the_provider_no_longer_says_is_taken_and_one_given_by_hand_stays(session: Session) -> None:
    signed_in(session, ["course:42", "Instructor"], XRD, TEACHES)
    Membership(session, COMMON).set_role("xrd", "jane", "data_manager", given=True)
    _, granted, _ = signed_in(session, ["course:42"], XRD, TEACHES)
    assert granted == {"data-manager-of-xrd"}


@pytest.mark.parametrize("value", ["COURSE:42", "course:42 ", "course:421", "course:4", ""])
def test_value_has_to_be_the_same_to_the_letter(session: Session, value: str) -> None:
    assert "xrd" not in signed_in(session, [value], XRD)[0]


@pytest.mark.attack(4)
def test_administrator_comes_and_goes_with_the_provider_where_a_rule_says_so(session: Session) -> None:
    rule = {"value": "hub-admins", "role": "administrator"}
    assert signed_in(session, ["hub-admins"], rule)[2] is True
    assert signed_in(session, ["hub-admins"], XRD)[2] is True, "no rule speaks of administrators"
    assert signed_in(session, [], rule)[2] is False


def test_right_over_applications_follows_its_rule(session: Session) -> None:
    rule = {"value": "app-admins", "role": "applications"}
    assert signed_in(session, ["app-admins"], rule)[1] == {APPLICATIONS_ROLE}
    assert signed_in(session, ["app-admins"], rule)[1] == {APPLICATIONS_ROLE}, "once is enough"
    assert signed_in(session, [], rule)[1] == set()


def test_without_rules_nothing_changes(session: Session) -> None:
    assert signed_in(session, ["Instructor", "hub-admins"]) == ({"by-hand"}, set(), False)


def test_rule_for_a_group_that_cannot_be_named_so_is_an_error_in_words(session: Session) -> None:
    with pytest.raises(UserInputError, match="A group's name has 3 to 62 characters"):
        signed_in(session, ["x"], {"value": "x", "group": "No Group!"})


def test_running_server_gets_the_role_that_was_given_after_its_start(session: Session) -> None:
    row = orm.User.find(session, "jane")
    orm.APIToken.new(user=row, note="Server at /user/jane/", scopes=["inherit"])
    orm.APIToken.new(user=row, note="my notebook", scopes=["inherit"])
    signed_in(session, ["course:42", "Instructor"], XRD, TEACHES)
    scopes = {token.note: set(token.scopes) for token in row.api_tokens}
    assert "custom:qcrbox:teach!group=xrd" in scopes["Server at /user/jane/"]
    assert scopes["my notebook"] == {"inherit"}
