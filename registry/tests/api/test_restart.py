"""An event stream goes on over a restart of the registry, from the last event that was seen."""

from __future__ import annotations

import time

import pytest
from qcrbox_registry.app import create_app
from qcrbox_registry.messaging import server as nats_server
from qcrbox_registry.settings import Settings


@pytest.fixture
def restarted(tmp_path, applications, hub, hub_url, api_parts):
    """`start()` serves a registry on one data folder and one NATS; called again it is the next life of it."""
    secret = tmp_path / "hub-token"
    secret.write_text(hub.service_token)
    nats = nats_server.start(nats_server.ServerPlan(data=tmp_path, power_loss_safe=False))
    settings = Settings(
        data=tmp_path, auth="hub", hub_api_url=f"{hub_url}/hub/api", hub_token_file=secret,
        applications=[applications], nats_url=nats.url,
    )  # fmt: skip
    lives = []

    def start():
        while lives:
            lives.pop().serving.stop()
        app = create_app(settings)
        serving = api_parts.Serving(app).start()
        lives.append(api_parts.Registry(serving, hub, app, tmp_path))
        return lives[0]

    yield start
    for life in lives:
        life.serving.stop()
    nats.stop()


def read_until(client, path, enough, **headers):
    found, deadline = [], time.monotonic() + 90
    with client.stream("GET", path, headers=headers) as answer:
        one = {}
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key in ("id", "event"):
                one[key] = value
            elif not line and one:
                found.append((int(one["id"]), one["event"]))
                one = {}
            if enough(found):
                return found
            assert time.monotonic() < deadline, found
    return found


def test_a_stream_is_resumed_in_the_next_life_of_the_registry_without_a_gap_or_a_repeat(restarted, hub, do):
    token = hub.add("resuming")
    first = restarted()
    with first.client(token) as ada:
        do.upload(ada)
        do.upload(ada)
        before = read_until(ada, "/api/events?kinds=dataset&after=0", lambda found: len(found) >= 2)
    second = restarted()
    with second.client(token) as ada:
        do.upload(ada)
        last = before[0][0]  # the connection broke after the first of the two
        after = read_until(
            ada, "/api/events?kinds=dataset", lambda found: len(found) >= 2, **{"last-event-id": str(last)}
        )
    assert after[0] == before[1]
    assert [number for number, _ in after] == sorted({number for number, _ in after})
    assert len(after) == 2
