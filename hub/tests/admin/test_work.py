"""Calculations, applications, launchers, storage, quotas and audit: what a click does to the registry."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Browser, Hub

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
Rest = Callable[..., Any]


@pytest.fixture(scope="module")
def held_site(ada: Browser) -> Iterator[None]:
    """Nothing starts, so that calculations wait."""
    page = f"{ROOT}/launchers"
    assert "is held" in ada.submit(page, action="hold", kind="site", mode="hold", reason="a rehearsal").text
    yield
    assert "starts again" in ada.submit(page, action="lift", kind="site").text


@pytest.fixture
def waiting(held_site: None, student: Browser, rest: Rest) -> str:
    """A calculation of stella in the group physics that waits."""
    made = rest(student, "POST", "/api/datasets", files={"file": ("q.cif", CIF)}, data={"group": "physics"})
    file_id = made.json()["payload"]["data_files"][0]["qcrbox_file_id"]
    command = {
        "application_slug": "qcrboxtools",
        "application_version": "1.0",
        "command_name": "validate",
        "command_arguments": {"input_cif": {"data_file_id": file_id}},
        "group": "physics",
    }
    answer = rest(student, "POST", "/api/commands", json=command)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["payload"]["calculation_id"])


def test_overview_names_the_hold_with_its_reason(ada: Browser, held_site: None) -> None:
    page = ada.get(ROOT).text
    assert "The whole site" in page
    assert "a rehearsal" in page
    assert "all pass" in page


def test_manager_cancels_a_calculation_of_the_group_with_a_reason_that_its_owner_reads(
    manager: Browser, student: Browser, rest: Rest, waiting: str
) -> None:
    page = f"{ROOT}/calculations"
    assert waiting in manager.get(f"{page}?status=submitted&owner=stella").text
    assert (
        "A reason is needed"
        in manager.submit(page, action="cancel", typed_name="cancel", calculation=waiting).text
    )
    answer = manager.submit(
        page, action="cancel", typed_name="cancel", calculation=waiting, reason="wrong cell"
    )
    assert "Being cancelled: 1 of 1" in answer.text
    seen = rest(student, "GET", f"/api/calculations/{waiting}").json()["payload"]["calculations"][0]
    assert seen["status"] == "cancelled"
    assert "wrong cell" in json.dumps(seen["status_events"])
    assert "wrong cell" in manager.get(f"{page}/{waiting}").text


def test_manager_of_another_group_sees_and_cancels_nothing(
    make_person: Callable[..., Browser], waiting: str
) -> None:
    other = make_person("otto-manages", "chemistry", roles=("manager",))
    page = f"{ROOT}/calculations"
    assert waiting not in other.get(page).text
    assert other.get(f"{page}/{waiting}").status_code == 404
    answer = other.submit(page, action="cancel", typed_name="cancel", calculation=waiting, reason="mischief")
    assert "There is no calculation" in answer.text


@pytest.mark.slow
def test_priority_moves_a_calculation_ahead_and_is_the_administrators(
    ada: Browser, manager: Browser, student: Browser, rest: Rest, held_site: None, waiting: str
) -> None:
    command = rest(student, "GET", f"/api/calculations/{waiting}").json()["payload"]["calculations"][0]
    body = {
        "application_slug": "qcrboxtools",
        "application_version": "1.0",
        "command_name": "validate",
        "command_arguments": command["command_arguments"],
        "group": "physics",
    }
    later = rest(student, "POST", "/api/commands", json=body).json()["payload"]["calculation_id"]

    def place(calculation: str) -> int:
        found = rest(student, "GET", f"/api/calculations/{calculation}").json()["payload"]["calculations"][0]
        return int(found["queue"]["place"])

    assert place(waiting) < place(later)
    page = f"{ROOT}/calculations/{later}"
    manager.submit(page, action="priority", priority="50", reason="please")
    assert place(waiting) < place(later), "a manager moves nothing"
    assert (
        "The priority is 50" in ada.submit(page, action="priority", priority="50", reason="talk today").text
    )
    assert place(later) < place(waiting)
    assert "whole number" in ada.submit(page, action="priority", priority="1e9", reason="x").text


def test_csv_of_calculations_holds_what_the_table_shows(ada: Browser, waiting: str) -> None:
    text = ada.get(f"{ROOT}/calculations?format=csv&status=submitted").text
    rows = {row["calculation_id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows[waiting]["owner"] == "stella"
    assert rows[waiting]["application"] == "qcrboxtools 1.0"


# ---------------------------------------------------------------- applications and launchers


def number_of(page: str, name: str) -> str:
    found = re.search(rf'/applications/(\d+)">{name}<', page)
    assert found
    return found.group(1)


@pytest.mark.slow
def test_application_is_restricted_held_retired_and_brought_back(
    ada: Browser, student: Browser, rest: Rest
) -> None:
    number = number_of(ada.get(f"{ROOT}/applications").text, "Avogadro")
    page = f"{ROOT}/applications/{number}"

    def seen() -> dict[str, Any]:
        found = rest(student, "GET", "/api/applications").json()["payload"]["applications"]
        return {each["slug"]: each for each in found}

    is_here = shutil.which("avogadro2") is not None
    deadline = time.monotonic() + 60
    while not is_here and not seen()["avogadro"]["missing"]:  # the launcher has not looked yet
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert ("not installed</span>" in ada.get(page).text) != is_here
    ada.submit(page, action="restrict", groups="chemistry-only")
    assert "avogadro" not in seen()
    ada.submit(page, action="restrict", groups="")
    assert "avogadro" in seen()
    ada.submit(page, action="hold", mode="hold", reason="its licence has ended")
    assert seen()["avogadro"]["held"] == "its licence has ended"
    ada.submit(page, action="lift")
    ada.submit(page, action="disapprove", reason="a test")
    assert "avogadro" not in seen()
    assert "not approved" in ada.get(page).text
    ada.submit(page, action="approve")
    assert "nothing was changed" in ada.submit(page, action="retire", typed_name="avogadro", reason="x").text
    ada.submit(page, action="retire", typed_name="avogadro 1.0", reason="superseded")
    assert "avogadro" not in seen()
    retired = audited(ada, f"object_id={number}&action=retire")
    assert "superseded" in retired[0]["details"]
    ada.submit(page, action="restore")
    assert "avogadro" in seen()
    assert (
        "no newer version" in ada.submit(page, action="roll_back", typed_name="avogadro 1.0", reason="x").text
    )


def test_application_administrator_has_applications_and_launchers_and_no_more(
    ada: Browser, make_person: Callable[..., Browser]
) -> None:
    aron = make_person("aron-applications")
    ada.submit(f"{ROOT}/people/aron-applications", action="give_applications")
    assert aron.get(ROOT).url.path == f"{ROOT}/applications"
    assert aron.get(f"{ROOT}/launchers").status_code == 200
    for path in ("/people", "/groups", "/storage", "/audit", "/quotas", "/calculations"):
        assert aron.get(ROOT + path).status_code == 404, path
    # The page offers neither, and the registry refuses both.
    assert (
        "There is no page"
        in aron.submit(f"{ROOT}/launchers", action="hold", kind="site", mode="hold", reason="x").text
    )
    number = number_of(aron.get(f"{ROOT}/applications").text, "HAR")
    assert (
        "is held" in aron.submit(f"{ROOT}/applications/{number}", action="hold", mode="hold", reason="x").text
    )
    assert "starts again" in aron.submit(f"{ROOT}/applications/{number}", action="lift").text


def test_tables_of_applications_and_agents_are_searched_sorted_and_cut_by_the_server(ada: Browser) -> None:
    def names(query: str) -> list[str]:
        return re.findall(r'/applications/\d+">([^<]+)<', ada.get(f"{ROOT}/applications?{query}").text)

    everything = names("")
    assert everything == sorted(everything, key=str.lower)
    assert names("sort=-name") == everything[::-1]
    assert names("q=avo") == ["Avogadro"]
    assert names("q=no-such-program") == []
    assert names("page=2") == []
    assert "No agent matches" in ada.get(f"{ROOT}/launchers?q=no-such-agent").text


def test_overview_counts_containers(ada: Browser) -> None:
    page = ada.get(ROOT).text
    assert re.search(r"0 Jupyter servers, 0 agents</dd>\s*<dd class=\"figure\">0</dd>\s*<dt>Containers", page)


def test_launcher_is_held_and_an_unknown_agent_is_not_stopped(ada: Browser) -> None:
    page = f"{ROOT}/launchers"
    ada.submit(page, action="hold", kind="launcher", name="local", mode="drain", reason="new disk")
    assert "new disk" in ada.get(page).text
    ada.submit(page, action="lift", kind="launcher", name="local")
    assert "new disk" not in ada.get(page).text
    assert (
        "There is no agent"
        in ada.submit(page, action="stop", agent="no-such-agent", typed_name="no-such-agent", reason="x").text
    )


# ---------------------------------------------------------------- storage, quotas, audit


def test_trash_is_counted_by_a_dry_run_and_emptied_after_the_typed_word(
    ada: Browser, student: Browser, rest: Rest
) -> None:
    made = rest(
        student, "POST", "/api/datasets", files={"file": ("old.txt", b"x" * 2048)}, data={"group": ""}
    )
    dataset = made.json()["payload"]["datasets"][0]["qcrbox_dataset_id"]
    rest(student, "DELETE", f"/api/datasets/{dataset}")
    page = f"{ROOT}/storage"
    assert "1 files with 2.0 KiB" in ada.submit(page, action="dry_run", days="0").text
    assert "0 files with" in ada.submit(page, action="dry_run", days="1").text
    assert (
        "nothing was changed" in ada.submit(page, action="empty", days="0", reason="full", typed_name="").text
    )
    assert rest(student, "POST", f"/api/datasets/{dataset}/restore").status_code == 200
    rest(student, "DELETE", f"/api/datasets/{dataset}")
    assert (
        "1 file left the trash"
        in ada.submit(page, action="empty", days="0", reason="full", typed_name="trash").text
    )
    refused = rest(student, "POST", f"/api/datasets/{dataset}/restore")
    assert (refused.status_code, "removed from the trash" in refused.text) == (404, True)


def test_old_outputs_are_counted_by_a_dry_run_and_moved_after_the_typed_word(
    ada: Browser, student: Browser, rest: Rest, platform: Hub
) -> None:
    made = rest(
        student,
        "POST",
        "/api/datasets",
        files={"file": ("last_year.txt", b"y" * 2048)},
        data={"group": "physics"},
    )
    dataset = made.json()["payload"]["datasets"][0]["qcrbox_dataset_id"]
    # As an output of last year.
    with closing(sqlite3.connect(platform.data.path / "qcrbox.sqlite", timeout=60)) as database, database:
        then = time.time() - 400 * 86400
        number = database.execute(
            "SELECT id FROM datasets WHERE name LIKE 'last_year%' AND deleted_at IS NULL"
        ).fetchone()
        assert number, "the dataset is in the registry's database"
        database.execute("UPDATE datasets SET kind = 'output', changed_at = ? WHERE id = ?", (then, *number))
        database.execute("UPDATE data_files SET created_at = ? WHERE dataset_id = ?", (then, *number))
    page = f"{ROOT}/storage"
    counted = ada.submit(page, action="retention_dry_run", days="365", group="physics").text
    assert "1 outputs with 1 files and 2.0 KiB of the group physics" in counted
    assert "0 outputs" in ada.submit(page, action="retention_dry_run", days="500").text
    assert "number of days" in ada.submit(page, action="retention_dry_run", days="0").text
    fields = {"action": "retention", "days": "365", "group": "physics", "reason": "end of the course"}
    assert "nothing was changed" in ada.submit(page, **fields, typed_name="").text
    assert rest(student, "GET", f"/api/datasets/{dataset}").status_code == 200
    assert "1 outputs with 1 files are in the trash" in ada.submit(page, **fields, typed_name="outputs").text
    assert rest(student, "GET", f"/api/datasets/{dataset}").status_code == 404
    assert rest(student, "POST", f"/api/datasets/{dataset}/restore").status_code == 200


def test_defaults_and_single_limits_are_set(ada: Browser, student: Browser, rest: Rest) -> None:
    page = f"{ROOT}/quotas"

    def limit() -> float | None:
        rows = rest(student, "GET", "/api/me").json()["payload"]["quotas"]
        return next(row["limit"] for row in rows if (row["quota"], row["subject"]) == ("sessions", "person"))

    ada.submit(page, action="limits", subject="default-person", limit_sessions="7")
    assert limit() == 7
    ada.submit(page, action="set", subject="person", name="stella", quota="sessions", limit="3")
    assert limit() == 3
    assert "stella" in ada.get(f"{page}?q=stel").text
    ada.submit(page, action="set", subject="person", name="stella", quota="sessions", limit="")
    ada.submit(page, action="limits", subject="default-person")
    assert limit() is None
    assert (
        "There is no person"
        in ada.submit(page, action="set", subject="person", name="nemo", quota="gib", limit="1").text
    )


def test_acts_at_the_hub_are_in_the_audit_trail_with_their_reason(
    ada: Browser, make_person: Callable[..., Browser]
) -> None:
    make_person("ines-audited")
    person = f"{ROOT}/people/ines-audited"
    ada.submit(person, action="delete", typed_name="wrong", reason="first try", data="wait")
    ada.submit(person, action="lock", typed_name=person.rpartition("/")[2], reason="hostile <b>notebook</b>")
    text = ada.get(f"{ROOT}/audit?format=csv&object_id=ines-audited").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["who"], row["action"], row["allowed"]) for row in rows] == [
        ("ada", "lock", "True"),
        ("ada", "delete", "False"),
        ("ada", "approve", "True"),
    ]
    assert "hostile <b>notebook</b>" in rows[0]["details"]
    locked = ada.get(person).text
    assert re.search(
        r'id="lock_reason">by ada on <time [^>]*>[^<]*</time>: hostile &lt;b&gt;notebook', locked
    )
    page = ada.get(f"{ROOT}/audit?object_id=ines-audited").text
    assert "<b>notebook</b>" not in page
    assert "The chain of the audit trail holds" in ada.submit(f"{ROOT}/audit", action="verify").text
    last = json.loads(ada.get(f"{ROOT}/audit?format=ndjson").text.splitlines()[-1])
    assert {"seq", "hash", "previous"} <= set(last)


def test_persons_cannot_write_into_the_audit_trail(ada: Browser, platform: Hub, rest: Rest) -> None:
    act = {"who": "ada", "action": "forged", "kind": "site"}
    assert rest(ada, "POST", "/internal/hub/audit", json=act).status_code == 401
    anonymous = platform.browser().http.post("/services/qcrbox/internal/hub/audit", json=act)
    assert anonymous.status_code == 401
    assert "forged" not in ada.get(f"{ROOT}/audit?action=forged&format=csv").text


def test_persons_cannot_read_what_ended_for_everyone(ada: Browser, platform: Hub, rest: Rest) -> None:
    assert rest(ada, "GET", "/internal/hub/ended?after=0").status_code == 401
    anonymous = platform.browser().http.get("/services/qcrbox/internal/hub/ended?after=0")
    assert anonymous.status_code == 401
    own = {"Authorization": f"Bearer {platform.data.secret_file('hub_service_token').read_text().strip()}"}
    answer = platform.browser().http.get("/services/qcrbox/internal/hub/ended?after=0", headers=own)
    assert set(answer.json()["payload"]) == {"ended", "seq"}


def test_a_site_without_an_smtp_server_says_so_and_takes_no_address(ada: Browser) -> None:
    page = ada.get("/hub/notifications").text
    assert "sends no e-mails" in page
    token = re.search(r'name="_xsrf"\s+value="([^"]+)"', ada.get("/hub/change-password").text)
    assert token
    fields = {"action": "ask", "address": "ada@example.org", "_xsrf": token.group(1)}
    assert ada.http.post("/hub/notifications", data=fields).status_code == 400
    assert "ada@example.org" not in ada.get("/hub/notifications").text


def audited(ada: Browser, query: str) -> list[dict[str, str]]:
    """Rows of the trail for this query, newest first."""
    return list(csv.DictReader(io.StringIO(ada.get(f"{ROOT}/audit?format=csv&{query}").text)))


def test_approvals_invitations_and_what_the_hubs_own_rest_changes_are_in_the_audit_trail(
    ada: Browser, platform: Hub, make_person: Callable[..., Browser]
) -> None:
    olga = make_person("olga-audited", "physics")
    approved = audited(ada, "object_id=olga-audited")
    assert [(row["who"], row["action"]) for row in approved] == [("ada", "approve")]

    page = ada.submit(
        "/hub/administration/invitations", action="code", group="physics", days="1", uses="2"
    ).text
    code = re.search(r'id="secret">([a-z0-9-]{14})<', page)
    assert code
    ada.submit(
        "/hub/administration/invitations", action="workshop", group="physics", workshop_password="short"
    )
    rows = [
        row
        for row in audited(ada, "object_id=physics")
        if "join code" in row["action"] or "workshop" in row["action"]
    ]
    assert [(row["action"], row["allowed"]) for row in rows[:2]] == [
        ("set a workshop password", "False"),
        ("make a join code", "True"),
    ]
    trail = ada.get(f"{ROOT}/audit?format=csv").text
    assert code.group(1) not in trail
    assert "short" not in rows[0]["details"]

    def by_rest(browser: Browser, method: str, path: str, body: object) -> int:
        browser.get("/hub/token")
        xsrf = browser.xsrf()
        headers = {"X-XSRFToken": xsrf}
        return browser.http.request(method, f"/hub/api/{path}", json=body, headers=headers).status_code

    # Making the code needed a recent proof, so this has one.
    assert by_rest(ada, "PATCH", "users/olga-audited", {"admin": False}) == 200
    assert by_rest(olga, "DELETE", "groups/physics", None) in (403, 404)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        mine = audited(ada, "object_id=olga-audited&action=hub REST PATCH")
        refused = audited(ada, "who=olga-audited")
        if mine and refused:
            break
        time.sleep(0.1)
    assert (mine[0]["who"], mine[0]["allowed"]) == ("ada", "True")
    assert (refused[0]["action"], refused[0]["object_id"], refused[0]["allowed"]) == (
        "hub REST DELETE",
        "physics",
        "False",
    )
