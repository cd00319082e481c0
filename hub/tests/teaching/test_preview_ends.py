"""What ends a preview account by itself, on a running hub: an archived course, a locked owner, a day without use."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from .conftest import course_of, exercise_of
from .test_preview_accounts import environment, in_server, opened, shown_previews, wait

if TYPE_CHECKING:
    from conftest import Browser, Hub

pytestmark = pytest.mark.slow


@dataclass
class Desk:
    """A lecturer with a course of their own: what ends here ends nothing of other tests."""

    name: str
    browser: Browser
    course: str
    exercise: str


@pytest.fixture
def desk(platform: Hub, people: dict[str, Browser]) -> Callable[[str], Desk]:
    def make(name: str) -> Desk:
        ada, browser, group = people["ada"], platform.browser(), f"of-{name}"
        browser.sign_up(name)
        ada.submit("/hub/administration/people", name=name, action="approve")
        ada.submit("/hub/administration/groups", action="make", name=group)
        page = f"/hub/administration/groups/{group}"
        ada.submit(page, action="add", people=name)
        ada.submit(page, action="give_role", person=name, role="lecturer")
        browser.sign_in(name)
        course = course_of(browser, group, f"Course of {name}")
        return Desk(name, browser, course, str(exercise_of(browser, course, "Atom").url.path))

    return make


def archive(platform: Hub, ada: Browser, desk: Desk, account: str) -> None:
    done = desk.browser.submit(desk.course, action="archive", archived="yes")
    assert "The course is archived" in done.text


def lock(platform: Hub, ada: Browser, desk: Desk, account: str) -> None:
    page = f"/hub/administration/people/{desk.name}"
    done = ada.submit(page, action="lock", typed_name=desk.name, reason="a test")
    assert f"{desk.name} is locked" in done.text


def leave_for_a_day(platform: Hub, ada: Browser, desk: Desk, account: str) -> None:
    """The day passes for this account alone, while the hub is down: a running one keeps in memory what it has read."""
    platform.kill("hub")
    with closing(sqlite3.connect(platform.data.hub / "jupyterhub.sqlite", timeout=60)) as database, database:
        database.execute("UPDATE qcrbox_previews SET made_at = made_at - 90000 WHERE name = ?", (account,))
        old = "UPDATE users SET last_activity = datetime('now', '-25 hours') WHERE name = ?"
        database.execute(old, (account,))
    platform.bring_back("hub")


def let_pass_for_a_minute(platform: Hub, account: str) -> None:
    """Make the account two minutes older: the registry treats none as deleted in its first minute."""
    with closing(sqlite3.connect(platform.data.path / "qcrbox.sqlite", timeout=60)) as database, database:
        aged = "UPDATE people SET created_at = created_at - 120 WHERE name = ?"
        assert database.execute(aged, (account,)).rowcount == 1


ENDS: dict[str, tuple[str, Callable[..., None], str]] = {
    "the course is archived": ("arno", archive, "the course is archived or gone"),
    "its owner is locked": ("lore", lock, "the account of its owner is locked"),
    "a day without use": ("dora", leave_for_a_day, "it was not used for a day"),
}


def runs(account: str) -> list[int]:
    """Processes of the account's server."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("JUPYTERHUB_USER") == account:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize(("name", "end", "why"), ENDS.values(), ids=ENDS)
def test_server_tokens_home_and_data_go_as_well(
    platform: Hub,
    people: dict[str, Browser],
    rest: Any,
    desk: Callable[[str], Desk],
    name: str,
    end: Callable[..., None],
    why: str,
) -> None:
    ada, lecturer = people["ada"], desk(name)
    account = opened(lecturer.browser, lecturer.exercise)
    own = in_server(
        lecturer.browser,
        account,
        "POST",
        f"/qcrbox/api/exercises/{lecturer.exercise.rpartition('/')[2]}/open",
    ).json()["payload"]
    dataset = f"/api/datasets/{own['dataset_id']}"
    assert rest(ada, "GET", dataset).status_code == 200
    token = environment(account)["JUPYTERHUB_API_TOKEN"]

    def with_token(path: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return platform.browser().http.get(path, headers=headers).status_code

    assert with_token("/hub/api/user") == 200
    (home,) = platform.data.homes.glob(f"*-{account}")

    end(platform, ada, lecturer, account)
    for (
        each,
        browser,
    ) in people.items():  # a hub that was started anew has forgotten who had signed in a moment ago
        browser.sign_in(each)
    wait(lambda: account not in shown_previews(ada), "the account stays")
    assert runs(account) == []
    assert with_token("/hub/api/user") == 403
    wait(lambda: not home.exists(), "the home stays")
    assert (platform.data.path / "archive" / "homes" / home.name).is_dir()
    entries = rest(ada, "GET", "/api/audit", params={"who": name}).json()["payload"]["audit"]
    ended = next(each for each in entries if each["action"] == "end preview")
    assert ended["details"] | {"account": f"preview of {name} in of-{name}", "why": why} == ended["details"]

    let_pass_for_a_minute(platform, account)

    def is_in_the_trash() -> bool:
        rest(ada, "GET", "/api/leftovers")  # asks the hub who is gone
        return rest(ada, "GET", dataset).status_code == 404

    wait(is_in_the_trash, "its data stays")
    cleared = rest(ada, "GET", "/api/audit", params={"action": "clear preview"}).json()["payload"]["audit"]
    assert [each["details"]["name"] for each in cleared].count(account) == 1
