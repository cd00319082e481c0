"""Takes the pictures of docs/images from a running product: `python -m tools.pictures [FOLDER]`."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from qcrbox_hub.platform import ports

from tests.browser.conftest import ARGUMENTS, CHROMIUM, PASSWORD, Person

ROOT = Path(__file__).resolve().parents[1]
SIZE = {"width": 1440, "height": 900}


def main(folder: Path) -> None:
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
                base_url=f"http://hub.localhost:{port}", viewport=SIZE, device_scale_factor=1.5
            )
            take(context.new_page(), link, folder)
        finally:
            process.terminate()
            process.wait(20)


def take(page: Page, link: str, folder: Path) -> None:
    person = Person(page, "rosalind")
    page.goto(link)
    person.fill_account()
    page.click("#first_admin_submit")
    page.wait_for_url("**/hub/administration/people")
    other = Person(page.context.browser.new_context(base_url=page.url.split("/hub")[0]).new_page(), "dorothy")  # type: ignore[union-attr]
    other.sign_up()
    page.goto("/hub/administration/people")
    page.screenshot(path=folder / "people.png")
    page.click("#approve")
    page.goto(f"/hub/spawn/{person.name}")
    person.wait_for_lab()
    person.open_notebook("notebooks/01_first_refinement.ipynb")
    person.run_all()
    page.wait_for_selector(".jp-OutputArea-output canvas", timeout=180_000)
    person.wait_until_idle()
    person.open_panel()
    page.locator("[data-calculation] .qcrbox-Row-main").first.click()
    page.locator('[data-application="refine"] .qcrbox-Row-main').click()
    page.locator(".jp-Notebook").first.evaluate("element => element.scrollTo(0, 0)")
    page.locator(".jp-Cell").first.scroll_into_view_if_needed()
    page.wait_for_timeout(2500)
    page.screenshot(path=folder / "notebook.png")
    canvas = page.locator(".jp-OutputArea-output canvas").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(2500)
    page.screenshot(path=folder / "structure.png")
    take_administration(page, folder)


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
    page.goto("/hub/administration")
    page.screenshot(path=folder / "administration_overview.png")
    page.goto("/hub/administration/people")
    page.screenshot(path=folder / "administration_people.png")
    page.emulate_media(color_scheme="dark")
    page.goto("/hub/administration/groups/physics")
    page.screenshot(path=folder / "administration_group.png")
    page.emulate_media(color_scheme=None)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
