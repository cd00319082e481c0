"""The exercise with one model in three groups, from the lecturer's click to the marks: careless first, then right.

And an exercise that is made in Lab of a lecturer's own notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import LIMIT_MS, Person, Platform, grave
from .notebooks import write_notebook
from .test_class import ROOT, exercise_in_panel, look, press, teacher, unfold

pytestmark = pytest.mark.slow
TITLE = "Find the space group"
# Question -> what is typed or chosen first, and what is right.
QUESTIONS = {
    "glide": ("c", "n"),
    "axis": ("2", "2₁"),
    "spread": ("0,97", "≈ 1,05"),
    "group": ("P 2₁/c", "P 2₁/n"),
}


@dataclass
class Prepared:
    """A published exercise: its lecturer, its address in the hub, and the link for students."""

    lecturer: Person
    address: str
    link: str


@pytest.fixture(scope="module")
def exercise(admin: Person, student: Person, new_person: Callable[[], Page]) -> Prepared:
    lecturer = teacher(Person(new_person(), "laue"), "absences", admin, student)
    page = lecturer.page
    page.goto(ROOT)
    page.fill("#title", "Absences")
    press(page, "Make the course")
    page.get_by_role("link", name="Absences").first.click()
    course = page.url
    unfold(page, "ready")
    page.check("#ready-space_group")
    page.locator("#ready").get_by_role("button", name="Make the exercise", exact=True).dblclick()
    expect(page.locator("#message")).to_be_visible()
    press(page, "Publish")
    exercise, link = page.url, page.locator("#link").inner_text()
    page.goto(course)
    expect(page.locator("#exercises th[scope=row]")).to_have_text([TITLE])  # two clicks made one
    return Prepared(lecturer, exercise, link)


def test_the_student_is_told_what_is_wrong_until_everything_is_right(
    student: Person, exercise: Prepared, tmp_path: Path
) -> None:
    lecturer, address, page = exercise.lecturer.page, exercise.address, student.page
    page.goto(exercise.link)
    student.wait_for_lab()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    student.wait_until_idle()
    tasks = exercise_in_panel(student)
    student.run_all()  # as it stands the last cell refines the first model, whose group is a wrong one
    refine = tasks.locator('li[data-task="refine"]')
    expect(refine).to_have_attribute("data-state", "out_of_band", timeout=3 * LIMIT_MS)
    expect(refine).to_contain_text("not the right one")
    assert "h0l, h+l odd" in student.outputs()

    for task, (careless, right) in QUESTIONS.items():
        for value, state in ((careless, "out_of_band"), (right, "done")):
            answer(tasks.locator(f'li[data-task="{task}"]'), value)
            expect(tasks.locator(f'li[data-task="{task}"]')).to_have_attribute("data-state", state)
    lecturer.goto(f"{address}/board")
    look(lecturer, tmp_path, "board")

    refine.get_by_role("button", name="Open the form: ").click()
    form = page.locator(".jp-MainAreaWidget:not(.lm-mod-hidden) .qcrbox-CommandForm")
    structure = form.locator('select[name="structure"]')
    model = structure.locator("option", has_text="model-3.cif").first.get_attribute("value")
    structure.select_option(model)
    form.locator('select[name="hydrogens"]').select_option("place")
    form.locator('[name="edits"]').fill("aniso N3")
    form.get_by_role("button", name="Run", exact=True).click()
    expect(refine).to_have_attribute("data-state", "done", timeout=3 * LIMIT_MS)
    tasks.get_by_role("button", name="Submit", exact=True).click()
    expect(tasks.locator(".qcrbox-Exercise-receipt")).to_contain_text("receipt", timeout=LIMIT_MS)
    page.screenshot(path=tmp_path / "panel.png")

    row = lecturer.locator("#board_part tr", has_text=student.name)
    expect(row.locator("td", has_text="done")).to_have_count(5, timeout=LIMIT_MS)
    lecturer.goto(f"{address}/marks")
    press(lecturer, "Run the checks")
    with lecturer.expect_download() as marks:
        lecturer.get_by_role("link", name="CSV").first.click()
    (line,) = [each for each in marks.value.path().read_text().splitlines() if each.startswith(student.name)]
    assert line.startswith(f"{student.name},6.0,6.0,")


def answer(task: Locator, value: str) -> None:
    field = task.get_by_role("combobox")
    if field.count():
        field.select_option(value)
    else:
        task.get_by_role("textbox").fill(value)
    task.get_by_role("button", name="Answer").click()


def test_a_notebook_of_the_lecturer_becomes_an_exercise_by_a_form_in_lab(
    platform: Platform, exercise: Prepared, tmp_path: Path
) -> None:
    lecturer, page = exercise.lecturer, exercise.lecturer.page
    question = nbformat.v4.new_markdown_cell("Which bond is longest?")
    question.metadata["tags"] = ["task=bond", "answer=C1–C2", "choices=C1–C2|C1–N1"]
    write_notebook(platform.home(lecturer.name) / "longest_bond.ipynb", question)
    lecturer.open_notebook("longest_bond.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.click(button="right")
    page.locator(".lm-Menu-item", has_text="Make an exercise of this notebook").click()
    form = page.locator(".qcrbox-Making")
    expect(form.get_by_label("Title")).to_have_value("longest bond")
    form.get_by_label("Data for students").select_option(label="thpp")
    page.emulate_media(reduced_motion="reduce")
    for theme in ("dark", "light"):
        lecturer.choose_theme(theme)
        page.screenshot(path=tmp_path / f"making-{theme}.png")
        assert grave(page, ".qcrbox-Making") == [], theme
    form.get_by_role("button", name="Make the exercise", exact=True).click()
    expect(form.get_by_role("status")).to_contain_text("longest bond has 1 task.")
    with page.expect_popup() as opened:
        form.get_by_role("link", name="Check it, set the dates, publish it").click()
    shown = opened.value
    expect(shown.locator("#tasks")).to_contain_text("C1–C2")
    expect(shown.locator("main")).to_contain_text("thpp.hkl")
    shown.close()
