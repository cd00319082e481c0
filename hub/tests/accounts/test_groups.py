"""Groups and the roles in them, as a browser and the hub's tokens meet them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from qcrbox_hub.accounts.membership import StoredRoles, read_stored_roles

if TYPE_CHECKING:
    from conftest import Browser, Hub

PAGE = "/hub/administration/groups"


def scopes(browser: Browser) -> set[str]:
    return set(browser.get("/hub/api/user").json()["scopes"])


def groups(browser: Browser) -> set[str]:
    return set(browser.get("/hub/api/user").json()["groups"])


def xsrf_of(browser: Browser) -> str:
    browser.get("/hub/token")
    return browser.xsrf()


@pytest.fixture(scope="module")
def course(admin: Browser) -> str:
    """A group that an administrator made."""
    assert "is made" in admin.submit("/hub/administration/groups", action="make", name="xrd-101").text
    return "xrd-101"


def test_role_in_a_group_is_a_scope_of_that_group_only(
    admin: Browser, member: Callable[[str], Browser], course: str
) -> None:
    olga = member("olga")
    admin.submit(f"/hub/administration/groups/{course}", action="add", people="olga")
    assert course in groups(olga)
    admin.submit(f"/hub/administration/groups/{course}", action="give_role", person="olga", role="manager")
    assert f"custom:qcrbox:manage!group={course}" in scopes(olga)
    assert "custom:qcrbox:manage" not in scopes(olga)
    admin.submit(
        f"/hub/administration/groups/{course}",
        action="take_role",
        reason="a test",
        person="olga",
        role="manager",
    )
    assert not any(scope.startswith("custom:qcrbox:manage") for scope in scopes(olga))


@pytest.mark.attack(4)
def test_manager_adds_and_removes_members_of_the_own_group_only(
    admin: Browser, member: Callable[[str], Browser], course: str
) -> None:
    pia, quentin = member("pia"), member("quentin")
    admin.submit(f"/hub/administration/groups/{course}", action="add", people="pia")
    admin.submit(f"/hub/administration/groups/{course}", action="give_role", person="pia", role="manager")
    admin.submit("/hub/administration/groups", action="make", name="pharma-x")
    page = pia.get(PAGE)
    assert course in page.text
    assert "pharma-x" not in page.text
    pia.submit(f"/hub/administration/groups/{course}", action="add", people="quentin")
    assert course in groups(quentin)
    for group in ("pharma-x", "no-such-group", "everyone"):
        fields = {"action": "add", "people": "quentin", "_xsrf": xsrf_of(pia)}
        assert pia.http.post(f"{PAGE}/{group}", data=fields).status_code == 404, group
        assert groups(quentin) == {"everyone", course}
    pia.submit(f"/hub/administration/groups/{course}", action="remove", reason="a test", person="quentin")
    assert course not in groups(quentin)


@pytest.mark.attack(4)
@pytest.mark.parametrize("action", ["give_role", "take_role", "make", "delete", "switches", "limits"])
def test_manager_gives_no_roles_and_makes_no_groups(
    admin: Browser, member: Callable[[str], Browser], course: str, action: str
) -> None:
    name = f"rita-{action}"
    before = admin.http.get(f"/hub/api/groups/{course}").json()["properties"]
    rita = member(name)
    admin.submit(f"/hub/administration/groups/{course}", action="add", people=name)
    admin.submit(f"/hub/administration/groups/{course}", action="give_role", person=name, role="manager")
    fields = {"name": "new-one", "person": name, "role": "data_manager", "internet": "yes", "limit_gib": "9"}
    path = PAGE if action == "make" else f"{PAGE}/{course}"
    answer = rita.http.post(path, data={"action": action, "_xsrf": xsrf_of(rita), **fields})
    assert "Only an administrator" in answer.text or "Only administrators" in answer.text
    assert admin.http.get("/hub/api/groups/new-one").status_code == 404
    assert admin.http.get(f"/hub/api/groups/{course}").json()["properties"] == before
    assert not any(scope.startswith("custom:qcrbox:data") for scope in scopes(rita))


@pytest.mark.attack(4)
def test_manager_reaches_through_the_hubs_rest_no_more_than_on_the_page(
    admin: Browser, member: Callable[[str], Browser], course: str
) -> None:
    lisa = member("lisa")
    member("victor")
    admin.submit("/hub/administration/groups", action="make", name="pharma-y")
    admin.submit(f"/hub/administration/groups/{course}", action="add", people="lisa")
    admin.submit(f"/hub/administration/groups/{course}", action="give_role", person="lisa", role="manager")
    headers = {"X-XSRFToken": xsrf_of(lisa)}

    def ask(method: str, path: str, body: object = None) -> int:
        return lisa.http.request(method, f"/hub/api/{path}", json=body, headers=headers).status_code

    assert ask("POST", f"groups/{course}/users", {"users": ["victor"]}) == 200
    assert ask("PUT", f"groups/{course}/properties", {"internet": True, "image": "evil:latest"}) == 403
    assert ask("PUT", f"groups/{course}/properties/", {"internet": True}) in (403, 404)
    assert ask("POST", f"groups/{course}/users", {"users": ["nobody-of-this-name"]}) in (400, 404)
    assert ask("POST", "groups/pharma-y/users", {"users": ["lisa"]}) == 404
    assert ask("POST", "groups/everyone/users", {"users": ["victor"]}) == 404
    assert ask("POST", "groups/new-group") == 403
    assert ask("DELETE", f"groups/{course}") in (403, 404)
    assert ask("GET", "users/victor") in (403, 404)
    assert ask("POST", "users/victor/server") in (403, 404)
    assert ask("POST", "users/victor/tokens", {"note": "x"}) in (403, 404)
    found = admin.http.get(f"/hub/api/groups/{course}").json()
    assert found["properties"] == {}
    assert {"lisa", "victor"} <= set(found["users"])


@pytest.mark.attack(7)
@pytest.mark.parametrize("door", ["our page", "REST"])
def test_role_ends_with_the_membership_by_whichever_door(
    admin: Browser, member: Callable[[str], Browser], course: str, door: str
) -> None:
    name = "xena" if door == "REST" else "xaver"
    person = member(name)
    admin.submit(f"/hub/administration/groups/{course}", action="add", people=name)
    admin.submit(f"/hub/administration/groups/{course}", action="give_role", person=name, role="manager")
    assert f"groups!group={course}" in scopes(person)
    if door == "REST":
        answer = admin.http.request(
            "DELETE",
            f"/hub/api/groups/{course}/users",
            json={"users": [name]},
            headers={"X-XSRFToken": xsrf_of(admin)},
        )
        assert answer.status_code == 200, answer.text
    else:
        admin.submit(f"/hub/administration/groups/{course}", action="remove", reason="a test", person=name)
    assert not any("!group=" in scope for scope in scopes(person))
    back = person.http.post(
        f"/hub/api/groups/{course}/users", json={"users": [name]}, headers={"X-XSRFToken": xsrf_of(person)}
    )
    assert back.status_code in (403, 404)
    # Nor does the role come back with the membership.
    admin.submit(f"/hub/administration/groups/{course}", action="add", people=name)
    assert not any("!group=" in scope for scope in scopes(person) if scope.startswith("custom:qcrbox"))


def test_plain_member_finds_no_page(member: Callable[[str], Browser]) -> None:
    assert member("sven").get(PAGE).status_code == 404


def test_removed_member_loses_the_roles_in_the_group(
    admin: Browser, member: Callable[[str], Browser], course: str
) -> None:
    tara = member("tara")
    admin.submit(f"/hub/administration/groups/{course}", action="add", people="tara")
    for role in ("manager", "data_manager", "lecturer"):
        admin.submit(f"/hub/administration/groups/{course}", action="give_role", person="tara", role=role)
    assert f"custom:qcrbox:teach!group={course}" in scopes(tara)
    admin.submit(f"/hub/administration/groups/{course}", action="remove", reason="a test", person="tara")
    assert not any("!group=" in scope for scope in scopes(tara) if scope.startswith("custom:qcrbox"))


def test_role_needs_membership(admin: Browser, member: Callable[[str], Browser], course: str) -> None:
    uwe = member("uwe")
    answer = admin.submit(
        f"/hub/administration/groups/{course}", action="give_role", person="uwe", role="manager"
    )
    assert "is not in" in answer.text
    assert not any(scope.startswith("custom:qcrbox:manage") for scope in scopes(uwe))


@pytest.mark.attack(5)
@pytest.mark.parametrize("name", ["a", "Ünder", "a b", "x" * 80, "a!group=b", "a.b"])
def test_unusable_group_name_is_refused(admin: Browser, name: str) -> None:
    names = {each["name"] for each in admin.http.get("/hub/api/groups").json()}
    answer = admin.submit(PAGE, action="make", name=name)
    assert 'id="problem"' in answer.text
    assert {each["name"] for each in admin.http.get("/hub/api/groups").json()} == names


def test_group_made_by_the_hubs_own_page_has_roles_too(
    admin: Browser, member: Callable[[str], Browser]
) -> None:
    vera = member("vera")
    made = admin.http.post("/hub/api/groups/from-outside", headers={"X-XSRFToken": xsrf_of(admin)})
    assert made.status_code == 201, made.text
    admin.submit("/hub/administration/groups/from-outside", action="add", people="vera")
    admin.submit(
        "/hub/administration/groups/from-outside", action="give_role", person="vera", role="lecturer"
    )
    assert "custom:qcrbox:teach!group=from-outside" in scopes(vera)


def test_groups_and_holders_are_known_to_the_next_start(hub: Hub, course: str, tmp_path: Path) -> None:
    found = read_stored_roles(f"sqlite:///{hub.data.hub / 'jupyterhub.sqlite'}")
    assert {"everyone", course} <= set(found.groups)
    assert found.holders["qcrbox-administrator"] == ["ada"]
    assert read_stored_roles(f"sqlite:///{tmp_path / 'none.sqlite'}") == StoredRoles()


def test_role_given_later_reaches_a_server_that_runs_already(
    admin: Browser, member: Callable[[str], Browser], course: str
) -> None:
    wim = member("wim")
    admin.submit(f"/hub/administration/groups/{course}", action="add", people="wim")
    # As the hub makes it for a server: with the scopes its owner held at that time.
    answer = wim.http.post(
        "/hub/api/users/wim/tokens",
        json={"note": "Server at /user/wim/", "scopes": ["custom:qcrbox:use", "read:users:name!user"]},
        headers={"X-XSRFToken": xsrf_of(wim)},
    )
    token = {"Authorization": f"Bearer {answer.json()['token']}"}

    def held() -> set[str]:
        return set(wim.http.get("/hub/api/user", headers=token).json()["scopes"])

    wim.http.cookies.clear()
    wanted = f"custom:qcrbox:manage!group={course}"
    assert wanted not in held()
    admin.submit(f"/hub/administration/groups/{course}", action="give_role", person="wim", role="manager")
    assert wanted in held()
    admin.submit(
        f"/hub/administration/groups/{course}",
        action="take_role",
        reason="a test",
        person="wim",
        role="manager",
    )
    assert wanted not in held()


@pytest.mark.slow
def test_groups_and_roles_outlive_a_restart_of_the_hub(
    hub: Hub, admin: Browser, member: Callable[[str], Browser], course: str
) -> None:
    yara = member("yara")
    admin.submit(f"/hub/administration/groups/{course}", action="add", people="yara")
    admin.submit(f"/hub/administration/groups/{course}", action="give_role", person="yara", role="lecturer")
    before, admins = scopes(yara), scopes(admin)
    hub.restart()
    assert yara.sign_in("yara").status_code == 200
    assert scopes(yara) == before
    assert scopes(admin) == admins
    assert "custom:qcrbox:admin" in admins
    assert f"custom:qcrbox:teach!group={course}" in before
