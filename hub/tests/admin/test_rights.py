"""Who sees which page of the administration, and what the pages forbid themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from qcrbox_hub.admin.routes import PAGES
from qcrbox_hub.admin.sections import SECTIONS, Power, powers_of

if TYPE_CHECKING:
    from conftest import Browser, Hub

ROOT = "/hub/administration"
PATHS = sorted(section.path for section in SECTIONS)
OF_MANAGERS = {section.path for section in SECTIONS if Power.GROUPS in section.powers}


@pytest.mark.parametrize("path", PATHS)
def test_administrator_sees_every_page(ada: Browser, path: str) -> None:
    page = ada.get(ROOT + path)
    assert page.status_code == 200
    assert 'aria-current="page"' in page.text


@pytest.mark.parametrize("path", PATHS)
def test_student_finds_no_page(student: Browser, path: str) -> None:
    assert student.get(ROOT + path).status_code == 404


@pytest.mark.parametrize("path", [path for path in PATHS if path])
def test_manager_finds_the_pages_of_managers_only(manager: Browser, path: str) -> None:
    assert manager.get(ROOT + path).status_code == (200 if path in OF_MANAGERS else 404)


@pytest.mark.parametrize("path", PATHS)
def test_stranger_is_led_to_the_sign_in(platform: Hub, path: str) -> None:
    assert platform.browser().get(ROOT + path).url.path == "/hub/login"


def test_every_page_has_a_section() -> None:
    assert {page.path for _, page in PAGES} == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_pages_hold_no_inline_script_or_style_and_forbid_it(ada: Browser, path: str) -> None:
    page = ada.get(ROOT + path)
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page.text)


@pytest.mark.parametrize("path", PATHS)
def test_a_post_without_the_token_of_a_form_changes_nothing(ada: Browser, path: str) -> None:
    answer = ada.http.post(ROOT + path, data={"action": "make", "name": "mallory"})
    assert answer.status_code in (403, 405)


def test_link_in_the_menu_for_those_who_administer(ada: Browser, manager: Browser, student: Browser) -> None:
    link = 'href="/hub/administration"'
    assert link in ada.get("/hub/token").text
    assert link in manager.get("/hub/token").text
    assert link not in student.get("/hub/token").text


@pytest.mark.parametrize(
    ("scopes", "powers"),
    [
        ({"custom:qcrbox:use"}, set()),
        ({"custom:qcrbox:manage!group=g"}, {Power.GROUPS}),
        ({"custom:qcrbox:data!group=g"}, set()),
        ({"custom:qcrbox:applications"}, {Power.APPLICATIONS}),
        ({"admin:users"}, set()),
        ({"admin:users", "custom:qcrbox:admin"}, {Power.ADMINISTRATOR}),
    ],
    ids=["member", "manager", "data manager", "application admin", "hub scope alone", "administrator"],
)
def test_powers_follow_the_scopes(scopes: set[str], powers: set[Power]) -> None:
    assert powers_of(scopes) == powers


@pytest.mark.slow
def test_an_act_needs_a_recent_sign_in(
    platform: Hub, ada: Browser, make_person: Callable[..., Browser]
) -> None:
    make_person("piet")
    platform.restart()  # forgets who proved who they are; the sign-in itself stays
    ada.password = ""
    try:
        answer = ada.submit(f"{ROOT}/people/piet", action="lock", typed_name="piet", reason="a test")
        assert 'id="confirm_form"' in answer.text
        assert answer.status_code == 403
        assert "locked</span>" not in ada.get(f"{ROOT}/people/piet").text
    finally:
        ada.password = "plum-Orchid-42-river"
    assert (
        "piet is locked"
        in ada.submit(f"{ROOT}/people/piet", action="lock", typed_name="piet", reason="a test").text
    )
