"""The manual script of the older site, by clicking: make people and groups, give roles, upload, run, refuse, delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from qcrbox.client import loopback
from qcrbox_hub.admin.sections import SECTIONS

from .conftest import PASSWORD, Person, Platform

pytestmark = pytest.mark.slow
ROOT = "/hub/administration"
CIF = b"""data_quartz
_cell_length_a 4.9134
_cell_length_b 4.9134
_cell_length_c 5.4052
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_space_group_name_H-M_alt 'P 32 2 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Si1 Si 0.4697 0 0
O1 O 0.4135 0.2669 0.1191
"""


class Clicking:
    """A person in front of the administration pages."""

    def __init__(self, person: Person) -> None:
        self.page, self.name = person.page, person.name

    def open(self, path: str) -> int:
        answer = self.page.goto(ROOT + path)
        assert answer is not None
        return answer.status

    def press(self, words: str, where: str = "main") -> str:
        """Press a button, prove who one is where that is asked, and return what the page says."""
        self.page.locator(where).get_by_role("button", name=words, exact=True).first.click()
        self.page.wait_for_load_state()
        if self.page.is_visible("#confirm_form"):
            self.page.fill("#confirm_password_input", PASSWORD)
            self.page.click("#confirm_submit")
            self.page.wait_for_load_state()
        return self.page.locator("#message, #problem, #password").first.inner_text()

    def unfold(self, title: str) -> None:
        self.page.locator(f"summary:text-is('{title}')").click()

    def sections(self) -> list[str]:
        return [text.strip() for text in self.page.locator(".qcrbox-sections a").all_inner_texts()]


def rest(platform: Platform, person: Person) -> Callable[..., Any]:
    """The registry with a token that this person makes on the hub's page, as a program of theirs would speak to it."""
    page = person.page
    page.goto("/hub/token")
    page.fill("#token-note", "script")
    page.fill("#token-scopes", "custom:qcrbox:use access:services!service=qcrbox")
    page.click("#request-token-form button[type=submit]")
    expect(page.locator("#token-result")).not_to_be_empty()
    token = page.locator("#token-result").inner_text()
    http = httpx.Client(
        base_url=platform.url, timeout=60, trust_env=False, mounts=loopback.mounts(platform.url)
    )
    headers = {"Authorization": f"Bearer {token.strip()}"}

    def call(method: str, path: str, **more: Any) -> Any:
        answer = http.request(method, f"/services/qcrbox{path}", headers=headers, **more)
        assert answer.is_success, answer.text
        return answer.json()

    return call


def test_script_of_the_older_site(
    platform: Platform, admin: Person, student: Person, new_person: Callable[[], Page]
) -> None:
    ada = Clicking(admin)

    # Make a person and two groups; the menu leads there.
    ada.page.goto("/hub/home")
    ada.page.click("#administration")
    ada.page.get_by_role("link", name="People", exact=True).click()
    ada.unfold("Make an account")
    ada.page.fill("#new_name", "mona-script")
    start_password = ada.press("Make the account")
    for group in ("script-lab", "other-lab"):
        ada.open("/groups")
        ada.unfold("Make a group")
        ada.page.fill("#new_name", group)
        assert "is made" in ada.press("Make the group")
    ada.open("/groups")
    ada.unfold("Make a group")
    ada.page.fill("#new_name", "script-lab")
    assert "There is a group script-lab already" in ada.press("Make the group")

    # Put both into one group, and make one its manager.
    ada.open("/groups/script-lab")
    ada.page.fill("#add_people", f"mona-script, {student.name}")
    assert "Added to script-lab" in ada.press("Add", "#add")
    row = "#members tr:has(th:has-text('mona-script'))"
    assert "is now manager of script-lab" in ada.press("Make manager", row)

    # The manager signs in with the start password, has to choose another, and sees the own group only.
    manager = Person(new_person(), "mona-script")
    manager.page.goto("/hub/login")
    manager.page.fill("#username_input", manager.name)
    manager.page.fill("#password_input", start_password)
    manager.page.click("#login_submit")
    manager.page.wait_for_url("**/hub/change-password")
    manager.page.fill("#old_password_input", start_password)
    manager.page.fill("#password_input", PASSWORD)
    manager.page.fill("#password_confirmation_input", PASSWORD)
    manager.page.locator("main button[type=submit]").click()
    manager.page.wait_for_load_state()
    mona = Clicking(manager)
    assert mona.open("") == 200
    assert mona.sections() == ["Groups", "Calculations"]
    expect(manager.page.locator("#groups tbody tr")).to_have_count(1)
    expect(manager.page.locator("#groups")).to_contain_text("script-lab")
    for refused in ("/people", "/groups/other-lab", f"/people/{student.name}", "/audit", "/site"):
        assert mona.open(refused) == 404, refused

    # A member uploads and runs; the manager looks at it and at its history.
    call = rest(platform, student)
    stored = call(
        "POST",
        "/api/datasets",
        files={"file": ("q.cif", CIF)},
        data={"group": "script-lab"},
    )
    command = {
        "application_slug": "qcrboxtools",
        "application_version": "1.0",
        "command_name": "validate",
        "command_arguments": {
            "input_cif": {"data_file_id": stored["payload"]["data_files"][0]["qcrbox_file_id"]}
        },
        "group": "script-lab",
    }
    first = call("POST", "/api/commands", json=command)["payload"]["calculation_id"]
    for _ in range(20):
        found = call("GET", f"/api/calculations/{first}?wait=30")["payload"]["calculations"][0]
        if found["finished_at"]:
            break
    assert found["status"] == "successful", found
    assert mona.open(f"/calculations?owner={student.name}") == 200
    manager.page.click(f"a[href$='{first}']")
    expect(manager.page.locator("#history")).to_contain_text("successful")

    # While the site is held, work waits; its reason is seen. The manager ends what waits, an interactive session too.
    ada.open("/launchers")
    ada.unfold("Hold or drain the whole site")
    ada.page.fill("#reason_hold_site", "the script is being run")
    assert "is held" in ada.press("Hold", "#hold_site")
    session = call(
        "POST",
        "/api/interactive-sessions",
        json={
            "application_slug": "avogadro",
            "application_version": "1.0",
            "command_arguments": {"structure": command["command_arguments"]["input_cif"]},  # type: ignore[index]
            "group": "script-lab",
        },
    )["payload"]["interactive_session_id"]
    mona.open(f"/calculations/{session}")
    expect(manager.page.locator("main")).to_contain_text("the script is being run")
    mona.unfold("Cancel")
    manager.page.fill("#reason_cancel", "the hour is over")
    assert "is being cancelled" in mona.press("Cancel the calculation")
    ended = call("GET", f"/api/calculations/{session}")["payload"]["calculations"][0]
    assert ended["status"] == "cancelled"
    ada.open("/launchers")
    assert "starts again" in ada.press("Lift", "#site_hold")

    # Take the role, and the page is gone for its former holder.
    ada.open("/groups/script-lab")
    assert "no longer manager" in ada.press("Not manager", row)
    assert mona.open("/groups") == 404

    # End sign-ins, then delete; a wrong name deletes nothing.
    ada.open("/people/mona-script")
    ada.unfold("Sign out everywhere")
    assert "signed out everywhere" in ada.press("Sign out")
    manager.page.goto("/hub/token")
    assert "/hub/login" in manager.page.url
    for typed, outcome in (("mona", "nothing was changed"), ("mona-script", "is deleted")):
        ada.open("/people/mona-script")
        ada.unfold("Delete")
        ada.page.fill("#reason_delete", "end of the script")
        ada.page.fill("#typed_delete", typed)
        assert outcome in ada.press("Delete the account")
    ada.open("/groups/script-lab")
    ada.unfold("Delete the group")
    ada.page.select_option("#data", "owners")
    ada.page.fill("#reason_delete", "end of the script")
    ada.page.fill("#typed_delete", "script-lab")
    assert "is deleted" in ada.press("Delete the group")
    assert ada.open("/groups/script-lab") == 404

    # All of it is in the audit trail.
    ada.open("/audit?who=ada")
    trail = ada.page.locator("#audit").inner_text()
    for act in ("make", "give role", "take role", "sign out", "delete", "hold"):
        assert re.search(rf"\b{act}\b", trail), act


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(admin: Person, student: Person, scheme: Any) -> None:
    page = admin.page
    page.emulate_media(color_scheme=scheme)
    axe = Axe()
    paths = [section.path for section in SECTIONS]
    for path in [*paths, f"/people/{student.name}", "/groups/everyone", "/applications/1"]:
        page.goto(ROOT + path)
        page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        found = axe.run(page).response["violations"]
        grave = [
            (each["id"], each["nodes"][0]["html"][:200])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert grave == [], f"{path} {scheme}"
    page.emulate_media(color_scheme=None)
