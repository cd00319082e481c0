"""A class in the browser: the lecturer prepares, watches and marks; the student follows one link and hands in."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TooLate

from .conftest import LIMIT_MS, PASSWORD, Person, Platform, grave

pytestmark = pytest.mark.slow
ROOT = "/hub/teaching"
GROUP = "xrd"


def send(page: Page, path: str, **fields: str) -> None:
    """Send a form of a page that other tests click through."""
    page.goto(path)
    page.evaluate(
        """fields => {
            const form = document.createElement('form');
            form.method = 'post';
            fields._xsrf = document.querySelector('input[name="_xsrf"]').value;
            for (const [name, value] of Object.entries(fields))
                form.append(Object.assign(document.createElement('textarea'), { name, value }));
            document.body.append(form);
            form.submit();
        }""",
        # Some forms want it again when the last proof is older than five minutes.
        {**fields, "confirm_password": PASSWORD},
    )
    page.wait_for_selector("#message")


@pytest.fixture(scope="module")
def lecturer(admin: Person, student: Person, new_person: Callable[[], Page]) -> Person:
    """Teaches the group of the student."""
    return teacher(Person(new_person(), "lena"), GROUP, admin, student)


def teacher(person: Person, group: str, admin: Person, student: Person) -> Person:
    """Make the person lecturer of a new group of the student, and wait for their Lab."""
    person.sign_up()
    admin.approve(person.name)
    send(admin.page, "/hub/administration/groups", action="make", name=group)
    page = f"/hub/administration/groups/{group}"
    send(admin.page, page, action="add", people=f"{person.name}\n{student.name}")
    send(admin.page, page, action="give_role", person=person.name, role="lecturer")
    person.sign_in()
    person.wait_for_lab()
    return person


def press(page: Page, words: str, within: str = "main") -> None:
    page.locator(within).get_by_role("button", name=words, exact=True).first.click()
    expect(page.locator("#message")).to_be_visible()


def unfold(page: Page, name: str) -> None:
    page.locator(f"#{name} > summary").click()


def look(page: Page, pictures: Path, name: str) -> None:
    """The page in light and dark: nothing that axe finds serious, each id once, and a picture to look at."""
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert sorted({each for each in ids if ids.count(each) > 1}) == [], name
    for scheme in ("light", "dark"):
        # Without motion: axe would see a colour on its way from one theme to the other.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.screenshot(path=pictures / f"{name}-{scheme}.png", full_page=True)
        page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        assert grave(page) == [], f"{name} {scheme}"
    page.emulate_media(color_scheme=None)


def test_a_class_from_the_first_form_to_the_marks(
    platform: Platform, lecturer: Person, student: Person, tmp_path: Path
) -> None:
    page = lecturer.page
    page.goto(ROOT)
    page.fill("#title", "XRD 101")
    press(page, "Make the course")
    look(page, tmp_path, "courses")
    page.get_by_role("link", name="XRD 101").first.click()
    course = page.url

    unfold(page, "shelve")
    page.set_input_files("#item", {"name": "script.txt", "mimeType": "text/plain", "buffer": b"Bragg"})
    page.fill("#item_title", "Script")
    press(page, "Put on the shelf", "#shelve")
    unfold(page, "ready")
    page.check("#ready-hydrogens_and_weights")
    press(page, "Make the exercise", "#ready")
    press(page, "Publish")
    press(page, "Answer from the store")
    look(page, tmp_path, "exercise")
    exercise, link = page.url, page.locator("#link").inner_text()
    page.goto(f"{exercise}/preview")
    expect(page.locator("#preview_tasks > li").first).to_be_visible()
    look(page, tmp_path, "preview")
    preview = _as_a_student(lecturer, exercise, tmp_path)
    page.goto(f"{exercise}/tasks")
    page.get_by_role("button", name="Add a task", exact=True).click()
    page.fill("#t0-points", "many")
    page.get_by_role("button", name="Save as a new version", exact=True).click()
    expect(page.locator("#problems")).to_contain_text("Points: 'many' is not a number")
    look(page, tmp_path, "tasks")
    page.goto(course)
    look(page, tmp_path, "course")

    _hand_in(student, link, course, tmp_path)

    page.goto(f"{exercise}/board")
    row = page.locator("#board_part tr", has_text=student.name)
    expect(row).to_contain_text("done")
    expect(page.locator("#board_part")).not_to_contain_text(preview)
    look(page, tmp_path, "board")
    page.goto(f"{exercise}/board?projector=yes")
    expect(page.locator("main")).not_to_contain_text(student.name)
    look(page, tmp_path, "projector")
    page.goto(f"{exercise}/students/{student.name}")
    look(page, tmp_path, "student")
    page.locator('a[href*="/calculations/"]').first.click()
    expect(page.locator("main img")).to_be_visible()
    look(page, tmp_path, "calculation")
    page.goto(f"{exercise}/marks")
    press(page, "Run the checks")
    look(page, tmp_path, "marks")
    press(page, "Release the marks")
    with page.expect_download() as marks:
        page.get_by_role("link", name="CSV").first.click()
    table = marks.value.path().read_text()
    assert student.name in table
    assert preview not in table
    page.goto(f"{exercise}/preview")
    press(page, "End my preview account")

    student.page.reload()
    student.wait_for_lab()
    shown = exercise_in_panel(student)
    expect(shown.locator(".qcrbox-Exercise-feedback")).to_contain_text("points", timeout=LIMIT_MS)


def asked(person: Person, path: str) -> Any:
    """An answer of the person's server, asked from the page that they have open there."""
    return person.page.evaluate(
        """async url => {
            const token = /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
            return (await fetch(url, { headers: { 'X-XSRFToken': token } })).json();
        }""",
        f"/user/{person.name}/{path}",
    )


def _datasets(person: Person) -> set[str]:
    found = asked(person, "qcrbox/api/datasets")["payload"]["datasets"]
    return {each["qcrbox_dataset_id"] for each in found}


def _as_a_student(lecturer: Person, exercise: str, pictures: Path) -> str:
    """The lecturer's own copy in their own Lab, then the exercise in a student's server; the name of its account."""
    page = lecturer.page
    page.goto(f"{exercise}/preview")
    page.get_by_role("link", name="Open in Lab", exact=True).click()
    lecturer.wait_for_lab()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    expect(exercise_in_panel(lecturer)).to_contain_text("Preview: this copy is on no board")
    theirs = _datasets(lecturer)

    page.goto(f"{exercise}/preview")
    page.get_by_role("button", name="Open as a student", exact=True).click()
    page.wait_for_url("**/user/0preview-*/lab**", timeout=LIMIT_MS)
    account = Person(page, page.url.partition("/user/")[2].partition("/")[0])
    account.wait_for_lab()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    shown = exercise_in_panel(account)
    expect(shown).to_contain_text("Preview: this copy is on no board")
    page.screenshot(path=pictures / "as-a-student.png")
    task = shown.locator('li[data-task="count"]')
    task.get_by_role("textbox").fill("10")
    task.get_by_role("button", name="Answer").click()
    expect(task).to_have_attribute("data-state", "done", timeout=LIMIT_MS)
    shown.get_by_role("button", name="Submit", exact=True).click()
    expect(shown.locator(".qcrbox-Exercise-receipt")).to_contain_text("receipt", timeout=LIMIT_MS)
    me = asked(account, "qcrbox/api/me")["payload"]
    assert (me["name"], me["roles"]) == (account.name, {})
    # Of all that the lecturer sees only the examples, which are everybody's, and the own copy.
    assert len(_datasets(account) - theirs) == 1
    assert theirs - _datasets(account)
    page.goto(f"{exercise}/preview")
    look(page, pictures, "preview-account")
    return account.name


def exercise_in_panel(student: Person) -> Any:
    student.open_panel()
    shown = student.page.locator("#qcrbox-panel .qcrbox-Exercise")
    go_on = student.page.locator("#qcrbox-panel").get_by_role("button", name="Go on")
    # In the folder of an exercise the panel shows it by itself, as soon as it knows the folder.
    expect(shown.or_(go_on).first).to_be_visible(timeout=LIMIT_MS)
    if not shown.count():
        with contextlib.suppress(TooLate):
            go_on.first.click(timeout=5000)
    expect(shown).to_be_visible(timeout=LIMIT_MS)
    return shown


def _hand_in(student: Person, link: str, course: str, pictures: Path) -> None:
    """One click on the link, one answer, the receipt."""
    page = student.page
    page.goto(course)
    expect(page.locator("#shelf")).to_contain_text("Script")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Script").click()
    assert waiting.value.path().read_bytes() == b"Bragg"
    page.goto(link)
    student.wait_for_lab()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    shown = exercise_in_panel(student)
    _refine(page, link.rpartition("/")[2])
    task = shown.locator('li[data-task="count"]')
    task.get_by_role("textbox").fill("10")
    task.get_by_role("button", name="Answer").click()
    expect(task).to_have_attribute("data-state", "done", timeout=LIMIT_MS)
    shown.get_by_role("button", name="Submit", exact=True).click()
    receipt = shown.locator(".qcrbox-Exercise-receipt")
    expect(receipt).to_contain_text("receipt", timeout=LIMIT_MS)
    page.emulate_media(reduced_motion="reduce")
    for theme in ("dark", "light"):
        student.choose_theme(theme)
        page.evaluate(
            "for (const folded of document.querySelectorAll('#qcrbox-panel details')) folded.open = true"
        )
        page.screenshot(path=pictures / f"{theme}.png")
        assert grave(page, "#qcrbox-panel .qcrbox-Exercise") == [], theme


REFINE = """async exercise => {
    const base = location.pathname.match(/^\\/user\\/[^/]+\\//)[0] + 'qcrbox/api/';
    const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1];
    const ask = async (path, body) => {
        const more = body ? { method: 'POST', body: JSON.stringify(body) } : {};
        const headers = { 'Content-Type': 'application/json', 'X-XSRFToken': xsrf };
        const answer = await fetch(base + path, { headers, ...more });
        if (!answer.ok) throw new Error(await answer.text());
        return (await answer.json()).payload;
    };
    const own = await ask(`exercises/${exercise}/own`);
    const [data] = (await ask(`datasets/${own.dataset_id}`)).datasets;
    const cif = Object.values(data.data_files).find(file => file.filename.endsWith('.cif'));
    const [refine] = (await ask('applications')).applications.filter(each => each.slug === 'refine');
    const { calculation_id: made } = await ask('commands', {
        application_slug: 'refine', application_version: refine.version, command_name: 'refine_iam',
        command_arguments: { structure: { data_file_id: cif.qcrbox_file_id }, edits: 'aniso N3' }
    });
    for (;;) {
        const [row] = (await ask(`calculations/${made}`)).calculations;
        if (row.status === 'successful') return;
        if (['failed', 'cancelled'].includes(row.status)) throw new Error(JSON.stringify(row));
        await new Promise(done => setTimeout(done, 1000));
    }
}"""


def _refine(page: Page, exercise: str) -> None:
    """The first task: the refinement that the notebook's cell asks for, on the student's own data."""
    page.evaluate(REFINE, exercise)
    first = page.locator('#qcrbox-panel .qcrbox-Exercise li[data-task="bare"]')
    expect(first).to_have_attribute("data-state", "done", timeout=LIMIT_MS)


def test_every_page_of_teaching_is_looked_at_in_light_and_dark() -> None:
    """Its templates are those that the class above shows to axe."""
    templates = Path(__file__).parents[2] / "hub/qcrbox_hub/templates/teaching"
    pages = {file.stem for file in templates.glob("*.html")} - {"base", "macros", "board-rows"}
    # That of marks is there only where people come from a learning platform.
    tests = [Path(__file__), Path(__file__).with_name("test_learning_platform.py")]
    looked_at = {
        name for file in tests for name in re.findall(r'look\(\w+, tmp_path, "(\w+)"\)', file.read_text())
    }
    assert pages - looked_at == set()
