"""The command form, the file browser, the viewer and the store worked with the keyboard alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LIMIT_MS, Person, Platform
from tests.browser.keys import choose_file, choose_in_menu, tab_to_element
from tests.browser.test_without_python import TAB, put_files

pytestmark = pytest.mark.slow
VIEW = ".jp-Document:not(.lm-mod-hidden) .qcrbox-FileView"

RES = """TITL keyed in P-1
CELL 0.71073 5 6 7 80 85 95
ZERR 2 0.001 0.001 0.001 0.01 0.01 0.01
LATT 1
SFAC C
UNIT 4
L.S. 4
FVAR 1.0
C1 1 0.1 0.2 0.3 11.0 0.03
C2 1 0.3 0.3 0.4 11.0 0.03
HKLF 4
END
"""
FCF = """data_keyed
_shelx_refln_list_code 4
_cell_length_a 5
_cell_length_b 6
_cell_length_c 7
_cell_angle_alpha 80
_cell_angle_beta 85
_cell_angle_gamma 95
loop_
_space_group_symop_operation_xyz
'x, y, z'
'-x, -y, -z'
loop_
_refln_index_h
_refln_index_k
_refln_index_l
_refln_F_squared_calc
_refln_F_squared_meas
_refln_F_squared_sigma
_refln_observed_status
1 0 0 10.0 11.0 0.5 o
0 1 0 20.0 19.0 0.5 o
0 0 1 30.0 32.0 0.6 o
1 1 0 5.0 4.6 0.4 o
"""
CUBE = "keyed\ndensity\n1 0 0 0\n4 1 0 0\n4 0 1 0\n4 0 0 1\n6 6.0 1 1 1\n" + "\n".join(
    " ".join(f"{0.1 * ((x + y + z) % 5):.5e}" for z in range(4)) for x in range(4) for y in range(4)
)


def put_text(home: Path, name: str, text: str) -> None:
    owner = home.stat()
    (home / name).write_text(text + "\n")
    os.chown(home / name, owner.st_uid, owner.st_gid)


def open_lab(student: Person) -> Page:
    student.open_lab()
    student.wait_for_lab()
    page = student.page
    page.locator(".jp-DirListing-item").first.wait_for()
    page.locator(".jp-Launcher").focus()  # where a new Lab has it
    return page


def test_a_command_is_run_its_result_kept_in_a_new_version_and_refined_again(
    student: Person, platform: Platform
) -> None:
    put_files(platform.home(student.name), "keyed")
    page = open_lab(student)
    keyboard = page.keyboard
    choose_file(page, "keyed.cif")
    keyboard.press("ContextMenu")
    page.locator(".lm-Menu").wait_for()
    keyboard.press("Escape")
    expect(page.locator(".jp-DirListing-itemText", has_text="keyed.cif")).to_be_focused()
    keyboard.press("Shift+ArrowDown")
    choose_in_menu(page, "Refine …")

    form = page.locator(f"{TAB} .qcrbox-CommandForm")
    expect(form.get_by_label("The structure")).to_contain_text("P21/n", timeout=LIMIT_MS)
    tab_to_element(page, form.locator('select[name="structure"]'))
    tab_to_element(page, form.locator('input[name="cycles"]'))
    keyboard.type("2")
    tab_to_element(page, form.get_by_role("button", name="Run", exact=True))
    keyboard.press("Enter")

    result = page.locator(f"{TAB} .qcrbox-Result")
    expect(result.locator("h2")).to_contain_text(re.compile(r"R1 0\.\d{4}"), timeout=3 * LIMIT_MS)
    walked = walk_tabs(page, result)
    assert walked == ["Structure", "Plots", "Alerts", "Table 1", "Lineage", "Files", "Log"]
    keyboard.press("ArrowLeft")
    keyboard.press("ArrowLeft")
    tab_to_element(page, result.get_by_role("button", name="Open refined.cif"))
    keyboard.press("Enter")
    stored = page.locator(f"{TAB} > .qcrbox-FileView")
    change_item(page, stored, "_cell_length_b", "14.58")
    tab_to_element(page, stored.get_by_role("button", name="Keep as a new version"), "Shift+Tab")
    keyboard.press("Enter")
    expect(page.get_by_text("the earlier version stays")).to_be_visible(timeout=LIMIT_MS)

    keyboard.press("Control+Shift+BracketLeft")  # Lab's key for the tab before this one
    step = result.get_by_label("Next step with this structure")
    tab_to_element(page, step)
    expect(step.locator("option:checked")).to_have_text("Refine IAM · refine.refine_iam")
    # Walking through the list opens nothing.
    keyboard.press("ArrowDown")
    keyboard.press("ArrowUp")
    expect(step.locator("option:checked")).to_have_text("Refine IAM · refine.refine_iam")
    expect(page.locator(".lm-TabBar-tab", has_text="Refine IAM")).to_have_count(1)
    tab_to_element(page, result.get_by_role("button", name="Open the form"))
    keyboard.press("Enter")
    again = page.locator(f"{TAB} .qcrbox-CommandForm")
    expect(again.locator('select[name="structure"] option:checked')).to_have_text(
        re.compile("IAM refinement"), timeout=LIMIT_MS
    )


def walk_tabs(page: Page, view: Locator) -> list[str]:
    """Names of the tabs of a view, each of which was chosen with the arrow keys and showed something."""
    tabs = view.get_by_role("tab")
    tabs.first.wait_for(timeout=2 * LIMIT_MS)
    tab_to_element(page, view.locator('[role="tab"][aria-selected="true"]'))
    names = tabs.all_inner_texts()
    for name in names:
        expect(view.get_by_role("tab", name=name, exact=True)).to_be_focused()
        panel = view.get_by_role("tabpanel")
        expect(panel.locator("canvas, svg, table, ul, dl, pre, p").first).to_be_visible(timeout=LIMIT_MS)
        expect(panel.get_by_role("alert")).to_have_count(0)
        page.keyboard.press("ArrowRight")
    return names


def test_each_kind_of_file_opens_and_shows_its_parts(student: Person, platform: Platform) -> None:
    home = platform.home(student.name)
    put_files(home, "kinds")
    for suffix, text in (("res", RES), ("fcf", FCF), ("cube", CUBE)):
        put_text(home, f"kinds.{suffix}", text)
    page = open_lab(student)
    parts = {}
    for suffix in ("cif", "hkl", "res", "fcf", "cube"):
        choose_file(page, f"kinds.{suffix}")
        page.keyboard.press("Enter")
        view = page.locator(VIEW)
        expect(view.locator("h2")).to_have_text(f"kinds.{suffix}", timeout=LIMIT_MS)
        parts[suffix] = walk_tabs(page, view)
    assert parts == {
        "cif": ["Structure", "CIF", "Data", "Alerts", "Table 1", "Text"],
        "hkl": ["Reflections", "Text"],
        "res": ["Structure", "Text"],
        "fcf": ["CIF", "Data", "Text"],
        "cube": ["Structure"],
    }


def test_a_file_is_stored_validated_and_its_items_changed_undone_and_saved(
    student: Person, platform: Platform
) -> None:
    home = platform.home(student.name)
    put_files(home, "versions")
    page = open_lab(student)
    keyboard = page.keyboard
    choose_file(page, "versions.cif")
    choose_in_menu(page, "Add to the QCrBox store")
    expect(page.get_by_text("stored")).to_be_visible(timeout=LIMIT_MS)
    before = (home / "versions.cif").read_text()

    choose_file(page, "versions.cif")
    choose_in_menu(page, "Validate …")
    expect(page.locator(f"{TAB} .qcrbox-Alerts li").first).to_be_visible(timeout=2 * LIMIT_MS)
    choose_file(page, "versions.cif")
    keyboard.press("Enter")
    view = page.locator(VIEW)
    change_item(page, view, "_cell_length_b", "14.58")
    changes = view.get_by_role("region", name="Changes")
    tab_to_element(page, changes.get_by_role("button", name="Undo"), "Shift+Tab")
    keyboard.press("Enter")
    expect(changes).to_contain_text("0 items changed")
    tab_to_element(page, changes.get_by_role("button", name="Redo"))
    keyboard.press("Enter")
    tab_to_element(page, changes.get_by_role("button", name="Save the changes"), "Shift+Tab")
    keyboard.press("Enter")
    expect(changes).to_have_count(0, timeout=LIMIT_MS)
    expect(view.get_by_role("tabpanel")).to_be_focused()
    after = (home / "versions.cif").read_text()
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    assert [new.split() for old, new in pairs if old != new] == [["_cell_length_b", "14.58"]]


def change_item(page: Page, view: Locator, tag: str, value: str) -> None:
    """In the tab CIF: look for an item, change it, and be back on it."""
    view.get_by_role("tab").first.wait_for(timeout=2 * LIMIT_MS)
    tab_to_element(page, view.locator('[role="tab"][aria-selected="true"]'))
    for _ in range(8):
        if view.get_by_role("tab", name="CIF").get_attribute("aria-selected") == "true":
            break
        page.keyboard.press("ArrowRight")
    tab_to_element(page, view.get_by_label("Find an item"))
    page.keyboard.type(tag)
    tab_to_element(page, view.get_by_role("button", name=re.compile(f"^Change {tag.replace('_', '[._]')}:")))
    page.keyboard.press("Enter")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(value)
    page.keyboard.press("Enter")
    expect(view.get_by_role("button", name=re.compile(f"{value}$"))).to_be_focused()
