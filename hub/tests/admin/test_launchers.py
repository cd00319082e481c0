"""Join codes of launchers by clicking, and what a start that failed leaves on the page of its application."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qcrbox_hub.apps.scaffold import EXAMPLE

if TYPE_CHECKING:
    from conftest import Browser, Hub

ROOT = "/hub/administration"
LAUNCHERS = f"{ROOT}/launchers"


def code_of(page: str) -> str:
    found = re.search(r'id="code">([a-z0-9-]{19})<', page)
    assert found, page
    return found.group(1)


def join(platform: Hub, code: str) -> Any:
    return platform.browser().http.post("/services/qcrbox/api/launchers/join", json={"code": code})


def test_code_is_shown_once_works_once_and_is_revoked(platform: Hub, ada: Browser) -> None:
    made = ada.submit(LAUNCHERS, action="invite", launcher="clicked", minutes="5").text
    code = code_of(made)
    assert f"--join {code}" in made
    page = ada.get(LAUNCHERS).text
    assert code not in page
    assert "clicked" in page
    answer = join(platform, code)
    assert answer.status_code == 200, answer.text
    assert join(platform, code).status_code == 404
    page = ada.get(LAUNCHERS).text
    assert "joined" in page
    number = re.search(r'name="pass" value="([0-9a-f]{32})"', page)
    assert number
    fields = {"action": "revoke", "pass": number.group(1), "reason": "sold"}
    assert "nothing was changed" in ada.submit(LAUNCHERS, **fields, typed_name="local").text
    assert "let in no more" in ada.submit(LAUNCHERS, **fields, typed_name="clicked").text
    assert "revoked" in ada.get(LAUNCHERS).text


def test_names_and_times_that_cannot_be_are_refused(ada: Browser) -> None:
    for fields, said in (
        ({"launcher": "a.>", "minutes": "5"}, "launcher"),
        ({"launcher": "<b>x</b>", "minutes": "5"}, "launcher"),
        ({"launcher": "fine", "minutes": "100000"}, "1 to 1440 minutes"),
        ({"launcher": "local", "minutes": "5"}, "has a seed"),
    ):
        page = ada.submit(LAUNCHERS, action="invite", **fields).text
        assert 'id="problem"' in page, fields
        assert said in page
        assert "<b>x</b>" not in page


def test_managers_and_students_invite_no_launcher(manager: Browser, student: Browser) -> None:
    for browser in (manager, student):
        assert browser.get(LAUNCHERS).status_code == 404


def test_start_that_failed_shows_its_output(ada: Browser, student: Browser, rest: Callable[..., Any]) -> None:
    found = re.search(r'/applications/(\d+)">[Uu]nlicensed', ada.get(f"{ROOT}/applications").text)
    assert found
    page = f"{ROOT}/applications/{found.group(1)}"
    made = rest(student, "POST", "/api/datasets", files={"file": ("q.cif", EXAMPLE.encode())})
    file_id = made.json()["payload"]["data_files"][0]["qcrbox_file_id"]
    command = {
        "application_slug": "unlicensed",
        "application_version": "0.1",
        "command_name": "count_sites",
        "command_arguments": {"structure": {"data_file_id": file_id}},
    }
    started = rest(student, "POST", "/api/commands", json=command)
    assert started.status_code == 201, started.text
    deadline = time.monotonic() + 120
    while 'id="failed_starts"' not in (shown := ada.get(page).text):
        assert time.monotonic() < deadline, "the start did not fail"
        time.sleep(0.5)
    assert "the licence file &lt;b&gt;/opt/licence&lt;/b&gt; is missing" in shown


def test_state_of_the_licence_is_set_and_read_by_people(
    ada: Browser, student: Browser, rest: Callable[..., Any]
) -> None:
    found = re.search(r'/applications/(\d+)">[Uu]nlicensed', ada.get(f"{ROOT}/applications").text)
    assert found
    page = f"{ROOT}/applications/{found.group(1)}"
    note = "ask <i>Eva</i>, room 3"
    done = ada.submit(page, action="licence", licence_state="needed", licence_note=note)
    assert "needed and not there" in done.text
    assert "ask &lt;i&gt;Eva&lt;/i&gt;, room 3" in ada.get(page).text
    listed = rest(student, "GET", "/api/applications").json()["payload"]["applications"]
    mine = next(each for each in listed if each["slug"] == "unlicensed")
    assert (mine["licence_state"], mine["licence_note"]) == ("needed", note)
    assert "Choose a state" in ada.submit(page, action="licence", licence_state="stolen").text
