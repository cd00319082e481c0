"""Events to subscribers: each once, in order; a slow subscriber does not delay the others."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox_registry.services import event_hub
from qcrbox_registry.services.event_hub import EventHub
from qcrbox_registry.store.events import Event


def event(number=1, object_id="c", kind="calculation"):
    return Event(kind, object_id, float(number), seq=number)


def everything(_event):
    return True


@pytest.fixture
def hub():
    return EventHub()


async def numbers(subscription):
    got = await subscription.get(0.01)
    return None if got is None else [each.seq for each in got]


async def test_everybody_gets_every_event_in_order(hub):
    one, two = hub.subscribe(everything), hub.subscribe(everything)
    hub.publish([event(1), event(2)])
    hub.publish([event(3)])
    assert [await numbers(one), await numbers(two)] == [[1, 2, 3], [1, 2, 3]]
    assert hub.published == 3


async def test_an_event_is_taken_once(hub):
    one = hub.subscribe(everything)
    hub.publish([event(1)])
    assert [await numbers(one), await numbers(one)] == [[1], []]


async def test_only_what_is_wanted_is_kept(hub):
    one = hub.subscribe(lambda each: each.kind == "dataset")
    hub.publish([event(1), event(2, kind="dataset")])
    assert await numbers(one) == [2]


async def test_a_subscription_to_an_object_gets_its_events_only(hub):
    one, all_of_them = hub.subscribe(everything, "c1"), hub.subscribe(everything)
    hub.publish([event(1, "c1"), event(2, "c2")])
    assert [await numbers(one), await numbers(all_of_them)] == [[1], [1, 2]]


async def test_what_was_published_before_is_not_heard(hub):
    hub.publish([event(1)])
    assert await numbers(hub.subscribe(everything)) == []


@pytest.mark.parametrize("object_id", [None, "c"])
async def test_who_left_hears_nothing_and_counts_no_more(hub, object_id):
    one = hub.subscribe(everything, object_id)
    other = hub.subscribe(everything, object_id)
    assert hub.listening == 2
    hub.unsubscribe(one, object_id)
    hub.unsubscribe(one, object_id)
    hub.publish([event(1)])
    assert [await numbers(one), await numbers(other)] == [[], [1]]
    hub.unsubscribe(other, object_id)
    hub.unsubscribe(other, "never")
    assert hub.listening == 0
    assert hub._by_object == {}


async def test_waiting_ends_with_the_next_event(hub):
    one = hub.subscribe(everything)
    waiting = asyncio.ensure_future(one.get(60.0))
    await asyncio.sleep(0)
    hub.publish([event(7)])
    assert [each.seq for each in await waiting] == [7]


async def test_who_does_not_keep_up_gets_what_was_kept_and_is_then_cut_off(hub, monkeypatch):
    monkeypatch.setattr(event_hub, "MOST_WAITING", 3)
    slow, quick = hub.subscribe(everything), hub.subscribe(everything)
    for number in range(1, 6):
        hub.publish([event(number)])
        assert await numbers(quick) == [number]
    assert await numbers(slow) == [1, 2, 3]
    assert await numbers(slow) is None
    hub.publish([event(9)])
    assert await numbers(slow) is None


@pytest.mark.parametrize("object_id", [None, "c"])
async def test_closing_ends_every_stream_also_one_that_waits(hub, object_id):
    one = hub.subscribe(everything, object_id)
    waiting = asyncio.ensure_future(one.get(60.0))
    await asyncio.sleep(0)
    hub.close()
    assert await waiting is None


async def test_parts_of_the_registry_listen_to_everything(hub):
    heard = []
    hub.listen(lambda each: heard.append(each.seq))
    hub.publish([event(1), event(2)])
    assert heard == [1, 2]
