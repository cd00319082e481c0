"""Files: sharing, quotas, tags, bin, hashes, search, resumable uploads, memory."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import time
import zipfile

import httpx
import pytest
from qcrbox_registry.store import datasets


def shown(client, dataset_id):
    answer = client.get(f"/api/datasets/{dataset_id}")
    return answer.json()["payload"]["datasets"][0] if answer.status_code == 200 else None


def test_examples_are_there_for_everybody_and_read_only(ada, person, do):
    deadline = time.monotonic() + 60
    while (
        len(found := ada.get("/api/datasets", params={"kind": "example"}).json()["payload"]["datasets"]) < 2
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # The third one, whose change does not fit the file, is left out.
    changed, example = sorted(found, key=lambda each: each["name"])
    assert changed["name"] == "a changed example"
    content = ada.get(f"/api/data-files/{do.file_id(changed)}/download").content
    as_it_lies = ada.get(f"/api/data-files/{do.file_id(example)}/download").content
    assert content != as_it_lies == content.replace(b"_length_a 5\n", b"_length_a 4.9134\n")
    assert (example["name"], example["owner"], example["read_only"]) == ("an example", "practice", True)
    dataset_id, file_id = example["qcrbox_dataset_id"], do.file_id(example)
    root = person("admin")
    for client in (ada, root):
        assert client.delete(f"/api/datasets/{dataset_id}").status_code == 403
        assert client.patch(f"/api/datasets/{dataset_id}", json={"name": "mine"}).status_code == 403
        assert (
            client.post(f"/api/datasets/{dataset_id}/append", files={"file": ("a", b"")}).status_code == 403
        )
        assert client.delete(f"/api/data-files/{file_id}").status_code == 403
    done = do.ended(ada, do.submit(ada, "read", structure={"data_file_id": file_id}))
    assert done["status"] == "successful"


def test_a_dataset_id_serves_for_its_only_file(ada, do):
    made = do.upload(ada)
    one = do.submit(ada, "read", structure={"data_file_id": made["qcrbox_dataset_id"]})
    assert do.ended(ada, one)["command_arguments"]["structure"] == {"data_file_id": do.file_id(made)}
    ada.post(f"/api/datasets/{made['qcrbox_dataset_id']}/append", files={"file": ("b.hkl", b"1")})
    body = {
        "application_slug": "practice", "application_version": "1", "command_name": "read",
        "command_arguments": {"structure": {"data_file_id": made["qcrbox_dataset_id"]}},
    }  # fmt: skip
    answer = ada.post("/api/commands", json=body)
    assert answer.status_code == 400
    assert "holds 2" in answer.json()["error"]["message"]


def test_a_cif_without_what_the_command_needs_is_refused_at_once_and_force_hands_it_over(ada, do):
    made = do.upload(ada, "poor.cif", b"data_a\n_chemical_formula_sum 'C H4'\n")
    do.indexed(ada, do.file_id(made))
    body = {
        "application_slug": "practice", "application_version": "1", "command_name": "read",
        "command_arguments": {"structure": {"data_file_id": do.file_id(made)}},
    }  # fmt: skip
    answer = ada.post("/api/commands", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["kind"] == "missing_items"
    assert answer.json()["error"]["fields"]["items"] == ["_cell_length_a"]
    assert ada.post("/api/commands", json={**body, "force": True}).status_code == 201


# ---------------------------------------------------------------- rights over HTTP


@pytest.mark.attack(9)
def test_another_persons_things_do_not_exist(person, do):
    ada, eve = person(), person()
    made = do.upload(ada)
    dataset_id, file_id = made["qcrbox_dataset_id"], do.file_id(made)
    one = do.submit(ada, "sleep", seconds=0)
    for method, path in [
        ("GET", f"/api/datasets/{dataset_id}"),
        ("GET", f"/api/datasets/{dataset_id}/download"),
        ("DELETE", f"/api/datasets/{dataset_id}"),
        ("POST", f"/api/datasets/{dataset_id}/restore"),
        ("GET", f"/api/data-files/{file_id}"),
        ("GET", f"/api/data-files/{file_id}/download"),
        ("GET", f"/api/data-files/{file_id}/verify"),
        ("GET", f"/api/data-files/{file_id}/picture"),
        ("DELETE", f"/api/data-files/{file_id}"),
        ("GET", f"/api/lineage/dataset/{dataset_id}"),
        ("GET", f"/api/calculations/{one}"),
        ("GET", f"/api/calculations/{one}/log"),
        ("GET", f"/api/calculations/{one}/events"),
        ("POST", f"/api/calculations/{one}/stop"),
    ]:
        answer = eve.request(method, path)
        unknown = eve.request(method, path.replace(dataset_id, "x").replace(file_id, "x").replace(one, "x"))
        assert answer.status_code == unknown.status_code == 404, (method, path)
        hidden = answer.json()["error"]["message"]
        for known in (dataset_id, file_id, one):
            hidden = hidden.replace(known, "x")
        assert hidden == unknown.json()["error"]["message"]
    assert eve.get("/api/datasets", params={"kind": "data"}).json()["payload"]["datasets"] == []
    assert (
        eve.get("/api/search", params={"formula": "O2 Si", "owner": ada.name}).json()["payload"]["datasets"]
        == []
    )


@pytest.mark.attack(14)
def test_a_foreign_file_cannot_be_lent_to_a_calculation(person, do):
    ada, eve = person(), person()
    body = {
        "application_slug": "practice", "application_version": "1", "command_name": "read",
        "command_arguments": {"structure": {"data_file_id": do.file_id(do.upload(ada))}},
    }  # fmt: skip
    assert eve.post("/api/commands", json=body).status_code == 404


@pytest.mark.attack(9)
def test_the_same_bytes_stored_twice_tell_nobody_of_the_other(person, do, cif):
    ada, eve = person(), person()
    first, second = do.upload(ada, content=cif), do.upload(eve, content=cif)
    assert first["qcrbox_dataset_id"] != second["qcrbox_dataset_id"]
    sha256 = next(iter(first["data_files"].values()))["sha256"]
    assert eve.get(f"/api/data-files/{sha256}/download").status_code == 404
    eve.delete(f"/api/datasets/{second['qcrbox_dataset_id']}")
    assert ada.get(f"/api/data-files/{do.file_id(first)}/download").content == cif


@pytest.mark.attack(6)
def test_a_share_opens_and_its_end_closes(person, do):
    ada, eve = person(), person()
    eve.get("/api/me")
    made = do.upload(ada)
    dataset_id = made["qcrbox_dataset_id"]
    asked = {"kind": "dataset", "object_id": dataset_id, "person": eve.name}
    share = ada.post("/api/shares", json=asked).json()["payload"]["shares"][0]
    assert shown(eve, dataset_id)["owner"] == ada.name
    assert eve.get(f"/api/data-files/{do.file_id(made)}/download").status_code == 200
    assert eve.post(f"/api/datasets/{dataset_id}/append", files={"file": ("b", b"")}).status_code == 403
    assert eve.post("/api/shares", json=asked).status_code == 403  # no sharing onward
    assert eve.delete(f"/api/shares/{share['id']}").status_code == 403
    ada.post("/api/shares", json={**asked, "mode": "write"})
    assert eve.post(f"/api/datasets/{dataset_id}/append", files={"file": ("b", b"")}).status_code == 201
    assert eve.delete(f"/api/datasets/{dataset_id}").status_code == 403
    (share,) = ada.get("/api/shares", params={"kind": "dataset", "object_id": dataset_id}).json()["payload"][
        "shares"
    ]
    assert ada.delete(f"/api/shares/{share['id']}").status_code == 204
    assert shown(eve, dataset_id) is None
    assert ada.delete(f"/api/shares/{share['id']}").status_code == 404


@pytest.mark.attack(4)
def test_only_own_groups_can_be_named(person, group, do):
    ada, boss = person(), person(groups=[group])
    boss.get("/api/me")
    answer = ada.post("/api/datasets", files={"file": ("a", b"x")}, data={"group": group})
    assert answer.status_code == 400
    made = do.upload(ada)["qcrbox_dataset_id"]
    asked = {"kind": "dataset", "object_id": made, "group": group}
    assert ada.post("/api/shares", json=asked).status_code == 404
    assert ada.patch(f"/api/datasets/{made}", json={"group": group}).status_code == 400


def test_the_home_group_is_the_last_one_used_and_outputs_inherit_it_from_the_input(person, group, do):
    ada = person(groups=[group])
    assert do.upload(ada)["group"] is None
    in_group = do.upload(ada, group=group)
    assert in_group["group"] == group
    assert do.upload(ada)["group"] == group
    private = do.upload(ada, group="")
    assert private["group"] is None
    one = do.ended(ada, do.submit(ada, "read", structure={"data_file_id": do.file_id(in_group)}))
    two = do.ended(ada, do.submit(ada, "read", structure={"data_file_id": do.file_id(private)}))
    assert (one["group"], two["group"]) == (group, None)


# ---------------------------------------------------------------- changing


def test_what_is_deleted_comes_back_with_its_files(ada, do):
    made = do.upload(ada)
    dataset_id = made["qcrbox_dataset_id"]
    ada.delete(f"/api/datasets/{dataset_id}")
    assert shown(ada, dataset_id) is None
    (in_bin,) = ada.get("/api/datasets", params={"deleted": True}).json()["payload"]["datasets"]
    assert in_bin["deleted_at"]
    assert ada.post(f"/api/datasets/{dataset_id}/restore").status_code == 200
    assert shown(ada, dataset_id)["data_files"].keys() == made["data_files"].keys()


def test_a_deleted_file_is_found_in_the_bin_and_comes_back_once(person, group, do):
    ada, bob, keeper = (
        person(groups=[group]),
        person(groups=[group]),
        person(f"data!group={group}", groups=[group]),
    )
    made = do.upload(ada, group=group)
    path = f"/api/data-files/{do.file_id(made)}"
    assert bob.delete(path).status_code == 403
    assert keeper.delete(path).status_code == 204
    assert keeper.delete(path).status_code == 404
    for client, found in ((ada, 1), (keeper, 1), (bob, 0)):
        in_bin = client.get("/api/data-files", params={"deleted": True}).json()["payload"]["data_files"]
        assert len([one for one in in_bin if one["deleted_at"]]) == len(in_bin) == found
    assert shown(ada, made["qcrbox_dataset_id"])["data_files"] == {}
    assert [ada.post(f"{path}/restore").status_code for _ in range(2)] == [200, 200]
    assert list(shown(ada, made["qcrbox_dataset_id"])["data_files"]) == ["quartz.cif"]


def test_names_tags_and_descriptions_change_and_are_found(ada, do):
    made = do.upload(ada)
    dataset_id = made["qcrbox_dataset_id"]
    answer = ada.patch(
        f"/api/datasets/{dataset_id}", json={"name": "Quartz", "tags": ["good", "100 K"], "description": "α"}
    )
    assert answer.json()["payload"]["datasets"][0]["tags"] == ["100 K", "good"]
    for query in ({"name": "Quartz"}, {"tag": "100 K"}, {"q": "uart"}, {"q": "α"}):
        found = ada.get("/api/datasets", params=query).json()["payload"]["datasets"]
        assert [one["qcrbox_dataset_id"] for one in found] == [dataset_id], query
    assert ada.get("/api/datasets", params={"q": "%"}).json()["payload"]["datasets"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"owner": "eve"},
        {"tags": "x"},
        {"tags": [""]},
        {"tags": ["x" * 101]},
        {"name": "x" * 501},
        {"name": "a\x00b"},
    ],
)
def test_bad_changes_are_400(ada, do, body):
    dataset_id = do.upload(ada)["qcrbox_dataset_id"]
    assert ada.patch(f"/api/datasets/{dataset_id}", json=body).status_code == 400


def test_a_second_file_of_one_name_stays_beside_the_first(ada, do):
    dataset_id = do.upload(ada)["qcrbox_dataset_id"]
    answer = ada.post(f"/api/datasets/{dataset_id}/append", files={"file": ("quartz.cif", b"other")})
    assert answer.json()["payload"]["appended_file"]["filename"] == "quartz-2.cif"


def test_a_lone_file_is_attached_to_a_dataset(ada, do):
    dataset_id = do.upload(ada)["qcrbox_dataset_id"]
    file = ada.post("/api/data-files", files={"file": ("b.hkl", b"1")}).json()["payload"]["data_files"][0]
    path = f"/api/datasets/{dataset_id}/attach"
    assert ada.post(path, json={"data_file_id": file["qcrbox_file_id"]}).status_code == 201
    assert set(shown(ada, dataset_id)["data_files"]) == {"quartz.cif", "b.hkl"}
    assert ada.post(path, json={"data_file_id": file["qcrbox_file_id"]}).status_code == 400


def test_damaged_contents_are_found_and_never_arrive_complete(registry, ada, do):
    content = os.urandom(700_000)
    made = do.upload(ada, "noise.bin", content)
    file_id = do.file_id(made)
    verify = ada.get(f"/api/data-files/{file_id}/verify").json()["payload"]
    assert (verify["sound"], verify["found"]) == (True, hashlib.sha256(content).hexdigest())
    objects = registry.context.objects
    stored = registry.serving.do(objects.info(verify["sha256"]))

    async def damage():
        await registry.context.bus.js.purge_stream(objects.stream, subject=objects._chunks + stored.nuid)
        for at in range(0, len(content), 262144):
            await registry.context.bus.js.publish(
                objects._chunks + stored.nuid, b"\x00" * len(content[at : at + 262144])
            )

    registry.serving.do(damage())
    assert ada.get(f"/api/data-files/{file_id}/verify").json()["payload"]["sound"] is False
    with pytest.raises(httpx.RemoteProtocolError):  # the transfer breaks off
        ada.get(f"/api/data-files/{file_id}/download")


# ---------------------------------------------------------------- quotas


def test_limits_and_rules_may_name_accounts_and_groups_that_only_the_hub_knows(person, group):
    """Set before the first request, they hold from the first request on; a new account of an old name is another person."""
    root, newcomer = person("admin"), person(groups=[group])
    limit = {"subject": "person", "name": newcomer.name, "quota": "running", "limit": 3}
    answer = root.put("/api/quotas", json=limit)
    assert answer.status_code == 200, answer.text
    of_group = {"subject": "group", "name": group, "quota": "gib", "limit": 7}
    assert root.put("/api/quotas", json=of_group).status_code == 200
    rule = {"unused_days": 30, "group": group, "reason": "end of the course"}
    stored = root.post("/api/retention/rules", json=rule)
    assert stored.status_code == 201, stored.text
    number = next(one["id"] for one in stored.json()["payload"]["rules"] if one["group"] == group)
    root.delete(f"/api/retention/rules/{number}", params={"reason": "test is over"})
    shown = newcomer.get("/api/me").json()["payload"]["quotas"]
    assert next(q["limit"] for q in shown if q["quota"] == "running") == 3
    assert 7 in [q["limit"] for q in shown if q["quota"] == "gib"]
    for unknown in (limit | {"name": "nobody-at-all"}, of_group | {"name": "no-such-group"}):
        refused = root.put("/api/quotas", json=unknown)
        assert (refused.status_code, "Check the spelling" in refused.text) == (404, True)
    # Nobody else may find out by it who has an account.
    assert newcomer.put("/api/quotas", json=limit).status_code == 404


def test_storage_over_the_quota_is_refused_and_says_who_can_raise_it(person, do):
    ada, root = person(), person("admin")
    ada.get("/api/me")
    limit = {"subject": "person", "name": ada.name, "quota": "gib", "limit": 3000 / 1024**3}
    assert root.put("/api/quotas", json=limit).status_code == 200
    do.upload(ada, content=b"x" * 2000)
    answer = ada.post("/api/datasets", files={"file": ("b", b"x" * 2000)})
    assert answer.status_code == 429
    assert "administrator can raise" in answer.json()["error"]["message"]
    quota = next(q for q in ada.get("/api/me").json()["payload"]["quotas"] if q["quota"] == "gib")
    assert quota["used"] * 1024**3 == pytest.approx(2000, abs=600)
    assert ada.put("/api/quotas", json=limit).status_code == 404


def chunks_kept(registry):
    """Messages of file contents in the object store."""

    async def count():
        return (await registry.context.bus.js.stream_info(registry.context.objects.stream)).state.messages

    return registry.serving.do(count())


def limited(root, client, **limits):
    client.get("/api/me")
    for quota, limit in limits.items():
        body = {"subject": "person", "name": client.name, "quota": quota, "limit": limit}
        assert root.put("/api/quotas", json=body).status_code == 200


@pytest.mark.attack(12)
@pytest.mark.parametrize("path", ["/api/datasets", "/api/data-files", "append"])
def test_no_more_than_the_quota_is_ever_kept_of_an_upload(registry, person, do, path):
    ada, root = person(), person("admin")
    limited(root, ada, gib=1_000_000 / 1024**3)
    if path == "append":
        path = f"/api/datasets/{do.upload(ada)['qcrbox_dataset_id']}/append"
    before = chunks_kept(registry)
    answer = ada.post(path, files={"file": ("large.bin", os.urandom(8_000_000))})
    assert (answer.status_code, answer.json()["error"]["fields"]["quota"]) == (429, "gib")
    assert chunks_kept(registry) == before


@pytest.mark.attack(12)
def test_several_files_of_one_form_count_together(registry, person):
    ada, root = person(), person("admin")
    limited(root, ada, gib=1_000_000 / 1024**3)
    files = [("file", (f"{i}.bin", os.urandom(600_000))) for i in range(2)]
    assert ada.post("/api/datasets", files=files).status_code == 429
    assert ada.post("/api/datasets", files=files[:1]).status_code == 201


@pytest.mark.slow
@pytest.mark.attack(12)
def test_uploads_that_are_begun_count_with_what_they_announce_and_are_bounded(person):
    ada, root = person(), person("admin")
    limited(root, ada, gib=100_000_000 / 1024**3)
    first = ada.post("/api/uploads", json={"filename": "a", "size": 60_000_000})
    second = ada.post("/api/uploads", json={"filename": "b", "size": 60_000_000})
    assert (first.status_code, second.status_code) == (201, 429)
    ada.delete(f"/api/uploads/{first.json()['payload']['upload_id']}")
    small = {"filename": "c", "size": 1}
    assert {ada.post("/api/uploads", json=small).status_code for _ in range(100)} == {201}
    over = ada.post("/api/uploads", json=small)
    assert (over.status_code, over.json()["error"]["fields"]["quota"]) == (429, "uploads")


def test_an_upload_that_is_cut_in_the_middle_leaves_nothing_behind(registry, ada):
    before = chunks_kept(registry)
    head = (
        "POST /api/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {ada.token}\r\nContent-Length: 50000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="cut.bin"\r\n\r\n'
    )
    address = httpx.URL(registry.url)
    with socket.create_connection((address.host, address.port), 30) as wire:
        wire.sendall(head.encode() + os.urandom(5_000_000))
        deadline = time.monotonic() + 60
        while chunks_kept(registry) == before:
            assert time.monotonic() < deadline, "nothing was stored while it arrived"
            time.sleep(0.05)
    deadline = time.monotonic() + 60
    while chunks_kept(registry) != before:
        assert time.monotonic() < deadline, "chunks of the cut upload are still there"
        time.sleep(0.05)
    assert ada.get("/api/datasets", params={"kind": "data"}).json()["payload"]["datasets"] == []


def test_a_form_in_which_no_file_was_chosen_is_refused(ada):
    assert ada.post("/api/datasets", files={"file": ("", b"")}).status_code == 400
    boundary = b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--b--\r\n'
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = ada.post("/api/datasets", content=boundary, headers=headers)
    assert (answer.status_code, "No file was chosen" in answer.text) == (400, True)


def test_a_name_in_the_encoding_of_old_headers_is_read(ada):
    body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.cif\r\n\r\nx\r\n--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    made = ada.post("/api/data-files", content=body, headers=headers).json()["payload"]["data_files"]
    assert made[0]["filename"] == "größe.cif"


def test_a_file_that_is_known_is_not_sent_again(ada, do):
    path = f"/api/data-files/{do.file_id(do.upload(ada))}/download"
    first = ada.get(path)
    again = ada.get(path, headers={"if-none-match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert ada.get(path, headers={"if-none-match": '"x"'}).content == first.content


def test_more_waiting_calculations_than_allowed_are_refused_all_or_none(person, do):
    ada, root = person(), person("admin")
    ada.get("/api/me")
    root.put("/api/quotas", json={"subject": "person", "name": ada.name, "quota": "queued", "limit": 3})
    one = {
        "application_slug": "practice",
        "application_version": "1",
        "command_name": "noop",
        "command_arguments": {},
    }
    answer = ada.post("/api/commands/batch", json={"commands": [one] * 4})
    assert (answer.status_code, answer.json()["error"]["fields"]["quota"]) == (429, "queued")
    assert ada.get("/api/calculations").json()["payload"]["calculations"] == []
    assert ada.post("/api/commands/batch", json={"commands": [one] * 3}).status_code == 201


@pytest.mark.attack(12)
def test_a_file_that_is_too_large_is_413(registry, ada, monkeypatch):
    monkeypatch.setattr(registry.context.settings, "largest_file_bytes", 1000)
    answer = ada.post("/api/data-files", files={"file": ("big", b"x" * 2000)})
    assert answer.status_code == 413
    assert ada.get("/api/data-files", params={"owner": ada.name}).json()["payload"]["data_files"] == []


# ---------------------------------------------------------------- search


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"formula": "SiO2"}, True),
        ({"formula": "Si2O"}, False),
        ({"elements": "Si,O"}, True),
        ({"elements": "Si", "only_elements": True}, False),
        ({"space_group": "154"}, True),
        ({"space_group": "P3221"}, True),
        ({"space_group": "P 3(2) 2 1"}, True),
        ({"space_group": "P3121"}, False),
        ({"space_group": "2"}, False),
        ({"cell": "4.91,4.91,5.41,90,90,120"}, True),
        ({"cell": "4.91,5.41,4.91,90,120,90"}, True),
        ({"cell": "4.91,4.91,5.9,90,90,120"}, False),
        ({"cell": "4.91,4.91,5.9,90,90,120", "tolerance": 0.2}, True),
        ({"r1_below": 0.03}, True),
        ({"r1_below": 0.02}, False),
        ({"text": "quartz"}, True),
        ({"text": "quartz nothing"}, False),
    ],
    ids=str,
)
def test_search(ada, do, query, found):
    made = do.upload(ada)["qcrbox_dataset_id"]
    answer = ada.get("/api/search", params={**query, "owner": ada.name}).json()["payload"]["datasets"]
    assert [one["qcrbox_dataset_id"] for one in answer] == ([made] if found else [])


@pytest.mark.parametrize(
    "query",
    [
        {"formula": "!"},
        {"elements": "Xyz"},
        {"space_group": "231"},
        {"cell": "1,2,3"},
        {"cell": "5,5,5,170,170,170"},
        {"r1_below": "x"},
    ],
    ids=str,
)
def test_bad_searches_are_400(ada, query):
    assert ada.get("/api/search", params=query).status_code == 400


def test_what_a_cif_says_of_itself_is_shown(ada, do):
    file = next(iter(do.upload(ada)["data_files"].values()))
    assert file["index"]["formula_sum"] == "O2 Si"
    assert file["index"]["space_group_number"] == 154


def test_the_unified_form_is_made_on_demand(ada, do):
    made = do.upload(ada, "old.cif", b"data_a\n_symmetry_Int_Tables_number 14\n_cell_length_a 1.0\n")
    path = f"/api/data-files/{do.file_id(made)}/download"
    first = ada.get(path, params={"form": "unified"})
    assert b"_space_group.it_number" in first.content.lower()
    assert ada.get(path, params={"form": "unified"}).content == first.content
    assert ada.get(path).content.startswith(b"data_a\n_symmetry")


@pytest.mark.parametrize(
    "content",
    [
        b"\x00" * 10_000,
        b"data_\xff\xfe",
        b"loop_ " * 1000,
        b"data_a\n_a " + b"x" * 1_000_000,
        b"<script>alert(1)</script>",
    ],
)
def test_a_broken_cif_is_stored_all_the_same(ada, do, content):
    made = do.upload(ada, "broken.cif", content)
    assert ada.get(f"/api/data-files/{do.file_id(made)}/download").content == content


@pytest.mark.attack(11)
def test_stored_html_never_runs_in_our_origin(ada, do):
    made = do.upload(ada, "page.html", b"<script>alert(1)</script>")
    answer = ada.get(f"/api/data-files/{do.file_id(made)}/download")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


# ---------------------------------------------------------------- resumable uploads


def piece(client, upload_id, offset, content):
    headers = {"upload-offset": str(offset), "content-type": "application/offset+octet-stream"}
    return client.patch(f"/api/uploads/{upload_id}", content=content, headers=headers)


def begin(client, content, **more):
    body = {"filename": "big.bin", "size": len(content), **more}
    answer = client.post("/api/uploads", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["payload"]["upload_id"]


def test_an_upload_goes_on_where_it_was_cut(ada):
    content = os.urandom(300_000)
    upload_id = begin(ada, content, sha256=hashlib.sha256(content).hexdigest(), name="noise")
    assert piece(ada, upload_id, 0, content[:100_000]).status_code == 204
    head = ada.head(f"/api/uploads/{upload_id}")
    assert (head.headers["upload-offset"], head.headers["upload-length"]) == ("100000", "300000")
    wrong = piece(ada, upload_id, 50_000, content[50_000:])
    assert (wrong.status_code, wrong.json()["error"]["fields"]["offset"]) == (409, 100_000)
    done = piece(ada, upload_id, 100_000, content[100_000:])
    dataset = done.json()["payload"]["datasets"][0]
    assert dataset["name"] == "noise"
    with zipfile.ZipFile(
        io.BytesIO(ada.get(f"/api/datasets/{dataset['qcrbox_dataset_id']}/download?format=zip").content)
    ) as opened:
        assert opened.read("big.bin") == content
    again = piece(ada, upload_id, 0, content)  # the answer was lost: nothing is stored twice
    assert again.json()["payload"]["dataset_id"] == dataset["qcrbox_dataset_id"]


def test_more_bytes_than_announced_or_a_wrong_hash_are_refused(ada):
    upload_id = begin(ada, b"abc")
    assert piece(ada, upload_id, 0, b"abcdef").status_code == 413
    other = begin(ada, b"abc", sha256="0" * 64)
    assert piece(ada, other, 0, b"abc").status_code == 409
    assert ada.head(f"/api/uploads/{other}").headers["upload-offset"] == "0"


@pytest.mark.attack(9)
def test_an_upload_is_seen_by_nobody_else(person):
    ada, eve = person(), person()
    upload_id = begin(ada, b"abc")
    assert eve.head(f"/api/uploads/{upload_id}").status_code == 404
    assert piece(eve, upload_id, 0, b"abc").status_code == 404
    assert eve.delete(f"/api/uploads/{upload_id}").status_code == 404
    assert ada.delete(f"/api/uploads/{upload_id}").status_code == 204
    assert ada.head(f"/api/uploads/{upload_id}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"filename": "a"},
        {"filename": "a", "size": -1},
        {"filename": "", "size": 1},
        {"filename": "a", "size": 10**15},
        {"filename": "a", "size": 1, "sha256": "x"},
        {"filename": "a", "size": 1, "purpose": "output"},
    ],
)
def test_bad_uploads_cannot_begin(ada, body):
    assert ada.post("/api/uploads", json=body).status_code in (400, 413)


# ---------------------------------------------------------------- sweep


def test_what_was_deleted_long_ago_is_removed_and_what_others_share_stays(registry, person, do):
    ada, eve = person(), person()
    content = os.urandom(1000)
    mine, theirs = do.upload(ada, "a.bin", content), do.upload(eve, "b.bin", content)
    lonely = os.urandom(1000)
    gone = do.upload(ada, "c.bin", lonely)
    for made in (mine, gone):
        ada.delete(f"/api/datasets/{made['qcrbox_dataset_id']}")

    later = time.time() + registry.context.settings.undo_days * 86400 + 10
    keeper = registry.core.housekeeping
    registry.serving.do(keeper.sweep(later))
    registry.serving.do(keeper.sweep(later + 90_000))
    assert registry.serving.do(registry.context.objects.info(hashlib.sha256(lonely).hexdigest())) is None
    assert eve.get(f"/api/data-files/{do.file_id(theirs)}/download").content == content
    refused = ada.post(f"/api/datasets/{gone['qcrbox_dataset_id']}/restore")
    assert (refused.status_code, "removed from the trash" in refused.text) == (404, True)
    # The same bytes can come back later.
    again = do.upload(ada, "c.bin", lonely)
    assert ada.get(f"/api/data-files/{do.file_id(again)}/download").content == lonely
    assert registry.read(lambda conn: datasets.get_file(conn, do.file_id(gone), deleted=True)).purged_at


ATOMS = """data_a
_cell_length_a 10
_cell_length_b 10
_cell_length_c 10
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
{label} C 0.1 0.2 0.3 0.02
O1 O 0.3 0.2 0.3 0.02
"""


def test_a_structure_is_drawn_and_nothing_in_the_picture_runs(ada, do):
    drawn = ada.get(
        f"/api/data-files/{do.file_id(do.upload(ada, content=ATOMS.format(label='C1').encode()))}/picture"
    )
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    assert ">C1<" in drawn.text
    hostile = do.upload(ada, content=ATOMS.format(label="<script>alert(1)</script>").encode())
    drawn = ada.get(f"/api/data-files/{do.file_id(hostile)}/picture")
    assert drawn.status_code == 200
    assert "<script" not in drawn.text
    assert "sandbox" in drawn.headers["content-security-policy"]


@pytest.mark.parametrize("content", [b"data_a\n_cell_length_a 5\n", b"no cif at all", b"\x89PNG"])
def test_what_has_no_structure_has_no_picture(ada, do, content):
    answer = ada.get(f"/api/data-files/{do.file_id(do.upload(ada, content=content))}/picture")
    assert answer.status_code == 404
    assert "no structure to draw" in answer.text
