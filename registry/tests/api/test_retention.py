"""Old outputs that nobody uses go into the trash: counted first, and never what is new, used, shared or unfinished."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa
from qcrbox_registry.store.tables import calculations, data_files, datasets

DAY_S = 86400.0
DAYS = 30


@pytest.fixture
def old_output(registry, do):
    """Makes a dataset as an output that was made so many days ago, and returns (dataset id, file id)."""

    def make(client, group="", days=DAYS + 1, kind="output"):
        dataset = do.upload(client, group=group)
        dataset_id, file_id = dataset["qcrbox_dataset_id"], do.file_id(dataset)
        at = time.time() - days * DAY_S

        def write(conn):
            mine = datasets.c.id == dataset_id
            conn.execute(sa.update(datasets).where(mine).values(kind=kind, created_at=at, changed_at=at))
            conn.execute(sa.update(data_files).where(data_files.c.id == file_id).values(created_at=at))

        registry.write(write)
        return dataset_id, file_id

    return make


def apply(client, group, **more):
    answer = client.post("/api/retention", json={"unused_days": DAYS, "group": group, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["payload"]


def is_there(client, dataset_id):
    return client.get(f"/api/datasets/{dataset_id}").status_code == 200


def test_old_outputs_are_counted_then_moved_and_can_be_brought_back(person, group, do, old_output, cif):
    ada, root = person(groups=[group]), person("admin")
    old, _ = old_output(ada, group)
    kept = {
        "new": old_output(ada, group, days=DAYS - 1)[0],
        "data of a person": old_output(ada, group, kind="data")[0],
        "of no group": old_output(ada)[0],
    }
    used_before = root.get("/api/usage", params={"group": [group]}).json()["payload"]["usage"][0]["gib"]
    counted = apply(root, group)
    assert counted == {"datasets": 1, "files": 1, "bytes": len(cif)}
    assert is_there(ada, old), "a dry run changes nothing"
    assert apply(root, group, dry_run=False, reason="disk is full") == counted
    assert not is_there(ada, old)
    assert all(is_there(ada, dataset_id) for dataset_id in kept.values()), kept
    assert apply(root, group, dry_run=False, reason="again")["datasets"] == 0
    used = root.get("/api/usage", params={"group": [group]}).json()["payload"]["usage"][0]["gib"]
    assert used < used_before
    trail = root.get("/api/audit", params={"action": "apply retention"}).json()["payload"]
    entry = next(each for each in trail["audit"] if each["details"].get("group") == group)
    assert (entry["details"]["reason"], entry["details"]["ids"]) == ("disk is full", [old])
    assert ada.post(f"/api/datasets/{old}/restore").status_code == 200
    assert is_there(ada, old)


def test_what_a_calculation_used_lately_or_waits_for_is_kept(registry, person, group, do, old_output):
    ada, root = person(groups=[group]), person("admin")
    dataset_id, file_id = old_output(ada, group)
    calculation = do.submit(ada, "read", structure={"data_file_id": file_id})
    do.ended(ada, calculation)
    assert apply(root, group)["datasets"] == 0

    def long_ago(**values):
        mine = sa.update(calculations).where(calculations.c.id == calculation)
        registry.write(lambda conn: conn.execute(mine.values(**values)))

    then = time.time() - (DAYS + 1) * DAY_S
    long_ago(submitted_at=then, finished_at=None)
    assert apply(root, group)["datasets"] == 0, "it has not ended"
    long_ago(finished_at=then)
    assert apply(root, group)["datasets"] == 1
    made = sa.update(datasets).where(datasets.c.id == dataset_id)
    registry.write(lambda conn: conn.execute(made.values(calculation_id=calculation)))
    long_ago(finished_at=None, submitted_at=then)
    assert apply(root, group)["datasets"] == 0, "its own calculation has not ended"


@pytest.mark.parametrize("kind", ["dataset", "data_file"])
def test_what_is_shared_with_someone_is_kept_until_the_share_ends(person, group, old_output, kind):
    ada, bob, root = person(groups=[group]), person(), person("admin")
    assert bob.get("/api/me").status_code == 200
    dataset_id, file_id = old_output(ada, group)
    body = {"kind": kind, "object_id": dataset_id if kind == "dataset" else file_id, "person": bob.name}
    made = ada.post("/api/shares", json=body)
    assert made.status_code == 201, made.text
    assert apply(root, group)["datasets"] == 0
    share_id = made.json()["payload"]["shares"][0]["id"]
    assert ada.delete(f"/api/shares/{share_id}").status_code in (200, 204)
    assert apply(root, group)["datasets"] == 1


def test_only_administrators_and_only_rules_that_make_sense(person, group):
    ada, root = person(groups=[group]), person("admin")
    assert ada.post("/api/retention", json={"unused_days": 30}).status_code == 404
    assert root.post("/api/retention", json={"unused_days": 0.5}).status_code in (400, 422)
    assert root.post("/api/retention", json={"unused_days": 30, "group": "no-such-group"}).status_code == 404
