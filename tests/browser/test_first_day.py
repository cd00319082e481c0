"""A new person's first day: account, notebook, refinement, picture, reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LIMIT_MS, Person, Platform, Visits
from tests.browser.notebooks import wait_for_drawing, write_notebook
from tests.browser.test_without_python import put_files

pytestmark = pytest.mark.slow

COUNT = "import qcrbox as qc\ncalculation = qc.patience.count(seconds={})\ncalculation"


def test_the_first_notebook_shows_r1_and_a_drawn_structure(student: Person) -> None:
    student.open_notebook("notebooks/01_first_refinement.ipynb")
    student.run_all()
    page = student.page
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-OutputArea-output')].some(e => /R1/.test(e.textContent))",
        timeout=2 * LIMIT_MS,
    )
    student.wait_until_idle()
    assert re.search(r"R1\D{0,40}0\.0\d+", student.outputs())
    assert "Traceback" not in student.outputs()
    picture = page.locator(".jp-OutputArea-output canvas").first
    wait_for_drawing(picture)


def test_tab_offers_a_command_first_and_the_toolbar_is_clicked(student: Person, platform: Platform) -> None:
    write_notebook(platform.home(student.name) / "complete.ipynb", "import qcrbox as qc")
    student.open_notebook("complete.ipynb")
    page, keyboard = student.page, student.page.keyboard
    toolbar = page.locator(".jp-NotebookPanel-toolbar")
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    toolbar.locator('[data-jp-item-name="run"] >> jp-button').click()
    expect(page.locator(".jp-Notebook .jp-InputPrompt").first).to_have_text("[1]:", timeout=LIMIT_MS)
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
    keyboard.type("qc.refine.")
    offered = page.locator(".jp-Completer:visible .jp-Completer-item")
    for _ in range(20):  # a kernel that is asked for the first time may take longer than Lab waits
        keyboard.press("Tab")
        page.wait_for_timeout(1500)
        if offered.count():
            break
    expect(offered.first).to_contain_text("refine_iam")
    offered.first.click()
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").last
    expect(cell).to_have_text(re.compile(r"^qc\.refine\.refine_iam\(?$"))
    toolbar.locator('[data-jp-item-name="insert"] >> jp-button').click()
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(3)
    toolbar.locator('[data-jp-item-name="cut"] >> jp-button').click()
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)


def test_notebook_and_tabs_draw_with_one_three_js(
    student: Person, platform: Platform, visits: Visits
) -> None:
    """three.js itself warns when a page loads it a second time."""
    home = platform.home(student.name)
    put_files(home, "onethree")
    write_notebook(home / "onethree.ipynb", 'import qcrbox as qc\nqc["thpp"].view()')
    student.open_notebook("onethree.ipynb")
    student.run_all()
    page = student.page
    page.locator(".jp-OutputArea-output .qcv-canvas").first.wait_for(timeout=2 * LIMIT_MS)
    page.locator(".jp-DirListing-item", has_text="onethree.cif").dblclick()
    page.locator(".qcrbox-FileView .qcv-canvas").wait_for(timeout=LIMIT_MS)
    assert not [line for line in visits.console if "Three.js" in line]


def test_py3dmol_draws_in_a_notebook(student: Person, platform: Platform) -> None:
    write_notebook(
        platform.home(student.name) / "py3dmol.ipynb", 'import qcrbox as qc\nqc["thpp"].to_py3dmol()'
    )
    student.open_notebook("py3dmol.ipynb")
    student.run_all()
    picture = student.page.locator(".jp-OutputArea-output canvas").first
    picture.wait_for()
    wait_for_drawing(picture)


def test_the_panel_lists_what_there_is(student: Person) -> None:
    student.open_panel()
    panel = student.page.locator("#qcrbox-panel")
    expect(panel.locator('[data-application="refine"]')).to_be_visible()
    expect(panel.get_by_text("thpp", exact=True).first).to_be_visible()


def test_code_of_a_command_goes_into_the_notebook(student: Person, platform: Platform) -> None:
    write_notebook(platform.home(student.name) / "insert.ipynb", "")
    student.open_notebook("insert.ipynb")
    student.open_panel()
    page = student.page
    page.click('[data-application="refine"] .qcrbox-Row-main')
    page.locator('[data-command="refine_iam"]').get_by_role("button", name="Insert a call").click()
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_contain_text("qc.refine.refine_iam(")


def test_calculation_goes_on_through_a_reload_of_the_page(student: Person, platform: Platform) -> None:
    end = platform.home(student.name) / "seen"
    code = f"import qcrbox as qc\ncalculation = qc.patience.count_until(file={str(end)!r})\ncalculation"
    write_notebook(platform.home(student.name) / "reload.ipynb", code)
    student.open_notebook("reload.ipynb")
    student.run_all()
    student.open_panel()
    page = student.page
    row = page.locator("[data-calculation]", has_text="count until").first
    expect(row.locator('[data-state="running"]')).to_be_visible(timeout=2 * LIMIT_MS)
    identity = row.get_attribute("data-calculation")
    page.reload()
    student.wait_for_lab()
    student.open_panel()
    same = page.locator(f'[data-calculation="{identity}"]')
    expect(same.locator('[data-state="running"]')).to_be_visible(timeout=LIMIT_MS)
    same.locator(".qcrbox-Row-main").click()
    expect(same.locator(".qcrbox-Log")).to_contain_text("second 1", timeout=LIMIT_MS)
    expect(same).to_contain_text(re.compile(r"second \d+ of 600"))
    expect(same.locator("progress")).to_be_visible()
    end.touch()
    expect(same.locator('[data-state="successful"]')).to_be_visible(timeout=LIMIT_MS)
    expect(same.locator(".qcrbox-Log")).to_contain_text("found seen", timeout=LIMIT_MS)


def test_running_calculation_is_cancelled_from_the_panel(student: Person, platform: Platform) -> None:
    write_notebook(platform.home(student.name) / "cancel.ipynb", COUNT.format(300))
    student.open_notebook("cancel.ipynb")
    student.run_all()
    student.open_panel()
    page = student.page
    row = page.locator("[data-calculation]", has=page.locator('[data-state="running"]')).first
    identity = row.get_attribute("data-calculation")
    same = page.locator(f'[data-calculation="{identity}"]')
    same.locator(".qcrbox-Row-main").click()
    same.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(same.locator('[data-state="cancelled"]')).to_be_visible(timeout=LIMIT_MS)


def test_dropped_files_become_one_dataset(student: Person, platform: Platform) -> None:
    student.open_panel()
    page = student.page
    with page.expect_file_chooser() as chooser:
        page.click("#qcrbox-panel .qcrbox-Drop button")
    chooser.value.set_files(
        [
            {"name": "drop.hkl", "mimeType": "text/plain", "buffer": b"   1   0   0   10.00    1.00\n"},
            {"name": "drop.cif", "mimeType": "text/plain", "buffer": b"data_drop\n_cell_length_a 10\n"},
        ]
    )
    row = page.locator("[data-dataset]", has_text="drop").first
    row.locator(".qcrbox-Row-main").click()
    expect(row).to_contain_text("drop.cif")
    expect(row).to_contain_text("drop.hkl")


def test_store_is_searched_handled_and_undone(student: Person) -> None:
    student.open_panel()
    page = student.page
    page.get_by_role("button", name="Browse the store").click()
    store = page.locator(".qcrbox-Store")
    rows = store.locator(".qcrbox-Store-row[data-dataset]")
    expect(rows.filter(has_text="thpp").first).to_contain_text("P21/n")
    store.get_by_label("Elements").fill("C,F")
    expect(rows.filter(has_text="urea")).to_have_count(0)
    expect(rows.filter(has_text="thpp").first).to_be_visible()
    store.get_by_label("Cell").fill("6.9 14.6 9.7 90 90.6 90")
    store.get_by_label("R1 below").fill("0.0001")
    expect(store).to_contain_text("Nothing matches.")
    store.get_by_role("button", name="Clear").click()
    drop = rows.filter(has_text="drop.cif").first
    drop.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(store.get_by_role("status")).to_contain_text("1 of")
    store.get_by_role("button", name="Tag …").click()
    page.locator(".jp-Dialog input").fill("thesis")
    page.keyboard.press("Enter")
    expect(drop).to_contain_text("thesis")
    store.get_by_role("button", name="Delete").click()
    expect(rows.filter(has_text="drop.cif")).to_have_count(0)
    store.get_by_role("button", name=re.compile("^Undo")).click()
    expect(rows.filter(has_text="drop.cif").first).to_contain_text("thesis")
    # An example belongs to its application: it is not to be tagged or deleted.
    rows.filter(has_text="thpp").last.get_by_role("checkbox").check()
    expect(store.get_by_role("button", name="Delete")).to_be_disabled()


def test_the_launcher_makes_notebooks_in_the_own_files_whatever_was_clicked_before(
    student: Person, platform: Platform
) -> None:
    """Lab makes a notebook in the file browser that was used last; the store, whose browser is added last, takes no empty file."""
    home = platform.home(student.name)
    before = set(home.glob("Untitled*.ipynb"))
    page = student.page
    for number, store_first in enumerate((False, True), start=1):
        student.open_lab()
        student.wait_for_lab()
        if store_first:
            page.click('.lm-TabBar-tab[title*="drive qcrbox:"]')
            stored = page.get_by_label("Stored files")
            stored.locator(".jp-DirListing-item", has_text="Datasets").click()
        page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=LIMIT_MS)
        expect(page.locator(".jp-Dialog")).to_have_count(0)
        made = set(home.glob("Untitled*.ipynb")) - before
        assert len(made) == number, (store_first, made)
    for file in made:
        file.unlink()
