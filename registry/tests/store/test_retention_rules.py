"""Rules that put old outputs into the trash every day: stored once for each group, due a day later, then daily."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Conflict, NotFound
from qcrbox_registry.store import people, retention_rules, schema
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.retention import Amount
from qcrbox_registry.store.retention_rules import EVERY_S, MOST_RULES, NewRule

NOW = 1_750_000_000.0


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'rules.sqlite'}")
    schema.migrate(made)
    yield made
    made.close()


@pytest.fixture
def root(database):
    return database.write_sync(lambda conn: people.ensure_person(conn, "root", "2026", NOW))


@pytest.fixture
def physics(database):
    return database.write_sync(lambda conn: people.ensure_groups(conn, ["physics"], NOW))["physics"]


def add(database, by_id, days=90.0, group_id=None, reason="disk is full", now=NOW):
    rule = NewRule(days, group_id, reason)
    return database.write_sync(lambda conn: retention_rules.add(conn, rule, by_id, now))


def test_rule_is_kept_with_who_why_and_for_which_group(database, root, physics):
    add(database, root)
    add(database, root, 30, physics, "end of the course")
    everyone, course = database.read_sync(retention_rules.listed)
    assert (everyone.unused_days, everyone.group, everyone.by, everyone.reason) == (
        90,
        None,
        "root",
        "disk is full",
    )
    assert (course.group, course.group_gone_at, course.reason) == ("physics", None, "end of the course")
    assert course.last_run_at is None


@pytest.mark.parametrize("of_group", [False, True], ids=["everyone", "a group"])
def test_second_rule_for_the_same_outputs_is_refused(database, root, physics, of_group):
    group_id = physics if of_group else None
    add(database, root, group_id=group_id)
    with pytest.raises(Conflict, match="already"):
        add(database, root, 365, group_id)
    assert len(database.read_sync(retention_rules.listed)) == 1


def test_number_of_rules_is_limited(database, root):
    names = [f"group-{number:03}" for number in range(MOST_RULES)]
    ids = database.write_sync(lambda conn: people.ensure_groups(conn, names, NOW))
    for group_id in ids.values():
        add(database, root, group_id=group_id)
    with pytest.raises(Conflict, match=str(MOST_RULES)):
        add(database, root)


def test_rule_is_due_a_day_after_it_was_stored_and_a_day_after_each_run(database, root):
    rule = add(database, root)
    assert rule.due_at == NOW + EVERY_S
    done = Amount(3, 7, 2**40)
    database.write_sync(lambda conn: retention_rules.note_run(conn, rule.id, done, NOW + 2 * EVERY_S))
    after = database.read_sync(lambda conn: retention_rules.get(conn, rule.id))
    assert after.due_at == NOW + 3 * EVERY_S
    assert (after.datasets, after.files, after.bytes) == (3, 7, 2**40)


def test_removed_rule_is_gone_and_its_group_may_have_another(database, root):
    rule = add(database, root)
    assert database.write_sync(lambda conn: retention_rules.remove(conn, rule.id)).reason == "disk is full"
    with pytest.raises(NotFound):
        database.write_sync(lambda conn: retention_rules.remove(conn, rule.id))
    assert add(database, root, 365).unused_days == 365
