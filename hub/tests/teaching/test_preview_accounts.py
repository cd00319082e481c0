"""An exercise in a real student's server: the preview account of a lecturer, and what others can make of it."""

from __future__ import annotations

import contextlib
import html
import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from qcrbox.contract.previews import PREFIX

from .conftest import PASSWORD

if TYPE_CHECKING:
    from conftest import Browser, Hub

pytestmark = pytest.mark.slow
GROUP = "/hub/administration/groups/xrd"


def wait(what: Callable[[], Any], why: str, seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.3)
    return found


def account_of(page: str) -> str | None:
    found = re.search(rf"<code>({PREFIX}[a-z2-7]+)</code>", page)
    return found and found.group(1)


def shown_previews(ada: Browser) -> dict[str, str]:
    """Name of each preview account -> what the administration says of it."""
    page = html.unescape(ada.get("/hub/administration/people?state=previews").text)
    rows = re.findall(r"<tr\b.*?</tr>", page, re.DOTALL)
    return {found.group(0): row for row in rows if (found := re.search(rf"{PREFIX}[a-z2-7]+", row))}


def opened(person: Browser, exercise: str) -> str:
    """The name of the account whose server is up after the button."""
    person.submit(f"{exercise}/preview", action="student")
    name = account_of(person.get(f"{exercise}/preview").text)
    assert name

    def up() -> bool:
        answer = in_server(person, name, "GET", "/qcrbox/info")
        assert answer.status_code != 500, answer.text
        return answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/json")

    wait(up, "the server did not start")
    return name


def in_server(person: Browser, name: str, method: str, path: str, **more: Any) -> Any:
    """A request of a browser to a person's server; the sign-in of the hub happens on the way."""
    server = person.server(name)
    person.get(f"{server}/lab")  # signs in at the server, which its interface does not
    if method != "GET":
        jar = person.http.cookies.jar
        xsrf = next((each.value or "" for each in jar if each.name == "_xsrf" and name in each.path), "")
        more["headers"] = {"X-XSRFToken": xsrf, "Origin": server.partition("/user")[0]}
    return person.http.request(method, server + path, **more)


@pytest.fixture(scope="module")
def preview(people: dict[str, Browser], exercise: str) -> Iterator[str]:
    """The preview account of lena in xrd, with its server running."""
    yield opened(people["lena"], exercise)
    people["lena"].submit(f"{exercise}/preview", action="end")


def test_the_server_is_a_students_and_no_one_elses(
    platform: Hub, people: dict[str, Browser], exercise: str, preview: str
) -> None:
    lena = people["lena"]
    me = in_server(lena, preview, "GET", "/qcrbox/api/me").json()["payload"]
    assert me["name"] == preview
    assert sorted(me["groups"]) == ["everyone", "xrd"]
    assert me["roles"] == {}
    courses = in_server(lena, preview, "GET", "/qcrbox/api/courses").json()["payload"]["courses"]
    assert [(each["group"], each["role"]) for each in courses] == [("xrd", "student")]
    (home,) = platform.data.homes.glob(f"*-{preview}")
    assert home.is_dir()
    # The same account for the same lecturer and course, however often the button is pressed.
    assert opened(lena, exercise) == preview
    assert opened(people["tom"], exercise) != preview


def test_its_limits_are_those_of_a_student(people: dict[str, Browser], preview: str) -> None:
    stella = people["stella"]
    stella.get("/hub/spawn")
    wait(
        lambda: stella.get(f"{stella.server('stella')}/lab").url.path == "/user/stella/lab",
        "stella has no server",
    )
    theirs, ours = environment("stella"), environment(preview)
    assert theirs["MEM_LIMIT"] == ours["MEM_LIMIT"]
    own_names = {key for key in theirs if "stella" in theirs[key]}
    secret = {"JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN"}
    # Who opens it hands their token to code of the exercise, so it carries no rights.
    assert ours.pop("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES") == "[]"
    assert theirs.pop("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES") == '["custom:qcrbox:use"]'
    assert {key for key in theirs if key not in own_names | secret and theirs[key] != ours.get(key)} <= {
        "JUPYTERHUB_ACTIVITY_URL",
    }
    assert theirs.keys() == ours.keys()


def environment(name: str) -> dict[str, str]:
    """The environment of the server of this account."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            found = process.environ()
            if found.get("JUPYTERHUB_USER") == name and "singleuser" in " ".join(process.cmdline()):
                return found
    raise AssertionError(f"no server of {name}")


def test_nobody_else_opens_starts_or_ends_it(people: dict[str, Browser], exercise: str, preview: str) -> None:
    for name in ("tom", "eve", "stella"):
        other = people[name]
        assert other.get(f"{other.server(preview)}/lab").status_code == 403, name
        assert in_server(other, preview, "GET", "/qcrbox/api/me").status_code in (401, 403), name
        assert other.get(f"/hub/spawn/{preview}").status_code in (403, 404), name
    # The hub's administrators may open every server of its people, and are asked first.
    assert people["ada"].get(f"{people['ada'].server(preview)}/lab").url.path == "/hub/api/oauth2/authorize"
    for name in ("stella", "eve"):
        other = people[name]
        assert other.get(f"{exercise}/preview").status_code == 404
        xsrf = other.xsrf()
        for action in ("student", "end"):
            answer = other.http.post(f"{exercise}/preview", data={"action": action, "_xsrf": xsrf})
            assert preview not in answer.text
    assert account_of(people["ada"].get(f"{exercise}/preview").text) is None
    owners = sorted(re.findall(r"preview of (\w+) in xrd", " ".join(shown_previews(people["ada"]).values())))
    assert {*owners} <= {"lena", "tom"}


def test_its_owner_holds_two_scopes_of_it_and_the_token_in_the_server_opens_nothing(
    people: dict[str, Browser], preview: str
) -> None:
    held = people["lena"].get("/hub/api/user").json()["scopes"]
    about = {scope.partition("!")[0] for scope in held if preview in scope}
    assert about <= {
        "access:servers",
        "servers",
        "start:servers",
        "delete:servers",
        "read:servers",
        "read:users:name",
    }
    # What a visitor's browser brings to a server can be read there: of the owner it is the name alone.
    page = html.unescape(people["lena"].get("/hub/token").text)
    assert "custom:qcrbox" not in "".join(
        re.findall(rf"<tr[^>]*>(?:(?!</tr>).)*{preview}.*?</tr>", page, re.DOTALL)
    )


def test_it_counts_nowhere(people: dict[str, Browser], exercise: str, rest: Any, preview: str) -> None:
    lena, ada, exercise_id = people["lena"], people["ada"], exercise.rpartition("/")[2]
    api = f"/qcrbox/api/exercises/{exercise_id}"
    own = in_server(lena, preview, "POST", f"{api}/open").json()["payload"]
    assert own["preview"] is True
    assert in_server(lena, preview, "PUT", f"{api}/answers/which", json={"value": "N"}).status_code == 200
    receipt = in_server(lena, preview, "POST", f"{api}/submit", json={}).json()["payload"]
    assert receipt["receipt"]
    collected = rest(lena, "POST", f"/api/exercises/{exercise_id}/collect")
    graded = rest(lena, "POST", f"/api/exercises/{exercise_id}/grade")
    assert collected.status_code < 300, collected.text
    assert graded.status_code < 300, graded.text
    course = rest(lena, "GET", f"/api/exercises/{exercise_id}").json()["payload"]["course_id"]
    for path in (
        f"/api/exercises/{exercise_id}/board",
        f"/api/exercises/{exercise_id}/marks",
        f"/api/courses/{course}/people",
    ):
        answer = rest(lena, "GET", path)
        assert answer.status_code == 200, (path, answer.text)
        assert PREFIX not in answer.text, path
    assert collected.text.count(PREFIX) == graded.text.count(PREFIX) == 0
    noted = rest(lena, "POST", f"/api/exercises/{exercise_id}/notes", json={"student": preview, "text": "x"})
    assert noted.status_code == 404
    for page in ("marks?format=csv", "marks", "board"):
        assert PREFIX not in lena.get(f"{exercise}/{page}").text, page
    for page in ("people", "people?format=csv", "groups/xrd", "people?state=never"):
        assert PREFIX not in ada.get(f"/hub/administration/{page}").text, page
    assert "preview of lena in xrd" in shown_previews(ada)[preview]
    entries = rest(ada, "GET", "/api/audit", params={"who": preview}).json()["payload"]["audit"]
    assert {each["details"].get("account") for each in entries} == {"preview of lena in xrd"}
    assert "submit" in {each["action"] for each in entries}


def test_it_sees_nothing_of_its_owner_and_the_exercise_before_students_do(
    people: dict[str, Browser], exercise: str, rest: Any, preview: str
) -> None:
    lena, exercise_id = people["lena"], exercise.rpartition("/")[2]
    stored = rest(
        lena, "POST", "/api/data-files", files={"file": ("own.cif", b"data_own\n")}, data={"group": ""}
    )
    file_id = stored.json()["payload"]["data_files"][0]["qcrbox_file_id"]
    assert in_server(lena, preview, "GET", f"/qcrbox/api/data-files/{file_id}").status_code == 404
    assert "own.cif" not in in_server(lena, preview, "GET", "/qcrbox/api/data-files").text
    lena.submit(exercise, action="publish", published="no")
    try:
        api = f"/api/exercises/{exercise_id}"
        assert rest(people["stella"], "GET", api).status_code == 404
        seen = in_server(lena, preview, "GET", f"/qcrbox{api}").json()["payload"]
        assert seen["staff"] is False
        assert "answer" not in seen["manifest"]["tasks"][0]
        assert "checks" not in seen["manifest"]["tasks"][0]
        for path in (f"{api}/board", f"{api}/marks"):
            assert in_server(lena, preview, "GET", f"/qcrbox{path}").status_code in (403, 404)
    finally:
        lena.submit(exercise, action="publish", published="yes")


def test_no_person_gets_such_a_name_and_the_account_joins_no_other_group(
    platform: Hub, people: dict[str, Browser], preview: str
) -> None:
    ada, name = people["ada"], f"{PREFIX}mine"
    assert "starts with a letter" in platform.browser().sign_up(name).text
    assert platform.browser().sign_in(preview, PASSWORD).status_code == 403
    ada.get("/hub/token")
    xsrf = ada.xsrf()

    def hub_api(method: str, path: str, **body: Any) -> int:
        headers = {"X-XSRFToken": xsrf or ""}
        return ada.http.request(method, f"/hub/api{path}", json=body, headers=headers).status_code

    assert hub_api("POST", "/users", usernames=[name]) == 400
    assert hub_api("PATCH", "/users/sam", name=name) == 400
    assert hub_api("PATCH", f"/users/{preview}", name="preview-of-lena") == 409
    assert "There is no member" in html.unescape(
        ada.submit("/hub/administration/groups/other", action="add", people=preview).text
    )
    hub_api("POST", "/groups/other/users", users=[preview])
    me = in_server(people["lena"], preview, "GET", "/qcrbox/api/me").json()["payload"]
    assert sorted(me["groups"]) == ["everyone", "xrd"]


def test_it_goes_with_its_home_and_data_when_the_role_goes(
    platform: Hub, people: dict[str, Browser], exercise: str, rest: Any
) -> None:
    tom, ada = people["tom"], people["ada"]
    name = opened(tom, exercise)
    me = in_server(tom, name, "GET", "/qcrbox/api/me").json()["payload"]
    assert me["name"] == name
    in_server(tom, name, "POST", f"/qcrbox/api/exercises/{exercise.rpartition('/')[2]}/open")
    (home,) = platform.data.homes.glob(f"*-{name}")
    ada.submit(GROUP, action="take_role", person="tom", role="manager", reason="a test")
    try:
        wait(lambda: not home.exists(), "the home stays", 30)
        assert (platform.data.path / "archive" / "homes" / home.name).is_dir()
        assert in_server(tom, name, "GET", "/qcrbox/api/me").status_code in (403, 404)
        assert name not in shown_previews(ada)
        assert not any(name in scope for scope in tom.get("/hub/api/user").json()["scopes"])
        entries = rest(ada, "GET", "/api/audit", params={"who": "tom"}).json()["payload"]["audit"]
        ended = next(each for each in entries if each["action"] == "end preview")
        assert ended["details"]["account"] == "preview of tom in xrd"
    finally:
        ada.submit(GROUP, action="give_role", person="tom", role="manager")


def test_its_roles_outlive_a_restart_of_the_hub_and_its_owner_ends_it(
    platform: Hub, people: dict[str, Browser], exercise: str
) -> None:
    lena = people["lena"]
    name = opened(lena, exercise)
    platform.restart()
    wait(lambda: lena.get("/hub/api/user").status_code == 200, "the hub is away")
    assert opened(lena, exercise) == name
    assert (
        in_server(lena, name, "GET", "/qcrbox/api/courses").json()["payload"]["courses"][0]["group"] == "xrd"
    )
    assert "Your preview account ends" in lena.submit(f"{exercise}/preview", action="end").text
    wait(lambda: account_of(lena.get(f"{exercise}/preview").text) is None, "it stays", 30)
    again = wait(lambda: _again(lena, exercise), "no new account", 30)
    assert again != name
    for each, browser in people.items():  # the hub has forgotten who had signed in a moment ago
        browser.sign_in(each)


def _again(lena: Browser, exercise: str) -> str | None:
    page = lena.get(f"{exercise}/preview").text
    if "Open as a student" in page:
        lena.submit(f"{exercise}/preview", action="student")
    return account_of(lena.get(f"{exercise}/preview").text)
