"""Text of people in every field that the pages show: it is shown as text, on the page of an administrator too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from qcrbox_hub.admin.routes import PAGES

if TYPE_CHECKING:
    from conftest import Browser, Hub

ROOT = "/hub/administration"
MARK = "<script>alert(7)</script>"
HOSTILE = f"\"'>{MARK}{{{{7*7}}}}\u202e"
pytestmark = pytest.mark.attack(11)


@pytest.fixture(scope="module")
def written(
    ada: Browser, make_person: Callable[..., Browser], rest: Callable[..., Any]
) -> Iterator[list[str]]:
    """Puts the text into every field that takes some; the pages that show it."""
    # The registry knows people and groups from their first request on.
    rest(make_person("hubert-hostile", "hostile-lab"), "GET", "/api/me")
    found = re.search(r'/applications/(\d+)">[Rr]efine', ada.get(f"{ROOT}/applications").text)
    assert found
    application = f"{ROOT}/applications/{found.group(1)}"
    person, group = f"{ROOT}/people/hubert-hostile", f"{ROOT}/groups/hostile-lab"
    for page, fields in (
        (f"{ROOT}/site", {"action": "banner", "text": HOSTILE}),
        (f"{ROOT}/launchers", {"action": "hold", "kind": "site", "mode": "hold", "reason": HOSTILE}),
        (
            f"{ROOT}/launchers",
            {"action": "hold", "kind": "launcher", "name": "local", "mode": "hold", "reason": HOSTILE},
        ),
        (application, {"action": "hold", "mode": "hold", "reason": HOSTILE}),
        (application, {"action": "licence", "licence_state": "needed", "licence_note": HOSTILE}),
        (f"{ROOT}/storage", {"action": "add_rule", "days": "90", "group": "hostile-lab", "reason": HOSTILE}),
        (person, {"action": "lock", "typed_name": "hubert-hostile", "reason": HOSTILE}),
    ):
        assert 'id="message"' in ada.submit(page, **fields).text, fields
    # Refused ones: what was sent comes back in the message.
    for page, fields in (
        (f"{ROOT}/people", {"action": "make", "name": HOSTILE}),
        (f"{ROOT}/groups", {"action": "make", "name": HOSTILE}),
        (group, {"action": "add", "people": f"{MARK}"}),
        (group, {"action": "limits", "limit_gib": HOSTILE}),
        (f"{ROOT}/launchers", {"action": "invite", "launcher": HOSTILE}),
        (
            f"{ROOT}/quotas",
            {"action": "set", "subject": "person", "name": HOSTILE, "quota": "gib", "limit": "1"},
        ),
        (f"{ROOT}/invitations", {"action": "link", "name": HOSTILE}),
        (f"{ROOT}/invitations", {"action": "import", "people": HOSTILE}),
        (
            f"{ROOT}/calculations",
            {"action": "cancel", "calculation": HOSTILE, "typed_name": "cancel", "reason": "x"},
        ),
    ):
        answer = ada.submit(page, **fields).text
        assert 'id="problem"' in answer, fields
        assert MARK not in answer, fields
    yield [person, group, application]
    ada.submit(f"{ROOT}/site", action="banner", text="")
    ada.submit(f"{ROOT}/launchers", action="lift", kind="site")
    ada.submit(f"{ROOT}/launchers", action="lift", kind="launcher", name="local")
    ada.submit(application, action="lift")


def test_no_page_runs_it(ada: Browser, student: Browser, written: list[str]) -> None:
    pages = [ROOT + path for path, _ in PAGES if "(" not in path and path != "/?"]
    escaped = 0
    for page in [ROOT, *pages, *written, f"{ROOT}/audit?who=ada", "/hub/home", "/hub/token"]:
        for query in ("", "?q=" + MARK.replace("<", "%3C")) if "?" not in page else ("",):
            answer = ada.get(page + query)
            assert answer.status_code == 200, page
            assert MARK not in answer.text, page
            assert "49\u202e" not in answer.text, f"{page}: a template was run"
            escaped += answer.text.count("&lt;script&gt;alert(7)")
    assert escaped > 10, "the text is shown, as text"
    assert MARK not in student.get("/hub/token").text


def test_csv_of_it_is_text(ada: Browser, written: list[str]) -> None:
    for table in ("audit", "people", "storage/files", "quotas"):
        answer = ada.get(f"{ROOT}/{table}?format=csv")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize("roles", [(), ("data_manager",)], ids=["member", "data manager"])
def test_members_and_data_managers_find_no_page_and_carry_out_no_act(
    platform: Hub, make_person: Callable[..., Browser], roles: tuple[str, ...], written: Any
) -> None:
    name = "dan-data" if roles else "mia-member"
    browser = make_person(name, "hostile-lab", roles=roles)
    browser.get("/hub/token")
    xsrf = browser.xsrf()
    for path, page in PAGES:
        if "(" in path:
            path = re.sub(r"\(.*?\)", "1", path)
        address = ROOT + path.removesuffix("/?")
        answer = browser.get(address)
        assert answer.status_code == 404, address
        # The policy of these pages stops inline scripts and styles, those of pages of errors too.
        assert not re.search(r"<style|<script>", answer.text), address
        assert 'id="main"' in answer.text, address
        for act in [name for name in dir(page) if name.startswith("do_")]:
            fields = {"action": act.removeprefix("do_"), "_xsrf": xsrf, "typed_name": "1", "reason": "x"}
            assert browser.http.post(address, data=fields).status_code == 404, (address, act)
