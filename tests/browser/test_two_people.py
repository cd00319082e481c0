"""Whose work is shown to an administrator, and the drive of the store worked by clicking."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LIMIT_MS, Person, Platform
from tests.browser.test_without_python import TAB, choose_in_file_browser_tab, put_files

pytestmark = pytest.mark.slow


def store_file(person: Person, filename: str) -> None:
    """By the context menu of the file browser."""
    choose_in_file_browser_tab(person.page, filename)
    person.page.locator(".jp-DirListing-item", has_text=filename).click(button="right")
    person.page.locator(".lm-Menu-item", has_text="Add to the QCrBox store").click()
    person.page.locator("#qcrbox-panel [data-dataset]", has_text=filename.split(".")[0]).first.wait_for(
        state="attached", timeout=LIMIT_MS
    )


def open_own_lab(person: Person) -> Page:
    person.open_lab()
    person.wait_for_lab()
    person.open_panel()
    return person.page


def test_an_administrator_sees_own_work_until_they_ask_for_that_of_everyone(
    admin: Person, student: Person, platform: Platform
) -> None:
    put_files(platform.home(student.name), "studentsown")
    open_own_lab(student)
    store_file(student, "studentsown.cif")
    page = admin.page
    page.goto(f"/hub/spawn/{admin.name}")
    admin.wait_for_lab()
    put_files(platform.home(admin.name), "adminsown")
    open_own_lab(admin)
    store_file(admin, "adminsown.cif")
    admin.open_panel()
    panel = page.locator("#qcrbox-panel")
    own, other = (panel.locator("[data-dataset]", has_text=name) for name in ("adminsown", "studentsown"))
    everyone = panel.get_by_label("Show everyone's work")
    expect(own).to_have_count(1, timeout=LIMIT_MS)
    expect(everyone).not_to_be_checked()
    expect(other).to_have_count(0)
    expect(panel).not_to_contain_text(student.name)

    everyone.check()
    expect(other.first).to_contain_text(student.name, timeout=LIMIT_MS)
    expect(own).to_contain_text(admin.name)
    everyone.uncheck()
    expect(other).to_have_count(0, timeout=LIMIT_MS)

    page.get_by_role("button", name="Browse the store").click()
    store = page.locator(f"{TAB} .qcrbox-Store")
    rows = store.locator(".qcrbox-Store-row[data-dataset]")
    expect(rows.filter(has_text="adminsown")).to_have_count(1, timeout=LIMIT_MS)
    expect(rows.filter(has_text="studentsown")).to_have_count(0)
    store.get_by_label("Everyone").check()
    expect(rows.filter(has_text="studentsown").first).to_contain_text(student.name, timeout=LIMIT_MS)


def test_the_drive_is_worked_by_clicking_and_says_what_it_does_not_do(
    student: Person, platform: Platform
) -> None:
    """Folders and files by double click, a file added with the upload button, deleting refused in words."""
    page = open_own_lab(student)
    page.click('.lm-TabBar-tab[data-id="qcrbox-drive"]')
    drive = page.locator("#qcrbox-drive")

    def go(name: str) -> None:
        drive.locator(".jp-DirListing-item", has_text=re.compile(rf"^\s*{re.escape(name)}")).first.dblclick()

    go("Datasets")
    with page.expect_file_chooser() as chooser:
        drive.locator('button[title*="Upload"], jp-button[title*="Upload"]').first.click()
    text = b"data_bydrive\n_cell_length_a 10\n_my_Word kept\n"
    chooser.value.set_files([{"name": "bydrive.cif", "mimeType": "text/plain", "buffer": text}])
    folder = drive.locator(".jp-DirListing-item", has_text="bydrive")
    expect(folder).to_have_count(1, timeout=LIMIT_MS)
    folder.click(button="right")
    page.locator(".lm-Menu-item", has_text=re.compile("^Delete")).click()
    page.locator(".jp-Dialog-button.jp-mod-accept").click()
    refusal = page.locator(".jp-Dialog, .jp-toast-message", has_text="there it can be undone")
    expect(refusal).to_be_visible(timeout=LIMIT_MS)
    page.keyboard.press("Escape")
    expect(folder).to_have_count(1)
    go("bydrive")
    go("bydrive.cif")
    view = page.locator(f"{TAB} .qcrbox-FileView")
    expect(view.locator("h2")).to_have_text("bydrive.cif", timeout=LIMIT_MS)
    view.get_by_role("tab", name="CIF").click()
    expect(view).to_contain_text("_my_Word", timeout=LIMIT_MS)
    drive.locator(".jp-BreadCrumbs-home, .jp-BreadCrumbs-item").first.click()
    go("Projects")
    expect(drive.locator(".jp-DirListing-item", has_text="bydrive")).to_have_count(1, timeout=LIMIT_MS)
