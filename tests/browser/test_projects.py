"""From an example to a judged result and its project by clicking alone; a file that is opened and changed in the viewer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LIMIT_MS, Person, Platform
from tests.browser.keys import tab_to
from tests.browser.test_without_python import TAB, put_files

pytestmark = pytest.mark.slow


def test_a_first_refinement_is_judged_and_found_again_in_its_project(student: Person) -> None:
    student.open_lab()
    student.wait_for_lab()
    page = student.page
    page.locator(".jp-LauncherCard", has_text="First refinement").click()
    guide = page.locator(".qcrbox-Guide")
    structure = guide.get_by_label("Structure", exact=True)
    expect(structure.locator("option", has_text="thpp (example)")).to_have_count(1, timeout=LIMIT_MS)
    structure.select_option(label="thpp (example)")
    guide.get_by_role("button", name="It looks right").click()
    guide.get_by_role("button", name="Refine with the defaults").click()
    opens = guide.get_by_role("button", name=re.compile("Open the result"))
    expect(opens).to_be_visible(timeout=3 * LIMIT_MS)
    opens.click()

    result = page.locator(f"{TAB} .qcrbox-Result")
    expect(result.get_by_role("tab")).to_have_text(
        ["Structure", "Plots", "Alerts", "Table 1", "Lineage", "Files", "Log"], timeout=LIMIT_MS
    )
    expect(result.locator(".qcrbox-Live canvas").first).to_be_visible(timeout=LIMIT_MS)
    result.get_by_label(re.compile("Difference density")).check()
    expect(result.get_by_text("Peaks and holes")).to_be_visible(timeout=LIMIT_MS)
    result.get_by_role("tab", name="Structure").press("ArrowRight")
    expect(result.get_by_role("tabpanel")).to_contain_text("Normal probability plot: slope", timeout=LIMIT_MS)
    result.get_by_role("tab", name="Alerts").click()
    expect(result.locator(".qcrbox-Alerts li").first).to_be_visible(timeout=LIMIT_MS)

    result.get_by_role("button", name="Show in its project").click()
    projects = page.locator(f"{TAB} .qcrbox-Projects")
    chosen = projects.locator('[role="treeitem"][aria-selected="true"]')
    expect(chosen).to_contain_text("newest model", timeout=LIMIT_MS)
    projects.get_by_role("button", name="Note …", exact=True).click()
    page.locator(".jp-Dialog textarea").fill("twin law to be tried")
    page.locator(".jp-Dialog-button.jp-mod-accept").click()
    expect(chosen).to_contain_text("twin law to be tried")
    projects.get_by_role("searchbox").fill("twin law")
    hit = projects.locator(".qcrbox-Projects-hits button").first
    expect(hit).to_contain_text("IAM refinement", timeout=LIMIT_MS)
    projects.get_by_role("button", name=re.compile("^Undo")).click()
    expect(projects.locator(".qcrbox-Projects-hits button")).to_have_count(0)
    expect(page.locator(".jp-Notebook")).to_have_count(0)


def test_the_first_refinement_is_worked_with_the_keyboard_alone(student: Person) -> None:
    student.open_lab()
    student.wait_for_lab()
    page, keyboard = student.page, student.page.keyboard
    card = page.locator(".jp-LauncherCard", has_text="First refinement")
    card.evaluate("element => element.setAttribute('data-here', '')")
    page.locator(".jp-Launcher").focus()
    tab_to(page, "[data-here]")
    keyboard.press("Enter")
    guide = page.locator(".qcrbox-Guide")
    expect(guide.locator("option", has_text="thpp (example)")).to_have_count(1, timeout=LIMIT_MS)
    tab_to(page, ".qcrbox-Guide select")
    keyboard.type("thpp (ex")
    for name in ("It looks right", "Refine with the defaults", "Open the result"):
        button = guide.get_by_role("button", name=re.compile(name))
        expect(button).to_be_enabled(timeout=3 * LIMIT_MS)
        button.evaluate("element => element.setAttribute('data-here', '')")
        tab_to(page, ".qcrbox-Guide [data-here]")
        keyboard.press("Enter")
        page.evaluate("document.querySelectorAll('[data-here]').forEach(e => e.removeAttribute('data-here'))")
    result = page.locator(f"{TAB} .qcrbox-Result")
    expect(result.get_by_role("tab", name="Table 1")).to_be_visible(timeout=LIMIT_MS)
    tab_to(page, ".qcrbox-Result [role=tab]")
    for _ in range(3):
        keyboard.press("ArrowRight")
    expect(result.get_by_role("tab", name="Table 1")).to_be_focused()
    expect(result.get_by_role("group", name="Save all tables")).to_be_visible(timeout=LIMIT_MS)


def test_a_file_opens_in_the_viewer_and_is_changed_there(student: Person, platform: Platform) -> None:
    home = platform.home(student.name)
    put_files(home, "viewed")
    student.open_lab()
    student.wait_for_lab()
    page = student.page
    page.locator(".jp-DirListing-item", has_text="viewed.cif").dblclick()
    view = page.locator(".jp-Document:not(.lm-mod-hidden) .qcrbox-FileView")
    expect(view.locator(".qcrbox-Live canvas").first).to_be_visible(timeout=2 * LIMIT_MS)
    view.get_by_role("tab", name="CIF").click()
    view.get_by_role("button", name=re.compile("^Change _cell_length_a")).click()
    view.get_by_label("_cell_length_a", exact=True).fill("long")
    view.get_by_label("_cell_length_a", exact=True).press("Enter")
    changes = view.get_by_role("region", name="Changes")
    expect(changes).to_contain_text("'long' is not a number", timeout=LIMIT_MS)
    changes.get_by_role("button", name="Undo").click()
    before = (home / "viewed.cif").read_text()
    view.get_by_role("button", name=re.compile("^Change _cell_length_b")).click()
    view.get_by_label("_cell_length_b", exact=True).fill("14.58")
    view.get_by_label("_cell_length_b", exact=True).press("Enter")
    changes.get_by_role("button", name="Save the changes").click()
    expect(changes).to_have_count(0, timeout=LIMIT_MS)
    expect(view.get_by_role("button", name="Change _cell_length_b: 14.58")).to_be_visible(timeout=LIMIT_MS)
    after = (home / "viewed.cif").read_text()
    changed = [
        (old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new
    ]
    assert [new.split() for _, new in changed] == [["_cell_length_b", "14.58"]]
