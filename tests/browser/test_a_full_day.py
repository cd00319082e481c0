"""A day with 200 results of several kinds: each is found again in at most three acts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LIMIT_MS, Person
from tests.browser.test_without_python import TAB

pytestmark = pytest.mark.slow
STRUCTURES, RESULTS = 160, 40
# Of the calculations: the one that gets a title, and the one whose structure gets a note.
TITLED, NOTED = 7, 21

# Structures of different cells and formulae, and calculations on the first of them, as a batch.
SEED = """async ([count, results, base]) => {
    const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1];
    const post = async (path, body) => {
        const plain = body instanceof FormData;
        const headers = { 'X-XSRFToken': xsrf, ...(plain ? {} : { 'Content-Type': 'application/json' }) };
        const init = { method: 'POST', headers, body: plain ? body : JSON.stringify(body) };
        const answer = await fetch(`${base}qcrbox/api/${path}`, init);
        if (!answer.ok) throw new Error(await answer.text());
        return (await answer.json()).payload;
    };
    const files = [];
    const store = async number => {
        const name = `day-${String(number).padStart(3, '0')}`;
        const cell = [5 + 0.5 * (number % 20), 9 + 0.7 * Math.floor(number / 20), 11];
        const text = [`data_${name}`, ...['a', 'b', 'c'].map((axis, n) => `_cell_length_${axis} ${cell[n].toFixed(3)}(2)`),
            ...['alpha', 'beta', 'gamma'].map(angle => `_cell_angle_${angle} 90`),
            `_chemical_formula_sum 'C${number + 1} H2 O'`, '_refine_ls_R_factor_gt 0.0412', 'loop_', '_atom_site_label',
            '_atom_site_fract_x', '_atom_site_fract_y', '_atom_site_fract_z', 'C1 0.1 0.2 0.3', ''].join('\\n');
        const body = new FormData();
        body.append('file', new File([text], `${name}.cif`), `${name}.cif`);
        const [dataset] = (await post('datasets', body)).datasets;
        files[number] = Object.values(dataset.data_files)[0].qcrbox_file_id;
    };
    for (let first = 0; first < count; first += 8)
        await Promise.all(Array.from({ length: Math.min(8, count - first) }, (_, n) => store(first + n)));
    const commands = Array.from({ length: results }, (_, n) => ({ application_slug: 'qcrboxtools', application_version: '1.0', command_name: 'to_unified_cif',
        command_arguments: { input_cif: { data_file_id: files[n] } } }));
    return (await post('commands/batch', { commands })).calculation_ids;
}"""
ASK = """async ([path, base]) => {
    const headers = { 'X-XSRFToken': document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1] };
    const answer = await fetch(`${base}qcrbox/api/${path}`, { headers });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()).payload;
}"""
CHANGE = """async ([path, change, base]) => {
    const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1];
    const headers = { 'X-XSRFToken': xsrf, 'Content-Type': 'application/json' };
    const answer = await fetch(`${base}qcrbox/api/${path}`, { method: 'PATCH', headers, body: JSON.stringify(change) });
    if (!answer.ok) throw new Error(await answer.text());
}"""


@pytest.fixture
def busy(admin: Person, new_person: Callable[[], Page]) -> Person:
    """A person whom no other test uses: those count what the student has."""
    person = Person(new_person(), "dorothy")
    person.sign_up()
    admin.approve(person.name)
    person.sign_in()
    person.wait_for_lab()
    return person


class Searcher:
    """Counts the acts of a person who looks for something from Lab's start page."""

    def __init__(self, page: Page) -> None:
        self.page, self.acts = page, 0

    def click(self, what: Locator) -> None:
        what.click(timeout=LIMIT_MS)
        self.acts += 1

    def type(self, into: Locator, text: str) -> None:
        into.fill(text)
        self.acts += 1


def start_page(page: Page) -> Searcher:
    """A new launcher in front, from which acts are counted."""
    page.locator("#jp-main-dock-panel .lm-TabBar-addButton").first.click()
    page.locator(f"{TAB} .jp-LauncherCard").first.wait_for()
    return Searcher(page)


def in_projects(page: Page, text: str) -> tuple[Searcher, Locator]:
    """The projects that the search leaves, after two acts."""
    searcher = start_page(page)
    searcher.click(page.locator(f"{TAB} .jp-LauncherCard", has_text="My projects"))
    projects = page.locator(f"{TAB} .qcrbox-Projects")
    searcher.type(projects.get_by_role("searchbox"), text)
    return searcher, projects


def test_each_of_two_hundred_results_of_a_day_is_found_in_three_acts(busy: Person) -> None:
    page = busy.page
    base = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).baseUrl")

    def ask(path: str) -> Any:
        return page.evaluate(ASK, [path, base])

    made: list[str] = page.evaluate(SEED, [STRUCTURES, RESULTS, base])
    assert len(made) == RESULTS
    page.evaluate(CHANGE, [f"calculations/{made[TITLED]}", {"title": "the one for the paper"}, base])
    for number in made:
        wait_for_end(page, ask, number)

    every_structure_is_the_only_one_of_its_name(ask)
    structures_are_found(page)
    calculations_are_found(page)
    a_note_is_found(page)
    the_store_finds_one_too(page)


def wait_for_end(page: Page, ask: Any, number: str) -> None:
    for _ in range(LIMIT_MS // 100):
        if ask(f"calculations/{number}")["calculations"][0]["status"] in ("successful", "failed"):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{number} does not end")


def every_structure_is_the_only_one_of_its_name(ask: Any) -> None:
    """The search of the page, for each of them: the first project that is listed is the one."""
    for number in range(STRUCTURES):
        found = ask(f"projects?text=day-{number:03d}")["projects"]
        assert [each["name"] for each in found] == [f"day-{number:03d}.cif"], number


def structures_are_found(page: Page) -> None:
    """By name, formula and unit cell."""
    for query, name in (
        ("day-000", "day-000"),
        ("C118 H2 O", "day-117"),
        ("7.5 13.9 11 90 90 90", "day-145"),
    ):
        searcher, projects = in_projects(page, query)
        found = projects.locator(".qcrbox-Projects-entry")
        expect(found).to_have_text([re.compile(name)], timeout=LIMIT_MS)
        searcher.click(found)
        expect(projects.locator(".qcrbox-Projects-open h2")).to_contain_text(name)
        assert searcher.acts <= 3, query


def calculations_are_found(page: Page) -> None:
    """By the title that a person gave, and by structure and what was done."""
    for query, title in (
        ("for the paper", "the one for the paper"),
        ("day-033 unified", "day-033 · unified CIF"),
    ):
        searcher, projects = in_projects(page, query)
        hit = projects.locator(".qcrbox-Projects-hits button", has_text=title)
        expect(hit).to_have_count(1, timeout=LIMIT_MS)
        searcher.click(hit)
        expect(projects.locator(".qcrbox-Projects-detail h3")).to_contain_text(title)
        assert searcher.acts <= 3, query


def a_note_is_found(page: Page) -> None:
    """Written at a step by clicking, as a person does."""
    _, projects = in_projects(page, f"day-{NOTED:03d}")
    projects.locator(".qcrbox-Projects-entry").click()
    projects.locator('[role="treeitem"]').last.click()
    projects.get_by_role("button", name="Note …", exact=True).click()
    page.locator(".jp-Dialog textarea").fill("ask Kathleen about the twin")
    page.locator(".jp-Dialog-button.jp-mod-accept").click()
    searcher, projects = in_projects(page, "kathleen")
    hit = projects.locator(".qcrbox-Projects-hits button")
    expect(hit).to_have_count(1, timeout=LIMIT_MS)
    searcher.click(hit)
    expect(projects.locator(".qcrbox-Projects-detail")).to_contain_text("ask Kathleen about the twin")
    assert searcher.acts <= 3


def the_store_finds_one_too(page: Page) -> None:
    searcher = start_page(page)
    searcher.click(page.locator(f"{TAB} .jp-LauncherCard", has_text="QCrBox store"))
    store = page.locator(f"{TAB} .qcrbox-Store")
    searcher.type(store.get_by_label("Text"), "day-142")
    rows = store.locator(".qcrbox-Store-row[data-dataset]")
    expect(rows).to_have_count(1, timeout=LIMIT_MS)
    expect(rows.first).to_contain_text("C143 H2 O")
    assert searcher.acts <= 3
