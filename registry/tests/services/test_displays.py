"""The display of a session: who may dial the tunnel that was opened for an agent."""

from __future__ import annotations

import asyncio
import time

import pytest
from qcrbox.contract.errors import NotFound, NotSignedIn, Unreachable
from qcrbox_registry.messaging.tokens import FilesToken, read_files, sign
from qcrbox_registry.services.displays import DisplayService
from qcrbox_registry.services.sessions import Admission, SessionService


@pytest.fixture
def service(context):
    return DisplayService(context, SessionService(context))


async def asked(context, service, present, actor, *, view_only=False):
    """A display that waits for its agent; what the agent was asked: (tunnel, url, token, view only), and the display."""
    showing = asyncio.ensure_future(service.show(present(actor), "c1", Admission(3, view_only), object()))
    while not context.scheduler.opened:
        await asyncio.sleep(0)
    calculation, *rest = context.scheduler.opened[-1]
    assert calculation == "c1"
    return *rest, showing


async def ended(showing):
    showing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await showing


@pytest.mark.parametrize("view_only", [True, False])
async def test_an_agent_is_asked_to_dial_with_a_token_of_its_attempt(
    context, service, present, actor, view_only
):
    context.settings.public_url = "https://lab.example/services/qcrbox/"
    tunnel, url, token, is_view_only, showing = await asked(
        context, service, present, actor("ada"), view_only=view_only
    )
    assert url == f"https://lab.example/services/qcrbox/internal/calculations/c1/tunnel/{tunnel}"
    claims = read_files(context.signing_key, token)
    assert (claims.calculation_id, claims.attempt, is_view_only) == ("c1", 3, view_only)
    assert claims.expires < time.time() + 120
    await ended(showing)


@pytest.mark.attack(1)
async def test_a_tunnel_is_claimed_once_and_by_its_attempt_alone(context, service, present, actor):
    tunnel, _, token, _, showing = await asked(context, service, present, actor("ada"))

    def other(**more):
        claims = {"calculation_id": "c1", "attempt": 3, "expires": time.time() + 60} | more
        return sign(context.signing_key, "files", FilesToken(**claims))

    with pytest.raises(NotSignedIn):
        service.claim(tunnel, "c1", "x")
    with pytest.raises(NotSignedIn):
        service.claim(tunnel, "c1", other(expires=time.time() - 1))
    for wrong in (other(attempt=2), other(calculation_id="c2")):
        with pytest.raises(NotFound):
            service.claim(tunnel, "c1", wrong)
    with pytest.raises(NotFound):
        service.claim("none", "c1", token)
    assert service.claim(tunnel, "c1", token).id == tunnel
    with pytest.raises(NotFound):
        service.claim(tunnel, "c1", token)
    await ended(showing)


async def test_a_display_that_its_person_has_left_cannot_be_dialled(context, service, present, actor):
    tunnel, _, token, _, showing = await asked(context, service, present, actor("ada"))
    await ended(showing)
    with pytest.raises(NotFound):
        service.claim(tunnel, "c1", token)


async def test_a_session_that_no_agent_has_shows_no_display(context, service, present, actor):
    async def nobody(*_, **__):
        raise NotFound("No agent has this session.")

    context.scheduler.open_tunnel = nobody
    with pytest.raises((NotFound, Unreachable)):
        await service.show(present(actor("ada")), "c1", Admission(3, False), object())
