"""From a course of a learning platform to the marks in it, in a browser: launches, an exercise, the page of marks."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import LIMIT_MS, Person, Platform, Visits, started, watch
from .test_class import ROOT, exercise_in_panel, look, press, unfold

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
REPOSITORY = Path(__file__).parents[2]
GROUP = "crystals-101"
ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
ROLES = "https://purl.imsglobal.org/spec/lti/claim/roles"
CELL = {"id": "a", "cell_type": "markdown", "metadata": {"tags": ["task=which", "answer=N", "choices=N|C"]},
        "source": "Which atom is it?"}  # fmt: skip
NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL]}


@dataclass
class Course:
    """A learning platform and the site whose people come from it."""

    learning: Any
    platform: Platform
    chromium: Browser
    visits: Visits

    def launch(self, who: str) -> Page:
        """A page of somebody who has followed the link in the course."""
        context = self.chromium.new_context(
            base_url=self.platform.url, viewport={"width": 1400, "height": 900}, accept_downloads=True
        )
        context.set_default_timeout(LIMIT_MS)
        watch(context, self.visits)
        page = context.new_page()
        page.goto(f"{self.learning.url}/link?who={who}")
        page.wait_for_url(f"{self.platform.url}/**")
        return page


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, chromium: Browser, visits: Visits) -> Iterator[Course]:
    spec = importlib.util.spec_from_file_location(
        "learning_platform", REPOSITORY / "hub/tests/learning_platform.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    learning = module.LearningPlatform()
    learning.people = {
        "jane": {"sub": "t-1", "email": "jane@uni.example", ROLES: [f"{ROLE}Instructor"]},
        "sam": {"sub": "s-1", "email": "sam@uni.example", ROLES: [f"{ROLE}Learner"]},
        "kim": {"sub": "s-2", "email": "kim@uni.example", ROLES: [f"{ROLE}Learner"]},
    }
    folder = tmp_path_factory.mktemp("learning-platform")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "platform.toml").write_text(settings(learning.url))
    with started(folder) as platform:
        learning.tool = platform.url
        yield Course(learning, platform, chromium, visits)
    learning.close()


def settings(url: str) -> str:
    return f"""
[sign_in]
method = "lti13"
administrators = ["ada"]

[sign_in.lti13]
issuer = "{url}"
authorize_url = "{url}/authorize"
jwks_url = "{url}/jwks"
token_url = "{url}/token"
client_ids = ["qcrbox-at-the-platform"]

[[sign_in.claims]]
value = "course:42"
group = "{GROUP}"

[[sign_in.claims]]
value = "{ROLE}Instructor"
role = "lecturer"
group = "{GROUP}"
"""


def own_name(page: Page) -> str:
    return str(page.evaluate("fetch('/hub/api/user').then(answer => answer.json())")["name"])


def test_marks_go_back_to_the_course_where_people_came_from(course: Course, tmp_path: Path) -> None:
    jane, sam, kim = (course.launch(who) for who in ("jane", "sam", "kim"))
    jane.goto(ROOT)
    jane.fill("#title", "XRD 101")
    press(jane, "Make the course")
    jane.get_by_role("link", name="XRD 101").first.click()
    unfold(jane, "new")
    jane.fill("#new #title", "Which atom is it?")
    file = {"name": "atom.ipynb", "mimeType": "application/json", "buffer": json.dumps(NOTEBOOK).encode()}
    jane.set_input_files("#notebook", file)  # type: ignore[arg-type]
    press(jane, "Make the exercise", "#new")
    press(jane, "Publish")
    exercise, link = jane.url, jane.locator("#link").inner_text()
    jane.goto(f"{exercise}/grades")
    row = jane.locator("#grades tr", has_text="sam")
    expect(row).to_contain_text("not marked")
    look(jane, tmp_path, "grades")

    student = Person(sam, own_name(sam))
    sam.goto(link)
    student.wait_for_lab()
    task = exercise_in_panel(student).locator('li[data-task="which"]')
    task.get_by_role("combobox").select_option("N")
    task.get_by_role("button", name="Answer").click()
    expect(task).to_have_attribute("data-state", "done", timeout=LIMIT_MS)
    sam.locator("#qcrbox-panel").get_by_role("button", name="Submit", exact=True).click()
    expect(sam.locator(".qcrbox-Exercise-receipt")).to_contain_text("receipt", timeout=LIMIT_MS)
    jane.goto(f"{exercise}/marks")
    press(jane, "Run the checks")
    jane.goto(f"{exercise}/grades")
    expect(row).to_contain_text("new")
    course.learning.tool_keys = lambda: json.loads(kim.request.get("/hub/lti13/keys").text())
    press(jane, "Send the marks (1 new or changed)")
    expect(row).to_contain_text("sent")
    assert [(each["userId"], each["scoreGiven"]) for each in course.learning.scores] == [("s-1", 1.0)]
    expect(jane.locator("#grades tr", has_text="kim")).to_contain_text("not marked")
    look(jane, tmp_path, "grades")
    course.learning.refused = {"s-1"}
    jane.check("#again")
    press(jane, "Send the marks (0 new or changed)")
    expect(row).to_contain_text("This person is not in the course.")
    look(jane, tmp_path, "grades")
    assert sam.request.get(f"{exercise}/grades").status == 404
