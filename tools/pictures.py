"""Takes the pictures of docs/images from a running product: `python -m tools.pictures [FOLDER [PART …]]`.

Parts: notebook, surface (a Hirshfeld surface with its fingerprint), lab (editing, result and plots, light and dark),
administration; all when none is named. "before" takes the pictures of the first state that could be used out of the history,
for docs/before_after.md.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, ViewportSize, sync_playwright
from qcrbox_hub.platform import ports

from tests.browser.conftest import ARGUMENTS, CHROMIUM, PASSWORD, Person
from tests.browser.notebooks import write_notebook
from tests.browser.test_without_python import TAB, put_files

ROOT = Path(__file__).resolve().parents[1]
FIRST_STATE = "0827b986"
SIZE: ViewportSize = {"width": 1440, "height": 900}
# For the load of the machine, which the overview of the administration shows, to fall after other programs have ended.
LONGEST_WAIT_S = 300


def main(folder: Path, parts: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        port = ports.choose(1)[0]
        process = subprocess.Popen(
            [sys.executable, "-m", "qcrbox_hub", "up", "--data", f"{data}/data", "--port", str(port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            said = ""
            while "Ctrl-C" not in said:
                said += process.stdout.readline()  # type: ignore[union-attr]
            link = re.search(r"http\S+first-admin\?code=\S+", said).group(0)  # type: ignore[union-attr]
            browser = playwright.chromium.launch(
                executable_path=str(CHROMIUM) if CHROMIUM.exists() else None, args=ARGUMENTS
            )
            context = browser.new_context(
                # Hours as Lab's titles have them, wherever the script runs.
                base_url=f"http://hub.localhost:{port}",
                viewport=SIZE,
                device_scale_factor=1.5,
                locale="en-GB",
            )
            take(context.new_page(), link, folder, Path(data, "data", "homes"), parts)
        finally:
            process.terminate()
            process.wait(20)


def take_before(folder: Path) -> None:
    """The pictures that this script took of the first state that could be used."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("notebook", "structure", "people"):
        found = subprocess.run(
            ["git", "show", f"{FIRST_STATE}:docs/images/{name}.png"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        (folder / f"{name}.png").write_bytes(found.stdout)


def take(page: Page, link: str, folder: Path, homes: Path, parts: list[str]) -> None:
    person = Person(page, "rosalind")
    page.goto(link)
    person.fill_account()
    page.click("#first_admin_submit")
    page.wait_for_url("**/hub/administration/people")
    base = "://".join(urlsplit(page.url)[:2])
    other = Person(page.context.browser.new_context(base_url=base).new_page(), "dorothy")  # type: ignore[union-attr]
    other.sign_up()
    page.goto("/hub/administration/people")
    page.screenshot(path=folder / "people.png")
    page.click("#approve")
    page.goto(f"/hub/spawn/{person.name}")
    person.wait_for_lab()
    if "notebook" in parts:
        take_notebook(person, folder)
    home = next(homes.glob(f"*-{person.name}"))
    if "surface" in parts:
        take_surface(person, home, folder)
    if "lab" in parts:
        take_lab(person, home, folder)
    if "administration" in parts:
        take_administration(page, folder)


def take_notebook(person: Person, folder: Path) -> None:
    """A notebook beside the panel, and the structure in it."""
    page = person.page
    person.open_notebook("notebooks/01_first_refinement.ipynb")
    person.run_all()
    page.wait_for_selector(".jp-OutputArea-output .qcv-canvas", timeout=180_000)
    person.wait_until_idle()
    person.open_panel()
    page.locator("[data-calculation] .qcrbox-Row-main").first.click()
    page.locator('[data-application="refine"] .qcrbox-Row-main').click()
    page.locator(".jp-Notebook").first.evaluate("element => element.scrollTo(0, 0)")
    page.locator(".jp-Cell").first.scroll_into_view_if_needed()
    page.wait_for_timeout(2500)
    page.screenshot(path=folder / "notebook.png")
    canvas = page.locator(".jp-OutputArea-output .qcv-canvas").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(2500)
    page.screenshot(path=folder / "structure.png")


def take_surface(person: Person, home: Path, folder: Path) -> None:
    """The Hirshfeld surface of urea as `qc.hirshfeld` shows it by itself, when the finer mesh is there."""
    page = person.page
    page.set_viewport_size({"width": 1100, "height": 1250})  # the view and its fingerprint at once
    write_notebook(
        home / "surface.ipynb", "import qcrbox as qc\nqc.hirshfeld(qc.examples['urea'].files['urea.cif'])"
    )
    person.open_notebook("surface.ipynb")
    person.run_all()
    view = page.locator(".jp-OutputArea-output .qcv").first
    view.locator(".qcv-canvas").wait_for(timeout=180_000)
    person.wait_until_idle()
    page.get_by_text("A finer mesh is being computed").wait_for(state="hidden", timeout=180_000)
    view.scroll_into_view_if_needed()
    page.wait_for_timeout(2500)
    view.screenshot(path=folder / "hirshfeld_urea.png")
    page.set_viewport_size(SIZE)


def take_lab(person: Person, home: Path, folder: Path) -> None:
    """A file that is edited in the picture, its result, and a plot; each light and dark."""
    page = person.page
    put_files(home, "thpp")
    person.open_lab()
    person.wait_for_lab()
    page.locator(".jp-DirListing-item", has_text="thpp.cif").dblclick()
    edit(page, ".qcrbox-FileView", "N3", "Set occupancy", "1")
    page.get_by_label("Names to select").fill("C3")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Refine with these edits").click()
    result = page.locator(f"{TAB} .qcrbox-Result")
    result.locator("h2", has_text="R1 0").wait_for(timeout=180_000)
    edit(page, ".qcrbox-Result", "C7B", "Set element", "C")
    for theme in ("light", "dark"):
        person.choose_theme(theme)
        suffix = "" if theme == "light" else "_dark"
        result.evaluate("element => element.scrollTo(0, 0)")
        page.screenshot(path=folder / f"result{suffix}.png")
        result.locator(".qcv-edit").scroll_into_view_if_needed()
        result.locator(".qcv-scene").scroll_into_view_if_needed()
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"editing{suffix}.png")
    for theme in ("dark", "light"):
        person.choose_theme(theme)
        result.get_by_role("tab", name="Plots").click()
        result.locator(".qch canvas").first.wait_for(timeout=60_000)
        result.locator(".qch canvas").first.scroll_into_view_if_needed()
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"plots{'' if theme == 'light' else '_dark'}.png")


def edit(page: Page, view: str, label: str, button: str, value: str) -> None:
    """Open the editor of the structure in the tab in front and make one edit."""
    tab = page.locator(f"{TAB} {view}")
    tab.locator(".qcv-canvas").wait_for(timeout=60_000)
    tab.get_by_role("button", name="Edit the model").click()
    tab.get_by_label("Names to select").fill(label)
    page.keyboard.press("Enter")
    tab.get_by_label(button.removeprefix("Set ").capitalize(), exact=True).fill(value)
    tab.get_by_role("button", name=button).click()


def take_administration(page: Page, folder: Path) -> None:
    """The pages of an administrator who is signed in: overview, people, and a group in dark colours."""
    page.goto("/hub/administration/groups")
    for group in ("physics", "xrd-101"):
        page.click("#make > summary")
        page.fill("#new_name", group)
        page.get_by_role("button", name="Make the group").click()
        page.wait_for_load_state()
        if page.is_visible("#confirm_form"):
            page.fill("#confirm_password_input", PASSWORD)
            page.click("#confirm_submit")
        page.wait_for_selector("#message")
    page.goto("/hub/administration/groups/physics")
    page.fill("#add_people", "dorothy rosalind")
    page.locator("#add button").click()
    page.wait_for_selector("#message")
    wait_for_calm()
    page.goto("/hub/administration")
    page.screenshot(path=folder / "administration_overview.png")
    page.goto("/hub/administration/people")
    page.screenshot(path=folder / "administration_people.png")
    page.emulate_media(color_scheme="dark")
    page.goto("/hub/administration/groups/physics")
    page.screenshot(path=folder / "administration_group.png")
    page.emulate_media(color_scheme=None)


def wait_for_calm() -> None:
    """Until the load of a minute is below the number of processors, or for `LONGEST_WAIT_S`."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while os.getloadavg()[0] > (os.cpu_count() or 1) and time.monotonic() < deadline:
        time.sleep(5)


if __name__ == "__main__":
    images = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    wanted = sys.argv[2:] or ["notebook", "surface", "lab", "administration"]
    if "before" in wanted:
        take_before(images / "before")
        wanted.remove("before")
    if wanted:
        main(images, wanted)
