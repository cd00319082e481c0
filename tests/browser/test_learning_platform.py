"""From a course of a learning platform to the marks in it, in a browser: launches, an exercise, the page of marks."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from qcrbox.client import loopback

from .conftest import LIMIT_MS, Person, Platform, Visits, started, watch
from .test_class import ROOT, exercise_in_panel, look, press, unfold

pytestmark = pytest.mark.slow
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
    contexts: list[BrowserContext] = field(default_factory=list)

    def launch(self, who: str) -> Page:
        """A page of somebody who has followed the link to the tool in the course."""
        context = self.chromium.new_context(
            base_url=self.platform.url, viewport={"width": 1400, "height": 900}, accept_downloads=True
        )
        self.contexts.append(context)
        context.set_default_timeout(LIMIT_MS)
        watch(context, self.visits)
        page = context.new_page()
        page.goto(f"{self.learning.url}/link?who={who}")
        page.wait_for_url(f"{self.platform.url}/hub/**")
        expect(page.locator("body")).to_contain_text("Courses")
        return page

    def open(self, page: Page, who: str, link: str) -> Person:
        """Follow a link of the course to an exercise, up to Lab in the person's own server."""
        page.goto(f"{self.learning.url}/link?who={who}&target={quote(link, safe='')}")
        page.wait_for_url("**/user/*/lab**")
        person = Person(page, page.url.partition("/user/")[2].partition("/")[0])
        person.wait_for_lab()
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        return person


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
        learning.tool_keys = lambda: keys_of(platform)
        made = Course(learning, platform, chromium, visits)
        yield made
        for context in made.contexts:  # before their servers go, which pages would note as errors
            context.close()
    learning.close()


def keys_of(platform: Platform) -> dict[str, Any]:
    """The tool's public keys, as the learning platform fetches them."""
    with httpx.Client(trust_env=False, mounts=loopback.mounts(platform.url)) as client:
        return dict(client.get(f"{platform.url}/hub/lti13/keys").json())


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


def test_marks_go_back_to_the_course_where_people_came_from(course: Course, tmp_path: Path) -> None:
    jane, sam, _ = (course.launch(who) for who in ("jane", "sam", "kim"))
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

    task = exercise_in_panel(course.open(sam, "sam", link)).locator('li[data-task="which"]')
    task.get_by_role("combobox").select_option("N")
    task.get_by_role("button", name="Answer").click()
    expect(task).to_have_attribute("data-state", "done", timeout=LIMIT_MS)
    sam.locator("#qcrbox-panel").get_by_role("button", name="Submit", exact=True).click()
    expect(sam.locator(".qcrbox-Exercise-receipt")).to_contain_text("receipt", timeout=LIMIT_MS)
    jane.goto(f"{exercise}/marks")
    press(jane, "Run the checks")
    jane.goto(f"{exercise}/grades")
    expect(row).to_contain_text("new")
    press(jane, "Send the marks (1 new or changed)")
    expect(row.locator(".qcrbox-state.good")).to_have_text("sent")
    assert [(each["userId"], each["scoreGiven"]) for each in course.learning.scores] == [("s-1", 1.0)]
    expect(jane.locator("#grades tr", has_text="kim")).to_contain_text("not marked")
    look(jane, tmp_path, "grades")
    course.learning.refused = {"s-1"}
    jane.check("#again")
    jane.get_by_role("button", name="Send the marks (0 new or changed)", exact=True).click()
    expect(jane.locator("#problem")).to_contain_text("0 marks were sent, 1 not: sam")
    expect(row).to_contain_text("This person is not in the course.")
    look(jane, tmp_path, "grades")
    refused = sam.goto(f"{exercise}/grades")
    assert refused
    assert refused.status == 404
