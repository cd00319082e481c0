"""Sharing with a group from beginning to end: who is in it reads, who leaves it is out within five seconds."""

from __future__ import annotations

import pytest
from qcrbox_registry.access import presence


@pytest.fixture
def team(registry, person, group, do):
    """Ada's private dataset, shared with a group that bob is in; `later()` lets the cache of tokens grow old."""

    class Team:
        ada, bob = person(groups=[group]), person(groups=[group])
        name = group

        def leave(self, client):
            registry.hub.users[client.token]["groups"].remove(group)
            self.later()

        def join(self, client):
            registry.hub.users[client.token]["groups"].append(group)
            self.later()

        @staticmethod
        def later():
            for cached in registry.context.identity._cache.values():
                cached.at -= 5.1

    made = Team()
    made.bob.get("/api/me")
    dataset = do.upload(made.ada, group="")
    made.dataset_id, made.file_id = dataset["qcrbox_dataset_id"], do.file_id(dataset)
    share = {"kind": "dataset", "object_id": made.dataset_id, "group": group}
    answer = made.ada.post("/api/shares", json=share)
    assert answer.status_code == 201, answer.text
    made.share = answer.json()["payload"]["shares"][0]
    return made


def seen(client, team):
    """Every way in: one, list, file, contents, zip, search, lineage."""
    listed = client.get("/api/datasets", params={"kind": "data"}).json()["payload"]["datasets"]
    found = client.get("/api/search", params={"formula": "O2 Si"}).json()["payload"]["datasets"]
    return {
        "one": client.get(f"/api/datasets/{team.dataset_id}").status_code,
        "file": client.get(f"/api/data-files/{team.file_id}").status_code,
        "contents": client.get(f"/api/data-files/{team.file_id}/download").status_code,
        "zip": client.get(f"/api/datasets/{team.dataset_id}/download").status_code,
        "lineage": client.get(f"/api/lineage/data_file/{team.file_id}").status_code,
        "list": 200 if team.dataset_id in [one["qcrbox_dataset_id"] for one in listed] else 404,
        "search": 200 if team.dataset_id in [one["qcrbox_dataset_id"] for one in found] else 404,
    }


def test_a_member_reads_what_is_shared_with_the_group_and_calculates_with_it(team, do):
    assert set(seen(team.bob, team).values()) == {200}
    done = do.ended(team.bob, do.submit(team.bob, "read", structure={"data_file_id": team.file_id}))
    assert done["status"] == "successful"
    assert team.bob.patch(f"/api/datasets/{team.dataset_id}", json={"name": "mine"}).status_code == 403
    assert team.bob.delete(f"/api/datasets/{team.dataset_id}").status_code == 403


@pytest.mark.attack(7)
def test_who_leaves_the_group_is_out_by_every_way_and_who_joins_is_in(team, person):
    eve = person()
    assert set(seen(eve, team).values()) == {404}
    team.join(eve)
    assert set(seen(eve, team).values()) == {200}
    team.leave(team.bob)
    assert set(seen(team.bob, team).values()) == {404}
    assert set(seen(team.ada, team).values()) == {200}


@pytest.mark.attack(6)
def test_a_share_that_is_taken_back_ends_for_the_whole_group(team):
    assert team.ada.delete(f"/api/shares/{team.share['id']}").status_code == 204
    assert set(seen(team.bob, team).values()) == {404}


def test_what_bob_started_with_it_stays_his_when_he_leaves(team, do):
    one = do.submit(team.bob, "read", structure={"data_file_id": team.file_id})
    do.ended(team.bob, one)
    team.leave(team.bob)
    assert team.bob.get(f"/api/calculations/{one}").status_code == 200
    nodes = team.bob.get(f"/api/lineage/calculation/{one}").json()["payload"]["nodes"]
    assert [node["kind"] for node in nodes] == ["hidden", "calculation"]
    assert team.file_id not in str(nodes[0])


@pytest.mark.attack(7)
def test_a_transfer_that_is_under_way_breaks_off_when_the_right_ends(registry, team, monkeypatch):
    """A large file, read slowly: the rest does not arrive after the share is taken back."""
    import os

    import httpx

    monkeypatch.setattr(presence, "CHECK_AGAIN_S", 0.0)
    content = os.urandom(24_000_000)
    file = team.ada.post(f"/api/datasets/{team.dataset_id}/append", files={"file": ("large.bin", content)})
    file_id = file.json()["payload"]["appended_file"]["qcrbox_file_id"]
    arrived = []
    with team.bob.stream("GET", f"/api/data-files/{file_id}/download", timeout=120) as answer:
        pieces = answer.iter_raw(65536)
        arrived.append(len(next(pieces)))
        team.ada.delete(f"/api/shares/{team.share['id']}")
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            arrived.extend(map(len, pieces))
    assert sum(arrived) < len(content)


@pytest.mark.attack(7)
@pytest.mark.parametrize("purpose", ["dataset", "data_file", "append"])
def test_7_an_upload_that_was_begun_as_a_member_does_not_end_in_the_group_afterwards(team, do, purpose):
    target = do.upload(team.ada, group=team.name)["qcrbox_dataset_id"]
    about = {"append": {"dataset_id": target}}.get(purpose, {"group": team.name})
    if purpose == "append":
        given = {"kind": "dataset", "object_id": target, "group": team.name, "mode": "write"}
        assert team.ada.post("/api/shares", json=given).status_code == 201
    begun = team.bob.post("/api/uploads", json={"filename": "a.txt", "size": 6, "purpose": purpose, **about})
    assert begun.status_code == 201, begun.text
    path = f"/api/uploads/{begun.json()['payload']['upload_id']}"

    def send(offset, content):
        kind = {"content-type": "application/offset+octet-stream", "upload-offset": str(offset)}
        return team.bob.patch(path, content=content, headers=kind)

    assert send(0, b"abc").status_code == 204
    team.leave(team.bob)
    assert send(3, b"def").status_code in (403, 404)
    shown = team.ada.get("/api/data-files").json()["payload"]["data_files"]
    assert "a.txt" not in [one["filename"] for one in shown]
    assert team.bob.delete(path).status_code == 204  # what has arrived is still bob's to throw away
