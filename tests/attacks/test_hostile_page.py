"""An administrator opens a link to a member's server, whose page tries everything a script can, in a real Chromium.

The page is put in place of what the member's server would answer, as if its owner had replaced that server. Cookies,
origins, frames and requests are the browser's and the platform's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.end_to_end.hub_site import PASSWORD, Site, running_site

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.attack(1),
    pytest.mark.attack(2),
    pytest.mark.attack(3),
    pytest.mark.browser,
    pytest.mark.slow,
]

EVIL = """<!doctype html><title>Look at my structure</title><body><script>
const hub = HUB, done = {}, form = new URLSearchParams({name: "mallory", action: "make_administrator", typed_name: "mallory", _xsrf: "tossed"});
async function tried(name, act) {
  try { done[name] = await act(); } catch (error) { done[name] = "blocked: " + error.name; }
}
const read = (url, more) => fetch(url, {credentials: "include", ...more}).then(async (a) => a.type + " " + a.status + " " + (await a.text()).slice(0, 80));
const socket = (url) => new Promise((yes) => { const s = new WebSocket(url); s.onopen = () => yes("OPEN"); s.onerror = () => yes("blocked"); });
const frame = (url) => new Promise((yes) => {
  const made = document.createElement("iframe");
  made.onload = () => { try { yes("READ " + made.contentDocument.body.innerText.slice(0, 80)); } catch (e) { yes("blocked: " + e.name); } };
  setTimeout(() => yes("blocked: no load"), 10000);
  made.src = url; document.body.append(made);
});
const posted = (url) => new Promise((yes) => {
  const target = document.createElement("iframe"), sent = document.createElement("form");
  target.name = "t" + Math.random(); sent.target = target.name; sent.action = url; sent.method = "post";
  for (const [key, value] of form) { const field = document.createElement("input"); field.name = key; field.value = value; sent.append(field); }
  document.body.append(target, sent);
  target.onload = () => yes("sent"); setTimeout(() => yes("sent"), 5000);
  sent.submit();
});
(async () => {
  // Cookies for the hub's paths, for every domain that could be common.
  for (const domain of ["localhost", "hub.localhost", ".localhost"]) {
    document.cookie = `_xsrf=tossed; path=/hub/; domain=${domain}`;
    document.cookie = `_xsrf=tossed; path=/hub/administration/people; domain=${domain}`;
  }
  await tried("people", () => read(hub + "/hub/administration/people"));
  await tried("user", () => read(hub + "/hub/api/user"));
  await tried("registry", () => read(hub + "/services/qcrbox/api/me"));
  await tried("victim", () => read(hub.replace("hub.", "lab-ada.") + "/user/ada/api/contents"));
  await tried("blind post", () => read(hub + "/hub/administration/people/mallory", {method: "POST", mode: "no-cors", body: form}));
  await tried("json post", () => read(hub + "/hub/api/users/mallory", {method: "PATCH", body: '{"admin": true}', headers: {"Content-Type": "application/json"}}));
  await tried("text post", () => read(hub + "/hub/api/groups/everyone/users", {method: "POST", mode: "no-cors", body: '{"users": ["mallory"]}', headers: {"Content-Type": "text/plain"}}));
  await tried("form", () => posted(hub + "/hub/administration/people/mallory"));
  await tried("sign-out form", () => posted(hub + "/hub/change-password"));
  await tried("frame", () => frame(hub + "/hub/administration/people"));
  await tried("registry socket", () => socket(hub.replace("http", "ws") + "/services/qcrbox/api/events"));
  await tried("script", () => new Promise((yes) => { const s = document.createElement("script"); s.onload = () => yes("LOADED"); s.onerror = () => yes("blocked"); s.src = hub + "/hub/api/user"; document.body.append(s); }));
  const opened = window.open(hub + "/hub/administration/people");
  await new Promise((yes) => setTimeout(yes, 3000));
  await tried("opened tab", () => "READ " + opened.document.body.innerText.slice(0, 80));
  done.cookies = document.cookie;
  window.outcome = done;
})();
</script>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium")
    with running_site(tmp_path_factory.mktemp("site")) as site:
        site.member("mallory")
        yield site


@pytest.fixture
def page(site: Site) -> Iterator[Page]:
    """An administrator's browser, signed in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.set_default_timeout(90_000)
        page.goto(f"{site.url}/hub/login?next=/hub/administration/people")
        page.fill("#username_input", "ada")
        page.fill("#password_input", PASSWORD)
        page.click("#login_submit")
        page.wait_for_url("**/hub/administration/people")
        yield page
        browser.close()


def outcome_at(site: Site, page: Page, address: str) -> dict[str, str]:
    """What the page's script achieved, served at this address."""
    body = EVIL.replace("HUB", f'"{site.url}"', 1)
    page.route(address, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(address)
    page.wait_for_function("window.outcome", timeout=90_000)
    found: dict[str, str] = page.evaluate("window.outcome")
    return found


def test_hostile_page_reads_nothing_and_makes_nobody_an_administrator(site: Site, page: Page) -> None:
    before = {
        each["name"]: each["value"] for each in page.context.cookies(f"{site.url}/hub/administration/people")
    }
    address = f"{site.url.replace('hub.', 'lab-mallory.')}/user/mallory/look.html"
    outcome = outcome_at(site, page, address)

    # An opaque answer has status 0 and no text: nothing was read, and what was sent is looked at below.
    harmless = ("blocked", "opaque 0 ", "sent")
    cookies = outcome.pop("cookies")
    assert {name: said for name, said in outcome.items() if not said.startswith(harmless)} == {}
    assert len(outcome) == 13, outcome
    known = site.ada.http.get("/hub/api/users/mallory").json()
    assert known["admin"] is False
    assert "qcrbox-administrator" not in known["roles"]
    assert "jupyterhub" not in cookies
    after = {
        each["name"]: each["value"] for each in page.context.cookies(f"{site.url}/hub/administration/people")
    }
    assert "tossed" not in after.values(), "a member's page plants cookies for the hub"
    assert after == before, "and ada is signed in as before"
    page.goto(f"{site.url}/hub/administration/people")
    assert page.url.endswith("/hub/administration/people")


def test_the_page_is_dangerous_where_nothing_parts_origins(site: Site, page: Page) -> None:
    """The same script in the hub's own origin: what the names keep away."""
    outcome = outcome_at(site, page, f"{site.url}/hub/look.html")
    assert outcome["people"].startswith("basic 200")
    assert outcome["user"].startswith("basic"), "answers can be read"
    assert outcome["opened tab"].startswith("READ")


# ---------------------------------------------------------------- a student's notebook in a teacher's own Lab

_EVIL = "window.top.evil = (window.top.evil || []).concat("
_OUTPUTS = {
    "text/html": f"<script>{_EVIL}'html')</script><img src=x onerror=\"{_EVIL}'image')\"><iframe srcdoc=\"<script>{_EVIL}'frame')</script>\"></iframe>"
    f"<details open ontoggle=\"{_EVIL}'toggle')\"><summary>seen</summary></details>",
    "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"{_EVIL}'svg')\"><script>{_EVIL}'svg script')</script></svg>",
    "application/javascript": f"{_EVIL}'javascript')",
    "text/markdown": f"<img src=x onerror=\"{_EVIL}'markdown output')\">",
    "text/latex": f"$\\href{{javascript:{_EVIL}'latex')}}{{x}}$",
    "application/vnd.qcrbox.session+json": {"session_id": f"\"><img src=x onerror=\"{_EVIL}'session')\">", "name": f"<img src=x onerror=\"{_EVIL}'session name')\">"},
}  # fmt: skip


def hostile_notebook() -> dict[str, object]:
    """A notebook as a student hands it in: each kind of output by itself, and a text cell."""
    text = {
        "cell_type": "markdown",
        "metadata": {},
        "source": f"# Report\n<script>{_EVIL}'text')</script><img src=x onerror=\"{_EVIL}'text image')\"> <a id=trap href=\"javascript:{_EVIL}'link')\">read me</a>",
    }
    cells = [
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {"trusted": True},
            "source": f"# {kind}",
            "outputs": [{"output_type": "display_data", "metadata": {}, "data": {kind: data}}],
        }
        for kind, data in _OUTPUTS.items()
    ]
    return {
        "cells": [text, *cells],
        "metadata": {"kernelspec": {"name": "none", "display_name": "none"}, "signature": "sha256:0"},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.mark.attack(11)
def test_hostile_notebook_runs_no_script_in_the_lab_of_a_teacher(site: Site, page: Page) -> None:
    ada = site.ada
    ada.start_server()
    base = f"{ada.origin}/user/ada"
    content = {"type": "notebook", "format": "json", "content": hostile_notebook()}
    saved = ada.http.put(
        f"{base}/api/contents/handed-in.ipynb", json=content, headers={"X-XSRFToken": ada.xsrf("/user/ada/")}
    )
    assert saved.is_success, saved.text
    page.goto(f"{base}/lab/tree/handed-in.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    shown, links = set(), set()
    # Lab renders only what is in view: scroll through the notebook until both kinds of output have been rendered.
    for top in range(0, 44_000, 200):
        found = page.evaluate(_LOOK, top % 4000)
        shown |= set(found["kinds"])
        links |= set(found["links"])
        page.wait_for_timeout(150)
        if top >= 3800 and {"text/html", "text/markdown"} <= shown:
            break
    assert page.evaluate("window.evil || []") == []
    assert {"text/html", "text/markdown"} <= shown, "outputs are shown, without their scripts"
    assert not [link for link in links if link.strip().lower().startswith("javascript")]


_LOOK = """top => {
  const panel = document.querySelector(".jp-WindowedPanel-outer") || document.querySelector(".jp-Notebook");
  panel.scrollTop = top;
  return {
    kinds: [...document.querySelectorAll(".jp-OutputArea-output")].map((each) => each.dataset.mimeType),
    links: [...document.querySelectorAll(".jp-Notebook a")].map((each) => each.getAttribute("href") || ""),
  };
}"""
