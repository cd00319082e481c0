"""The feed of events on a real connection: resumed, restarted, ended when nothing is watched."""

from __future__ import annotations

import threading
import time

import pytest
from qcrbox.client import events as module
from qcrbox.client.events import EventFeed
from qcrbox.client.http import RegistryClient

from ..small_server import Drop, Stream, refusal


class Watched:
    """A calculation that keeps what it is told."""

    def __init__(self, name="c1", waits=False):
        self.id, self.waits = name, waits
        self.events, self.records, self.refreshed, self.changes = [], [], 0, 0
        self._news = threading.Condition()

    def _tell(self):
        with self._news:
            self._news.notify_all()

    def refresh(self):
        self.refreshed += 1
        self._tell()

    def take_record(self, record):
        self.records.append(record)
        self._tell()

    def take_event(self, name, data):
        self.events.append((name, data.get("n")))
        self._tell()

    def changed(self):
        self.changes += 1
        self._tell()

    def until(self, true, timeout=60.0):
        with self._news:
            assert self._news.wait_for(lambda: true(self), timeout), "it did not come about"


def told(n, about="c1", number=None):
    return f'id: {number or n}\nevent: progress\ndata: {{"id": "{about}", "n": {n}}}\n\n'


@pytest.fixture
def feed(server, monkeypatch):
    monkeypatch.setattr(module, "_RECONNECT_DELAYS_S", (0.01,))
    monkeypatch.setattr(module, "_QUEUE_S", 0.01)
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", ())
    client = RegistryClient(server.url)
    made = EventFeed(client)
    yield made
    made.close()
    client.close()


def held(*pieces):
    """A stream that sends these pieces and stays open until the test ends it by `.set()`."""
    over = threading.Event()

    def run():
        yield from pieces
        over.wait(10)

    return Stream(run()), over


def test_an_event_reaches_the_calculation_that_it_is_about_and_no_other(server, feed):
    server["GET /api/events"], over = held(told(1), told(2, "other"), told(3))
    one = Watched()
    feed.watch(one)
    one.until(lambda w: len(w.events) == 2)
    over.set()
    assert one.events == [("progress", 1), ("progress", 3)]


def test_the_connection_goes_on_after_the_last_event_that_was_seen(server, feed):
    stream, over = held()
    server["GET /api/events"] = [Stream([told(7)]), Drop(), stream]
    one = Watched()
    feed.watch(one)
    one.until(lambda w: w.refreshed >= 2)
    over.set()
    resumed = [request.headers.get("last-event-id") for request in server.sent("GET /api/events")]
    assert resumed == [None, "7", "7"]


def test_progress_outside_the_sequence_does_not_move_the_place_to_go_on_from(server, feed):
    stream, over = held()
    server["GET /api/events"] = [Stream([told(7), told(8, number="0")]), stream]
    one = Watched()
    feed.watch(one)
    one.until(lambda w: w.refreshed >= 2)
    over.set()
    assert server.sent("GET /api/events")[1].headers["last-event-id"] == "7"


def test_each_connection_reads_every_record_once(server, feed):
    stream, over = held()
    server["GET /api/events"] = [Stream([]), Stream([]), stream]
    one, other = Watched("c1"), Watched("c2")
    feed.watch(one)
    feed.watch(other)
    for each in (one, other):
        each.until(lambda w: w.refreshed >= 2)
    over.set()


def test_a_loss_is_told_with_its_time_and_ends_with_the_next_connection(server, feed):
    stream, over = held()
    away = threading.Event()

    def answer(_):
        return stream if away.is_set() else Drop()

    server["GET /api/events"] = answer
    one = Watched()
    feed.watch(one)
    one.until(lambda w: w.changes > 0)
    assert feed.lost_s is not None
    assert not feed.connected
    away.set()
    one.until(lambda w: w.refreshed > 0)
    assert feed.connected
    assert feed.lost_s is None
    over.set()


def test_without_an_identity_nothing_is_tried_again(server, feed):
    server["GET /api/events"] = refusal(401, "not_signed_in", "Sign in.")
    one = Watched()
    feed.watch(one)
    one.until(lambda w: w.changes > 0)
    feed._thread.join(5)
    assert not feed._thread.is_alive()
    assert len(server.sent("GET /api/events")) == 1


def test_a_new_calculation_starts_a_feed_that_has_ended(server, feed):
    stream, over = held(told(1, "c2"))
    server["GET /api/events"] = [refusal(401, "not_signed_in", "Sign in."), stream]
    one = Watched()
    feed.watch(one)
    one.until(lambda w: w.changes > 0)
    feed._thread.join(5)
    other = Watched("c2")
    feed.watch(other)
    other.until(lambda w: w.events)
    over.set()


def test_one_that_is_released_hears_nothing_more(server, feed):
    go = threading.Event()

    def pieces():
        yield told(1)
        go.wait(10)
        yield told(2)
        yield told(3, "c2")

    server["GET /api/events"] = Stream(pieces())
    one, other = Watched("c1"), Watched("c2")
    feed.watch(one)
    feed.watch(other)
    one.until(lambda w: w.events)
    feed.release("c1")
    go.set()
    other.until(lambda w: w.events)
    assert one.events == [("progress", 1)]


def test_with_nothing_to_watch_the_connection_ends_after_a_while(server, feed, monkeypatch):
    monkeypatch.setattr(module, "_LINGER_S", 0.0)
    go = threading.Event()

    def pieces():
        yield told(1)
        go.wait(10)
        yield told(2)
        yield told(3)

    server["GET /api/events"] = lambda _: Stream(pieces())
    one = Watched()
    feed.watch(one)
    one.until(lambda w: w.events)
    thread = feed._thread
    feed.release("c1")
    go.set()
    thread.join(5)
    assert not thread.is_alive()
    assert not feed.connected


def test_places_in_the_queue_are_asked_for_all_in_one_until_none_waits(server, feed):
    stream, over = held()
    server["GET /api/events"] = stream
    server["GET /api/calculations"] = {
        "calculations": [{"calculation_id": "c1", "queue": {"place": 2}}, {"calculation_id": "x"}]
    }
    one, other = Watched("c1", waits=True), Watched("c2", waits=True)
    feed.watch(one)
    feed.watch(other)
    one.until(lambda w: len(w.records) >= 2)
    one.waits = other.waits = False
    end = time.monotonic() + 60
    while feed._queue_thread is not None and time.monotonic() < end:
        threading.Event().wait(0.01)
    assert feed._queue_thread is None
    assert server.sent("GET /api/calculations")[0].query == {"status": "submitted", "limit": "1000"}
    over.set()


@pytest.mark.parametrize("answer", [Drop(), {}, refusal(500, "error", "odd")], ids=["away", "odd", "refused"])
def test_a_queue_that_cannot_be_read_is_asked_for_again(server, feed, answer):
    stream, over = held()
    server["GET /api/events"] = stream
    found = {"calculations": [{"calculation_id": "c1"}]}
    server["GET /api/calculations"] = [answer, answer, found]
    one = Watched(waits=True)
    feed.watch(one)
    one.until(lambda w: w.records)
    over.set()


def test_a_closed_feed_watches_nothing(server, feed):
    feed.close()
    feed.watch(Watched())
    assert feed.watched == []
    assert feed._thread is None
    assert not server.requests
