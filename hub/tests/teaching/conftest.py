"""A course on a running platform, with its people and a published exercise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Browser, Hub

PASSWORD = "plum-Orchid-42-river"
ROOT = "/hub/teaching"
NOTEBOOK = {
    "nbformat": 4, "nbformat_minor": 5, "metadata": {},
    "cells": [
        {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "# Which atom is it?"},
        {"id": "b", "cell_type": "markdown", "metadata": {"tags": ["task=which", "answer=N", "choices=N|C", "points=2"]},
         "source": "Which atom is it?"},
        {"id": "c", "cell_type": "markdown", "metadata": {"tags": ["task=why"]}, "source": "Why?"},
    ],
}  # fmt: skip


@pytest.fixture(scope="package")
def platform(
    start_hub: Callable[..., AbstractContextManager[Hub]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    with start_hub(
        tmp_path_factory.mktemp("teaching"), parts=("nats", "registry", "proxy", "relay", "hub")
    ) as made:
        yield made


@pytest.fixture(scope="package")
def people(platform: Hub) -> dict[str, Browser]:
    """ada administers; lena teaches xrd, tom assists, stella and sam study it; eve teaches another course."""
    ada = platform.browser()
    account = {"username": "ada", "password": PASSWORD, "password_confirmation": PASSWORD}
    assert (
        ada.submit(f"/hub/first-admin?code={platform.code}", code=platform.code, **account).status_code == 200
    )
    made = {"ada": ada}
    roles = {"lena": ("xrd", "lecturer"), "tom": ("xrd", "manager"), "stella": ("xrd", ""), "sam": ("xrd", ""), "eve": ("other", "lecturer")}  # fmt: skip
    for name, (group, role) in roles.items():
        made[name] = platform.browser()
        made[name].sign_up(name)
        ada.submit("/hub/administration/people", name=name, action="approve")
        ada.submit("/hub/administration/groups", action="make", name=group)
        ada.submit(f"/hub/administration/groups/{group}", action="add", people=name)
        if role:
            ada.submit(f"/hub/administration/groups/{group}", action="give_role", person=name, role=role)
        assert made[name].sign_in(name).status_code == 200
    return made


def send(browser: Browser, path: str, files: dict[str, Any], **fields: str) -> Any:
    page = browser.get(path).text
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page)
    assert xsrf, page
    # httpx keeps the type of the body when it follows a redirect, which no browser does.
    answer = browser.http.post(
        path, data={"_xsrf": xsrf.group(1), **fields}, files=files, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"])


def course_of(browser: Browser, group: str, title: str) -> str:
    """The address of a new course, made with the form."""
    page = browser.submit(ROOT, action="make", group=group, title=title).text
    course = re.search(rf'href="({ROOT}/courses/[0-9a-f]+)"', page)
    assert course, page
    return course.group(1)


def exercise_of(browser: Browser, course: str, title: str) -> Any:
    """The page of a new exercise, made with the form."""
    files = {
        "notebook": ("atom.ipynb", json.dumps(NOTEBOOK)),
        "data": ("a.cif", b"data_a\n_cell_length_a 5\n"),
    }
    return send(browser, course, files, action="exercise", title=title)


@pytest.fixture(scope="package")
def exercise(people: dict[str, Browser]) -> str:
    """The address of a published exercise, made with the forms."""
    lena = people["lena"]
    made = exercise_of(lena, course_of(lena, "xrd", "XRD 101"), "Which atom <b>is</b> it?")
    assert made.status_code == 200, made.text
    path = str(made.url.path)
    assert "Students see it once you publish it" in made.text
    assert "Which atom &lt;b&gt;is&lt;/b&gt; it?" in made.text
    assert "Students see the exercise now" in lena.submit(path, action="publish", published="yes").text
    return path


@pytest.fixture(scope="package")
def rest() -> Callable[..., Any]:
    """The registry's REST interface with a token of a person."""

    def call(browser: Browser, method: str, path: str, **more: Any) -> Any:
        browser.get("/hub/token")
        xsrf = browser.xsrf()
        me = browser.get("/hub/api/user").json()
        scopes = [scope for scope in me["scopes"] if scope.startswith(("custom:qcrbox", "access:services"))]
        made = browser.http.post(
            f"/hub/api/users/{me['name']}/tokens",
            json={"note": "test", "scopes": scopes, "expires_in": 600},
            headers={"X-XSRFToken": xsrf},
        )
        assert made.status_code == 201, made.text
        headers = {"Authorization": f"Bearer {made.json()['token']}"} | more.pop("headers", {})
        return browser.http.request(method, f"/services/qcrbox{path}", headers=headers, **more)

    return call
