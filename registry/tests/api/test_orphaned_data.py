"""Groups and accounts that are gone: nothing disappears, an administrator decides, a decision can be undone."""

from __future__ import annotations

import pytest
from qcrbox_registry.services import offboarding


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """What was made a moment ago may be gone as well."""
    monkeypatch.setattr(offboarding, "YOUNG_S", -1.0)


@pytest.fixture
def lab(registry, person, group, do):
    """Ada's dataset, lone file and calculation in a group that is then deleted at the hub; and a private dataset."""

    class Lab:
        ada, root, name = person(groups=[group]), person("admin"), group

    made = Lab()
    dataset = do.upload(made.ada, group=group)
    made.dataset_id, made.file_id = dataset["qcrbox_dataset_id"], do.file_id(dataset)
    lone = made.ada.post("/api/data-files", files={"file": ("a.hkl", b"1 2 3\n")}, data={"group": group})
    made.lone_id = lone.json()["payload"]["data_files"][0]["qcrbox_file_id"]
    made.calculation_id = do.submit(made.ada, "read", structure={"data_file_id": made.file_id})
    do.ended(made.ada, made.calculation_id)
    made.private_id = do.upload(made.ada, group="")["qcrbox_dataset_id"]
    registry.hub.delete_group(group)
    for cached in registry.context.identity._cache.values():
        cached.at -= 5.1
    return made


def leftover(root, name, subject="group"):
    found = root.get("/api/leftovers").json()["payload"]["leftovers"]
    return next((one for one in found if one["subject"] == subject and one["name"].startswith(name)), None)


def decided(root, left, decision, **more):
    body = {"subject": left["subject"], "id": left["id"], "decision": decision, "reason": "a test", **more}
    return root.post("/api/leftovers", json=body)


def group_of(client, lab):
    return client.get(f"/api/datasets/{lab.dataset_id}").json()["payload"]["datasets"][0]["group"]


def test_a_deleted_groups_data_stays_with_its_owners_and_waits_for_a_decision(lab):
    left = leftover(lab.root, lab.name)
    assert (left["datasets"], left["data_files"], left["calculations"], left["decision"]) == (1, 2, 1, None)
    assert left["bytes"] > 0
    assert lab.ada.get(f"/api/data-files/{lab.file_id}/download").status_code == 200
    assert lab.ada.get("/api/leftovers").status_code == 404


def test_a_group_made_anew_under_the_old_name_gets_nothing_of_the_old_one(registry, lab, person):
    leftover(lab.root, lab.name)
    registry.hub.deleted_groups.discard(lab.name)
    eve = person(groups=[lab.name])
    assert eve.get("/api/me").json()["payload"]["groups"] == [lab.name]
    assert eve.get(f"/api/datasets/{lab.dataset_id}").status_code == 404
    assert eve.get(f"/api/calculations/{lab.calculation_id}").status_code == 404


def test_data_handed_to_another_group_is_seen_there_and_an_undo_takes_it_back(lab, person):
    other = f"{lab.name}-heirs"
    bob = person(groups=[other])
    bob.get("/api/me")
    left = leftover(lab.root, lab.name)
    answer = decided(lab.root, left, "group", to=other, reason="They go on with it.")
    assert answer.status_code == 201, answer.text
    assert answer.json()["payload"]["objects"] == {"dataset": 1, "data_file": 1, "calculation": 1}
    ways = [f"/api/datasets/{lab.dataset_id}", f"/api/data-files/{lab.file_id}/download",
            f"/api/data-files/{lab.lone_id}", f"/api/calculations/{lab.calculation_id}"]  # fmt: skip
    assert {bob.get(way).status_code for way in ways} == {200}
    assert bob.get(f"/api/datasets/{lab.private_id}").status_code == 404
    assert leftover(lab.root, lab.name) is None
    again = decided(lab.root, left, "group", to=other).json()["payload"]
    assert set(again["objects"].values()) == {0}
    undone = lab.root.post(f"/api/leftovers/decisions/{answer.json()['payload']['decision_id']}/undo")
    assert undone.json()["payload"]["objects"] == 3
    assert {bob.get(way).status_code for way in ways} == {404}
    assert leftover(lab.root, lab.name)["datasets"] == 1
    twice = lab.root.post(f"/api/leftovers/decisions/{answer.json()['payload']['decision_id']}/undo")
    assert (twice.status_code, twice.json()["payload"]["objects"]) == (200, 0)


def test_data_given_back_to_the_owners_is_private(lab):
    left = leftover(lab.root, lab.name)
    assert decided(lab.root, left, "owners").status_code == 201
    assert group_of(lab.ada, lab) is None


def test_deleted_leftovers_are_in_the_bin_and_come_back(lab):
    left = leftover(lab.root, lab.name)
    made = decided(lab.root, left, "delete").json()["payload"]
    assert made["objects"] == {"dataset": 1, "data_file": 1}
    assert lab.ada.get(f"/api/datasets/{lab.dataset_id}").status_code == 404
    # The record of what was calculated is never deleted.
    assert lab.ada.get(f"/api/calculations/{lab.calculation_id}").status_code == 200
    lab.root.post(f"/api/leftovers/decisions/{made['decision_id']}/undo")
    assert lab.ada.get(f"/api/data-files/{lab.file_id}/download").status_code == 200
    assert lab.ada.get(f"/api/data-files/{lab.lone_id}/download").status_code == 200


def test_archived_leftovers_stay_as_they_are_and_say_so(lab):
    left = leftover(lab.root, lab.name)
    assert decided(lab.root, left, "archive").status_code == 201
    assert leftover(lab.root, lab.name)["decision"] == "archive"
    assert lab.ada.get(f"/api/datasets/{lab.dataset_id}").status_code == 200


def test_bytes_are_counted_for_whom_they_were_handed_to(lab, person, registry):
    other = f"{lab.name}-heirs"
    person(groups=[other]).get("/api/me")
    decided(lab.root, leftover(lab.root, lab.name), "group", to=other)

    def stored(conn):

        from qcrbox_registry.store import people, quotas

        return quotas.used(conn, "group", people.find_group(conn, other), "gib") * 1024**3

    files = lab.ada.get(f"/api/datasets/{lab.dataset_id}").json()["payload"]["datasets"][0]["data_files"]
    assert registry.read(stored) == pytest.approx(sum(one["size"] for one in files.values()) + 6)


def test_private_data_of_an_account_that_is_gone_is_handed_to_a_person(registry, lab, person):
    heir = person()
    heir.get("/api/me")
    del registry.hub.users[lab.ada.token]
    left = leftover(lab.root, lab.ada.name, "person")
    assert (left["datasets"], left["held_until"] > left["gone_at"]) == (1, True)
    assert decided(lab.root, left, "owners").status_code == 400
    assert decided(lab.root, left, "person").status_code == 400
    assert decided(lab.root, left, "person", to=heir.name).status_code == 201
    shown = heir.get(f"/api/datasets/{lab.private_id}").json()["payload"]["datasets"][0]
    assert shown["owner"] == heir.name
    # What belonged to a group stays with the group.
    assert heir.get(f"/api/datasets/{lab.dataset_id}").status_code == 404


def test_an_account_that_is_there_is_no_leftover(lab, person):
    bob = person()
    bob.get("/api/me")
    assert leftover(lab.root, bob.name, "person") is None
    assert decided(lab.root, {"subject": "person", "id": 1}, "archive").status_code == 404


def test_a_hub_that_does_not_answer_makes_nobody_gone(registry, lab, person):
    bob = person()
    bob.get("/api/me")
    registry.hub.is_down = True
    try:
        registry.serving.do(offboarding.mark_departed(registry.context))
    finally:
        registry.hub.is_down = False
    assert leftover(lab.root, bob.name, "person") is None


def test_every_decision_is_audited(registry, lab):
    made = decided(lab.root, leftover(lab.root, lab.name), "owners", reason="asked for").json()["payload"]
    lab.root.post(f"/api/leftovers/decisions/{made['decision_id']}/undo")
    seen = lab.root.get("/api/audit", params={"who": lab.root.name}).json()["payload"]["audit"]
    acts = [(one["action"], one["details"]["handover"]) for one in seen if "leftovers" in one["action"]]
    assert acts == [("undo leftovers", made["decision_id"]), ("decide leftovers", made["decision_id"])]
    (listed,) = [
        one
        for one in lab.root.get("/api/leftovers/decisions").json()["payload"]["decisions"]
        if one["decision_id"] == made["decision_id"]
    ]
    assert (listed["by"], listed["reason"]) == (lab.root.name, "asked for")
    assert listed["undone_at"]
