"""Tunnels: opened for one person, dialled once by the agent of the attempt, and over with their block."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox.contract.errors import NotFound, Unreachable
from qcrbox_registry.sessions.tunnels import Tunnels, close, received


@pytest.fixture
def tunnels():
    return Tunnels()


async def test_the_agent_that_dials_is_joined_to_the_person(tunnels):
    async with tunnels.opened("c1", 2) as tunnel:
        waiting = asyncio.ensure_future(tunnels.wait(tunnel, 5))
        claimed = tunnels.claim(tunnel.id, "c1", 2)
        claimed.agent_side.set_result("agent")
        assert await waiting == "agent"
        assert tunnels.open == {tunnel.id: tunnel}
        assert not tunnel.over.is_set()
    assert tunnel.over.is_set()
    assert tunnels.open == {}


@pytest.mark.attack(1)
@pytest.mark.parametrize(
    ("calculation", "attempt"),
    [("c2", 2), ("c1", 1), ("c1", 3), ("", 2)],
    ids=["other", "older", "newer", "none"],
)
async def test_nobody_else_dials_it(tunnels, calculation, attempt):
    async with tunnels.opened("c1", 2) as tunnel:
        with pytest.raises(NotFound):
            tunnels.claim(tunnel.id, calculation, attempt)
        assert tunnels.claim(tunnel.id, "c1", 2) is tunnel
        with pytest.raises(NotFound):
            tunnels.claim(tunnel.id, "c1", 2)


@pytest.mark.attack(1)
async def test_ids_are_not_guessed(tunnels):
    """24 bytes at random: 192 bits, as 32 characters of six bits."""
    async with tunnels.opened("c1", 1) as first, tunnels.opened("c1", 1) as second:
        assert first.id != second.id
        assert {len(first.id), len(second.id)} == {32}


async def test_an_agent_that_does_not_dial_is_not_waited_for(tunnels):
    async with tunnels.opened("c1", 1) as tunnel:
        with pytest.raises(Unreachable, match="cannot be reached") as refused:
            await tunnels.wait(tunnel, 0.01)
        assert "within 0.01 s" in refused.value.why
        # The agent may still come while the person is there.
        assert tunnels.claim(tunnel.id, "c1", 1)


async def test_a_tunnel_whose_person_has_left_is_gone(tunnels):
    async with tunnels.opened("c1", 1) as tunnel:
        pass
    with pytest.raises(NotFound):
        tunnels.claim(tunnel.id, "c1", 1)
    assert tunnel.agent_side.cancelled()


class Socket:
    """A websocket that answers these messages and fails when it is closed, if it is to."""

    def __init__(self, *messages, error=None):
        self._messages, self._error, self.closed = list(messages), error, None

    async def receive(self):
        return self._messages.pop(0)

    async def close(self, code, reason):
        if self._error:
            raise self._error
        self.closed = (code, reason)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ({"type": "websocket.receive", "bytes": b"x"}, b"x"),
        ({"type": "websocket.receive", "bytes": b""}, b""),
        ({"type": "websocket.receive", "text": "ü"}, "ü".encode()),
        ({"type": "websocket.receive", "bytes": None, "text": None}, b""),
        ({"type": "websocket.disconnect", "code": 1001}, None),
    ],
    ids=["bytes", "empty", "text", "nothing", "left"],
)
async def test_what_a_side_sends(message, found):
    assert await received(Socket(message)) == found


@pytest.mark.parametrize(("reason", "most"), [("short", 5), ("x" * 200, 123), ("ü" * 100, 122)])
async def test_a_reason_fits_the_protocol_and_is_cut_between_letters(reason, most):
    socket = Socket()
    await close(socket, 4403, reason)
    code, said = socket.closed
    assert (code, len(said.encode())) == (4403, most)
    assert reason.startswith(said)


@pytest.mark.parametrize("error", [RuntimeError("closed"), OSError("reset")])
async def test_closing_a_side_that_has_left_is_no_fault(error):
    await close(Socket(error=error), 1000, "The viewer left.")
