"""A person in front of a display: who ends it, with which code, and when input is noted."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, NotSignedIn, Unreachable
from qcrbox_registry.sessions import viewer as module
from qcrbox_registry.sessions.viewer import BROKEN, GONE, Viewer, close_code

HELLO = b"RFB 003.008\n" + b"\x01" + b"\x01"  # version, no security, shared (RFC 6143, 7.1 and 7.3.1)
KEY = b"\x04\x01\x00\x00\x00\x00\x00\x41"  # a key is pressed (7.5.4)
LOOK = b"\x03" + bytes(9)  # a picture is asked for (7.5.3)


class Side:
    """One end of a display: what it says, and what it was sent."""

    def __init__(self, *said, error=None):
        self._said, self.sent, self._error = asyncio.Queue(), [], error
        for message in said:
            self.say(message)

    def say(self, message):
        self._said.put_nowait(message)

    async def receive(self):
        message = await self._said.get()
        if isinstance(message, bytes):
            return {"type": "websocket.receive", "bytes": message}
        if isinstance(message, Exception):
            raise message
        return {"type": "websocket.disconnect", **message}

    async def send_bytes(self, data):
        if self._error:
            raise self._error
        self.sent.append(data)


@pytest.fixture
def noted():
    return []


@pytest.fixture
def viewing(noted):
    """`viewing(person, view_only=…)`; the right lasts until `rights` says something else."""

    def make(person, *, view_only=False, right=True, clock=None):
        async def lasts():
            if isinstance(right, Exception):
                raise right
            return right

        async def note():
            noted.append(1)

        more = {"clock": clock} if clock else {}
        return Viewer(person, view_only, lasts, note, **more)

    return make


async def joined(viewer, agent):
    return await asyncio.wait_for(viewer.join(agent), 60)


async def test_bytes_go_both_ways_until_the_person_leaves(viewing):
    person, agent = Side(HELLO, KEY, {"code": 1001}), Side(b"RFB 003.008\n", b"picture")
    assert await joined(viewing(person), agent) == (1000, "The viewer left.")
    assert b"".join(agent.sent) == HELLO + KEY
    assert person.sent == [b"RFB 003.008\n", b"picture"]


@pytest.mark.attack(1)
async def test_who_may_only_view_presses_no_key(viewing, noted):
    person, agent = Side(HELLO, KEY, LOOK, {}), Side()
    await joined(viewing(person, view_only=True), agent)
    assert b"".join(agent.sent) == HELLO + LOOK
    assert noted == []


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({"code": 1000, "reason": "The program ended."}, (1000, "The program ended.")),
        ({"code": 4409, "reason": "Another display."}, (4409, "Another display.")),
        ({"code": 1006}, (GONE, "The agent is gone.")),
        ({"code": 1011, "reason": "?"}, (GONE, "The agent is gone.")),
        ({}, (1000, "")),
    ],
    ids=["ended", "a code of ours", "cut", "fault", "without a code"],
)
async def test_the_agent_ends_a_display_with_its_own_words_or_as_gone(viewing, message, answer):
    assert await joined(viewing(Side()), Side(message)) == answer


@pytest.mark.parametrize(
    ("right", "answer"),
    [
        (False, (4403, "You may only view this session now.")),
        (Conflict("This session has ended."), (1000, "The session has ended.")),
        (NotAllowed("You may not."), (4403, "You may not.")),
        (NotSignedIn("Sign in."), (4401, "Sign in.")),
        (NotFound("There is no session."), (4404, "There is no session.")),
        (Unreachable("The hub does not answer."), (GONE, "The hub does not answer.")),
    ],
    ids=["view only now", "ended", "not allowed", "signed out", "gone", "hub away"],
)
async def test_a_display_ends_with_the_right_to_it(viewing, monkeypatch, right, answer):
    monkeypatch.setattr(module, "CHECK_RIGHT_S", 0.0)
    assert await joined(viewing(Side(), right=right), Side()) == answer


async def test_what_is_no_rfb_ends_the_display_of_who_sent_it(viewing):
    agent = Side()
    code, reason = await joined(viewing(Side(b"GET / HTTP/1.1\r\n")), agent)
    assert code == 4400
    assert reason
    assert agent.sent == []


@pytest.mark.parametrize("where", ["to the agent", "to the person", "from the agent"])
async def test_a_connection_that_breaks_ends_the_display(viewing, where):
    broken = RuntimeError("Cannot call send once a close message has been sent.")
    person = Side(HELLO, error=broken if where == "to the person" else None)
    agent = Side(
        *([b"x"] if where == "to the person" else []), error=broken if where == "to the agent" else None
    )
    if where == "from the agent":
        agent.say(OSError("reset"))
    assert await joined(viewing(person), agent) == (BROKEN, "The connection broke.")


async def test_input_is_noted_now_and_then_and_looking_is_not(viewing, noted):
    moment = [100.0]
    person, agent = Side(HELLO, LOOK), Side()
    viewer = viewing(person, clock=lambda: moment[0])
    showing = asyncio.ensure_future(viewer.join(agent))

    async def pressed(at):
        moment[0] = at
        before = len(agent.sent)
        person.say(KEY)
        while len(agent.sent) == before:
            await asyncio.sleep(0)
        await viewer._background.settle()
        return len(noted)

    assert [await pressed(at) for at in (100.0, 110.0, 115.0, 120.0, 130.0)] == [1, 1, 2, 2, 3]
    person.say({})
    await showing


async def test_input_that_cannot_be_noted_does_not_end_the_display(viewing):
    person, agent = Side(HELLO, KEY), Side()
    viewer = viewing(person)

    async def broken():
        raise Unreachable("The database does not answer.")

    viewer.note_input = broken
    showing = asyncio.ensure_future(viewer.join(agent))
    while KEY not in agent.sent:
        await asyncio.sleep(0)
    await viewer._background.settle()
    person.say({})
    assert await showing == (1000, "The viewer left.")


@pytest.mark.parametrize(
    ("error", "code"),
    [(Unreachable("x"), GONE), (NotFound("x"), 4404), (Conflict("x"), 4409), (NotSignedIn("x"), 4401)],
)
def test_errors_have_codes_that_a_page_understands(error, code):
    assert close_code(error) == code
