"""An event stream goes on over a restart of the registry, from the last event that was seen."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_deadline_that_passes_during_a_restart_is_collected_after_it(restarted, hub):
    lecturer = hub.add("lecturer-r", "custom:qcrbox:teach!group=xr", groups=("xr",))
    student = hub.add("student-r", groups=("xr",))
    tasks = [{"id": "which", "title": "Which?", "kind": "answer", "accepted": ["Si"]}]
    first = restarted()
    with first.client(lecturer) as lena, first.client(student) as ada:
        lena.get("/api/me").raise_for_status()
        made = lena.post("/api/courses", json={"group": "xr", "title": "XRD"}).json()["payload"]["id"]
        body = {"title": "Quartz", "tasks": tasks}
        exercise = lena.post(f"/api/courses/{made}/exercises", json=body).json()["payload"]["id"]
        due = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
        lena.patch(f"/api/exercises/{exercise}", json={"published": True, "due_at": due}).raise_for_status()
        ada.post(f"/api/exercises/{exercise}/open").raise_for_status()
        ada.put(f"/api/exercises/{exercise}/answers/which", json={"value": "Si"}).raise_for_status()
        assert ada.get(f"/api/exercises/{exercise}/own").json()["payload"]["snapshots"] == []
    # The hour passes while the registry is down: its next life finds a deadline that is over.
    first.serving.stop()
    passed = time.time() - 60
    engine = sa.create_engine(f"sqlite:///{first.data / 'qcrbox.sqlite'}")
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE exercises SET due_at = :at"), {"at": passed})
    engine.dispose()
    second = restarted()
    with second.client(student) as ada:
        for _ in range(600):
            found = ada.get(f"/api/exercises/{exercise}/own").json()["payload"]["snapshots"]
            if found:
                break
            time.sleep(0.1)
        assert [(each["reason"], each["late"]) for each in found] == [("collected", False)]
        assert ada.post(f"/api/exercises/{exercise}/submit").status_code == 409
