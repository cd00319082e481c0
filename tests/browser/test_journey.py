"""From two files to a refined structure with a name and a report, without a cell of code; in light and in dark."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LIMIT_MS, Person, Platform, grave
from tests.browser.test_without_python import TAB, choose_in_file_browser, put_files

pytestmark = pytest.mark.slow


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest, student: Person, platform: Platform) -> Iterator[str]:
    """Lab in this theme, with two files in its folder that are named after the theme."""
    put_files(platform.home(student.name), f"{request.param}crystal")
    student.open_lab()
    student.wait_for_lab()
    student.choose_theme(request.param)
    yield request.param
    student.choose_theme("light")


def test_from_two_files_to_a_named_and_reported_result_without_a_cell(student: Person, theme: str) -> None:
    page, title = student.page, f"my {theme} model"
    result = refine(student, f"{theme}crystal", theme)
    name(student, result, title)
    look_at_the_parts(page, result, theme)
    report(page, result)
    result.get_by_label("Next step with this structure").select_option(label="Refine IAM · refine.refine_iam")
    result.get_by_role("button", name="Open the form").click()
    again = page.locator(f"{TAB} .qcrbox-CommandForm")
    expect(again.locator('select[name="structure"] option:checked')).to_have_text(re.compile(title))
    expect(page.locator(".jp-Notebook")).to_have_count(0)
    look_into_the_drive(page, title)


def refine(student: Person, stem: str, theme: str) -> Locator:
    """From two files in the file browser to the tab of their result."""
    page = student.page
    page.locator(".jp-DirListing-item", has_text=f"{stem}.cif").wait_for()
    choose_in_file_browser(page, f"{stem}.cif", f"{stem}.hkl")
    page.locator(".jp-DirListing-item", has_text=f"{stem}.hkl").click(button="right")
    page.locator(".lm-Menu-item", has_text="Refine …").click()

    form = page.locator(f"{TAB} .qcrbox-CommandForm")
    facts = form.get_by_label("The structure")
    expect(facts).to_contain_text("P21/n", timeout=LIMIT_MS)
    picture = facts.locator("img")
    expect(picture).to_be_visible()
    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle(), timeout=LIMIT_MS)
    expect_paper(picture, theme)
    assert grave(page, f"{TAB} .qcrbox-CommandForm") == []
    expect(form.locator('[data-parameter="reflections"] option').first).to_contain_text(f"{stem}.hkl")

    run = form.get_by_role("button", name="Run", exact=True)
    cycles = form.locator('input[name="cycles"]')
    cycles.fill("many")
    expect(run).to_be_disabled()
    expect(form.locator('[data-parameter="cycles"]')).to_contain_text("must be a whole number")
    cycles.fill("3")
    form.locator('input[name="weighting"]').fill("keep")
    form.locator('input[name="wavelength"]').fill("0.71073")
    expect(form.locator("pre")).to_contain_text("cycles=3")
    run.click()

    result = page.locator(f"{TAB} .qcrbox-Result")
    expect(result.locator("h2")).to_contain_text(
        re.compile(rf"{stem} · IAM refinement · R1 0\.\d{{4}}"), timeout=2 * LIMIT_MS
    )
    figures = result.get_by_label("Figures of merit")
    expect(figures.get_by_role("row", name=re.compile("R1"))).to_contain_text(
        re.compile(r"0\.\d{4}\s*0\.\d{4}")
    )
    expect(result.locator("[data-state]")).to_have_attribute(
        "data-doubtful", "true"
    )  # three cycles are too few
    expect(result).to_contain_text("not converged")
    return result


def name(student: Person, result: Locator, title: str) -> None:
    """By a click on the title; the panel shows it at once."""
    page = student.page
    result.locator("h2 button").click()
    page.locator(".jp-Dialog input").fill(title)
    page.locator(".jp-Dialog-button.jp-mod-accept").click()
    expect(result.locator("h2")).to_have_text(title)

    student.open_panel()
    panel = page.locator("#qcrbox-panel")
    expect(panel.locator("[data-calculation]", has_text=title)).to_be_visible()
    expect(panel.locator("[data-dataset]", has_text=title)).to_be_visible()


def look_at_the_parts(page: Page, result: Locator, theme: str) -> None:
    """Structure with its difference map, plots, alerts, lineage: each on the paper of the theme, nothing grave for axe."""
    view = result.locator(".qcv-scene")
    view.scroll_into_view_if_needed()
    result.get_by_label(re.compile("Difference density")).check()
    expect(result.get_by_text("Peaks and holes")).to_be_visible(timeout=LIMIT_MS)
    expect_paper(view, theme)
    assert grave(page, f"{TAB} .qcrbox-Result") == []
    for tab, picture in (("Plots", ".qch canvas"), ("Alerts", ".qcv-scene"), ("Lineage", ".qcl svg")):
        result.get_by_role("tab", name=tab).click()
        shown = result.locator(f"{picture}:visible").first
        shown.wait_for(timeout=LIMIT_MS)
        shown.scroll_into_view_if_needed()
        expect_paper(shown, theme)
        assert grave(page, f"{TAB} .qcrbox-Result") == [], tab


def expect_paper(picture: Locator, theme: str) -> None:
    """Something is drawn, mostly on paper that is nearly white in light and nearly black in dark."""
    pixels = np.empty(0)
    for _ in range(120):
        shot = Image.open(io.BytesIO(picture.screenshot())).convert("L")
        pixels = np.asarray(shot.crop((4, 4, shot.width - 4, shot.height - 4)), float)
        paper = float(np.median(pixels))
        is_paper = paper > 235 if theme == "light" else paper < 60
        if is_paper and (np.abs(pixels - paper) > 40).mean() > 0.003:
            return
        picture.page.wait_for_timeout(250)
    raise AssertionError(f"median {np.median(pixels)}, spread {pixels.std()} in {theme}")


def report(page: Page, result: Locator) -> None:
    """Table 1 and the geometry as a Word file."""
    result.get_by_role("tab", name="Table 1").click()
    with page.expect_download() as waiting:
        result.get_by_role("button", name="Word").click()
    assert waiting.value.suggested_filename == "refined_tables.docx"
    with zipfile.ZipFile(waiting.value.path()) as word:
        text = re.sub("<[^>]+>", " ", word.read("word/document.xml").decode())
    assert "Crystal data and refinement" in text
    assert "Bond lengths" in text
    assert re.search(r"R1[^.]*0\.\d{4}", text), text[:2000]


def look_into_the_drive(page: Page, title: str) -> None:
    """The result's files by double click, and its model changed as a new version."""
    page.click('.lm-TabBar-tab[data-id="qcrbox-drive"]')
    drive = page.locator("#qcrbox-drive")
    edited = drive.locator(".jp-DirListing-item", has_text=re.compile(rf"{title} \(edited"))

    def go(name: str) -> None:
        drive.locator(".jp-DirListing-item", has_text=name).first.dblclick()

    go("Datasets")
    go(title)
    go("refined.fcf")
    view = page.locator(f"{TAB} .qcrbox-FileView")
    expect(view.locator("h2")).to_have_text("refined.fcf")
    expect(view.get_by_role("tab", name="Data")).to_be_visible(timeout=LIMIT_MS)
    go("refined.cif")
    expect(view.locator("h2")).to_have_text("refined.cif")
    view.get_by_role("tab", name="CIF").click(timeout=LIMIT_MS)
    view.get_by_label("Find an item").fill("_diffrn_radiation_wavelength")
    view.get_by_label(re.compile("^Change _diffrn_radiation_wavelength")).first.click()
    view.locator("input:focus").fill("0.71075")
    view.locator("input:focus").press("Enter")
    view.get_by_role("button", name="Keep as a new version").click()
    expect(page.locator(".jp-toast-message", has_text="the earlier version stays")).to_be_visible()
    drive.locator('.jp-BreadCrumbs-item[title="Datasets"]').click()
    expect(edited).to_have_count(1)
