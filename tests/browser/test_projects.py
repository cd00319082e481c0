"""From an example to a judged result and its project by clicking alone; a file that is opened and changed in the viewer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LIMIT_MS, Person, Platform
from tests.browser.keys import tab_to
from tests.browser.test_without_python import TAB, put_files

pytestmark = pytest.mark.timeout(900)


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


SEED = """async ([count, base]) => {
    const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1];
    const store = async number => {
        const name = `day-${String(number).padStart(3, '0')}`;
        const cell = [5 + 0.5 * (number % 20), 9 + 0.7 * Math.floor(number / 20), 11];
        const text = [`data_${name}`, ...['a', 'b', 'c'].map((axis, n) => `_cell_length_${axis} ${cell[n].toFixed(3)}(2)`),
            ...['alpha', 'beta', 'gamma'].map(angle => `_cell_angle_${angle} 90`),
            `_chemical_formula_sum 'C${number + 1} H2 O'`, '_refine_ls_R_factor_gt 0.0412', 'loop_', '_atom_site_label',
            '_atom_site_fract_x', '_atom_site_fract_y', '_atom_site_fract_z', 'C1 0.1 0.2 0.3', ''].join('\\n');
        const body = new FormData();
        body.append('file', new File([text], `${name}.cif`), `${name}.cif`);
        const answer = await fetch(`${base}qcrbox/api/datasets`, { method: 'POST', body, headers: { 'X-XSRFToken': xsrf } });
        if (!answer.ok) throw new Error(await answer.text());
    };
    for (let first = 0; first < count; first += 8)
        await Promise.all(Array.from({ length: Math.min(8, count - first) }, (_, n) => store(first + n)));
}"""


def test_each_of_two_hundred_structures_of_a_day_is_found_in_three_acts(student: Person) -> None:
    student.open_lab()
    student.wait_for_lab()
    page = student.page
    base = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).baseUrl")
    page.evaluate(SEED, [200, base])

    page.locator(".jp-LauncherCard", has_text="My projects").click()
    projects = page.locator(f"{TAB} .qcrbox-Projects")
    for query, name in (
        ("day-000", "day-000"),
        ("C118 H2 O", "day-117"),
        ("7.5 15.3 11 90 90 90", "day-185"),
    ):
        projects.get_by_role("searchbox").fill(query)
        found = projects.locator(".qcrbox-Projects-entry")
        expect(found).to_have_text([re.compile(name)], timeout=LIMIT_MS)
        found.click()
        expect(projects.locator(".qcrbox-Projects-open h2")).to_contain_text(name)

    page.locator("#jp-main-dock-panel .lm-TabBar-addButton").first.click()
    page.locator(f"{TAB} .jp-LauncherCard", has_text="QCrBox store").click()
    store = page.locator(f"{TAB} .qcrbox-Store")
    store.get_by_label("Text").fill("day-042")
    rows = store.locator(".qcrbox-Store-row[data-dataset]")
    expect(rows).to_have_count(1, timeout=LIMIT_MS)
    expect(rows.first).to_contain_text("C43 H2 O")
