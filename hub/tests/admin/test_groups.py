"""The pages of groups: administrators see all of them, managers those they manage."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from jupyterhub import orm
from qcrbox.contract.errors import NotFound, Unreachable
from qcrbox_hub.accounts.membership import Membership
from qcrbox_hub.admin.groups import Group, GroupPage, pasted_names
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from conftest import Browser

ROOT = "/hub/administration"
GROUPS = f"{ROOT}/groups"


def names(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*/groups/([^"]+)"', page)


@pytest.fixture(scope="module")
def team(ada: Browser, manager: Browser, make_person: Callable[..., Browser]) -> Callable[..., Browser]:
    """Physics with its manager, and a group beside it."""
    ada.submit(GROUPS, action="make", name="secret-lab")
    return make_person


def test_manager_sees_the_own_groups_only(manager: Browser, team: object) -> None:
    assert names(manager.get(GROUPS).text) == ["physics"]
    assert "secret-lab" not in manager.get(f"{GROUPS}?format=csv").text
    for path in (f"{GROUPS}/secret-lab", f"{GROUPS}/no-such-group"):
        assert manager.get(path).status_code == 404
    page = manager.get(f"{GROUPS}/physics").text
    assert "mona" in page
    assert "Set limits" not in page
    assert "Make manager" not in page


@pytest.mark.slow
def test_table_is_searched_and_sorted_by_members(ada: Browser, team: Callable[..., Browser]) -> None:
    team("sorted-one", "sort-many", "sort-few")
    team("sorted-two", "sort-many")
    assert names(ada.get(f"{GROUPS}?q=SORT-&sort=members").text) == ["sort-few", "sort-many"]
    assert names(ada.get(f"{GROUPS}?q=sort-&sort=-members").text) == ["sort-many", "sort-few"]
    assert "sort-many,2" in ada.get(f"{GROUPS}?q=sort-&format=csv").text


@pytest.mark.slow
def test_manager_adds_and_removes_members_but_gives_no_roles(
    manager: Browser, team: Callable[..., Browser]
) -> None:
    pupil = team("pupil-of-mona")
    page = f"{GROUPS}/physics"
    manager.submit(page, action="add", people="pupil-of-mona")
    assert "physics" in pupil.get("/hub/api/user").json()["groups"]
    for action in ("give_role", "take_role", "limits", "switches", "delete"):
        answer = manager.submit(
            page, action=action, person="pupil-of-mona", role="manager", typed_name="physics", reason="x"
        )
        assert "Only an administrator may do this" in answer.text, action
    assert manager.http.post(f"{GROUPS}/secret-lab", data={"action": "add"}).status_code in (403, 404)
    assert (
        "has a role in physics" in manager.submit(page, action="remove", reason="a test", person="mona").text
    )
    manager.submit(page, action="remove", reason="a test", person="pupil-of-mona")
    assert "physics" not in pupil.get("/hub/api/user").json()["groups"]


@pytest.mark.slow
def test_administrator_gives_roles_limits_and_switches(
    ada: Browser, team: Callable[..., Browser], rest: Callable[..., Any]
) -> None:
    gerda = team("gerda-roles", "gerda-group")
    assert rest(gerda, "GET", "/api/me").status_code == 200
    page = f"{GROUPS}/gerda-group"
    ada.submit(page, action="give_role", person="gerda-roles", role="data_manager")
    assert "custom:qcrbox:data!group=gerda-group" in gerda.get("/hub/api/user").json()["scopes"]
    assert "Changed: Storage, GiB" in ada.submit(page, action="limits", limit_gib="12.5").text
    assert 'name="limit_gib" inputmode="decimal" value="12.5"' in ada.get(page).text
    ada.submit(page, action="switches", internet="yes", image="")
    assert ada.get("/hub/api/groups/gerda-group").json()["properties"] == {"internet": True}
    assert "none of the images" in ada.submit(page, action="switches", image="evil/image").text
    ada.submit(page, action="switches", image="")
    assert ada.get("/hub/api/groups/gerda-group").json()["properties"] == {}


@pytest.mark.slow
def test_deleted_group_asks_for_the_typed_name_and_takes_its_roles_along(
    ada: Browser, team: Callable[..., Browser]
) -> None:
    dirk = team("dirk-of-doomed", "doomed-group")
    page = f"{GROUPS}/doomed-group"
    ada.submit(page, action="give_role", person="dirk-of-doomed", role="manager")
    wrong = ada.submit(page, action="delete", typed_name="doomed", reason="over", data="wait")
    assert "nothing was changed" in wrong.text
    done = ada.submit(page, action="delete", typed_name="doomed-group", reason="over", data="wait")
    assert "is deleted" in done.text
    assert ada.get(page).status_code == 404
    me = dirk.get("/hub/api/user").json()
    assert "doomed-group" not in me["groups"]
    assert not any("doomed-group" in scope for scope in me["scopes"])


def test_common_group_stays(ada: Browser) -> None:
    answer = ada.submit(f"{GROUPS}/everyone", action="delete", typed_name="everyone", reason="x", data="wait")
    assert "cannot be deleted" in answer.text


# ---------------------------------------------------------------- pasted lists


@pytest.mark.parametrize(
    "text",
    [
        "anna bert",
        "\ufeffanna\r\nbert\r\n",
        ' "anna";\t"bert" ;;',
        "anna, Anna,ANNA\n\n\u2028 bert,\xa0anna",
    ],
    ids=["blanks", "byte order mark", "quoted", "again in other spelling"],
)
def test_each_name_of_a_pasted_list_counts_once(text: str) -> None:
    assert pasted_names(text) == ["anna", "bert"]


def test_all_unknown_names_of_a_pasted_list_are_named_and_nobody_is_added() -> None:
    engine = create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([orm.Group(name="xrd"), orm.User(name="anna"), orm.User(name="bert")])
        session.commit()
        membership = Membership(session, "everyone")
        unknown = ["m\xfcller", "a\x00n\x00n\x00a", *(f"student-{number}" for number in range(30))]
        with pytest.raises(NotFound) as refused:
            membership.add("xrd", ["anna", *unknown, "bert"])
        assert "m\xfcller" in refused.value.message
        assert "student-17" in refused.value.message
        assert "and 12 more" in refused.value.message
        assert membership.group("xrd").users == []
        membership.add("xrd", ["anna", "bert"])
        membership.add("xrd", ["bert"])
        assert [person.name for person in membership.group("xrd").users] == ["anna", "bert"]


# ---------------------------------------------------------------- use of a group


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([], "does not know this group yet"),
        (Unreachable("The registry is not there."), "does not answer"),
    ],
    ids=["unknown", "away"],
)
def test_a_registry_that_does_not_answer_is_told_from_one_that_does_not_know_the_group(
    answer: Any, words: str
) -> None:
    async def get(path: str, **query: Any) -> dict[str, Any]:
        if isinstance(answer, Exception):
            raise answer
        return {"usage": answer}

    page: Any = SimpleNamespace(registry=SimpleNamespace(get=get), log=logging.getLogger("test"))
    usage = asyncio.run(GroupPage.usage_of(page, ["physics"]))
    said = Group.words_of_usage(usage, "physics")
    assert words in said
    assert Group.words_of_usage({"physics": {"gib": 1.0}}, "physics") == ""
