"""The manual script of the older site, by clicking: make people and groups, give roles, upload, run, refuse, delete."""

from __future__ import annotations

import importlib.util
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from qcrbox.client import loopback
from qcrbox_hub.admin.sections import SECTIONS

from .conftest import LIMIT_MS, PASSWORD, Person, Platform, grave
from .notebooks import write_notebook

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
        return self.settle()

    def press_only(self, words: str, where: str = "main") -> None:
        """Press a button whose answer is a page without a message."""
        self.page.locator(where).get_by_role("button", name=words, exact=True).first.click()
        self.prove()

    def settle(self) -> str:
        """After a press: prove who one is where that is asked, and return what the page says."""
        self.prove()
        return self.page.locator("#message, #problem, #password").first.inner_text()

    def prove(self) -> None:
        """The password once more, when the last proof is older than five minutes."""
        self.page.wait_for_load_state()
        if self.page.is_visible("#confirm_form"):
            self.page.fill("#confirm_password_input", PASSWORD)
            self.page.click("#confirm_submit")
            self.page.wait_for_load_state()

    def unfold(self, title: str) -> None:
        self.page.locator(f"summary:text-is('{title}')").click()

    def sections(self) -> list[str]:
        return [text.strip() for text in self.page.locator(".qcrbox-sections a").all_inner_texts()]


def rest(platform: Platform, person: Person) -> Callable[..., Any]:
    """The registry with a token that this person makes on the hub's page, as a program of theirs would speak to it."""
    page = person.page
    # Before its script is there the page's button sends the form as a browser does, and no token comes of it.
    page.goto("/hub/token", wait_until="networkidle")
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


def press_reasoned(clicking: Clicking, where: str, button: str, reason: str = "a step of the script") -> str:
    """Unfold a small act inside `where`, give its reason, and press its button."""
    act = clicking.page.locator(f"{where} details.qcrbox-small:has(summary:text-is('{button}'))").first
    act.locator("summary").click()
    act.locator("input[name=reason]").fill(reason)
    act.get_by_role("button", name=button, exact=True).click()
    return clicking.settle()


def test_script_of_the_older_site(
    platform: Platform, admin: Person, student: Person, new_person: Callable[[], Page]
) -> None:
    ada = Clicking(admin)

    # 1. Make a person and two groups; the menu leads there.
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

    # 2. Put both into one group, and make one its manager. A person that does not exist is refused.
    ada.open("/groups/script-lab")
    ada.page.fill("#add_people", "nemo-nobody")
    assert "There is no member called nemo-nobody" in ada.press("Add", "#add")
    ada.page.fill("#add_people", f"mona-script, {student.name}")
    assert "Added to script-lab" in ada.press("Add", "#add")
    row = "#members tr:has(th:has-text('mona-script'))"
    assert "is now manager of script-lab" in ada.press("Make manager", row)

    # 3. Someone of another group, who asks for an account and is approved.
    outsider = Person(new_person(), "otto-script")
    outsider.sign_up()
    admin.approve(outsider.name)
    ada.open("/groups/other-lab")
    ada.page.fill("#add_people", outsider.name)
    assert "Added to other-lab" in ada.press("Add", "#add")
    outsider.page.goto("/hub/login?next=/hub/token")
    outsider.page.fill("#username_input", outsider.name)
    outsider.page.fill("#password_input", PASSWORD)
    outsider.page.click("#login_submit")
    outsider.page.wait_for_url("**/hub/token")

    # 4. The manager signs in with the start password, has to choose another, and sees the own group only.
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
    assert mona.sections() == ["Groups", "Invitations", "Calculations"]
    mona.open("/groups")
    expect(manager.page.locator("#groups tbody tr")).to_have_count(1)
    expect(manager.page.locator("#groups")).to_contain_text("script-lab")
    for refused in (
        "/people",
        "/groups/other-lab",
        f"/people/{student.name}",
        "/audit",
        "/site",
        "/storage/files",
    ):
        assert mona.open(refused) == 404, refused
    mona.open("/groups/script-lab")
    expect(manager.page.get_by_role("button", name="Make lecturer")).to_have_count(0)
    expect(manager.page.locator("#limits, #switches, #delete")).to_have_count(0)
    student.page.goto(ROOT)
    expect(student.page.locator("body")).to_contain_text("404")

    # 5. A member uploads a file and runs a command in the own notebook, and reads the result.
    cell = (
        "import qcrbox as qc\n"
        f"dataset = qc.add({CIF!r}, name='q.cif', group='script-lab')\n"
        "calculation = qc.qcrboxtools.validate(dataset)\n"
        "calculation.result(quiet=True)\n"
        "print('made', calculation.id, calculation.status)"
    )
    write_notebook(platform.home(student.name) / "script.ipynb", cell)
    student.open_notebook("script.ipynb")
    student.run_all()
    expect(student.page.locator(".jp-OutputArea-output").last).to_contain_text("made", timeout=3 * LIMIT_MS)
    made = re.search(r"made (\S+) (\w+)", student.outputs())
    assert made, student.outputs()
    first = made.group(1)
    assert made.group(2) == "successful", student.outputs()
    student.open_panel()
    expect(student.page.locator(f"[data-calculation='{first}']")).to_be_visible()

    # 6. The manager looks at it and at its history; someone of another group finds nothing of it.
    assert mona.open(f"/calculations?owner={student.name}&group=script-lab") == 200
    manager.page.click(f"a[href$='{first}']")
    expect(manager.page.locator("#history")).to_contain_text("done")
    call, call_outside = rest(platform, student), rest(platform, outsider)
    shown = call("GET", f"/api/calculations/{first}")["payload"]["calculations"][0]
    for path in (f"/api/calculations/{first}", f"/api/datasets/{shown['output_dataset_id']}"):
        with pytest.raises(AssertionError, match=r"404|not_found|There is no"):
            call_outside("GET", path)
    assert call_outside("GET", "/api/calculations")["payload"]["calculations"] == []

    # 7. An interactive session is ended by the manager; with what was done kept.
    crystal = example("thpp.cif")
    stored = call("POST", "/api/datasets", files={"file": ("s.cif", crystal)}, data={"group": "script-lab"})
    argument = {"data_file_id": stored["payload"]["data_files"][0]["qcrbox_file_id"]}
    start = {
        "application_slug": "shelxle",
        "application_version": "1.0",
        "command_arguments": {"structure": argument},
        "group": "script-lab",
    }
    opened = call("POST", "/api/interactive-sessions", json=start)["payload"]["interactive_session_id"]
    deadline = time.monotonic() + 3 * LIMIT_MS / 1000
    state = "waiting"
    while state != "open":
        assert time.monotonic() < deadline, "the session does not open"
        time.sleep(0.5)
        session = call("GET", f"/api/interactive-sessions/{opened}")["payload"]["interactive_sessions"][0]
        state = session["state"]
        assert state not in ("ended", "failed"), session
    mona.open(f"/calculations/{opened}")
    mona.unfold("End the session")
    manager.page.fill("#reason_end_session", "the room is needed")
    assert "is kept" in mona.press("End and keep")
    ended = call("GET", f"/api/calculations/{opened}?wait=60")["payload"]["calculations"][0]
    assert ended["status"] == "successful", ended  # nothing was changed in the window, so there is no output

    # 8. While the site is held, work waits and its reason is seen; the manager cancels what waits, with a typed word.
    ada.open("/launchers")
    ada.unfold("Hold or drain the whole site")
    ada.page.fill("#reason_hold_site", "the script is being run")
    assert "is held" in ada.press("Hold", "#hold_site")
    session = call("POST", "/api/interactive-sessions", json=start)["payload"]["interactive_session_id"]
    mona.open(f"/calculations/{session}")
    expect(manager.page.locator("main")).to_contain_text("the script is being run")
    for typed, outcome in (("yes", "nothing was changed"), ("cancel", "is being cancelled")):
        mona.open(f"/calculations/{session}")
        mona.unfold("Cancel")
        manager.page.fill("#reason_cancel", "the hour is over")
        manager.page.fill("#typed_cancel", typed)
        assert outcome in mona.press("Cancel the calculation")
    ended = call("GET", f"/api/calculations/{session}")["payload"]["calculations"][0]
    assert ended["status"] == "cancelled"
    assert "the hour is over" in str(ended["status_events"])
    ada.open("/launchers")
    assert "starts again" in ada.press("Lift", "#site_hold")

    # 9. Out of the group: a member loses what the group has, within five seconds.
    ada.open("/groups/script-lab")
    other_row = f"#members tr:has(th:has-text('{student.name}'))"
    assert "is not in script-lab any more" in press_reasoned(ada, other_row, "Remove")
    ada.page.fill("#add_people", student.name)
    assert "Added to script-lab" in ada.press("Add", "#add")

    # 10. Take the role, and the page is gone for its former holder.
    assert "no longer manager" in press_reasoned(ada, row, "Not manager")
    assert mona.open("/groups") == 404

    # 11. Lock and unlock, end sign-ins, then delete; a wrong name changes nothing.
    ada.open("/people/mona-script")
    ada.unfold("Lock")
    ada.page.fill("#reason_lock", "looked at")
    ada.page.fill("#typed_lock", "mona-script")
    assert "is locked" in ada.press("Lock", "#lock")
    manager.page.goto("/hub/login")
    manager.page.fill("#username_input", manager.name)
    manager.page.fill("#password_input", PASSWORD)
    manager.page.click("#login_submit")
    expect(manager.page.locator("#username_input")).to_be_visible()
    ada.open("/people/mona-script")
    expect(ada.page.locator("#lock_reason")).to_contain_text("looked at")
    assert "is unlocked" in ada.press("Unlock")
    manager.page.goto("/hub/login?next=/hub/token")
    manager.page.fill("#username_input", manager.name)
    manager.page.fill("#password_input", PASSWORD)
    manager.page.click("#login_submit")
    manager.page.wait_for_url("**/hub/token")
    ada.open("/people/mona-script")
    ada.unfold("Sign out everywhere")
    ada.page.fill("#reason_sign_out", "end of the script")
    ada.page.fill("#typed_sign_out", "mona-script")
    assert "signed out everywhere" in ada.press("Sign out", "#sign_out")
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

    # 12. All of it is in the audit trail, and the chain of the trail holds.
    ada.open("/audit?who=ada")
    trail = ada.page.locator("#audit").inner_text()
    for act in ("make", "give role", "take role", "remove", "lock", "sign out", "delete", "hold"):
        assert re.search(rf"\b{act}\b", trail), act
    ada.open("/audit")
    assert "holds" in ada.press("Verify the chain")


def test_site_is_looked_after_by_clicking(platform: Platform, admin: Person, student: Person) -> None:
    """Banner, maintenance mode, backup, quotas, logs, retention, join codes: each by its buttons."""
    ada = Clicking(admin)
    ada.open("/site")
    ada.page.fill("#text", "Back at noon <b>today</b>")
    assert "The banner is set" in ada.press("Set the banner")
    student.page.goto("/hub/token")
    expect(student.page.get_by_text("Back at noon <b>today</b>")).to_be_visible()
    ada.open("/site")
    ada.page.fill("#text", "")
    ada.press("Set the banner")
    ada.unfold("Begin")
    ada.page.fill("#reason_maintenance", "new disk")
    ada.page.fill("#typed_maintenance", "maintenance")
    assert "Maintenance mode is on" in ada.press("Begin the maintenance mode")
    student.page.goto("/hub/token")
    expect(student.page.get_by_text("Maintenance: new disk")).to_be_visible()
    ada.open("/site")
    assert "Maintenance mode is off" in ada.press("End the maintenance mode")
    assert "A backup is being written" in ada.press("Back up now")
    deadline = time.monotonic() + 2 * LIMIT_MS / 1000
    while ada.page.locator("#backups tbody th").count() == 0:
        assert time.monotonic() < deadline, ada.page.locator("main").inner_text()
        time.sleep(1)
        ada.open("/site")
    expect(ada.page.locator("#backup_problem")).to_have_count(0)

    rest(platform, student)("GET", "/api/me")  # the registry knows people from their first request on
    ada.open("/quotas")
    ada.page.fill("#set_name", student.name)
    ada.page.select_option("#set_quota", "sessions")
    ada.page.fill("#set_limit", "4")
    assert "is set" in ada.press("Set", "#set")
    ada.page.fill("#q", student.name)
    ada.page.get_by_role("button", name="Show").click()
    expect(ada.page.locator("#quotas tbody tr")).to_have_count(1)
    expect(ada.page.locator("#quotas")).to_contain_text("4")

    ada.open("/storage")
    ada.press_only("Dry run", "#retention_dry")
    expect(ada.page.locator("#retained")).to_contain_text("0 outputs")
    ada.unfold("Switch a rule on")
    ada.page.fill("#rule_days", "400")
    ada.page.fill("#reason_rule", "house rule")
    assert "runs every day" in ada.press("Switch it on")
    assert "The rule is removed" in press_reasoned(ada, "#rules", "Remove")
    ada.page.click("#to_files")
    ada.page.get_by_role("link", name="File").click()
    expect(ada.page.locator("#files thead th[aria-sort=ascending]")).to_contain_text("File")

    ada.open("/launchers")
    ada.unfold("Let a launcher join")
    ada.page.fill("#invite_launcher", "second-machine")
    ada.press_only("Make a join code", "#invite")
    expect(ada.page.locator("#code")).to_have_text(re.compile(r"^[a-z0-9]{4}(-[a-z0-9]{4}){3}$"))

    ada.open("/calculations")
    rows = ada.page.locator("#calculations tbody a")
    if rows.count():
        rows.first.click()
        correlation = ada.page.locator("a[href*='/logs?q=']")
        correlation.click()
        expect(ada.page.locator("main")).to_contain_text("registry")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(
    platform: Platform, admin: Person, student: Person, new_person: Callable[[], Page], scheme: Any
) -> None:
    page = admin.page
    page.emulate_media(color_scheme=scheme)
    paths = [section.path for section in SECTIONS] + ["/storage/files", "/storage/holders"]
    for path in [*paths, f"/people/{student.name}", "/groups/everyone", "/applications/1"]:
        page.goto(ROOT + path)
        page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        assert grave(page) == [], f"{path} {scheme}"

    # What an act shows once: a join code, an invitation, its link as a stranger sees it, and a wrong one.
    ada = Clicking(admin)
    ada.open("/invitations")
    ada.press_only("Make a code", "#make_code")
    code = page.locator("#secret").inner_text()
    assert grave(page) == [], f"an invitation {scheme}"
    stranger = new_person()
    stranger.emulate_media(color_scheme=scheme)
    for path in (f"/hub/join?code={code}", "/hub/join", "/hub/join?code=wrong", "/hub/signup", "/hub/login"):
        stranger.goto(path)
        assert grave(stranger) == [], f"{path} {scheme}"
    page.goto("/hub/change-password")
    assert grave(page) == [], f"change password {scheme}"
    ada.open("/launchers")
    ada.unfold("Let a launcher join")
    page.fill("#invite_launcher", f"axe-{scheme}")
    ada.press_only("Make a join code", "#invite")
    assert grave(page) == [], f"a launcher's code {scheme}"
    page.emulate_media(color_scheme=None)


def example(name: str) -> bytes:
    """A file of the examples in cctbx's distribution."""
    spec = importlib.util.find_spec("smtbx")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "regression", "test_data", name).read_bytes()
