"""Retention rules over REST: for administrators, with a reason, run by housekeeping and audited."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa
from qcrbox_registry.store.tables import data_files, datasets, groups

DAY_S = 86400.0
RULES = "/api/retention/rules"


@pytest.fixture
def rule(person, group):
    """Stores a rule of a fresh group; returns (administrator, rule) and removes it afterwards."""
    root, ada = person("admin"), person(groups=[group])
    assert ada.get("/api/me").status_code == 200
    body = {"unused_days": 30, "group": group, "reason": "end of the course"}
    made = root.post(RULES, json=body)
    assert made.status_code == 201, made.text
    stored = made.json()["payload"]["rules"][0]
    yield root, ada, stored
    root.delete(f"{RULES}/{stored['id']}", params={"reason": "test is over"})


@pytest.fixture
def old_output(registry, do):
    def make(client, group):
        dataset_id = do.upload(client, group=group)["qcrbox_dataset_id"]
        at = time.time() - 100 * DAY_S

        def write(conn):
            mine = datasets.c.id == dataset_id
            conn.execute(sa.update(datasets).where(mine).values(kind="output", created_at=at, changed_at=at))
            conn.execute(
                sa.update(data_files).where(data_files.c.dataset_id == dataset_id).values(created_at=at)
            )

        registry.write(write)
        return dataset_id

    return make


def run_due(registry, now):
    return registry.serving.do(registry.core.retention.run_due(now))


def listed(root, rule_id):
    rules = root.get(RULES).json()["payload"]["rules"]
    return next((each for each in rules if each["id"] == rule_id), None)


def test_rule_runs_a_day_later_and_its_work_is_in_the_audit_trail(registry, rule, group, old_output):
    root, ada, stored = rule
    old = old_output(ada, group)
    run_due(registry, time.time() + DAY_S / 2)
    assert ada.get(f"/api/datasets/{old}").status_code == 200, "an administrator has a day to think again"
    run_due(registry, time.time() + DAY_S + 60)
    assert ada.get(f"/api/datasets/{old}").status_code == 404
    shown = listed(root, stored["id"])
    assert shown["last_run"]["datasets"] == 1
    assert shown["last_run_at"] is not None
    trail = root.get("/api/audit", params={"action": "run retention rule"}).json()["payload"]["audit"]
    entry = next(each for each in trail if each["object_id"] == str(stored["id"]))
    assert entry["who"] == "registry"
    assert (entry["details"]["ids"], entry["details"]["rule_of"]) == ([old], root.name)
    assert entry["details"]["reason"] == "end of the course"
    assert ada.post(f"/api/datasets/{old}/restore").status_code == 200, "its owner brings it back"


def test_rule_of_a_deleted_group_touches_nothing(registry, rule, group, old_output):
    _, ada, _ = rule
    old = old_output(ada, group)

    def gone(at):
        registry.write(
            lambda conn: conn.execute(sa.update(groups).where(groups.c.name == group).values(gone_at=at))
        )

    gone(time.time())
    run_due(registry, time.time() + 2 * DAY_S)
    gone(None)
    assert ada.get(f"/api/datasets/{old}").status_code == 200


def test_rule_needs_a_reason_and_days_that_make_sense(person):
    root = person("admin")
    for more in ({}, {"reason": "  "}):
        refused = root.post(RULES, json={"unused_days": 30, **more})
        assert refused.status_code == 422, refused.text
        assert "reason is needed" in refused.text
    assert root.post(RULES, json={"unused_days": 1, "reason": "x"}).status_code in (400, 422)
    unknown = {"unused_days": 30, "group": "no-such-group", "reason": "x"}
    assert root.post(RULES, json=unknown).status_code == 404


def test_removing_needs_a_reason_and_is_audited(rule):
    root, _, stored = rule
    path = f"{RULES}/{stored['id']}"
    assert root.delete(path).status_code == 422
    assert listed(root, stored["id"]) is not None
    assert root.delete(path, params={"reason": "they asked"}).status_code == 204
    assert root.delete(path, params={"reason": "they asked"}).status_code == 404
    trail = root.get("/api/audit", params={"action": "remove retention rule"}).json()["payload"]["audit"]
    assert "they asked" in str([each["details"] for each in trail])


@pytest.mark.parametrize("scopes", [(), ("data!group=g",), ("manage!group=g",), ("applications",)])
def test_rules_are_the_administrators(person, scopes):
    other = person(*scopes, groups=["g"])
    assert other.get(RULES).status_code in (403, 404)
    assert other.post(RULES, json={"unused_days": 30, "reason": "x"}).status_code in (403, 404)
    assert other.delete(f"{RULES}/1", params={"reason": "x"}).status_code in (403, 404)
