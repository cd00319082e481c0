"""Streams of events for a person: what was written before and after, once, to the end, and only what they may see."""

from __future__ import annotations

import asyncio
import time

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound
from qcrbox_registry.access.presence import Presence
from qcrbox_registry.services import event_feed as module
from qcrbox_registry.services.event_feed import EventFeed
from qcrbox_registry.store import calculations, events, shares
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.tables import calculations as table


@pytest.fixture
def feed(context):
    return EventFeed(context)


@pytest.fixture
def happen(world, context):
    """`happen("c1", "running")`: an event that is written and then published."""

    def make(object_id, status="changed", *, owner="ada", kind="calculation", publish=True, **more):
        event = Event(kind, object_id, time.time(), status, owner_id=world.person[owner], **more)
        world.do(events.write, [event])
        if publish:
            context.publish([event])
        return event

    return make


async def first_of(batches, number=1):
    """The next so many events."""
    found = []
    while len(found) < number:
        found += await asyncio.wait_for(anext(batches), 60)
    return [(each.object_id, each.status) for each in found]


async def closed(context, batches):
    await batches.aclose()
    assert context.hub.listening == 0


# ---------------------------------------------------------------- everything


async def test_what_happens_after_the_stream_was_asked_for_is_in_it(context, feed, ada, present, happen):
    """Whoever has the answer may act at once, before the first piece of it was read."""
    batches = await feed.everything(present(ada), None, None)
    happen("c1")
    assert await first_of(batches) == [("c1", "changed")]
    await closed(context, batches)


async def test_a_stream_from_now_on_sends_nothing_of_before(context, feed, ada, present, happen):
    happen("c0")
    batches = await feed.everything(present(ada), None, None)
    happen("c1")
    assert await first_of(batches) == [("c1", "changed")]
    await closed(context, batches)


async def test_a_resumed_stream_sends_what_was_missed_and_then_what_happens_each_once(
    context, feed, ada, present, happen, monkeypatch
):
    monkeypatch.setattr(module, "MOST_PER_READ", 2)
    seen = happen("c0")
    for number in range(1, 6):
        happen(f"c{number}")
    batches = await feed.everything(present(ada), seen.seq, None)
    happen("c6")
    assert await first_of(batches, 6) == [(f"c{number}", "changed") for number in range(1, 7)]
    happen("c7")
    assert await first_of(batches) == [("c7", "changed")]
    await closed(context, batches)


async def test_events_that_are_published_in_another_order_are_all_sent(context, feed, ada, present, happen):
    """Two changes that are committed together are published by two tasks."""
    batches = await feed.everything(present(ada), None, None)
    first, second = happen("c1", publish=False), happen("c2", publish=False)
    context.publish([second])
    assert await first_of(batches) == [("c2", "changed")]
    context.publish([first])
    assert await first_of(batches) == [("c1", "changed")]
    await closed(context, batches)


async def test_progress_has_no_number_and_is_sent_all_the_same(context, feed, ada, present, happen):
    batches = await feed.everything(present(ada), None, None)
    happen("c1")
    await first_of(batches)
    context.publish([Event("progress", "c1", 1.0, "", owner_id=ada.person_id)])
    assert await first_of(batches) == [("c1", "")]
    await closed(context, batches)


@pytest.mark.parametrize(
    ("owner", "group", "is_sent"),
    [("ada", None, True), ("bob", None, False), ("bob", "crystals", True), ("bob", "powders", False)],
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_only_what_the_person_may_see_is_sent(
    world, context, feed, ada, present, happen, owner, group, is_sent, when
):
    start = happen("start").seq
    if when == "before":
        happen("c1", owner=owner, group_id=world.group.get(group))
    batches = await feed.everything(present(ada), start, None)
    if when == "after":
        happen("c1", owner=owner, group_id=world.group.get(group))
    happen("end")
    assert await first_of(batches, 2 if is_sent else 1) == [("c1", "changed")] * is_sent + [
        ("end", "changed")
    ]
    await closed(context, batches)


async def test_only_the_kinds_that_were_asked_for_are_sent(context, feed, ada, present, happen):
    batches = await feed.everything(present(ada), 0, frozenset({"dataset"}))
    happen("c1")
    happen("d1", kind="dataset")
    assert await first_of(batches) == [("d1", "changed")]
    await closed(context, batches)


async def test_a_share_that_was_given_before_the_stream_opens_its_object(
    world, context, feed, ada, present, happen
):
    share = shares.NewShare("calculation", "c1", "read", world.person["bob"], world.person["ada"])
    world.do(shares.give, share, 1.0)
    batches = await feed.everything(present(ada), None, None)
    happen("c1", owner="bob")
    assert await first_of(batches) == [("c1", "changed")]
    await closed(context, batches)


async def test_a_stream_ends_when_the_person_may_not_listen_any_more(context, feed, ada, happen):
    async def refused():
        raise NotAllowed("You may not use the registry any more.")

    moment = [0.0]
    presence = Presence(ada, refused, lambda: moment[0])
    batches = await feed.everything(presence, None, None)
    moment[0] = 1000.0
    happen("c1")
    assert [each async for batch in batches for each in batch] == []
    assert context.hub.listening == 0


async def test_rights_that_change_hold_for_what_comes_next(world, context, feed, ada, actor, happen):
    async def now():
        return actor("ada", groups=["powders"])

    moment = [0.0]
    batches = await feed.everything(Presence(ada, now, lambda: moment[0]), None, None)
    moment[0] = 1000.0
    happen("c1", owner="bob", group_id=world.group["crystals"])
    happen("c2")
    assert await first_of(batches) == [("c2", "changed")]
    await closed(context, batches)


async def test_a_quiet_stream_is_kept_alive(context, feed, ada, monkeypatch):
    monkeypatch.setattr(module, "KEEP_ALIVE_S", -1.0)

    class Quick(Presence):
        check_again_s = 0.01

    async def same():
        return ada

    batches = await feed.everything(Quick(ada, same), None, None)
    assert await asyncio.wait_for(anext(batches), 60) == []
    await closed(context, batches)


async def test_a_stream_that_nobody_reads_is_forgotten_with_its_answer(context, feed, ada, present):
    """The browser is gone before the answer began."""
    batches = await feed.everything(present(ada), None, None)
    assert context.hub.listening == 1
    await closed(context, batches)


# ---------------------------------------------------------------- one calculation


def change(world, calculation_id, state):
    """The state as the scheduler writes it with its event."""
    world.write(
        lambda conn: conn.execute(table.update().where(table.c.id == calculation_id).values(state=state))
    )


async def test_the_stream_of_a_calculation_lasts_from_its_first_event_to_its_end(
    world, context, feed, ada, present, happen
):
    made = world.start()
    batches = await feed.of_calculation(present(ada), made, 0)
    assert await first_of(batches) == [(made, "submitted")]
    happen(made, "running")
    happen(made, "successful")
    happen(made, "after the end")
    sent = [each.status for batch in [batch async for batch in batches] for each in batch]
    assert sent == ["running", "successful"]
    assert context.hub.listening == 0


async def test_what_ended_is_sent_whole_and_the_stream_ends(world, feed, ada, present, happen):
    made = world.start()
    for status in ("running", "failed"):
        happen(made, status)
    change(world, made, "failed")
    batches = await feed.of_calculation(present(ada), made, 0)
    sent = [each.status for batch in [batch async for batch in batches] for each in batch]
    assert sent == ["submitted", "running", "failed"]


async def test_who_has_seen_the_end_gets_no_stream(world, feed, ada, present, happen):
    made = world.start()
    end = happen(made, "successful")
    change(world, made, "successful")
    assert await feed.of_calculation(present(ada), made, end.seq) is None


async def test_what_is_written_after_the_end_does_not_hold_the_stream_open(
    world, context, feed, ada, present, happen
):
    """A session is closed by an event of its own, after the end of its calculation."""
    made = world.start()
    end = happen(made, "successful")
    happen(made, "closed", kind="session")
    change(world, made, "successful")
    batches = await feed.of_calculation(present(ada), made, end.seq)
    sent = [each.status async for batch in _until_end(batches) for each in batch]
    assert sent == ["closed"]
    assert context.hub.listening == 0


async def _until_end(batches):
    while True:
        try:
            yield await asyncio.wait_for(anext(batches), 60)
        except StopAsyncIteration:
            return


@pytest.mark.parametrize("who", ["bob", "eve"])
async def test_the_stream_of_anothers_calculation_does_not_exist(world, context, feed, actor, present, who):
    made = world.start()
    with pytest.raises(NotFound, match=f"no calculation '{made}'"):
        await feed.of_calculation(present(actor(who)), made, 0)
    assert context.hub.listening == 0
    assert world.ask(calculations.get, made)
