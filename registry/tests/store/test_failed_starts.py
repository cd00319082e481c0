"""Starts of agents that failed, with the end of their output."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.store import agents, schema
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.tables import applications

NOW = 1_750_000_000.0


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'agents.sqlite'}")
    schema.migrate(made)
    row = {"version": "1", "name": "x", "spec": {}, "spec_hash": "", "registered_at": NOW, "updated_at": NOW}
    made.write_sync(
        lambda conn: conn.execute(
            sa.insert(applications), [{"id": 1, "slug": "a", **row}, {"id": 2, "slug": "b", **row}]
        )
    )
    yield made
    made.close()


@pytest.fixture
def fail(database):
    def act(agent, at, reason="exit", log="Traceback", application=1):
        def write(conn):
            agents.request(conn, agent, application, "local", at - 5)
            agents.note_gone(conn, agent, reason, 1, at)
            agents.note_failed_start(conn, agent, log)

        database.write_sync(write)

    return act


def found(database, most=10, application=1):
    return database.read_sync(lambda conn: agents.failed_starts(conn, application, most))


def test_newest_comes_first_and_no_more_than_asked_for(database, fail):
    for number in range(4):
        fail(f"a{number}", NOW + number, reason=f"reason {number}")
    assert [each.reason for each in found(database, most=2)] == ["reason 3", "reason 2"]
    newest = found(database)[0]
    assert (newest.id, newest.exit_code, newest.log, newest.requested_at) == ("a3", 1, "Traceback", NOW - 2)


def test_other_applications_and_agents_that_came_up_are_left_out(database, fail):
    fail("other", NOW, application=2)

    def live(conn):
        agents.request(conn, "good", 1, "local", NOW)
        agents.note_ready(conn, "good", "idle", agents.Reported("h", 1, "1", []), NOW)
        agents.note_gone(conn, "good", "idle too long", None, NOW)
        agents.note_failed_start(conn, "good", "data of a person")

    database.write_sync(live)
    assert found(database) == [], "what an agent wrote after it was ready may be about people's data"
    assert len(found(database, application=2)) == 1


def test_end_of_a_long_output_is_kept_without_nul(database, fail):
    fail("long", NOW, log="x" * 100_000 + "\x00the last line")
    (only,) = found(database)
    assert len(only.log) == agents.MOST_LOG
    assert only.log.endswith("xthe last line")


def test_agent_that_ended_without_a_fault_is_no_failed_start(database):
    def write(conn):
        agents.request(conn, "waited", 1, "local", NOW)
        agents.note_gone(conn, "waited", "its launcher had no capacity for it", None, NOW)

    database.write_sync(write)
    assert found(database) == []
