"""A program with a window in a Lab tab: seen, typed into, left, lost, found again, kept or thrown away."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import FAILED, PASSWORD, Person, Visits, watch
from tests.browser.lab import Desk, SoloLab, new_context
from tests.browser.notebooks import write_notebook
from tests.sessions.conftest import WINDOW, approve

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SHELXLE = ROOT / "app_images" / "shelxle"
PICTURE_WIDTH = 1280
OUTAGE_MS = {"docker": 30_000, "process": 5_000}  # the network does not know what runs behind it
RED, GREEN = (0xC0, 0x10, 0x10), (0x10, 0xA0, 0x10)


def need_windows(*programs: str) -> None:
    for program in ("Xtigervnc", *programs):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.fixture(autouse=True)
def picture_of_a_failure(request: pytest.FixtureRequest) -> Iterator[None]:
    """A failed test leaves what its page showed in test-results/."""
    names = [name for name in ("shelxle", "window") if name in request.fixturenames]
    desks = [request.getfixturevalue(name) for name in names]
    yield
    if request.node.stash.get(FAILED, False):
        folder = request.config.rootpath / "test-results"
        folder.mkdir(exist_ok=True)
        for desk in desks:
            desk.page.screenshot(path=folder / f"{request.node.name}.png")


@pytest.fixture(scope="module")
def process_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoloLab]:
    """Programs as processes of this machine: ShelXle, and a window that is red, and green while a key is held."""
    need_windows()
    lab = SoloLab(tmp_path_factory.mktemp("processes") / "data", WINDOW)
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def docker_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoloLab]:
    data = tmp_path_factory.mktemp("containers") / "data"
    approve(data, SHELXLE)
    lab = SoloLab(data, manager="docker")
    yield lab
    lab.stop()


@pytest.fixture(scope="module", params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def shelxle_lab(request: pytest.FixtureRequest) -> SoloLab:
    if request.param == "process":
        need_windows("shelxle")
    return request.getfixturevalue(f"{request.param}_lab")


@pytest.fixture
def shelxle(shelxle_lab: SoloLab, chromium: Browser, visits: Visits) -> Iterator[Desk]:
    """Lab with ShelXle open on the thpp data, its structure drawn."""
    context = new_context(chromium)
    watch(context, visits)
    desk = Desk(context.new_page())
    desk.page.goto(f"{shelxle_lab.url}&reset")  # without the tabs of the test before
    desk.wait_for_lab()
    desk.start("shelxle", structure="thpp")
    desk.expect_phase("connected")
    desk.wait_for_structure()
    yield desk
    context.close()


def edit_in_shelxle(desk: Desk) -> None:
    """A remark below the title, saved."""
    desk.click_picture(0.75, 0.4)
    keyboard = desk.page.keyboard
    for key in ("Control+Home", "End", "Enter"):
        keyboard.press(key)
    keyboard.type("REM edited in Lab")
    desk.wait_until_still()
    keyboard.press("Control+s")
    desk.wait_until_still()


def leave_and_come_back(desk: Desk, lab: SoloLab) -> None:
    """Close the tab, be without a network for half a minute (with containers), find the session again."""
    desk.close_tab()
    expect(desk.open_panel().locator("[data-session]")).to_contain_text("open")
    lab.network.refuse()
    desk.page.wait_for_timeout(OUTAGE_MS[lab.manager])
    lab.network.mend()
    desk.close_dialogs()
    desk.open_from_list()
    desk.expect_phase("connected")
    desk.wait_for_structure()


def test_what_was_edited_in_shelxle_is_kept_with_its_lineage(shelxle: Desk, shelxle_lab: SoloLab) -> None:
    leave_and_come_back(shelxle, shelxle_lab)
    edit_in_shelxle(shelxle)
    shelxle.act("finish")
    shelxle.expect_phase("finished")
    outcome = shelxle.tab.locator('[data-notice="outcome"]')
    expect(outcome).to_contain_text("edited.cif")
    dataset = outcome.get_attribute("data-dataset")
    files = shelxle.ask(f"datasets/{dataset}")["datasets"][0]["data_files"]
    cif = files["edited.cif"]["qcrbox_file_id"]
    assert "REM edited in Lab" in shelxle.text(f"data-files/{cif}/download")
    labels = {node["label"] for node in shelxle.ask(f"lineage/data_file/{cif}?direction=back")["nodes"]}
    assert any(label.startswith("thpp") for label in labels), labels
    expect(shelxle.open_panel().locator("[data-session]")).to_have_count(0)


# Containers change nothing of what the next test shows; the one above has both.
@pytest.mark.parametrize("shelxle_lab", ["process"], indirect=True, scope="module")
def test_text_goes_both_ways_silence_is_noticed_and_nothing_discarded_is_in_the_store(
    shelxle: Desk, shelxle_lab: SoloLab
) -> None:
    before = len(shelxle.ask("datasets")["datasets"])
    edit_in_shelxle(shelxle)
    shelxle.act("clipboard")
    shelxle.tab.locator('[data-clipboard="to"]').fill("REM pasted in Lab\n")
    shelxle.act("send")
    shelxle.click_picture(0.75, 0.4)
    for keys in (("Control+Home", "End", "Enter"), ("Control+v",), ("Control+a", "Control+c")):
        shelxle.wait_until_still()  # ShelXle moves the cursor once more when it has read the model again
        for key in keys:
            shelxle.page.keyboard.press(key)
    copied = shelxle.tab.locator('[data-clipboard="from"]')
    for text in ("REM pasted in Lab", "REM edited in Lab"):
        expect(copied).to_have_value(re.compile(text))
    shelxle_lab.network.cut()
    shelxle.expect_phase("reconnecting")  # nothing was closed: the page has noticed the silence
    shelxle_lab.network.mend()
    shelxle.expect_phase("connected")
    shelxle.act("discard")
    shelxle.page.get_by_role("button", name="Keep working").click()
    shelxle.expect_phase("connected")
    shelxle.act("discard")
    shelxle.page.locator(".jp-Dialog").get_by_role("button", name="Discard").click()
    shelxle.expect_phase("discarded")
    assert len(shelxle.ask("datasets")["datasets"]) == before


@pytest.fixture(scope="module")
def window(process_lab: SoloLab, chromium: Browser, visits: Visits) -> Iterator[Desk]:
    """Lab with the window that is red, and green while a key is held."""
    context = new_context(chromium)
    watch(context, visits)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk = Desk(context.new_page())
    desk.page.goto(f"{process_lab.url}&reset")  # without the tabs of ShelXle
    desk.wait_for_lab()
    desk.start("window")
    desk.expect_phase("connected")
    desk.wait_for_colour(RED)
    yield desk
    context.close()


def test_the_keyboard_goes_to_the_program_and_comes_back(window: Desk) -> None:
    keyboard, panel = window.page.keyboard, window.open_panel()
    window.click_picture(0.75, 0.75)
    window.hold("a", lambda: window.colour_is(GREEN, 5))
    keyboard.up("a")
    window.wait_for_colour(RED)
    keyboard.press("Control+b")  # Lab's own: hides the panel
    assert panel.is_visible()
    window.chord()
    expect(window.tab.locator(".qcrbox-Keyboard")).to_have_attribute("data-captured", "false")
    expect(window.tab.locator(".qcrbox-Announcer")).to_have_text("The keyboard is back in Lab.")
    keyboard.press("Tab")
    assert window.page.evaluate("document.activeElement.dataset.act") == "finish"
    keyboard.press("Control+b")
    expect(panel).to_be_hidden()


def test_who_looks_on_only_cannot_type(window: Desk) -> None:
    window.act("view-only")
    window.canvas.click(position={"x": 300, "y": 300})
    window.page.keyboard.down("a")
    window.page.wait_for_timeout(500)
    window.wait_for_colour(RED)
    window.page.keyboard.up("a")
    window.act("view-only")


def test_two_tabs_show_one_session(window: Desk, process_lab: SoloLab) -> None:
    second = Desk(window.page.context.new_page())
    # A workspace of its own, as a second Lab window has.
    second.page.goto(process_lab.url.replace("/lab?", "/lab/workspaces/second?"))
    second.wait_for_lab()
    second.open_from_list()
    second.expect_phase("connected")
    second.click_picture(0.75, 0.75)
    second.hold("a", lambda: window.colour_is(GREEN, 5))
    second.page.keyboard.up("a")
    window.wait_for_colour(RED)
    second.page.close()


def kept_layout(page: Page) -> str:
    """The tabs of this workspace as Lab keeps them; it does so a moment after a change."""
    return page.evaluate(
        "() => fetch('/lab/api/workspaces/default').then(answer => answer.json()).then(kept => JSON.stringify(kept.data ?? {}))"
    )


def test_reload_of_the_page_brings_the_tab_back(window: Desk) -> None:
    window.until(lambda: "qcrbox-session" in kept_layout(window.page))
    window.page.reload()
    window.wait_for_lab()
    window.expect_phase("connected")
    window.wait_for_colour(RED)


def test_the_picture_is_fitted_or_as_large_as_it_is_and_fills_the_screen(window: Desk) -> None:
    assert window.width() < PICTURE_WIDTH, "beside the panel there is less room than it needs"
    window.act("scale")
    expect(window.tab.locator('[data-act="scale"]')).to_have_text("1:1")
    window.until(lambda: window.width() == PICTURE_WIDTH)
    window.act("scale")
    window.until(lambda: window.width() < PICTURE_WIDTH)
    window.act("full-screen")
    window.until(
        lambda: window.page.evaluate("document.fullscreenElement?.className ?? ''").count("qcrbox-Session")
    )
    window.until(lambda: window.width() >= PICTURE_WIDTH)
    window.wait_for_colour(RED)
    window.act("full-screen")
    window.until(lambda: window.page.evaluate("document.fullscreenElement === null"))
    window.until(lambda: window.width() < PICTURE_WIDTH)


def test_screenshot_becomes_a_dataset(window: Desk) -> None:
    window.act("screenshot")
    row = window.open_panel().locator("[data-dataset]", has_text=re.compile(r"^window-.*png"))
    expect(row).to_have_count(1)
    dataset = window.ask(f"datasets/{row.get_attribute('data-dataset')}")["datasets"][0]
    (file,) = dataset["data_files"].values()
    assert file["filename"].endswith(".png")
    assert window.text(f"data-files/{file['qcrbox_file_id']}/download")[1:4] == "PNG"


def test_the_warning_before_an_idle_end_keeps_the_session_open(window: Desk) -> None:
    """Four hours are not waited for: until the person answers, the session is told to be nearly as old."""
    answered = False

    def age(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for session in body["payload"]["interactive_sessions"]:
            if not answered:
                untouched = datetime.now(UTC) - timedelta(seconds=session["idle_limit_s"] - 120)
                session["last_input_at"] = untouched.isoformat()
        route.fulfill(response=answer, json=body)

    def stay(route: Route) -> None:
        nonlocal answered
        answered = True
        route.continue_()

    asked, stayed = re.compile(r"/interactive-sessions/[0-9a-f]{32}(\?|$)"), re.compile(r"/stay(\?|$)")
    window.page.route(asked, age)
    window.page.route(stayed, stay)
    warning = window.tab.locator('[data-notice="idle"]')
    expect(warning).to_contain_text("It ends in 2 minutes; what was saved is kept.", timeout=60_000)
    with window.page.expect_response(stayed) as answer:
        window.act("stay")
    assert answer.value.ok
    expect(warning).to_be_hidden()
    window.expect_phase("connected")
    window.page.unroute(asked)
    window.page.unroute(stayed)


def test_combinations_that_a_browser_keeps_reach_the_program_and_its_end_is_told(window: Desk) -> None:
    """The last one with this window: it is ended here."""
    window.click_picture(0.75, 0.75)
    window.hold("a", lambda: window.colour_is(GREEN, 5))
    window.page.keyboard.up("a")
    window.wait_for_colour(RED)
    window.chord()
    window.tab.locator('[data-act="keys"]').select_option("Ctrl+Alt+Del")
    window.act("finish")
    window.expect_phase("finished")
    outcome = window.tab.locator('[data-notice="outcome"]')
    expect(outcome).to_contain_text("notes.txt")
    files = window.ask(f"datasets/{outcome.get_attribute('data-dataset')}")["datasets"][0]["data_files"]
    notes = window.text(f"data-files/{files['notes.txt']['qcrbox_file_id']}/download").splitlines()
    control, alt, delete = "key 37", "key 64", "key 119"
    assert notes[-3:] == [control, alt, delete]


def test_notebook_shows_a_button_that_opens_the_tab(window: Desk, process_lab: SoloLab) -> None:
    write_notebook(
        process_lab.home / "session.ipynb",
        "import qcrbox as qc\nwith qc.window.gui() as g:\n    g.show()\nprint('shown')",
    )
    desk = Desk(window.page.context.new_page())
    desk.page.goto(process_lab.url.replace("/lab?", "/lab/workspaces/notebook/tree/session.ipynb?"))
    desk.wait_for_lab()
    desk.page.wait_for_selector("#jp-bottom-panel >> text=/\\) \\| Idle/")
    desk.page.click('.lm-MenuBar-item:has-text("Run")')
    desk.page.click('.lm-Menu-item[data-command="runmenu:run-all"]')
    button = desk.page.get_by_role("button", name="Open Window in a tab")
    expect(button).to_have_count(1, timeout=90_000)
    button.click()
    desk.expect_phase("connected")
    desk.wait_for_colour(RED)
    desk.act("finish")
    desk.expect_phase("finished")
    expect(desk.tab.locator('[data-notice="warning"]')).to_contain_text("Nothing was changed")
    desk.page.close()


def test_session_of_somebody_else_shows_nothing(window: Desk) -> None:
    page = window.page
    codes = page.evaluate(
        """id => new Promise(done => {
            const said = [];
            const socket = new WebSocket(location.origin.replace('http', 'ws')
                + `/qcrbox/api/interactive-sessions/${id}/display`);
            socket.onmessage = event => typeof event.data === 'string' && said.push(JSON.parse(event.data));
            socket.onclose = () => done(said);
        })""",
        "0" * 32,
    )
    assert [said["end"] for said in codes] == [4404]


def act_on_groups(admin: Person, group: str = "", **fields: str) -> None:
    """A form of the page *Groups*, or of one group, sent from that page."""
    admin.page.goto(f"/hub/administration/groups/{group}".rstrip("/"))
    status, text = admin.page.evaluate(
        """async fields => {
            const token = document.querySelector('input[name="_xsrf"]').value;
            const body = new URLSearchParams({ ...fields, _xsrf: token });
            const answer = await fetch(location.pathname, { method: 'POST', body });
            return [answer.status, await answer.text()];
        }""",
        {**fields, "confirm_password": PASSWORD},
    )
    assert status == 200, text


@pytest.fixture
def teacher(admin: Person, student: Person, new_person: Callable[[], Page]) -> Person:
    """Signed in, and lecturer of a group that the student is in."""
    person = Person(new_person(), "marie")
    person.sign_up()
    admin.approve(person.name)
    act_on_groups(admin, action="make", name="course")
    for each in (student, person):
        act_on_groups(admin, "course", action="add", people=each.name)
    act_on_groups(admin, "course", action="give_role", person=person.name, role="lecturer")
    person.sign_in()
    person.wait_for_lab()
    return person


def test_teacher_looks_on_by_a_link_through_hub_and_proxy(student: Person, teacher: Person) -> None:
    need_windows("shelxle")
    student.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk, other = Desk(student.page), Desk(teacher.page)
    student.open_lab()
    student.wait_for_lab()
    desk.start("shelxle", structure="thpp", group="course")
    desk.expect_phase("connected")
    desk.wait_for_structure()
    expect(desk.tab.locator('[data-act="copy-link"]')).to_have_count(0)
    desk.act("allow-view")
    desk.act("copy-link")
    expect(student.page.get_by_text("The link is copied.")).to_be_visible()
    link = student.page.evaluate("navigator.clipboard.readText()")

    teacher.page.goto(link)
    teacher.wait_for_lab()
    other.expect_phase("connected")
    other.wait_for_structure()
    assert "qcrbox-session" not in teacher.page.url
    expect(other.tab.locator('[data-act="view-only"]')).to_have_attribute("aria-pressed", "true")
    for name in ("view-only", "discard", "allow-view"):
        expect(other.tab.locator(f'[data-act="{name}"]')).to_be_disabled()
    panel = other.open_panel()
    panel.get_by_label("Everyone").check()  # a list shows one's own work first
    expect(panel.locator("[data-session]")).to_contain_text(student.name)

    desk.act("allow-view")
    other.expect_phase("refused")
    expect(other.tab.locator('[data-notice="state"]')).to_contain_text("not view it")
    desk.act("discard")
    student.page.locator(".jp-Dialog").get_by_role("button", name="Discard").click()
    desk.expect_phase("discarded")
    other.expect_phase("discarded")
