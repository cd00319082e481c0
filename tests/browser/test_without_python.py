"""Work in Lab without a cell of code; test_journey.py covers the whole path from files to a report."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LIMIT_MS, Person, Platform

pytestmark = pytest.mark.slow
# Of an element in the nearest one that cuts off what does not fit.
TOP_IS_INSIDE = """element => {
    let box = element.parentElement;
    while (getComputedStyle(box).overflow !== 'hidden') box = box.parentElement;
    return element.getBoundingClientRect().top >= box.getBoundingClientRect().top;
}"""
UREA = Path(__file__).parents[2] / "app_images" / "har" / "examples"
TAB = ".jp-MainAreaWidget:not(.lm-mod-hidden)"


def put_files(home: Path, stem: str, source: Path | None = None) -> None:
    """A CIF and its reflections under this name in a home. source: their path without suffix; by default those of thpp."""
    if source is None:
        spec = importlib.util.find_spec("smtbx")
        assert spec
        assert spec.submodule_search_locations
        source = Path(spec.submodule_search_locations[0], "regression", "test_data", "thpp")
    owner = home.stat()
    for suffix in ("cif", "hkl"):
        file = home / f"{stem}.{suffix}"
        file.write_bytes(source.with_suffix(f".{suffix}").read_bytes())
        os.chown(file, owner.st_uid, owner.st_gid)  # the person's own: a server of theirs may change it


def choose_in_file_browser(page: Page, *names: str) -> None:
    for number, name in enumerate(names):
        item = page.locator(".jp-DirListing-item", has_text=name)
        item.click(modifiers=["ControlOrMeta"] if number else [])


def choose_in_file_browser_tab(page: Page, *names: str) -> None:
    """The same when the panel covers the file browser."""
    page.click('.lm-TabBar-tab[data-id="filebrowser"]')
    choose_in_file_browser(page, *names)


def store_and_run(student: Person, filename: str, command: str) -> Locator:
    """The form of a command for the chosen files, one of which has this name, after they were put into the store."""
    page = student.page
    page.locator(".jp-DirListing-item", has_text=filename).click(button="right")
    page.locator(".lm-Menu-item", has_text="Add to the QCrBox store").click()
    student.open_panel()
    dataset = page.locator("#qcrbox-panel [data-dataset]", has_text=Path(filename).stem).first
    dataset.locator(".qcrbox-Row-main").click()
    dataset.get_by_role("button", name="Run").click()
    page.locator(".jp-Dialog select").select_option(label=command)
    page.locator(".jp-Dialog-button.jp-mod-accept").click()
    return page.locator(f"{TAB} .qcrbox-CommandForm")


def test_a_program_that_is_not_installed_is_not_offered(student: Person, platform: Platform) -> None:
    put_files(platform.home(student.name), "othercrystal")
    student.open_lab()
    student.wait_for_lab()
    student.open_panel()
    page = student.page
    panel = page.locator("#qcrbox-panel")
    row = panel.locator('[data-application="absent"]')
    expect(row.locator(".qcrbox-Chip")).to_have_text("not installed", timeout=LIMIT_MS)
    row.locator("button").first.click()
    expect(row).to_contain_text("program-that-no-machine-has is not installed on this machine.")
    expect(row).to_contain_text("An administrator can install it")
    expect(row.get_by_role("button", name="Run")).to_have_count(0)
    installed = panel.locator('[data-application="refine"]')
    expect(installed).to_be_visible()
    expect(installed.locator(".qcrbox-Chip")).to_have_count(0)

    choose_in_file_browser_tab(page, "othercrystal.cif")
    form = store_and_run(
        student, "othercrystal.cif", "Draw by absent program · absent.draw_by_absent_program (not installed)"
    )
    expect(form.get_by_role("alert")).to_contain_text("is not installed")
    expect(form.get_by_role("button", name="Run", exact=True)).to_be_disabled()


def test_a_title_given_in_the_store_is_the_same_in_every_place_and_after_a_reload(
    student: Person, platform: Platform
) -> None:
    put_files(platform.home(student.name), "mycrystal")
    student.open_lab()
    student.wait_for_lab()
    page = student.page
    start = page.locator(".jp-Launcher-section").first
    expect(start.locator("h2")).to_have_text("QCrBox")
    cards = ["New project from files …", "My results", "Examples and data", "Programs", "Tutorials"]
    for card in cards:
        expect(start.locator(".jp-LauncherCard", has_text=card)).to_be_visible()
    start.locator(".jp-LauncherCard", has_text="Programs").click()
    panel = page.locator("#qcrbox-panel")
    expect(panel.locator('[data-section="applications"] .qcrbox-Section-title')).to_be_focused(
        timeout=LIMIT_MS
    )

    # P-42(1)m: a symbol with a bar, for the store.
    put_files(platform.home(student.name), "barred", UREA / "urea")
    choose_in_file_browser_tab(page, "barred.cif")
    page.locator(".jp-DirListing-item", has_text="barred.cif").click(button="right")
    page.locator(".lm-Menu-item", has_text="Add to the QCrBox store").click()
    choose_in_file_browser(page, "mycrystal.cif", "mycrystal.hkl")
    page.locator(".jp-DirListing-item", has_text="mycrystal.hkl").click(button="right")
    page.locator(".lm-Menu-item", has_text="Refine …").click()
    form = page.locator(f"{TAB} .qcrbox-CommandForm")
    expect(form.get_by_label("The structure")).to_contain_text("P21/n", timeout=LIMIT_MS)
    form.locator('input[name="cycles"]').fill("2")
    form.locator('input[name="wavelength"]').fill("0.71073")
    form.get_by_role("button", name="Run", exact=True).click()
    result = page.locator(f"{TAB} .qcrbox-Result")
    expect(result.locator("h2")).to_contain_text(re.compile(r"R1 0\.\d{4}"), timeout=2 * LIMIT_MS)

    student.open_panel()
    panel.locator('[data-section="datasets"]').get_by_role("button", name="store").first.click()
    store = page.locator(f"{TAB} .qcrbox-Store")
    # Verdict and time stand at the end of a title, the bar of an inversion at the top of its cell.
    titles = panel.locator("[data-calculation] .qcrbox-mod-title")
    assert (
        titles.evaluate_all("all => all.filter(each => each.scrollHeight > each.clientHeight + 1).length")
        == 0
    )
    assert store.locator(".qcrbox-Bar").first.evaluate(TOP_IS_INSIDE)
    named = store.locator(".qcrbox-Store-name", has_text="IAM refinement").first
    named.click()
    page.locator(".jp-Dialog input").fill("the model of the store")
    page.locator(".jp-Dialog-button.jp-mod-accept").click()
    title = "the model of the store"
    expect(store.locator(".qcrbox-Store-name", has_text=title)).to_be_visible(timeout=LIMIT_MS)
    expect(panel.locator("[data-calculation]", has_text=title)).to_be_visible()
    expect(panel.locator("[data-dataset]", has_text=title)).to_be_visible()
    page.locator(".lm-TabBar-tab", has_text=title).click()
    expect(result.locator("h2")).to_have_text(title)
    result.get_by_label("Next step with this structure").select_option(label="Refine IAM · refine.refine_iam")
    result.get_by_role("button", name="Open the form").click()
    again = page.locator(f"{TAB} .qcrbox-CommandForm")
    expect(again.locator('select[name="structure"] option:checked')).to_have_text(re.compile(title))
    again.locator('input[name="cycles"]').fill("7")
    # Lab keeps its layout on the server a moment after the last change.
    with page.expect_response(
        lambda answer: "/lab/api/workspaces/" in answer.url and answer.request.method == "PUT"
    ):
        again.locator('input[name="wavelength"]').fill("0.71")

    page.goto(page.url.split("?")[0])
    student.wait_for_lab()
    page.locator(".lm-TabBar-tab", has_text="Refine IAM").last.click()
    expect(page.locator(f"{TAB} .qcrbox-CommandForm input[name=cycles]")).to_have_value("7", timeout=LIMIT_MS)
    page.locator(".lm-TabBar-tab", has_text=title).click()
    expect(page.locator(f"{TAB} .qcrbox-Result h2")).to_have_text(title, timeout=LIMIT_MS)


def test_a_wrongly_typed_atom_is_corrected_in_the_picture_and_r1_falls(
    student: Person, platform: Platform
) -> None:
    """thpp with N12 called carbon: the file is refined, its result edited, both with a click each."""
    home = platform.home(student.name)
    put_files(home, "wrongtype")
    cif = home / "wrongtype.cif"
    text = cif.read_text()
    wrong = re.sub(r"(?m)^(\s*)N12\s+N\b", r"\1N12 C", text)
    assert wrong != text
    cif.write_text(wrong)
    student.open_lab()
    student.wait_for_lab()
    page = student.page
    page.locator(".jp-DirListing-item", has_text="wrongtype.cif").dblclick()
    viewer = page.locator(f"{TAB} .qcrbox-FileView")
    canvas = viewer.locator(".qcv-canvas")
    canvas.wait_for(timeout=LIMIT_MS)
    viewer.get_by_role("button", name="Edit the model").click()
    editor = viewer.locator(".qcv-edit")
    # The file has no hydrogen atoms; a line that changes nothing in the numbers starts the first refinement.
    editor.get_by_label("Names to select").fill("N12")
    page.keyboard.press("Enter")
    editor.get_by_role("button", name="Anisotropic").press("Enter")
    editor.get_by_role("button", name="Refine with these edits").press("Enter")

    result = page.locator(f"{TAB} .qcrbox-Result")
    r1 = result.get_by_label("Figures of merit").get_by_role("row", name=re.compile("R1")).locator("td").last
    expect(result.locator("h2")).to_contain_text(
        re.compile(r"wrongtype · .*R1 0\.\d{4}"), timeout=2 * LIMIT_MS
    )
    before = float(r1.inner_text())
    canvas = result.locator(".qcv-canvas")
    canvas.wait_for(timeout=LIMIT_MS)
    result.get_by_role("button", name="Edit the model").click()
    editor = result.locator(".qcv-edit")
    expect(result.locator(".qcrbox-Density input")).to_be_checked()  # peaks are part of editing
    expect(editor.get_by_role("group", name="Peak")).to_contain_text("none selected", timeout=LIMIT_MS)
    canvas.scroll_into_view_if_needed()
    click_atom(page, canvas, "N12")
    expect(editor.locator(".qcv-edit-count")).to_have_text("1 selected: N12")
    editor.get_by_label("Element", exact=True).fill("Zz")
    editor.get_by_role("button", name="Set element").click()
    expect(editor.get_by_role("alert")).to_contain_text("Zz is no element")
    editor.get_by_label("Element", exact=True).fill("N")
    editor.get_by_role("button", name="Set element").click()
    expect(editor.locator("code")).to_have_text(["element N12 N"])
    editor.get_by_role("button", name="Refine with these edits").click()

    expect(page.locator(".lm-TabBar-tab", has_text="R1 0.0")).to_have_count(2, timeout=2 * LIMIT_MS)
    expect(result.locator("h2")).to_contain_text(re.compile(r"R1 0\.\d{4}"))
    expect(result.locator(".qcv-canvas")).to_be_visible(timeout=LIMIT_MS)
    assert float(r1.inner_text()) < before - 0.002
    expect(page.locator(".jp-Notebook")).to_have_count(0)


# Moves the pointer over the canvas on finer and finer grids, so that large atoms are found first. Labels change with the next frame.
LOOK_FOR = """async (canvas, label) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    for (const step of [36, 18, 9])
        for (let y = step; y < height; y += step)
            for (let x = step; x < width; x += step) {
                if (step < 36 && x % (2 * step) === 0 && y % (2 * step) === 0) continue;
                canvas.dispatchEvent(new PointerEvent('pointermove', { clientX: left + x, clientY: top + y }));
                await new Promise(requestAnimationFrame);
                if (canvas.title === label) return { x, y };
            }
    return null;
}"""


def click_atom(page: Page, canvas: Locator, label: str) -> None:
    """Find the atom by a search inside the page, without a browser message per position; then point at it and click."""
    place = canvas.evaluate(LOOK_FOR, label)
    assert place, f"{label} is nowhere in the picture"
    canvas.hover(position=place)
    expect(canvas).to_have_attribute("title", label)
    canvas.click(position=place)


def test_from_two_files_to_a_hirshfeld_atom_refinement_with_its_densities(
    student: Person, platform: Platform
) -> None:
    """Estimate before the run, X-H distances and both densities after it; a small basis keeps it short."""
    put_files(platform.home(student.name), "small", UREA / "urea")
    student.open_lab()
    student.wait_for_lab()
    page = student.page
    page.locator(".jp-DirListing-item", has_text="small.cif").wait_for()
    choose_in_file_browser(page, "small.cif", "small.hkl")
    form = store_and_run(student, "small.hkl", "Refine HAR · har.refine_har")
    form.locator('input[name="functional"]').fill("hf")
    form.locator('input[name="basis"]').fill("sto-3g")
    form.locator('input[name="weighting"]').fill("0, 0")
    expect(form.get_by_role("status").filter(has_text="basis functions")).to_contain_text(
        "GB of memory", timeout=2 * LIMIT_MS
    )
    form.get_by_role("button", name="Run", exact=True).click()
    result = page.locator(f"{TAB} .qcrbox-Result")
    expect(result.locator("h2")).to_contain_text(re.compile(r"HAR.* R1 0\.\d{4}"), timeout=4 * LIMIT_MS)
    figures = result.get_by_label("Figures of merit")
    expect(figures.get_by_role("row", name=re.compile("wR2"))).to_contain_text(
        re.compile(r"0\.\d{4}\s*0\.\d{4}")
    )

    result.get_by_role("tab", name="Densities").click()
    choice = result.locator(".qcrbox-Density select")
    expect(choice.locator("option")).to_have_text(["deformation.cube", "residual.cube"])
    for name in ("deformation.cube", "residual.cube"):
        choice.select_option(label=name)
        expect(result.get_by_role("application", name=re.compile(name))).to_be_visible(timeout=LIMIT_MS)
        expect(result.locator("canvas:visible").first).to_be_visible(timeout=LIMIT_MS)
    expect(page.locator(".jp-Notebook")).to_have_count(0)
