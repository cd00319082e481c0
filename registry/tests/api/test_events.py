"""Server-sent events: live, resumed, ended, and only what a person may see."""

from __future__ import annotations

import contextlib
import json
import threading
import time

import httpx
import pytest


class Listening:
    """A stream read in a thread."""

    def __init__(self, client, path, last=None, **params):
        self.events, self.ended = [], threading.Event()
        self._opened = threading.Event()
        self._client, self._path, self._params = client, path, params
        self._headers = {"last-event-id": str(last)} if last is not None else {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._opened.wait(10)

    def _run(self):
        # The fixture closes the client when the test is over.
        with contextlib.suppress(httpx.TransportError):
            self._read()
        self._opened.set()
        self.ended.set()

    def _read(self):
        with self._client.stream("GET", self._path, params=self._params, headers=self._headers) as answer:
            self.status = answer.status_code
            one = {}
            for line in answer.iter_lines():
                self._opened.set()
                key, _, value = line.partition(": ")
                if key in ("id", "event", "data"):
                    one[key] = value
                elif not line and one:
                    self.events.append(
                        {**json.loads(one["data"]), "name": one["event"], "last": one.get("id")}
                    )
                    one = {}

    def until(self, holds, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while not holds(self.events):
            assert time.monotonic() < deadline, self.events
            time.sleep(0.02)
        return self.events


def of(events, calculation_id):
    return [event for event in events if event["id"] == calculation_id]


def test_a_calculations_stream_tells_everything_and_then_ends(ada, do):
    one = do.submit(ada)
    listening = Listening(ada, f"/api/calculations/{one}/events")
    assert listening.ended.wait(20)
    statuses = [event["status"] for event in listening.events if event["name"] == "calculation"]
    assert statuses[0] == "submitted"
    assert statuses[-1] == "successful"


def test_a_stream_is_resumed_after_the_last_event_and_tells_nothing_twice(ada, do):
    one = do.submit(ada)
    do.ended(ada, one)
    whole = Listening(ada, f"/api/calculations/{one}/events")
    assert whole.ended.wait(10)
    first = whole.events[0]["last"]
    rest = Listening(ada, f"/api/calculations/{one}/events", last=first)
    assert rest.ended.wait(10)
    assert rest.events == whole.events[1:]
    after_the_end = ada.get(
        f"/api/calculations/{one}/events", headers={"last-event-id": whole.events[-1]["last"]}
    )
    assert after_the_end.status_code == 204


def test_the_common_stream_tells_what_happens_from_now_on(ada, do):
    before = do.submit(ada)
    do.ended(ada, before)
    listening = Listening(ada, "/api/events")
    one = do.submit(ada)
    listening.until(lambda events: any(e["status"] == "successful" for e in of(events, one)))
    assert of(listening.events, before) == []


def test_what_happened_while_away_is_told_on_resuming(ada, do):
    first = do.submit(ada)
    last = Listening(ada, f"/api/calculations/{first}/events").until(bool)[0]["last"]
    one = do.submit(ada)
    do.ended(ada, one)
    listening = Listening(ada, "/api/events", last=last)
    listening.until(lambda events: any(e["status"] == "successful" for e in of(events, one)))
    numbers = [int(event["last"]) for event in listening.events if event["last"]]
    assert numbers == sorted(set(numbers))


@pytest.mark.attack(18)
def test_nobody_hears_of_other_peoples_private_things(person, do):
    ada, eve = person(), person()
    listening = Listening(eve, "/api/events", after=0)
    one = do.submit(ada)
    do.upload(ada)
    do.ended(ada, one)
    mine = do.submit(eve)
    listening.until(lambda events: of(events, mine))
    assert of(listening.events, one) == []
    assert {event["kind"] for event in listening.events if event["kind"] != "application"} <= {
        "calculation",
        "dataset",
    }
    assert ada.get(f"/api/calculations/{mine}/events").status_code == 404


def test_a_manager_hears_of_the_group(person, group, do):
    ada, boss = person(groups=[group]), person(f"manage!group={group}", groups=[group])
    listening = Listening(boss, "/api/events")
    made = do.upload(ada, group=group)["qcrbox_dataset_id"]
    do.upload(person())
    listening.until(lambda events: any(e["id"] == made for e in events) or None)


def test_kinds_can_be_chosen(ada, do):
    listening = Listening(ada, "/api/events", kinds="dataset")
    do.submit(ada)
    made = do.upload(ada)["qcrbox_dataset_id"]
    events = listening.until(bool)
    assert [event["id"] for event in events] == [made]


@pytest.mark.attack(7)
def test_a_stream_ends_when_the_right_to_listen_is_taken(registry, person, monkeypatch):
    from qcrbox_registry.access import identity, presence

    monkeypatch.setattr(presence, "CHECK_AGAIN_S", 0.1)
    monkeypatch.setattr(identity, "CACHE_S", 0.1)
    one = person()
    listening = Listening(one, "/api/events")
    assert not listening.ended.wait(0.5)
    del registry.hub.users[one.token]
    assert listening.ended.wait(10)


@pytest.mark.parametrize("last", ["x", "-1", "99999999999999999999999", ""])
def test_a_strange_last_event_id_does_no_harm(ada, do, last):
    one = do.submit(ada)
    do.ended(ada, one)
    listening = Listening(ada, f"/api/calculations/{one}/events", last=last)
    assert listening.ended.wait(10)
    assert listening.events[-1]["status"] == "successful"


@pytest.mark.parametrize("to", ["person", "group"])
def test_who_receives_a_share_hears_of_it_and_of_its_end_at_once(person, group, do, to):
    """Their streams began before: what they may see was read then."""
    ada, bob, eve = person(groups=[group]), person(groups=[group]), person()
    name = bob.get("/api/me").json()["payload"]["name"]
    eve.get("/api/me")
    made = do.upload(ada, group="")["qcrbox_dataset_id"]
    bobs, eves = Listening(bob, "/api/events"), Listening(eve, "/api/events")
    receiver = {"group": group} if to == "group" else {"person": name}
    given = ada.post("/api/shares", json={"kind": "dataset", "object_id": made, **receiver})
    share = given.json()["payload"]["shares"][0]
    assert ada.delete(f"/api/shares/{share['id']}").status_code == 204
    told = bobs.until(lambda events: len(events) == 2)
    assert [event["status"] for event in told] == ["shared", "unshared"]
    assert {event["id"] for event in told} == {made}
    assert not any("to" in event for event in told)
    assert eves.events == []
