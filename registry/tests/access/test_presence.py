"""A right that is withdrawn ends also what lasts."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotAllowed, NotSignedIn, Unreachable
from qcrbox_registry.access.identity import CACHE_S
from qcrbox_registry.access.presence import CHECK_AGAIN_S, Presence
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.sessions.viewer import CHECK_RIGHT_S

ADA, LESS = Actor(1, "ada", admin=True), Actor(1, "ada")


class Asked:
    def __init__(self) -> None:
        self.answer, self.times, self.now = LESS, 0, 0.0

    async def __call__(self):
        self.times += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def presence(asked):
    return Presence(ADA, asked, clock=lambda: asked.now)


async def test_a_check_holds_for_a_while(presence, asked):
    asked.now = CHECK_AGAIN_S - 0.1
    assert not presence.is_due
    assert await presence.now() is ADA
    assert asked.times == 0


async def test_then_the_rights_of_now_count(presence, asked):
    asked.now = CHECK_AGAIN_S
    assert presence.is_due
    assert await presence.now() is LESS
    assert presence.actor is LESS
    assert await presence.now() is LESS
    assert asked.times == 1


@pytest.mark.parametrize("error", [NotSignedIn("out"), NotAllowed("no")], ids=["signed out", "no right"])
async def test_a_person_who_may_not_any_more_is_out(presence, asked, error):
    asked.now, asked.answer = CHECK_AGAIN_S, error
    for _ in range(2):  # and stays out
        with pytest.raises(type(error)):
            await presence.now()


async def test_a_hub_that_is_down_ends_nothing_and_is_not_asked_for_each_piece(presence, asked):
    asked.now, asked.answer = CHECK_AGAIN_S, Unreachable("down")
    for _ in range(100):
        assert await presence.now() is ADA
    assert asked.times == 1
    asked.now, asked.answer = 2 * CHECK_AGAIN_S, LESS
    assert await presence.now() is LESS


def test_a_withdrawn_right_ends_within_five_seconds():
    """Each asks the one before it: a display its presence, that the identity, whose answer is cached."""
    assert CACHE_S + CHECK_AGAIN_S + CHECK_RIGHT_S < 5
