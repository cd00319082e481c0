"""The model edited, dialogs answered and the drive walked with the keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LIMIT_MS, Person, Platform
from tests.browser.keys import choose_file, choose_in_menu, tab_to_element
from tests.browser.test_keyboard import VIEW, open_lab
from tests.browser.test_without_python import TAB, put_files

pytestmark = pytest.mark.slow
DRIVE = "#qcrbox-drive"


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


def test_dialogs_are_answered_and_left_with_the_keyboard_alone(student: Person, platform: Platform) -> None:
    """Title, preset and note; Escape changes nothing. Cancelling begins at the button that keeps it running."""
    put_files(platform.home(student.name), "answered")
    page = open_lab(student)
    keyboard = page.keyboard
    choose_file(page, "answered.cif")
    keyboard.press("Shift+ArrowDown")
    choose_in_menu(page, "Refine …")
    form = page.locator(f"{TAB} .qcrbox-CommandForm")
    expect(form.get_by_label("The structure")).to_contain_text("P21/n", timeout=LIMIT_MS)
    dialog = page.locator(".jp-Dialog")
    press(page, form.get_by_role("button", name="Keep as preset …"))
    keyboard.type("by keys")
    keyboard.press("Enter")
    expect(form.get_by_label("Preset", exact=True)).to_have_value("by keys", timeout=LIMIT_MS)
    fill(page, form.locator('input[name="cycles"]'), "2")

    result = page.locator(f"{TAB} .qcrbox-Result")
    expect(result.locator("h2")).to_contain_text(re.compile(r"R1 0\.\d{4}"), timeout=3 * LIMIT_MS)
    title = result.locator("h2 button")
    for text, end, shown in (("never so", "Escape", "IAM refinement"), ("so it is", "Enter", "so it is")):
        press(page, title, "Shift+Tab")
        expect(dialog.locator("input")).to_be_focused()
        keyboard.press("ControlOrMeta+a")
        keyboard.type(text)
        keyboard.press(end)
        expect(dialog).to_have_count(0)
        expect(result.locator("h2")).to_contain_text(shown)

    press(page, result.get_by_role("button", name="Show in its project"))
    projects = page.locator(f"{TAB} .qcrbox-Projects")
    step = projects.locator('[role="treeitem"][aria-selected="true"]')
    expect(step).to_contain_text("so it is", timeout=LIMIT_MS)
    tab_to_element(page, step)
    keyboard.press("ArrowUp")
    expect(step).not_to_contain_text("so it is")
    keyboard.press("ArrowDown")
    press(page, projects.get_by_role("button", name="Pin", exact=True))
    expect(step.get_by_title("pinned")).to_be_visible(timeout=LIMIT_MS)
    press(page, projects.get_by_role("button", name="Note …", exact=True))
    keyboard.type("worked by keys")
    tab_to_element(page, dialog.get_by_role("button", name="Keep"))
    keyboard.press("Enter")
    expect(step).to_contain_text("worked by keys", timeout=LIMIT_MS)
    press(page, projects.get_by_role("button", name=re.compile("^Undo: note")), "Shift+Tab")
    expect(step).not_to_contain_text("worked by keys", timeout=LIMIT_MS)
    keyboard.press("Enter")
    expect(step.get_by_title("pinned")).to_have_count(0, timeout=LIMIT_MS)


def test_the_drive_of_the_store_is_walked_with_the_keyboard_alone(
    student: Person, platform: Platform
) -> None:
    put_files(platform.home(student.name), "driven")
    page = open_lab(student)
    keyboard = page.keyboard
    choose_file(page, "driven.cif")
    choose_in_menu(page, "Add to the QCrBox store")
    expect(page.locator(".jp-toast-message", has_text="stored")).to_be_visible(timeout=LIMIT_MS)
    keyboard.press("Control+Shift+c")  # Lab's palette of commands
    page.locator("#modal-command-palette, .jp-ModalCommandPalette").first.wait_for(timeout=LIMIT_MS)
    keyboard.type("Stored files")
    keyboard.press("Enter")
    drive = page.locator(DRIVE)
    drive.locator(".jp-DirListing-item").first.wait_for(timeout=LIMIT_MS)
    for name in ("Datasets", "driven.cif"):
        choose_in_drive(page, name)
        keyboard.press("Enter")
    # The dataset is a folder of its name, with this one file.
    expect(drive.locator(".jp-DirListing-item")).to_have_count(1, timeout=LIMIT_MS)
    choose_in_drive(page, "driven.cif")
    keyboard.press("Enter")
    view = page.locator(f"{TAB} .qcrbox-FileView")
    expect(view.locator("h2")).to_have_text("driven.cif", timeout=LIMIT_MS)
    expect(view.get_by_role("tab", name="Structure")).to_be_visible(timeout=LIMIT_MS)


def choose_in_drive(page: Page, name: str) -> None:
    items = page.locator(f"{DRIVE} .jp-DirListing-item")
    items.filter(has_text=re.compile(rf"^\s*{re.escape(name)}")).first.wait_for(timeout=LIMIT_MS)
    choose_file(page, name, DRIVE)
