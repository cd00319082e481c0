"""A whole platform for the administration pages: hub, proxy, registry, message system and launcher."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from qcrbox.spec.folder import required_spec_of
from qcrbox_hub.apps import scaffold

if TYPE_CHECKING:
    from conftest import Browser, Hub

PASSWORD = "plum-Orchid-42-river"
ROOT = "/hub/administration"


# Importing it ends the agent before it is ready: a module that only fails is left to its commands.
NO_LICENCE = """import os, signal, sys
if "qcrbox_agent.run.warden" in sys.orig_argv:
    print("the licence file <b>/opt/licence</b> is missing", file=sys.stderr, flush=True)
    os.kill(os.getppid(), signal.SIGKILL)
"""


@pytest.fixture(scope="package")
def platform(
    start_hub: Callable[..., AbstractContextManager[Hub]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("administration")
    application = scaffold.create(folder, "pictured")
    spec = required_spec_of(application)
    # Several runs share one Docker daemon: each has a version of its own.
    text, changed = re.subn(r"(?m)^version:.*$", f"version: '{os.getpid()}.0'", spec.read_text(), count=1)
    assert changed
    spec.write_text(text)
    broken = scaffold.create(folder, "unlicensed")
    (glue,) = broken.glob("*.py")
    glue.write_text(NO_LICENCE)
    with start_hub(folder, parts=(), applications=[application, broken]) as made:
        yield made


@pytest.fixture(scope="package")
def ada(platform: Hub) -> Browser:
    """The first administrator."""
    browser = platform.browser()
    account = {"username": "ada", "password": PASSWORD, "password_confirmation": PASSWORD}
    answer = browser.submit(f"/hub/first-admin?code={platform.code}", code=platform.code, **account)
    assert answer.status_code == 200
    return browser


@pytest.fixture(scope="package")
def make_person(platform: Hub, ada: Browser) -> Callable[..., Browser]:
    """Makes a signed-in person, in groups that are made when they are missing, with roles in the first of them."""

    def make(name: str, *groups: str, roles: tuple[str, ...] = ()) -> Browser:
        browser = platform.browser()
        browser.sign_up(name)
        ada.submit("/hub/administration/people", name=name, action="approve")
        for group in groups:
            ada.submit("/hub/administration/groups", action="make", name=group)
            ada.submit(f"/hub/administration/groups/{group}", action="add", people=name)
        for role in roles:
            ada.submit(f"/hub/administration/groups/{groups[0]}", action="give_role", person=name, role=role)
        assert browser.sign_in(name).status_code == 200
        return browser

    return make


@pytest.fixture(scope="package")
def manager(make_person: Callable[..., Browser]) -> Browser:
    """Manages the group physics and is in no other."""
    return make_person("mona", "physics", roles=("manager",))


@pytest.fixture(scope="package")
def student(make_person: Callable[..., Browser]) -> Browser:
    return make_person("stella", "physics")


@pytest.fixture(scope="package")
def rest(platform: Hub) -> Callable[..., Any]:
    """The registry's REST interface with a token of a person."""

    def call(browser: Browser, method: str, path: str, **more: Any) -> Any:
        browser.get("/hub/token")
        xsrf = browser.xsrf()
        name = browser.get("/hub/api/user").json()["name"]
        scopes = [
            scope
            for scope in browser.get("/hub/api/user").json()["scopes"]
            if scope.startswith(("custom:qcrbox", "access:services"))
        ]
        made = browser.http.post(
            f"/hub/api/users/{name}/tokens",
            json={"note": "test", "scopes": scopes, "expires_in": 600},
            headers={"X-XSRFToken": xsrf},
        )
        assert made.status_code == 201, made.text
        token = {"Authorization": f"Bearer {made.json()['token']}"}
        return browser.http.request(method, f"/services/qcrbox{path}", headers=token, **more)

    return call


def message_of(page: str) -> str:
    """What the page says happened, or why it did not."""
    found = re.search(r'id="(?:message|problem)">(.*?)</div>', page, re.S)
    return found.group(1).strip() if found else ""
