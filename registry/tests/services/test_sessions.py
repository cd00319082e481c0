"""Interactive sessions: who opens, views, ends and discards them, and when there is a display."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, UserInputError
from qcrbox.contract.messages import SessionState
from qcrbox_registry.services.sessions import SessionEnd, SessionService
from qcrbox_registry.store import sessions
from qcrbox_registry.store.paging import Page
from qcrbox_registry.store.tables import calculations

NOW = SessionEnd(keep=True, wait_s=0.0)
DISCARD = SessionEnd(keep=False, wait_s=0.0)


@pytest.fixture
def service(context):
    return SessionService(context)


@pytest.fixture
def opened(world):
    """`opened("ada", "crystals")`: a session with a display; `state` as its agent reports it."""

    def make(owner="ada", group=None, state="open"):
        made = world.start(owner, group_id=world.group.get(group), interactive=True)
        new = sessions.NewSession(made, world.person[owner], world.group.get(group), "practice")
        world.do(sessions.create, new, 1.0)
        world.run(made)
        if state != "starting":
            world.do(sessions.report, SessionState(calculation_id=made, attempt=1, state=state), 2.0)
        return made

    return make


PEOPLE = {
    "owner": ("ada", {"groups": ["crystals"]}),
    "owner who left": ("ada", {}),
    "member": ("bob", {"groups": ["crystals"]}),
    "manager": ("bob", {"manages": ["crystals"]}),
    "manager elsewhere": ("bob", {"manages": ["powders"]}),
    "stranger": ("eve", {}),
    "administrator": ("eve", {"admin": True}),
}
# What each may do: o open, v view only, e end, d discard, r see that it is there.
MAY = {
    "owner": "oedr",
    "owner who left": "edr",
    "member": "",
    "manager": "er",
    "manager elsewhere": "",
    "stranger": "",
    "administrator": "edr",
}


@pytest.mark.attack(1)
@pytest.mark.parametrize("who", PEOPLE)
async def test_who_may_do_what_with_a_session(service, actor, opened, who):
    name, more = PEOPLE[who]
    acts = {
        "r": lambda session, me: service.get(me, session),
        "o": lambda session, me: service.stay(me, session),
        "d": lambda session, me: service.end(me, session, DISCARD),
        "e": lambda session, me: service.end(me, session, NOW),
    }
    done = ""
    for letter, act in acts.items():
        try:
            await act(opened("ada", "crystals"), actor(name, **more))
            done += letter
        except NotAllowed:
            assert "r" in MAY[who], "a refusal tells that the session is there"
        except NotFound:
            assert "r" not in MAY[who]
    assert set(done) == set(MAY[who])


@pytest.mark.parametrize(
    ("who", "allowed", "seen"),
    [
        ("owner", False, False),
        ("manager", True, True),
        ("manager", False, NotAllowed),
        ("member", True, NotFound),
        ("administrator", True, NotAllowed),
        ("owner who left", True, NotAllowed),
    ],
    ids=["owner", "viewer", "not let in", "member", "administrator", "left the group"],
)
async def test_who_is_let_to_the_display_and_whether_to_view_only(service, actor, opened, who, allowed, seen):
    name, more = PEOPLE[who]
    session = opened("ada", "crystals")
    if allowed:
        await service.allow_viewers(actor("ada", groups=["crystals"]), session, True)
    if isinstance(seen, bool):
        found = await service.admit(actor(name, **more), session, view=False)
        assert (found.attempt, found.view_only) == (1, seen)
        return
    with pytest.raises(seen):
        await service.admit(actor(name, **more), session, view=False)


async def test_an_owner_may_ask_to_view_only(service, actor, opened):
    assert (await service.admit(actor("ada"), opened(), view=True)).view_only


@pytest.mark.parametrize("who", ["manager", "member", "stranger"])
async def test_only_the_owner_lets_others_view(world, service, actor, opened, who):
    name, more = PEOPLE[who]
    session = opened("ada", "crystals")
    with pytest.raises((NotAllowed, NotFound)):
        await service.allow_viewers(actor(name, **more), session, True)
    assert not world.ask(sessions.get, session).view_only_allowed


@pytest.mark.parametrize(
    ("state", "words"),
    [("starting", "is still starting"), ("open", ""), ("program_ended", ""), ("finalising", "")],
)
async def test_when_there_is_a_display(service, actor, opened, state, words):
    session = opened(state=state)
    if not words:
        assert await service.admit(actor("ada"), session, view=False)
        return
    with pytest.raises(Conflict, match=words):
        await service.admit(actor("ada"), session, view=False)


async def test_a_session_that_has_ended_has_no_display_and_ending_it_again_changes_nothing(
    world, context, service, actor, opened
):
    session = opened()
    ended = {"state": "failed", "finished_at": 5.0, "error_msg": "No display.", "warnings": ["cut"]}
    world.write(lambda conn: conn.execute(calculations.update().values(ended)))
    with pytest.raises(Conflict, match="has ended"):
        await service.admit(actor("ada"), session, view=False)
    found = await service.end(actor("ada"), session, NOW)
    assert found == {
        "session_id": session,
        "status": "failed",
        "error_msg": "No display.",
        "warnings": ["cut"],
    }
    assert context.scheduler.ended == []


async def test_an_end_is_asked_of_the_agent_with_who_and_why(world, context, service, actor, opened, trail):
    session = opened("ada", "crystals")
    await service.end(actor("bob", manages=["crystals"]), session, SessionEnd(True, 0.0, " the lab closes "))
    assert context.scheduler.ended == [(session, True, "Ended by bob: the lab closes")]
    row = world.ask(sessions.get, session)
    assert (row.state, row.reason) == ("finalising", "Ended by bob: the lab closes")
    (event,) = [each for each in context.published if each.kind == "session"]
    assert (event.status, event.attempt, event.payload["keep"]) == ("finalising", 1, True)
    assert ("bob", "end session", session) in await trail()


async def test_a_session_that_no_agent_has_is_cancelled(context, service, actor, opened):
    context.scheduler.has_agents = False
    session = opened(state="starting")
    await service.end(actor("ada"), session, NOW)
    assert context.scheduler.cancelled == [([session], "Ended by ada.", "ada")]


async def test_a_long_reason_is_refused_before_anything_is_asked(context, service, actor, opened):
    with pytest.raises(UserInputError, match="reason is longer"):
        await service.end(actor("ada"), opened(), SessionEnd(True, 0.0, "x" * 1101))
    assert context.scheduler.ended == []


async def test_input_and_staying_begin_the_idle_time_again(world, context, service, actor, opened):
    session = opened()
    world.do(sessions.note_warning, [session], 3.0)
    shown = await service.stay(actor("ada"), session)
    assert shown["warned_at"] is None
    row = world.ask(sessions.get, session)
    assert row.last_input_at > 1000.0
    assert shown["idle_ends_at"] is not None
    await service.note_input(session)
    assert world.ask(sessions.get, session).last_input_at >= row.last_input_at


async def test_lists_hold_what_one_may_see_and_closed_ones_on_request(world, service, actor, opened):
    mine, group, hidden = opened(), opened("bob", "crystals"), opened("bob")
    world.do(sessions.close, [mine], 9.0)

    async def listed(who, **more):
        found = await service.page(who, Page(10), **more)
        return {each["session_id"] for each in found["interactive_sessions"]}

    ada = actor("ada", manages=["crystals"])
    assert await listed(ada, closed=False) == {group}
    assert await listed(ada, closed=True) == {mine, group}
    assert await listed(ada, closed=True, mine=True) == {mine}
    assert await listed(actor("bob"), closed=False) == {group, hidden}
