"""Who else may come to a session: strangers never, the group's teacher to look on when its owner allows it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import struct
from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from tests.rfb_viewer import Viewer, WebSocketTransport
from tests.sessions.conftest import Sessions, shows, until
from tests.sessions.course import Course, Person
from tests.sessions.test_sessions import GREEN, RED, close_code, hold_until_heard, let_go
from tests.sessions.x_server import XServer, lets_in, servers_below

pytestmark = pytest.mark.slow
TEACHES = "custom:qcrbox:teach!group=course"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    if shutil.which("Xtigervnc") is None:
        pytest.skip("Xtigervnc is not installed")
    made = Course(tmp_path_factory.mktemp("course") / "data")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def owner(course: Course) -> Person:
    return course.person("olga")


@pytest.fixture
def teacher(course: Course) -> Person:
    return course.person("tess", TEACHES)


@pytest.fixture
def session_id(owner: Person) -> Iterator[str]:
    made = owner.open(group="course")
    yield made
    owner.close(made, "discard")


def allow(owner: Person, session_id: str, allowed: bool) -> None:
    said = owner.call("PATCH", f"/api/interactive-sessions/{session_id}", json={"view_only_allowed": allowed})
    assert said["interactive_sessions"][0]["view_only_allowed"] is allowed


async def end_of(websocket) -> tuple[int, str]:
    """Close code and reason, once the other side has ended it."""
    async with asyncio.timeout(60):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await websocket.recv()
    return websocket.close_code, websocket.close_reason


@pytest.mark.attack(27)
@pytest.mark.parametrize("groups", [("course",), ("elsewhere",), ()])
async def test_a_session_of_somebody_else_is_not_there(course, session_id, groups):
    stranger = course.person("sam", groups=groups)
    for query in ("", "?view=true"):
        assert await close_code(stranger, session_id, query) == 4404
    assert stranger.call("GET", "/api/interactive-sessions")["interactive_sessions"] == []
    for path in ("", "/close", "/discard", "/stay"):
        answer = stranger.http.request(
            "POST" if path else "GET", f"/api/interactive-sessions/{session_id}{path}"
        )
        assert answer.status_code == 404, path
    answer = stranger.http.patch(f"/api/interactive-sessions/{session_id}", json={"view_only_allowed": True})
    assert answer.status_code == 404


@pytest.mark.attack(27)
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer token-of-nobody"}, {"Cookie": "qcrbox-session=guess"}]
)
async def test_nobody_comes_in_without_a_sign_in_that_holds(owner, session_id, headers):
    websocket = await Sessions.socket(owner, session_id, additional_headers=headers, origin=owner.running.url)
    code, _ = await end_of(websocket)
    assert code == 4401


@pytest.mark.attack(27)
async def test_a_teacher_is_told_no_until_the_owner_allows_it(owner, teacher, session_id):
    assert [one["session_id"] for one in teacher.call("GET", "/api/interactive-sessions")["interactive_sessions"]] == [session_id]  # fmt: skip
    for query in ("", "?view=true"):
        assert await close_code(teacher, session_id, query) == 4403
    assert (
        teacher.http.patch(
            f"/api/interactive-sessions/{session_id}", json={"view_only_allowed": True}
        ).status_code
        == 403
    )
    assert teacher.http.post(f"/api/interactive-sessions/{session_id}/discard").status_code == 403


@pytest.mark.attack(27)
async def test_a_teacher_who_is_allowed_sees_and_cannot_touch(owner, teacher, session_id):
    allow(owner, session_id, True)
    # Without `?view=true` too: what a teacher gets is never more than the picture.
    looking, mine = await teacher.viewer(session_id), await owner.viewer(session_id)
    await shows(looking, RED)
    await hold_until_heard(mine)
    await shows(looking, GREEN)
    await let_go(mine)
    await looking.click(600, 400)
    await looking.type("never heard")
    await looking.cut_text("never pasted")
    await shows(looking, RED)
    await hold_until_heard(mine, 0x61)
    await let_go(mine, 0x61)
    closed = owner.close(session_id)
    lines = owner.text_of(closed["output_dataset_id"], "notes.txt").splitlines()
    assert set(lines) == {"key 50", "key 38"}  # shift and a, both the owner's


@pytest.mark.attack(27)
async def test_what_was_allowed_and_is_taken_back_ends_the_look(owner, teacher, session_id):
    allow(owner, session_id, True)
    websocket = await teacher.socket(session_id)
    await shows(await Viewer(WebSocketTransport(websocket)).start(), RED)
    allow(owner, session_id, False)
    code, reason = await end_of(websocket)
    assert code == 4403
    assert "not view it" in reason


@pytest.mark.attack(27)
async def test_who_is_no_longer_a_teacher_looks_no_longer(course, owner, session_id):
    allow(owner, session_id, True)
    websocket = await course.person("toni", TEACHES).socket(session_id)
    await shows(await Viewer(WebSocketTransport(websocket)).start(), RED)
    course.person("toni")
    code, _ = await end_of(websocket)
    assert code == 4404


async def test_a_teacher_ends_a_session_and_what_was_done_is_its_owners(owner, teacher):
    session_id = owner.open(group="course")
    await hold_until_heard(await owner.viewer(session_id))
    closed = teacher.close(session_id)
    assert closed["status"] == "successful"
    assert owner.look(session_id)["reason"] == "Ended by tess."
    assert "key 50" in owner.text_of(closed["output_dataset_id"], "notes.txt")


@pytest.mark.attack(27)
async def test_a_signed_out_owner_is_signed_out_of_the_picture_too(course, owner, session_id):
    websocket = await owner.socket(session_id)
    await shows(await Viewer(WebSocketTransport(websocket)).start(), RED)
    known = course.hub.people.pop("olga")
    try:
        code, _ = await end_of(websocket)
    finally:
        course.hub.people["olga"] = known
    assert code == 4401
    await until(lambda: owner.http.get("/api/me").is_success, 30)


# The first bytes of file transfers: UltraVNC's, TightVNC's (1.3 and 2), and the general input interface.
_CHANNELS = {"ultravnc": 7, "tight list": 130, "tight download": 131, "tight 2": 252, "gii": 253}


@pytest.mark.attack(27)
@pytest.mark.parametrize("kind", _CHANNELS.values(), ids=_CHANNELS)
async def test_there_is_no_channel_for_files(owner, session_id, kind):
    websocket = await owner.socket(session_id)
    await shows(await Viewer(WebSocketTransport(websocket)).start(), RED)
    await websocket.send(struct.pack(">BBxxI", kind, 1, 16) + b"/etc/passwd" + bytes(16))
    code, reason = await end_of(websocket)
    assert code == 4400
    assert "not known here" in reason


async def the_servers(course: Course, wanted: Callable[[list[XServer]], bool]) -> list[XServer]:
    """The displays of all sessions, once they are as wanted: one that was ended a moment ago may still be going."""
    await until(lambda: wanted(servers_below(course.process.pid)), 60)
    return servers_below(course.process.pid)


@pytest.mark.attack(27)
async def test_a_display_has_no_port_and_no_door_without_its_cookie(course, owner):
    session_id = owner.open(group="course")
    (first,) = await the_servers(course, lambda found: len(found) == 1)
    number, old_cookie = first.number, first.cookie
    assert first.tcp_ports() == set()
    assert lets_in(number, old_cookie)
    assert not lets_in(number)
    owner.close(session_id, "discard")
    # The next person's session may get the same display; what was known of the one before is of no use.
    other = course.person("next")
    session_id = other.open(group="course")
    (second,) = await the_servers(course, lambda found: len(found) == 1 and found[0].pid != first.pid)
    assert second.cookie != old_cookie
    assert not lets_in(second.number, old_cookie)
    assert lets_in(second.number, second.cookie)
    other.close(session_id, "discard")


@pytest.mark.attack(27)
async def test_after_the_end_neither_owner_nor_teacher_sees_anything(owner, teacher):
    session_id = owner.open(group="course")
    allow(owner, session_id, True)
    websockets = [await each.socket(session_id) for each in (owner, teacher)]
    for websocket in websockets:
        await shows(await Viewer(WebSocketTransport(websocket)).start(), RED)
    owner.close(session_id)
    for websocket in websockets:
        code, _ = await end_of(websocket)
        assert code == 1000
    for each in (owner, teacher):
        assert await close_code(each, session_id) == 4409


@pytest.mark.parametrize("how", ["close", "discard"])
async def test_nothing_of_a_session_runs_after_its_end(course, owner, how):
    session_id = owner.open(group="course")
    servers = servers_below(course.process.pid)
    assert servers
    owner.close(session_id, how)
    # Its agent is kept for the next command; the display is not.
    await the_servers(course, lambda found: not {one.pid for one in found} & {one.pid for one in servers})
