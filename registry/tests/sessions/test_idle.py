"""Idle sessions: warned in time, ended when that was said, kept open by input."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox.contract.messages import SessionState
from qcrbox_registry.sessions.idle import IdleSessions, _words, warning_s
from qcrbox_registry.store import sessions
from qcrbox_registry.store.sessions import NewSession
from qcrbox_registry.store.tables import sessions as table

HOUR, MINUTE = 3600.0, 60.0
OPENED = 1_000_000.0


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


class Ender:
    """Keeps what it was asked."""

    def __init__(self):
        self.asked, self.error = [], None

    async def end_session(self, calculation_id, *, keep, reason):
        self.asked.append((calculation_id, keep, reason))
        if self.error:
            raise self.error


@pytest.fixture
def ender():
    return Ender()


@pytest.fixture
def published():
    return []


@pytest.fixture
def idle(world, ender, published):
    return IdleSessions(world.database, ender, published.extend, 4 * HOUR)


@pytest.fixture
def session(world):
    """A session that was opened, and last used, at `OPENED`."""
    one = world.start(interactive=True, group_id=world.group["crystals"])

    def write(conn):
        sessions.create(conn, NewSession(one, world.person["ada"], world.group["crystals"], "olex2"), OPENED)
        sessions.report(conn, SessionState(calculation_id=one, attempt=1, state="open"), OPENED)

    world.write(write)
    return one


@pytest.mark.parametrize(
    ("limit_s", "lead_s"), [(4 * HOUR, 300.0), (25 * MINUTE, 300.0), (10 * MINUTE, 120.0), (60.0, 12.0)]
)
def test_the_warning_comes_five_minutes_or_a_fifth_before_the_end(limit_s, lead_s):
    assert warning_s(limit_s) == lead_s


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (12.0, "12 s"),
        (89.4, "89 s"),
        (90.0, "2 minutes"),
        (300.0, "5 minutes"),
        (5400.0, "1.5 h"),
        (14400.0, "4.0 h"),
    ],
)
def test_times_in_words(seconds, words):
    assert _words(seconds) == words


@pytest.mark.parametrize(("after_s", "warned"), [(4 * HOUR - 301, False), (4 * HOUR - 300, True)])
async def test_a_session_is_warned_before_its_end(idle, session, published, after_s, warned):
    assert await idle.look(OPENED + after_s) == ([session] if warned else [], [])
    if warned:
        (event,) = published
        assert (event.kind, event.status, event.object_id) == ("session", "idle_warning", session)
        assert event.payload["ends_at"] == OPENED + 4 * HOUR
        assert event.payload["reason"] == (
            "This session is idle. It ends in 5 minutes; its outputs are kept."
        )


async def test_it_is_warned_once_and_ended_at_its_limit_with_its_outputs(
    world, idle, session, ender, published
):
    await idle.look(OPENED + 4 * HOUR - 300)
    assert await idle.look(OPENED + 4 * HOUR - 1) == ([], [])
    assert await idle.look(OPENED + 4 * HOUR) == ([], [session])
    assert ender.asked == [(session, True, "The session was idle for 4.0 h. Its outputs are kept.")]
    assert len(published) == 1
    row = world.read(lambda conn: sessions.get(conn, session))
    assert (row.state, row.reason) == ("finalising", "The session was idle for 4.0 h. Its outputs are kept.")
    assert await idle.look(OPENED + 5 * HOUR) == ([], [])  # it is ending already


async def test_a_late_warning_still_gives_the_time_that_it_says(idle, session, ender, published):
    """The registry was down when the session should have been warned."""
    late = OPENED + 10 * HOUR
    assert await idle.look(late) == ([session], [])
    assert published[0].payload["ends_at"] == late + 300
    assert await idle.look(late + 10) == ([], [])
    assert await idle.look(late + 299) == ([], [])
    assert ender.asked == []
    assert await idle.look(late + 300) == ([], [session])


async def test_input_after_the_warning_keeps_it_open(world, idle, session, published):
    await idle.look(OPENED + 4 * HOUR - 300)
    world.write(lambda conn: sessions.note_input(conn, session, OPENED + 4 * HOUR - 10))
    assert await idle.look(OPENED + 4 * HOUR + 60) == ([], [])
    again = OPENED + 8 * HOUR - 310
    assert await idle.look(again) == ([session], [])
    assert len(published) == 2


@pytest.mark.parametrize("state", ["starting", "finalising"])
async def test_only_open_sessions_are_idle(world, idle, session, state):
    world.write(lambda conn: conn.execute(sa.update(table).values(state=state)))
    assert await idle.look(OPENED + 100 * HOUR) == ([], [])


async def test_a_program_that_has_ended_keeps_no_session_open(world, idle, session):
    world.write(lambda conn: conn.execute(sa.update(table).values(state="program_ended")))
    assert await idle.look(OPENED + 4 * HOUR - 300) == ([session], [])


async def test_a_closed_session_is_left_alone(world, idle, session):
    world.write(lambda conn: sessions.close(conn, [session], OPENED + 1))
    assert await idle.look(OPENED + 100 * HOUR) == ([], [])


async def test_one_whose_agent_is_lost_does_not_stop_the_others(world, idle, session, ender):
    await idle.look(OPENED + 4 * HOUR - 300)
    ender.error = NotFound("This session is not open.")
    assert await idle.look(OPENED + 4 * HOUR) == ([], [session])


# ---------------------------------------------------------------- asking again


@pytest.mark.parametrize("keep", [True, False])
async def test_an_end_is_asked_for_until_it_has_come(world, idle, session, ender, keep):
    """The message to an agent that is cut off at that moment is lost."""
    world.do(sessions.begin_to_end, session, keep=keep, reason="Ended by ada.")
    for _ in range(2):
        assert await idle.look(OPENED) == ([], [])
    assert ender.asked == [(session, keep, "Ended by ada.")] * 2
    world.do(sessions.close, [session], OPENED)
    await idle.look(OPENED)
    assert len(ender.asked) == 2


async def test_a_session_that_ends_by_itself_is_not_asked(world, idle, session, ender):
    world.do(sessions.report, SessionState(calculation_id=session, attempt=1, state="finalising"), OPENED)
    await idle.look(OPENED)
    assert ender.asked == []


async def test_an_end_whose_agent_is_lost_leaves_the_others_asked(world, idle, session, ender):
    other = world.start(interactive=True)
    world.do(sessions.create, NewSession(other, world.person["bob"], None, "olex2"), OPENED)
    for each in (session, other):
        world.do(sessions.begin_to_end, each, keep=True, reason="over")
    ender.error = NotFound("No agent has this session.")
    await idle.look(OPENED)
    assert {asked[0] for asked in ender.asked} == {session, other}
