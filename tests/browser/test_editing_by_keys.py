"""The model edited, dialogs answered and the drive walked with the keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LIMIT_MS, Person, Platform
from tests.browser.keys import choose_file, tab_to_element
from tests.browser.test_keyboard import VIEW, open_lab
from tests.browser.test_without_python import TAB, put_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_atoms_are_selected_changed_undone_and_refined_with_the_keyboard_alone(
    student: Person, platform: Platform
) -> None:
    put_files(platform.home(student.name), "keyedited")
    page = open_lab(student)
    keyboard = page.keyboard
    choose_file(page, "keyedited.cif")
    keyboard.press("Enter")
    view = page.locator(VIEW)
    canvas = view.locator(".qcv-canvas")
    canvas.wait_for(timeout=2 * LIMIT_MS)
    tab_to_element(page, canvas)
    keyboard.press("e")
    editor = view.locator(".qcv-edit")
    count, lines = editor.locator(".qcv-edit-count"), editor.locator("code")

    # In the picture: Tab walks the atoms, Enter takes one into the selection.
    expect(count).to_have_text("nothing selected")
    for number in (1, 2):
        keyboard.press("Tab")
        keyboard.press("Enter")
        expect(count).to_have_text(re.compile(f"^{number} selected: "))
    keyboard.press("Escape")
    expect(count).to_have_text("nothing selected")

    # In the fields: by name, then what is to change.
    fill(page, editor.get_by_label("Names to select"), "C1 N*", "Shift+Tab")
    expect(count).to_have_text(re.compile(r"^\d+ selected: .*C1"))
    tab_to_element(page, editor.get_by_label("Select an element"))
    keyboard.type("F")
    expect(count).to_have_text(re.compile(r"^2 selected: F"))
    fill(page, editor.get_by_label("Occupancy", exact=True), "0.95")
    press(page, editor.get_by_role("button", name="Isotropic", exact=True))
    fill(page, editor.get_by_label("Names to select"), "N12", "Shift+Tab")
    fill(page, editor.get_by_label("Element", exact=True), "C")
    fill(page, editor.get_by_label("New name"), "C12")
    fill(page, editor.get_by_label("Line of your own"), "part 0 C12")
    assert lines.all_inner_texts()[2:] == ["element N12 C", "rename N12 C12", "part 0 C12"]
    for left in (4, 3, 2):
        keyboard.press("Control+z")
        expect(lines).to_have_count(left)
    keyboard.press("Control+Shift+z")
    keyboard.press("Control+z")
    press(page, editor.get_by_role("button", name=re.compile("^Take out: occupancy")))
    expect(lines).to_have_text([re.compile("^iso F")])
    press(page, editor.get_by_role("button", name="Refine with these edits"))
    result = page.locator(f"{TAB} .qcrbox-Result")
    expect(result.locator("h2")).to_contain_text(re.compile(r"R1 0\.\d{4}"), timeout=3 * LIMIT_MS)


def fill(page: Page, field: Locator, text: str, key: str = "Tab") -> None:
    """Type into a field that Tab reaches, and press Enter there."""
    tab_to_element(page, field, key)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def press(page: Page, button: Locator, key: str = "Tab") -> None:
    tab_to_element(page, button, key)
    page.keyboard.press("Enter")
