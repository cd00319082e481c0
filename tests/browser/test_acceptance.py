"""Sentences 3, 4, 7, 8, 9 and 10 of docs/acceptance.md, in a real browser before a whole platform."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import nbformat.reader
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from qcrbox_hub.platform.addresses import Addresses

from tests.browser.conftest import LIMIT_MS, Person, Platform
from tests.browser.notebooks import outside_pid, wait_for, wait_for_drawing, write_notebook

pytestmark = pytest.mark.slow

EVERY_WIDGET = {
    "dataset": "import qcrbox as qc\nthpp = qc.examples['thpp']\nthpp",
    "card": "calculation = qc.refine.refine_iam(thpp, cycles=2, weighting='keep', hydrogens='place')\ncalculation",
    "result": "result = calculation.result()\nresult",
    "view": "result.view(labels='heavy', density=True)",
    "history": "result.history.plot()",
    "scatter": "result.plots.fo_fc()",
    "probability": "result.plots.normal_probability()",
    "variance": "result.plots.variance()",
    "resolution": "result.plots.resolution()",
    "distribution": "result.plots.intensity_distribution()",
    "parity": "result.plots.parity()",
    "layer": "result.plots.layer('hk0')",
    "form": "qc.refine.refine_iam.form(thpp)",
    "cif": "result.cif",
    "lineage": "result.lineage",
    "compare": "qc.compare(thpp, result)",
    "crystal": "qc.diff(thpp, result)",
    "meaning": "qc.diff(thpp, result, mode='semantic', ignore=['_refln*', '_shelx*'])",
    "text": "qc.diff(thpp, result, mode='text')",
    "report": "result.report()",
    "checks": "result.validate().view()",
    "hirshfeld": "qc.hirshfeld(qc.examples['urea'].files['urea.cif'], spacing=0.3).view()",
    "store": "qc.datasets",
    "applications": "qc.apps",
}
DONE = "everything.done"  # written by the last cell
WITH_STRUCTURE = ("view", "compare", "checks", "hirshfeld")
WITH_CHART = (
    "history",
    "scatter",
    "probability",
    "variance",
    "resolution",
    "distribution",
    "parity",
    "layer",
)


def cell_of(page: Page, name: str) -> Locator:
    """The output of the cell, in sight."""
    number = list(EVERY_WIDGET).index(name)
    cell = page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{number}"]')
    for _ in range(600):
        if cell.count():
            break
        page.mouse.wheel(0, 500)
        page.wait_for_timeout(100)
    cell.scroll_into_view_if_needed()
    return cell.locator(".jp-Cell-outputArea")


@pytest.fixture(scope="module")
def executed(student: Person, platform: Platform) -> tuple[Page, list[str]]:
    """A notebook that shows every widget, run to its end; and all addresses that its page asked for."""
    cells = [*EVERY_WIDGET.values(), f"open({DONE!r}, 'w').close()"]
    write_notebook(platform.home(student.name) / "everything.ipynb", *cells)
    asked: list[str] = []
    page = student.page
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url.replace("ws", "http", 1)))
    student.open_notebook("everything.ipynb")
    student.run_all()
    done = platform.home(student.name) / DONE
    deadline = time.monotonic() + 240
    while not done.exists():
        assert time.monotonic() < deadline, student.outputs()
        error = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
        assert not error.count(), error.first.inner_text()
        page.wait_for_timeout(300)
    student.wait_until_idle()
    return page, asked


def test_3_every_widget_renders_and_nothing_leaves_the_origin(
    executed: tuple[Page, list[str]], platform: Platform, student: Person
) -> None:
    page, asked = executed
    for name in EVERY_WIDGET:
        output = cell_of(page, name)
        expect(output).not_to_contain_text("Traceback")
        expect(output).not_to_contain_text("Error displaying widget")
        expect(output).not_to_contain_text("Loading widget")
        assert output.inner_text().strip() or output.locator("canvas, svg, img").count(), name
        if name in WITH_STRUCTURE:
            wait_for_drawing(output.locator(".qcv-canvas").first)
        if name in WITH_CHART:
            wait_for_drawing(output.locator(".qch canvas").first, 10)
    own = Addresses.make(platform.url).person_url(student.name)
    strange = [url for url in asked if not url.startswith((platform.url, own, "data:", "blob:"))]
    assert asked
    assert not strange


def test_compared_structures_turn_together(executed: tuple[Page, list[str]]) -> None:
    page, _ = executed
    first, second = (cell_of(page, "compare").locator(".qcv-canvas").nth(n) for n in (0, 1))
    for view in (second, first):
        wait_for_drawing(view)
    before = second.screenshot()
    first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    wait_for(page, lambda: second.screenshot() != before)


def test_alert_marks_its_atoms_in_the_structure(executed: tuple[Page, list[str]]) -> None:
    page, _ = executed
    output = cell_of(page, "checks")
    button = output.locator("button:not([disabled])", has_text="show").first
    button.scroll_into_view_if_needed()
    atoms = (button.get_attribute("title") or "").split(", ")
    assert atoms
    button.click()
    expect(output.locator(".qcv-status [aria-live=polite]")).to_contain_text(atoms[0])


def test_9_status_and_atoms_are_told_apart_in_grey(executed: tuple[Page, list[str]]) -> None:
    page, _ = executed
    for name, selector in (("card", ".qcc"), ("view", ".qcv")):
        output = cell_of(page, name)
        part = output.locator(selector).first
        part.evaluate("element => (element.style.filter = 'grayscale(1)')")
        part.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        pixels = np.asarray(Image.open(io.BytesIO(part.screenshot())).convert("RGB")).astype(int)
        assert np.ptp(pixels, axis=2).max() < 24, "the picture is not grey"
        part.evaluate("element => (element.style.filter = '')")
    state = cell_of(page, "card").locator(".qcc-state").first
    assert re.match(r"[✓✗⊘◷▶⚠] \w+", state.inner_text())
    assert contrast(state) >= 4.5
    overlay = cell_of(page, "view").locator(".qcv-overlay").first
    about = cell_of(page, "view").locator(".qcv-canvas").first.get_attribute("aria-label") or ""
    heavy = int(re.search(r"(\d+) without hydrogen", about)[1])  # type: ignore[index]
    # A label that would cover another is left out; there are few such places.
    assert int(overlay.get_attribute("data-labels") or 0) >= 0.8 * heavy
    assert "positive solid, negative net" in cell_of(page, "view").locator(".qcv-bar").nth(1).inner_text()


def test_10_saved_notebook_shows_its_last_results_without_a_kernel(
    executed: tuple[Page, list[str]], platform: Platform, student: Person, chromium: Browser, tmp_path: Path
) -> None:
    page, _ = executed
    page.keyboard.press("Control+s")
    saved = platform.home(student.name) / "everything.ipynb"
    wait_for(page, lambda: has_outputs(saved))
    converted = tmp_path / "everything.html"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", str(converted), str(saved)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, offline=True)
    tried: list[str] = []
    context.on("request", lambda request: tried.append(request.url))
    reader = context.new_page()
    reader.goto(converted.as_uri(), wait_until="load")
    outputs = reader.locator(".jp-Cell-outputWrapper")
    names = list(EVERY_WIDGET)
    assert outputs.count() == len(names)
    for number, name in enumerate(names):
        output = outputs.nth(number)
        output.scroll_into_view_if_needed()
        if name in (*WITH_STRUCTURE, *WITH_CHART):
            wait_for_drawing(output.locator("img").first, 10)
        elif name not in ("form",):
            assert output.locator("table, pre, svg, .qcrbox-static, details, div").count(), name
            assert len(output.inner_text()) > 20, name
    assert "⚠ done, not converged" in outputs.nth(names.index("card")).inner_text()
    assert re.search(r"R1\s+0\.\d+", outputs.nth(names.index("result")).inner_text())
    context.close()


def test_4_calculation_survives_a_killed_kernel_a_reload_and_a_closed_laptop(
    student: Person, platform: Platform
) -> None:
    home = platform.home(student.name)
    end = home / "enough"
    first = f"import qcrbox as qc\nqc.patience.count_until(file={str(end)!r})"
    again = "import qcrbox as qc\ncalculation = qc.calculations[0]\ncalculation"
    write_notebook(home / "killed.ipynb", first, "import os\nopen('kernel.pid', 'w').write(str(os.getpid()))")
    write_notebook(home / "after.ipynb", again, "calculation.result()\nprint(calculation.log)")
    student.open_notebook("killed.ipynb")
    student.run_all()
    page = student.page
    expect(page.locator(".qcc-state").first).to_contain_text("running", timeout=2 * LIMIT_MS)
    wait_for(page, (home / "kernel.pid").exists)
    os.kill(outside_pid(int((home / "kernel.pid").read_text()), home.stat().st_uid), signal.SIGKILL)
    page.context.set_offline(True)  # the laptop is closed
    page.wait_for_timeout(3000)
    page.context.set_offline(False)
    student.open_notebook("after.ipynb")
    student.run_all()
    card = page.locator(".qcc").first
    expect(card.locator(".qcc-state")).to_contain_text("running", timeout=2 * LIMIT_MS)
    end.touch()
    expect(card.locator(".qcc-state")).to_contain_text("done", timeout=LIMIT_MS)
    log = page.locator(".jp-OutputArea-output", has_text="found enough").last
    expect(log).to_contain_text("found enough", timeout=LIMIT_MS)
    seconds = [int(n) for n in re.findall(r"^second (\d+)$", log.inner_text(), re.MULTILINE)]
    assert seconds == list(range(1, len(seconds) + 1))
    assert len(seconds) >= 3


def test_7_log_of_a_failure_is_one_click_away(student: Person, platform: Platform) -> None:
    code = "import qcrbox as qc\nqc.refine.refine_iam(qc.examples['thpp'], edits='delete NOATOM99')"
    write_notebook(platform.home(student.name) / "fails.ipynb", code)
    student.open_notebook("fails.ipynb")
    student.run_all()
    card = student.page.locator(".qcc").first
    expect(card.locator(".qcc-state")).to_have_text("✗ failed", timeout=2 * LIMIT_MS)
    expect(card.locator(".qcc-error")).to_contain_text("NOATOM99")
    card.get_by_role("button", name="Log", exact=True).click()
    expect(card.get_by_role("log")).to_contain_text("NOATOM99", timeout=LIMIT_MS)
    card.get_by_role("button", name="first error").click()
    card.get_by_label("Search the log").fill("noatom99")
    expect(card.locator("mark").first).to_have_text("NOATOM99")


def test_8_keyboard_alone_loads_refines_reads_r1_and_measures(student: Person, platform: Platform) -> None:
    write_notebook(platform.home(student.name) / "keys.ipynb", "")
    student.open_notebook("keys.ipynb")
    page, keyboard = student.page, student.page.keyboard
    page.locator(".jp-Notebook").focus()  # where Lab puts the focus after Tab has come to the notebook
    lines = (
        "import qcrbox as qc; r = qc.refine.refine_iam(qc.examples['thpp'], cycles=2).result(); print('R1', r.R1)",
        "r.view()",
    )
    for number, line in enumerate(lines, start=1):
        keyboard.press("Enter")
        keyboard.type(line)
        keyboard.press("Shift+Enter")
        # Lab adds a cell behind the last one and goes into it.
        page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".cm-focused").wait_for()
    said = page.locator(".jp-OutputArea-output", has_text=re.compile(r"R1 0\.\d+")).first
    expect(said).to_be_visible(timeout=2 * LIMIT_MS)
    card = page.get_by_role("region", name=re.compile("Calculation thpp · IAM refinement"))
    expect(card.get_by_role("status")).to_have_text("⚠ done, with warnings", timeout=LIMIT_MS)
    view = page.locator(".qcv-canvas")
    view.wait_for(timeout=LIMIT_MS)
    # What a screen reader is told.
    tree = page.locator(".qcv").aria_snapshot()
    assert re.search(r'application ".*atoms.*displacement ellipsoids at 50%.*Press \? for keys', tree), tree
    assert 'toolbar "Structure view"' in tree
    reach(page, ".qcv-canvas")
    live = page.locator(".qcv-status [aria-live=polite]")
    keyboard.press("Tab")
    expect(live).to_have_text(re.compile(r"^\w+, \w+.*Ueq 0\.\d+ Å²"))
    for key in ("m", "Enter", "Tab", "Enter"):
        keyboard.press(key)
    expect(live).to_have_text(re.compile(r"^distance \w+–\w+ \d\.\d+\(\d+\) Å \(s.u. estimated"))


def reach(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    keyboard = page.keyboard
    for _ in range(60):
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
        # In the editor of a cell Tab indents; Escape leaves it.
        is_editor = page.evaluate("document.activeElement?.closest('.cm-editor') !== null")
        keyboard.press("Escape" if is_editor else "Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def contrast(element: Locator) -> float:
    """Ratio of the luminances of text and of what lies behind it (WCAG 2.2)."""
    found = element.evaluate(
        """element => {
            let behind = element;
            while (behind && /rgba\\(0, 0, 0, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
            return [getComputedStyle(element).color, behind ? getComputedStyle(behind).backgroundColor : 'rgb(255,255,255)'];
        }"""
    )
    one, other = sorted((luminance(text) for text in found), reverse=True)
    return (one + 0.05) / (other + 0.05)


def luminance(colour: str) -> float:
    parts = [int(float(x)) / 255 for x in re.findall(r"[\d.]+", colour)[:3]]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def has_outputs(file: Path) -> bool:
    """Whether the notebook was saved with what its cells gave; Lab may be writing it at this moment."""
    try:
        return any(cell.get("outputs") for cell in nbformat.read(file, as_version=4).cells)
    except nbformat.reader.NotJSONError:
        return False
