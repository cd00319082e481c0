"""What destroys something is refused without a reason (422), and the audit trail keeps the reason."""

from __future__ import annotations

import pytest


@pytest.fixture
def root(person):
    return person("admin")


def application_of(client):
    return client.get("/api/applications").json()["payload"]["applications"][0]["id"]


ACTS = {
    "retire": lambda number: ("DELETE", f"/api/applications/{number}", {}),
    "hold an application": lambda number: (
        "POST",
        f"/api/applications/{number}/hold",
        {"json": {"mode": "hold"}},
    ),
    "hold the site": lambda _: ("PUT", "/api/holds", {"json": {"kind": "site", "mode": "drain"}}),
    "stop an agent": lambda _: ("DELETE", "/api/agents/some-agent", {}),
    "empty the trash": lambda _: (
        "POST",
        "/api/trash/empty",
        {"json": {"older_than_days": 1, "dry_run": False}},
    ),
    "retention": lambda _: ("POST", "/api/retention", {"json": {"unused_days": 30, "dry_run": False}}),
    "leftovers": lambda _: (
        "POST",
        "/api/leftovers",
        {"json": {"subject": "person", "id": 1, "decision": "archive"}},
    ),
    "revoke a launcher": lambda _: ("DELETE", "/api/launchers/passes/none", {}),
}


@pytest.mark.parametrize("reason", [None, "", "   "], ids=["none", "empty", "blank"])
@pytest.mark.parametrize("act", ACTS)
def test_destructive_act_without_a_reason_changes_nothing(root, act, reason):
    method, path, more = ACTS[act](application_of(root))
    if reason is not None:
        if "json" in more:
            more["json"]["reason"] = reason
        else:
            more["params"] = {"reason": reason}
    answer = root.request(method, path, **more)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["kind"] == "reason_needed"
    assert root.get("/api/holds").json()["payload"]["holds"] == []
    assert application_of(root)


@pytest.mark.parametrize("act", ACTS)
def test_stranger_learns_nothing_from_a_missing_reason(person, root, act):
    method, path, more = ACTS[act](application_of(root))
    assert person().request(method, path, **more).status_code in (403, 404)


def test_dry_runs_need_no_reason(root):
    assert root.post("/api/trash/empty", json={"older_than_days": 1}).status_code == 200
    assert root.post("/api/retention", json={"unused_days": 30}).status_code == 200


def test_lifting_a_hold_needs_no_reason(root):
    assert root.put("/api/holds", json={"kind": "site", "mode": None}).status_code == 200


def test_cancelling_needs_a_reason_for_what_is_someone_elses(person, group, do, root):
    owner = person(groups=[group])
    manager = person(f"manage!group={group}", groups=[group])
    hold = f"/api/applications/{application_of(root)}/hold"
    root.post(hold, json={"mode": "hold", "reason": "test"})
    try:
        body = {
            "application_slug": "practice",
            "application_version": "1",
            "command_name": "noop",
            "command_arguments": {},
            "group": group,
        }
        mine, theirs = (
            owner.post("/api/commands", json=body).json()["payload"]["calculation_id"] for _ in range(2)
        )
        for answer in (
            manager.post(f"/api/calculations/{theirs}/stop"),
            manager.post("/api/calculations/stop", json={"calculation_ids": [theirs]}),
        ):
            assert answer.status_code == 422, answer.text
        assert do.ended(owner, theirs, wait=0)["status"] == "submitted"
        answer = manager.post(
            "/api/calculations/stop", json={"calculation_ids": [theirs], "reason": "wrong cell"}
        )
        assert answer.status_code == 200, answer.text
        assert owner.post(f"/api/calculations/{mine}/stop").status_code == 200, "one's own needs none"
    finally:
        root.post(hold, json={"mode": None})
    trail = root.get("/api/audit", params={"action": "cancel", "object_id": theirs}).json()["payload"][
        "audit"
    ]
    assert trail[0]["details"]["reason"] == "wrong cell"
